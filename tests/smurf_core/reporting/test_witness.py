"""What is said of the second witness, from intervals that a test decides."""

import numpy as np
import pandas as pd
import pytest

from smurf_core.evaluation.commonality import Commonality
from smurf_core.model_kinds import MODEL_KINDS
from smurf_core.reporting.witness import comparable_totals, witness_sentences


def witness(share=(0.3, 0.2, 0.4), r2=(0.5, 0.4, 0.6), model=None) -> Commonality:
    everything = dict(zip(("r2", "ci_low", "ci_high"), r2, strict=True))
    parts = dict(zip(("share", "share_low", "share_high"), share, strict=True))
    return Commonality(
        subsets=pd.DataFrame([{"modalities": "A+B", "size": 2, **everything}]),
        totals=pd.DataFrame([{"modality": "", "kind": "common", **everything, **parts}]),
        parts=pd.DataFrame(),
        model=pd.DataFrame() if model is None else pd.DataFrame([model]),
    )


def shares(value, low, high) -> pd.DataFrame:
    """Totals of a model; rows that are not to be read have other numbers."""
    rows = [("", "unique", 0.99), ("A", "redundant", 0.98), ("", "redundant", value)]
    return pd.DataFrame(
        [
            {
                "modality": modality, "kind": kind, "output": "y", "share": share,
                "ci_low": low if share == value else 0.97,
                "ci_high": high if share == value else 0.99,
            }
            for modality, kind, share in rows
        ]
    )  # fmt: skip


def test_intervals_that_do_not_overlap_are_a_difference_and_it_is_explained():
    first, second = witness_sentences(shares(0.56, 0.5, 0.6), witness())
    assert "R² 0.50 [0.40, 0.60]. Of this, 30% [20, 40] is common" in first
    assert second.startswith("The model calls 56% [50, 60] redundant: the two differ.")
    assert "modalities that correlate counts as common" in second
    assert "differ" in witness_sentences(shares(0.1, 0.05, 0.15), witness())[1]


def test_overlapping_intervals_are_no_contradiction():
    (_, second) = witness_sentences(shares(0.45, 0.39, 0.5), witness())
    assert second.endswith("the witness does not contradict it.")


def test_what_a_model_does_not_have_is_not_measured_as_zero():
    """`0% [0, 0]` looked like the surest of all shares."""
    (_, second) = witness_sentences(shares(0.0, 0.0, 0.0), witness())
    nothing = "The model keeps no set of modalities that agree, and calls nothing redundant"
    assert second.startswith(f"{nothing}: the two differ.")
    (_, second) = witness_sentences(shares(0.0, 0.0, 0.0), witness((0.1, -0.1, 0.2)))
    assert second == f"{nothing}; the witness does not contradict it."
    assert "0% [0, 0]" not in second


def test_an_interval_that_holds_nearly_everything_checks_nothing():
    found = witness((0.3, -0.2, 0.8))
    assert "cannot check" in witness_sentences(shares(0.45, 0.39, 0.5), found)[1]
    # But it can still be outside.
    assert "differ" in witness_sentences(shares(0.9, 0.85, 0.95), found)[1]


@pytest.mark.parametrize("r2", [(0.01, -0.02, 0.04), (0.01, np.nan, np.nan), (-0.1, -0.2, -0.01)])
def test_where_nothing_is_predicted_nothing_is_divided(r2):
    (only,) = witness_sentences(shares(0.5, 0.4, 0.6), witness((np.nan,) * 3, r2))
    assert only.startswith("There is nothing to divide")
    assert "50%" not in only
    assert "do not rely on its shares" in only
    assert "nan" not in only


def test_a_model_without_a_share_is_not_compared():
    assert len(witness_sentences(None, witness())) == 1
    assert "differ" not in witness_sentences(shares(0.5, np.nan, np.nan), witness())[1]


def test_a_common_share_below_zero_is_explained():
    assert "more together" in witness_sentences(None, witness((-0.3, -0.4, -0.2)))[0]


def test_a_model_that_predicts_more_or_less_is_reported():
    model = {"r2_model": 0.7, "r2_late_fusion": 0.5, "difference": 0.2}
    more = witness_sentences(None, witness(model=model | {"ci_low": 0.1, "ci_high": 0.3}))
    assert "more than linear late fusion (R² 0.70 to 0.50)" in more[1]
    less = witness_sentences(None, witness(model=model | {"ci_low": -0.3, "ci_high": -0.1}))
    assert "less than" in less[1]
    assert len(witness_sentences(None, witness(model=model | {"ci_low": -0.1, "ci_high": 0.3}))) < 2


def test_only_pairwise_shares_are_comparable():
    table = pd.concat([shares(0.5, 0.4, 0.6), shares(0.7, 0.6, 0.8).assign(output="other")])
    found = comparable_totals(MODEL_KINDS["smurf"], table)
    assert found is not None
    assert set(found["output"]) == {"y"}
    assert comparable_totals(MODEL_KINDS["late_fusion"], table) is None
    assert comparable_totals(MODEL_KINDS["mro_smurf"], table) is None
