"""Choose a study, upload one, or make synthetic data."""

import pandas as pd
import streamlit as st

from app.sections.study.upload_wizard import upload_wizard
from app.state.navigation import page_path
from app.state.session import current_study, moment, select_study, study_label, workspace
from app.widgets.media import media_form
from app.widgets.messages import offer_undo, told
from app.widgets.simulated_study import offer_simulated_study
from smurf_core.data.generated.synthetic import synthetic_additive, synthetic_interactions
from smurf_core.runs import studies

st.title("Study")
st.markdown(
    "A study is a data set with its runs. Start with the synthetic one, whose true contributions "
    "are known, or upload your own features: one row a sample, two modalities or more."
)


def _list() -> None:
    known = studies.list_studies(workspace())
    current = current_study()
    table = pd.DataFrame(
        {
            "": ["●" if study.id == current.id else "" for study in known],
            "Study": [study_label(study) for study in known],
            "Task": [study.task for study in known],
            "Target": [study.target_name for study in known],
            "Samples": [study.samples for study in known],
            "Modalities": [", ".join(study.modalities) for study in known],
            "Imported": [moment(study.created) for study in known],
        }
    )
    chosen = st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        on_select="rerun",
        selection_mode="single-row",
        key="study_table",
        column_config={"": st.column_config.TextColumn(width=30)},
    )
    rows = chosen["selection"]["rows"]
    picked = known[rows[0]] if rows and rows[0] < len(known) else current
    if picked.id != current.id and rows != st.session_state.get("picked_study_row"):
        st.session_state["picked_study_row"] = rows
        select_study(picked.id)
        st.rerun()
    left, middle, recordings, right = st.columns(4)
    left.page_link(page_path("data"), label="See its data", icon=":material/table_chart:")
    middle.page_link(page_path("train"), label="Train a model", icon=":material/model_training:")
    with recordings.popover("Sound and video", icon=":material/play_circle:"):
        media_form(current)
    with right.popover("Rename or delete", icon=":material/edit:"):
        name = st.text_input("Name", current.name, key=f"rename_{current.id}", max_chars=120)
        if st.button("Rename", key="rename", disabled=not name.strip()):
            with told():
                studies.rename_study(workspace(), current.id, name)
                st.rerun()
        if st.button("Delete", key="delete", icon=":material/delete:"):
            studies.delete_study(workspace(), current.id)
            st.session_state["deleted_study"] = (current.id, current.name)
            st.rerun()

    def restore(study_id: str) -> None:
        studies.restore_study(workspace(), study_id)
        select_study(study_id)

    offer_undo("deleted_study", "undo", restore)


def _synthesise() -> None:
    st.markdown(
        "Simulated features whose true unique and redundant contributions are known "
        "(equations 16 to 19 of the paper, and 32 and 33): to see what a factorisation should "
        "look like, and to check that it is found."
    )
    first, second, third = st.columns(3)
    kinds = ["Additive, regression", "Additive, 3 classes", "Non-additive (products), regression"]
    kind = first.selectbox("Kind", kinds, key="synthetic_kind")
    is_additive = kind != kinds[2]
    count = second.number_input(
        "Modalities", 2, 6, 3, key="synthetic_modalities", disabled=not is_additive,
        help="The non-additive data has three.",
    )  # fmt: skip
    samples = third.number_input("Samples", 100, 25_000, 1_000, step=100, key="synthetic_samples")
    hides = first.toggle(
        "Hide the last modality", key="synthetic_hidden", disabled=not is_additive or count < 3,
        help="The target keeps what only it knows: the paper's bimodal setting.",
    )  # fmt: skip
    seed = second.number_input("Seed", 0, 10_000, 0, key="synthetic_seed")
    if st.button("Make synthetic study", type="primary", key="synthesise"):
        with told():
            if is_additive:
                names = tuple("ABCDEF"[: int(count)])
                dataset = synthetic_additive(
                    samples=int(samples),
                    modalities=int(count),
                    seed=int(seed),
                    visible=names[:-1] if hides and count > 2 else None,
                    task="regression" if kind == kinds[0] else "classification",
                )
            else:
                dataset = synthetic_interactions(samples=int(samples), seed=int(seed))
            select_study(studies.add_study(workspace(), dataset))
            st.switch_page(page_path("data"))
    offer_simulated_study()


list_tab, upload_tab, synthetic_tab = st.tabs(["Your studies", "Upload", "Make synthetic data"])
with list_tab:
    _list()
with upload_tab:
    upload_wizard()
with synthetic_tab:
    _synthesise()
