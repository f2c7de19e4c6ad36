"""Alignment, against looking every sample up by its id."""

import doctest
from dataclasses import replace

import numpy as np
import pytest

import smurf_core.explained
import smurf_core.sample_choice
from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.errors import InputError
from smurf_core.evaluation.missing import dropout_curve, subset_predictions
from smurf_core.explained import explained
from smurf_core.sample_choice import chosen_positions
from tests.smurf_core.by_hand import square_contributions
from tests.smurf_core.trained import small_run


def shuffled(dataset, seed=0):
    """Random contributions to two thirds of the samples, in another order than the data set's."""
    random = np.random.default_rng(seed)
    ids = random.permutation(dataset.sample_ids)[: 2 * len(dataset) // 3]
    m, c = len(dataset.modalities), len(dataset.outputs)
    return square_contributions(
        values=random.normal(size=(len(ids), m, m, c)).astype(np.float32),
        baseline=np.zeros((len(ids), c), np.float32),
        modalities=dataset.modalities,
        outputs=dataset.outputs,
        sample_ids=ids,
        folds=np.arange(len(ids)) % 3,
    )


def persons_of(dataset):
    return replace(dataset, persons=np.array([f"p{i % 7}" for i in range(len(dataset))]))


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_target_and_persons_are_those_of_each_samples_id(task):
    dataset = persons_of(synthetic_additive(samples=60, task=task))
    found = explained(shuffled(dataset), dataset)
    target = dict(zip(dataset.sample_ids, dataset.target, strict=True))
    person = dict(zip(dataset.sample_ids, dataset.persons, strict=True))
    assert len(found) == 40
    assert [target[i] for i in found.sample_ids] == found.target.tolist()
    assert [person[i] for i in found.sample_ids] == found.persons.tolist()
    assert found.aligned(dataset.sample_ids).tolist() == found.sample_ids.tolist()


def test_a_run_gives_its_out_of_fold_contributions():
    result, dataset = small_run("smurf")
    found = explained(result, dataset)
    expected = result.contributions()
    np.testing.assert_array_equal(found.contributions.values, expected.values)
    assert found.persons is not None


def test_without_persons_there_are_none():
    dataset = synthetic_additive(samples=30)
    found = explained(shuffled(dataset), dataset)
    assert found.persons is None
    assert found.select([0, 1]).persons is None


@pytest.mark.parametrize("how", ["mask", "positions", "ids"])
def test_everything_is_selected_together(how):
    dataset = persons_of(synthetic_additive(samples=60))
    whole = explained(shuffled(dataset), dataset)
    at = np.array([3, 8, 20])
    chosen = {"mask": np.isin(np.arange(40), at), "positions": at, "ids": whole.sample_ids[at]}
    part = whole.select(chosen[how])
    assert part.sample_ids.tolist() == whole.sample_ids[at].tolist()
    assert part.target.tolist() == whole.target[at].tolist()
    assert part.persons.tolist() == whole.persons[at].tolist()
    np.testing.assert_array_equal(part.contributions.values, whole.contributions.values[at])
    ids = part.aligned(dataset.sample_ids)
    assert ids.tolist() == part.sample_ids.tolist()


def test_a_slice_may_hold_samples_that_were_not_explained():
    dataset = synthetic_additive(samples=60)
    whole = explained(shuffled(dataset), dataset)
    part = whole.select(dataset.sample_ids[:30])
    wanted = set(dataset.sample_ids[:30])
    assert part.sample_ids.tolist() == [i for i in whole.sample_ids if i in wanted]


@pytest.mark.parametrize("model", ["smurf", "mro_smurf"])
def test_one_verb_selects_from_results_contributions_and_predictions(model):
    result, dataset = small_run(model)
    ids = dataset.sample_ids[5:40:3]
    kept = result.contributions().select(ids)
    assert kept.sample_ids.tolist() == ids.tolist()
    predictions = subset_predictions(result).select(ids)
    np.testing.assert_array_equal(predictions.full, kept.prediction())
    tested = result.select(ids).contributions()
    assert tested.sample_ids.tolist() == ids.tolist()


def test_samples_of_another_data_set_are_refused_and_not_taken_for_the_last():
    """Position −1 used to be taken as a sample: the last one's target and person."""
    dataset = synthetic_additive(samples=60)
    contributions = replace(shuffled(dataset), sample_ids=np.array([f"x{i}" for i in range(40)]))
    with pytest.raises(InputError, match=r"40 explained samples are not in .*'x0' for one"):
        explained(contributions, dataset)


def test_what_sessions_share_cannot_be_changed():
    dataset = persons_of(synthetic_additive(samples=60))
    found = explained(shuffled(dataset), dataset)
    for array in (found.target, found.persons, found.select([1, 2]).target):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[1]


def test_arrays_and_masks_of_other_lengths_are_refused():
    dataset = synthetic_additive(samples=60)
    found = explained(shuffled(dataset), dataset)
    with pytest.raises(ValueError, match="each of the data set's 60 samples, got 40"):
        found.aligned(np.zeros(40))
    with pytest.raises(ValueError, match=r"does not fit 40 samples"):
        found.select(np.ones(60, dtype=bool))


def test_nothing_chosen_is_nothing_selected():
    ids = np.array(["a", "b"])
    assert len(chosen_positions([], ids)) == 0
    assert len(chosen_positions(np.zeros(2, dtype=bool), ids)) == 0


def test_predictions_of_other_samples_than_the_truth_are_refused():
    result, dataset = small_run("smurf")
    half = explained(result, dataset).select(np.arange(45))
    with pytest.raises(ValueError, match="select the same samples of both"):
        dropout_curve(subset_predictions(result), half, metric="r", draws=2)


@pytest.mark.parametrize("module", [smurf_core.explained, smurf_core.sample_choice])
def test_examples_give_what_they_show(module):
    outcome = doctest.testmod(module)
    assert outcome.attempted > 0
    assert outcome.failed == 0
