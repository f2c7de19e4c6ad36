"""Three sentences of Compare: no winner between equals, and no agreement of different things."""

import numpy as np
import pandas as pd
import pytest

from smurf_core.reporting.comparison_sentences import (
    explanations_agree,
    what_factorising_costs,
    who_predicts_better,
)
from smurf_core.reporting.two_runs import SideBySide

TITLES = {"a": "SMURF", "b": "Late fusion", "c": "Exclusive"}
KINDS = {"a": "smurf", "b": "late_fusion", "c": "exclusive"}


def _rows(metric="r", **others):
    rows = [{"model": "a", "mean": 0.8, "sd": 0.02, "difference": np.nan, "mark_holm": ""}]
    rows += [
        {
            "model": name, "mean": 0.8 + difference, "sd": 0.02, "difference": difference,
            "ci_low": difference - 0.01, "ci_high": difference + 0.01, "mark_holm": mark,
        }
        for name, (difference, mark) in others.items()
    ]  # fmt: skip
    return pd.DataFrame(rows).assign(metric=metric)


def test_only_what_is_left_after_correction_is_called_better_or_worse():
    said = who_predicts_better(_rows(b=(0.03, "⇑"), c=(-0.005, "")), TITLES, "a")
    assert said == (
        "SMURF reaches 0.800 ± 0.020 (Pearson's r). Late fusion (+0.030 [0.020, 0.040]) predicts "
        "better; whether it differs from Exclusive (−0.005 [−0.015, 0.005]) cannot be said."
    )


@pytest.mark.parametrize(
    ("metric", "difference", "mark", "start"),
    [
        ("r", 0.03, "⇑", "Factorising costs prediction here"),
        ("r", -0.03, "⇓", "Factorising helps prediction here"),
        ("rmse", 0.03, "⇓", "Factorising helps prediction here"),
        ("r", 0.003, "", "That factorising costs anything cannot be said"),
    ],
)
def test_costs_are_of_the_factorised_model_over_late_fusion(metric, difference, mark, start):
    said = what_factorising_costs(_rows(metric, b=(difference, mark)), KINDS, TITLES, "a")
    assert said.startswith(start)
    assert "SMURF over Late fusion" in said
    sign = "−" if difference > 0 else "+"
    assert f"{sign}{abs(difference):.3f} [" in said


def test_costs_need_late_fusion():
    said = what_factorising_costs(_rows(c=(0.03, "⇑")), KINDS, TITLES, "a")
    assert said == "What factorising costs cannot be said: compare with late fusion."


def _beside(*rs, verdicts=("reliable", "reliable"), sentences=()):
    names = [f"m{i}" for i in range(len(rs))]
    table = pd.DataFrame({"modality": names, "shared_with": names, "r": rs})
    return SideBySide(
        tuple(sentences),
        table.assign(first_verdict=verdicts[0], second_verdict=verdicts[1]),
    )


def test_explanations_are_compared_only_where_both_verdicts_are_good():
    alike = explanations_agree(_beside(0.956, 0.9), "smurf", "exclusive")
    assert alike == "Runs A and B explain samples alike: r ≥ 0.90 for all 2 that are good in both."
    apart = explanations_agree(_beside(0.95, 0.3), "smurf", "exclusive")
    assert "differently: m1 alone (r = 0.30), of 2" in apart
    doubtful = _beside(0.95, verdicts=("reliable", "unstable"))
    assert "no contribution has a good verdict" in explanations_agree(doubtful, "smurf", "smurf")
    assert "not of the same thing" in explanations_agree(_beside(0.95), "smurf", "late_fusion")
    closed = _beside(0.95, sentences=["Run A: there is nothing to explain."])
    assert explanations_agree(closed, "smurf", "smurf") == "Run A: there is nothing to explain."
