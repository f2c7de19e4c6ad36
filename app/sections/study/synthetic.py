"""Synthetic studies, whose true contributions are known."""

from __future__ import annotations

import streamlit as st

from app.state.navigation import page_path
from app.state.session import select_study, workspace
from app.widgets.messages import show_errors
from smurf_core.data.generated.synthetic import synthetic_additive, synthetic_interactions
from smurf_core.runs import studies


def synthetic_form() -> None:
    """Make a study from formulas, and open its page *Data*."""
    st.markdown(
        "Simulated features whose true unique and redundant contributions are known "
        "(equations 16 to 19, 32 and 33 of the paper). Use them to see what a factorisation should "
        "look like, and to check that a model finds it."
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
        help="The target still depends on it, as in the paper's bimodal setting.",
    )  # fmt: skip
    seed = second.number_input("Seed", 0, 10_000, 0, key="synthetic_seed")
    if st.button("Make synthetic study", type="primary", key="synthesise"):
        with show_errors():
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
