"""Chooses the reader of a file. To add a format, write a reader and add a line here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from smurf_core.data.problems import Problem, listing
from smurf_core.data.readers.annotations import ElanReader, TextGridReader
from smurf_core.data.readers.arff import ArffReader
from smurf_core.data.readers.arrow import FeatherReader, ParquetReader
from smurf_core.data.readers.authors_cache import AuthorsCacheReader
from smurf_core.data.readers.columns import with_written_numbers
from smurf_core.data.readers.csd import CsdLabelsReader, CsdReader
from smurf_core.data.readers.delimited import DelimitedReader
from smurf_core.data.readers.excel import ExcelReader
from smurf_core.data.readers.faces import LibreFaceReader, PyFeatReader
from smurf_core.data.readers.fold_caches import FoldCachesReader, are_fold_caches
from smurf_core.data.readers.folders import is_read, unread_files
from smurf_core.data.readers.hdf5 import Hdf5Reader
from smurf_core.data.readers.interface import FrameReader, StudyReader, Table, TableReader
from smurf_core.data.readers.matlab import MatlabReader
from smurf_core.data.readers.mmsa import MmsaReader
from smurf_core.data.readers.npz import NpyReader, NpzReader
from smurf_core.data.readers.openface import OpenFaceReader
from smurf_core.data.readers.opensmile import OpenSmileFramesReader, OpenSmileReader
from smurf_core.data.readers.physiology import E4Reader, NeuroKitReader
from smurf_core.data.readers.r_data import RDataReader
from smurf_core.data.readers.rating_traces import RatingTraceReader
from smurf_core.data.readers.spss_stata import SpssReader, StataReader
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError

STUDY_READERS: tuple[StudyReader, ...] = (AuthorsCacheReader(),)
# Labels come before frames, because they are also sequences.
FRAME_READERS: tuple[FrameReader, ...] = (
    CsdReader(),
    OpenFaceReader(),
    OpenSmileFramesReader(),
    PyFeatReader(),
    LibreFaceReader(),
    E4Reader(),
    NeuroKitReader(),
    RatingTraceReader(),
)
# Text comes last, because it accepts everything that looks like text.
TABLE_READERS: tuple[TableReader, ...] = (
    OpenSmileReader(),
    ParquetReader(),
    FeatherReader(),
    CsdLabelsReader(),
    Hdf5Reader(),
    NpyReader(),
    NpzReader(),
    ExcelReader(),
    SpssReader(),
    StataReader(),
    RDataReader(),
    MatlabReader(),
    MmsaReader(),
    TextGridReader(),
    ElanReader(),
    ArffReader(),
    DelimitedReader(),
)
READERS: tuple[StudyReader | FrameReader | TableReader, ...] = (
    *TABLE_READERS, *FRAME_READERS, *STUDY_READERS,
)  # fmt: skip
# The one list of suffixes that are read from folders, with those of lists of ids.
SUFFIXES = tuple(
    dict.fromkeys([*(suffix for reader in READERS for suffix in reader.suffixes), ".lst", ".ids"])
)


def find_sources(paths: Iterable[Path]) -> tuple[SourceFile, ...]:
    """The given files, and from each folder those with a suffix of some reader, by name."""
    found: list[SourceFile] = []
    for path in paths:
        if not path.exists():
            raise InputError(f"There is no file or folder {path}.")
        if path.is_file():
            found.append(SourceFile(path.name, path))
            continue
        inside = sorted(p for p in path.iterdir() if is_read(p, SUFFIXES))
        if not inside:
            others = " ".join(str(problem) for problem in unread_files([path], SUFFIXES)[:3])
            formats = listing(SUFFIXES, 12)
            raise InputError(f"{path} contains no data files ({formats}). {others}".strip())
        found += [SourceFile(p.name, p) for p in inside]
    return tuple(found)


def whole_study(sources: Sequence[SourceFile]) -> StudyReader | None:
    """The reader for files that are a whole study: one file, or the partitions of its folds."""
    if are_fold_caches(sources):
        return FoldCachesReader(sources)
    return study_reader(sources[0]) if len(sources) == 1 else None


def unread(paths: Iterable[Path]) -> tuple[Problem, ...]:
    """What the given folders contain that `find_sources` leaves out, and what to do about it."""
    return unread_files(paths, SUFFIXES)


@dataclass(frozen=True)
class Recognition:
    """What a file is, judged by its first bytes: at most one of the three kinds of readers."""

    study: StudyReader | None = None
    frames: FrameReader | None = None
    table: TableReader | None = None


def recognise(source: SourceFile) -> Recognition:
    """What a file is. It is opened for this once, and the answer is kept with it."""
    return source.once("recognition", lambda: _recognised(source, source.head()))


def _recognised(source: SourceFile, head: bytes) -> Recognition:
    if not MmsaReader().recognises(source, head):
        for study in STUDY_READERS:
            if study.recognises(source, head):
                return Recognition(study=study)
    if not CsdLabelsReader().recognises(source, head):
        for frames in FRAME_READERS:
            if frames.recognises(source, head):
                return Recognition(frames=frames)
    table = next((reader for reader in TABLE_READERS if reader.recognises(source, head)), None)
    return Recognition(table=table)


def study_reader(source: SourceFile) -> StudyReader | None:
    """The reader for a file that is a whole study, if it is one."""
    return recognise(source).study


def frame_reader(source: SourceFile) -> FrameReader | None:
    """The reader for a file of rows over time, if it is one."""
    return recognise(source).frames


def reader_title(source: SourceFile) -> str:
    """The name of a file's format."""
    found = recognise(source)
    reader = found.study or found.frames or table_reader(source)
    return reader.title


def table_reader(source: SourceFile) -> TableReader:
    """The reader for a file of columns, chosen by content; the name only breaks ties."""
    reader = recognise(source).table
    if reader is not None:
        return reader
    titles = ", ".join(reader.title for reader in READERS)
    raise InputError(f"{source.name} cannot be read: its format is none of {titles}.")


def read(source: SourceFile, *, rows: int | None = None) -> tuple[Table, ...]:
    """A file's tables, with a note if its name suggests another format."""
    reader = table_reader(source)
    tables = reader.read(source, rows=rows)
    if not isinstance(reader, DelimitedReader | ExcelReader):  # these are all text
        tables = tuple(with_written_numbers(table, source) for table in tables)
    if source.suffix in reader.suffixes or not source.suffix:
        return tables
    message = f"the file is {reader.title}, despite its name."
    note = Problem("note", message, file=source.name, remedy="It was read in that format.")
    first, *others = tables
    return (replace(first, problems=(*first.problems, note)), *others)
