"""Features of one kind, from a folder or a table to rows: what `smurf extract` and the app call."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from smurf_core.data.readers.frames import ReadingOptions
from smurf_core.errors import InputError
from smurf_core.extraction.audio import AUDIO_SUFFIXES, DECODED_SUFFIXES, EgemapsExtractor
from smurf_core.extraction.running import Extraction, OnProgress, OnUtterance, extract
from smurf_core.extraction.store import FeatureStore
from smurf_core.extraction.text import DEFAULT_MODEL, SentenceEmbedder
from smurf_core.extraction.utterances import (
    Columns,
    Utterance,
    texts_of_folder,
    texts_of_table,
    utterances_of_folder,
    utterances_of_table,
)
from smurf_core.extraction.video import OPENFACE_SUFFIX, VIDEO_SUFFIXES, extract_faces

Kind = Literal["audio", "text", "video"]


@dataclass(frozen=True)
class Tools:
    """What an extraction uses: a language model, and an installed OpenFace."""

    model: str = DEFAULT_MODEL  # name of a sentence-transformers model, or its folder
    download: bool = False  # if the model is not on this machine
    openface: str = ""  # the program or its folder; empty: that of SMURF_OPENFACE, or on PATH
    options: ReadingOptions = field(default_factory=ReadingOptions)  # of frames


def extract_features(
    kind: Kind,
    source: Path,
    store: FeatureStore,
    *,
    folder: Path | None = None,
    columns: Columns | None = None,
    tools: Tools | None = None,
    on_progress: OnProgress = lambda done, total: None,
    on_utterance: OnUtterance = lambda utterance, problem: None,
) -> Extraction:
    """Extract the features of all utterances of a folder or table.

    Parameters
    ----------
    kind
        `audio`: 88 functionals of eGeMAPSv02 (openSMILE); `text`: a sentence embedding
        (sentence-transformers); `video`: statistics of action units, pose and gaze (OpenFace).
    source
        A folder of files, or a table with one row per utterance.
    store
        Where results are kept; what it has is not computed again.
    folder
        Of the recordings in a table; by default that of the table.
    columns
        Of the table; those that are not named are found by their usual names.
    tools
        Model, program and options.
    on_progress
        Receives the number of utterances that are done, and of all.
    on_utterance
        Receives each utterance that is done, and the reason if it failed.

    Returns
    -------
    Extraction
        One row per utterance that succeeded, and a table of those that failed.

    Raises
    ------
    InputError
        If the source cannot be read, or the tool is not installed.
    """
    columns, tools = columns or Columns(), tools or Tools()
    utterances = _utterances(kind, source, folder, columns)
    if kind == "video":
        return extract_faces(
            utterances, store, program=tools.openface, options=tools.options,
            on_progress=on_progress, on_utterance=on_utterance,
        )  # fmt: skip
    extractor = (
        EgemapsExtractor()
        if kind == "audio"
        else SentenceEmbedder(tools.model, download=tools.download)
    )
    return extract(utterances, extractor, store, on_progress=on_progress, on_utterance=on_utterance)


def _utterances(
    kind: Kind, source: Path, folder: Path | None, columns: Columns
) -> tuple[Utterance, ...]:
    if not source.exists():
        raise InputError(f"{source} does not exist: name a folder or a table.")
    if kind == "text":
        return texts_of_folder(source) if source.is_dir() else texts_of_table(source, columns)
    first, second = {
        "audio": (AUDIO_SUFFIXES, DECODED_SUFFIXES),
        "video": (VIDEO_SUFFIXES, (OPENFACE_SUFFIX,)),
    }[kind]
    if not source.is_dir():
        return utterances_of_table(source, (*first, *second), folder=folder, columns=columns)
    # A folder of both has the same samples twice: the sound beside its video, for example.
    has_first = any(path.suffix.lower() in first for path in source.rglob("*"))
    return utterances_of_folder(source, first if has_first else second)
