"""The form in which a user gives each file and column its role."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd
import streamlit as st

from app.sections.study.decimal_sign import asking_for_sign, with_asked_sign
from app.sections.study.file_roles import file_roles
from app.sections.study.given_outputs import ask_given_outputs
from app.widgets.messages import escaped
from smurf_core.data.importing.guessing import guess_mapping, guess_roles, known_role
from smurf_core.data.importing.mapping import GUESSED_ROLES, StudyMapping, TaskChoice
from smurf_core.data.importing.ratings import shown_modalities
from smurf_core.data.importing.recoding import read_study_tables
from smurf_core.data.importing.tables import is_number
from smurf_core.data.importing.target_columns import possible_targets
from smurf_core.data.problems import listing
from smurf_core.data.readers.frames import ReadingOptions
from smurf_core.data.readers.id_lists import id_lists
from smurf_core.data.readers.interface import Table
from smurf_core.data.readers.registry import reader_title, whole_study
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError

_TASKS: dict[TaskChoice, str] = {"auto": "As the target suggests", "regression": "Regression",
          "classification": "Classification"}  # fmt: skip
_SINGLE = "Single rater"
_ROLES = {
    "target": ("Target", "What is to be predicted."),
    "id": ("Sample id", "Joins the files, and names the samples. It may be several columns."),
    "person": ("Person", "Folds never split a person; also needed to standardise within persons."),
    "fold": ("Test fold", "The number of the fold that tests each sample."),
    "split": ("Split", "Cells say train, validation or test."),
    "transcript": ("Transcript", "Shown with each sample."),
    "start": ("Start", "The sample's start in the recording, in seconds."),
    "end": ("End", "The sample's end in the recording, in seconds."),
    "media": ("Recording", "Names of audio or video files, played with each sample."),
}


@dataclass(frozen=True)
class _Upload:
    """What is known about uploaded files before the user makes choices; read once per upload."""

    guess: StudyMapping
    tables: tuple[Table, ...]  # first rows
    titles: Mapping[str, str]  # file → its format
    targets: tuple[str, ...]  # to choose from, where the file is a whole study


@dataclass(frozen=True)
class _Columns:
    """What the pickers of columns say."""

    roles: Mapping[str, str]
    further_targets: tuple[str, ...]
    task: TaskChoice
    match: str

    @property
    def taken(self) -> dict[str, str]:
        """Every role with its column, those of further targets included."""
        further = {f"target {k}": c for k, c in enumerate(self.further_targets, start=2)}
        return {**self.roles, **further}


def mapping_form(
    sources: Sequence[SourceFile], key: str, known: StudyMapping | None = None
) -> StudyMapping:
    """Show widgets for every role, filled from `known` or with guesses; return the mapping.

    `key` must differ between uploads, so that a new upload is guessed anew.
    """
    known = with_asked_sign(known or StudyMapping(), key)
    with asking_for_sign(key):
        upload = _read(sources, f"{key}{known.reading.get('decimal', '')}", known)
    guess = upload.guess
    name = st.text_input("Name of the study", guess.name, key=f"name_{key}", max_chars=120)
    if not upload.tables:  # A whole study: its file defines all roles except the target.
        (title,) = upload.titles.values()
        st.markdown(f"**{escaped(sources[0].name)}** is a whole study ({escaped(title)}).")
        target = guess.target
        if len(upload.targets) > 1:
            target = st.selectbox("Target", upload.targets, key=f"target_{key}")
        further = _ask_further(target, upload.targets, guess.targets, key)
        return replace(guess, name=name, target=target, targets=further)
    st.markdown("##### Files")
    roles = file_roles(upload.tables, upload.titles, guess, key)
    files = {**guess.files, **roles.files}
    if files != dict(guess.files):  # Roles of columns depend on the roles of files.
        guess = guess_roles(upload.tables, replace(known, name=name, files=files))
    key = f"{key}_{hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()[:8]}"
    used = [table for table in upload.tables if files_role(table, files) != "ignore"]
    st.markdown("##### Columns")
    picked = _columns(used, guess, key)
    chosen = picked.taken
    modalities = {**roles.modalities}
    for modality, items in _mixed_modalities(used, guess, files, key).items():
        modalities[modality] = (*modalities.get(modality, ()), *items)
    guess = replace(guess, modalities=modalities)
    judgments, raters = _judgments(used, guess, files, chosen, key)
    informativeness = _informativeness(used, guess, files, key)
    outputs = ask_given_outputs(used, guess, chosen.values(), key)
    more = _more(used, guess, chosen, key)
    settled = replace(
        guess,
        name=name,
        targets=picked.further_targets,
        task=picked.task,
        match=picked.match,
        files=files,
        modalities=dict(sorted(modalities.items(), key=lambda item: item[0].lower())),
        judgments=judgments,
        raters=raters,
        informativeness=informativeness,
        outputs=outputs,
        # A guess that the user removed is not made again when the study.yaml is read.
        switched_off=guess.switched_off | {r for r in GUESSED_ROLES if getattr(guess, r)},
    )
    plain = {k: v for k, v in settled.to_dict().items() if k not in more}
    columns = {role: c for role, c in picked.roles.items() if c or getattr(guess, role)}
    mapping = StudyMapping.from_dict({**plain, **columns, **{k: v for k, v in more.items() if v}})
    # A guess that the user keeps is judged again by all rows.
    return replace(mapping, guessed=guess.guessed if mapping.id == guess.id else frozenset())


def files_role(table: Table, files: Mapping[str, str]) -> str:
    """The role of a table, by the roles of files."""
    return known_role(table, StudyMapping(files=files))


def _read(sources: Sequence[SourceFile], key: str, known: StudyMapping) -> _Upload:
    """The guess, the first rows and the formats; read once per upload."""
    held = st.session_state.get("guessed_mapping")
    if held is not None and held[0] == key:
        found: _Upload = held[1]
        return found
    with st.spinner("Inspecting the files…"):
        absent = [
            name
            for name, role in known.files.items()
            if role != "ignore"
            and not {name.rpartition("/")[2], name.rpartition("/")[2].rpartition(":")[0]}
            & {source.name for source in sources}
        ]
        if absent:
            raise InputError(f"The mapping names {listing(absent)}: also drop it here.")
        name = known.name or (sources[0].stem if len(sources) == 1 else "Uploaded study")
        guess = guess_mapping(sources, replace(known, name=name), is_proposal=True)
        formats = dict.fromkeys((s.name for s in id_lists(sources).values()), "List of ids")
        whole = whole_study(sources)
        upload = _Upload(
            guess=guess,
            tables=()
            if whole
            else read_study_tables(
                sources,
                is_preview=True,
                id_column=guess.id,
                options=ReadingOptions.from_dict(guess.reading),
            ),
            titles={
                source.name: formats.get(source.name) or reader_title(source) for source in sources
            },
            targets=whole.targets(sources[0]) if whole else (),
        )
    st.session_state["guessed_mapping"] = (key, upload)
    return upload


def _columns(tables: Sequence[Table], guess: StudyMapping, key: str) -> _Columns:
    """A picker for every role that one column plays, the task, and how rows match."""
    columns = ["", *dict.fromkeys(c for table in tables for c in table.frame.columns)]
    chosen: dict[str, str] = {}
    places = st.columns(3)
    for position, (role, (title, explained)) in enumerate(_ROLES.items()):
        given = getattr(guess, role)
        is_key = role == "id" and given and given not in columns
        options = [*columns, given] if is_key else columns
        chosen[role] = places[position % 3].selectbox(
            title,
            options,
            index=options.index(given) if given in options else 0,
            format_func=lambda column: column or "(none)",
            help=explained,
            key=f"{role}_{key}",
        )
    further = _further_targets(tables, guess, chosen, key)
    tasks = list(_TASKS)
    task = places[0].selectbox(
        "Task",
        tasks,
        index=tasks.index(guess.task),
        format_func=_TASKS.__getitem__,
        key=f"task_{key}",
    )
    by_position = len(tables) > 1 and places[1].checkbox(
        "Rows are in the same order",
        guess.match == "position",
        key=f"match_{key}",
        help="Matches tables without sample ids by the position of their rows. Columns that they "
        "share are compared.",
    )
    return _Columns(chosen, further, task, "position" if by_position else "")


def _further_targets(
    tables: Sequence[Table], guess: StudyMapping, chosen: Mapping[str, str], key: str
) -> tuple[str, ...]:
    """Other columns that could be the target, as further targets; those of a mapping are ticked."""
    without = replace(guess, target="", targets=())
    labels = [t for t in tables if files_role(t, guess.files) in ("labels", "mixed", "")]
    offered = [*guess.targets, *possible_targets(labels, without)]
    options = [c for c in dict.fromkeys(offered) if c not in chosen.values()]
    return _ask_further(chosen["target"], options, guess.targets, key) if chosen["target"] else ()


def _ask_further(
    target: str, offered: Sequence[str], ticked_before: Sequence[str], key: str
) -> tuple[str, ...]:
    """Further targets beside a target, of those that are offered."""
    options = [name for name in offered if name != target]
    if not options:
        return ()
    ticked = st.multiselect(
        "Further targets",
        options,
        [name for name in ticked_before if name in options],
        key=f"further_targets_{target}_{key}",
        placeholder="None",
        help="Other columns that may be predicted. They belong to the same study: a run predicts "
        "one target, and the sidebar switches between them. None of them is a feature.",
    )
    return tuple(ticked)


def _mixed_modalities(
    tables: Sequence[Table], guess: StudyMapping, files: Mapping[str, str], key: str
) -> dict[str, tuple[str, ...]]:
    """Modalities whose features are some of the columns of a table with several things."""
    whole = {
        name
        for table in tables
        if files_role(table, files) == "modality"
        for name in (table.name, table.name.rpartition(".")[0])
    }
    parts = {
        name: kept
        for name, items in guess.modalities.items()
        if (kept := [item for item in items if item not in whole])
    }
    if not parts and not any(files_role(table, files) == "mixed" for table in tables):
        return {}
    st.markdown("**Modalities in tables with several things**")
    edited = st.data_editor(
        pd.DataFrame(
            [(name, ", ".join(items)) for name, items in parts.items()],
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
                "Files, columns, or the start of columns' names with a star, such as EDA_*",
                required=True,
                width="large",
            ),
        },
    )
    found: dict[str, tuple[str, ...]] = {}
    for name, text in edited.dropna().itertuples(index=False):
        items = tuple(item.strip() for item in str(text).split(",") if item.strip())
        if not str(name).strip() or not items:
            continue
        if name in found:
            raise InputError(f"Modality {name!r} is listed twice: join its rows, or rename one.")
        found[str(name).strip()] = items
    return found


def _judgments(
    tables: Sequence[Table],
    guess: StudyMapping,
    files: Mapping[str, str],
    chosen: Mapping[str, str],
    key: str,
) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """Ticks for the modalities that the raters of each column saw; joint and single ratings."""
    rated = [
        column
        for table in tables
        if files_role(table, files) == "judgments"
        for column in table.frame.columns
        if is_number(table.frame[column])
    ]
    held = {c for table in tables for c in table.frame.columns}
    given = {**guess.judgments, **guess.raters}
    for column in rated:  # A column's name may show it even if the target's does not.
        shown = shown_modalities(column, list(guess.modalities))
        if shown and column not in given and shown not in given.values():
            given[column] = shown
    columns = [
        column
        for column in dict.fromkeys([*rated, *given])
        if column not in chosen.values() and column in held
    ]
    if not columns or not guess.modalities:
        return {}, {}
    st.markdown(
        "**Human judgments**: tick what the raters of each column saw or heard. A column without "
        "a tick is not a judgment; columns of single raters are averaged."
    )
    ticked = pd.DataFrame(
        {
            "Rating": columns,
            **{
                name: [name in given.get(column, ()) for column in columns]
                for name in guess.modalities
            },
            _SINGLE: [column in guess.raters for column in columns],
        }
    )
    names = hashlib.sha256(repr(list(guess.modalities)).encode()).hexdigest()[:6]
    edited = st.data_editor(
        ticked,
        disabled=["Rating"],
        hide_index=True,
        width="content",
        key=f"judgments_{names}_{key}",
    )
    judgments: dict[str, tuple[str, ...]] = {}
    raters: dict[str, tuple[str, ...]] = {}
    for row in edited.to_dict("records"):
        shown = tuple(name for name in guess.modalities if row[name])
        if shown:
            (raters if row[_SINGLE] else judgments)[str(row["Rating"])] = shown
    return judgments, raters


def _informativeness(
    tables: Sequence[Table], guess: StudyMapping, files: Mapping[str, str], key: str
) -> dict[str, str]:
    """A column of ratings for every modality; shown only if a file has such ratings."""
    rated = [table for table in tables if files_role(table, files) == "informativeness"]
    if not rated and not guess.informativeness:
        return {}
    options = dict.fromkeys(
        [*guess.informativeness.values(), *(c for t in rated for c in t.frame.columns)]
    )
    st.markdown("**Informativeness**: which column rates each modality (no, relevant, sufficient)")
    places = st.columns(3)
    found: dict[str, str] = {}
    for position, name in enumerate(guess.modalities):
        given = guess.informativeness.get(name, "")
        columns = ["", *options]
        column = places[position % 3].selectbox(
            name,
            columns,
            index=columns.index(given) if given in columns else 0,
            format_func=lambda column: column or "(none)",
            key=f"informativeness_{position}_{key}",
        )
        if column:
            found[name] = column
    return found


def _more(
    tables: Sequence[Table], guess: StudyMapping, chosen: Mapping[str, str], key: str
) -> dict[str, object]:
    """The folder of recordings, and which columns without a role are kept with the samples."""
    with st.expander("Audio and video, other columns"):
        left, right = st.columns(2)
        folder = left.text_input(
            "Folder of recordings on this machine",
            guess.media_folder,
            key=f"media_folder_{key}",
            placeholder="/home/me/clips",
            help="The full path. Clips are found by the column of recordings, or by sample id. "
            "Files outside this folder are never opened.",
        )
        recording = right.text_input(
            "One recording for all samples",
            guess.recording,
            key=f"recording_{key}",
            help="A file in this folder, played from each sample's start to its end.",
        )
        others = dict.fromkeys(
            column
            for table in tables
            if files_role(table, guess.files) != "modality"
            for column in table.frame.columns
            if column not in chosen.values()
        )
        samples = st.multiselect(
            "Columns kept with the samples",
            list(others),
            [column for column in guess.samples if column in others],
            key=f"samples_{key}",
            placeholder="All columns without a role",
        )
    return {"media_folder": folder.strip(), "recording": recording.strip(), "samples": samples}
