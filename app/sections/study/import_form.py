"""Files become a study: their roles, what an import would make of them, and the button."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from app.sections.study.import_check import checked, forget_check, must_be_asked, show_check
from app.sections.study.mapping_form import mapping_form
from app.state.navigation import page_path
from app.state.session import select_study
from smurf_core.data.importing.assembly import Assembly
from smurf_core.data.importing.mapping import StudyMapping, mapping_text
from smurf_core.data.problems import Problem, problem_table
from smurf_core.data.sources import SourceFile

# Stores a study; returns its id, and a sentence on its recordings.
Keep = Callable[[Assembly, StudyMapping], tuple[str, str]]


def import_form(
    sources: Sequence[SourceFile],
    known: StudyMapping | None,
    key: str,
    *,
    keep: Keep,
    unread: Sequence[Problem] = (),
    prefix: str = "",
) -> None:
    """Show the form, check its result, and import it on a click, after which *Data* opens.

    `key` differs between uploads, `prefix` between forms of one page. `unread` are problems of
    what was left out before.
    """
    mapping = mapping_form(sources, key, known)
    report = st.container()
    with st.container(horizontal=True):
        is_import = st.button(
            "Import", type="primary", key=f"{prefix}import", icon=":material/download:"
        )
        is_check = must_be_asked(sources) and st.button(
            "Check first", key=f"{prefix}check", icon=":material/fact_check:"
        )
        st.download_button(
            "study.yaml",
            mapping_text(mapping),
            "study.yaml",
            "application/yaml",
            key=f"{prefix}save_mapping",
            on_click="ignore",
            icon=":material/save:",
            help="All these choices. Drop the file here again with your data, or use it with "
            "the command `smurf import study.yaml`.",
        )
    with report:
        assembly = checked(sources, mapping, key, is_asked=is_import or is_check, unread=unread)
        if assembly is not None:
            show_check(assembly, key)
    if is_import and assembly is not None:
        with st.spinner("Saving the study…"):
            study_id, recordings = keep(assembly, mapping)
        forget_check()
        select_study(study_id)
        counts = problem_table(assembly.problems)["severity"].value_counts()
        found = ", ".join(f"{n} {kind}{'s' if n > 1 else ''}" for kind, n in counts.items())
        sentence = f"{f': {found}' if found else ''}. {recordings}"
        st.session_state["imported"] = (study_id, sentence)
        st.switch_page(page_path("data"))
