"""Bent relations between modalities: where they are, and functions that can follow them.

Contributions are linear in a modality's features. Where A sees g and C sees g³, no line through
C's features says what A says. So the contributions of a linear solution are predicted from every
other modality twice: by its features alone, and with rectified units of them. Where units predict
samples clearly better that did not train them, what they add becomes a further input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy  # whose parts load when used, after the first paint

from smurf_core.exclusive.fold import FoldProblem, Solution
from smurf_core.exclusive.sources import Rotated
from smurf_core.fitted import Layer
from smurf_core.statistics.persons import person_codes, person_sums

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

# Units in random directions of so many leading components find relations of any shape.
RANDOM_UNITS = 64
_COMPONENTS = 12
# Along what a modality says linearly of the aims, units at so many quantiles.
_DIRECTIONS, _KNOTS = 4, 8
# Further inputs of a modality, at most, and the smallest, in times of the largest.
MOST_FUNCTIONS, _SMALLEST = 4, 0.2
# What units must add to R² on samples that did not train them, and in standard errors: somewhere,
# and for each aim after that.
GAIN, ERRORS, ERRORS_AFTER = 0.02, 3.0, 1.5
# What is enough to doubt a contribution.
ERRORS_OF_VERDICT = 2.0
# A function that helps its modality to predict the target by so many becomes part of what it
# contributes; another one counts as known only.
ERRORS_OF_TARGET = 1.0
# Generalised cross-validation counts each parameter as this many: fewer accidents (Wood, 2006).
_PRICE = 1.4
_PENALTIES = np.logspace(-3, 2, 16)
# With fewer samples of all modalities in a fold's training or validation part, nothing is said.
_FEWEST = 20


@dataclass(frozen=True)
class Functions:
    """Functions of one modality's inputs x: `[units, x] @ mixing`."""

    layer: Layer  # [units, d]
    mixing: Array  # [units + d, functions]: those that its contributions may use
    beyond: Array  # [units + d, functions]: those that it knows without saying them


@dataclass(frozen=True)
class _Said:
    """Validation samples of something to predict: what lines leave, and what units add to them."""

    truth: Array  # [n, 1 or aims, outputs]
    left: Array  # likewise
    added: Array  # [n, aims, outputs]


@dataclass(frozen=True)
class _Fit:
    """What a modality says of all aims, by units beside its features."""

    weight: Array
    bias: Array
    mixing: Array  # [units + d, aims]
    of_aims: _Said
    of_target: _Said  # with what units add for each aim


def bent_functions(
    problems: Sequence[FoldProblem],
    solutions: Sequence[Solution],
    inputs: Sequence[Mapping[str, npt.NDArray[np.floating]]],
    persons: npt.NDArray[np.generic] | None,
) -> list[list[Functions | None]]:
    """Fold → modality → the functions that it needs; nothing where lines are enough.

    Parameters
    ----------
    problems, solutions
        Of every fold, linear in the features.
    inputs
        Fold → modality → standardised features [n, d] of all samples.
    persons
        Person of each sample, [n], or `None`.

    Returns
    -------
    list of list
        A modality has functions in all folds or in none.
    """
    names = list(inputs[0])
    count = len(names)
    nothing: list[list[Functions | None]] = [[None] * count for _ in problems]
    aims = [_aims(*pair) for pair in zip(problems, solutions, strict=True)]
    complete = problems[0].source.present.all(axis=1)
    parts = [(complete & p.training, complete & p.validation) for p in problems]
    if min(part.sum() for pair in parts for part in pair) < _FEWEST:
        return nothing
    rows = np.concatenate([np.flatnonzero(validation) for _, validation in parts])

    def fits_of(k: int, *, refined: bool) -> list[_Fit]:
        return [
            _fitted(
                x[names[k]].astype(np.float64),
                values[:, _of_others(solution, k)],
                problem.target,
                *part,
                refined=refined,
            )
            for x, values, problem, solution, part in zip(
                inputs, aims, problems, solutions, parts, strict=True
            )
        ]

    gains = [
        _gains([fit.of_aims for fit in fits_of(k, refined=False)], rows, persons)
        for k in range(count)
    ]
    if not _is_bent(np.concatenate(gains, axis=1)):
        return nothing
    columns = []
    for k in range(count):
        fits = fits_of(k, refined=True)
        gain = _gains([fit.of_aims for fit in fits], rows, persons)
        for_target = _gains([fit.of_target for fit in fits], rows, persons)
        needed = _errors(gain, GAIN) > ERRORS_AFTER
        useful = _errors(for_target, 0.0) > ERRORS_OF_TARGET
        pairs = zip(fits, inputs, parts, strict=True)
        columns.append(
            [
                _functions(fit, x[names[k]], training, needed & useful, needed & ~useful)
                for fit, x, (training, _) in pairs
            ]
        )
    return [list(fold) for fold in zip(*columns, strict=True)]


@dataclass(frozen=True)
class Bends:
    """What a modality would say better with units than with lines, of each aim; [aims]."""

    gain: Array  # in R², on samples that the units did not see; 0 where it is not clear
    helps: Mask  # True if the addition also helps to predict the target


def bends(
    x: Array,
    aims: Array,
    target: Array,
    part: npt.NDArray[np.integer],
    persons: npt.NDArray[np.generic] | None,
) -> Bends:
    """Cross-fitted over the parts of the samples, which keep persons together.

    Parameters
    ----------
    x
        [n, d]: a modality's features.
    aims
        [n, aims]: other modalities' contributions.
    target
        [n, c].
    part
        [n]: which samples are predicted together, by the others.
    persons
        Person of each sample, or `None`.
    """
    fits, rows = [], []
    spread = aims.std(axis=0)
    aims = np.where(spread > 0, (aims - aims.mean(axis=0)) / np.where(spread > 0, spread, 1), 0.0)
    for p in np.unique(part):
        training = part != p
        middle, sd = x[training].mean(axis=0), _spread(x[training])
        z = np.clip((x - middle) / sd, -5, 5)
        fits.append(_fitted(z, aims, target, training, ~training, refined=False))
        rows.append(np.flatnonzero(~training))
    at = np.concatenate(rows)
    gains = _gains([fit.of_aims for fit in fits], at, persons)
    is_clear = _errors(gains, GAIN) > ERRORS_OF_VERDICT
    helps = _gains([fit.of_target for fit in fits], at, persons).sum(axis=0) > 0
    return Bends(np.where(is_clear, gains.sum(axis=0), 0.0), helps)


def _aims(problem: FoldProblem, solution: Solution) -> Array:
    """All contributions and what the prediction leaves of the target, [n, aims], scaled to one."""
    values = solution.contributions(problem.source)
    guess = values.sum(axis=1) + solution.offset[0]
    if problem.is_classes:
        guess = scipy.special.softmax(guess, axis=1)
    everything = np.concatenate([values, (problem.target - guess)[:, None]], axis=1)
    flat = everything.reshape(len(everything), -1)
    # What is left of the target is measured by the target.
    spread = flat[problem.training].std(axis=0)
    c = problem.target.shape[1]
    spread[-c:] = problem.target[problem.training].std(axis=0)
    flat = flat - flat[problem.training].mean(axis=0)
    # A contribution that is next to nothing is not worth a function.
    return np.asarray(np.where(spread > 0.02, flat / np.where(spread > 0.02, spread, 1.0), 0.0))


def _of_others(solution: Solution, modality: int) -> Mask:
    """Which aims are not the modality's own contributions."""
    c = solution.offset.shape[1]
    others = [i != modality for i, _ in solution.heads]
    return np.repeat([*others, True], c)


def _fitted(
    x: Array, aims: Array, target: Array, training: Mask, validation: Mask, *, refined: bool
) -> _Fit:
    middle = x[training].mean(axis=0)
    centred, later, wanted = x[training] - middle, x[validation] - middle, aims[training]
    sizes, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
    inverse = (vectors / (np.maximum(sizes, 0) + 1e-3 * max(sizes.mean(), 1e-12))) @ vectors.T
    line = inverse @ (centred.T @ wanted / len(centred))
    kept = np.argsort(-sizes)[:_COMPONENTS]
    kept = kept[sizes[kept] > 1e-6 * sizes.max()]
    components, sds = vectors[:, kept], np.sqrt(sizes[kept])
    random = np.random.default_rng(0)
    drawn = components @ random.standard_normal((len(kept), RANDOM_UNITS))
    weight, bias = drawn / _spread(centred @ drawn), random.uniform(-2, 2, RANDOM_UNITS)
    weight, bias = _and_along(weight, bias, centred, _leading(line, centred))
    left = wanted - centred @ line
    if refined:
        units = np.maximum(centred @ weight + bias, 0.0)
        says, linear, _ = _beyond_lines(centred, units, inverse, left)
        slopes = (weight.T @ components) * sds, (linear @ says).T @ components * sds
        turned = _turning(units > 0, says, *slopes)
        weight, bias = _and_along(weight, bias, centred, components / sds @ turned)
    units = np.maximum(centred @ weight + bias, 0.0)
    says, linear, mean = _beyond_lines(centred, units, inverse, left)
    new = np.maximum(later @ weight + bias, 0.0) - mean - later @ linear
    there = aims[validation]
    error = there - later @ line
    of_target = target - target[training].mean(axis=0)
    added = (units - mean - centred @ linear) @ says
    return _Fit(
        weight.T,
        bias - middle @ weight,
        np.concatenate([says, -linear @ says]),
        _Said(there[..., None], error[..., None], (new @ says)[..., None]),
        _of_target(
            (centred, later),
            (added, new @ says),
            of_target[training],
            of_target[validation],
            inverse,
        ),
    )


def _of_target(
    inputs: tuple[Array, Array],
    added: tuple[Array, Array],
    target: Array,
    later_target: Array,
    inverse: Array,
) -> _Said:
    """The target, by lines and one slope for what units add for each aim.

    The slopes are fitted to what lines leave of the training samples' target.
    """
    line = inverse @ (inputs[0].T @ target / len(target))
    left, error = target - inputs[0] @ line, later_target - inputs[1] @ line
    sizes = (added[0] ** 2).mean(axis=0)
    slopes = added[0].T @ left / len(left) / np.where(sizes > 0, sizes, np.inf)[:, None]
    return _Said(later_target[:, None], error[:, None], added[1][..., None] * slopes)


def _beyond_lines(
    centred: Array, units: Array, inverse: Array, left: Array
) -> tuple[Array, Array, Array]:
    """What units say of `left`, [units, aims]; what lines say of the units; the units' means."""
    mean = units.mean(axis=0)
    linear = inverse @ (centred.T @ (units - mean) / len(centred))
    return _penalised(units - mean - centred @ linear, left), linear, mean


def _leading(line: Array, centred: Array) -> Array:
    """Directions of what lines say of all aims."""
    _, sizes, turned = np.linalg.svd(centred @ line, full_matrices=False)
    return np.asarray((line @ turned.T)[:, sizes > 0.1 * max(sizes[0], 1e-12)][:, :_DIRECTIONS])


def _turning(fires: Mask, says: Array, slopes: Array, straight: Array) -> Array:
    """Directions in which what units add has the largest slopes (an active subspace)."""
    size = len(slopes.T)
    together = np.zeros((size, size))
    for says_aim, line in zip(says.T, straight, strict=True):
        slope = fires @ (says_aim[:, None] * slopes) - line
        together += slope.T @ slope
    return np.asarray(np.linalg.eigh(together)[1][:, ::-1][:, :_DIRECTIONS])


def _and_along(
    weight: Array, bias: Array, centred: Array, directions: Array
) -> tuple[Array, Array]:
    """Further units that bend at the normal distribution's quantiles along some directions."""
    directions = directions / _spread(centred @ directions)
    # Decompositions leave signs to rounding, and units that bend on the other side are others.
    largest = directions[np.abs(directions).argmax(axis=0), np.arange(directions.shape[1])]
    directions = directions * np.sign(largest)
    knots = scipy.special.ndtri((np.arange(_KNOTS) + 0.5) / _KNOTS)
    return (
        np.concatenate([weight, np.repeat(directions, _KNOTS, axis=1)], axis=1),
        np.append(bias, np.tile(knots, directions.shape[1])),
    )


def _spread(values: Array) -> Array:
    spread = values.std(axis=0)
    return np.asarray(np.where(spread > 1e-9, spread, np.inf))


def _penalised(bent: Array, left: Array) -> Array:
    """Ridge regression of every column of `left`, each with the penalty that GCV prefers."""
    n = len(bent)
    scale = _spread(bent)
    scaled = bent / scale
    squares, vectors = np.linalg.eigh(scaled.T @ scaled)
    squares = np.maximum(squares, 1e-9 * n)
    moment = vectors.T @ (scaled.T @ left)
    total = (left**2).sum(axis=0)
    best, weights = np.full(left.shape[1], np.inf), np.zeros_like(moment)
    for penalty in n * _PENALTIES:
        shrink = squares / (squares + penalty)
        error = total - (((2 * shrink - shrink**2) / squares)[:, None] * moment**2).sum(axis=0)
        score = error / max(1 - _PRICE * shrink.sum() / n, 1e-3) ** 2
        better = score < best
        best = np.where(better, score, best)
        weights = np.where(better, moment / (squares + penalty)[:, None], weights)
    return np.asarray((vectors @ weights) / scale[:, None])


def _gains(
    said: Sequence[_Said], rows: npt.NDArray[np.int64], persons: npt.NDArray[np.generic] | None
) -> Array:
    """What persons (or samples) gain by units, [persons, aims], in R² of all together.

    Units add to lines, or to the mean where lines are worse than it: a line through few samples
    can miss later ones by far, and to miss them by less is no sign of a bend.
    """
    truth, left, added = (
        np.concatenate([getattr(each, what) for each in said])
        for what in ("truth", "left", "added")
    )
    size = (truth**2).sum(axis=(0, 2))
    has_line = (left**2).sum(axis=(0, 2)) <= size
    before = np.where(has_line[:, None], left, truth)
    gained = (before**2 - (before - added) ** 2).sum(axis=2)
    codes = person_codes(None if persons is None else persons[rows], len(rows))
    return np.asarray(person_sums(gained, codes) / np.where(size > 0, size, np.inf))


def _errors(gains: Array, least: float) -> Array:
    """By how many standard errors a gain is above zero, by aim; 0 where it is at most `least`."""
    error = np.sqrt(len(gains)) * gains.std(axis=0)
    total = gains.sum(axis=0)
    return np.where((total > least) & (error > 0), total / np.where(error > 0, error, 1.0), 0.0)


def _is_bent(gains: Array) -> bool:
    """True if units are clearly better for one aim, or for all together that gain something."""
    together = gains[:, gains.sum(axis=0) > GAIN].sum(axis=1, keepdims=True)
    return bool(max(_errors(gains, GAIN).max(), _errors(together, GAIN)[0]) > ERRORS)


def _functions(
    fit: _Fit, x: npt.NDArray[np.floating], training: Mask, useful: Mask, known: Mask
) -> Functions | None:
    """The leading directions of what units add for aims, of sd one."""
    if not (useful | known).any():
        return None
    layer = Layer(fit.weight.astype(np.float32), fit.bias.astype(np.float32))
    given = np.asarray(x[training], dtype=np.float32)
    read = np.concatenate([_rectified(layer, given), given], axis=1).astype(np.float64)
    mixing, beyond = (leading_functions(read, fit.mixing[:, part]) for part in (useful, known))
    return Functions(layer, mixing, beyond)


def leading_functions(read: Array, mixing: Array) -> Array:
    """Weights [units + d, k] of the leading directions of `read @ mixing`, of sd one."""
    if mixing.shape[1] == 0:
        return mixing
    values = read @ mixing
    _, sizes, turned = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
    kept = np.flatnonzero(sizes > _SMALLEST * sizes[0])[:MOST_FUNCTIONS]
    return np.asarray(mixing @ (turned[kept].T / (sizes[kept] / np.sqrt(len(values)))))


def _rectified(layer: Layer, inputs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.maximum(inputs @ layer.weight.T + layer.bias, np.float32(0))


def extended(
    source: Rotated,
    inputs: Mapping[str, npt.NDArray[np.floating]],
    functions: Sequence[Functions | None],
    training: Mask,
) -> Rotated:
    """A fold's inputs and the functions, which count as known; they stand after the leading ones.

    `bases` then refer to units and features, as output layers of `hidden_layers` read them.
    """
    values, bases, known, means, beyond = {}, {}, {}, {}, {}
    for i, (name, found) in enumerate(zip(source.modalities, functions, strict=True)):
        before, basis, q = source.values[name], source.bases[name], source.known[name]
        units = hidden_layer(found, basis.shape[0])
        h = len(units.bias)
        basis = np.concatenate([np.zeros((h, basis.shape[1])), basis])
        mean = np.append(np.zeros(h), source.means[name])
        beyond[name] = np.zeros((len(before), 0))
        if found is not None:
            there = source.present[:, i]
            given = np.asarray(inputs[name], dtype=np.float32)
            read = np.concatenate([_rectified(units, given), given], axis=1).astype(np.float64)
            mean = read[training & there].mean(axis=0)
            centred = np.where(there[:, None], read - mean, 0.0)
            before = np.concatenate([before[:, :q], centred @ found.mixing, before[:, q:]], axis=1)
            basis = np.concatenate([basis[:, :q], found.mixing, basis[:, q:]], axis=1)
            beyond[name] = centred @ found.beyond
            q += found.mixing.shape[1]
        values[name], bases[name], means[name], known[name] = before, basis, mean, q
    return Rotated(values, bases, known, source.present, means, beyond)


def hidden_layer(functions: Functions | None, width: int) -> Layer:
    """The units of a modality; one that never fires where it needs none."""
    if functions is not None:
        return functions.layer
    return Layer(np.zeros((1, width), dtype=np.float32), np.zeros(1, dtype=np.float32))
