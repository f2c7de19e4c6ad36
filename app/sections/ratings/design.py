"""The design of a collection: a form for the main things, and the whole design as a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import get_args

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.sections.ratings.collections import NEXT, progress_bar
from app.sections.ratings.scales import edited_scales
from app.state.session import finished_runs, workspace
from app.widgets.messages import escaped, show_errors
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.ratings.catalogue import create_collection
from smurf_core.ratings.clips import chosen_clips
from smurf_core.ratings.defaults import default_design, form_conditions, why_not_ratable
from smurf_core.ratings.design import (
    ClipChoice,
    ClipSource,
    Design,
    Stratum,
    check_design,
    design_text,
    parse_design,
)
from smurf_core.ratings.interface import interface_texts, languages
from smurf_core.ratings.simulate import simulate_raters
from smurf_core.ratings.stimuli import Failure, Stimuli, make_stimuli
from smurf_core.ratings.store import Collection
from smurf_core.runs.slices import list_slices
from smurf_core.runs.studies import StudyInfo

_SOURCES: dict[ClipSource, str] = {
    "all": "All samples", "slice": "A slice", "stratified": "A stratified draw",
}  # fmt: skip
_BY: dict[Stratum, str] = {
    "prediction": "prediction", "disagreement": "disagreement of modalities",
    "unexpected": "difference between two sides",
}  # fmt: skip
_OFFERED = 200  # samples in the list of practice clips; any other can be typed
_FORM_NOTES = {
    "words": "words", "voice": "voice", "filtered_voice": "voice without intelligible words",
    "muted_video": "muted video", "face_and_words": "muted video and words",
    "face_and_filtered_voice": "video, voice without intelligible words", "all": "video with sound",
}  # fmt: skip


def design_tab(study: StudyInfo, dataset: MultimodalDataset, collection: Collection | None) -> None:
    """The form, the file, and the buttons that begin or change a collection."""
    stimuli = Stimuli.of(workspace(), study.id, dataset)
    if reason := why_not_ratable(dataset, stimuli.forms()):
        st.info(escaped(reason))
        return
    start = _start(study, dataset, stimuli, collection)
    design: Design | None = None
    with st.container():  # Keeps the place of what is below it.
        with show_errors():
            design = _form(study, dataset, stimuli, start)
        if design is not None:
            _acts(study, dataset, stimuli, design, collection)
    _file(study, design)
    _show_left_out(st.session_state.get(f"failures_{study.id}", []))


def _acts(
    study: StudyInfo, dataset: MultimodalDataset, stimuli: Stimuli, design: Design,
    collection: Collection | None,
) -> None:  # fmt: skip
    """What can be done with the design."""
    conditions, questions = len(design.conditions), len(design.scales)
    st.markdown(
        f":small[{conditions} condition{'s' if conditions > 1 else ''}, {questions} "
        f"question{'s' if questions > 1 else ''}, {len(design.practice)} practice "
        f"clip{'' if len(design.practice) == 1 else 's'}.]"
    )
    with st.container(horizontal=True, key="begin"):
        begins = st.button("Begin a collection", type="primary", key=f"begin_{study.id}")
        tries = bool(dataset.factors) and st.button(
            "Let simulated raters try it", key=f"try_{study.id}",
            help="A program rates the simulated clips, so that you see the whole way.",
        )  # fmt: skip
        changes = collection is not None and st.button(
            "Change this collection", key=f"revise_{study.id}",
            help="Raters who have begun keep their list; a new version is for the others.",
        )  # fmt: skip
    with show_errors():
        if begins or changes:
            _begin(study, design, stimuli, collection if changes else None)
        elif tries:
            _try(study, dataset, design)


def _start(
    study: StudyInfo, dataset: MultimodalDataset, stimuli: Stimuli, collection: Collection | None
) -> Design:
    """What the form begins with: an uploaded file, the collection's design, or the default."""
    uploaded = st.session_state.get(f"uploaded_{study.id}")
    if uploaded is not None:
        return parse_design(uploaded)
    if collection is not None:
        return collection.design_version().design
    return default_design(dataset, forms=stimuli.forms())


def _form(study: StudyInfo, dataset: MultimodalDataset, stimuli: Stimuli, start: Design) -> Design:
    """The design with what the user chose; the keys change with the design it starts from."""
    mark = f"{study.id}_{start.fingerprint[:8]}"
    left, middle, right = st.columns([2, 1, 1])
    title = left.text_input("Title, which raters see", start.title, key=f"title_{mark}")
    language = middle.selectbox(
        "Language of the page", languages(), languages().index(start.language), key=f"lang_{mark}",
        format_func=lambda code: interface_texts(code)["language"],
    )  # fmt: skip
    if language != start.language:
        fresh = default_design(dataset, language=language, forms=stimuli.forms())
        start = replace(
            start, scales=fresh.scales, instructions=fresh.instructions, consent=fresh.consent,
            language=language, conditions=fresh.conditions,
        )  # fmt: skip
        mark += language
    used = {condition.form for condition in start.conditions}
    others = (c for c in form_conditions(dataset, stimuli.forms()) if c.form not in used)
    known = {condition.name: condition for condition in (*start.conditions, *others)}
    chosen = st.multiselect(
        "Conditions: what raters get", list(known), [c.name for c in start.conditions],
        format_func=lambda name: _FORM_NOTES[known[name].form], key=f"forms_{mark}",
    )  # fmt: skip
    clips = _clips(study, start.clips, mark, right)
    a, b, c, d = st.columns(4)
    cell = a.number_input(
        "Raters per clip and condition", 1, 100, start.raters_per_cell, key=f"cell_{mark}",
        help="So many different people rate each clip in each condition.",
    )  # fmt: skip
    each = b.number_input(
        "Clips per rater", 1, 500, start.clips_per_rater, key=f"list_{mark}",
        help="The length of a rater's list, without checks and repeats.",
    )  # fmt: skip
    checks = c.number_input(
        "Checks per rater", 0, 20, start.attention, key=f"att_{mark}",
        help="Items that ask for a certain answer, which show whether a rater pays attention.",
    )  # fmt: skip
    repeats = d.number_input(
        "Repeats per rater", 0, 50, start.repeats, key=f"rep_{mark}",
        help="Clips that are shown twice, which show how far raters agree with themselves.",
    )  # fmt: skip
    with st.expander("Practice, instructions and consent"):
        practice = st.multiselect(
            "Practice clips",
            list(dict.fromkeys([*start.practice, *map(str, dataset.sample_ids[:_OFFERED])])),
            list(start.practice), accept_new_options=True, key=f"practice_{mark}",
            placeholder="Choose samples, or type their names",
            help="Shown first, so that raters learn the page. Their answers do not count.",
        )  # fmt: skip
        instructions = st.text_area("Instructions", start.instructions, key=f"inst_{mark}")
        consent = st.text_area("Consent", start.consent, key=f"cons_{mark}")
    conditions = tuple(known[name] for name in chosen)
    scales = edited_scales(start.scales, conditions, dataset.target_names, mark, language=language)
    return replace(
        start, title=title, language=language, conditions=conditions, scales=scales,
        clips=clips, instructions=instructions, consent=consent, raters_per_cell=int(cell),
        clips_per_rater=int(each), attention=int(checks), repeats=int(repeats),
        practice=tuple(practice),
    )  # fmt: skip


def _clips(study: StudyInfo, start: ClipChoice, mark: str, place: DeltaGenerator) -> ClipChoice:
    """The choice of clips; what a slice or a draw needs is below `place`."""
    runs = {run.id: run.name for run in finished_runs(study.id)}
    slices = {one.id: one.name for one in list_slices(workspace(), study.id)}
    usable = [s for s in get_args(ClipSource) if {"slice": slices, "stratified": runs}.get(s, True)]
    source: ClipSource = place.selectbox(
        "Clips", usable, usable.index(start.source) if start.source in usable else 0,
        format_func=_SOURCES.__getitem__, key=f"clips_{mark}",
    )  # fmt: skip
    if source == "slice":
        chosen = st.selectbox(
            "Slice", list(slices), format_func=slices.__getitem__, key=f"slice_{mark}"
        )
        return ClipChoice("slice", slice=chosen)
    if source == "stratified":
        left, middle, right = st.columns(3)
        run = left.selectbox("Run", list(runs), format_func=runs.__getitem__, key=f"run_{mark}")
        by: Stratum = middle.selectbox(
            "Strata by", list(_BY), format_func=_BY.__getitem__, key=f"by_{mark}"
        )
        count = right.number_input("Clips in all", 5, 5000, start.count, key=f"count_{mark}")
        return ClipChoice("stratified", run=run, by=by, count=int(count))
    return ClipChoice()


def _file(study: StudyInfo, design: Design | None) -> None:
    left, right = st.expander("Design as a file").columns(2, vertical_alignment="bottom")
    if design is not None:
        left.download_button(
            "Design as YAML", design_text(design), "design.yaml", "application/yaml",
            key=f"yaml_{study.id}", icon=":material/download:", on_click="ignore",
        )  # fmt: skip
    key = f"upload_{study.id}"
    right.file_uploader(
        "Use a design from a file", ["yaml", "yml"], key=key, on_change=_take, args=(study.id, key),
        max_upload_size=1,
    )  # fmt: skip


def _take(study_id: str, key: str) -> None:
    file = st.session_state.get(key)
    text = None if file is None else file.getvalue().decode("utf-8", "replace")
    st.session_state[f"uploaded_{study_id}"] = text


def _begin(
    study: StudyInfo, design: Design, stimuli: Stimuli, collection: Collection | None
) -> None:
    """Make the stimuli, leave out what cannot be shown, and begin or change the collection."""
    clips = chosen_clips(workspace(), study.id, design)
    check_design(design, stimuli.dataset, clips)
    failures = make_stimuli(stimuli, design, clips, progress_bar("Cutting clips"))
    kept = _showable(design, clips, failures)
    if collection is None:
        collection = create_collection(workspace(), study.id, design, clips=kept)
    else:
        collection.revise(design, kept)
    _go_on(study, collection, failures)


def _showable(design: Design, clips: Sequence[str], failures: Sequence[Failure]) -> list[str]:
    failed = {failure.clip for failure in failures}
    if wrong := [clip for clip in design.practice if clip in failed]:
        raise InputError(f"Practice item {wrong[0]!r} cannot be shown: name another one.")
    kept = [clip for clip in clips if clip not in failed]
    if not kept:
        raise InputError(f"No clip can be shown in all conditions. {failures[0].why}")
    return kept


def _show_left_out(failures: Sequence[Failure]) -> None:
    """Which clips were left out, and why."""
    if not failures:
        return
    count = len({failure.clip for failure in failures})
    st.warning(f"{count:,} clips were left out, because a condition cannot show them.")
    table = pd.DataFrame([asdict(failure) for failure in failures])
    shown = table.rename(columns={"clip": "Clip", "condition": "Condition", "why": "Why"})
    st.dataframe(shown, hide_index=True, width="stretch", key="left_out", height="content"
                 if len(shown) < 8 else 300)  # fmt: skip


def _try(study: StudyInfo, dataset: MultimodalDataset, design: Design) -> None:
    made = create_collection(workspace(), study.id, design, is_simulated=True)
    simulate_raters(made, dataset, progress=progress_bar("Simulated raters"))
    _go_on(study, made, [])


def _go_on(study: StudyInfo, collection: Collection, failures: Sequence[Failure]) -> None:
    st.session_state[f"failures_{study.id}"] = list(failures)
    st.session_state[f"uploaded_{study.id}"] = None
    st.session_state[NEXT] = collection.id
    st.rerun()
