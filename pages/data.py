"""What is in a study, how it was read, and what is wrong with it."""

import numpy as np
import pandas as pd
import streamlit as st

from app.charts.data import target_distribution
from app.components.messages import escaped, facts, show_problems, told
from app.loading import dataset_of
from app.navigation import page_path
from app.session import current_study, workspace
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.runs.studies import provenance

_PREVIEW_COLUMNS = 200


def _modality_table(dataset: MultimodalDataset) -> pd.DataFrame:
    present = dataset.present
    return pd.DataFrame(
        {
            "Modality": dataset.modalities,
            "Features": [f.values.shape[1] for f in dataset.features.values()],
            "Samples that have it": present.sum(axis=0),
            "Share": present.mean(axis=0),
        }
    )


def _fold_table(dataset: MultimodalDataset) -> pd.DataFrame:
    folds = dataset.folds
    if folds is None:
        return pd.DataFrame()
    table = pd.DataFrame(
        {
            "Fold": range(len(folds)),
            "Training": folds.training.sum(axis=1),
            "Validation": folds.validation.sum(axis=1),
            "Test": folds.test.sum(axis=1),
        }
    )
    if dataset.groups is not None:
        table["Persons tested"] = [len(np.unique(dataset.groups[test])) for test in folds.test]
    return table


study = current_study()
st.title("Data")
with told():
    dataset = dataset_of(study.id)
    imported = st.session_state.pop("imported", None)
    if imported and imported[0] == study.id:
        st.success(f"{escaped(study.name)} was imported{escaped(imported[1])}")
    if dataset.origin != "recorded":
        st.info(
            f"This data is {dataset.origin}: its true contributions are known, and it says "
            "nothing about people."
        )
    persons = "–" if dataset.groups is None else f"{len(np.unique(dataset.groups)):,}"
    by = {"regression": "regression", "classification": f"{len(dataset.class_names)} classes"}
    found = {
        "Samples": f"{len(dataset):,}",
        "Modalities": str(len(dataset.modalities)),
        "Persons": persons,
        "Task": by[dataset.task],
        "Folds": "made at training" if dataset.folds is None else str(len(dataset.folds)),
    }
    facts(found)

    st.subheader("What was found")
    show_problems(study.problems)

    left, right = st.columns(2)
    with left:
        st.subheader("Modalities")
        st.dataframe(
            _modality_table(dataset),
            hide_index=True,
            width="stretch",
            column_config={"Share": st.column_config.NumberColumn(format="percent")},
        )
        st.subheader("Folds")
        if dataset.folds is None:
            st.markdown(
                "The files name no folds. Training makes five"
                + (", so that no person is in two," if dataset.groups is not None else "")
                + (" with all classes in each." if dataset.task == "classification" else ".")
            )
        else:
            st.dataframe(_fold_table(dataset), hide_index=True, width="stretch")
    with right:
        st.subheader(f"Target: {escaped(dataset.target_name)}")
        st.altair_chart(target_distribution(dataset), key="target")

    st.subheader("Features")
    modality = st.selectbox("Modality", dataset.modalities, key=f"features_of_{study.id}")
    features = dataset.features[modality]
    shown = min(len(features.names), _PREVIEW_COLUMNS)
    frame = pd.DataFrame(features.values[:, :shown])
    frame.columns = pd.Index([f"{i + 1} {name}" for i, name in enumerate(features.names[:shown])])
    frame.insert(0, "sample", dataset.sample_ids)
    st.dataframe(frame, hide_index=True, width="stretch", height=260)
    if shown < len(features.names):
        st.markdown(f"The first {shown} of {len(features.names):,} features.")
    sources = provenance(workspace(), study.id).get("sources", [])
    if sources:
        with st.expander("Files it was read from"):
            st.dataframe(
                pd.DataFrame(sources)[["name", "reader", "bytes", "sha256"]],
                hide_index=True,
                width="stretch",
            )
    st.page_link(page_path("train"), label="Train a model", icon=":material/model_training:")
