"""MATLAB's .mat: matrices with names, cells of text as ids; objects in it are never made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from smurf_core.data.problems import Problem, listing
from smurf_core.data.readers.arrays import array_table
from smurf_core.data.readers.interface import Table
from smurf_core.data.readers.matlab_binary import binary_variables
from smurf_core.data.readers.matlab_hdf5 import hdf5_variables
from smurf_core.data.sources import MAX_UNPACKED_BYTES, SourceFile
from smurf_core.errors import InputError

Array = npt.NDArray[Any]
_NAME_WORDS = ("name", "column", "header", "feature", "variable", "label")
_MAX_DEPTH = 4


class MatlabReader:
    """Files of MATLAB 5 to 7.2, and of 7.3, which are HDF5."""

    title = "MATLAB"
    suffixes = (".mat",)

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the file starts as MATLAB's do."""
        return head.startswith(b"MATLAB ") or head[124:128] in (b"\0\1IM", b"\1\0MI")

    def read(self, source: SourceFile, *, rows: int | None = None) -> tuple[Table, ...]:
        """One table of the variables that have one row per sample."""
        is_hdf5 = source.head(16).startswith(b"MATLAB 7.3")
        variables, refused = hdf5_variables(source) if is_hdf5 else binary_variables(source)
        found = dict(_arrays(_without_shell(variables)))
        arrays, note = _of_samples(found, source)
        kept = {n: a if n.endswith("_names") else a[:rows] for n, a in arrays.items()}
        table = array_table(kept, source)
        problems = [*table.problems, *note]
        used = {name.removesuffix("_names") for name in arrays}
        left_out = [*(n for n in found if n not in used and not _names_something(n, found[n])),
                    *refused]  # fmt: skip
        if left_out:
            message = f"{listing(left_out)} do not have one row per sample."
            remedy = (
                "They were left out; a table or an object is read once it is saved as a matrix."
            )
            problems.append(Problem("note", message, source.name, remedy=remedy))
        return (replace(table, problems=tuple(problems)),)


def _arrays(variables: Mapping[str, Any], prefix: str = "", depth: int = 0) -> Iterator[
    tuple[str, Array]
]:  # fmt: skip
    """Arrays by name; the fields of a structure have its name before theirs."""
    for name, value in variables.items():
        full = prefix + name
        if isinstance(value, dict):
            if depth < _MAX_DEPTH:
                yield from _arrays(value, f"{full}_", depth + 1)
            continue
        plain = _plain(value)
        if plain is not None:
            yield full, plain


def _without_shell(variables: dict[str, Any]) -> Mapping[str, Any]:
    """The fields of a file's only variable, if it is a structure."""
    if len(variables) != 1:
        return variables
    (only,) = variables.values()
    return only if isinstance(only, dict) else variables


def _plain(array: Array) -> Array | None:
    """An array of numbers or texts without single dimensions; None for a single value."""
    if array.dtype == object:
        return _cells(array)
    if array.dtype.kind not in "biufU" or array.size < 2:
        return None
    if array.dtype.kind == "U" and array.ndim == 1:
        return np.char.strip(array)
    return array.ravel() if array.ndim == 2 and 1 in array.shape else array


def _cells(array: Array) -> Array | None:
    """A cell array: texts, numbers, or the sequence [t, d] of each sample."""
    if array.ndim == 2 and 1 not in array.shape:
        return None
    items = list(array.ravel())
    if len(items) < 2 or not all(isinstance(item, np.ndarray) for item in items):
        return None
    if all(item.dtype.kind == "U" and item.size <= 1 for item in items):
        return np.array([str(item.item()) if item.size else "" for item in items])
    if not all(item.dtype.kind in "biuf" for item in items):
        return None
    if all(item.size <= 1 for item in items):
        return np.array([float(item.item()) if item.size else np.nan for item in items])
    return stacked(items)


def stacked(items: list[Array]) -> Array | None:
    """Sequences [t, d] of unequal lengths as one array [n, t, d], NaN where they have ended."""
    if any(item.ndim > 2 for item in items):
        return None
    tables = [item if item.ndim == 2 else item.reshape(item.size, -1) for item in items]
    widths = {table.shape[1] for table in tables if table.size}
    if len(widths) != 1:
        return None
    steps, width = max(len(table) for table in tables), widths.pop()
    if len(items) * steps * width * 8 > MAX_UNPACKED_BYTES:
        raise InputError(
            f"{len(items):,} sequences of up to {steps:,} × {width:,} values are too many: save "
            "their means."
        )
    made = np.full((len(items), steps, width), np.nan)
    for position, table in enumerate(tables):
        if table.size:
            made[position, : len(table)] = table
    return made


def _of_samples(
    found: Mapping[str, Array], source: SourceFile
) -> tuple[dict[str, Array], list[Problem]]:
    """The arrays with one row per sample, and `…_names` for those whose columns have names."""
    texts = {n: a for n, a in found.items() if a.dtype.kind == "U" and a.ndim == 1}
    matrices = {n: a for n, a in found.items() if a.dtype.kind != "U" and a.ndim > 1}
    rows = _row_count(found, texts, matrices)
    kept: dict[str, Array] = {}
    problems: list[Problem] = []
    for name, array in found.items():
        if name in texts and _names_something(name, array) and len(matrices) and (
            len(array) != rows or any(array.size == m.shape[-1] for m in matrices.values())
        ):  # fmt: skip
            continue
        turned = array.ndim == 2 and len(array) != rows and array.shape[1] == rows
        if turned and name in matrices:
            message = f"{name} has one column per sample, and not one row."
            remedy = "Rows and columns were exchanged."
            problems.append(Problem("note", message, source.name, remedy=remedy))
            array = array.T
        if len(array) == rows:
            kept[name] = array
    if not kept:
        raise InputError(
            f"{source.name} contains no matrix or vector with one row per sample: save the "
            "features as a matrix and the ids as a cell array of text."
        )
    return kept | _column_names(kept, texts), problems


def _row_count(
    found: Mapping[str, Array], texts: Mapping[str, Array], matrices: Mapping[str, Array]
) -> int:
    """The number of samples: that of ids which fit a matrix, otherwise the most frequent one."""
    sides = [side for matrix in matrices.values() for side in (len(matrix), matrix.shape[1])]
    for name, array in texts.items():
        if len(array) in sides and not _names_something(name, array):
            return len(array)
    lengths = [len(array) for array in (matrices or found).values()]
    if not lengths:
        return 0
    return max(dict.fromkeys(lengths), key=lambda length: (lengths.count(length), length))


def _names_something(name: str, array: Array) -> bool:
    """True for text that is called like the names of columns."""
    return array.dtype.kind == "U" and any(word in name.lower() for word in _NAME_WORDS)


def _column_names(kept: Mapping[str, Array], texts: Mapping[str, Array]) -> dict[str, Array]:
    """Names of the columns of a matrix: text of its width, called after it or the only one."""
    named: dict[str, Array] = {}
    for name, array in kept.items():
        if array.ndim != 2:
            continue
        fit = [t for t in texts if t not in kept and len(texts[t]) == array.shape[1]]
        own = [t for t in fit if name.lower() in t.lower()] or (fit if len(fit) == 1 else [])
        same = [other for other in kept.values() if other.ndim == 2]
        if own and (len(same) == 1 or name.lower() in own[0].lower()):
            named[f"{name}_names"] = texts[own[0]]
    return named
