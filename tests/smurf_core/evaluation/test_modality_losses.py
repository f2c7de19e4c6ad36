"""Losses against a plain transcription, and on modalities that say nothing of their own."""

import numpy as np
import pytest

from smurf_core.evaluation.missing import subset_predictions
from smurf_core.evaluation.modality_losses import modality_losses
from smurf_core.explained import explained
from tests.smurf_core.trained import small_run


@pytest.fixture(scope="module", params=["regression", "classification"])
def predicted(request):
    """Predictions from subsets, and what they are compared with."""
    result, data = small_run("smurf", request.param)
    return subset_predictions(result), explained(result, data)


def _score(shown, prediction, keep):
    truth, folds = shown.target[keep], shown.contributions.folds[keep]
    if shown.contributions.is_classification:
        hit = prediction[keep].argmax(axis=1) == truth
        return np.mean([hit[truth == c].mean() for c in np.unique(truth)])
    x, y = prediction[keep, 0].astype(float), truth.astype(float)
    for fold in np.unique(folds):
        x[folds == fold] -= prediction[shown.contributions.folds == fold, 0].mean()
        y[folds == fold] -= shown.target[shown.contributions.folds == fold].mean()
    return np.corrcoef(x, y)[0, 1]


def test_scores_and_intervals_are_those_of_a_plain_transcription(predicted):
    predictions, shown = predicted
    found = modality_losses(predictions, shown)
    everyone = np.ones(len(shown), dtype=bool)
    assert found["change"].is_monotonic_increasing
    for row in found.to_dict("records"):
        rest = tuple(name for name in "ABC" if name != row["modality"])
        without = predictions.of(rest)
        assert row["full"] == pytest.approx(_score(shown, predictions.full, everyone))
        assert row["without"] == pytest.approx(_score(shown, without, everyone))
        if shown.contributions.is_classification:
            assert row["ci_low"] < row["change"] < row["ci_high"]
            continue
        persons = np.unique(shown.persons)
        left_out = []
        for person in persons:
            keep = shown.persons != person
            left_out.append(_score(shown, without, keep) - _score(shown, predictions.full, keep))
        error = np.sqrt((len(persons) - 1) * np.var(left_out))
        assert row["ci_high"] - row["ci_low"] == pytest.approx(2 * 2.306004 * error, rel=1e-4)


def test_other_samples_are_refused(predicted):
    predictions, shown = predicted
    with pytest.raises(ValueError, match="select the same samples"):
        modality_losses(predictions, shown.select(np.arange(10)))
