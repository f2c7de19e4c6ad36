"""The ways to specify some of the samples: a mask, positions or ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

# A mask [n], positions [k], or sample ids.
SampleChoice = (
    npt.NDArray[np.bool_] | npt.NDArray[np.integer] | npt.NDArray[np.str_] | Sequence[str]
)


class Selectable(Protocol):
    """Anything that can be restricted to some of its samples, such as contributions."""

    def select(self, chosen: SampleChoice) -> Self:
        """The same of some samples."""
        ...


def chosen_positions(
    chosen: SampleChoice, sample_ids: npt.NDArray[np.str_]
) -> npt.NDArray[np.int64]:
    """Positions of some of the samples.

    Parameters
    ----------
    chosen : array of bool [n], array of int [k], or sample ids
        A mask, positions (in any order, repeated or not), or ids. Ids are a set: samples are
        returned in the order of `sample_ids`, and unknown ids are ignored, because a slice may
        contain samples that a run never tested.
    sample_ids : array of str [n]
        All samples.

    Returns
    -------
    array of int [k]
        Positions in `sample_ids`.

    Raises
    ------
    ValueError
        If the length of a mask differs from that of `sample_ids`.

    Examples
    --------
    >>> import numpy as np
    >>> ids = np.array(["a", "b", "c"])
    >>> chosen_positions(np.array([True, False, True]), ids).tolist()
    [0, 2]
    >>> chosen_positions(np.array([2, 0]), ids).tolist()
    [2, 0]
    >>> chosen_positions(["c", "b", "z"], ids).tolist()
    [1, 2]
    """
    array = np.asarray(chosen)
    if array.dtype == np.bool_:
        if array.shape != sample_ids.shape:
            raise ValueError(f"A mask of {array.shape} does not fit {len(sample_ids)} samples.")
        return np.flatnonzero(array)
    if np.issubdtype(array.dtype, np.integer):
        return array.astype(np.int64)
    return np.flatnonzero(pd.Index(sample_ids).isin(array))
