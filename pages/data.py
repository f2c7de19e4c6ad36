"""What a study contains, how it was read, and problems in its data."""

import numpy as np
import streamlit as st

from app.loading import dataset_of, description_of
from app.sections import data as data_sections
from app.state.navigation import page_path
from app.state.session import current_study, workspace
from app.widgets.messages import bullets, escaped, facts, show_errors, show_problems
from app.widgets.page_head import answer, page_head
from smurf_core.data.importing.mapping import StudyMapping, mapping_text
from smurf_core.reporting.fitness_sentences import fitness_sentences
from smurf_core.runs.studies import provenance

study = current_study()
page_head()
with show_errors():
    dataset = dataset_of(study)
    imported = st.session_state.pop("imported", None)
    if imported and imported[0] == study.id:
        st.success(f"{escaped(study.name)} was imported{escaped(imported[1])}")
    first, *others = fitness_sentences(dataset)
    answer(first)
    persons = "–" if dataset.persons is None else f"{len(np.unique(dataset.persons)):,}"
    by = {"regression": "regression", "classification": f"{len(dataset.class_names)} classes"}
    found = {
        "Samples": f"{len(dataset):,}",
        "Modalities": str(len(dataset.modalities)),
        "Persons": persons,
        "Task": by[dataset.task],
        "Folds": "made at training" if dataset.folds is None else str(len(dataset.folds)),
    }
    facts(found)
    if dataset.origin != "recorded":
        others.insert(
            0, f"This data is {dataset.origin}: its true contributions are known, and it says "
            "nothing about people.",
        )  # fmt: skip
    bullets(others)

    st.subheader("Problems in the data")
    show_problems(study.problems)

    described = description_of(study)
    data_sections.modalities(described)
    data_sections.target_and_folds(dataset, described)
    data_sections.features(dataset, described, study.id)
    data_sections.between_modalities(described)
    origin = provenance(workspace(), study.id)
    data_sections.files(origin)
    if origin.get("mapping"):
        st.download_button(
            "study.yaml",
            mapping_text(StudyMapping.from_dict(origin["mapping"])),
            "study.yaml",
            "application/yaml",
            key="save_mapping",
            on_click="ignore",
            icon=":material/save:",
            help="Roles of files and columns: drop it with the files to import them again, or run "
            "`smurf import study.yaml`.",
        )
    st.page_link(page_path("train"), label="Train a model", icon=":material/model_training:")
