"""Extracts features of many utterances, stores each result, and lists failures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from smurf_core.errors import InputError
from smurf_core.extraction.store import Array, FeatureStore, Tool
from smurf_core.extraction.utterances import Utterance, checksum

# Number of utterances that are done, and of all utterances.
OnProgress = Callable[[int, int], None]
# An utterance that is done, and the reason if it failed.
OnUtterance = Callable[[Utterance, InputError | None], None]


class Extractor(Protocol):
    """Turns utterances into vectors of named features."""

    tool: Tool
    names: tuple[str, ...]
    batch_size: int

    def features(self, utterances: Sequence[Utterance]) -> Sequence[Array | InputError]:
        """A vector for each utterance, or the reason why there is none."""


@dataclass(frozen=True)
class Extraction:
    """A table of features and a table of failures.

    `features`: one row per utterance, its id as `sample_id`; `failures`: sample_id, file, problem.
    """

    features: pd.DataFrame
    failures: pd.DataFrame
    reused: int  # rows from earlier extractions


def extract(
    utterances: Sequence[Utterance],
    extractor: Extractor,
    store: FeatureStore,
    *,
    on_progress: OnProgress = lambda done, total: None,
    on_utterance: OnUtterance = lambda utterance, problem: None,
) -> Extraction:
    """Features of utterances, in their order; earlier results are read from the store."""
    found: dict[int, Array] = {}
    problems: dict[int, InputError] = {}
    keys: dict[int, str] = {}
    for position, utterance in enumerate(utterances):
        try:
            keys[position] = store.key(extractor.tool.parts(), *_content(utterance))
        except InputError as error:
            problems[position] = error
            on_utterance(utterance, error)
            continue
        kept = store.read(keys[position])
        if kept is not None and len(kept) == len(extractor.names):
            found[position] = kept
            on_utterance(utterance, None)
    reused = len(found)
    waiting = [p for p in range(len(utterances)) if p not in found and p not in problems]
    on_progress(len(utterances) - len(waiting), len(utterances))
    for batch in _batches(waiting, extractor.batch_size):
        results = extractor.features([utterances[p] for p in batch])
        for position, result in zip(batch, results, strict=True):
            if isinstance(result, InputError):
                problems[position] = result
            else:
                store.write(keys[position], result)
                found[position] = result
            on_utterance(utterances[position], problems.get(position))
        on_progress(len(found) + len(problems), len(utterances))
    rows = sorted(found)
    features = pd.DataFrame(
        np.stack([found[p] for p in rows]) if rows else np.empty((0, len(extractor.names))),
        columns=list(extractor.names),
    )
    features.insert(0, "sample_id", [utterances[p].sample_id for p in rows])
    return Extraction(features, failure_table(utterances, problems), reused)


def failure_table(utterances: Sequence[Utterance], problems: dict[int, InputError]) -> pd.DataFrame:
    """Failures by the utterance's position: sample_id, file, problem."""
    return pd.DataFrame(
        [
            (utterances[p].sample_id, utterances[p].place, str(problems[p]))
            for p in sorted(problems)
        ],
        columns=["sample_id", "file", "problem"],
    )


def _content(utterance: Utterance) -> tuple[object, ...]:
    """The identity of an utterance, independent of its name and folder."""
    if utterance.path is None:
        return ("text", utterance.text)
    return (file_checksum(utterance), utterance.start, utterance.end)


def file_checksum(utterance: Utterance) -> str:
    """The checksum of an utterance's file; raises an error if the file is missing."""
    assert utterance.path is not None  # noqa: S101 — for the type checker
    try:
        return checksum(utterance.path, utterance.path.stat().st_mtime_ns)
    except OSError as error:
        raise InputError(f"{utterance.path.name} cannot be opened: {error.strerror}.") from error


def _batches(positions: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(positions), size):
        yield positions[start : start + size]
