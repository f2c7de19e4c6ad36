"""Small problems with shared factors, and what the package makes of them."""

import numpy as np

from smurf_core.exclusive.fold import FoldProblem
from smurf_core.exclusive.problem import Penalties, heads_of
from smurf_core.exclusive.sources import rotated


def draw(n=60, widths=(4, 3, 5), *, outputs=1, seed=0, noise=0.7):
    """Inputs of sd near one that share two factors, and a target of mean zero, sd one."""
    random = np.random.default_rng(seed)
    common = random.standard_normal((n, 2))
    inputs = []
    for d in widths:
        mixed = common @ random.standard_normal((2, d)) + noise * random.standard_normal((n, d))
        inputs.append(mixed / mixed.std(axis=0))
    target = np.stack([x[:, :2].sum(axis=1) for x in inputs]).sum(axis=0)[:, None]
    target = target + random.standard_normal((n, outputs))
    return inputs, (target - target.mean(axis=0)) / target.std(axis=0)


def centred(inputs, present=None):
    """As `transcribed` wants them: zero where absent, mean zero over what is present."""
    found = []
    for i, values in enumerate(inputs):
        there = np.ones(len(values), bool) if present is None else present[:, i]
        found.append(np.where(there[:, None], values - values[there].mean(axis=0), 0.0))
    return found


def standardised(dataset, training):
    """Every modality's features in standard deviations of the training samples."""
    found = []
    for features in dataset.features.values():
        values = features.values.astype(np.float64)
        found.append((values - values[training].mean(axis=0)) / values[training].std(axis=0))
    return found


def problem_of(inputs, target, *, present=None, is_classes=False):
    """All samples train, and validate."""
    n = len(target)
    everything = np.ones(n, dtype=bool)
    there = np.ones((n, len(inputs)), dtype=bool) if present is None else present
    named = {
        "ABCDE"[i]: np.where(there[:, i : i + 1], values, 0.0) for i, values in enumerate(inputs)
    }
    source = rotated(named, there, everything)
    return FoldProblem(source, target, everything, everything, is_classes)


def weights_of(problem, solution, which=0):
    """Head → weights of the inputs themselves, [d, c]."""
    bases = list(problem.source.bases.values())
    return {(i, s): bases[i] @ solution.of((i, s))[which] for i, s in solution.heads}


def dense(moments, sets, weighing):
    """The quadratic's matrix [B, H, H] without ridges, and the rows of every head."""
    heads, penalties = heads_of(sets), Penalties(moments, weighing)
    columns = np.concatenate([np.r_[moments.part(i)] for i, _ in heads])
    matrix = moments.gram[:, columns[:, None], columns[None, :]]
    first = 0
    for s in sets:
        form = penalties.form(s)
        rows = slice(first, first + form.shape[-1])
        matrix[:, rows, rows] += form
        first = rows.stop
    ends = np.cumsum([0] + [moments.widths[i] for i, _ in heads])
    parts = {head: slice(a, b) for head, a, b in zip(heads, ends, ends[1:], strict=False)}
    return matrix, parts, columns
