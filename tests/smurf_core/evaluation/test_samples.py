"""One row per sample, and metrics of some samples, against what other libraries say."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn import metrics

from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.evaluation.samples import (
    colour_columns,
    sample_table,
    subset_performance,
    transcript_column,
)
from smurf_core.explained import explained
from tests.smurf_core.by_hand import square_contributions


def some_explained(dataset, seed=0):
    """Random contributions of all samples but the first five, in reversed order."""
    random = np.random.default_rng(seed)
    ids, c = dataset.sample_ids[5:][::-1], len(dataset.outputs)
    contributions = square_contributions(
        values=random.normal(size=(len(ids), 3, 3, c)).astype(np.float32),
        baseline=np.zeros((len(ids), c), dtype=np.float32),
        modalities=dataset.modalities,
        outputs=dataset.outputs,
        sample_ids=ids,
        folds=np.arange(len(ids)) % 5,
    )
    return explained(contributions, dataset)


def with_table(dataset):
    n = len(dataset)
    table = pd.DataFrame(
        {
            "transcript": [f"words {i}" for i in range(n)],
            "take": [f"t{i % 3}" for i in range(n)],
            "seconds": np.linspace(1, 9, n),
            "constant": 1,
            "target": 0,
        },
        index=dataset.sample_ids,
    )
    return replace(dataset, samples=table, persons=np.array([f"p{i % 7}" for i in range(n)]))


def test_every_row_is_the_sample_that_its_id_says():
    dataset = with_table(synthetic_additive(samples=60))
    found = sample_table(some_explained(dataset))
    for row in found.iloc[[0, 20, 54]].to_dict("records"):
        at = list(dataset.sample_ids).index(row["sample_id"])
        assert row["target"] == dataset.target[at]
        assert row["person"] == f"p{at % 7}"
        assert row["transcript"] == f"words {at}"
        assert row["error"] == pytest.approx(row["prediction"] - row["target"])
    assert transcript_column(dataset) == "transcript"
    assert transcript_column(replace(dataset, samples=pd.DataFrame())) is None


def test_columns_that_distinguish_samples_can_colour_them():
    dataset = with_table(synthetic_additive(samples=60))
    found = colour_columns(sample_table(some_explained(dataset)))
    assert {"fold", "person", "take", "seconds", "size of error", "target"} <= set(found)
    assert not {"sample_id", "transcript", "constant"} & set(found)


def test_classes_say_which_were_right_and_how_probable_the_truth_was():
    dataset = synthetic_additive(samples=60, task="classification")
    classes = some_explained(dataset)
    found = sample_table(classes)
    logits = classes.contributions.prediction()
    truth = dataset.target[5:][::-1]
    right = found["correct"] == "right"
    assert right.mean() == pytest.approx(metrics.accuracy_score(truth, logits.argmax(axis=1)))
    expected = metrics.log_loss(truth, np.exp(logits) / np.exp(logits).sum(1, keepdims=True))
    assert -np.log(found["probability"]).mean() == pytest.approx(expected, rel=1e-5)


def test_metrics_of_a_subset_are_those_of_its_samples_alone():
    dataset = with_table(synthetic_additive(samples=60))
    samples = some_explained(dataset)
    some = np.zeros(55, dtype=bool)
    some[::3] = True
    masks = {"all": np.ones(55, dtype=bool), "some": some, "two": samples.sample_ids[:2]}
    found = subset_performance(samples, masks).set_index(["subset", "metric"])
    truth = dataset.target[5:][::-1][some]
    prediction = samples.contributions.prediction()[some, 0]
    assert found.loc[("some", "r"), "value"] == pytest.approx(
        stats.pearsonr(truth, prediction).statistic
    )
    assert found.loc[("some", "mae"), "value"] == pytest.approx(
        metrics.mean_absolute_error(truth, prediction)
    )
    assert found.loc[("some", "r"), "n"] == 19
    assert found.loc[("all", "r"), "persons"] == 7
    assert np.isnan(found.loc[("two", "mae"), "value"])
