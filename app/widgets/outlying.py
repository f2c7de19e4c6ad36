"""The mark of a sample that lies far outside of what its model was trained on."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import streamlit as st

from app.loading import outlying_of
from app.widgets.messages import escaped
from smurf_core.reporting.influence_sentences import outlying_sentence
from smurf_core.runs.store import RunInfo


def show_outlying(sample: str, run: RunInfo) -> None:
    """Warn if a recorded sample is far from the training data."""
    table = outlying_of(run)
    for row in table[table["sample_id"] == sample].to_dict("records"):
        show_distance(row, run, what="This sample")


def show_distance(row: Mapping[Hashable, Any], run: RunInfo, *, what: str) -> None:
    """Warn if a sample, recorded or changed, is far out by its row of `distances`."""
    sentence = outlying_sentence(row, clips=run.config.clips, what=what)
    if sentence:
        st.warning(escaped(sentence), icon=":material/warning:")
