"""The questions of a design: kind, range, labels, and where each is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import streamlit as st

from app.sections.ratings.preview import question_preview
from smurf_core.ratings.design import (
    MOST_STEPS,
    SAM_STEPS,
    Condition,
    Dimension,
    Scale,
    ScaleKind,
)
from smurf_core.ratings.interface import interface_texts

_KINDS: dict[ScaleKind, str] = {
    "slider": "slider, one answer",
    "likert": "steps (Likert)",
    "sam": "pictures (SAM)",
    "categories": "categories",
    "informativeness": "informativeness of each modality",
    "continuous": "slider, all through the clip",
}


def edited_scales(
    start: Sequence[Scale], shown_in: Sequence[Condition], targets: Sequence[str], mark: str, *,
    language: str,
) -> tuple[Scale, ...]:  # fmt: skip
    """The questions with what the user changed, added and removed.

    `mark` is part of all keys. Questions that none of the conditions asks are left out. Raises
    `InputError` with one sentence if a question cannot be asked like this.
    """
    key = f"questions_{mark}"
    conditions = [condition.name for condition in shown_in]
    places = st.session_state.setdefault(key, list(range(len(start))))

    def add() -> None:
        st.session_state[key] = [*places, max(places, default=-1) + 1]

    found = []
    with st.expander("Questions"):
        known = {at: _first(start, at) for at in places}
        shown = [
            at for at in places
            if not known[at].conditions or set(known[at].conditions) & set(conditions)
        ]  # fmt: skip
        names = [st.session_state.get(f"q_name_{mark}_{at}", known[at].name) for at in shown]
        for tab, at in zip(st.tabs(names) if names else [], shown, strict=True):
            with tab:
                own = f"{mark}_{at}"
                found.append(_edited(known[at], conditions, targets, own, language))
                question_preview(found[-1], shown_in, language=language, key=f"q_shown_{own}")
                st.button(
                    "Remove this question", key=f"q_remove_{own}", on_click=_remove,
                    args=(key, at), disabled=len(shown) < 2,
                )  # fmt: skip
        st.button("Add a question", key=f"q_add_{mark}", icon=":material/add:", on_click=add)
    return tuple(found)


def _remove(key: str, at: int) -> None:
    st.session_state[key] = [place for place in st.session_state[key] if place != at]


def _first(start: Sequence[Scale], at: int) -> Scale:
    """The question that a place begins with."""
    if at < len(start):
        return start[at]
    return Scale(f"question_{at + 1}", "slider", "How strong is it?", labels=("low", "high"))


def _edited(
    scale: Scale, conditions: Sequence[str], targets: Sequence[str], own: str, language: str
) -> Scale:
    a, b, c = st.columns(3)
    name = a.text_input("Name, a column of the export", scale.name, key=f"q_name_{own}")
    kinds = list(get_args(ScaleKind))
    kind: ScaleKind = b.selectbox(
        "Kind", kinds, kinds.index(scale.kind), format_func=_KINDS.__getitem__, key=f"q_kind_{own}"
    )
    options = ["", *targets]
    measures = c.selectbox(
        "Measures the target", options,
        options.index(scale.measures) if scale.measures in options else 0,
        format_func=lambda target: target or "none of them", key=f"q_target_{own}",
    ) if kind not in ("informativeness", "continuous") else ""  # fmt: skip
    question = st.text_input("Question", scale.question, key=f"q_text_{own}")
    changed = _as_kind(scale, kind)
    labels, low, high, steps = changed.labels, changed.low, changed.high, changed.steps
    dimension, intensity = changed.dimension, False
    if kind in ("slider", "likert", "sam", "continuous"):
        a, b, c = st.columns(3)
        low = a.number_input("Lowest value", value=low, key=f"q_low_{own}")
        high = b.number_input("Highest value", value=high, key=f"q_high_{own}")
        if kind == "likert":
            steps = int(c.number_input("Steps", 2, MOST_STEPS, steps, key=f"q_steps_{own}"))
        elif kind == "sam":
            steps = c.selectbox(
                "Pictures", SAM_STEPS, SAM_STEPS.index(steps), key=f"q_pictures_{own}"
            )
            dimensions = list(get_args(Dimension))
            dimension = st.segmented_control(
                "What the pictures show", dimensions, default=dimension, required=True,
                key=f"q_dimension_{own}",
            )  # fmt: skip
    if kind in ("slider", "sam", "continuous"):
        a, b = st.columns(2)
        ends = (labels[0], labels[-1]) if labels else ("low", "high")
        of = own
        if kind == "sam":
            of += f"_{dimension}"  # Other pictures have other ends.
            if (kind, dimension) != (scale.kind, scale.dimension):
                texts = interface_texts(language)
                ends = (texts[f"sam_{dimension}_low"], texts[f"sam_{dimension}_high"])
        labels = (
            a.text_input("Label of the lowest value", ends[0], key=f"q_left_{of}"),
            b.text_input("Label of the highest value", ends[1], key=f"q_right_{of}"),
        )
    elif kind in ("likert", "categories"):
        what = "of the two ends, or of every step" if kind == "likert" else "of the categories"
        lines = st.text_area(
            f"Labels {what}, one per line", "\n".join(labels), key=f"q_labels_{own}"
        )
        labels = tuple(line.strip() for line in lines.splitlines() if line.strip())
        if kind == "categories":
            intensity = st.checkbox(
                "Also ask how strongly", scale.intensity, key=f"q_intensity_{own}"
            )
    asked = _asked(scale, kind, conditions, own)
    return Scale(
        name, kind, question, measures, float(low), float(high), steps, labels, dimension,
        intensity, asked,
    )  # fmt: skip


def _as_kind(scale: Scale, kind: ScaleKind) -> Scale:
    """The question as another kind, with labels and steps that this kind can have."""
    if scale.kind == kind:
        return scale
    ends = (scale.labels[0], scale.labels[-1]) if len(scale.labels) > 1 else ("low", "high")
    labels = () if kind == "informativeness" else ends
    steps = 9 if kind == "sam" and scale.steps > 5 else 5 if kind == "sam" else scale.steps
    return replace(scale, kind=kind, labels=labels, steps=steps)


def _asked(scale: Scale, kind: ScaleKind, conditions: Sequence[str], own: str) -> tuple[str, ...]:
    """Where the question is asked: one condition for a continuous scale; empty: in all."""
    before = [name for name in scale.conditions if name in conditions]
    # The key changes with the options, which a kept value may not be among.
    key = f"q_asked_{own}_{kind == 'continuous'}_{'_'.join(conditions)}"
    if kind == "continuous":
        options = list(conditions)
        at = options.index(before[0]) if before else 0
        chosen = st.selectbox("Asked in the condition", options, at, key=key)
        return (chosen,) if chosen else ()
    return tuple(
        st.multiselect(
            "Asked in these conditions", list(conditions), before, key=key,
            placeholder="All conditions",
        )
    )  # fmt: skip
