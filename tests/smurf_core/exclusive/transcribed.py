"""The problem of exclusive contributions, written down plainly and slowly.

Nothing here comes from `smurf_core.exclusive`. Inputs are in their own coordinates, centred over
the samples that have them, and zero where the modality is absent.
"""

from itertools import combinations

import numpy as np
from scipy.linalg import eigh

HEAD_RIDGE = 1e-4
DIRECTIONS = 16


def heads(sets):
    return [(i, s) for s in sets for i in s]


def places(inputs, sets):
    """Columns of every head, and their number."""
    found, end = {}, 0
    for i, s in heads(sets):
        found[i, s] = slice(end, end + inputs[i].shape[1])
        end += inputs[i].shape[1]
    return found, end


def design(inputs, sets):
    """[n, H]: what every weight multiplies."""
    return np.concatenate([inputs[i] for i, _ in heads(sets)], axis=1)


def exclusion(one, other, both, *, is_clipped=True):
    """The form of what `other` can derive of a contribution of `one`, by canonical correlations."""
    leading = np.linalg.svd(other, full_matrices=False)[2][:DIRECTIONS].T
    q, n = leading.shape[1], int(both.sum())
    a, b = one[both], other[both] @ leading
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    own, known, cross = a.T @ a / n, b.T @ b / n, a.T @ b / n
    derived = cross @ np.linalg.solve(known, cross.T)
    # Columns of `directions` give variates of variance one; `squares` are ρ² of each.
    squares, directions = eigh(derived, own)
    counted = (squares - q / n) / (1 - q / n)
    if is_clipped:
        counted = np.maximum(counted, 0)
    return own @ directions @ np.diag(counted) @ directions.T @ own


def objective(weights, constant, inputs, target, sets, *, lam, ridge, agreement=1.0, present=None):
    """The objective, sample by sample and head by head, without the small ridge's shortcuts.

    `weights` are a dictionary head → [d, c]; `constant` [c].
    """
    n, m = len(target), len(inputs)
    present = np.ones((n, m), dtype=bool) if present is None else present
    loss = 0.0
    for sample in range(n):
        guess = constant.copy()
        for (i, _), value in weights.items():
            guess = guess + inputs[i][sample] @ value
        loss += ((target[sample] - guess) ** 2).sum() / n
    excluded = agreed = 0.0
    for (i, s), value in weights.items():
        for k in range(m):
            if k not in s:
                form = exclusion(inputs[i], inputs[k], present[:, i] & present[:, k])
                excluded += float(np.trace(value.T @ form @ value))
    for s in sets:
        for i, j in combinations(s, 2):
            both = present[:, i] & present[:, j]
            apart = inputs[i][both] @ weights[i, s] - inputs[j][both] @ weights[j, s]
            agreed += float(apart.var(axis=0).sum())
    paid = 0.0
    for i in range(m):
        total = sum(value for (who, _), value in weights.items() if who == i)
        paid += ridge * float((total**2).sum())
    paid += HEAD_RIDGE * sum(float((value**2).sum()) for value in weights.values())
    return loss + lam * (excluded + agreement * agreed) + paid


def penalties(inputs, sets, *, lam, ridge, agreement=1.0, present=None):
    """Rows [p, H] whose products with the weights, squared and summed, are all penalties."""
    n, m = len(inputs[0]), len(inputs)
    present = np.ones((n, m), dtype=bool) if present is None else present
    at, width = places(inputs, sets)
    rows = [np.sqrt(HEAD_RIDGE) * np.eye(width)]
    for i, s in heads(sets):
        for k in range(m):
            if k not in s:
                form = exclusion(inputs[i], inputs[k], present[:, i] & present[:, k])
                sizes, vectors = np.linalg.eigh(form)
                block = np.zeros((len(sizes), width))
                block[:, at[i, s]] = (vectors * np.sqrt(lam * sizes.clip(0))).T
                rows.append(block)
    for s in sets:
        for i, j in combinations(s, 2):
            both = present[:, i] & present[:, j]
            block = np.zeros((int(both.sum()), width))
            block[:, at[i, s]] = inputs[i][both] - inputs[i][both].mean(axis=0)
            block[:, at[j, s]] = inputs[j][both].mean(axis=0) - inputs[j][both]
            rows.append(np.sqrt(lam * agreement / both.sum()) * block)
    for i, values in enumerate(inputs):
        block = np.zeros((values.shape[1], width))
        for who, s in heads(sets):
            if who == i:
                block[:, at[who, s]] = np.eye(values.shape[1])
        rows.append(np.sqrt(ridge) * block)
    return np.concatenate(rows)


def least_squares(inputs, target, sets, **options):
    """Weights [H, c] of the regression, as one dense least-squares problem."""
    columns = design(inputs, sets)
    columns = columns - columns.mean(axis=0)
    rows = penalties(inputs, sets, **options)
    n = len(target)
    left = np.concatenate([columns / np.sqrt(n), rows])
    centred = target - target.mean(axis=0)
    right = np.concatenate([centred / np.sqrt(n), np.zeros((len(rows), target.shape[1]))])
    return np.linalg.lstsq(left, right, rcond=None)[0]


class UnclippedFold:
    """The closed form that the problem was first written in: chance is taken off, not clipped."""

    def __init__(self, phi, y, sets, *, lam, w=1.0, q=DIRECTIONS):
        n, m = len(y), len(phi)
        self.heads = heads(sets)
        self.ends = np.cumsum([0] + [phi[i].shape[1] for i, _ in self.heads])
        gram = {(i, j): phi[i].T @ phi[j] / n for i in range(m) for j in range(m)}
        knows = [np.linalg.svd(p, full_matrices=False)[0][:, : min(q, p.shape[1])] for p in phi]
        chance = [basis.shape[1] / n for basis in knows]
        place = {head: a for a, head in enumerate(self.heads)}
        self.matrix = np.zeros((self.ends[-1], self.ends[-1]))
        self.right = np.zeros((self.ends[-1], y.shape[1]))
        for a, (i, s) in enumerate(self.heads):
            row = self.part(a)
            self.right[row] = phi[i].T @ y / n
            for b, (j, _) in enumerate(self.heads):
                self.matrix[row, self.part(b)] += gram[i, j]
            for k in range(m):
                if k not in s:
                    half = knows[k].T @ phi[i]
                    derived = half.T @ half / n - chance[k] * gram[i, i]
                    self.matrix[row, row] += lam * derived / (1 - chance[k])
            for j in s:
                if j != i:
                    self.matrix[row, row] += lam * w * gram[i, i]
                    self.matrix[row, self.part(place[j, s])] -= lam * w * gram[i, j]

    def part(self, head):
        return slice(self.ends[head], self.ends[head + 1])

    def solve(self, ridge):
        matrix = self.matrix.copy()
        for a, (i, _) in enumerate(self.heads):
            eye = np.eye(self.ends[a + 1] - self.ends[a])
            matrix[self.part(a), self.part(a)] += HEAD_RIDGE * eye
            for b, (j, _) in enumerate(self.heads):
                if j == i:
                    matrix[self.part(a), self.part(b)] += ridge * eye
        return np.linalg.solve(matrix, self.right)
