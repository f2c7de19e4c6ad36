"""Behind a sample's card: the parts of its prediction, their features, and similar samples."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from app.loading import contributions_of, result_of, sample_table_of, verdicts_of
from app.loading_samples import attributions_of, similar_to
from app.sections.samples.card import ask_output
from app.state.address import in_address
from app.state.selection import pin_sample, pinned_sample, run_pinned_beside
from app.state.session import run_label
from app.widgets.downloads import download_view
from app.widgets.figures import FIGURE_CONFIG
from app.widgets.messages import escaped, facts, show_errors
from app.widgets.number_table import show_table
from app.widgets.outlying import show_outlying
from app.widgets.pins import pin_run_button
from app.widgets.selected_samples import opens_chosen
from smurf_core.contributions import Contributions
from smurf_core.data.dataset import INFORMATIVENESS_LEVELS, MultimodalDataset
from smurf_core.evaluation.feature_groups import group_attributions
from smurf_core.evaluation.neighbours import Similarity
from smurf_core.evaluation.verdicts import GOOD, verdict_of
from smurf_core.plot.attributions import attribution_bars
from smurf_core.plot.contributions import breakdown, contribution_matrices, waterfall
from smurf_core.plot.heatmaps import signed_heatmap
from smurf_core.plot.theme import modality_colours
from smurf_core.refits import critical
from smurf_core.reporting.explanations import explain
from smurf_core.reporting.numbers import plain, signed, term_label
from smurf_core.runs.store import RunInfo
from smurf_core.terms import subset_name

_MEASURES: dict[Similarity, str] = {"cosine": "Same direction", "euclidean": "Smallest distance"}


def show_details(sample: str, dataset: MultimodalDataset, run: RunInfo, *, is_open: bool) -> None:
    """The parts of a sample's prediction, the features behind them, and similar samples.

    Where there is nothing to explain, the parts are shown without any reason.
    """
    output = ask_output(sample, run, dataset)
    unit = (
        f"Contribution to {dataset.target_name}"
        if dataset.task == "regression"
        else f"Logit of {dataset.class_names[output]}"
    )
    _pins(sample, run)
    show_outlying(sample, run)
    _judged(sample, dataset)
    _parts(sample, run, output, unit, is_open=is_open)
    if is_open:
        _reasons(sample, run, dataset, output, unit)
        _neighbours(sample, run)


def _row(contributions: Contributions, sample: str) -> int | None:
    found = np.flatnonzero(contributions.sample_ids == sample)
    return int(found[0]) if len(found) else None


def _pins(sample: str, run: RunInfo) -> None:
    """Pin this sample or this run, to compare it with the next one."""
    sample_pinned = pinned_sample() == sample
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Unpin sample" if sample_pinned else "Pin sample", key="pin_sample",
            icon=":material/keep:", on_click=pin_sample, args=(None if sample_pinned else sample,),
            help="A pinned sample is shown next to each sample that you open after it.",
        )  # fmt: skip
        pin_run_button(run)


def _judged(sample: str, dataset: MultimodalDataset) -> None:
    """Judgments by people who saw some modalities, and how informative they found each."""
    where = int(np.flatnonzero(dataset.sample_ids == sample)[0])
    known = {}
    for shown, ratings in dataset.judgments.items():
        names = tuple(name for name in dataset.modalities if name in shown)
        if np.isfinite(ratings[where]):
            known[f"Judged from {subset_name(names)}"] = plain(float(ratings[where]))
    for modality, levels in dataset.informativeness.items():
        if levels[where] >= 0:
            known[f"{modality} is informative"] = INFORMATIVENESS_LEVELS[levels[where]]
    if known:
        facts(known)


def _parts(sample: str, run: RunInfo, output: int, unit: str, *, is_open: bool) -> None:
    """The breakdown as a waterfall, a table (beside what is pinned), and matrices."""
    own = _one(run, sample)
    if own is None:
        return
    parts = breakdown(own, 0, output)
    left, right = st.columns([5, 4])
    left.plotly_chart(
        waterfall(parts, own.modalities, unit),
        key="waterfall",
        config=FIGURE_CONFIG,
        alt="Waterfall from the baseline through every contribution to the prediction",
    )
    shown = pd.DataFrame({"Part": parts["part"], unit: _written(parts)}).set_index("Part")
    intervals = _half_widths(run, sample, output)
    if intervals:
        shown["±"] = [intervals.get(part, "") for part in parts["part"]]
    for title, other in _pinned_breakdowns(sample, run, output):
        values = dict(zip(other["part"], _written(other), strict=True))
        shown[title] = [values.get(part, "–") for part in shown.index]
    if is_open:
        verdicts = {
            term_label(row["modality"], row["shared_with"]): row["verdict"]
            for row in verdicts_of(run).to_dict("records")
        }
        shown["Verdict"] = [verdicts.get(part, "") for part in parts["part"]]
    right.table(shown)
    right.markdown(
        "The baseline is the prediction for an average sample. Each contribution shows how far "
        "this sample's modality moves it: plain bars alone, hatched bars shared with another "
        "modality, crossed bars shared with several. They add up to exactly the prediction. "
        + (
            "Rely only on contributions that are reliable (models of other persons would agree) or "
            "stable (restarts and folds agree)."
            if is_open
            else "Do not rely on any of them: they divide a prediction that may be noise."
        )
        + (" ±: 95% interval over models of other persons." if intervals else ""),
        help=explain("spread") if intervals else None,
    )
    matrices = contribution_matrices(own, 0, output)
    limit = max(float(np.nanmax(m.abs().to_numpy())) for m in matrices.values()) or 1.0
    for place, (order, matrix) in zip(st.columns(len(matrices)), matrices.items(), strict=True):
        what = "Modalities" if order == 1 else f"Interactions of {order} modalities"
        place.markdown(
            f"**{what}**: row, the source; column, what it is shared with",
            help=explain("unique", "redundant", *(["interaction"] if order > 1 else [])),
        )
        place.plotly_chart(
            signed_heatmap(matrix, title=unit, limit=limit),
            key=f"matrix_{order}",
            config=FIGURE_CONFIG,
            alt="Matrix of this sample's unique (diagonal) and redundant contributions",
        )


def _half_widths(run: RunInfo, sample: str, output: int) -> dict[str, str]:
    """Half of each contribution's 95% interval over refits, by part; nothing without refits."""
    refits, contributions = result_of(run).refits, contributions_of(run)
    row = _row(contributions, sample)
    if refits is None or row is None:
        return {}
    widths = critical(refits.persons) * refits.spread[row, :, output]
    return {
        term_label(*term.names[1:]): plain(float(width))
        for term, width in zip(contributions.terms, widths, strict=True)
    }


def _one(run: RunInfo, sample: str) -> Contributions | None:
    contributions = contributions_of(run)
    row = _row(contributions, sample)
    return None if row is None else contributions.select(np.array([row]))


def _pinned_breakdowns(sample: str, run: RunInfo, output: int) -> list[tuple[str, pd.DataFrame]]:
    """The pinned sample in this run, and this sample in the pinned run, if any is pinned."""
    found = []
    pin = pinned_sample()
    if pin is not None and pin != sample:
        other = _one(run, pin)
        if other is not None:
            found.append((f"Pinned {pin}", breakdown(other, 0, output)))
    pinned = run_pinned_beside(run)
    if pinned is not None:
        other = _one(pinned, sample)
        if other is not None:
            found.append((run_label(pinned), breakdown(other, 0, output)))
    return found


def _written(parts: pd.DataFrame) -> list[str]:
    return [
        plain(value) if kind in ("baseline", "prediction") else signed(value)
        for value, kind in zip(parts["value"], parts["kind"], strict=True)
    ]


def _reasons(sample: str, run: RunInfo, dataset: MultimodalDataset, output: int, unit: str) -> None:
    """Attributions of a contribution to features, for groups and single features."""
    st.subheader("Why: features behind a contribution")
    if not st.toggle(
        "Attribute a contribution to features",
        key="attribute",
        persist_state="session",
        help="Integrated gradients from the training samples' mean features to this sample's. The "
        "attributions add up to the contribution minus what mean features would contribute. The "
        "first time takes a few seconds, because a process with torch has to start.",
    ):
        return
    where = int(np.flatnonzero(dataset.sample_ids == sample)[0])
    contributions = contributions_of(run)
    own = contributions.modalities
    there = {m for m in own if dataset.present[where][dataset.modalities.index(m)]}
    sources = [s for order in contributions.orders for s in contributions.sources(order)]
    sources = [source for source in sources if set(source) <= there]
    left, right = st.columns(2)
    # By position: a source is a tuple, which the widget would read as several defaults.
    at = left.segmented_control(
        "Modality", range(len(sources)), default=0, required=True,
        format_func=lambda k: subset_name(sources[k]), key=f"why_{run.id}_{len(sources)}",
    )  # fmt: skip
    source = sources[at]
    terms = [term for term in contributions.terms if term.source == source]
    term = right.selectbox(
        "Contribution",
        sorted(terms, key=lambda term: not term.is_unique),
        format_func=lambda term: term_label(*term.names[1:]),
        key=f"why_shared_{run.id}_{subset_name(source)}",
    )
    with show_errors():
        found = attributions_of(run, sample, term, output)
        table = found.table()
        groups = group_attributions(table)
        st.markdown(
            f"{escaped(term_label(*term.names[1:]))} contributes "
            f"**{escaped(signed(found.contribution))}**; with average features it would contribute "
            f"{escaped(signed(found.at_average))}. The difference, "
            f"{escaped(signed(found.contribution - found.at_average))}, comes from:"
        )
        verdict = verdict_of(verdicts_of(run), term)
        if verdict not in GOOD:
            st.warning(
                f"The verdict on this contribution is “{verdict}”: do not rely on what it comes "
                "from.",
                icon=":material/warning:",
            )
        colour = modality_colours(own)[source[0]]
        by_group, by_feature = st.columns(2)
        title = f"Attribution ({unit.removeprefix('Contribution to ')})"
        by_group.markdown("**Groups of features**, guessed from their names")
        by_group.plotly_chart(
            attribution_bars(groups, "group", title=title, colour=colour),
            key="groups", config=FIGURE_CONFIG,
        )  # fmt: skip
        by_feature.markdown("**Single features**")
        by_feature.plotly_chart(
            attribution_bars(table, "feature", title=title, colour=colour),
            key="features", config=FIGURE_CONFIG,
        )  # fmt: skip
        download_view(table, "attributions")


def _neighbours(sample: str, run: RunInfo) -> None:
    """Samples whose predictions consist of similar contributions; a chosen one is opened."""
    st.subheader("Samples with similar contributions")
    in_address("alike", "alike_by", list(_MEASURES), "cosine")
    measure = st.segmented_control(
        "Similar by", list(_MEASURES), format_func=_MEASURES.__getitem__,
        key="alike_by", required=True,
        help="All contributions side by side, each divided by its standard deviation over the "
        "samples. Direction (cosine) compares only proportions; distance (Euclid) also compares "
        "strength.",
    )  # fmt: skip
    found = similar_to(run, sample, measure or "cosine")
    columns = ["sample_id", "person", "target", "prediction", "outlying"]
    table = sample_table_of(run)
    shown = found.merge(table[[c for c in columns if c in table]], on="sample_id")

    number = st.column_config.NumberColumn
    show_table(
        shown,
        on_select=opens_chosen(f"neighbours_{sample}", shown["sample_id"]),
        selection_mode="single-row",
        key=f"neighbours_{sample}",
        column_config={
            "sample_id": "Sample",
            "person": "Person",
            "outlying": "Far from training data",
            "cosine": number("Cosine", format="%.3f"),
            "distance": number("Distance (sd)", format="%.2f"),
            "target": number("Target", format="%.3f") if _is_numeric(shown) else "Target",
            "prediction": number("Prediction", format="%.3f")
            if _is_numeric(shown)
            else "Prediction",
        },
    )


def _is_numeric(table: pd.DataFrame) -> bool:
    return pd.api.types.is_numeric_dtype(table["prediction"])
