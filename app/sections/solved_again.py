"""The tab *Solve again* of *Overview*: shares without some persons, or with another λ, at once."""

from __future__ import annotations

import streamlit as st

from app.loading import account_of, contributions_of, dataset_of, whole_gate_of
from app.loading_overview import solvable_of, solved_again_of
from app.state.address import in_address, list_in_address
from app.state.selection import Scope
from app.widgets.downloads import download_view
from app.widgets.figures import FIGURE_CONFIG
from app.widgets.gate_notice import has_findings
from app.widgets.messages import bullets, show_errors
from smurf_core.evaluation.redundancy import ALL_OUTPUTS
from smurf_core.plot.share_bars import alone_first, largest_terms, shares_with_intervals
from smurf_core.reporting.again_sentences import (
    again_sentences,
    solved_again_title,
    with_shares_again,
)
from smurf_core.runs.store import RunInfo

_AS_IN_RUN = "as in the run"
_WEIGHTS = (0.0, 0.1, 0.3, 1.0, 3.0, 10.0)
_ABOUT_WEIGHT = "How much exclusion and agreement count beside prediction. 0: prediction alone."
_MOST_NAMES = 2_000  # in the list of what can be left out


def solve_again(run: RunInfo) -> None:
    """Ask whom to leave out and for λ; the shares of both, and what may be said of them."""
    if not has_findings(run):
        return
    dataset = dataset_of(run)
    names = dataset.sample_ids if dataset.persons is None else dataset.persons
    options = sorted(set(names.tolist()))
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    left_out: list[str] = []
    if len(options) <= _MOST_NAMES:
        key = f"left_out_{run.id}"
        list_in_address("without", key, options, [])
        what = "samples" if dataset.persons is None else "persons"
        left_out = left.multiselect(
            f"Leave out {what}", options, key=key, placeholder="nobody is left out",
            help="They neither train nor are predicted.",
        )  # fmt: skip
    key = f"again_lambda_{run.id}"
    weights = [_AS_IN_RUN, *map("{:g}".format, _WEIGHTS)]
    in_address("lambda", key, weights, _AS_IN_RUN)
    chosen = right.select_slider("λ", weights, key=key, help=_ABOUT_WEIGHT)
    weight = None if chosen == _AS_IN_RUN else float(chosen)
    if not left_out and weight is None:
        used = " and ".join(f"{value:g}" for value in sorted(set(solvable_of(run).weights)))
        st.markdown(
            "Leave somebody out, or choose λ: every fold is solved again at once, with the sets, "
            f"ridge and scales of the run (λ {used}). The run stays as it is."
        )
        return
    with show_errors():
        again, after, samples = solved_again_of(run, tuple(left_out), weight)
        contributions = contributions_of(run)
        output = contributions.outputs[0]
        if contributions.is_classification:  # As the page's own figure.
            output = st.session_state.get(f"overview_class_{run.id}", ALL_OUTPUTS)
        everything = Scope.everything(len(dataset))
        shares = account_of(run, everything, output, []).shares
        if shares is None:
            return
        terms, totals = with_shares_again(shares.terms, shares.totals, again, output)
        title = solved_again_title(left_out, samples, weight)
        bullets(again_sentences(title, terms, whole_gate_of(run), after))
        if not after.is_open:
            return
        terms = alone_first(terms)
        st.plotly_chart(
            shares_with_intervals(largest_terms(terms), totals, contributions.modalities),
            key="again_shares",
            config=FIGURE_CONFIG,
            alt="Shares of the run with intervals; diamonds: solved again. The download has all.",
        )
        st.markdown(
            "Bars, intervals and verdicts: the run. ◇: solved again, without an interval of its "
            "own, which takes a run trained on the rest."
        )
        table = terms[["modality", "shared_with", "share", "ci_low", "ci_high", "share_without"]]
        download_view(table.rename(columns={"share_without": "share_again"}), "solved_again")
