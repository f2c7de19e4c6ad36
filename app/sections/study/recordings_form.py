"""Recordings and a table of utterances are dropped, and a job is made that extracts features."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from app.sections.study.uploads import forget_uploads, keep_uploads
from app.state.session import workspace
from app.widgets.messages import escaped, show_errors
from smurf_core.from_recordings.at_hand import DEFAULT_MODEL, KINDS, Kind, has_packages, why_not
from smurf_core.from_recordings.jobs import create_job
from smurf_core.from_recordings.process import start
from smurf_core.from_recordings.table import (
    Columns,
    Plan,
    guess_columns,
    plan,
    read_table,
    split_uploads,
)

_UPLOADS, _GENERATION = "kept_recordings", "recordings_generation"
_TITLES: dict[Kind, str] = {
    "audio": "Sound: eGeMAPS, 88 functionals (openSMILE)",
    "text": "Words: sentence embedding of the transcript",
    "video": "Face: action units, pose and gaze (OpenFace)",
}
_ROLES = {
    "id": ("Sample id", "Names each row; no two are equal."),
    "file": ("Recording", "Names of the dropped recordings, with or without suffix."),
    "start": ("Start", "The utterance's start in its recording, in seconds."),
    "end": ("End", "The utterance's end in its recording, in seconds."),
    "text": ("Transcript", "From it come the features of words."),
}


def recordings_form() -> None:
    """Ask for files, columns and kinds of features, and start the extraction."""
    generation = st.session_state.setdefault(_GENERATION, 0)
    files = st.file_uploader(
        "Drop recordings, and one table with a row per utterance",
        accept_multiple_files=True,
        key=f"recordings_{generation}",
    )
    if not files:
        keep_uploads([], _UPLOADS)
        st.markdown(
            "Recordings are WAV, MP3, FLAC, M4A, MP4, MOV, AVI, MPG or MKV. The table (CSV, Excel "
            "and others) names a sample, its recording, start and end in seconds, transcript, "
            "target and person. Nothing leaves this machine."
        )
        return
    place = st.container()
    with show_errors(place):
        table, recordings = split_uploads(keep_uploads(files, _UPLOADS))
        ids = "".join(file.file_id for file in files).encode()
        key = hashlib.sha256(ids).hexdigest()[:12]
        rows = read_table(table)
        found = plan(rows, recordings, _columns(rows, guess_columns(rows, recordings), key))
        st.markdown(escaped(found.sentence))
        kinds, model = _kinds(found, key)
        if len(kinds) == 1:
            st.info(
                "A study needs at least two modalities: choose a second kind of features. Or "
                "download this one when it is done, and drop it on *Upload* with another one."
            )
        if st.button(
            "Extract features", type="primary", key="extract", disabled=not kinds,
            icon=":material/graphic_eq:",
        ):  # fmt: skip
            job = create_job(workspace(), table.stem, found, kinds, model=model)
            start(workspace(), job.id)
            forget_uploads(_UPLOADS)
            st.session_state[_GENERATION] = generation + 1
            st.rerun()


def _columns(rows: pd.DataFrame, guess: Columns, key: str) -> Columns:
    names = ["", *map(str, rows.columns)]
    chosen: dict[str, str] = {}
    for place, (role, (title, explained)) in zip(
        st.columns(len(_ROLES)), _ROLES.items(), strict=True
    ):
        chosen[role] = place.selectbox(
            title, names, names.index(getattr(guess, role)), help=explained,
            format_func=lambda column: column or "(none)", key=f"utterance_{role}_{key}",
        )  # fmt: skip
    return Columns(**chosen)


def _kinds(found: Plan, key: str) -> tuple[Sequence[Kind], str]:
    """The chosen kinds and the language model; what is not possible says why."""
    model = DEFAULT_MODEL
    kinds: list[Kind] = []
    for kind, place in zip(KINDS, st.columns(len(KINDS)), strict=True):
        box = place.container()
        reason = found.why_not(kind)
        if kind == "text" and not reason and has_packages(kind):
            model = place.text_input(
                "Language model", DEFAULT_MODEL, key=f"model_{key}",
                help="Name of a sentence-transformers model, or its folder on this machine.",
            ).strip()  # fmt: skip
        reason = reason or why_not(kind, model)
        # The key changes with the state: what became possible is ticked.
        if box.checkbox(
            _TITLES[kind], not reason, disabled=bool(reason), key=f"kind_{kind}_{not reason}_{key}"
        ):
            kinds.append(kind)
        if reason:
            place.markdown(f":small[{escaped(reason)}]")
    return kinds, model
