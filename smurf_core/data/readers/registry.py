"""Which reader reads a file. A new format is a file with a reader, and a line here."""

from __future__ import annotations

from dataclasses import replace

from smurf_core.data.problems import Problem
from smurf_core.data.readers.arff import ArffReader
from smurf_core.data.readers.arrow import FeatherReader, ParquetReader
from smurf_core.data.readers.authors_cache import AuthorsCacheReader
from smurf_core.data.readers.csd import CsdLabelsReader, CsdReader
from smurf_core.data.readers.delimited import DelimitedReader
from smurf_core.data.readers.excel import ExcelReader
from smurf_core.data.readers.hdf5 import Hdf5Reader
from smurf_core.data.readers.interface import FrameReader, StudyReader, Table, TableReader
from smurf_core.data.readers.mmsa import MmsaReader
from smurf_core.data.readers.npz import NpyReader, NpzReader
from smurf_core.data.readers.openface import OpenFaceReader
from smurf_core.data.readers.opensmile import OpenSmileFramesReader, OpenSmileReader
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError

STUDY_READERS: tuple[StudyReader, ...] = (AuthorsCacheReader(),)
# Labels come before frames: they are sequences, too.
FRAME_READERS: tuple[FrameReader, ...] = (CsdReader(), OpenFaceReader(), OpenSmileFramesReader())
# Text comes last: it takes whatever looks like text.
TABLE_READERS: tuple[TableReader, ...] = (
    ParquetReader(),
    FeatherReader(),
    CsdLabelsReader(),
    Hdf5Reader(),
    NpyReader(),
    NpzReader(),
    ExcelReader(),
    MmsaReader(),
    OpenSmileReader(),
    ArffReader(),
    DelimitedReader(),
)
_USUAL_SUFFIXES = {
    "Parquet": (".parquet", ".pq"),
    "Feather": (".feather", ".arrow"),
    "CMU labels": (".csd", ".h5", ".hdf5"),
    "HDF5": (".h5", ".hdf5", ".hdf"),
    "NPY": (".npy",),
    "NPZ": (".npz",),
    "MMSA pickle": (".pkl", ".pickle"),
    "openSMILE": (".csv", ".arff", ".txt"),
    "ARFF": (".arff",),
    "Excel": (".xlsx", ".xlsm", ".xls"),
    "CSV": (".csv", ".tsv", ".txt", ".tab", ".dat"),
}


def study_reader(source: SourceFile) -> StudyReader | None:
    """The reader for a file that is a whole study by itself, if it is one."""
    head = source.head()
    if MmsaReader().recognises(source, head):
        return None
    return next((r for r in STUDY_READERS if r.recognises(source, head)), None)


def frame_reader(source: SourceFile) -> FrameReader | None:
    """The reader for a file of rows over time, if it is one."""
    head = source.head()
    if CsdLabelsReader().recognises(source, head):
        return None
    found = (reader for reader in FRAME_READERS if reader.recognises(source, head))
    return next(found, None)


def reader_title(source: SourceFile) -> str:
    """What the format of a file is called."""
    by_itself = study_reader(source)
    if by_itself is not None:
        return by_itself.title
    frames = frame_reader(source)
    return frames.title if frames is not None else table_reader(source).title


def table_reader(source: SourceFile) -> TableReader:
    """The reader for a file of columns, judged by its content; the name only breaks ties."""
    head = source.head()
    for reader in TABLE_READERS:
        if reader.recognises(source, head):
            return reader
    readers: list[TableReader | FrameReader | StudyReader]
    readers = [*TABLE_READERS, *FRAME_READERS, *STUDY_READERS]
    titles = ", ".join(reader.title for reader in readers)
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
