"""Human against learned unique contributions: the scatter, its statistics, and the tables."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app.loading import (
    contributions_of,
    explained_of,
    first_dataset_of,
    human_agreement_of,
    informativeness_of,
    unique_pairs_of,
)
from app.state.address import in_address
from app.state.selection import Scope
from app.widgets.downloads import download_view
from app.widgets.figures import FIGURE_CONFIG, colour_column_picker, selectable_chart
from app.widgets.messages import DOUBT, escaped, facts, numbers_first
from app.widgets.number_table import show_table
from app.widgets.page_head import answer
from app.widgets.selected_samples import open_in_samples, opens_chosen
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.evaluation.informativeness import informativeness_table
from smurf_core.evaluation.judgments import largest_disagreements
from smurf_core.evaluation.verdicts import GOOD
from smurf_core.plot.judgments import informativeness_boxes
from smurf_core.plot.points import Points
from smurf_core.plot.scatter import coloured_scatter
from smurf_core.plot.theme import modality_colours
from smurf_core.reporting.explanations import explain
from smurf_core.reporting.judgment_sentence import judgment_sentence
from smurf_core.reporting.numbers import p_text, plain
from smurf_core.runs.store import RunInfo
from smurf_core.runs.studies import StudyInfo
from smurf_core.terms import spoken, subset_name

_FEWEST = 3
_LISTED = 100  # the samples that differ most
_PUBLISHED, _CALIBRATED = "As published", "Calibrated"


def why_no_judgments(study: StudyInfo) -> str:
    """Why the chosen target of a study has no human judgments, in Markdown."""
    first = first_dataset_of(study)
    if study.target_name != first.target_name and (first.judgments or first.informativeness):
        return (
            f"The human judgments of this study are about {escaped(first.target_name)}, its first "
            f"target, and not about {escaped(study.target_name)}: choose "
            f"{escaped(first.target_name)} in the sidebar to see them."
        )
    return (
        "This study has no human judgments. Import a table with ratings by people who saw "
        "only some of the modalities, as columns named after the target (`val_y_A` beside "
        "`val_y_AV`), or name them in a study mapping (`judgments:`)."
    )


def conclusion(run: RunInfo, scope: Scope) -> None:
    """The page's answer: for which modalities people and model agree."""
    if scope.n >= _FEWEST:
        modalities = contributions_of(run).modalities
        answer(judgment_sentence(human_agreement_of(run, scope), modalities))


def human_scatter(
    run: RunInfo, dataset: MultimodalDataset, scope: Scope, *, has_numbers: bool
) -> Callable[[], None]:
    """Figure 3 for one modality, for the samples in scope; points become the selection.

    Without numbers, where there is nothing to explain, the points are shown alone.

    Returns
    -------
    Callable
        Draws the figure in its place: to be called when all that is to be read is on the page.
    """
    contributions = contributions_of(run)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        at = _picked_pair(run, key=f"unique_{run.study_id}")
        kinds = [_PUBLISHED, _CALIBRATED]
        in_address("ratings", "judgments_ratings", kinds, _PUBLISHED)
        ratings = st.segmented_control(
            "Ratings", kinds, key="judgments_ratings", required=True, help=explain("calibrated")
        )
        colouring = colour_column_picker(dataset, contributions, key="judgments_colour")
    pair = unique_pairs_of(run)[at]
    name = spoken(pair.modalities)
    row = None
    if scope.n >= _FEWEST and has_numbers:
        row = human_agreement_of(run, scope).to_dict("records")[at]
    human = pair.human if ratings == _PUBLISHED else pair.calibrated
    judged = np.isfinite(human)
    if not judged.any():
        st.info(
            "These ratings cannot be calibrated: the model says too little from "
            f"{escaped(spoken(pair.judged))}. Show them as published."
        )
        return lambda: None
    points = Points(
        pair.learned[judged],
        human[judged],
        pair.sample_ids[judged],
        colour=modality_colours(contributions.modalities)[pair.modalities[0]],
        colouring=None if colouring is None else colouring.pick(judged),
        in_scope=scope.mask(pair.sample_ids[judged]),
    )
    place = st.container()
    _numbers(row, scope, points, has_numbers=has_numbers)

    def draw() -> None:
        numbers_first()
        figure = coloured_scatter(
            points,
            x_title=f"Learned: unique contribution of {name} ({dataset.target_name})",
            y_title=f"Human: {dataset.target_name} − "
            f"{'' if ratings == _PUBLISHED else 'calibrated '}judgment from "
            f"{spoken(pair.judged)}",
            with_line=has_numbers,
            is_good=row is not None and row["verdict"] in GOOD,
        )
        with place:
            selectable_chart(
                figure,
                points,
                key=f"human_scatter_{name}_{ratings}",
                origin=f"Human judgments, unique to {name}",
            )

    return draw


def _numbers(
    row: Mapping[Hashable, Any] | None, scope: Scope, points: Points, *, has_numbers: bool
) -> None:
    """What the scatter shows, in words and numbers: `row` is of `human_agreement_of`."""
    line = "The line is a least-squares fit to the samples in scope, with its 95% band. "
    st.markdown(
        (line if has_numbers else "")
        + "Bars beside the axes count samples. "
        + ("" if row is None or row["verdict"] in GOOD else f"{DOUBT} ")
        + "Raters who could not see or hear a modality could "
        "not use what only it says: the target minus their rating is its human unique contribution."
        + points.note(),
        help=explain("human_unique", "human_r", "calibrated", "interval_r", "p_clustered"),
    )
    if not has_numbers and scope.n >= _FEWEST:
        return
    if row is None or row["n"] < _FEWEST:
        st.info(
            f"{scope.label}: fewer than {_FEWEST} of these samples have judgments. Choose more."
        )
        return
    facts(
        {
            "Pearson's r": f"{plain(row['r'])} {_interval(row, '')}",
            "p (Holm)": p_text(row["p_holm"]),
            "r, calibrated": f"{plain(row['r_calibrated'])} {_interval(row, '_calibrated')}",
            "p, calibrated (Holm)": p_text(row["p_calibrated_holm"]),
            "Spearman": plain(row["spearman"]),
            "Samples": f"{row['n']:,}",
            "Without a judgment": f"{row['missing']:,}",
            "Persons": f"{row['persons']:,}",
            "Verdict on the learned": row["verdict"],
        }
    )


def _picked_pair(run: RunInfo, *, key: str) -> int:
    """Ask what the contributions are unique to: the place of its pair."""
    by_name = {
        subset_name(pair.modalities): spoken(pair.modalities) for pair in unique_pairs_of(run)
    }
    names = list(by_name)
    in_address("unique", key, names, names[0])
    return names.index(
        st.selectbox("Unique to", names, key=key, format_func=by_name.__getitem__, width=260)
    )


def disagreements(run: RunInfo, scope: Scope) -> None:
    """The samples in which people and model differ most on what is unique to a modality."""
    contributions = contributions_of(run)
    at = _picked_pair(run, key=f"differ_{run.study_id}")
    pair = unique_pairs_of(run)[at]
    verdict = str(human_agreement_of(run, scope)["verdict"].iloc[at])
    table = largest_disagreements(pair, scope.mask(contributions.sample_ids))
    if table.empty:
        st.info("None of these samples has a judgment and a recording: show more.")
        return
    st.markdown(
        "Learned and human unique contribution, each less its mean and in its own standard "
        f"deviations. The verdict on what {escaped(spoken(pair.modalities))} says alone is "
        f"“{verdict}”"
        + ("." if verdict in GOOD else ": the model may be wrong in any of these samples.")
    )
    shown = table.head(_LISTED).reset_index(drop=True)

    number = st.column_config.NumberColumn
    show_table(
        shown,
        height=360,
        on_select=opens_chosen("disagreements", shown["sample_id"]),
        selection_mode="single-row",
        key="disagreements",
        column_config={
            "sample_id": "Sample",
            "learned": number("Learned", format="%+.3f"),
            "human": number("Human", format="%+.3f"),
            "difference": number("Learned − human (sd)", format="%+.2f"),
        },
    )
    with st.container(horizontal=True):
        open_in_samples("disagreements", shown["sample_id"], key="open_disagreement")
        download_view(table, "disagreements")


def agreement_table(run: RunInfo, scope: Scope) -> None:
    """Tables 3 and 4: every judged modality with r, stars, interval, p and n."""
    table = human_agreement_of(run, scope)
    rows = table.to_dict("records")
    shown = pd.DataFrame(
        {
            "Unique to": [spoken(pair.modalities) for pair in unique_pairs_of(run)],
            "Raters saw": [spoken(pair.judged) for pair in unique_pairs_of(run)],
            "r": [f"{plain(row['r'])}{stars(row['p_holm'])}" for row in rows],
            "95% interval": [_interval(row, "") for row in rows],
            "r, calibrated": [
                f"{plain(row['r_calibrated'])}{stars(row['p_calibrated_holm'])}" for row in rows
            ],
            "95% interval, calibrated": [_interval(row, "_calibrated") for row in rows],
            "Factor": [plain(value, 2) for value in table["scale"]],
            "Spearman": [plain(value) for value in table["spearman"]],
            "p": [p_text(value) for value in table["p"]],
            "p (Holm)": [p_text(value) for value in table["p_holm"]],
            "p, calibrated": [p_text(value) for value in table["p_calibrated"]],
            "p, calibrated (Holm)": [p_text(value) for value in table["p_calibrated_holm"]],
            "n": table["n"],
            "Not judged": table["missing"],
            "Persons": table["persons"],
            "Verdict": table["verdict"],
        }
    )
    if table["raters"].any():
        shown["Raters"] = table["raters"]
        shown["Agreement (α)"] = [
            f"{plain(alpha)} [{plain(low)}, {plain(high)}]" if pd.notna(alpha) else plain(alpha)
            for alpha, low, high in zip(
                table["alpha"], table["alpha_low"], table["alpha_high"], strict=True
            )
        ]
        shown["Ceiling of r"] = [plain(value) for value in table["ceiling"]]
    narrow = (
        "r", "Factor", "Spearman", "p", "p (Holm)", "n", "Not judged", "Persons", "Raters",
    )  # fmt: skip
    st.dataframe(
        shown, hide_index=True, width="stretch", key="human_table",
        column_config={name: st.column_config.Column(width=72) for name in narrow},
    )  # fmt: skip
    if table["raters"].any():
        st.markdown(
            "Ratings of single raters show how far raters agree, and how high r can be at most.",
            help=explain("krippendorff_alpha", "ceiling"),
        )
    st.markdown(
        "\\*\\*\\* p < .001, \\*\\* p < .01, \\* p < .05, after Holm's correction. "
        "*Calibrated*: ratings are multiplied by the factor, which puts them on the scale of the "
        "target. Raters who use only a part of the scale raise r as published, also where nothing "
        "is unique. Verdict: on the learned contribution; only where it is reliable or stable does "
        "r say something about the model.",
        help=explain("human_r", "calibrated", "interval_r", "p_holm"),
    )
    download_view(table, "human_agreement")


def informativeness(run: RunInfo, dataset: MultimodalDataset, scope: Scope) -> None:
    """Test whether unique contributions are larger if people called the modality informative."""
    st.markdown(
        "Does taking a modality's unique contribution away change predictions more where people "
        "called it relevant or sufficient? Wilcoxon's rank-sum test of *no* against the others, as "
        "published; *p by person* accounts for the similarity of one person's samples.",
        help=explain("informativeness", "effect_size", "p_holm"),
    )
    explained = scope.apply(explained_of(run))
    contributions = explained.contributions
    tests, table = informativeness_of(run, scope), informativeness_table(explained)
    colours = modality_colours(contributions.modalities)
    title = (
        "|Change of the predicted class's probability|"
        if contributions.is_classification
        else f"|Unique contribution| ({dataset.target_name})"
    )
    for place, row in zip(
        [c for _ in range(0, len(tests), 2) for c in st.columns(2)],
        tests.to_dict("records"),
        strict=False,
    ):
        with place:
            facts(
                {
                    "Modality": str(row["modality"]),
                    "Rank sum z": plain(row["statistic"], 2),
                    "p (Holm)": p_text(row["p_holm"]),
                    "p by person (Holm)": p_text(row["p_person_holm"]),
                    "Effect size": plain(row["effect_size"], 2),
                    "Trend τ": plain(row["trend"], 2),
                }
            )
            st.plotly_chart(
                informativeness_boxes(
                    table, row["modality"], colour=colours[row["modality"]], title=title
                ),
                key=f"informative_{row['modality']}",
                config=FIGURE_CONFIG,
            )
    with st.expander("Numbers"):
        st.dataframe(tests, hide_index=True, width="stretch", key="informativeness_table")
    download_view(tests, "informativeness")


def _interval(row: Mapping[Hashable, Any], suffix: str) -> str:
    low, high = row[f"ci_low{suffix}"], row[f"ci_high{suffix}"]
    return "–" if np.isnan(low) else f"[{plain(low)}, {plain(high)}]"


def stars(p: float) -> str:
    """The paper's stars: one for p below .05, two below .01, three below .001."""
    return "" if np.isnan(p) else "*" * sum(p < level for level in (0.05, 0.01, 0.001))
