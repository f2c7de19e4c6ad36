"""Change what a modality says about a sample: which contributions move, and how far?"""

import streamlit as st

from app.loading import contributions_of, dataset_of
from app.sections.what_if import ask_change, sample_to_change, show_change
from app.state.session import current_study
from app.widgets.gate_notice import has_findings
from app.widgets.media import show_media
from app.widgets.messages import finished_run, show_errors
from app.widgets.page_head import page_head

study = current_study()
page_head("what_if")
run = finished_run()
with show_errors():
    dataset = dataset_of(study)
    st.markdown(
        "Change what one modality says about a sample, and see which parts of the prediction move. "
        "The model is the one that was not trained on the sample."
    )
    is_open = has_findings(run)
    sample = sample_to_change(run, dataset)
    show_media(study, dataset, sample)
    output = 0
    if dataset.task == "classification":
        own = contributions_of(run)
        predicted = int(own.prediction()[own.sample_ids == sample][0].argmax())
        output = st.selectbox(
            "Class",
            range(len(dataset.class_names)),
            index=predicted,
            key=f"what_if_class_{sample}",
            format_func=dataset.class_names.__getitem__,
        )
    change = ask_change(sample, run, dataset, output)
    if change is not None:
        show_change(sample, change, run, dataset, output, is_open=is_open)
