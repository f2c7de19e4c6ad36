"""Which modalities share something, how much it is, and what the losses left."""

import streamlit as st

from app.loading import contributions_of, dataset_of, result_of, sample_table_of
from app.sections.redundancy import (
    TAB,
    TWO_SIDES,
    Layer,
    by_group,
    chosen_layer,
    matrices,
    one_pair,
    residuals,
    second_witness,
    sets,
)
from app.sections.sharing import sharing
from app.state.address import end_page
from app.state.session import current_study
from app.widgets.gate_notice import has_findings, where_open
from app.widgets.messages import finished_run, show_errors
from app.widgets.page_head import page_head
from app.widgets.scope_bar import scope_picker
from app.widgets.selected_samples import selected_samples
from app.widgets.tabs import tabs

study = current_study()
corner = page_head()
run = finished_run()
with show_errors():
    if not run.config.kind.has_redundant_heads:
        st.info(
            f"{run.config.kind.title} has one contribution per modality and does not "
            "separate redundancy: choose a SMURF run in the sidebar."
        )
        second_witness(run)
        end_page()
    dataset, contributions = dataset_of(study), contributions_of(run)
    if not has_findings(run):
        second_witness(run)
        end_page()
    if not contributions.has_redundant_terms:
        sharing(run, is_answer=True)
        second_witness(run)
        end_page()
    with corner:
        scope = scope_picker(study, dataset)
    # Of too few samples no number is shown, but they can be looked at.
    with st.container():  # Keeps the place of what is below it.
        has_numbers = scope.is_all or has_findings(run, scope)
        layer: Layer = chosen_layer(run, contributions)
        if has_numbers:
            sets(run, scope.apply(contributions), layer, scope)

    def two_sides() -> None:
        one_pair(run, dataset, contributions, layer, scope, has_numbers=has_numbers)
        selected_samples(scope, sample_table_of(run), dataset)

    def all_pairs() -> None:
        matrices(run, layer, scope)
        residuals(run, layer, scope)

    parts = {TWO_SIDES: two_sides} if len(layer.names) > 1 else {}
    parts |= where_open(
        has_numbers,
        {"All pairs": all_pairs, "By group": lambda: by_group(study, run, layer, scope)},
    )
    if result_of(run).sharing is not None:
        parts["Sets that were tried"] = lambda: sharing(run)
    tabs(TAB, parts | {"Second witness": lambda: second_witness(run)})
