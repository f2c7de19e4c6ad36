"""Folds that a column of the study names."""

import numpy as np
import pandas as pd
import pytest

from smurf_core.data.importing.protocols import read_folds

PLACES = [("study.csv", row) for row in range(1, 13)]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([1, 2, 3], ""),
        ([0, 1, 2], "folds are called 0, 1, 2. They are numbered from 1 in this order."),
        (["b", "a", "c"], "folds are called a, b, c. They are numbered from 1 in this order."),
    ],
)
def test_a_user_is_informed_if_folds_are_not_called_as_they_are_shown(names, message):
    cells = pd.Series(names * 4)
    read = read_folds(cells, is_split=False, persons=None, where=PLACES, column="fold")
    assert [f"{p.message} {p.remedy}" for p in read.problems] == ([message] if message else [])
    expected = sorted(set(names)).index(names[0])
    np.testing.assert_array_equal(read.folds.test[expected], np.arange(12) % 3 == 0)
