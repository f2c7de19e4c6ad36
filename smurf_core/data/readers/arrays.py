"""Makes one table from named arrays, as in NPZ and HDF5 files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from smurf_core.data.problems import Problem, listing
from smurf_core.data.readers.columns import Column, check_names, kept_texts, text_column
from smurf_core.data.readers.interface import Table
from smurf_core.data.readers.pooling import SENTINELS, pool
from smurf_core.data.readers.restricted_pickle import is_unicode
from smurf_core.data.sources import SourceFile, check_shape
from smurf_core.data.splits import split_of_name
from smurf_core.data.texts import LARGEST_EXACT
from smurf_core.errors import InputError

_NAMES_SUFFIXES = ("_names", "_columns", "_feature_names")


def array_table(arrays: Mapping[str, npt.NDArray[Any]], source: SourceFile) -> Table:
    """Make one table from arrays with equal numbers of rows.

    [n] is a column. [n, d] gives columns `array_0` …, or those that an array `array_names` [d]
    lists. [n, steps, d] is pooled over time to `array_mean_0` … and `array_sd_0` …. A file's only
    array needs no prefix, and a single column is named after the file, without its split.
    """
    damaged = [key for key, a in arrays.items() if a.dtype.kind == "U" and not is_unicode(a)]
    if damaged:
        raise InputError(
            f"{source.name}, array {damaged[0]!r}: its text is damaged; write the file again."
        )
    names = {key: array for key, array in arrays.items() if key.endswith(_NAMES_SUFFIXES)}
    values = {key: array for key, array in arrays.items() if key not in names}
    _check_lengths({key: array.shape for key, array in values.items()}, source)
    problems: list[Problem] = []
    columns: dict[str, Column] = {}
    for key, array in values.items():
        prefix = f"{key}_" if len(values) > 1 else ""
        if array.ndim == 1:
            own = key if len(values) > 1 else split_of_name(source.stem).group
            read = {own: _column(array)}
        elif array.ndim == 2:
            given = _given_names(key, names, array.shape[1], source)
            labels = given or [f"{prefix}{j}" for j in range(array.shape[1])]
            read = {label: _column(array[:, j]) for j, label in enumerate(labels)}
        else:
            read, found = _pooled(prefix, key, array, source)
            problems += found
        check_names([*columns, *read], source)
        columns |= read
    frame = pd.DataFrame({name: column.values for name, column in columns.items()})
    return Table(source.name, frame, problems=tuple(problems), texts=kept_texts(columns))


def _check_lengths(shapes: Mapping[str, tuple[int, ...]], source: SourceFile) -> None:
    if not shapes:
        raise InputError(f"{source.name} contains no arrays.")
    for key, shape in shapes.items():
        if not 1 <= len(shape) <= 3:
            raise InputError(
                f"{source.name}, array {key!r}: {len(shape)} dimensions; samples, features and, "
                "between them, time steps are read."
            )
    if len({shape[0] for shape in shapes.values()}) > 1:
        lengths = listing((f"{key}: {shape[0]}" for key, shape in shapes.items()), limit=6)
        raise InputError(f"{source.name}: its arrays have unequal numbers of samples ({lengths}).")
    rows = next(iter(shapes.values()))[0]
    if rows == 0:
        raise InputError(f"{source.name} contains arrays without samples.")
    check_shape(
        source, rows, sum(shape[-1] * 2 if len(shape) > 1 else 1 for shape in shapes.values())
    )


def _given_names(
    key: str, names: Mapping[str, npt.NDArray[Any]], width: int, source: SourceFile
) -> list[str]:
    for suffix in _NAMES_SUFFIXES:
        if key + suffix in names:
            given = [str(name) for name in names[key + suffix].ravel().tolist()]
            if len(given) != width:
                raise InputError(
                    f"{source.name}, array {key + suffix!r}: {len(given)} names, {width} columns."
                )
            return given
    return []


def _column(array: npt.NDArray[Any]) -> Column:
    is_whole = array.dtype.kind in "iub"
    if is_whole and (array.dtype.itemsize < 8 or _is_exact(array)):
        return Column(pd.Series(array.astype(np.int64)))
    if array.dtype.kind == "f":
        return Column(pd.Series(array.astype(np.float64)))
    texts = [
        item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item) for item in array
    ]
    return text_column(pa.chunked_array([pa.array(texts, pa.string())]))


def _is_exact(array: npt.NDArray[Any]) -> bool:
    """True if floats hold these whole numbers exactly; others are names."""
    return int(array.max()) <= LARGEST_EXACT and int(array.min()) >= -LARGEST_EXACT


def _pooled(
    prefix: str, key: str, array: npt.NDArray[Any], source: SourceFile
) -> tuple[dict[str, Column], list[Problem]]:
    if array.dtype.kind not in "iuf":
        raise InputError(f"{source.name}, array {key!r}: sequences must contain numbers.")
    pooled = pool(array)
    steps, d = array.shape[1:]
    message = (
        f"{steps} time steps per sample ({pooled.padded} contain only zeros, taken as padding)."
    )
    remedy = "The sequence is represented by mean and standard deviation over the other steps."
    problems = [Problem("note", message, file=source.name, remedy=remedy)]
    if pooled.sentinels:
        message = f"{pooled.sentinels} cells contain exactly {SENTINELS[0]:g} or {SENTINELS[1]:g}."
        remedy = "They were taken as missing: extractors write this value if they find nothing."
        problems.append(Problem("warning", message, file=source.name, remedy=remedy))
    parts = {"mean": pooled.mean, "sd": pooled.sd}
    columns = {
        f"{prefix}{what}_{j}": Column(pd.Series(values[:, j].astype(np.float64)))
        for what, values in parts.items()
        for j in range(d)
    }
    return columns, problems
