"""From files on a researcher's disk to a study: dropped, recognised, mapped, checked, imported."""

from __future__ import annotations

import hashlib

import streamlit as st

from app.sections.study.import_check import checked, forget_check, must_be_asked, show_check
from app.sections.study.mapping_form import mapping_form
from app.sections.study.uploads import forget_uploads, keep_uploads, split_mapping
from app.state.navigation import page_path
from app.state.session import select_study, workspace
from app.widgets.messages import show_errors
from smurf_core.data.importing.assembly import Assembly
from smurf_core.data.importing.mapping import StudyMapping, mapping_text, media_settings
from smurf_core.data.media import check_media
from smurf_core.data.problems import problem_table
from smurf_core.runs import studies


def upload_wizard() -> None:
    """The steps of an import: drop files, give them roles, check the result, import it."""
    generation = st.session_state.setdefault("upload_generation", 0)
    files = st.file_uploader(
        "Drop all files of a study at once: tables, openSMILE, OpenFace, arrays, CMU sequences, "
        "feature caches, and a study.yaml if you have one",
        accept_multiple_files=True,
        key=f"upload_{generation}",
    )
    if not files:
        forget_check()
        st.markdown(
            "One table with all modalities, or one table per modality with the same sample ids, "
            "plus labels, transcripts and ratings. Nothing leaves this machine."
        )
        return
    # Above the form, where users see it: the button below may be at the end of the screen.
    place = st.container()
    with show_errors(place):
        sources, known = split_mapping(keep_uploads(files))
        ids = "".join(file.file_id for file in files).encode()
        key = hashlib.sha256(ids).hexdigest()[:12]
        mapping = mapping_form(sources, key, known)
        report = st.container()
        with st.container(horizontal=True):
            is_import = st.button(
                "Import", type="primary", key="import", icon=":material/download:"
            )
            is_check = must_be_asked(sources) and st.button(
                "Check first", key="check", icon=":material/fact_check:"
            )
            st.download_button(
                "study.yaml",
                mapping_text(mapping),
                "study.yaml",
                "application/yaml",
                key="save_mapping",
                on_click="ignore",
                icon=":material/save:",
                help="All these choices. Drop the file here again with your data, or use it with "
                "the command `smurf import study.yaml`.",
            )
        with report:
            assembly = checked(sources, mapping, key, is_asked=is_import or is_check)
            if assembly is not None:
                show_check(assembly, key)
        if is_import and assembly is not None:
            _keep(assembly, mapping)
            st.session_state["upload_generation"] = generation + 1
            st.switch_page(page_path("data"))


def _keep(assembly: Assembly, mapping: StudyMapping) -> None:
    """Save the study, make it the current one, and leave a message for the page Data."""
    media = media_settings(mapping, None, assembly.dataset.samples)
    recordings = check_media(media, assembly.dataset) if media else ""
    with st.spinner("Saving the study…"):
        study_id = studies.add_study(
            workspace(),
            assembly.dataset,
            problems=assembly.problems,
            provenance=assembly.provenance(),
        )
    studies.set_media(workspace(), study_id, media)
    forget_uploads()
    forget_check()
    select_study(study_id)
    counts = problem_table(assembly.problems)["severity"].value_counts()
    found = ", ".join(f"{n} {kind}{'s' if n > 1 else ''}" for kind, n in counts.items())
    sentence = f"{f': {found}' if found else ''}. {recordings}"
    st.session_state["imported"] = (study_id, sentence)
