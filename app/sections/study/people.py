"""Who may see a study, and with which role: shown where persons sign in."""

from __future__ import annotations

from typing import get_args

import streamlit as st

from app.state.callbacks import callback
from app.state.session import moment, why_not, workspace
from app.widgets.messages import show_errors
from smurf_core.people.members import audit_of, members_of, own_role, share, unshare
from smurf_core.people.person import Role
from smurf_core.runs.studies import StudyInfo

_NOTES: dict[Role, str] = {
    "viewer": "sees data, runs and reports",
    "editor": "also trains, names, annotates and collects ratings",
    "owner": "also shares and deletes the study",
}


def people_panel(study: StudyInfo) -> None:
    """A study's members with their roles; its owners add and remove them."""
    space = workspace()
    if space.person.is_local:
        return
    with st.popover("Share", icon=":material/group:", key=f"people_{study.id}"), show_errors():
        role = own_role(space, study.id)
        st.markdown(f"Your role: **{role}** ({_NOTES[role]}).")
        forbidden = why_not("owner", study.id)
        for member in members_of(space, study.id):
            left, right = st.columns([5, 3], vertical_alignment="center")
            left.text(f"{member.person}\n{member.role}")
            right.button(
                "Remove", key=f"unshare_{study.id}_{member.person}", type="tertiary",
                icon=":material/person_remove:", disabled=bool(forbidden), help=forbidden,
                on_click=_unshare, args=(study.id, member.person),
            )  # fmt: skip
        st.text_input(
            "E-mail address", key=f"share_with_{study.id}", max_chars=254,
            disabled=bool(forbidden), help=forbidden or "With which the person signs in.",
        )  # fmt: skip
        roles = list(get_args(Role))
        st.selectbox(
            "Role", roles, key=f"share_as_{study.id}", disabled=bool(forbidden),
            format_func=lambda name: f"{name}: {_NOTES[name]}",
        )  # fmt: skip
        st.button(
            "Share", key=f"share_{study.id}", type="primary", icon=":material/person_add:",
            disabled=bool(forbidden), help=forbidden, on_click=_share, args=(study.id,),
        )  # fmt: skip
        if forbidden is None:
            with st.expander("What was done"):
                _log(study.id)


def _log(study_id: str) -> None:
    found = audit_of(workspace(), study_id, 50)
    st.dataframe(
        {
            "When": [moment(entry.time) for entry in found],
            "Who": [entry.person or "this machine" for entry in found],
            "What": [entry.action for entry in found],
            "Of": [entry.subject for entry in found],
        },
        hide_index=True,
        key=f"audit_{study_id}",
    )


@callback
def _share(study_id: str) -> None:
    person = st.session_state[f"share_with_{study_id}"]
    share(workspace(), study_id, person, st.session_state[f"share_as_{study_id}"])
    st.session_state[f"share_with_{study_id}"] = ""


@callback
def _unshare(study_id: str, person: str) -> None:
    unshare(workspace(), study_id, person)
