"""Principal components of features, also where there are more features than samples."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
FloatArray = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Features = npt.NDArray[np.floating]

# Numbers that are held in float64 at a time.
_PIECE = 8_000_000


def reducing_basis(given: Features, rows: Rows, count: int) -> FloatArray:
    """Weights [d, count] that turn features into the leading principal components of some rows.

    Components keep their sizes relative to each other, with a mean variance of 1 over `rows`, so
    that networks start as on standardised features. The means are not taken off: a bias does that.
    Where the rows have fewer components, the last columns are zero.

    Parameters
    ----------
    given
        Standardised features, [n, d]; zero where a sample lacks the modality.
    rows
        Positions of the samples that the components come from.
    count
        Components to keep, at most d.
    """
    if not len(rows):
        return np.zeros((given.shape[1], count), dtype=np.float32)
    sizes, vectors = principal_components(given, mean_of(given, rows), rows)
    kept = min(count, int((sizes > 1e-9 * max(sizes[0], 1e-300)).sum()))
    basis = np.zeros((given.shape[1], count))
    variance = float(sizes[:kept].mean()) / len(rows) if kept else 1.0
    basis[:, :kept] = vectors[:, :kept] / np.sqrt(variance or 1.0)
    return basis.astype(np.float32)


def principal_components(given: Features, mean: Array, rows: Rows) -> tuple[Array, Array]:
    """Principal components of some rows of [n, d]: sums of squares, largest first, and [d, r].

    Of more features than samples, they come from products of samples, [n, n] in place of [d, d]:
    the same components, without those of size zero. An eigenvector's sign is arbitrary: the largest
    entry is positive, so that equal data give equal numbers on every machine.
    """
    sizes, vectors = _components(given, mean, rows)
    largest = np.abs(vectors).argmax(axis=0)
    signs = np.where(vectors[largest, np.arange(len(largest))] < 0, -1.0, 1.0)
    return sizes, vectors * signs


def mean_of(given: Features, rows: Rows) -> Array:
    """Mean [d] of some rows; zero of none."""
    total = np.zeros(given.shape[1])
    for some in pieces(rows, given.shape[1]):
        total += given[some].sum(axis=0, dtype=np.float64)
    return total / max(len(rows), 1)


def pieces(rows: Rows, width: int) -> list[Rows]:
    """Rows in pieces of `_PIECE` numbers, so that no whole modality is held in float64."""
    step = max(1, _PIECE // max(width, 1))
    return [rows[k : k + step] for k in range(0, len(rows), step)]


def _components(given: Features, mean: Array, rows: Rows) -> tuple[Array, Array]:
    if given.shape[1] <= len(rows):
        gram = np.zeros((given.shape[1],) * 2)
        for some in pieces(rows, given.shape[1]):
            centred = given[some] - mean
            gram += centred.T @ centred
        return _largest_first(gram)
    trained = given[rows] - mean
    sizes, vectors = _largest_first(trained @ trained.T)
    kept = sizes > 1e-9 * max(sizes[0], 1e-300) if len(sizes) else np.zeros(0, dtype=bool)
    kept[:1] = True  # As of any other samples, there is at least one size to look at.
    sizes = sizes[kept]
    return sizes, trained.T @ (vectors[:, kept] / np.sqrt(np.maximum(sizes, 1e-300)))


def _largest_first(gram: Array) -> tuple[Array, Array]:
    sizes, vectors = np.linalg.eigh(gram)
    order = np.argsort(-sizes, kind="stable")
    return sizes[order], vectors[:, order]
