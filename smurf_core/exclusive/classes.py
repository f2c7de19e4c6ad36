"""The same problem for classes: a penalised multinomial likelihood, by quasi-Newton steps."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from smurf_core.exclusive.problem import System

Array = npt.NDArray[np.float64]

_STEPS = 500
_MEMORY = 6


def solve_classes(
    system: System,
    ridge: Array,
    inputs: Array,
    hits: Array,
    weights: Array,
    start: Array | None = None,
    close: float = 1e-7,
) -> tuple[Array, Array]:
    """Minimise 4 · mean log loss + penalties, for B weightings of the samples or B ridges at once.

    Only the sums over a modality's heads enter the logits, so the iteration runs in these totals.
    The log loss's curvature is at most half of the squared error's (Böhning & Lindsay, 1988): a
    step of the regression's kernel along the gradient always lowers the objective. L-BFGS (Liu &
    Nocedal, 1989) begins with this kernel, or, near a start, with the curvature there. Where one
    of its steps does not lower the objective, it is not taken, what was remembered is forgotten,
    and the next step is half as long.

    Parameters
    ----------
    system
        Of the same weightings, or of one.
    ridge
        On each modality's total, [B].
    inputs
        [n, R]: all modalities' components.
    hits
        [n, c]: 1 for a sample's class, else 0.
    weights
        [B, n] or [1, n], not negative.
    start
        Totals [R, c] to begin with; zero where not given.
    close
        Largest change of a step, relative to the largest weight, at which iteration ends.

    Returns
    -------
    weights, offsets
        [B, H, c] and [B, c], the logits at the weighted mean of the inputs; each sums to zero over
        classes.
    """
    share = weights / weights.sum(axis=1, keepdims=True)
    eye = np.eye(inputs.shape[1])
    objective = _Objective(
        inputs=np.concatenate([inputs, np.ones((len(inputs), 1))], axis=1),
        hits=np.ascontiguousarray(hits.T),
        share=share,
        means=share @ inputs,
        cost=np.linalg.inv(system.flexibility) + ridge[:, None, None] * eye,
    )
    prior = np.log(np.clip(share @ hits, 1e-9, 1.0))
    b, c = len(ridge), hits.shape[1]
    at = np.zeros((b, c, inputs.shape[1] + 1))
    at[..., -1] = prior - prior.mean(axis=1, keepdims=True)
    if start is not None:
        at[..., :-1] = start.T
    bounded = _Bounded(system.kernel(ridge)) if start is None else _Curved(objective.curvature(at))
    memory = _Memory(bounded, b)
    value, slope = objective.at(at)
    found, going = np.empty_like(at), np.arange(b)
    for _ in range(_STEPS):
        step = memory.step(slope)
        size = np.abs(step[..., :-1]).max(axis=(1, 2)) + np.abs(step[..., -1]).max(axis=1)
        new_value, new_slope = objective.at(at - step)
        # What rounding may take from a step that is next to nothing.
        enough = 1e-4 * (step * slope).sum(axis=(1, 2)) - 1e-13 * np.abs(value)
        is_lower = value - new_value >= enough
        taken = is_lower[:, None, None]
        memory.remember(np.where(taken, -step, 0), np.where(taken, new_slope - slope, 0), is_lower)
        at, slope = np.where(taken, at - step, at), np.where(taken, new_slope, slope)
        value = np.where(is_lower, new_value, value)
        goes_on = size > close * (1 + np.abs(at[..., :-1]).max(axis=(1, 2)))
        if not goes_on.any():
            break
        if 2 * goes_on.sum() <= len(going):  # Those that have ended cost no time any more.
            found[going] = at
            going, at, value, slope = going[goes_on], at[goes_on], value[goes_on], slope[goes_on]
            objective, memory = objective.only(goes_on), memory.only(goes_on)
    found[going] = at
    totals = found[..., :-1].swapaxes(1, 2)
    return _over_classes(system.of_totals(totals)), _over_classes(found[..., -1])


@dataclass(frozen=True)
class _Objective:
    """Half of the objective of totals and offsets [B, c, R + 1]."""

    inputs: Array  # [n, R + 1], the last column is 1
    hits: Array  # [c, n]
    share: Array  # [B, n] or [1, n]: of all weights
    means: Array  # [B, R] or [1, R]
    cost: Array  # [B, R, R] of the totals

    def only(self, some: npt.NDArray[np.bool_]) -> _Objective:
        """Of some of the B."""
        share, means = self.share, self.means
        if len(share) > 1:
            share, means = share[some], means[some]
        return replace(self, share=share, means=means, cost=self.cost[some])

    def at(self, values: Array) -> tuple[Array, Array]:
        """The value [B], and its gradient."""
        b, c, width = values.shape
        moved = values.copy()
        moved[..., -1] -= (values[..., :-1] @ self.means[:, :, None])[..., 0]
        logits = (moved.reshape(b * c, width) @ self.inputs.T).reshape(b, c, -1)
        logits -= logits.max(axis=1, keepdims=True)
        said = (logits * self.hits).sum(axis=1)
        likely = np.exp(logits, out=logits)
        total = likely.sum(axis=1)
        loss = 2 * (self.share * (np.log(total) - said)).sum(axis=1)
        likely /= total[:, None]
        likely -= self.hits
        likely *= 2 * self.share[:, None]
        slope = (likely.reshape(b * c, -1) @ self.inputs).reshape(b, c, width)
        slope[..., :-1] -= slope[..., -1:] * self.means[:, None]
        paid = values[..., :-1] @ self.cost
        slope[..., :-1] += paid
        return loss + 0.5 * (paid * values[..., :-1]).sum(axis=(1, 2)), slope

    def curvature(self, values: Array) -> Array:
        """The second derivative [c (R + 1), c (R + 1)] at the first values, by mean weights.

        What it does not know (what all classes have in common, classes that nobody has) is bounded.
        """
        c, width = values.shape[1:]
        share, centre = self.share.mean(axis=0), self.inputs.copy()
        centre[:, :-1] -= self.means.mean(axis=0)
        logits = values[0] @ centre.T
        likely = np.exp(logits - logits.max(axis=0))
        likely /= likely.sum(axis=0)
        found = np.empty((c, width, c, width))
        cost = np.full((width, width), 0.0)
        cost[:-1, :-1], cost[-1, -1] = self.cost.mean(axis=0), 1e-3
        for k in range(c):
            for j in range(k + 1):
                both = 2 * share * likely[k] * ((k == j) - likely[j])
                found[k, :, j] = (centre * both[:, None]).T @ centre + (k == j) * cost
                found[j, :, k] = found[k, :, j]
        found[:, -1, :, -1] += 1 / c
        return found.reshape(c * width, c * width)


@dataclass(frozen=True)
class _Bounded:
    """Inverse curvature by its bound; the constant's is one, and it does not vary with inputs."""

    kernel: Array  # [B, R, R]

    def only(self, some: npt.NDArray[np.bool_]) -> _Bounded:
        return _Bounded(self.kernel[some])

    def __call__(self, slope: Array) -> Array:
        return np.concatenate([slope[..., :-1] @ self.kernel, slope[..., -1:]], axis=-1)


class _Curved:
    """Inverse of one curvature [c (R + 1), c (R + 1)] for all."""

    def __init__(self, curvature: Array) -> None:
        self.inverse = np.linalg.inv(curvature)

    def only(self, _: npt.NDArray[np.bool_]) -> _Curved:
        return self

    def __call__(self, slope: Array) -> Array:
        return np.asarray(slope.reshape(len(slope), -1) @ self.inverse).reshape(slope.shape)


class _Memory:
    """The last steps of B iterations and what they changed in the gradient."""

    def __init__(self, conditioned: _Bounded | _Curved, b: int) -> None:
        self.conditioned = conditioned
        self.pairs: deque[tuple[Array, Array, Array]] = deque(maxlen=_MEMORY)
        self.scale = np.ones(b)

    def only(self, some: npt.NDArray[np.bool_]) -> _Memory:
        """Of some of the B."""
        found = _Memory(self.conditioned.only(some), int(some.sum()))
        found.scale = self.scale[some]
        found.pairs.extend((a[some], b[some], c[some]) for a, b, c in self.pairs)
        return found

    def step(self, slope: Array) -> Array:
        """What to take off, by the two loops of L-BFGS."""
        left, along = slope.copy(), []
        for step, change, inverse in reversed(self.pairs):
            along.append(inverse * _dot(step, left))
            left -= along[-1][:, None, None] * change
        found = self.scale[:, None, None] * self.conditioned(left)
        for (step, change, inverse), before in zip(self.pairs, reversed(along), strict=True):
            found += (before - inverse * _dot(change, found))[:, None, None] * step
        return found

    def remember(self, step: Array, change: Array, is_lower: npt.NDArray[np.bool_]) -> None:
        """A step and its change; where it was not taken, nothing that came before counts."""
        for _, _, inverse in self.pairs:
            inverse *= is_lower
        curvature = _dot(step, change)
        is_curved = curvature > 0
        inverse = np.where(is_curved, 1 / np.where(is_curved, curvature, 1), 0.0)
        size = _dot(change, self.conditioned(change))
        found = np.where(is_curved, curvature / np.where(size > 0, size, 1), self.scale)
        self.scale = np.where(is_lower, found, 0.5 * self.scale)
        self.pairs.append((step, change, inverse))


def _dot(one: Array, other: Array) -> Array:
    return np.asarray(np.einsum("bcr,bcr->b", one, other))


def _over_classes(values: Array) -> Array:
    return np.asarray(values - values.mean(axis=-1, keepdims=True))
