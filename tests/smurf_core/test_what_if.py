"""Changing one modality moves what it says, and nothing else."""

import numpy as np
import pytest

from smurf_core.errors import InputError
from smurf_core.what_if import (
    changed_contributions,
    feature_effects,
    feature_ranges,
    suggested_change,
)
from tests.smurf_core.by_hand import square
from tests.smurf_core.trained import small_run

CASES = [
    ("smurf", "regression", "training_fold", False),
    ("smurf", "classification", "training_fold", True),
    ("late_fusion", "regression", "none", True),
    ("smurf", "regression", "within_person", True),
    ("mro_smurf", "regression", "training_fold", False),
    ("mro_smurf_subsets", "classification", "training_fold", True),
]


@pytest.mark.parametrize(("model", "task", "how", "absent"), CASES)
def test_recorded_features_give_back_the_stored_contributions(model, task, how, absent):
    result, dataset = small_run(model, task, how, absent)
    stored = result.contributions()
    for sample in ("s05", "s42", "s81"):
        at = list(dataset.sample_ids).index(sample)
        same = {m: f.values[[at]] for m, f in dataset.features.items() if f.present[at]}
        found = changed_contributions(result, dataset, sample, same)
        row = stored.select(stored.sample_ids == sample)
        np.testing.assert_allclose(found.values, row.values, atol=2e-5)
        np.testing.assert_allclose(found.prediction(), row.prediction(), atol=5e-5)


@pytest.mark.parametrize(("model", "task", "how", "absent"), CASES)
def test_only_the_changed_modalitys_contributions_move(model, task, how, absent):
    result, dataset = small_run(model, task, how, absent)
    row = result.contributions().select(np.flatnonzero(dataset.sample_ids == "s41"))
    moved = dataset.features["A"].values[[41]] + 3
    found = changed_contributions(result, dataset, "s41", {"A": moved})
    reads_it = row.where(lambda term: "A" in term.source)
    np.testing.assert_array_equal(found.values[:, ~reads_it], row.values[:, ~reads_it])
    assert (found.unique("A") != row.unique("A")).all()
    for source in {term.source for term in row.terms if "A" in term.source}:
        its = row.where(lambda term, source=source: term.source == source)
        assert (found.values[:, its] != row.values[:, its]).any()


def test_a_swapped_modality_says_what_it_says_for_the_other_sample_in_the_same_model():
    result, dataset = small_run("smurf")
    fold = int(result.folds.tested_by()[10])
    donor = dataset.features["C"].values[[33]]
    found = changed_contributions(result, dataset, "s10", {"C": donor})
    by_fold = result.fold_contributions(fold)
    np.testing.assert_allclose(square(found)[0, 2], square(by_fold)[33, 2], atol=2e-5)
    np.testing.assert_array_equal(square(found)[0, :2], square(by_fold)[10, :2])


def test_a_swap_within_person_keeps_the_norm_of_the_person_it_comes_from():
    result, dataset = small_run("smurf", "regression", "within_person", True)
    fold = int(result.folds.tested_by()[10])
    donor = dataset.features["C"].values[[33]]
    found = changed_contributions(
        result, dataset, "s10", {"C": donor}, persons={"C": str(dataset.persons[33])}
    )
    expected = square(result.fold_contributions(fold))[33, 2]
    np.testing.assert_allclose(square(found)[0, 2], expected, atol=2e-5)


def test_an_absent_modality_can_be_swapped_in_but_not_moved():
    result, dataset = small_run("smurf", absent=True)
    fold = int(result.folds.tested_by()[8])
    assert not dataset.features["B"].present[8]
    found = changed_contributions(result, dataset, "s08", {"B": dataset.features["B"].values[[9]]})
    by_fold = result.fold_contributions(fold)
    np.testing.assert_allclose(square(found)[0, 1], square(by_fold)[9, 1], atol=2e-5)
    with pytest.raises(InputError, match="not recorded"):
        feature_effects(result, dataset, "s08", "B")
    with pytest.raises(InputError, match="gaps"):
        changed_contributions(result, dataset, "s09", {"B": dataset.features["B"].values[[8]]})


def test_a_features_effect_is_what_moving_it_alone_does():
    result, dataset = small_run("smurf")
    table = feature_effects(result, dataset, "s20", "A")
    assert table["effect"].abs().is_monotonic_decreasing
    first = table.iloc[0]
    at = dataset.features["A"].names.index(first["feature"])
    values = dataset.features["A"].values
    ends = np.percentile(values[:, at], [5, 95])
    rows = np.repeat(values[[20]], 2, axis=0)
    rows[:, at] = ends
    low, high = changed_contributions(result, dataset, "s20", {"A": rows}).prediction()[:, 0]
    assert first["effect"] == pytest.approx(high - low, abs=1e-5)
    ranges = feature_ranges(dataset, "A").set_index("feature").loc[first["feature"]]
    assert (ranges["low"], ranges["high"]) == (values[:, at].min(), values[:, at].max())


@pytest.mark.parametrize(("model", "task", "how", "absent"), CASES[:2])
def test_the_suggested_change_moves_a_prediction_as_far_as_it_says(model, task, how, absent):
    result, dataset = small_run(model, task, how, absent)
    sample, output = "s44", 0
    best = suggested_change(result, dataset, sample, output=output)
    at = list(dataset.sample_ids).index(sample)
    own = result.contributions().select(np.array([at])).prediction()[0, output]
    for modality in result.modalities:
        found = suggested_change(result, dataset, sample, output=output, modality=modality)
        if not dataset.features[modality].present[at]:
            assert found is None
            continue
        features = dataset.features[modality]
        row = features.values[[at]].copy()
        for name, value in zip(found.features, found.values, strict=True):
            row[0, features.names.index(name)] = value
        moved = changed_contributions(result, dataset, sample, {modality: row}).prediction()
        assert moved[0, output] - own == pytest.approx(found.moved, abs=1e-5)
        assert abs(found.moved) <= abs(best.moved)
        assert len(found.features) <= 3
