"""Synthetic data: does a model find the true factors, and where does each start end?"""

import streamlit as st

from app.loading import dataset_of
from app.sections.study.starts import offer_synthetic_study
from app.sections.verify.basins import basins
from app.sections.verify.recovery import true_factors
from app.state.session import current_run, current_study
from app.widgets.messages import no_run, show_errors
from app.widgets.page_head import page_head
from app.widgets.scope_bar import scope_picker

study = current_study()
page_head()
with show_errors():
    dataset, run = dataset_of(study), current_run()
    st.subheader("True factors against learned contributions")
    if not dataset.factors:
        st.info(
            "Only synthetic and simulated data have true factors to compare with. Open the "
            "synthetic study, train on it, and see whether a model finds them."
        )
        offer_synthetic_study("open_synthetic")
    elif run is None:
        no_run()
    elif not run.config.kind.has_redundant_heads:
        st.info(f"{run.config.kind.title} does not factorise: choose a SMURF run.")
    else:
        true_factors(run, dataset, scope_picker(study, dataset))
with show_errors():
    basins()
