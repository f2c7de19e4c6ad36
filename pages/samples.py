"""Every sample's prediction, and the contributions that it consists of (Table 6)."""

from __future__ import annotations

import streamlit as st

from app.loading import contributions_of, dataset_of, sample_table_of
from app.sections.samples.lists import list_picker
from app.sections.samples.tabs import Shown, sample_tabs
from app.state.session import current_study
from app.widgets.gate_notice import has_findings
from app.widgets.messages import finished_run, show_errors
from app.widgets.page_head import page_head
from app.widgets.scope_bar import scope_picker

study = current_study()
page_head()
run = finished_run()
with show_errors():
    dataset, contributions = dataset_of(study), contributions_of(run)
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    with left:
        scope = scope_picker(study, dataset)
    with st.container():  # Keeps the place of what is below it.
        is_open = has_findings(run, scope, by_sample=True)
    with right:
        name = list_picker() if is_open else "all"
    table = sample_table_of(run)
    table = table if scope.is_all else table[scope.mask(contributions.sample_ids)]
    sample_tabs(Shown(study, run, dataset, scope, name, is_open), table)
