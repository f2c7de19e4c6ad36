"""Pools sequences [n, steps, d] to one vector per sample: mean and standard deviation over time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# Feature extractors write these values if they find no voice or no face.
SENTINELS = (-255.0, 255.0)


@dataclass(frozen=True)
class Pooled:
    """Mean and standard deviation of each feature over the valid steps of each sample."""

    mean: npt.NDArray[np.float32]  # [n, d], NaN if nothing was recorded
    sd: npt.NDArray[np.float32]  # [n, d], of the population: 0 for a single step
    padded: int  # steps that contained only zeros
    sentinels: int  # cells that contained ±255


def pool(
    sequences: npt.NDArray[np.floating],
    *,
    lengths: npt.NDArray[np.int64] | None = None,
    block: int = 256,
) -> Pooled:
    """Pool over time. Steps with only zeros are padding; ±255 and non-finite values are missing.

    With `lengths` [n], the valid steps of a sample are known, and zeros in them are values. The
    valid steps are the first ones, or the last ones if padding precedes them.
    """
    n, steps, d = sequences.shape
    mean = np.full((n, d), np.nan, dtype=np.float32)
    sd = np.full((n, d), np.nan, dtype=np.float32)
    padded = sentinels = 0
    for start in range(0, n, block):
        values = sequences[start : start + block].astype(np.float64)
        padding = (values == 0).all(axis=2)
        if lengths is not None:
            padding = _outside(padding, lengths[start : start + block], steps)
        is_sentinel = np.isin(values, SENTINELS)
        counted = np.isfinite(values) & ~is_sentinel & ~padding[:, :, None]
        count = counted.sum(axis=1)
        some = count > 0
        with np.errstate(over="ignore"):
            total = np.where(counted, values, 0).sum(axis=1)
        middle = np.divide(total, count, out=np.full(count.shape, np.nan), where=some)
        # An infinite spread is reported by the cleaning.
        with np.errstate(over="ignore", invalid="ignore"):
            spread = np.where(counted, values - middle[:, None], 0)
            squares = (spread**2).sum(axis=1)
        variance = np.divide(squares, count, out=middle.copy(), where=some)
        with np.errstate(over="ignore"):
            mean[start : start + block] = middle
            sd[start : start + block] = np.sqrt(variance)
        padded += int(padding.sum())
        sentinels += int(is_sentinel.sum())
    return Pooled(mean, sd, padded, sentinels)


def _outside(
    is_zero: npt.NDArray[np.bool_], lengths: npt.NDArray[np.int64], steps: int
) -> npt.NDArray[np.bool_]:
    """True for steps that are padding, [n, steps]."""
    position = np.arange(steps)
    after = np.asarray(position >= lengths[:, None])
    before = np.asarray(position < steps - lengths[:, None])
    # Padding is zero. If only the steps before the valid ones can be zero, padding precedes them.
    is_in_front: npt.NDArray[np.bool_] = np.asarray(
        (after & ~is_zero).any(axis=1) & ~(before & ~is_zero).any(axis=1)
    )
    return np.where(is_in_front[:, None], before, after)
