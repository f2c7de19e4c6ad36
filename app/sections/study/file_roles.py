"""Every uploaded file: its format, its first rows, and the role that the user gives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from app.widgets.messages import escaped
from smurf_core.data.importing.guessing import known_role, role_entries
from smurf_core.data.importing.mapping import FILE_ROLES, FileRole, StudyMapping
from smurf_core.data.importing.modality_names import modality_name
from smurf_core.data.readers.interface import Table

_TITLES: dict[FileRole, str] = {
    "mixed": "Several things (one wide table)",
    "modality": "Features of one modality",
    "labels": "Labels (target, persons, folds)",
    "transcript": "Transcripts",
    "judgments": "Human judgments",
    "informativeness": "Informativeness ratings",
    "media": "Recordings (file names, times)",
    "ids": "List of sample ids",
    "ignore": "Ignore this file",
}
_PREVIEW = (20, 60)  # rows, columns


@dataclass(frozen=True)
class FileRoles:
    """The chosen roles: of files, for the mapping, and the tables of each modality."""

    files: Mapping[str, FileRole]
    modalities: Mapping[str, tuple[str, ...]]


def file_roles(
    tables: Sequence[Table], titles: Mapping[str, str], guess: StudyMapping, key: str
) -> FileRoles:
    """One row per file: name and format, role, modality, first rows."""
    files: dict[str, FileRole] = {}
    modalities: dict[str, tuple[str, ...]] = {}
    for position, table in enumerate(tables):
        what, role_place, name_place, rows_place = st.columns(
            [4, 3, 2, 1.6], vertical_alignment="center"
        )
        what.markdown(_described(table, titles))
        guessed = known_role(table, guess) or "labels"
        options = [role for role in FILE_ROLES if role != "ids"]
        role = role_place.selectbox(
            f"Role of {table.name}",
            options,
            index=next(i for i, option in enumerate(options) if option == guessed),
            format_func=_TITLES.__getitem__,
            key=f"role_{position}_{key}",
            label_visibility="collapsed",
        )
        if role == "modality":
            name = name_place.text_input(
                f"Modality in {table.name}",
                _modality_of(table, guess),
                max_chars=60,
                key=f"modality_{position}_{key}",
                label_visibility="collapsed",
            ).strip()
            if name:
                modalities[name] = (*modalities.get(name, ()), table.name)
        with rows_place.popover("First rows", width="stretch"):
            st.dataframe(
                table.frame.iloc[: _PREVIEW[0], : _PREVIEW[1]],
                hide_index=True,
                width=700,
                placeholder="",
                key=f"preview_{position}_{key}",
            )
            if len(table.frame.columns) > _PREVIEW[1]:
                count = len(table.frame.columns)
                st.markdown(f"The first {_PREVIEW[1]} of {count:,} columns.")
        files |= dict(role_entries(table, role))
    return FileRoles(files, modalities)


def _described(table: Table, titles: Mapping[str, str]) -> str:
    """Name, format, number of columns, and number of files."""
    names = table.files or (table.name,)
    formats = {titles.get(n) or titles.get(n.rpartition(":")[0], "") for n in names}
    made_of = f"{len(names)} files, " if len(names) > 1 else ""
    kinds = ", ".join(sorted(kind for kind in formats if kind))
    width = f"{len(table.frame.columns):,} columns"
    return f"**{escaped(table.name)}**  \n:small[{escaped(kinds)} · {made_of}{width}]"


def _modality_of(table: Table, guess: StudyMapping) -> str:
    """The modality that is guessed for this table."""
    stems = (table.name, table.name.rpartition(".")[0])
    named = (name for name, items in guess.modalities.items() if set(stems) & set(items))
    return next(named, modality_name(table))
