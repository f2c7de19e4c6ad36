"""Further targets of files that are a whole study, such as the 17 of POM's cache."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from smurf_core.data.dataset import FurtherTarget, MultimodalDataset
from smurf_core.data.problems import Problem, listing
from smurf_core.data.readers.interface import Study, StudyReader
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError


def read_whole_study(
    reader: StudyReader, source: SourceFile, target: str, further: Sequence[str]
) -> Study:
    """The study with one target and further ones of the same samples.

    Samples are identified by their features and persons, because caches have no ids. The folds are
    those of the first target. Raises `InputError` if the samples of a further target are others.
    """
    study = reader.read(source, target=target)
    data, problems = study.dataset, list(study.problems)
    found: dict[str, FurtherTarget] = {}
    for name in further:
        other = reader.read(source, target=name).dataset
        place = _places(data, other)
        there = place >= 0
        if not there.any():
            raise InputError(
                f"{source.name}: the samples of target {name!r} have other features than those of "
                f"{target!r}: import it as a study of its own."
            )
        missing = -1 if other.task == "classification" else np.nan
        values = np.full(len(data), missing, dtype=other.target.dtype)
        values[there] = other.target[place[there]]
        found[other.target_name] = FurtherTarget(other.task, values, other.class_names)
        problems += _said(data, other, place, source)
    if not found:
        return study
    notes = tuple(str(problem) for problem in problems)
    return Study(replace(data, further_targets=found, notes=notes), tuple(problems))


def _places(data: MultimodalDataset, other: MultimodalDataset) -> npt.NDArray[np.intp]:
    """The position of each sample in another data set, −1 if it is not there."""
    waiting: dict[bytes, list[int]] = defaultdict(list)
    for position, content in enumerate(_contents(other, data)):
        waiting[content].append(position)
    found = [
        own.pop(0) if (own := waiting.get(content)) else -1 for content in _contents(data, other)
    ]
    return np.array(found, dtype=np.intp)


def _contents(data: MultimodalDataset, other: MultimodalDataset) -> list[bytes]:
    """The person and the features that two data sets have in common, of each sample."""
    blocks = []
    for modality, features in data.features.items():
        if modality in other.features:
            names = set(other.features[modality].names)
            kept = [k for k, name in enumerate(features.names) if name in names]
            blocks.append(features.values[:, kept])
    rows = np.ascontiguousarray(np.concatenate(blocks, axis=1)) if blocks else np.zeros((0, 0))
    persons = data.persons if data.persons is not None else np.full(len(rows), "")
    return [row.tobytes() + person.encode() for row, person in zip(rows, persons, strict=True)]


def _said(
    data: MultimodalDataset,
    other: MultimodalDataset,
    place: npt.NDArray[np.intp],
    source: SourceFile,
) -> list[Problem]:
    """Samples that only one of two targets has, and folds that differ."""
    problems = []
    name, there = other.target_name, place >= 0
    if not there.all():
        message = f"{int((~there).sum())} of {len(data)} samples have no value of {name!r}."
        remedy = "They are left out where it is predicted."
        problems.append(Problem("note", message, source.name, remedy=remedy))
    if len(other) > int(there.sum()):
        extra = [i for k, i in enumerate(other.sample_ids) if k not in set(place.tolist())]
        message = f"{len(extra)} samples have {name!r} and not {data.target_name!r}."
        remedy = f"They were left out; name {name!r} first to keep them ({listing(extra)})."
        problems.append(Problem("warning", message, source.name, remedy=remedy))
    if data.folds is not None and other.folds is not None:
        own, theirs = data.folds.test[:, there], other.folds.test[:, place[there]]
        if not np.array_equal(own, theirs):
            message = f"the file has other folds for {name!r} than for {data.target_name!r}."
            remedy = f"Those of {data.target_name!r} are used for all."
            problems.append(Problem("warning", message, source.name, remedy=remedy))
    return problems
