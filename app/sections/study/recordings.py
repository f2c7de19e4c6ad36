"""Where a study's recordings are on this machine, and how they are matched to samples."""

from __future__ import annotations

import streamlit as st

from app.loading import dataset_of
from app.state.session import why_not, workspace
from app.widgets.messages import escaped, show_errors
from smurf_core.data.media import MediaSettings, check_media, suggested_media
from smurf_core.people.places import check_place
from smurf_core.runs.studies import StudyInfo, media_of, set_media


def media_form(study: StudyInfo) -> None:
    """Ask for the folder of the study's recordings, and how they are matched to samples."""
    dataset = dataset_of(study)
    saved: MediaSettings | None = None
    with show_errors():  # The folder may have been removed since it was chosen.
        saved = media_of(workspace(), study.id)
    columns = ["", *map(str, dataset.samples.columns)]
    forbidden = why_not("editor", study.id)
    folder = st.text_input(
        "Folder of recordings on this machine",
        saved.folder if saved else "",
        key=f"media_folder_{study.id}",
        placeholder="/home/me/clips",
        help=forbidden or "The full path. Files outside this folder are never opened.",
        disabled=bool(forbidden),
    )
    if not folder.strip():
        st.markdown(
            "Clips are found by sample id (`s01` plays `s01.wav` or `s01.mp4`), by a column of "
            "file names, or as parts of one long recording."
        )
        return
    with show_errors():
        if not saved or saved.folder != folder:
            check_place(workspace(), study.id, folder.strip())
        guess = saved if saved and saved.folder == folder else suggested_media(
            folder.strip(), dataset.samples
        )  # fmt: skip
        how = ["By sample id", "By a column of file names", "One recording for all samples"]
        given = 2 if guess.recording else 1 if guess.file else 0
        way = st.radio("Match recordings to samples", how, given, key=f"media_way_{study.id}")
        recording = file = ""
        if way == how[1]:
            file = _column("Column of file names", columns, guess.file, f"media_file_{study.id}")
        if way == how[2]:
            recording = st.text_input(
                "File in this folder", guess.recording, key=f"media_recording_{study.id}"
            )
        left, right = st.columns(2)
        with left:
            start = _column("Start (seconds)", columns, guess.start, f"media_start_{study.id}")
        with right:
            end = _column("End (seconds)", columns, guess.end, f"media_end_{study.id}")
        if way == how[2] and not recording.strip():
            st.markdown("Name the recording, for example `session1.mp4`.")
            return
        save, forget = st.columns(2)
        if save.button(
            "Use these recordings", key=f"save_media_{study.id}", icon=":material/play_circle:",
            disabled=bool(forbidden), help=forbidden,
        ):  # fmt: skip
            settings = MediaSettings(folder.strip(), recording.strip(), file, start, end)
            with st.spinner("Looking for recordings…"):
                found = check_media(settings, dataset)
            st.success(escaped(found))
            set_media(workspace(), study.id, settings)
        if saved and forget.button(
            "Remove link to recordings", key=f"forget_media_{study.id}",
            disabled=bool(forbidden), help=forbidden,
        ):  # fmt: skip
            set_media(workspace(), study.id, None)
            st.rerun()


def _column(title: str, columns: list[str], given: str, key: str) -> str:
    return st.selectbox(
        title,
        columns,
        index=columns.index(given) if given in columns else 0,
        format_func=lambda column: column or "(none)",
        key=key,
    )
