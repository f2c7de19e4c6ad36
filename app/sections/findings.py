"""Parts of the page *Findings*: a statement with its figure, reasons, own wording and tick."""

from __future__ import annotations

from typing import get_args

import streamlit as st

from app.state.callbacks import callback
from app.state.navigation import PageName, page_path
from app.state.session import why_not, workspace
from app.widgets.messages import bullets, escaped
from smurf_core.plot.finding_figure import finding_figure
from smurf_core.reporting.key_findings import KeyFinding
from smurf_core.runs.store import RunInfo
from smurf_core.runs.studies import StudyInfo
from smurf_core.runs.wording import LONGEST, Wording, edit_finding, tick_finding

_PAGES: dict[str, PageName] = {name: name for name in get_args(PageName)}


def whose_findings(study: StudyInfo, run: RunInfo) -> None:
    """One line: the study, where its data is from, and the model."""
    origin = "" if study.origin == "recorded" else f" This data is {study.origin}."
    st.markdown(
        f"{escaped(study.name)} · {run.config.kind.title} · all samples.{origin}"
        " Pale, open points are no findings."
    )


def show_finding(
    run: RunInfo, finding: KeyFinding, wording: Wording, modalities: tuple[str, ...]
) -> None:
    """The sentence and its figure, with reasons, the user's own wording, and the report's tick."""
    worded = wording.of(finding)
    with st.container(border=True, key=f"finding_{finding.name}"):
        words, picture = st.columns([5, 3], vertical_alignment="center")
        with words:
            st.markdown(
                f"{finding.question}  \n**{escaped(worded.text)}**  \n:small[{finding.counted}]"
            )
            if worded.is_edited:
                st.markdown(
                    f":orange-badge[Edited by hand] The computed sentence: "
                    f"{escaped(finding.sentence)}"
                )
            if outdated := wording.outdated(finding):
                st.markdown(
                    f":small[Your words were for another sentence and are not shown: "
                    f"{escaped(outdated)}]"
                )
            _actions(run, finding, worded.text, in_report=finding.name not in wording.left_out)
        if finding.numbers:
            picture.plotly_chart(
                finding_figure(finding, modalities),
                key=f"figure_{finding.name}",
                config={"displayModeBar": False},
                alt="; ".join(f"{n.what} {n.text(finding.unit)}" for n in finding.numbers),
            )


def _actions(run: RunInfo, finding: KeyFinding, text: str, *, in_report: bool) -> None:
    key = f"{run.id}_{finding.name}"
    forbidden = why_not("editor", run.study_id)
    with st.container(horizontal=True, vertical_alignment="center"):
        if finding.belief:
            with st.popover("Can I believe it?", icon=":material/help:", key=f"belief_{key}"):
                bullets(finding.belief)
        with st.popover("Edit", icon=":material/edit:", key=f"edit_{key}"):
            st.text_area(
                "Your wording for the report", text, key=f"words_{key}", max_chars=LONGEST,
                help="The computed sentence stays visible beside it. Empty: the computed one.",
            )  # fmt: skip
            st.button(
                "Save", key=f"save_{key}", on_click=_save, args=(run.id, finding, key),
                disabled=bool(forbidden), help=forbidden,
            )  # fmt: skip
        st.checkbox(
            "In the report", in_report, key=f"tick_{key}", on_change=_tick,
            args=(run.id, finding.name, key), disabled=bool(forbidden), help=forbidden,
        )  # fmt: skip
        st.page_link(
            page_path(_PAGES[finding.page]), label="See more", icon=":material/arrow_forward:"
        )


@callback
def _save(run_id: str, finding: KeyFinding, key: str) -> None:
    edit_finding(workspace(), run_id, finding, st.session_state.pop(f"words_{key}"))


@callback
def _tick(run_id: str, name: str, key: str) -> None:
    tick_finding(workspace(), run_id, name, in_report=st.session_state[f"tick_{key}"])
