"""Every evaluation at once, of a study that has everything."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.evaluation.complete import evaluation_tables
from smurf_core.evaluation.judgments import human_agreement
from smurf_core.explained import explained
from tests.smurf_core.evaluation.conftest import make_dataset, make_result


def test_a_study_with_everything_gives_every_table(random):
    data = make_dataset(random.normal(size=80), np.repeat(np.arange(20), 4))
    rating = random.normal(size=(3, 80)).astype(np.float32)
    data = replace(
        data,
        judgments={frozenset("AB"): rating.mean(axis=0)},
        ratings={frozenset("AB"): rating},
        informativeness={"A": random.integers(-1, 3, size=80)},
    )
    runs = {}
    for name in ("first", "second"):
        values = random.normal(size=(80, 3, 3, 1)).astype(np.float32)
        runs[name] = make_result(data, lambda _, v=values: (v, np.zeros(1, np.float32)))
    tables = evaluation_tables(runs, data, reference="first", count=5, permutations=50)
    assert set(tables) == {
        "performance_by_fold", "performance", "chance", "comparison",
        "missing_modalities_by_fold", "missing_modalities", "missing_modalities_comparison",
        "variance_shares", "variance_totals", "redundancy", "typical_unique",
        "typical_not_recorded", "typical_redundant", "typical_unexpected", "verdicts", "gate",
        "human_judgments",
        "informativeness", "against_baseline", "outlying_samples", "share_influence",
        "commonality_subsets", "commonality_totals", "commonality_parts", "commonality_model",
        "residuals_over_range", "residuals_by_person",
    }  # fmt: skip
    for name, columns in {
        "comparison": ("difference", "ci_low", "ci_high", "statistic", "p_person", "n"),
        "human_judgments": ("r", "ci_low", "ci_high", "statistic", "p", "p_holm", "n", "ceiling"),
        "informativeness": ("effect_size", "statistic", "p", "p_holm", "p_person_holm"),
        "variance_shares": ("share", "ci_low", "ci_high"),
    }.items():
        assert set(columns) <= set(tables[name].columns)
    expected = human_agreement(explained(runs["first"], data))
    pd.testing.assert_frame_equal(tables["human_judgments"].drop(columns="verdict"), expected)
    for part in ("unique", "redundant", "unexpected"):
        assert len(tables[f"typical_{part}"]) <= 5


@pytest.mark.parametrize("task", ["regression", "classification"])
@pytest.mark.parametrize("modalities", [4, 5])
def test_known_factors_are_compared_with_what_was_learned(modalities, task):
    """For classes, factors are parts of the logits."""
    data = synthetic_additive(samples=100, modalities=modalities, task=task)
    columns = [""] if task == "regression" else [f"[{name}]" for name in data.class_names]
    values = np.zeros((100, modalities, modalities, len(columns)), np.float32)
    for i, a in enumerate(data.modalities):
        for j, b in enumerate(data.modalities):
            part = f"u_{a}" if i == j else f"r_{min(a, b)}{max(a, b)}"
            for c, column in enumerate(columns):
                values[:, i, j, c] = data.factors[part + column] / (1 if i == j else 2)
    result = make_result(data, lambda _: (values, np.zeros(len(columns), np.float32)))
    tables = evaluation_tables({"perfect": result}, data, reference="perfect")
    np.testing.assert_allclose(tables["recovery"]["r"], 1, atol=1e-5)
    factors = modalities + modalities * (modalities - 1) // 2
    assert len(tables["factor_matrix"]) == factors * modalities**2 * len(columns)
    assert "comparison" not in tables
