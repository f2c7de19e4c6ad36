"""R's .rds and .rda (.RData): data frames, matrices and vectors; nothing in them is run."""

from __future__ import annotations

import bz2
import lzma
import warnings
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from smurf_core.data.column_names import ID_NAMES, plain_name
from smurf_core.data.problems import Problem, listing
from smurf_core.data.readers.arrays import array_table
from smurf_core.data.readers.columns import check_names, text_column
from smurf_core.data.readers.interface import BadCell, Table
from smurf_core.data.sources import (
    MAX_CELLS,
    MAX_UNPACKED_BYTES,
    SourceFile,
    check_shape,
    gibibytes,
)
from smurf_core.errors import InputError

_STARTS = (b"RDX2\n", b"RDX3\n", b"RDA2\n", b"RDA3\n", b"RDB2\n", b"RDB3\n")  # several objects
_SINGLE = (b"X\n\0\0\0", b"A\n2\n", b"A\n3\n", b"B\n\2\0\0\0", b"B\n\3\0\0\0")  # one object
_PACKED: dict[bytes, Any] = {
    b"\x1f\x8b": lambda: zlib.decompressobj(31),
    b"BZh": bz2.BZ2Decompressor,
    b"\xfd7zXZ": lzma.LZMADecompressor,
}
_CHUNK = 1024**2
_MAX_DEPTH = 3  # lists of lists of data frames


class RDataReader:
    """Data frames become tables; matrices and vectors of one file one table."""

    title = "R data"
    suffixes = (".rds", ".rda", ".rdata")

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the file, once unpacked, starts as R's do."""
        unpack = next((make for mark, make in _PACKED.items() if head.startswith(mark)), None)
        if unpack is None:
            return head.startswith((*_STARTS, *_SINGLE))
        try:
            start = unpack().decompress(head, 64)
        except (zlib.error, OSError, lzma.LZMAError, EOFError, ValueError):
            return source.suffix in self.suffixes
        return start.startswith((*_STARTS, *_SINGLE)) or source.suffix in self.suffixes

    def read(self, source: SourceFile, *, rows: int | None = None) -> tuple[Table, ...]:
        """One table for each data frame, named `file` or `file:name`."""
        held = dict(_named(_loaded(source), "", 0))
        frames = {name: value for name, value in held.items() if isinstance(value, pd.DataFrame)}
        # Beside data frames, single vectors are what is left of a session.
        fewest = 2 if frames else 1
        arrays = _largest(
            {n: v for n, v in held.items() if isinstance(v, np.ndarray) and v.ndim >= fewest}
        )
        left_out = [name or "it" for name in held if name not in frames and name not in arrays]
        count = len(frames) + bool(arrays)
        if count == 0:
            raise InputError(
                f"{source.name} contains no data frame, matrix or vector: save one with saveRDS, "
                "or export it with write.csv."
            )
        tables = [
            _frame_table(source, f"{source.name}:{name}" if count > 1 else source.name, frame, rows)
            for name, frame in frames.items()
        ]
        if arrays:
            table = array_table({name: values[:rows] for name, values in arrays.items()}, source)
            tables.append(table)
        if left_out:
            message = f"{listing(left_out)} contain no table of one row per sample."
            note = Problem("note", message, source.name, remedy="They were left out.")
            tables[0] = replace(tables[0], problems=(*tables[0].problems, note))
        return tuple(tables)


def _loaded(source: SourceFile) -> Any:
    """The file's object as arrays and data frames; R's functions stay plain descriptions."""
    import rdata  # With xarray it takes as long to import as pandas, so only for such files.

    data = _unpacked(source)
    plain: dict[str | bytes, Any] = {
        name: rdata.conversion.DEFAULT_CLASS_MAP[name]
        for name in ("data.frame", "factor", "ordered")
    }
    sequences = dict.fromkeys((b"compact_intseq", b"compact_realseq"))
    expand = rdata.parser.DEFAULT_ALTREP_MAP | {
        name: _bounded(rdata.parser.DEFAULT_ALTREP_MAP[name]) for name in sequences
    }
    try:
        with warnings.catch_warnings(action="ignore"):
            parsed = rdata.parser.parse_data(data, altrep_constructor_dict=expand, extension=".rds")
            _leave_out_code(parsed.object, rdata.parser)
            return rdata.conversion.convert(parsed, {**plain, "Date": _dates, "POSIXct": _moments})
    # Malformed files cause almost any error of the interpreter.
    except (ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError,
            NotImplementedError, OSError, RecursionError, TypeError, ValueError
            ) as error:  # fmt: skip
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{source.name} is damaged or not a file of R: write it again with saveRDS or save, or "
            "export it with write.csv."
        ) from error


def _unpacked(source: SourceFile) -> bytes:
    """The file's bytes, unpacked as far as the limit."""
    data = source.path.read_bytes()
    make = next((make for mark, make in _PACKED.items() if data.startswith(mark)), None)
    if make is None:
        return data
    unpack, parts, size = make(), [], 0
    try:
        rest = data
        while not unpack.eof:
            parts.append(unpack.decompress(rest, _CHUNK))
            size += len(parts[-1])
            rest = getattr(unpack, "unconsumed_tail", b"")
            if size > MAX_UNPACKED_BYTES:
                raise InputError(
                    f"{source.name} would unpack to more than {gibibytes(MAX_UNPACKED_BYTES)}: "
                    "save fewer objects."
                )
            if not parts[-1] and not rest:
                break
    except (zlib.error, OSError, lzma.LZMAError, EOFError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{source.name} is damaged: write or download it again.") from error
    return b"".join(parts)


def _leave_out_code(root: Any, parser: Any) -> None:
    """Replace functions, environments and formulas by nothing: a workspace is full of them."""
    kinds = parser.RObjectType
    code = {
        kinds.CLO, kinds.ENV, kinds.LANG, kinds.EXPR, kinds.BCODE, kinds.SPECIAL, kinds.BUILTIN,
        kinds.EXTPTR, kinds.S4,
    }  # fmt: skip
    nothing = parser.RObjectInfo(kinds.NILVALUE, False, False, False, 0, 0)
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list | tuple):
            waiting += item
        if not isinstance(item, parser.RObject) or id(item) in seen:
            continue
        seen.add(id(item))
        if item.info.type in code:
            item.info, item.value, item.attributes, item.tag = nothing, None, None, None
        waiting += [item.value, item.attributes, item.tag, item.referenced_object]


def _bounded(expand: Any) -> Any:
    """A constructor of R's compact sequences, which promise any length in a few bytes."""

    def checked(state: Any) -> Any:
        if not 0 <= float(state.value[0]) <= MAX_CELLS:
            raise ValueError("The sequence is longer than any table.")
        return expand(state)

    return checked


def _dates(days: Any, attributes: Any) -> Any:
    return _texts(pd.to_timedelta(np.asarray(days, dtype=np.float64), unit="D"), "%Y-%m-%d")


def _moments(seconds: Any, attributes: Any) -> Any:
    since = pd.to_timedelta(np.asarray(seconds, dtype=np.float64), unit="s")
    return _texts(since, "%Y-%m-%d %H:%M:%S")


def _texts(since: Any, form: str) -> npt.NDArray[Any]:
    moments = pd.Timestamp("1970-01-01") + since
    return np.array([None if m is pd.NaT else m.strftime(form) for m in moments], dtype=object)


def _named(value: Any, name: str, depth: int) -> Iterator[tuple[str, Any]]:
    """The data frames and arrays in a value and in its lists, with their names."""
    if isinstance(value, pd.DataFrame):
        yield name, value
    elif isinstance(value, pd.Categorical):
        yield name, np.asarray(value.astype("object"))
    elif isinstance(value, Mapping) and depth < _MAX_DEPTH:
        for key, item in value.items():
            yield from _named(item, f"{name}_{key}" if name else str(key), depth + 1)
    elif isinstance(value, list) and depth < _MAX_DEPTH:
        for number, item in enumerate(value, start=1):
            yield from _named(item, f"{name}_{number}" if name else str(number), depth + 1)
    elif hasattr(value, "dims") and hasattr(value, "coords"):
        yield name, _matrix(value)
    else:
        yield name, _plain(value)


def _matrix(value: Any) -> Any:
    """An array with names: a data frame if it is a matrix, otherwise the array."""
    values = np.asarray(value.values)
    if values.ndim != 2:
        return _plain(values)
    rows, columns = (
        value.coords[dim].to_numpy() if dim in value.coords else None for dim in value.dims
    )
    named = columns if columns is not None else range(values.shape[1])
    return pd.DataFrame(values, index=rows, columns=[str(column) for column in named])


def _plain(value: Any) -> Any:
    """The value if it is an array with rows; a masked one has NaN for what is missing."""
    if isinstance(value, np.ma.MaskedArray):
        value = np.ma.filled(value.astype(np.float64), np.nan)
    is_rows = isinstance(value, np.ndarray) and 1 <= value.ndim <= 3 and len(value) > 1
    return value if is_rows and value.dtype.kind in "biufUO" else None


def _largest(arrays: dict[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    """The arrays of the most frequent number of rows."""
    if not arrays:
        return {}
    lengths = [len(values) for values in arrays.values()]
    rows = max(dict.fromkeys(lengths), key=lambda length: (lengths.count(length), length))
    return {name: values for name, values in arrays.items() if len(values) == rows}


def _frame_table(source: SourceFile, name: str, frame: pd.DataFrame, rows: int | None) -> Table:
    check_shape(source, len(frame), frame.shape[1])
    if not len(frame):
        raise InputError(f"{source.name} has a data frame without rows.")
    names = check_names([str(column) for column in frame.columns], source)
    frame = frame.set_axis(names, axis=1)
    problems: tuple[Problem, ...] = ()
    has_ids = any(plain_name(column) in ID_NAMES for column in names)
    row_names = frame.index
    if not has_ids and _are_ids(row_names):
        frame.insert(0, "sample_id", row_names.astype("str"))
        note = "the rows have names, and no column is called like an id."
        problems = (Problem("note", note, source.name, remedy="The names were taken as ids."),)
    frame = frame.reset_index(drop=True).iloc[:rows]
    columns: dict[str, pd.Series[Any]] = {}
    bad: dict[str, BadCell] = {}
    for column in frame.columns:
        if pd.api.types.is_complex_dtype(frame[column]):
            raise InputError(
                f"{source.name}, column {column!r}: it contains complex numbers; save their parts."
            )
        columns[column], cell = _cells(frame[column])
        if cell is not None:
            bad[column] = BadCell(source.name, *cell)
    return Table(name, pd.DataFrame(columns), bad, problems)


def _are_ids(names: pd.Index[Any]) -> bool:
    """True for row names that are not just the numbers of the rows."""
    counting = [str(row) for row in range(1, len(names) + 1)]
    is_text = not pd.api.types.is_numeric_dtype(names)
    return bool(is_text and names.is_unique and list(names.astype("str")) != counting)


def _cells(cells: pd.Series[Any]) -> tuple[pd.Series[Any], tuple[int, str, int] | None]:
    """Numbers as float64 or (nullable) int64; factors and characters stay text."""
    if isinstance(cells.dtype, pd.CategoricalDtype) or not pd.api.types.is_numeric_dtype(cells):
        texts = [None if pd.isna(cell) else str(cell) for cell in cells]
        if isinstance(cells.dtype, pd.CategoricalDtype):
            return pd.Series(texts, dtype="str"), None
        read = text_column(pa.chunked_array([pa.array(texts, pa.string()).fill_null("")]))
        return pd.Series(read.values), read.bad
    if pd.api.types.is_bool_dtype(cells) or pd.api.types.is_integer_dtype(cells):
        whole = cells.astype("Int64")
        return (whole if whole.isna().any() else whole.astype(np.int64)), None
    values: npt.NDArray[np.float64] = cells.to_numpy(dtype=np.float64, na_value=np.nan)
    return pd.Series(values), None
