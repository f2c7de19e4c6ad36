"""Begin with the demo or one's own data, and choose a study."""

import streamlit as st

from app.sections.study.extractions import extractions
from app.sections.study.recordings_form import recordings_form
from app.sections.study.starts import TAB, TABS, offer_synthetic_study, starts
from app.sections.study.study_list import study_list
from app.sections.study.synthetic import synthetic_form
from app.sections.study.upload_wizard import upload_wizard
from app.state.address import in_address
from app.state.session import STUDY
from app.widgets.messages import show_errors
from app.widgets.page_head import page_head

page_head()

# What fails does not take the rest of the page with it: a place for files that one run of the page
# lacks is empty in the next one. Somebody else may delete a study while it is read here.
with st.container(), show_errors():
    starts(st.session_state.get(STUDY))
in_address("tab", TAB, TABS, TABS[0])
list_tab, upload_tab, recordings_tab, synthetic_tab = st.tabs(TABS, key=TAB, on_change="rerun")
with list_tab, show_errors():
    study_list()
with upload_tab, show_errors():
    upload_wizard()
with recordings_tab, show_errors():
    recordings_form()
    extractions(is_open=bool(recordings_tab.open))
with synthetic_tab, show_errors():
    offer_synthetic_study("open_synthetic")
    synthetic_form()
