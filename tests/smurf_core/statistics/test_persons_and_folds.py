import numpy as np
import pandas as pd
import pytest

from smurf_core.statistics.folds import centred_within
from smurf_core.statistics.persons import column_sums, person_codes, person_sums


def test_persons_are_numbered_in_sorted_order(random):
    persons = random.choice(["p3", "p1", "p2"], size=20)
    expected = pd.Series(persons).astype("category").cat.codes
    assert person_codes(persons, 20).tolist() == expected.tolist()


def test_without_persons_every_sample_is_its_own():
    assert person_codes(None, 4).tolist() == [0, 1, 2, 3]


def test_no_samples_have_no_sums():
    assert person_sums(np.zeros((0, 2)), person_codes(None, 0)).shape == (0, 2)


def test_a_person_for_every_sample_is_needed():
    with pytest.raises(ValueError, match="each of 3 samples, got 2"):
        person_codes(np.array(["a", "b"]), 3)


def test_values_are_centred_fold_by_fold(random):
    values, folds = random.normal(size=(20, 3)).astype(np.float32), random.integers(0, 4, size=20)
    table = pd.DataFrame(values.astype(float))
    expected = table - table.groupby(folds).transform("mean")
    before = values.copy()
    np.testing.assert_allclose(centred_within(values, folds), expected, atol=1e-12)
    np.testing.assert_array_equal(values, before)


def test_sums_of_columns_are_those_of_the_persons_samples(random):
    x, who = random.normal(size=(20, 2)), random.integers(0, 4, size=20)
    expected = [x[who == person].sum(axis=0) for person in range(4)]
    np.testing.assert_allclose(person_sums(x, who), expected)
    np.testing.assert_array_equal(column_sums(x.T, who), person_sums(x, who))
