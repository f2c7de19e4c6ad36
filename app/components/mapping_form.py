"""The form in which a user says which column plays which role."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from smurf_core.data.guessing import guess_mapping
from smurf_core.data.mapping import StudyMapping, TaskChoice
from smurf_core.data.readers.interface import PREVIEW_ROWS
from smurf_core.data.readers.registry import study_reader
from smurf_core.data.sources import SourceFile
from smurf_core.data.tables import read_tables
from smurf_core.errors import InputError

_TASKS: dict[TaskChoice, str] = {"auto": "As the target suggests", "regression": "Regression",
          "classification": "Classification"}  # fmt: skip
_ROLES = {
    "target": ("Target", "What is to be predicted."),
    "id": ("Sample id", "Joins the files; without one, rows are numbered."),
    "person": ("Person", "Folds never split a person; needed to standardise within persons."),
    "fold": ("Test fold", "The number of the fold that tests each sample."),
    "split": ("Split", "Cells say train, validation or test."),
    "transcript": ("Transcript", "Shown beside each sample."),
}


def mapping_form(sources: Sequence[SourceFile], key: str) -> StudyMapping:
    """Widgets for every role, filled with the guess; the mapping that they say.

    `key` must differ between uploads, so that a new upload is guessed anew.
    """
    guess, columns = _guess(sources, key)
    name = st.text_input("Name of the study", guess.name, key=f"name_{key}", max_chars=120)
    if not columns:  # A whole study: its file settles all roles.
        return replace(guess, name=name)
    chosen: dict[str, str] = {}
    places = st.columns(3)
    for i, (role, (title, explained)) in enumerate(_ROLES.items()):
        options = ["", *columns]
        given = getattr(guess, role)
        chosen[role] = places[i % 3].selectbox(
            title,
            options,
            index=options.index(given) if given in options else 0,
            format_func=lambda column: column or "(none)",
            help=explained,
            key=f"{role}_{key}",
        )
    tasks = list(_TASKS)
    task = places[0].selectbox(
        "Task",
        tasks,
        index=tasks.index(guess.task),
        format_func=_TASKS.__getitem__,
        key=f"task_{key}",
    )
    st.markdown("**Modalities**: what holds each one's features")
    edited = st.data_editor(
        pd.DataFrame(
            [(n, ", ".join(items)) for n, items in guess.modalities.items()],
            columns=["modality", "features"],
            dtype="str",
        ),
        num_rows="dynamic",
        width="stretch",
        hide_index=True,
        key=f"modalities_{key}",
        column_config={
            "modality": st.column_config.TextColumn("Modality", required=True, width="small"),
            "features": st.column_config.TextColumn(
                "Files, columns, or starts of columns' names with a star, as EDA_*",
                required=True,
                width="large",
            ),
        },
    )
    settled = replace(
        guess,
        name=name,
        task=task,
        modalities=_modalities(edited),
        judgments=guess.judgments if chosen["target"] == guess.target else {},
    )
    return StudyMapping.from_dict({**settled.to_dict(), **chosen})


def _guess(sources: Sequence[SourceFile], key: str) -> tuple[StudyMapping, list[str]]:
    """The guess and all columns there are; read once an upload."""
    known = st.session_state.get("guessed_mapping")
    if known is None or known[0] != key:
        name = sources[0].stem if len(sources) == 1 else "Uploaded study"
        guess = guess_mapping(sources, StudyMapping(name=name))
        columns: list[str] = []
        if study_reader(sources[0]) is None:
            tables = read_tables(sources, rows=PREVIEW_ROWS)
            columns = list(dict.fromkeys(c for table in tables for c in table.frame.columns))
        known = (key, guess, columns)
        st.session_state["guessed_mapping"] = known
    return known[1], known[2]


def _modalities(edited: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, text in edited.dropna().itertuples(index=False):
        items = tuple(item.strip() for item in str(text).split(",") if item.strip())
        if not str(name).strip() or not items:
            continue
        if name in found:
            raise InputError(f"Modality {name!r} is there twice: join its rows, or rename one.")
        found[str(name).strip()] = items
    return found
