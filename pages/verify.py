"""Synthetic data: is what is there found? And where does training end, start by start?"""

import streamlit as st

from app.loading import dataset_of
from app.sections.basins import basins
from app.sections.recovery import true_factors
from app.state.navigation import page_path
from app.state.selection import scope_picker
from app.state.session import current_run, current_study
from app.widgets.messages import told

study = current_study()
st.title("Verify")
with told():
    dataset, run = dataset_of(study.id), current_run()
    st.subheader("True factors against learned contributions")
    if not dataset.factors:
        st.info(
            "Only synthetic data has true factors to compare with. Make a synthetic study, train "
            "on it, and see whether a model finds what is there."
        )
        st.page_link(page_path("study"), label="Make synthetic data", icon=":material/science:")
    elif run is None:
        st.info("This study has no finished run yet.")
        st.page_link(page_path("train"), label="Train a model", icon=":material/model_training:")
    elif not run.config.kind.has_redundant_heads:
        st.info(f"{run.config.kind.title} does not factorise: choose a SMURF run.")
    else:
        true_factors(run, dataset, scope_picker(study, dataset))
with told():
    basins()
