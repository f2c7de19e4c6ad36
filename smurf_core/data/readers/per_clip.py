"""One file per sample, or one array per sample in a file: the name is the id, frames are pooled.

A file alone does not show this. The names are compared with the cells of the other tables: where
most cells of a column are names of files, the files are its samples.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.data.column_names import DESCRIPTION_NAMES, ID_NAMES, TARGET_NAMES, plain_name
from smurf_core.data.problems import Problem, listing
from smurf_core.data.readers.cut_samples import recording_name
from smurf_core.data.readers.delimiters import DELIMITERS
from smurf_core.data.readers.frame_tables import frame_table, numbers, track_of
from smurf_core.data.readers.frames import ReadingOptions, Recording, Track
from smurf_core.data.readers.interface import Table
from smurf_core.data.readers.keyed_arrays import keyed_arrays, keys_of
from smurf_core.data.readers.npz import array_header, read_npy
from smurf_core.data.readers.pooling import pool
from smurf_core.data.sources import SourceFile, check_shape
from smurf_core.data.splits import split_of_name
from smurf_core.data.texts import common_start
from smurf_core.errors import InputError

_FEWEST = 3  # files, if another table names them
_FEWEST_UNNAMED = 5  # files, if only their names are alike
_TEXTS = (".csv", ".tsv", ".tab", ".txt")
_TIMES = ("time", "timestamp", "frametime", "timesec", "seconds", "second", "t", "timems")
_NO_CLIP = re.compile(r"(fold|layer|split|part|cv|batch|chunk|shard|head|x|y)[_\-. ]?\d*$", re.I)
Reading = Callable[[SourceFile], Sequence[Table]]


@dataclass(frozen=True)
class PerClip:
    """Files that are samples, read: tables of arrays, recordings of frames, and the other files."""

    tables: tuple[Table, ...]
    recordings: tuple[Recording, ...]
    others: tuple[SourceFile, ...]


def likely_clips(sources: Sequence[SourceFile]) -> tuple[SourceFile, ...]:
    """Files that may be samples, judged by their first bytes: several with the same columns."""
    groups = _alike(sources)
    keyed = [s for s in sources if len(keys_of(s)) >= _FEWEST]
    return (*(source for group in groups for source in group), *keyed)


def read_per_clip(
    likely: Sequence[SourceFile],
    tables: Sequence[Table],
    options: ReadingOptions,
    rows: int | None,
) -> PerClip:
    """Read the files whose names are those of samples in the other tables."""
    read: list[Table] = []
    recordings: list[Recording] = []
    others = {source.name: source for source in likely}
    for source in likely:
        keys = keys_of(source)
        if keys and (_are_named(keys, tables) or _are_surely_clips(source, keys)):
            arrays = keyed_arrays(source, keys[:rows])
            read.append(_array_table(source.name, arrays, source, (source.name,)))
            del others[source.name]
    for group in _alike(list(others.values())):
        ends = _names(group, tables)
        if ends is None:
            continue
        name = f"{_group_name(group, ends)}{group[0].suffix}"
        ids = [end.id_of(source.stem) for end, source in zip(ends, group, strict=True)]
        if group[0].suffix == ".npy":
            arrays = {i: read_npy(s) for i, s in zip(ids[:rows], group[:rows], strict=True)}
            files = tuple(source.name for source in group)
            read.append(_array_table(name, arrays, group[0], files))
        else:
            recordings += [
                _recording(source, sample, name, options)
                for source, sample in zip(group, ids, strict=True)
            ]
        for source in group:
            del others[source.name]
    return PerClip(tuple(read), tuple(recordings), tuple(others.values()))


@dataclass(frozen=True)
class _End:
    """What a file's name has before and after its sample's id."""

    before: str = ""
    after: str = ""

    def id_of(self, stem: str) -> str:
        return stem.removeprefix(self.before).removesuffix(self.after)


def _alike(sources: Sequence[SourceFile]) -> list[list[SourceFile]]:
    """Groups of files with the same format and columns, and names with the same ending."""
    groups: dict[object, list[SourceFile]] = defaultdict(list)
    for source in sources:
        columns = _columns(source)
        if columns is not None and not split_of_name(source.stem).split:
            ending = re.sub(r"^.*?\d+", "", source.stem) if re.search(r"\d", source.stem) else ""
            groups[source.suffix, columns, ending].append(source)
    return [sorted(g, key=lambda s: s.name) for g in groups.values() if len(g) >= _FEWEST]


def _columns(source: SourceFile) -> object:
    """What files of one kind share: the width of an array, or the header of frames."""
    if source.suffix == ".npy":
        try:
            with source.path.open("rb") as file:
                shape, dtype = array_header(file)
        except (OSError, ValueError, EOFError):
            return None
        return (len(shape), shape[-1]) if len(shape) in (1, 2) and dtype.kind in "iuf" else None
    if source.suffix not in _TEXTS:
        return None
    line = source.head().partition(b"\n")[0].decode("utf-8", "replace").strip("\ufeff\r ")
    names = _split(line)
    plain = [plain_name(name) for name in names]
    if len(names) < 2 or any(p in TARGET_NAMES or p in ID_NAMES for p in plain):
        return None
    return None if any(re.fullmatch(r"[-+.\d]*", name) for name in names) else tuple(names)


def _split(line: str) -> list[str]:
    delimiter = max(DELIMITERS, key=line.count)
    try:
        return next(csv.reader(io.StringIO(line), delimiter=delimiter), [])
    except csv.Error:
        return []


def _are_named(names: Iterable[str], tables: Sequence[Table]) -> bool:
    """True if most cells of a column are these names, without folders and suffixes."""
    wanted = set(names)
    plain = {_plain(recording_name(name)) for name in wanted}
    for table in tables:
        for column in table.columns:
            cells = table.frame[column].dropna()
            if pd.api.types.is_float_dtype(cells) or len(cells) < _FEWEST:
                continue
            texts = cells.astype("str")
            bare = texts.map(recording_name)
            shares = (texts.isin(wanted).mean(), bare.isin(wanted).mean())
            if max(shares) >= 0.5:
                return True
            # `1.npy` for sample 001, `Clip1.npy` for clip1
            if len(plain) == len(wanted) and bare.map(_plain).isin(plain).mean() >= 0.5:
                return True
    return False


def _plain(name: str) -> str:
    return re.sub(r"(?<!\d)0+(?=\d)", "", name.casefold())


def _names(group: Sequence[SourceFile], tables: Sequence[Table]) -> list[_End] | None:
    """What precedes and follows the ids in the files' names; None if these are no samples."""
    stems = [source.stem for source in group]
    for end in _possible_ends(stems):
        if _are_named((end.id_of(stem) for stem in stems), tables):
            return [end] * len(stems)
    patterns = {re.sub(r"\d+", "#", stem) for stem in stems}
    is_sample = len(patterns) == 1 and "#" in next(iter(patterns))
    if len(group) < _FEWEST_UNNAMED or not is_sample or _NO_CLIP.match(stems[0]):
        return None
    columns = _columns(group[0])
    if group[0].suffix == ".npy":
        return [_End()] * len(stems) if isinstance(columns, tuple) and columns[0] == 2 else None
    has_time = isinstance(columns, tuple) and plain_name(str(columns[0])) in (*_TIMES, "frame")
    return [_End()] * len(stems) if has_time else None


def _possible_ends(stems: Sequence[str]) -> list[_End]:
    """Nothing, the common end after a separator, and the common start before one."""
    reverse = [stem[::-1] for stem in stems]
    after = common_start(reverse)[::-1]
    before = common_start(stems)
    after = after[re.search(r"[_\-. ]|$", after).start() :]  # type: ignore[union-attr]
    before = before[: max(before.rfind(mark) for mark in "_-. ") + 1]
    return [_End(), _End(after=after), _End(before=before), _End(before, after)]


def _group_name(group: Sequence[SourceFile], ends: Sequence[_End]) -> str:
    """The name of what the files contain: the part of their names that is not the id."""
    named = ends[0].after.strip("_-. ") or ends[0].before.strip("_-. ")
    if not named:
        named = re.sub(r"[\d_\-. ]+$", "", common_start([source.stem for source in group]))
    return named or "clips"


def _are_surely_clips(source: SourceFile, keys: Sequence[str]) -> bool:
    """True for arrays of frames that are unequally long: they cannot be columns of one table."""
    try:
        shapes = list(keyed_arrays(source, keys[:50]).values())
    except InputError:  # The reader of such files describes what is wrong.
        return False
    return (
        len(shapes) >= _FEWEST_UNNAMED
        and all(array.ndim == 2 for array in shapes)
        and len({array.shape[1] for array in shapes}) == 1
        and len({len(array) for array in shapes}) > 1
    )


def _array_table(
    name: str,
    arrays: Mapping[str, npt.NDArray[Any]],
    source: SourceFile,
    files: tuple[str, ...],
) -> Table:
    """One row per array: its values [d], or their mean and standard deviation over [t, d]."""
    shapes = {(*array.shape[-1:], array.ndim) for array in arrays.values()}
    if len(shapes) != 1 or next(iter(shapes))[1] not in (1, 2):
        raise InputError(
            f"{name}: its {len(arrays)} arrays need one vector per sample, or frames of equal "
            f"width ({listing(sorted(shapes))})."
        )
    if any(array.dtype.kind not in "iufb" for array in arrays.values()):
        raise InputError(f"{name}: its arrays need numbers.")
    width, dimensions = shapes.pop()
    check_shape(source, len(arrays), 2 * width)
    problems = []
    if dimensions == 1:
        values: dict[str, Any] = {
            str(j): [array[j] for array in arrays.values()] for j in range(width)
        }
    else:
        pooled = [pool(array[None], lengths=np.array([len(array)])) for array in arrays.values()]
        mean, sd = (np.concatenate([getattr(p, what) for p in pooled]) for what in ("mean", "sd"))
        values = {f"mean_{j}": mean[:, j] for j in range(width)}
        values |= {f"sd_{j}": sd[:, j] for j in range(width)}
        steps = [len(array) for array in arrays.values()]
        message = f"{len(arrays)} samples with {min(steps)} to {max(steps)} frames each."
        remedy = "They are represented by mean and standard deviation over their frames."
        problems.append(Problem("note", message, name, remedy=remedy))
    frame = pd.DataFrame(
        {"sample_id": pd.Series(list(arrays), dtype="str")}
        | {column: np.asarray(cells, dtype=np.float64) for column, cells in values.items()}
    )
    what = "file" if len(files) > 1 else "array"
    note = Problem("note", f"one {what} per sample.", name, remedy="Its name is the sample's id.")
    origins = files if files != (name,) else ()
    return Table(name, frame, problems=(note, *problems), origins=origins)


def _recording(source: SourceFile, sample: str, kind: str, options: ReadingOptions) -> Recording:
    """The frames of one sample's file."""
    columns = _columns(source)
    names = [str(name).strip() for name in columns] if isinstance(columns, tuple) else []
    time = next((name for name in names if plain_name(name) in _TIMES), "")
    features = tuple(n for n in names if n != time and plain_name(n) not in DESCRIPTION_NAMES)
    statistics = ("mean", "sd", "p10", "p50", "p90", *(["slope"] if time else []))
    note = Problem(
        "note", "one file per sample.", kind,
        remedy="Its name is the sample's id, and its frames were summarised.",
    )  # fmt: skip
    return Recording(
        kind=kind,
        name=sample,
        source=source,
        columns=features,
        load=lambda: _track(source, features, time),
        modality=kind.rpartition(".")[0],
        statistics=statistics,
        options={"frames": str(options.frames)},
        problems=(note,),
    )


def _track(source: SourceFile, features: Sequence[str], time: str) -> Track:
    frame = frame_table(source)
    seconds = numbers(frame, time, source) if time else None
    return track_of(frame, features, source, seconds=seconds)
