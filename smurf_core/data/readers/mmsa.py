"""MMSA's and M-SENA's pickles: train, valid and test, each with text, audio, vision and labels."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.data.problems import Problem, listing
from smurf_core.data.readers.interface import Table
from smurf_core.data.readers.pooling import pool
from smurf_core.data.readers.restricted_pickle import RefusedPickle, load_restricted
from smurf_core.data.sources import SourceFile, check_shape
from smurf_core.data.splits import SPLIT_WORDS, SPLITS
from smurf_core.errors import InputError

_MODALITIES = ("text", "audio", "vision")
# The outer dictionary's first key is within the pickle's first bytes.
_FIRST_KEY = re.compile(rb"\A.{0,20}?(train(?!ing)|valid(?!ation)|test)", re.DOTALL)
_VIDEO = "$_$"
_LONGEST = 20_000  # characters of a transcript


class MmsaReader:
    """MMSA's pickles, read without running them; sequences are pooled over their valid steps."""

    title = "MMSA pickle"
    suffixes = (".pkl", ".pickle")

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the file is a pickle whose first key is a split."""
        is_pickle = head[:1] == b"\x80" and head[1:2] in b"\1\2\3\4\5"
        return is_pickle and _FIRST_KEY.match(head[:64]) is not None

    def read(self, source: SourceFile, *, rows: int | None = None) -> tuple[Table, ...]:
        """One table of all splits."""
        try:
            loaded = load_restricted(source.path.read_bytes(), stand_ins={})
        except RefusedPickle as error:
            raise InputError(
                f"{source.name} was not read: {error}; pickles are read only where they contain "
                "plain arrays, as MMSA's do."
            ) from error
        is_split = isinstance(loaded, dict) and all(isinstance(p, dict) for p in loaded.values())
        if not is_split:
            raise _no_mmsa(source, "it is not a dictionary of splits")
        split_of = {name: SPLIT_WORDS.get(str(name).lower(), "") for name in loaded}
        known = sorted(filter(split_of.get, loaded), key=lambda name: SPLITS.index(split_of[name]))
        if not known:
            raise _no_mmsa(source, "it has none of the keys train, valid and test")
        parts = [_Part(source, str(name), loaded[name], rows) for name in known]
        frames = [part.frame() for part in parts]
        different = [f for f in frames[1:] if list(f.columns) != list(frames[0].columns)]
        if different:
            names = set(frames[0].columns) ^ set(different[0].columns)
            raise _no_mmsa(
                source, f"its splits contain different columns ({listing(sorted(names))})"
            )
        frame = pd.concat(frames, ignore_index=True)
        problems = _summed([problem for part in parts for problem in part.problems], source)
        if others := [str(name) for name in loaded if not split_of[name]]:
            message = f"{listing(others)} is no split."
            remedy = "It was left out; splits are called train, valid and test."
            problems.append(Problem("warning", message, source.name, remedy=remedy))
        return (Table(source.name, frame, problems=tuple(problems)),)


def _no_mmsa(source: SourceFile, why: str) -> InputError:
    return InputError(f"{source.name} is not a feature pickle in MMSA's format: {why}.")


def _summed(problems: list[tuple[str, str]], source: SourceFile) -> list[Problem]:
    return [
        Problem("note", message, source.name, remedy=remedy)
        for message, remedy in dict.fromkeys(problems)
    ]


class _Part:
    """One split."""

    def __init__(
        self, source: SourceFile, split: str, given: Mapping[Any, Any], rows: int | None
    ) -> None:
        self.source, self.split, self.given, self.rows = source, split, given, rows
        self.problems: list[tuple[str, str]] = []
        labels = self._vector("regression_labels")
        self.n = len(labels) if labels is not None else self._length()

    def _length(self) -> int:
        for key in _MODALITIES:
            if isinstance(self.given.get(key), np.ndarray):
                return len(self.given[key])
        raise _no_mmsa(
            self.source, f"its split {self.split!r} contains neither labels nor features"
        )

    def frame(self) -> pd.DataFrame:
        """Ids, split, labels, texts, and statistics of the sequences."""
        columns: dict[str, Any] = {}
        ids = self._vector("id")
        if ids is not None:
            texts = [_text(cell, self.source, f"{self.split}/id") for cell in ids]
            columns["sample_id"] = texts
            if all(_VIDEO in text for text in texts):
                columns["recording"] = [text.partition(_VIDEO)[0] for text in texts]
        columns["split"] = [self.split] * self.n
        for key in ("regression_labels", "classification_labels"):
            for suffix in ("", "_T", "_A", "_V"):
                values = self._vector(key + suffix)
                if values is not None:
                    name = key.replace("regression_labels", "label") + suffix
                    columns[name] = _numbers(values, self.source, key + suffix)
        for key, name in (("annotations", "annotation"), ("raw_text", "transcript")):
            values = self._vector(key)
            if values is not None:
                columns[name] = [_text(cell, self.source, f"{self.split}/{key}") for cell in values]
        frame = pd.DataFrame(columns).iloc[: self.rows].reset_index(drop=True)
        parts = [frame, *(self._features(key) for key in _MODALITIES if key in self.given)]
        return pd.concat(parts, axis=1)

    def _vector(self, key: str) -> list[Any] | None:
        """One value per sample, from an array or a list; None if there is no such key."""
        values = self.given.get(key)
        if values is None:
            return None
        found = np.ravel(values).tolist() if isinstance(values, np.ndarray) else values
        if not isinstance(found, list | tuple):
            raise _no_mmsa(self.source, f"{self.split}/{key} is not one value per sample")
        if hasattr(self, "n") and len(found) != self.n:
            raise _no_mmsa(
                self.source, f"{self.split}/{key} has {len(found)} values for {self.n} samples"
            )
        return list(found)

    def _features(self, key: str) -> pd.DataFrame:
        values, given = self.given[key], None
        if isinstance(values, list | tuple):  # one array per sample, of its own length
            values, given = self._padded(key, values)
        if not isinstance(values, np.ndarray) or values.dtype.kind not in "iuf":
            raise _no_mmsa(self.source, f"{self.split}/{key} is not an array of numbers")
        if values.ndim not in (2, 3) or len(values) != self.n:
            raise _no_mmsa(
                self.source, f"{self.split}/{key} has shape {values.shape} for {self.n} samples"
            )
        check_shape(self.source, self.n, 2 * values.shape[-1])
        values = values[: self.rows]
        if values.ndim == 2:
            names = [f"{key}_{j}" for j in range(values.shape[1])]
            return pd.DataFrame(values.astype(np.float64), columns=names)
        lengths = given if given is not None else self._lengths(key, values.shape[1])
        known = None if lengths is None else np.array(lengths[: self.rows], dtype=np.int64)
        pooled = pool(values, lengths=known)
        how = "within the lengths that the file gives" if known is not None else (
            "except those with only zeros, which are padding")  # fmt: skip
        message = f"sequences of {key} were read as mean and standard deviation over time."
        self.problems.append((message, f"All steps count {how}."))
        parts = {"mean": pooled.mean, "sd": pooled.sd}
        table = np.concatenate(list(parts.values()), axis=1).astype(np.float64)
        names = [f"{key}_{what}_{j}" for what in parts for j in range(values.shape[2])]
        return pd.DataFrame(table, columns=names)

    def _padded(
        self, key: str, arrays: Sequence[Any]
    ) -> tuple[npt.NDArray[np.floating], list[int]]:
        """Sequences [n, steps, d] with zeros after the end of each, and their lengths."""
        are_tables = all(isinstance(a, np.ndarray) and a.dtype.kind in "iuf" for a in arrays)
        widths = {a.shape[1] if a.ndim == 2 else -1 for a in arrays} if are_tables else {-1}
        if len(widths) != 1 or -1 in widths:
            raise _no_mmsa(
                self.source, f"{self.split}/{key} is not a list of sequences of equal width"
            )
        lengths = [len(array) for array in arrays]
        check_shape(self.source, len(arrays) * max(lengths), *widths)
        padded = np.zeros((len(arrays), max(lengths), *widths), dtype=np.float32)
        for row, array in zip(padded, arrays, strict=True):
            row[: len(array)] = array
        return padded, lengths

    def _lengths(self, key: str, steps: int) -> list[int] | None:
        """Number of steps of each sample: as given, or for text from its attention mask."""
        given = self._vector(f"{key}_lengths")
        if given is not None:
            if not all(type(item) is int and item >= 0 for item in given):
                raise _no_mmsa(self.source, f"{self.split}/{key}_lengths are not whole numbers")
            return [min(item, steps) for item in given]
        mask = self.given.get("text_bert")
        if key != "text" or not isinstance(mask, np.ndarray) or mask.dtype.kind not in "iuf":
            return None
        if mask.shape != (self.n, 3, steps):
            return None
        return [int(count) for count in (mask[:, 1] > 0).sum(axis=1)]


def _text(cell: Any, source: SourceFile, where: str) -> str:
    """A cell as text; one long text may occur a million times in a pickle."""
    if not isinstance(cell, str | int | float) or len(str(cell)) > _LONGEST:
        raise _no_mmsa(source, f"{where} contains something other than texts of usual length")
    return str(cell)


def _numbers(values: list[Any], source: SourceFile, key: str) -> list[float]:
    try:
        return [float(cell) for cell in values]
    except (TypeError, ValueError) as error:
        raise _no_mmsa(source, f"{key} contains something other than numbers") from error
