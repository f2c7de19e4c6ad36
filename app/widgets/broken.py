"""Entries of the store that cannot be read: each with a reason and a button to delete it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from app.widgets.messages import escaped
from smurf_core.runs.entries import BrokenEntry

_ROOM = 3  # entries that are shown without scrolling


def broken_entries(
    entries: Sequence[BrokenEntry], what: str, delete: Callable[[BrokenEntry], None]
) -> None:
    """Show entries of one kind; `what` names the kind, such as *run*. Shows nothing if empty."""
    if not entries:
        return
    several = len(entries) > 1
    name = {"run": "runs", "study": "studies", "slice": "slices"}[what] if several else what
    st.warning(
        f"{len(entries)} {name} cannot be read. Nothing else is affected; the reason is given "
        "below. Install the latest version if a later one may have written "
        f"{'them' if several else 'it'}, or delete {'them' if several else 'it'}.",
        icon=":material/warning:",
    )
    with st.container(height=300 if len(entries) > _ROOM else "content", border=False):
        for number, entry in enumerate(entries):
            with st.container(border=True, horizontal=True, vertical_alignment="center"):
                st.markdown(
                    f":red-badge[cannot be read] **{escaped(entry.name)}** · "
                    f"{escaped(entry.id)}  \n{escaped(entry.reason)}",
                    width="stretch",
                )
                key = f"delete_broken_{what}_{entry.id}_{number}"
                if st.button("Delete", key=key, icon=":material/delete:"):
                    delete(entry)
                    st.rerun()
