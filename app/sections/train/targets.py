"""Which targets of the study one click trains."""

from __future__ import annotations

import streamlit as st

from app.loading import first_dataset_of
from app.state.session import known_targets
from app.widgets.messages import escaped
from smurf_core.errors import InputError
from smurf_core.runs.studies import StudyInfo


def ask_targets(study: StudyInfo) -> list[str]:
    """The targets to train, at first all; nothing is asked where the study has one.

    Raises `InputError` if the user has chosen none.
    """
    known = list(known_targets(study.id))
    if len(known) == 1:
        return known
    if first_dataset_of(study).given_outputs:
        st.markdown(
            f"The outputs of the given model are about {escaped(known[0])}: one click trains the "
            f"target that is chosen in the sidebar ({escaped(study.target_name)})."
        )
        return [study.target_name]
    chosen = st.multiselect(
        "Targets",
        known,
        known,
        key=f"train_targets_{study.id}",
        bind="query-params",
        help="One run for each target, with the same settings; they are trained one after another.",
    )
    if not chosen:
        raise InputError("No target is chosen: choose at least one to train.")
    return chosen
