from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from smurf_core.errors import InputError
from smurf_core.evaluation.typical import half_widths, typical_samples
from smurf_core.evaluation.verdicts import verdicts
from smurf_core.explained import explained
from smurf_core.refits import Refits, critical
from smurf_core.reporting.findings import examples
from smurf_core.reporting.tables import typical_table
from tests.smurf_core.evaluation.conftest import make_dataset, make_result

N = 40


@pytest.fixture
def run():
    """A run on two modalities, made by hand, and its data."""
    random = np.random.default_rng(0)
    data = make_dataset(random.normal(size=N), modalities=2)
    values = random.normal(scale=0.01, size=(N, 2, 2, 1)).astype(np.float32)
    values[3, 0, 0] = -5  # A alone
    values[5, 0, 1], values[5, 1, 0] = 3, 2.5  # both say the same
    values[7, 0, 1], values[7, 1, 0] = 4, -4  # opposite
    values[9, 1, 0] = 2  # one side only
    values[11, 0, 1], values[11, 1] = 6, 0  # B was not recorded
    features = data.features["B"].values.copy()
    features[11] = np.nan
    absent = {**data.features, "B": replace(data.features["B"], values=features)}
    data = replace(data, features=absent)
    return make_result(data, lambda _: (values, np.zeros(1, np.float32))), data


@pytest.fixture
def contributions(run):
    return explained(*run)


def with_intervals(result, spread):
    """The run with refits that give every contribution this standard deviation."""
    n, t, c = result.contributions().values.shape
    refits = Refits(
        np.zeros((2, t, c), np.float32), np.full((n, t, c), spread, np.float32), np.ones(t), N
    )
    return replace(result, refits=refits)


def test_each_list_starts_with_the_sample_that_was_made_for_it(contributions):
    unique = typical_samples(contributions, "unique").iloc[0]
    assert (unique["sample_id"], unique["modality"]) == ("s0003", "A")
    assert unique["contribution"] == pytest.approx(-5)
    redundant = typical_samples(contributions, "redundant").iloc[0]
    assert (redundant["sample_id"], redundant["contribution"], redundant["other"]) == (
        "s0005", 3, 2.5,
    )  # fmt: skip
    unexpected = typical_samples(contributions, "unexpected")
    assert unexpected["sample_id"].tolist()[:2] == ["s0007", "s0009"]
    assert "s0005" not in set(unexpected["sample_id"])


def test_scores_fall_and_end_where_nothing_is_found(contributions):
    for finding in ("unique", "redundant", "unexpected"):
        table = typical_samples(contributions, finding, count=15)
        assert table["score"].is_monotonic_decreasing
        assert (table["score"] > 0).all()
        assert len(table) <= 15


def test_unknown_outputs_are_reported(contributions):
    with pytest.raises(InputError, match="No output 'joy'"):
        typical_samples(contributions, "unique", output="joy")


def test_what_was_not_recorded_is_never_unexpected_and_has_a_list_of_its_own(run):
    found = explained(*run)
    for finding in ("redundant", "unexpected"):
        assert "s0011" not in set(typical_samples(found, finding)["sample_id"])
    (row,) = typical_samples(found, "not_recorded").to_dict("records")
    assert (row["sample_id"], row["modality"], row["other_modality"]) == ("s0011", "A", "B")
    assert row["contribution"] == pytest.approx(6)
    assert np.isnan(row["other"])


def test_a_report_lists_no_absent_modality_as_unexpected(run):
    result, data = run
    found = explained(result, data)
    # Verdicts of runs made by hand are not good: all count as stable here.
    stable = verdicts(result, found).assign(verdict="stable")
    marks = pd.DataFrame({"sample_id": found.sample_ids, "mark": ""})
    listed = examples(result, found, marks, stable)
    printed = typical_table(listed)
    shown = {cell.text for row in printed.rows for cell in row[:1]}
    assert "s0007" in shown
    assert "s0011" not in shown


def test_the_two_sides_are_unexpected_only_beyond_their_intervals(run):
    result, data = run
    found = explained(result, data)
    for spread, expected in ((0.1, ["s0007", "s0009"]), (1.0, ["s0007"])):
        widths = half_widths(with_intervals(result, spread), found)
        assert widths == pytest.approx(np.full(widths.shape, critical(N) * spread))
        listed = typical_samples(found, "unexpected", half_widths=widths)
        assert listed["sample_id"].tolist() == expected
    assert half_widths(result, found) is None


def test_what_all_classes_have_in_common_is_not_a_contribution():
    data = make_dataset(np.arange(N) % 2, modalities=2)
    values = np.zeros((N, 2, 2, 2), np.float32)
    values[4, 0, 0] = 9  # to both classes
    values[6, 0, 0] = 1, -1
    result = make_result(data, lambda _: (values, np.zeros(2, np.float32)))
    listed = typical_samples(explained(result, data), "unique")
    assert listed["sample_id"].unique().tolist() == ["s0006"]
    assert sorted(listed["contribution"]) == [-1, 1]
