"""Tests of models against brute force, textbook formulas, and null data."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from smurf_core.errors import InputError
from smurf_core.evaluation.comparison import compare_models, corrected_marks, marks_by_chance
from smurf_core.evaluation.metrics import METRICS, score
from smurf_core.evaluation.performance import fold_performance
from smurf_core.statistics.resampled_t import corrected_resampled_t_test
from tests.smurf_core.evaluation.conftest import make_dataset, predicts


def regression(random, n=120, persons=12, noise=(1.0, 1.0)):
    who = np.repeat(np.arange(persons), n // persons)
    y = random.normal(size=n)
    data = make_dataset(y, who)
    runs = {
        name: predicts(data, y + sd * random.normal(size=n))
        for name, sd in zip(("a", "smurf"), noise, strict=True)
    }
    return data, runs


def test_difference_is_that_of_the_means_over_folds(random):
    data, runs = regression(random, noise=(1.0, 0.6))
    table = compare_models(runs, data, reference="smurf", permutations=200)
    wide = table.pivot_table(index="metric", columns="model", values="mean")
    rows = table[table["model"] == "a"].set_index("metric")
    for metric in METRICS["regression"]:
        expected = wide.loc[metric, "a"] - wide.loc[metric, "smurf"]
        assert rows.loc[metric, "difference"] == pytest.approx(expected, abs=1e-9)
        assert rows.loc[metric, "ci_low"] <= expected <= rows.loc[metric, "ci_high"]
    assert table.loc[table["model"] == "smurf", "difference"].isna().all()


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_swapping_sums_equals_swapping_predictions(random, task):
    """All 2⁶ swaps of six persons, with the metrics themselves, against the reported p."""
    n, who = 60, np.repeat(np.arange(6), 10)
    if task == "regression":
        y = random.normal(size=n)
        data = make_dataset(y, who, folds=3)
        a, b = (y[:, None] + sd * random.normal(size=(n, 1)) for sd in (1.1, 0.6))
    else:
        y = random.integers(0, 3, size=n)
        data = make_dataset(y, who, folds=3)
        a, b = (g * np.eye(3)[y] + random.normal(size=(n, 3)) for g in (0.5, 1.5))
    runs = {"a": predicts(data, a), "b": predicts(data, b)}
    table = compare_models(runs, data, reference="b", permutations=20_000)
    rows = table[table["model"] == "a"].set_index("metric")
    folds = [np.flatnonzero(test) for test in data.folds.test]
    for metric in METRICS[task]:

        def statistic(first, second, metric=metric):
            return np.mean(
                [
                    score(task, metric, data.target[f], first[f])
                    - score(task, metric, data.target[f], second[f])
                    for f in folds
                ]
            )

        observed = statistic(a, b)
        every = []
        for bits in range(2**6):
            swap = np.array([bits >> p & 1 for p in range(6)], dtype=bool)[who][:, None]
            every.append(statistic(np.where(swap, b, a), np.where(swap, a, b)))
        exact = np.mean(np.abs(every) >= abs(observed) - 1e-9)
        assert rows.loc[metric, "difference"] == pytest.approx(observed, abs=1e-6)
        assert rows.loc[metric, "p_person"] == pytest.approx(exact, abs=0.015)


def test_marks_say_which_is_better_also_where_lower_is(random):
    data, runs = regression(random, n=400, persons=40, noise=(2.0, 0.3))
    marks = compare_models(runs, data, reference="smurf").query("model == 'a'")["mark"]
    assert marks.tolist() == ["↓"] * 4
    marks = compare_models(runs, data, reference="a").query("model == 'smurf'")["mark"]
    assert marks.tolist() == ["↑"] * 4


def test_double_arrows_are_what_remains_after_holm_within_a_metric():
    table = pd.DataFrame(
        {
            "metric": ["r", "r", "r", "r", "mae"],
            # Of four: 0.01 · 4 = 0.04 remains, 0.02 · 3 = 0.06 does not. Alone, 0.03 remains.
            "p_person": [0.02, np.nan, 0.01, 0.9, 0.03],
            "mark": ["↓", "", "↑", "", "↓"],
        }
    )
    table.loc[5] = ["r", 0.6, ""]
    found = corrected_marks(table)
    assert found["mark_holm"].tolist() == ["", "", "⇑", "", "⇓", ""]
    assert found["p_person_holm"].round(9).tolist()[2:5] == [0.04, 1.0, 0.03]
    assert marks_by_chance(found) == (4, 0.2)


def test_equal_models_hardly_ever_have_a_double_arrow(random):
    """Six runs that differ by chance: many tables have an arrow, few a double one."""
    marked = {"mark": 0, "mark_holm": 0}
    for seed in range(60):
        target = random.normal(size=60)
        data = make_dataset(target, np.repeat(np.arange(20), 3))
        runs = {name: predicts(data, target + random.normal(size=60)) for name in "abcdef"}
        table = compare_models(runs, data, reference="a", permutations=400, seed=seed)
        for column in marked:
            marked[column] += (table.loc[table["metric"] == "mae", column] != "").any()
    assert marked["mark"] >= 6
    # 5% of 60 tables are 3; more than 8 have a probability of 0.2%.
    assert marked["mark_holm"] <= 8


def test_validation_folds_count_as_training(random):
    """Three folds train, one validates, one tests: the correction is a fourth."""
    data, runs = regression(random)
    rows = compare_models(runs, data, reference="smurf", permutations=50)
    row = rows.query("model == 'a' and metric == 'mae'").iloc[0]
    by_fold = [
        fold_performance(run, data).query("metric == 'mae'")["value"].to_numpy()
        for run in runs.values()
    ]
    expected = corrected_resampled_t_test(by_fold[0] - by_fold[1], 1 / 4)
    assert row["statistic"] == pytest.approx(expected.statistic)
    assert row["p_resampled"] == pytest.approx(expected.p)


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_the_interval_is_the_jackknife_over_persons(random, task):
    """Every person left out once, by scoring what is left with the metrics themselves."""
    who = np.repeat(np.arange(12), 5)
    y = random.normal(size=60) if task == "regression" else random.integers(0, 3, size=60)
    signal = y[:, None] if task == "regression" else np.eye(3)[y]
    data = make_dataset(y, who, folds=3)
    a, b = (signal + random.normal(size=signal.shape) for _ in range(2))
    table = compare_models(
        {"a": predicts(data, a), "b": predicts(data, b)}, data, reference="b", permutations=50
    )
    for row in table[table["model"] == "a"].to_dict("records"):

        def statistic(keep, metric=row["metric"]):
            parts = [np.flatnonzero(test & keep) for test in data.folds.test]
            return np.mean(
                [
                    score(task, metric, data.target[at], a[at])
                    - score(task, metric, data.target[at], b[at])
                    for at in parts
                ]
            )

        # Four persons in each of three folds, which are strata.
        left_out = np.array([statistic(who != person) for person in range(12)])
        error = np.sqrt(sum(3 / 4 * 4 * left_out[fold::3].var() for fold in range(3)))
        half = stats.t.ppf(0.975, 9) * error
        assert (row["ci_low"] + row["ci_high"]) / 2 == pytest.approx(row["difference"])
        assert row["ci_high"] - row["difference"] == pytest.approx(half, rel=1e-4)


def test_with_one_person_per_fold_the_interval_is_the_paired_t_tests(random):
    """Then leaving a person out is leaving a fold out."""
    data, runs = regression(random, n=60, persons=6)
    data = make_dataset(np.asarray(data.target), data.persons, folds=6)
    runs = {
        name: predicts(data, run.contributions().prediction()[:, 0]) for name, run in runs.items()
    }
    table = compare_models(runs, data, reference="smurf", permutations=50)
    by_fold = [fold_performance(run, data).query("metric == 'mae'") for run in runs.values()]
    expected = stats.ttest_rel(*(table["value"] for table in by_fold)).confidence_interval()
    row = table.query("model == 'a' and metric == 'mae'").iloc[0]
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((expected.low, expected.high), rel=1e-4)


def test_a_model_that_never_varies_is_not_tested_by_its_correlation(random):
    data, runs = regression(random)
    runs["constant"] = predicts(data, np.full(120, 3.7))
    table = compare_models(runs, data, reference="smurf", permutations=50)
    row = table.query("model == 'constant' and metric == 'r'").iloc[0]
    assert np.isnan([row["mean"], row["difference"], row["p_person"]]).all()
    assert row["mark"] == ""
    assert table.query("model == 'constant' and metric == 'rmse'")["p_person"].notna().all()


def test_equal_models_are_seldom_called_different(random):
    """Persons that differ in how well they are predicted: the test must not be fooled."""
    found = []
    for _ in range(150):
        who = np.repeat(np.arange(10), 6)
        y = random.normal(size=60)
        ease = np.exp(random.normal(size=10))[who]
        data = make_dataset(y, who)
        runs = {name: predicts(data, y + ease * random.normal(size=60)) for name in "ab"}
        table = compare_models(runs, data, reference="b", permutations=300)
        found.append(table.query("model == 'a' and metric == 'r'")["p_person"].iloc[0] < 0.05)
    # 150 draws of 0.05: at most 15 in 99.5% of repetitions.
    assert np.sum(found) <= 15


def test_what_cannot_be_compared_is_refused(random):
    data, runs = regression(random)
    with pytest.raises(InputError, match="No model 'smurf2'"):
        compare_models(runs, data, reference="smurf2")
    other = make_dataset(np.asarray(data.target), data.persons, folds=4)
    runs["other"] = predicts(other, np.asarray(data.target))
    with pytest.raises(InputError, match="same folds"):
        compare_models(runs, data, reference="smurf")
