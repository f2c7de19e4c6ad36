"""The lists of samples: all of them, or those that are typical of a kind of contribution."""

from __future__ import annotations

from typing import Literal

import pandas as pd
import streamlit as st

from app.loading import typical_of
from app.state.address import in_address
from app.state.selection import Scope
from smurf_core.evaluation.typical import Finding
from smurf_core.runs.store import RunInfo

ListName = Finding | Literal["all"]
_LISTS: dict[ListName, str] = {
    "all": "All",
    "unique": "Unique",
    "redundant": "Redundant",
    "unexpected": "Unexpected",
    "not_recorded": "Not recorded",
}
_SCORED = (
    "Scores are standard deviations of the prediction. Only contributions whose verdict is good "
    "are listed."
)
_NOTES: dict[ListName, str] = {
    "all": "",
    "unique": f"One modality alone moves these predictions a lot. {_SCORED}",
    "redundant": f"All modalities that share it say the same, and strongly. {_SCORED}",
    "unexpected": "One modality says what the other should also say but does not: only one side "
    f"is large, or the two sides have opposite signs. {_SCORED}",
    "not_recorded": "A side of something shared was not recorded: what the other side says could "
    f"not be compared. {_SCORED}",
}


def list_picker() -> ListName:
    """Ask for a list; it is part of the address."""
    in_address("list", "samples_list", list(_LISTS), "all")
    chosen = st.segmented_control(
        "List", list(_LISTS), format_func=_LISTS.__getitem__, key="samples_list", required=True,
        persist_state="session",
        help="\n\n".join(f"*{_LISTS[name]}*: {note}" for name, note in _NOTES.items() if note),
    )  # fmt: skip
    name: ListName = chosen or "all"
    return name


def title_of(name: ListName) -> str:
    """The name of a list as pages and figures write it."""
    return _LISTS[name]


def typical_list(run: RunInfo, scope: Scope, finding: Finding, table: pd.DataFrame) -> pd.DataFrame:
    """One list, with the targets and marks of the sample table; empty if nothing stands out."""
    found = typical_of(run, scope, finding).rename(columns={"prediction": "output prediction"})
    if len(found):
        found = found.dropna(axis=1, how="all")
    return found.merge(table[["sample_id", "target", "outlying"]], on="sample_id", how="left")
