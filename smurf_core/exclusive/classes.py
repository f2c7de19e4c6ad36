"""The same problem for classes: a penalised multinomial likelihood, by majorisation."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy  # whose parts load when used, after the first paint

from smurf_core.exclusive.problem import System

Array = npt.NDArray[np.float64]

_STEPS = 500


def solve_classes(
    system: System,
    ridge: float,
    inputs: Array,
    hits: Array,
    weights: Array,
    start: Array | None = None,
    close: float = 1e-7,
) -> tuple[Array, Array]:
    """Minimise 4 · mean log loss + penalties, for B weightings of the samples at once.

    The log loss's curvature is at most half of the squared error's (Böhning & Lindsay, 1988), so
    every step solves the regression's system for the working response z = logits + 2 (y − p),
    whose matrix never changes. Steps are accelerated (Nesterov, 1983) with restarts. Only the
    sums over a modality's heads enter the logits, so the iteration runs in their coordinates.

    Parameters
    ----------
    system
        Of the same weightings.
    ridge
        On each modality's total.
    inputs
        [n, R]: all modalities' components.
    hits
        [n, c]: 1 for a sample's class, else 0.
    weights
        [B, n], not negative.
    start
        Totals [B, R, c] to begin with; zero where not given.
    close
        Largest change of a step, relative to the largest weight, at which iteration ends.

    Returns
    -------
    weights, offsets
        [B, H, c] and [B, c], the logits at the weighted mean of the inputs; each sums to zero over
        classes.
    """
    b, width, c = len(weights), inputs.shape[1], hits.shape[1]
    inverse = np.linalg.inv(system.ridged(ridge)) @ system.spread  # [B, H, R]
    kernel = system.spread.T @ inverse  # [B, R, R]
    share = weights / weights.sum(axis=1, keepdims=True)
    means = share @ inputs  # [B, R]
    prior = np.clip(share @ hits, 1e-9, 1.0)
    offset = np.log(prior)
    offset -= offset.mean(axis=1, keepdims=True)
    total = np.zeros((b, width, c)) if start is None else start.copy()
    moment = np.zeros((b, width, c))
    ahead, ahead_offset = total, offset
    pace = np.ones(b)
    for _ in range(_STEPS):
        logits = _logits(inputs, ahead)
        centre = np.einsum("br,brc->bc", means, ahead)
        logits += (ahead_offset - centre)[:, None, :]
        residual = 2 * (hits[None] - scipy.special.softmax(logits, axis=-1))
        mean_residual = np.einsum("bn,bnc->bc", share, residual)
        # Working response less its weighted mean: what the regression's system is solved for.
        response = logits - ahead_offset[:, None, :] + residual - mean_residual[:, None, :]
        response *= share[:, :, None]
        moment = _transposed(inputs, response)
        new = kernel @ moment
        new_offset = ahead_offset + mean_residual
        step = new - total
        # Restart where the momentum points against the step (O'Donoghue & Candès, 2015).
        against = ((ahead - new) * step).sum(axis=(1, 2)) > 0
        pace = np.where(against, 1.0, pace)
        following = (1 + np.sqrt(1 + 4 * pace**2)) / 2
        momentum = np.where(against, 0.0, (pace - 1) / following)
        pace = following
        size = np.abs(step).max(axis=(1, 2)) + np.abs(new_offset - offset).max(axis=1)
        ahead = new + momentum[:, None, None] * step
        ahead_offset = new_offset + momentum[:, None] * (new_offset - offset)
        total, offset = new, new_offset
        if (size <= close * (1 + np.abs(total).max(axis=(1, 2)))).all():
            break
    return _over_classes(inverse @ moment), _over_classes(offset)


def _logits(inputs: Array, values: Array) -> Array:
    """[n, R] times [B, R, c] as one product: [B, n, c]."""
    b, width, c = values.shape
    flat = inputs @ values.transpose(1, 0, 2).reshape(width, b * c)
    return np.asarray(flat.reshape(len(inputs), b, c).transpose(1, 0, 2))


def _transposed(inputs: Array, values: Array) -> Array:
    """[n, R]ᵀ times [B, n, c] as one product: [B, R, c]."""
    b, n, c = values.shape
    flat = inputs.T @ values.transpose(1, 0, 2).reshape(n, b * c)
    return np.asarray(flat.reshape(inputs.shape[1], b, c).transpose(1, 0, 2))


def _over_classes(values: Array) -> Array:
    return np.asarray(values - values.mean(axis=-1, keepdims=True))
