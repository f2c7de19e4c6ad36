"""Parquet and Feather: typed columns whose size is known before they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.feather as pa_feather
import pyarrow.parquet as pq

from smurf_core.data.problems import Problem, listing
from smurf_core.data.readers.columns import (
    Column,
    check_names,
    kept_texts,
    may_be_names,
    text_column,
)
from smurf_core.data.readers.interface import BadCell, Table
from smurf_core.data.sources import (
    MAX_TABLE_BYTES,
    SourceFile,
    check_shape,
    gibibytes,
)
from smurf_core.data.texts import LARGEST_EXACT
from smurf_core.errors import InputError

_COLUMNS_AT_ONCE = 128
_TICKS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}  # of a second


class ParquetReader:
    """Parquet files from any program."""

    title = "Parquet"
    suffixes = (".parquet", ".pq")

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the file starts as Parquet does."""
        return head.startswith(b"PAR1")

    def read(self, source: SourceFile, *, rows: int | None = None) -> tuple[Table, ...]:
        """One table."""
        return (_table(source, "Parquet", partial(_read_parquet, rows=rows), rows),)


class FeatherReader:
    """Feather (version 2, also called Arrow IPC): as a file, or as a stream (Hugging Face)."""

    title = "Feather"
    suffixes = (".feather", ".arrow", ".arrows")

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the file starts as Arrow's file format does, or with a stream's schema."""
        return head.startswith((b"ARROW1", b"FEA1")) or _is_stream(head)

    def read(self, source: SourceFile, *, rows: int | None = None) -> tuple[Table, ...]:
        """One table."""
        return (_table(source, "Feather", _read_feather, rows),)


def _is_stream(head: bytes) -> bool:
    """True for a stream: a mark, the schema's length in bytes, and the table of its fields."""
    if len(head) < 16 or not head.startswith(b"\xff\xff\xff\xff"):
        return False
    length = int.from_bytes(head[4:8], "little")
    return length % 8 == 0 and 0 < int.from_bytes(head[8:12], "little") < length < 2**28


@dataclass(frozen=True)
class _Read:
    """The fields of a file, and its tables, each of some of the columns in their order."""

    schema: pa.Schema
    parts: Iterable[pa.Table]


def _read_parquet(source: SourceFile, *, rows: int | None) -> _Read:
    """All rows; for a preview, no more than the first ones are unpacked."""
    with pq.ParquetFile(source.path) as file:
        about = file.metadata
        check_shape(source, about.num_rows, about.num_columns)
        groups = (about.row_group(i) for i in range(about.num_row_groups))
        unpacked = sum(group.total_byte_size for group in groups)
        _check_unpacked(source, unpacked)
        schema = file.schema_arrow
        if rows is None:
            return _Read(schema, _column_groups(source, schema.names))
        first = next(file.iter_batches(batch_size=rows), None)
        whole = schema.empty_table() if first is None else pa.Table.from_batches([first])
        return _Read(schema, (whole,))


def _column_groups(source: SourceFile, names: Sequence[str]) -> Iterator[pa.Table]:
    """Some columns at a time, so that a large file is not in memory beside its numbers."""
    groups = [names[k : k + _COLUMNS_AT_ONCE] for k in range(0, len(names), _COLUMNS_AT_ONCE)]
    with pq.ParquetFile(source.path) as file:
        for k, group in enumerate(groups):
            part = file.read(columns=group) if len(groups) > 1 else file.read()
            # The name `a` also means fields of a group `a`, such as `a.b`.
            yield part if part.column_names == list(group) else file.read().select(list(group))
            source.report((k + 1) / len(groups))


def _read_feather(source: SourceFile) -> _Read:
    whole = _read_arrow(source)
    return _Read(whole.schema, (whole,))


def _read_arrow(source: SourceFile) -> pa.Table:
    with pa.memory_map(str(source.path)) as file:
        head = file.read(6)
        if head.startswith(b"FEA1"):
            raise InputError(
                f"{source.name} is Feather version 1: write it again with a current version of "
                "pandas."
            )
        file.seek(0)
        if not head.startswith(b"ARROW1"):
            return _read_stream(source, file)
        check_shape(source, 1, len(pa.ipc.open_file(file).schema))
    return pa_feather.read_table(source.path, memory_map=False)


def _read_stream(source: SourceFile, file: pa.NativeFile) -> pa.Table:
    """The batches of a stream, whose number of rows is known only when all are read."""
    stream = pa.ipc.open_stream(file)
    batches: list[pa.RecordBatch] = []
    rows = unpacked = 0
    for batch in stream:
        rows += batch.num_rows
        unpacked += batch.nbytes
        check_shape(source, rows, len(stream.schema))
        _check_unpacked(source, unpacked)
        batches.append(batch)
    return pa.Table.from_batches(batches, stream.schema)


def _check_unpacked(source: SourceFile, unpacked: int) -> None:
    if unpacked > MAX_TABLE_BYTES:
        raise InputError(
            f"{source.name} would unpack to {gibibytes(unpacked)}; "
            f"at most {gibibytes(MAX_TABLE_BYTES)} is read."
        )


def _table(
    source: SourceFile, title: str, read: Callable[[SourceFile], _Read], rows: int | None
) -> Table:
    count, given, found = 0, [], []
    try:
        opened = read(source)
        left_out, problems = _objects(opened.schema, source)
        for cells in opened.parts:
            part = cells if rows is None else cells.slice(0, rows)
            count = part.num_rows
            part.validate(full=True)  # text that is not UTF-8 is an error only when it is used
            check_shape(source, part.num_rows, len(opened.schema))
            part = part.drop_columns([c for c in part.column_names if c in left_out])
            part = _with_vectors(part, source)
            given += [str(name) for name in part.column_names]
            check_shape(source, count, len(given))
            found += _numbers_or_cells(part, source)
        names = check_names(given, source)
        columns = {
            name: each if isinstance(each, Column)
            else _column(name, each, source, may_be_names=may_be_names(place, len(names), name))
            for place, (name, each) in enumerate(zip(names, found, strict=True))
        }  # fmt: skip
    except (pa.ArrowException, OSError, MemoryError, UnicodeDecodeError) as error:
        raise InputError(
            f"{source.name} is damaged or not a {title} file: write or download it again."
        ) from error
    if count == 0:
        raise InputError(f"{source.name} has columns and no rows.")
    return Table(
        name=source.name,
        frame=pd.DataFrame({n: column.values for n, column in columns.items()}, copy=False),
        bad_cells={
            name: BadCell(source.name, *column.bad)
            for name, column in columns.items()
            if column.bad is not None
        },
        texts=kept_texts(columns),
        problems=problems,
    )


def _numbers_or_cells(part: pa.Table, source: SourceFile) -> list[Column | pa.ChunkedArray]:
    """Columns of numbers are converted at once; of text, the place among all columns counts.

    Points are in one piece of memory, which goes back to the system as one when it is let go.
    """
    points = {k for k, column in enumerate(part.columns) if pa.types.is_floating(column.type)}
    held = iter(np.empty((len(points), part.num_rows)))
    found: list[Column | pa.ChunkedArray] = []
    for k, column in enumerate(part.columns):
        if k in points:
            values = next(held)
            values[:] = column.to_numpy()
            found.append(Column(values))
        elif _is_plain(column):
            found.append(_column(part.column_names[k], column, source, may_be_names=False))
        else:
            found.append(column)
    return found


def _objects(schema: pa.Schema, source: SourceFile) -> tuple[list[str], tuple[Problem, ...]]:
    """Columns of objects, such as sounds, to leave out; if there are no others, none."""
    kinds_of = {str(field.name): field.type for field in schema if _holds_objects(field.type)}
    objects = list(kinds_of)
    if not objects or len(objects) == len(schema):
        return [], ()
    kinds = listing(dict.fromkeys(str(kind)[:60] for kind in kinds_of.values()))
    message = f"each cell of {listing(objects)} contains {kinds}."
    remedy = "It was left out; numbers in it need columns of their own."
    note = Problem("warning", message, source.name, remedy=remedy)
    return objects, (note,)


def _holds_objects(kind: pa.DataType) -> bool:
    """True for cells that are neither a number nor a text nor a vector of numbers."""
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return True
    return bool(pa.types.is_nested(kind)) and not _are_vectors(kind)


def _are_vectors(kind: pa.DataType) -> bool:
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    return bool(is_list or pa.types.is_fixed_size_list(kind)) and bool(
        pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)
    )


def _with_vectors(cells: pa.Table, source: SourceFile) -> pa.Table:
    """Split columns of vectors of equal length into one column per number: `name_0`, `name_1` …"""
    columns: dict[str, pa.ChunkedArray] = {}
    for name, column in zip(cells.column_names, cells.columns, strict=True):
        given = _vectors(name, column, source)
        check_names([*columns, *given], source)
        columns |= given
    return pa.table(columns)


def _vectors(name: str, column: pa.ChunkedArray, source: SourceFile) -> dict[str, pa.ChunkedArray]:
    if not _are_vectors(column.type) or not len(column):
        return {str(name): column}
    lengths = pc.unique(pc.drop_null(pc.list_value_length(column))).to_pylist()
    if len(lengths) != 1 or lengths[0] == 0:
        raise InputError(
            f"{source.name}, column {name!r}: its vectors are of unequal lengths "
            f"({listing(sorted(lengths))}); give every number its own column."
        )
    check_shape(source, len(column), lengths[0])
    return {f"{name}_{j}": pc.list_element(column, j) for j in range(lengths[0])}


def _column(name: str, cells: pa.ChunkedArray, source: SourceFile, *, may_be_names: bool) -> Column:
    kind = cells.type
    if pa.types.is_dictionary(kind):
        cells = pc.cast(cells, kind.value_type)
        kind = cells.type
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        raise InputError(
            f"{source.name}, column {name!r}: each cell contains {kind}; "
            "give every number its own column."
        )
    if pa.types.is_boolean(kind):
        cells = pc.cast(cells, pa.int64())
    elif pa.types.is_decimal(kind) and kind.scale:
        cells = pc.cast(cells, pa.float64())
    elif pa.types.is_duration(kind):  # seconds, as all times here
        ticks = pc.cast(pc.cast(cells, pa.int64()), pa.float64())
        cells = pc.divide(ticks, float(_TICKS[kind.unit]))
    if not _is_plain(cells):
        texts = pc.cast(cells, pa.string()).fill_null("")
        return text_column(texts, may_be_names=may_be_names)
    if pa.types.is_integer(cells.type) and cells.null_count:
        whole = pc.cast(cells, pa.int64())
        return Column(whole.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get))
    if pa.types.is_integer(cells.type):
        return Column(pd.Series(np.asarray(cells.to_numpy(), dtype=np.int64)))
    return Column(np.asarray(cells.to_numpy(), dtype=np.float64))


def _is_plain(cells: pa.ChunkedArray) -> bool:
    """True for numbers that are no names."""
    is_number = pa.types.is_integer(cells.type) or pa.types.is_floating(cells.type)
    return bool(is_number) and not _is_beyond_exact(cells)


def _is_beyond_exact(cells: pa.ChunkedArray) -> bool:
    """True for whole numbers that no float holds exactly: they are names, and read as text."""
    if not pa.types.is_integer(cells.type) or cells.type.bit_width < 64:
        return False
    ends = pc.min_max(cells).as_py()
    return any(abs(end or 0) > LARGEST_EXACT for end in ends.values())
