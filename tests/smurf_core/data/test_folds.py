from dataclasses import replace

import numpy as np
import pytest

from smurf_core.data.dataset import Folds
from smurf_core.data.folds import fold_problems, make_folds, with_made_folds
from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.errors import InputError


def unequal_persons(random: np.random.Generator, persons: int = 17) -> np.ndarray:
    return np.repeat([f"p{i}" for i in range(persons)], random.integers(3, 30, persons))


def test_every_sample_is_tested_and_validated_once():
    folds = make_folds(np.zeros(53, dtype=np.float32), "regression", count=4)
    np.testing.assert_array_equal(folds.test.sum(axis=0), 1)
    np.testing.assert_array_equal(folds.validation.sum(axis=0), 1)
    assert not (folds.training & (folds.test | folds.validation)).any()
    assert (folds.training | folds.test | folds.validation).all()


def test_fold_f_validates_on_what_the_next_fold_tests():
    folds = make_folds(np.zeros(53, dtype=np.float32), "regression", count=4)
    np.testing.assert_array_equal(folds.validation, np.roll(folds.test, -1, axis=0))


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_no_person_is_split(task):
    random = np.random.default_rng(0)
    groups = unequal_persons(random)
    folds = make_folds(random.integers(0, 3, len(groups)), task, persons=groups)
    for person in np.unique(groups):
        assert folds.test[:, groups == person].any(axis=1).sum() == 1


def test_regression_folds_of_persons_are_of_similar_size():
    groups = unequal_persons(np.random.default_rng(1))
    folds = make_folds(np.zeros(len(groups), dtype=np.float32), "regression", persons=groups)
    sizes = folds.test.sum(axis=1)
    assert sizes.max() - sizes.min() <= 29  # never more than the largest person


def test_classes_are_spread_evenly_over_folds_without_persons():
    target = np.repeat([0, 1, 2], [50, 25, 7])
    folds = make_folds(target, "classification")
    for code, least in ((0, 10), (1, 5), (2, 1)):
        counts = folds.test[:, target == code].sum(axis=1)
        assert counts.min() >= least
        assert counts.max() <= least + 1


def test_classes_are_spread_over_folds_of_persons():
    # Ten persons with one class each: every fold gets one person of either class.
    groups = np.repeat([f"p{i}" for i in range(10)], 6)
    target = np.repeat([0, 1] * 5, 6)
    folds = make_folds(target, "classification", persons=groups, seed=3)
    for code in (0, 1):
        np.testing.assert_array_equal(folds.test[:, target == code].sum(axis=1), 6)


def test_folds_depend_on_the_seed_alone():
    target = np.zeros(60, dtype=np.float32)
    first, again, other = (make_folds(target, "regression", seed=s).test for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_too_few_persons_or_folds_are_refused():
    target = np.zeros(10, dtype=np.float32)
    with pytest.raises(InputError, match="5 folds need at least 5 persons, got 2"):
        make_folds(target, "regression", persons=np.repeat(["a", "b"], 5))
    with pytest.raises(InputError, match="at least 3 folds"):
        make_folds(target, "regression", count=2)


def test_folds_are_made_only_where_there_are_none():
    data = synthetic_additive(samples=20)
    assert with_made_folds(data) is data
    bare = replace(data, folds=None)
    assert len(with_made_folds(bare, count=4).folds) == 4


def messages(dataset) -> str:
    return " ".join(str(problem) for problem in fold_problems(dataset))


def test_good_folds_have_no_problems():
    assert fold_problems(synthetic_additive(samples=40)) == []
    assert fold_problems(replace(synthetic_additive(samples=40), folds=None)) == []


def test_person_in_two_roles_is_named():
    persons = np.array(["anna", *(f"p{i}" for i in range(38)), "anna"])
    data = replace(synthetic_additive(samples=40), persons=persons)
    folds = Folds.from_test_folds(np.arange(40) % 5)  # the two rows of anna are in folds 1 and 5
    assert "Fold 1: 1 person (anna) in training and test." in messages(data.with_folds(folds))


def test_absent_class_is_named_with_fold_and_role():
    data = synthetic_additive(samples=40, task="classification")
    target = np.repeat([0, 1, 2], [16, 16, 8])
    test_fold = np.concatenate([np.arange(32) % 4, np.zeros(8, dtype=int)])
    data = replace(data, target=target, folds=Folds.from_test_folds(test_fold))
    found = messages(data)
    assert "Folds 2, 3, 4: no test sample is of class class_3." in found
    assert "no training sample is of class class_3." in found


def test_constant_target_in_a_role_is_reported():
    data = synthetic_additive(samples=20)
    target = data.target.copy()
    target[data.folds.test[2]] = 1.5
    assert "Fold 3: the target is the same for all test samples" in messages(
        replace(data, target=target)
    )


def test_samples_in_two_roles_are_a_warning_unless_synthetic():
    data = synthetic_additive(samples=20, folds="same")
    assert {problem.severity for problem in fold_problems(data)} == {"note"}
    assert {p.severity for p in fold_problems(replace(data, origin="recorded"))} == {"warning"}


def test_empty_role_is_an_error():
    data = synthetic_additive(samples=20)
    split = np.array(["train"] * 15 + ["test"] * 5)
    problems = fold_problems(data.with_folds(Folds.from_split(split)))
    assert [p.message for p in problems if p.severity == "error"] == [
        "Fold 1: there are no validation samples."
    ]


def test_untested_samples_are_counted():
    split = np.array(["train"] * 10 + ["validation"] * 5 + ["test"] * 5)
    data = synthetic_additive(samples=20).with_folds(Folds.from_split(split))
    assert "15 of 20 samples are in no fold's test set." in messages(data)
