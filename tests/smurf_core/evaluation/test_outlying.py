"""How far samples lie from the training data of their fold."""

from dataclasses import replace

import numpy as np
import pytest

from smurf_core.data.dataset import Features
from smurf_core.evaluation.outlying import FAR, outlying_samples
from smurf_core.explained import explained
from smurf_core.training.run import train_run
from smurf_core.what_if import changed_distances
from tests.smurf_core.trained import small_run


def with_far_sample(dataset, at: int):
    """The third feature of B is far below everything else in one sample."""
    values = dataset.features["B"].values.copy()
    values[at, 2] = -300
    features = {**dataset.features, "B": Features(values, dataset.features["B"].names)}
    return replace(dataset, features=features)


@pytest.mark.parametrize(
    ("standardisation", "clip"),
    [("training_fold", None), ("training_fold", 4.0), ("none", None), ("within_person", 2.0)],
)
def test_distances_are_those_of_the_folds_own_training_samples(standardisation, clip):
    before, dataset = small_run("smurf")
    dataset = with_far_sample(dataset, 7)
    config = replace(before.config, standardisation=standardisation, clip=clip, max_epochs=2)
    result = train_run(dataset, config, jobs=1)
    found = explained(result, dataset)
    table = outlying_samples(result, found)
    assert table["sample_id"].tolist() == found.sample_ids.tolist()
    for row in (7, 30):
        fold = int(found.contributions.folds[row])
        assert table["fold"][row] == fold + 1
        largest, outside = {}, 0
        for name, features in dataset.features.items():
            values = features.values.astype(np.float64)
            training = result.folds.training[fold]
            if standardisation == "within_person":
                for person in np.unique(dataset.persons):
                    mine = dataset.persons == person
                    values[mine] -= values[mine].mean(axis=0)
                    values[mine] /= values[mine].std(axis=0)
                z = values
            else:
                z = (values - values[training].mean(axis=0)) / values[training].std(axis=0)
            d = np.abs(z[row]).argmax()
            largest[name, features.names[d]] = z[row, d]
            low, high = z[training].min(axis=0), z[training].max(axis=0)
            outside += int(((z[row] < low) | (z[row] > high)).sum())
        at = max(largest, key=lambda key: abs(largest[key]))
        assert (table["modality"][row], table["feature"][row]) == at
        np.testing.assert_allclose(table["distance"][row], largest[at], rtol=1e-4)
        assert table["outside"][row] == outside
        assert table["bound"][row] == (clip or FAR)
        assert table["is_far"][row] == (abs(largest[at]) > (clip or FAR))
    assert table["is_far"][7]
    assert table["mark"][7] == f"B: {abs(table['distance'][7]):.0f} sd"
    assert (table["mark"] != "").equals(table["is_far"])


def test_a_sample_without_a_modality_is_as_far_as_the_others():
    result, dataset = small_run("smurf", absent=True)
    table = outlying_samples(result, explained(result, dataset))
    is_absent = ~dataset.features["B"].present
    assert (table["modality"][is_absent] != "B").all()
    assert (table["distance"] != 0).all()


@pytest.mark.parametrize("standardisation", ["training_fold", "within_person"])
def test_a_changed_sample_is_measured_as_a_recorded_one(standardisation):
    result, dataset = small_run("smurf", "regression", standardisation)
    table = outlying_samples(result, explained(result, dataset))
    recorded = dataset.features["B"].values[[7]]
    far = recorded.copy()
    far[0, 2] = -300
    found = changed_distances(
        result, dataset, dataset.sample_ids[7], {"B": np.vstack([recorded, far])}
    )
    np.testing.assert_allclose(found["distance"][0], table["distance"][7], rtol=1e-5)
    assert (found["modality"][1], found["feature"][1]) == ("B", dataset.features["B"].names[2])
    assert found["is_far"].tolist() == [False, True]
