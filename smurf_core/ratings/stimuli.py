"""Stimuli: what raters get of a clip in a condition, made once from the study's recordings.

A stimulus is the clip from its start to its end, with picture and sound as the condition's form
says. It is kept under the content of the recording and all settings, so that it is made again if
and only if one of them changes. Every file is checked: a muted file has no sound in it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from smurf_core.data.dataset import MultimodalDataset
from smurf_core.data.media import Clip, MediaSettings, find_clip
from smurf_core.durable import checksum, write_whole
from smurf_core.errors import InputError
from smurf_core.ratings.design import FORMS, Condition, Design, Form, Presentation
from smurf_core.ratings.ffmpeg import Recipe, check, render
from smurf_core.runs.disk import disk_error
from smurf_core.runs.studies import media_of
from smurf_core.runs.workspace import Workspace

_VERSION = 1  # of the recipes: a change makes all stimuli anew
_LOOKED_AT = 20  # recordings whose kinds are those of the study
STIMULUS_TYPES = {".mp4": "video/mp4", ".mp3": "audio/mpeg"}


@dataclass(frozen=True)
class Failure:
    """A clip that cannot be shown in a condition."""

    clip: str  # sample id
    condition: str
    why: str  # a sentence


@dataclass(frozen=True)
class Stimuli:
    """The stimuli of one study."""

    dataset: MultimodalDataset
    settings: MediaSettings | None  # None: the study has no recordings
    folder: Path

    @classmethod
    def of(cls, workspace: Workspace, study_id: str, dataset: MultimodalDataset) -> Stimuli:
        """Those of a study, with the recordings that it has now."""
        folder = workspace.study_folder(study_id) / "stimuli"
        return cls(dataset, media_of(workspace, study_id), folder)

    def forms(self) -> tuple[Form, ...]:
        """The forms in which some sample can be shown, by its files' names: nothing is opened."""
        has_words = self._transcripts() is not None
        kinds = {clip.kind for clip in self._recordings()}
        return tuple(
            form
            for form, shown in FORMS.items()
            if (has_words or not shown.words)
            and ("video" in kinds or not shown.picture)
            and (kinds or shown.sound == "none")
        )

    def _transcripts(self) -> str | None:
        from smurf_core.evaluation.samples import transcript_column  # It loads all of evaluation.

        return transcript_column(self.dataset)

    def _recordings(self) -> Iterator[Clip]:
        """Recordings of the first samples that have one: a folder has one kind, or both."""
        if self.settings is None:
            return
        found = 0
        for sample in self.dataset.sample_ids.tolist():
            try:
                clip = find_clip(self.settings, self.dataset, sample)
            except InputError:
                continue
            if clip is not None:
                yield clip
                found += 1
            if found == _LOOKED_AT:
                return

    def words(self, clip: str) -> str:
        """The transcript of a sample; raises `InputError` if there is none."""
        column = self._transcripts()
        at = int(self.dataset.positions(np.array([clip]))[0])
        said = None if column is None else self.dataset.samples[column].iloc[at]
        if said is None or pd.isna(said) or not str(said).strip():
            raise InputError(f"Sample {clip!r} has no transcript.")
        return str(said).strip()

    def file(self, clip: str, condition: Condition, filter_hz: float) -> Path | None:
        """The stimulus of a sample in a condition, made if it is not there yet.

        None if the condition shows words only. Raises `InputError` with the reason if it cannot be
        made.
        """
        shown = condition.presentation
        if not _has_file(shown):
            return None
        found = None if self.settings is None else find_clip(self.settings, self.dataset, clip)
        if found is None:
            raise InputError(f"Sample {clip!r} has no recording.")
        recipe = Recipe(shown.picture, shown.sound, filter_hz)
        try:
            path = self.folder / f"{_key(found, recipe)}{recipe.suffix}"
            if not path.is_file():
                write_whole(path, lambda partial: _make(found, partial, recipe))
        except OSError as error:
            raise disk_error(error, self.folder) or InputError(
                f"{found.path.name} cannot be opened: {error.strerror}."
            ) from error
        return path


def make_stimuli(
    stimuli: Stimuli,
    design: Design,
    clips: Iterable[str],
    progress: Callable[[int, int], None] | None = None,
) -> list[Failure]:
    """Make all stimuli of some clips in a design's conditions, and of its practice items.

    Parameters
    ----------
    stimuli : Stimuli
        Of the study.
    design : Design
        Its conditions, practice items and cut-off.
    clips : iterable of str
        Sample ids.
    progress : function or None
        Called with stimuli done and all.

    Returns
    -------
    list of Failure
        What cannot be shown, in the order of clips and conditions.
    """
    every = [
        (clip, condition)
        for clip in dict.fromkeys([*design.practice, *clips])
        for condition in design.conditions
    ]
    failures = []
    for done, (clip, condition) in enumerate(every, 1):
        try:
            if condition.presentation.words:
                stimuli.words(clip)
            stimuli.file(clip, condition, design.filter_hz)
        except InputError as error:
            failures.append(Failure(clip, condition.name, str(error)))
        if progress is not None:
            progress(done, len(every))
    return failures


def _has_file(shown: Presentation) -> bool:
    return shown.picture or shown.sound != "none"


def _make(clip: Clip, target: Path, recipe: Recipe) -> None:
    render(clip.path, target, recipe, clip.start, clip.end)
    check(target, recipe, clip.path.name)


def _key(clip: Clip, recipe: Recipe) -> str:
    found = clip.path.stat()
    content = _content(clip.path, found.st_size, found.st_mtime_ns)
    cutoff = recipe.filter_hz if recipe.sound == "filtered" else None
    parts = [_VERSION, content, clip.start, clip.end, recipe.picture, recipe.sound, cutoff]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


@lru_cache(maxsize=100_000)
def _content(path: Path, size: int, changed: int) -> str:
    """The checksum of a recording, read again if its size or time changes."""
    return checksum(path)
