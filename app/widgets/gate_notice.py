"""The notice that there is nothing to explain, in place of what would claim a finding."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from app.loading import gate_of, own_gate_of, whole_gate_of
from app.state.selection import Scope
from app.widgets.messages import escaped
from smurf_core.reporting.sentences import nothing_to_explain
from smurf_core.runs.store import RunInfo


def has_findings(run: RunInfo, scope: Scope | None = None, *, by_sample: bool = False) -> bool:
    """True if there is something to explain in a scope; otherwise the page says why not.

    `by_sample`: the page shows samples one by one, so that a few of them are enough as long as the
    run predicts. Without a scope, all of the run's samples are meant.
    """
    gates = [whole_gate_of(run)]
    if scope is not None and not scope.is_all:
        here = gate_of(run, scope)
        if here.has_enough or not by_sample:
            gates.append(here)
    reasons = list(dict.fromkeys(filter(None, map(nothing_to_explain, gates))))
    if reasons:
        st.warning(escaped(reasons[-1]), icon=":material/block:")
    return not reasons


def has_enough(run: RunInfo, scope: Scope) -> bool:
    """True if a scope has enough samples and persons for any score; otherwise says why not."""
    found = own_gate_of(run, scope)
    if not found.has_enough:
        st.warning(escaped(nothing_to_explain(found)), icon=":material/block:")
    return found.has_enough


def where_open(
    is_open: bool, parts: Mapping[str, Callable[[], None]]
) -> dict[str, Callable[[], None]]:
    """Tabs (title → what shows it) that refer to the notice if there is nothing to explain.

    They stay where they are: if tabs came and went with the selection, a browser would make all of
    them anew, with the figure in which the user has just clicked.
    """
    return {title: show if is_open else _closed for title, show in parts.items()}


def _closed() -> None:
    st.info("These samples leave nothing to show here; the reason is above.")
