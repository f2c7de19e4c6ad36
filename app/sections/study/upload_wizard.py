"""From files on a researcher's disk to a study: dropped, recognised, mapped, checked, imported."""

from __future__ import annotations

import hashlib

import streamlit as st

from app.sections.study.import_check import forget_check
from app.sections.study.import_form import import_form
from app.sections.study.uploads import forget_uploads, keep_uploads, split_mapping
from app.state.session import workspace
from app.widgets.messages import show_errors
from smurf_core.data.importing.assembly import Assembly
from smurf_core.data.importing.mapping import StudyMapping, media_settings
from smurf_core.data.media import check_media
from smurf_core.runs import studies

_GENERATION = "upload_generation"


def upload_wizard() -> None:
    """The steps of an import: drop files, give them roles, check the result, import it."""
    generation = st.session_state.setdefault(_GENERATION, 0)
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
        import_form(sources, known, hashlib.sha256(ids).hexdigest()[:12], keep=_keep)


def _keep(assembly: Assembly, mapping: StudyMapping) -> tuple[str, str]:
    """Save the study with its folder of recordings; the uploads are not needed any more."""
    media = media_settings(mapping, None, assembly.dataset.samples)
    recordings = check_media(media, assembly.dataset) if media else ""
    study_id = studies.add_study(
        workspace(),
        assembly.dataset,
        problems=assembly.problems,
        provenance=assembly.provenance(),
    )
    studies.set_media(workspace(), study_id, media)
    forget_uploads()
    st.session_state[_GENERATION] += 1
    return study_id, recordings
