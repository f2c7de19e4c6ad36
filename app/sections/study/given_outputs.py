"""Which columns are what a model that was trained elsewhere outputs for each modality."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import streamlit as st

from smurf_core.data.importing.mapping import StudyMapping
from smurf_core.data.importing.tables import is_number
from smurf_core.data.readers.interface import Table

_OFFERED = 500  # columns in a list; any other can be typed
# Words in the names of such columns: these are offered first.
_USUAL = ("output", "logit", "pred", "score", "prob")


def ask_given_outputs(
    tables: Sequence[Table], guess: StudyMapping, taken: Collection[str], key: str
) -> dict[str, tuple[str, ...]]:
    """Modality → columns with its outputs; empty where no model was given."""
    held = dict.fromkeys(
        str(column)
        for table in tables
        for column in table.frame.columns
        if is_number(table.frame[column]) and column not in taken
    )
    ordered = sorted(held, key=lambda name: not any(word in name.lower() for word in _USUAL))
    found: dict[str, tuple[str, ...]] = {}
    with st.expander("A model that you trained elsewhere", expanded=bool(guess.outputs)):
        st.markdown(
            "If the files contain what a late-fusion model outputs for each modality, name these "
            "columns: one per modality for regression, one per class for classes. *Train* then "
            "explains that model, and trains none."
        )
        for position, modality in enumerate(guess.modalities):
            given = guess.outputs.get(modality, ())
            columns = st.multiselect(
                f"Outputs for {modality}",
                list(dict.fromkeys([*given, *ordered[:_OFFERED]])),
                list(given),
                accept_new_options=True,
                placeholder="None",
                key=f"outputs_{position}_{modality}_{key}",
            )
            if columns:
                found[modality] = tuple(columns)
    return found
