"""Numbers in float32, except where it would round away what they differ by."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

# Rounding may change a value by this share of the values' standard deviation.
_ROUNDING = 1e-5


def compact(
    values: npt.ArrayLike, unit: float | None = None
) -> npt.NDArray[np.float32] | npt.NDArray[np.float64]:
    """The values as float32, or as float64 where float32 is too coarse for them.

    float32 has 24 bits: around 1e7 its neighbours are 1 apart. A target of such a size with a
    standard deviation of 1 would lose what is to be predicted.

    Parameters
    ----------
    values : array
        Of any shape; NaN says that a value is missing.
    unit
        What differences are measured in; the values' own standard deviation if not given.

    Returns
    -------
    array
        float32 if no value changes by more than 1e-5 units, otherwise float64.

    Examples
    --------
    >>> compact([0.1, 1.5]).dtype, compact([1e7, 1e7 + 1.5]).dtype
    (dtype('float32'), dtype('float64'))
    """
    exact: npt.NDArray[Any] = np.asarray(values, dtype=np.float64)
    with np.errstate(over="ignore"):
        small = exact.astype(np.float32)  # Too large values become infinite.
    known = np.isfinite(small)
    if not known.any():
        return small
    scale = unit or float(exact[known].std()) or 1.0
    is_fine = float(np.abs(small[known] - exact[known]).max()) <= _ROUNDING * scale
    return small if is_fine and known.sum() == np.isfinite(exact).sum() else exact
