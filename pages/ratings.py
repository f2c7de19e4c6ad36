"""Collect what people hear, see and read alone, watch it come in, and use it."""

import streamlit as st

from app.loading import first_dataset_of, persons_of
from app.sections.ratings import choose_collection, ratings_parts, what_is_there
from app.state.address import end_page
from app.state.session import current_study, why_not
from app.widgets.messages import escaped, show_errors
from app.widgets.page_head import page_head
from app.widgets.tabs import tabs
from smurf_core.ratings.defaults import why_not_ratable

study = current_study()
corner = page_head()
with show_errors():
    dataset = first_dataset_of(study)
    if reason := why_not_ratable(dataset):
        st.info(escaped(reason))
        end_page()
    if forbidden := why_not("editor", study.id):  # Raters' links and answers are confidential.
        st.info(escaped(forbidden))
        end_page()
    with corner:
        collection = choose_collection(study.id)
    what_is_there(collection)
    tabs("ratings_tab", ratings_parts(study, dataset, persons_of(study), collection))
