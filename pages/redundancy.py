"""Which modalities share something, how much it is, and what the losses left."""

import streamlit as st

from app.loading import contributions_of, dataset_of, sample_table_of
from app.sections.redundancy import (
    Layer,
    by_group,
    chosen_layer,
    one_pair,
    overall,
    residuals,
    second_witness,
)
from app.sections.sharing import sharing
from app.state.session import current_study
from app.widgets.gate_notice import has_findings
from app.widgets.messages import finished_run, show_errors
from app.widgets.scope_bar import scope_picker
from app.widgets.selected_samples import selected_samples

study = current_study()
st.title("Redundancy")
run = finished_run()
with show_errors():
    if not run.config.kind.has_redundant_heads:
        st.info(
            f"{run.config.kind.title} has one contribution per modality and does not "
            "separate redundancy: choose a SMURF run in the sidebar."
        )
        second_witness(run)
        st.stop()
    dataset, contributions = dataset_of(study), contributions_of(run)
    if not has_findings(run):
        second_witness(run)
        st.stop()
    sharing(run)
    if not contributions.has_redundant_terms:
        st.info("All contributions of this run are unique: see *Overview* and *Samples*.")
        second_witness(run)
        st.stop()
    scope = scope_picker(study, dataset)
    # Of too few samples no number is shown, but they can be looked at.
    has_numbers = scope.is_all or has_findings(run, scope)
    layer: Layer = chosen_layer(run, contributions)
    if has_numbers:
        overall(run, layer, scope)
    if len(layer.names) > 1:
        one_pair(run, dataset, contributions, layer, scope, has_numbers=has_numbers)
        selected_samples(scope, sample_table_of(run), dataset)
    if has_numbers:
        by_group(study, run, layer, scope)
        residuals(run, layer, scope)
    second_witness(run)
