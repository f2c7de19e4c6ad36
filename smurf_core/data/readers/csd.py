"""CMU Multimodal SDK's computational sequences: `<name>/data/<recording>/{features, intervals}`."""

from __future__ import annotations

import json
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.data.problems import Problem
from smurf_core.data.readers.frames import ReadingOptions, Recording, Track
from smurf_core.data.readers.hdf5 import own_member
from smurf_core.data.readers.hdf5_heaps import check_texts
from smurf_core.data.readers.interface import Table
from smurf_core.data.sources import SourceFile, check_shape
from smurf_core.errors import InputError

_MAX_RECORDINGS = 100_000
_PAUSE = ("sp", "")


class CsdLabelsReader:
    """Sequences of labels: each row of a recording is a sample, with its start and end."""

    title = "CMU labels"
    suffixes = (".csd", ".h5", ".hdf5")

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the file is a sequence and its name says that it contains labels."""
        return _is_csd(source, head) and "label" in _root(source).lower()

    def read(self, source: SourceFile, *, rows: int | None = None) -> tuple[Table, ...]:
        """One table: sample id as `recording[k]`, recording, start, end, labels."""
        sequences = _Sequences(source)
        ids: list[str] = []
        recordings: list[str] = []
        blocks: list[npt.NDArray[np.float64]] = []
        times: list[npt.NDArray[np.float64]] = []
        for name in sequences.names:
            values, intervals = sequences.read(name)
            if values.dtype.kind not in "biuf":
                raise InputError(f"{source.name}, {name!r}: labels are numbers, not text.")
            ids += [f"{name}[{k}]" for k in range(len(values))]
            recordings += [name] * len(values)
            blocks.append(values.astype(np.float64))
            times.append(intervals)
            check_shape(source, len(ids), sequences.width)
            if rows is not None and len(ids) >= rows:
                break
        values, intervals = np.concatenate(blocks), np.concatenate(times)
        labels = sequences.columns if sequences.width > 1 else ("label",)
        frame = pd.DataFrame(
            {"sample_id": ids, "recording": recordings, "start": intervals[:, 0],
             "end": intervals[:, 1], **{name: values[:, j] for j, name in enumerate(labels)}}
        ).iloc[:rows]  # fmt: skip
        message = f"{len(frame)} samples of {len(set(frame['recording']))} recordings."
        remedy = "Choose recording as person if each recording has a different speaker."
        note = Problem("note", message, source.name, remedy=remedy)
        options = {"sequence": sequences.root}
        return (Table(source.name, frame, problems=(note,), options=options),)


class CsdReader:
    """Sequences of features or of words, aligned to samples by their intervals."""

    title = "CMU sequence"
    suffixes = (".csd", ".h5", ".hdf5")

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the file has the layout of the SDK."""
        return _is_csd(source, head)

    def recordings(
        self, source: SourceFile, options: ReadingOptions, *, rows: int | None = None
    ) -> tuple[Recording, ...]:
        """All recordings, each read when it is summarised; with `rows`, only the first 20."""
        sequences = _Sequences(source)
        is_words = sequences.dtype.kind not in "biuf"
        columns = ("words",) if is_words else sequences.columns
        return tuple(
            Recording(
                kind=source.stem,
                name=name,
                source=source,
                columns=columns,
                load=lambda name=name: _track(sequences, name, is_words),  # type: ignore[misc]
                modality=sequences.root.lower().replace(" ", "_"),
                statistics=("mean", "sd"),
                options={"sequence": sequences.root, "frames": str(options.frames)},
            )
            for name in sequences.names[: 20 if rows is not None else None]
        )


def _track(sequences: _Sequences, name: str, is_words: bool) -> Track:
    values, intervals = sequences.read(name)
    kept: npt.NDArray[np.bool_] = np.asarray(np.isfinite(intervals).all(axis=1))
    words: tuple[str, ...] = ()
    if is_words:
        texts = [
            cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell)
            for cell in values[:, 0]
        ]
        words = tuple(texts)
        kept &= np.array([text not in _PAUSE for text in texts], dtype=bool)
        values = np.zeros((len(texts), 0))
    return Track(intervals[:, 0], intervals[:, 1], values.astype(np.float64), kept, words)


class _Sequences:
    """A file's recordings, whose shapes are checked before anything is read."""

    def __init__(self, source: SourceFile) -> None:
        self.source = source
        with _open(source) as file:
            self.root = next(iter(file))
            root = own_member(self.root, self.root, file, source)
            data = own_member(f"{self.root}/data", "data", root, source)
            self.names = tuple(data)
            if not 0 < len(self.names) <= _MAX_RECORDINGS:
                raise InputError(
                    f"{source.name} contains {len(self.names):,} recordings; from 1 to "
                    f"{_MAX_RECORDINGS:,} are read."
                )
            first = self._member(data, self.names[0], "features")
            self.width, self.dtype = first.shape[1], first.dtype
            self.columns = self._columns(root)

    def _member(self, data: h5py.Group, name: str, what: str) -> h5py.Dataset:
        path = f"{self.root}/data/{name}"
        group = own_member(path, name, data, self.source)
        item = (
            own_member(f"{path}/{what}", what, group, self.source)
            if isinstance(group, h5py.Group) and what in group
            else None
        )
        if not isinstance(item, h5py.Dataset) or item.ndim != 2:
            raise InputError(
                f"{self.source.name}, {path!r}: it needs {what} as a table of rows over time."
            )
        check_texts(item, self.source)
        return item

    def _columns(self, root: h5py.Group) -> tuple[str, ...]:
        """Dimension names from the metadata, if their number is right; otherwise numbers."""
        given: Any = None
        if "metadata" in root:
            metadata = own_member(f"{self.root}/metadata", "metadata", root, self.source)
            if isinstance(metadata, h5py.Group) and "dimension names" in metadata:
                path = f"{self.root}/metadata/dimension names"
                item = own_member(path, "dimension names", metadata, self.source)
                if isinstance(item, h5py.Dataset) and item.size == 1:
                    check_texts(item, self.source)
                    cell = item[()] if item.ndim == 0 else item[(0,) * item.ndim]
                    try:
                        given = json.loads(cell)
                    except (TypeError, ValueError, RecursionError):
                        given = None
        names = [str(name) for name in given] if isinstance(given, list) else []
        is_fitting = len(names) == self.width == len(set(names))
        return tuple(names) if is_fitting else tuple(str(j) for j in range(self.width))

    def read(self, name: str) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64]]:
        """Features [t, d] and intervals [t, 2] of a recording."""
        with _open(self.source) as file:
            data = file[self.root]["data"]
            features = self._member(data, name, "features")
            intervals = self._member(data, name, "intervals")
            check_shape(self.source, features.shape[0], features.shape[1])
            fits = intervals.shape == (features.shape[0], 2) and features.shape[1] == self.width
            if not fits or intervals.dtype.kind not in "iuf":
                raise InputError(
                    f"{self.source.name}, {name!r}: features {features.shape} and intervals "
                    f"{intervals.shape} do not belong together."
                )
            if features.dtype.itemsize > 1024:
                raise InputError(f"{self.source.name}, {name!r}: its cells are not words.")
            return np.asarray(features[()]), np.asarray(intervals[()], dtype=np.float64)


class _open:
    """An HDF5 file whose errors become readable messages."""

    def __init__(self, source: SourceFile) -> None:
        self._source = source

    def __enter__(self) -> h5py.File:
        try:
            self._file = h5py.File(self._source.path, "r")
        except OSError as error:
            raise self._damaged() from error
        return self._file

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._file.close()
        if isinstance(error, OSError | RuntimeError | KeyError | TypeError) or (
            isinstance(error, ValueError) and not isinstance(error, InputError)
        ):
            raise self._damaged() from error

    def _damaged(self) -> InputError:
        return InputError(
            f"{self._source.name} is damaged or not an HDF5 file: write or download it again."
        )


def _is_csd(source: SourceFile, head: bytes) -> bool:
    """True if the only group contains data and metadata, or the file has that name."""
    if not head.startswith(b"\x89HDF\r\n\x1a\n"):
        return False
    with _open(source) as file:
        roots = list(file)
        if len(roots) != 1 or not isinstance(file.get(roots[0], getlink=True), h5py.HardLink):
            return False
        root = file[roots[0]]
        return isinstance(root, h5py.Group) and "data" in root and "metadata" in root


def _root(source: SourceFile) -> str:
    with _open(source) as file:
        return str(next(iter(file)))
