"""The person of each sample, as a number."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy  # whose parts load when used, after the first paint

Codes = npt.NDArray[np.int64]
Persons = npt.NDArray[np.generic]
Array = npt.NDArray[np.float64]


def person_codes(persons: Persons | None, n: int) -> Codes:
    """The number of each sample's person, counted from 0 in sorted order.

    Parameters
    ----------
    persons : array [n] or None
        The person of each sample: any values that can be sorted. None if no persons are known:
        every sample then counts as a different person.
    n : int
        Number of samples.

    Returns
    -------
    array of int [n]
        Codes from 0 to the number of persons minus one.

    Raises
    ------
    ValueError
        If `persons` does not have one entry per sample.

    Examples
    --------
    >>> import numpy as np
    >>> person_codes(np.array(["bo", "al", "bo"]), 3).tolist()
    [1, 0, 1]
    >>> person_codes(None, 3).tolist()
    [0, 1, 2]
    """
    if persons is None:
        return np.arange(n)
    if len(persons) != n:
        raise ValueError(f"Needed the person of each of {n} samples, got {len(persons)} persons.")
    # As np.unique numbers them. A person's samples are mostly neighbours: one per run is enough.
    starts = np.flatnonzero(np.concatenate([np.ones(min(n, 1), bool), persons[1:] != persons[:-1]]))
    codes = pd.factorize(persons[starts], sort=True, use_na_sentinel=False)[0].astype(np.int64)
    return np.repeat(codes, np.diff(starts, append=n))


def person_sums(values: Array, codes: Codes) -> Array:
    """Sums over the samples of each person.

    Parameters
    ----------
    values : array [n, ...]
        Any number of values of each sample.
    codes : array of int [n]
        `person_codes`.

    Returns
    -------
    array [persons, ...]
        Added in the order of the samples, as `np.add.at` does, in a quarter of its time.

    Examples
    --------
    >>> import numpy as np
    >>> person_sums(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.array([1, 0, 1])).tolist()
    [[3.0, 4.0], [6.0, 8.0]]
    """
    n, count = len(codes), int(codes.max(initial=-1)) + 1
    belongs = scipy.sparse.csc_array((np.ones(n), codes, np.arange(n + 1)), shape=(count, n))
    sums = belongs @ np.asarray(values, dtype=np.float64).reshape(n, math.prod(values.shape[1:]))
    return np.asarray(sums).reshape(count, *values.shape[1:])


def column_sums(columns: Iterable[Array], codes: Codes) -> Array:
    """`person_sums` of a few columns, one after another: faster where there is no array of them.

    Parameters
    ----------
    columns : iterable of arrays [n]
        One value of each sample.
    codes : array of int [n]
        `person_codes`.

    Returns
    -------
    array [persons, columns]
        The same numbers.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([1.0, 3.0, 5.0])
    >>> column_sums((x, x**2), np.array([1, 0, 1])).tolist()
    [[3.0, 9.0], [6.0, 26.0]]
    """
    return np.stack([np.bincount(codes, weights=column) for column in columns], axis=1)
