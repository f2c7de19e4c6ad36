"""The tabs of *Overview* about what is predicted wrongly: classes, or numbers."""

from __future__ import annotations

import streamlit as st

from app.loading import dataset_of, gate_of
from app.loading_overview import confusion_of, residuals_by_person_of, residuals_over_range_of
from app.state.selection import Scope
from app.widgets.downloads import download_view
from app.widgets.figures import FIGURE_CONFIG
from app.widgets.messages import bullets
from smurf_core.plot.confusion import confusion_matrices
from smurf_core.plot.residuals import MOST_PERSONS, residuals_of_persons, residuals_over_target
from smurf_core.reporting.error_sentences import (
    confusion_sentences,
    person_sentence,
    range_sentence,
)
from smurf_core.reporting.explanations import explain
from smurf_core.runs.store import RunInfo


def mistaken_classes(run: RunInfo, scope: Scope) -> None:
    """The confusion matrix beside that of chance, and which mistakes are more than chance."""
    table, confused = confusion_of(run, scope)
    bullets(confusion_sentences(gate_of(run, scope), confused))
    st.plotly_chart(
        confusion_matrices(table),
        key="confusion",
        config=FIGURE_CONFIG,
        alt="Confusion matrix of held-out samples, beside the one of chance; the table has both.",
    )
    st.markdown(
        "Held-out samples of all test folds. In each cell: share of the true class, and number of "
        "samples.",
        help=explain("confusion"),
    )
    download_view(table, "confusion")


def residuals(run: RunInfo, scope: Scope) -> None:
    """Prediction − target over the range of the target and by person, with intervals."""
    gate, over = gate_of(run, scope), residuals_over_range_of(run, scope)
    dataset = dataset_of(run)
    people = residuals_by_person_of(run, scope) if dataset.persons is not None else None
    said = [range_sentence(gate, over)]
    said += [] if people is None else [person_sentence(gate, people)]
    bullets(filter(None, said))
    left, right = st.columns(2) if people is not None else (st.container(), None)
    with left:
        st.markdown("**Over the range of the target**", help=explain("residuals_over_range"))
        st.plotly_chart(
            residuals_over_target(over, dataset.target_name),
            key="residuals_over_range",
            config=FIGURE_CONFIG,
            alt="Mean of prediction minus target in each part of the target's range",
        )
        download_view(over, "residuals_over_range")
    if people is None or right is None:
        st.markdown("No column identifies persons: there are no residuals by person.")
        return
    with right:
        shown = min(MOST_PERSONS, len(people))
        st.markdown(
            f"**By person**, largest typical error first ({shown} of {len(people)})",
            help=explain("residuals_by_person"),
        )
        st.plotly_chart(
            residuals_of_persons(people),
            key="residuals_by_person",
            config=FIGURE_CONFIG,
            alt="Median of prediction minus target of each person",
        )
        download_view(people, "residuals_by_person")
