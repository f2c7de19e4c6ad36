"""The numbers of folds that users see in tables, figures, files and messages."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Fold = TypeVar("Fold", int, npt.NDArray[np.int64])


def fold_label(fold: Fold) -> Fold:
    """The number under which users see a fold (or several folds): the first fold is fold 1.

    Inside the library, folds are positions, which count from 0.

    Examples
    --------
    >>> fold_label(0)
    1
    """
    return fold + 1
