"""How folds are numbered wherever a user reads them: tables, figures, files and messages."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Fold = TypeVar("Fold", int, npt.NDArray[np.int64])


def fold_label(fold: Fold) -> Fold:
    """The number of a fold, or of several, that a user reads: the first fold is fold 1.

    In the library folds are positions, which count from 0.

    Examples
    --------
    >>> fold_label(0)
    1
    """
    return fold + 1
