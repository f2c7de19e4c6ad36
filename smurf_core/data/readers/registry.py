"""Which reader reads a file. A new format is a file with a reader, and a line here."""

from __future__ import annotations

from dataclasses import replace

from smurf_core.data.problems import Problem
from smurf_core.data.readers.arrow import FeatherReader, ParquetReader
from smurf_core.data.readers.authors_cache import AuthorsCacheReader
from smurf_core.data.readers.delimited import DelimitedReader
from smurf_core.data.readers.excel import ExcelReader
from smurf_core.data.readers.hdf5 import Hdf5Reader
from smurf_core.data.readers.interface import StudyReader, Table, TableReader
from smurf_core.data.readers.npz import NpzReader
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError

STUDY_READERS: tuple[StudyReader, ...] = (AuthorsCacheReader(),)
# Text comes last: it takes whatever looks like text.
TABLE_READERS: tuple[TableReader, ...] = (
    ParquetReader(),
    FeatherReader(),
    Hdf5Reader(),
    NpzReader(),
    ExcelReader(),
    DelimitedReader(),
)
_USUAL_SUFFIXES = {
    "Parquet": (".parquet", ".pq"),
    "Feather": (".feather", ".arrow"),
    "HDF5": (".h5", ".hdf5", ".hdf"),
    "NPZ": (".npz",),
    "Excel": (".xlsx", ".xlsm", ".xls"),
    "CSV": (".csv", ".tsv", ".txt", ".tab", ".dat"),
}


def study_reader(source: SourceFile) -> StudyReader | None:
    """The reader for a file that is a whole study by itself, if it is one."""
    head = source.head()
    return next((r for r in STUDY_READERS if r.recognises(source, head)), None)


def table_reader(source: SourceFile) -> TableReader:
    """The reader for a file of columns, judged by its content; the name only breaks ties."""
    head = source.head()
    for reader in TABLE_READERS:
        if reader.recognises(source, head):
            return reader
    titles = ", ".join([*(r.title for r in TABLE_READERS), *(r.title for r in STUDY_READERS)])
    raise InputError(f"{source.name} is of no kind that is read here; there are {titles}.")


def read(source: SourceFile, *, rows: int | None = None) -> tuple[Table, ...]:
    """A file's tables, with a note where its name promises another format."""
    reader = table_reader(source)
    tables = reader.read(source, rows=rows)
    usual = _USUAL_SUFFIXES[reader.title]
    if source.suffix in usual or not source.suffix:
        return tables
    message = f"the file is {reader.title}, in spite of its name."
    note = Problem("note", message, file=source.name, remedy="It was read as such.")
    first, *others = tables
    return (replace(first, problems=(*first.problems, note)), *others)
