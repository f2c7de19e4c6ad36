"""Extracts statistics of action units, pose and gaze with OpenFace or from its files."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from smurf_core.data.readers.frames import ReadingOptions, Recording, Track, overlap, summarised
from smurf_core.data.readers.openface import OpenFaceReader
from smurf_core.data.sources import SourceFile
from smurf_core.durable import partial_name
from smurf_core.errors import InputError
from smurf_core.extraction.running import (
    Extraction,
    OnProgress,
    OnUtterance,
    failure_table,
    file_checksum,
)
from smurf_core.extraction.store import FeatureStore, Tool
from smurf_core.extraction.utterances import Utterance, checksum

VIDEO_SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv")
OPENFACE_SUFFIX = ".csv"
PROGRAM = "FeatureExtraction"
OPENFACE_VARIABLE = "SMURF_OPENFACE"  # the program or its folder, if it is not on PATH
_WANTED = ("-aus", "-pose", "-gaze")


class OpenFace:
    """An installed OpenFace; each recording is tracked once, and its file is stored."""

    def __init__(self, store: FeatureStore, program: str = "") -> None:
        program = program or os.environ.get(OPENFACE_VARIABLE, "")
        found = openface_program(program)
        if not found:
            where = f"There is no program {program!r}" if program else f"{PROGRAM} is not on PATH"
            raise InputError(
                f"{where}: install OpenFace and name its {PROGRAM} with --openface, or give the "
                "folder of CSV files that it wrote elsewhere."
            )
        self._store = store
        self._program = Path(found).resolve()
        # OpenFace shows no version, so the checksum of the program identifies it.
        version = checksum(self._program, self._program.stat().st_mtime_ns)
        self.tool = Tool("OpenFace", version, {"wanted": _WANTED})

    def track(self, utterance: Utterance) -> tuple[Path, bool]:
        """OpenFace's file of an utterance's whole recording, and True if it existed before."""
        key = self._store.key(self.tool.parts(), file_checksum(utterance))
        kept = self._store.path(key, OPENFACE_SUFFIX)
        if kept.is_file():
            return kept, True
        kept.parent.mkdir(parents=True, exist_ok=True)
        folder = partial_name(kept)
        folder.mkdir()
        try:
            self._run(utterance, folder)
            os.replace(folder / f"track{OPENFACE_SUFFIX}", kept)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return kept, False

    def _run(self, utterance: Utterance, folder: Path) -> None:
        command = [str(self._program), "-f", str(utterance.path), "-out_dir", str(folder)]
        ended = subprocess.run(  # noqa: S603 — the program is the user's own, and no shell runs
            [*command, "-of", "track", *_WANTED],
            stdin=subprocess.DEVNULL, capture_output=True, check=False,
        )  # fmt: skip
        if ended.returncode or not (folder / f"track{OPENFACE_SUFFIX}").is_file():
            said = (ended.stderr + b"\n" + ended.stdout).decode(errors="replace").split("\n")
            last = next((line.strip() for line in reversed(said) if line.strip()), "nothing")
            raise InputError(
                f"{utterance.place}: OpenFace ended with code {ended.returncode} and wrote no file "
                f"of features; its last message: {last[:200]}."
            )


def openface_program(named: str = "") -> str | None:
    """OpenFace's program: the named one, that in a named folder, or else the one on PATH."""
    if named and Path(named).is_dir():
        return shutil.which(PROGRAM, path=named)
    return shutil.which(named or PROGRAM)


def extract_faces(
    utterances: Sequence[Utterance],
    store: FeatureStore,
    *,
    program: str = "",
    options: ReadingOptions | None = None,
    on_progress: OnProgress = lambda done, total: None,
    on_utterance: OnUtterance = lambda utterance, problem: None,
) -> Extraction:
    """Statistics of the well tracked frames of each utterance, in the utterances' order.

    Recordings are tracked completely and once; OpenFace's files (`.csv`) are read directly.
    """
    are_videos = [u for u in utterances if u.path and u.path.suffix.lower() != OPENFACE_SUFFIX]
    openface = OpenFace(store, program) if are_videos else None
    rows: list[pd.DataFrame] = []
    problems: dict[int, InputError] = {}
    reused = 0
    for position, utterance in enumerate(utterances):
        try:
            is_kept = False
            file = utterance.path
            if openface and file and file.suffix.lower() != OPENFACE_SUFFIX:
                file, is_kept = openface.track(utterance)
            row = _statistics(utterance, file, options or ReadingOptions())
        except InputError as error:
            problems[position] = error
        else:
            if rows and list(row) != list(rows[0]):
                problems[position] = InputError(
                    f"{utterance.place} has different features from the files before it: extract "
                    "all "
                    "with one version of OpenFace."
                )
            else:
                rows.append(row)
                reused += is_kept
        on_utterance(utterance, problems.get(position))
        on_progress(position + 1, len(utterances))
    features = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame({"sample_id": []})
    return Extraction(features, failure_table(utterances, problems), reused)


def _statistics(utterance: Utterance, file: Path | None, options: ReadingOptions) -> pd.DataFrame:
    """One row: the utterance's id and its statistics; raises an error if no frame counts."""
    assert file is not None  # noqa: S101 — for the type checker
    name = f"{utterance.path.stem if utterance.path else utterance.sample_id}{OPENFACE_SUFFIX}"
    whole, track = _recording(name, file, _stamp(file), options)
    start = -np.inf if utterance.start is None else utterance.start
    end = np.inf if utterance.end is None else utterance.end
    cut = replace(track, kept=track.kept & (overlap(track, start, end) > 0))
    recording = replace(whole, name=utterance.sample_id, load=lambda: cut)
    (table,) = summarised([recording], ())
    if table.frame.drop(columns="sample_id").isna().all(axis=None):
        raise InputError(
            f"{utterance.place}: no frame was tracked with a confidence of {options.confidence:g} "
            "or more."
        )
    return table.frame


def _stamp(file: Path) -> int:
    return file.stat().st_mtime_ns if file.is_file() else 0


@lru_cache(maxsize=2)
def _recording(
    name: str, file: Path, modified: int, options: ReadingOptions
) -> tuple[Recording, Track]:
    """A recording and its frames, read once for consecutive utterances."""
    source = SourceFile(name, file)
    reader = OpenFaceReader()
    if not reader.recognises(source, source.head()):
        raise InputError(f"{name} is not a file of OpenFace's {PROGRAM}.")
    (recording,) = reader.recordings(source, options)
    return recording, recording.load()
