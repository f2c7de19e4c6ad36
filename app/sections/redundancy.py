"""Parts of the page *Redundancy*: heatmaps, two sides of a set sample by sample, and groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from app.loading import (
    account_of,
    gate_of,
    groupings_of,
    pairs_of,
    redundancy_by_group_of,
    result_of,
    share_intervals_of,
    shares_of,
    verdicts_of,
    witness_for,
)
from app.state.address import in_address
from app.state.selection import Scope
from app.widgets.downloads import download_view
from app.widgets.figures import FIGURE_CONFIG, colour_column_picker, selectable_chart
from app.widgets.messages import DOUBT, escaped, facts
from app.widgets.number_table import show_table
from app.widgets.page_head import answer
from smurf_core.contributions import Contributions
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.evaluation.redundancy import member_pairs
from smurf_core.evaluation.subset_fusion import why_not_held_out
from smurf_core.evaluation.verdicts import GOOD, verdict_of
from smurf_core.plot.commonality_bars import commonality_bars
from smurf_core.plot.heatmaps import (
    doubt_matrix,
    heatmap_multiples,
    pair_matrix,
    residual_matrix,
    share_matrix,
    signed_heatmap,
)
from smurf_core.plot.points import Points
from smurf_core.plot.scatter import coloured_scatter
from smurf_core.plot.theme import modality_colours
from smurf_core.plot.who_shares import set_facts
from smurf_core.reporting.explanations import explain
from smurf_core.reporting.numbers import plain, term_label
from smurf_core.reporting.shared_sets import shared_sets
from smurf_core.reporting.sharing import sharing_sentence
from smurf_core.reporting.witness import comparable_totals, witness_sentences
from smurf_core.runs.store import RunInfo
from smurf_core.runs.studies import StudyInfo
from smurf_core.terms import Term, spoken, subset_name

TAB, TWO_SIDES = "redundancy_tab", "Two sides"


@dataclass(frozen=True)
class Layer:
    """What the heatmaps show: one output, and modalities or (for MRO) subsets of one size."""

    output: str
    order: int
    names: tuple[str, ...]


def chosen_layer(run: RunInfo, contributions: Contributions) -> Layer:
    """Ask for class and order if there are several."""
    output, order = contributions.outputs[0], 1
    with st.container(horizontal=True):
        if contributions.is_classification:
            key = f"redundancy_class_{run.id}"
            in_address("class", key, contributions.outputs, output)
            output = st.selectbox("Class", contributions.outputs, key=key, width=260)
        if len(contributions.orders) > 1:
            key = f"redundancy_order_{run.id}"
            in_address("order", key, contributions.orders, order)
            order = st.selectbox(
                "Order",
                contributions.orders,
                key=key,
                format_func=lambda k: "Single modalities" if k == 1 else f"Subsets of {k}",
                help=explain("interaction"),
                width=260,
            )
    sources = contributions.sources(order)
    return Layer(output, order, tuple(subset_name(source) for source in sources))


def sets(run: RunInfo, contributions: Contributions, layer: Layer, scope: Scope) -> None:
    """The page's answer: a sentence, and every set with its three facts."""
    output = layer.output if len(result_of(run).outputs) > 1 else ""
    account = account_of(run, scope, output, [])
    shares = account.shares
    if shares is None:
        return
    if shares.influence:
        st.warning(escaped(shares.influence), icon=":material/warning:")
    elif "shared" in account.said:
        answer(account.said["shared"])
    offered = result_of(run).sharing
    if offered is not None and len(offered):
        st.markdown(escaped(sharing_sentence(offered)))
    pairs = pairs_of(run, scope)
    found = shared_sets(contributions, shares.terms, pairs[pairs["output"] == layer.output])
    found = found[found["order"] == layer.order]
    if found.empty:
        return
    st.plotly_chart(
        set_facts(found, contributions.modalities),
        key=f"shared_sets_{layer.order}",
        config=FIGURE_CONFIG,
        alt="One bar per set of modalities: how much it shares, and whether its sides agree",
    )
    st.markdown(
        "How much a set shares, by who says it; the lowest r of two sides; the largest |r| with "
        "what a side says alone. ✗ and pale: a verdict is not good, so this is no finding.",
        help=explain("share", "pair_r", "left", "verdict"),
    )
    download_view(found, "shared_sets")


def matrices(run: RunInfo, layer: Layer, scope: Scope) -> None:
    """Both heatmaps; a click on a cell chooses the pair of the tab *Two sides*."""
    pairs, shares = pairs_of(run, scope), shares_of(run, scope)
    shares = shares[shares["output"] == layer.output]
    here = pairs[(pairs["output"] == layer.output) & (pairs["order"] == layer.order)]
    left, right = st.columns(2)
    limit = max(0.05, float(np.nan_to_num(shares["share"].abs().max())))
    with left:
        st.subheader("Do both sides agree?", help=explain("pair_r"))
        if len(layer.names) == 1:
            st.info("There is only one subset of this size, so it shares nothing with others.")
        elif not (here["size"] == 2).any():
            st.info("No two modalities share anything alone: choose members of a set below.")
        else:
            figure = signed_heatmap(pair_matrix(here, layer.names, "r"), title="r", clickable=True)
            _pair_chart(figure, f"pair_r_{layer.order}")
            st.markdown(
                "r between ŷ_IJ and ŷ_JI; empty where the two share nothing alone. Click a cell to "
                "see its samples in *Two sides*."
            )
    with right:
        st.subheader("How much is it?", help=explain("share"))
        figure = signed_heatmap(
            share_matrix(shares, layer.names), title="share", percent=True, limit=limit,
            clickable=len(layer.names) > 1, doubtful=doubt_matrix(verdicts_of(run), layer.names),
        )  # fmt: skip
        _pair_chart(figure, f"share_matrix_{layer.order}")
        st.markdown(
            "Shares of the prediction's variance: row I, column J is what I says and shares with "
            "J; the diagonal is what it says alone. Empty: the run has no such contribution. ✗: "
            "the verdict is not good, so this is no finding."
        )


def _pair_chart(figure: object, key: str) -> None:
    """A heatmap whose clicked cell chooses the pair that `one_pair` shows, and opens its tab."""

    def take() -> None:
        points = st.session_state[key]["selection"]["points"]
        cell = points[0].get("customdata") if points else None
        cell = list(cell.values()) if isinstance(cell, dict) else cell
        if cell and cell[0] != cell[1]:
            st.session_state["redundancy_cell"] = tuple(cell)
            st.session_state[TAB] = TWO_SIDES

    st.plotly_chart(figure, key=key, on_select=take, selection_mode="points", config=FIGURE_CONFIG)


def one_pair(
    run: RunInfo,
    dataset: MultimodalDataset,
    contributions: Contributions,
    layer: Layer,
    scope: Scope,
    *,
    has_numbers: bool,
) -> None:
    """ŷ_IJ against ŷ_JI, one point per sample; a selection here applies to all pages."""
    rows = pairs_of(run, scope)
    rows = rows[(rows["output"] == layer.output) & (rows["order"] == layer.order)]
    by_name = {
        _pair_label(pair): (row, pair)
        for row, pair in zip(
            rows.to_dict("records"), member_pairs(contributions, layer.order), strict=True
        )
    }
    clicked = st.session_state.pop("redundancy_cell", None)
    for name, (_, pair) in by_name.items():
        if clicked in [_cell(term) for term in pair]:
            st.session_state["redundancy_pair"] = name
            break
    in_address("pair", "redundancy_pair", list(by_name), next(iter(by_name)))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox("Pair", list(by_name), key="redundancy_pair", width=260)
        colouring = colour_column_picker(dataset, contributions, key="redundancy_colour")
    row, pair = by_name[chosen]
    one, other = row["modality"], row["shared_with"]
    c = contributions.outputs.index(layer.output)
    x, y = (contributions.of(term)[:, c].astype(float) for term in pair)
    is_good = has_numbers and all(verdict_of(verdicts_of(run), term) in GOOD for term in pair)
    known = {"r": plain(row["r"]), "Covariance": plain(row["covariance"])} if has_numbers else {}
    facts({**known, "Samples": f"{row['n']:,}"})
    colours = modality_colours(contributions.modalities)
    points = Points(
        x, y, contributions.sample_ids, colour=colours[pair[0].source[0]], colouring=colouring,
        in_scope=scope.mask(contributions.sample_ids),
    )  # fmt: skip
    selectable_chart(
        coloured_scatter(
            points,
            x_title=term_label(*pair[0].names[1:]),
            y_title=term_label(*pair[1].names[1:]),
            with_line=has_numbers,
            is_good=is_good,
        ),
        points,
        key=f"pair_scatter_{layer.order}_{one}_{other}"
        + ("" if row["size"] == 2 else f"_of_{row['sharers']}"),
        origin=f"Redundancy, {one} and {other}",
    )
    st.markdown(
        "One point per sample. On a rising straight line both say the same."
        + (" The number above is r within folds." if has_numbers else "")
        + (f" {DOUBT}" if has_numbers and not is_good else "")
        + points.note()
    )


def _cell(term: Term) -> tuple[str, str]:
    """The cell of a heatmap that shows a term: its row and its column."""
    return subset_name(term.source), spoken([subset_name(other) for other in term.others])


def _pair_label(pair: tuple[Term, Term]) -> str:
    """`A and B`, or `A and B, of A, B and C` for two members of a larger set."""
    two = " and ".join(sorted(subset_name(term.source) for term in pair))
    everyone = spoken([subset_name(source) for source in pair[0].sharers])
    return two if len(pair[0].sharers) == 2 else f"{two}, of {everyone}"


def by_group(study: StudyInfo, run: RunInfo, layer: Layer, scope: Scope) -> None:
    """Both heatmaps for each level of a grouping, side by side."""
    known = groupings_of(study)
    if not known:
        st.markdown(
            "This study has no column with 2 to 12 groups (a person's sex, a session, a "
            "condition…); import it with such a column to compare groups."
        )
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        key = f"redundancy_grouping_{study.id}"
        in_address("groups", key, [None, *known], None)
        grouping = st.selectbox(
            "Groups", known, key=key, index=None, placeholder="Choose a column", width=260
        )
        kinds = ["Agreement (r)", "Share of variance"]
        in_address("shown", "redundancy_shown", kinds, kinds[0])
        what = st.segmented_control("Shown", kinds, key="redundancy_shown", required=True)
    if grouping is None:
        return
    found = redundancy_by_group_of(run, grouping, scope)
    if found.left_out:
        st.markdown(f"Too few samples or persons, not shown: {escaped(', '.join(found.left_out))}.")
    if found.not_predicted:
        st.markdown(
            "Not reliably predicted above chance, so there is nothing to explain: "
            f"{escaped(', '.join(found.not_predicted))}."
        )
    is_r = what != "Share of variance"
    table = found.pairs if is_r else found.shares
    if table.empty:
        st.info("There is no group to show: show more samples, or choose another column.")
        return
    table = table[(table["output"] == layer.output) & (table["order"] == layer.order)]
    if table.empty:
        st.info("There is only one subset of this size, so it shares nothing with others.")
        return
    if is_r and not (table["size"] == 2).any():
        st.info("No two modalities share anything alone: choose the share of variance.")
        return
    limit = 1.0 if is_r else max(0.05, float(np.nan_to_num(table["share"].abs().max())))
    tables = {
        f"{level}, n = {found.sizes[level]:,}": pair_matrix(part, layer.names, "r")
        if is_r
        else share_matrix(part, layer.names)
        for level, part in table.groupby("level", sort=False)
    }
    st.plotly_chart(
        heatmap_multiples(tables, title="r" if is_r else "share", limit=limit, percent=not is_r),
        key="redundancy_groups",
        config=FIGURE_CONFIG,
    )
    st.markdown(
        "Each group on its own, centred within folds. Differences between small groups are "
        "often due to chance: an r from n samples has a standard error of about 1 / √n."
    )
    download_view(table.reset_index(drop=True), "redundancy_by_group")


def residuals(run: RunInfo, layer: Layer, scope: Scope) -> None:
    """Unique against redundant contributions, as a heatmap, and all numbers of the pairs."""
    pairs = pairs_of(run, scope)
    here = pairs[(pairs["output"] == layer.output) & (pairs["order"] == layer.order)]
    if here.empty:
        return
    st.subheader("Unique against redundant", help=explain("left"))
    st.plotly_chart(
        signed_heatmap(residual_matrix(here, layer.names), title="r"),
        key="residuals",
        config=FIGURE_CONFIG,
    )
    st.markdown(
        "Row I, column J: r between the unique contribution of I and what it shares with J. Far "
        "from zero, the two are not separated."
    )
    with st.expander("Numbers"):
        show_table(
            here[
                [
                    "modality",
                    "shared_with",
                    "r",
                    "covariance",
                    "share",
                    "left_first",
                    "left_second",
                    "n",
                    "sharers",
                ]
            ],
            key="pair_table",
            column_config={
                "modality": "Modality",
                "shared_with": "Shared with",
                "r": st.column_config.NumberColumn(
                    "r of both sides", format="%.3f", help=explain("pair_r")
                ),
                "covariance": st.column_config.NumberColumn(
                    "Covariance", format="%.3f", help=explain("pair_covariance")
                ),
                "share": st.column_config.NumberColumn(
                    "Share of variance", format="percent", help=explain("share")
                ),
                "left_first": st.column_config.NumberColumn(
                    "Left, first", format="%.3f", help=explain("left")
                ),
                "left_second": st.column_config.NumberColumn(
                    "Left, second", format="%.3f", help=explain("left")
                ),
                "n": st.column_config.NumberColumn("n", help=explain("n")),
                "sharers": "All who share",
            },
        )
        download_view(here.reset_index(drop=True), "pairs")


_WITNESS_COLUMNS = {
    "modalities": "Modalities",
    "modality": "Modality",
    "size": None,
    "kind": "Part",
    "r2": st.column_config.NumberColumn("R²", format="%.3f"),
    "ci_low": st.column_config.NumberColumn("R², low", format="%.3f"),
    "ci_high": st.column_config.NumberColumn("R², high", format="%.3f"),
    "share": st.column_config.NumberColumn("Share", format="percent"),
    "share_low": st.column_config.NumberColumn("Share, low", format="percent"),
    "share_high": st.column_config.NumberColumn("Share, high", format="percent"),
    "n": None,
    "persons": None,
}


def second_witness(run: RunInfo) -> None:
    """What late fusion without any factorisation finds to be common, beside the model's share."""
    reason = why_not_held_out(result_of(run).folds)
    if reason:
        st.info(reason)
        return
    found = witness_for(run)
    everything = Scope.everything(found.samples)
    totals = share_intervals_of(run, everything).totals
    is_open = gate_of(run, everything).is_open
    shares = comparable_totals(run.config.kind, totals) if is_open else None
    for sentence in witness_sentences(shares, found):
        st.markdown(escaped(sentence))
    if not found.predicts:
        return
    st.plotly_chart(commonality_bars(found.totals), key="commonality", config=FIGURE_CONFIG)
    st.markdown(
        "Unique: what the R² of all modalities loses without this one. Common: what it can predict "
        f"alone, less that. Of all {found.samples:,} tested samples; whiskers: 95% intervals over "
        f"{found.persons:,} persons, or samples where no persons are known.",
        help=explain("commonality"),
    )
    with st.expander("Numbers of the second witness"):
        for name, table in (
            ("subsets", found.subsets), ("totals", found.totals), ("parts", found.parts),
        ):  # fmt: skip
            show_table(
                table, key=f"witness_{name}",
                column_config=_WITNESS_COLUMNS,
            )  # fmt: skip
            download_view(table, f"commonality_{name}")
