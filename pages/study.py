"""Choose a study, upload one, or make synthetic data."""

import streamlit as st

from app.sections.study.study_list import study_list
from app.sections.study.synthetic import synthetic_form
from app.sections.study.upload_wizard import upload_wizard
from app.widgets.page_head import page_head

page_head("study")
st.markdown(
    "A study is a data set with its runs. Start with the synthetic one, whose true contributions "
    "are known, or upload your own features: one row per sample, at least two modalities."
)
list_tab, upload_tab, synthetic_tab = st.tabs(["Your studies", "Upload", "Make synthetic data"])
with list_tab:
    study_list()
with upload_tab:
    upload_wizard()
with synthetic_tab:
    synthetic_form()
