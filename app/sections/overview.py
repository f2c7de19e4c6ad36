"""Parts of the page *Overview*: the run, how well it predicts, and what carries it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from app.loading import (
    account_of,
    contributions_of,
    explained_of,
    gate_of,
    own_gate_of,
    performance_of,
    share_intervals_of,
)
from app.state.address import in_address
from app.state.selection import Scope
from app.state.session import comparable_runs, known_targets, run_label
from app.widgets.downloads import download_view
from app.widgets.figures import FIGURE_CONFIG
from app.widgets.messages import bullets, escaped, facts
from app.widgets.number_table import show_table
from app.widgets.page_head import answer
from smurf_core.contributions import Contributions
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.evaluation.metrics import FEWEST_FOR_CORRELATION, METRIC_TITLES
from smurf_core.evaluation.redundancy import ALL_OUTPUTS
from smurf_core.evaluation.samples import subset_performance
from smurf_core.plot.share_bars import alone_first, largest_terms, shares_with_intervals
from smurf_core.reporting.explanations import explain
from smurf_core.reporting.numbers import mean_and_spread, percent, plain, term_label
from smurf_core.reporting.sentences import how_well, score_text
from smurf_core.runs.store import RunInfo
from smurf_core.runs.studies import StudyInfo
from smurf_core.terms import spoken

# Other runs of the study that are asked whether they say otherwise, at most.
MOST_OTHERS = 5


def headline(study: StudyInfo, run: RunInfo, pinned: RunInfo | None, scope: Scope) -> None:
    """Which study, target and model, and how well it predicts; the same of the pinned run."""
    target = f" · {run.target}" if len(known_targets(study.id)) > 1 else ""
    said = f"{study.name}{target} · {run.config.kind.title}: {how_well(gate_of(run, scope))}"
    if pinned is not None:
        theirs = gate_of(pinned, scope)
        score = score_text(theirs) if theirs.has_enough else "too few samples"
        said += f" Pinned for comparison: {run_label(pinned)}, {score}."
    st.markdown(escaped(said))


def scores(run: RunInfo, pinned: RunInfo | None, scope: Scope) -> None:
    """Every metric: mean ± sd over test folds for all samples; pooled over folds for a part.

    A pinned run's metrics follow in brackets.
    """
    found = _scores(run, scope)
    if pinned is not None:
        theirs = _scores(pinned, scope)
        found = {name: f"{value} (pinned {theirs[name]})" for name, value in found.items()}
    if not scope.is_all:
        found["Samples"] = f"{len(scope.apply(explained_of(run))):,}"
    facts(found)
    if scope.is_all:
        st.markdown(f":small[Mean ± standard deviation over test folds. {_undefined(run)}]")


def _undefined(run: RunInfo) -> str:
    """Why a metric has no mean over folds; empty if all have one."""
    table = performance_of(run)
    names = [METRIC_TITLES[name] for name in table.loc[table["mean"].isna(), "metric"]]
    if not names:
        return ""
    return (
        f"{spoken(names)}: not defined where a fold has fewer than {FEWEST_FOR_CORRELATION} test "
        "samples, or predictions or targets that do not vary."
    )


def _scores(run: RunInfo, scope: Scope) -> dict[str, str]:
    if scope.is_all:
        return {
            METRIC_TITLES[row["metric"]]: mean_and_spread(row["mean"], row["sd"])
            for row in performance_of(run).to_dict("records")
        }
    if not own_gate_of(run, scope).has_enough:
        return {}  # A notice is above. Of a few samples, r is near 1 by chance.
    explained = scope.apply(explained_of(run))
    found = subset_performance(explained, {scope.label: explained.sample_ids})
    return {METRIC_TITLES[row["metric"]]: plain(row["value"]) for row in found.to_dict("records")}


def shares(
    study: StudyInfo,
    run: RunInfo,
    pinned: RunInfo | None,
    dataset: MultimodalDataset,
    scope: Scope,
) -> None:
    """What carries the prediction: a sentence, bars with intervals, then all else that is known."""
    contributions, intervals = contributions_of(run), share_intervals_of(run, scope)
    output = _shown_output(run, contributions)
    others = [other for other in comparable_runs(run) if other.id != run.id]
    account = account_of(run, scope, output, others[:MOST_OTHERS])
    shown = account.shares
    if shown is None:
        for sentence in account.sentences:
            st.warning(escaped(sentence))
        return
    answer(account.sentences[0])
    headline(study, run, pinned, scope)
    terms, totals = shown.terms, shown.totals
    others_said = [*account.sentences[1:]]
    if pinned is not None:
        terms, note = _with_pinned(terms, pinned, scope, output)
        others_said += [note] if note else []
    terms = alone_first(terms)
    drawn = largest_terms(terms)
    st.plotly_chart(
        shares_with_intervals(drawn, totals, contributions.modalities),
        key="shares",
        config=FIGURE_CONFIG,
        alt="Shares of the prediction's variance with intervals; the table below has the numbers.",
    )
    bullets(others_said)
    drawn_over = "persons" if dataset.persons is not None else "samples (no persons are known)"
    left_out = f" The {len(terms) - len(drawn)} smallest are only in the table."
    st.markdown(
        "Plain bars: what a modality says alone; hatched: what it shares. Whiskers and brackets: "
        f"95% intervals over {intervals.persons:,} {drawn_over}, {intervals.draws:,} "
        + ("refits. " if intervals.is_refitted else "draws, for these models only. ")
        + "✓ the verdict is good; ✗ and pale: it is not. Verdicts are computed from all samples."
        + (f" ◇: {escaped(shown.without)}." if shown.left_out else "")
        + (left_out if len(drawn) < len(terms) else ""),
        help=explain("share", "share_interval", "verdict"),
    )
    with st.expander("Numbers"):
        _share_table(terms, shown.without)


def _with_pinned(
    terms: pd.DataFrame, pinned: RunInfo, scope: Scope, output: str
) -> tuple[pd.DataFrame, str]:
    """The terms with the pinned run's shares in a column `pinned`, and why it has none to show."""
    account = account_of(pinned, scope, output, [])
    reason = account.closed or (account.shares.influence if account.shares else "")
    reason = f"Pinned run: {reason}" if reason else ""
    if account.shares is None:
        return terms.assign(pinned=np.nan), reason
    keys = ["order", "modality", "shared_with"]
    own = account.shares.terms[[*keys, "share"]].rename(columns={"share": "pinned"})
    return terms.merge(own, how="left", on=keys), reason


def _shown_output(run: RunInfo, contributions: Contributions) -> str:
    """The output whose shares are shown; the user chooses it if there are classes."""
    if not contributions.is_classification:
        return contributions.outputs[0]
    key, outputs = f"overview_class_{run.id}", [ALL_OUTPUTS, *contributions.outputs]
    in_address("class", key, outputs, ALL_OUTPUTS)
    return st.selectbox(
        "Class",
        outputs,
        key=key,
        format_func=lambda name: "All classes" if name == ALL_OUTPUTS else name,
        width=340,
    )


def _share_table(terms: pd.DataFrame, without: str) -> None:
    """One row per contribution: share with interval, own variance, verdict and its reasons.

    A column `pinned` of `terms` is the pinned run's share. `without` names the samples on which
    shares depend, if there are any.
    """
    table = pd.DataFrame(
        {
            "contribution": list(map(term_label, terms["modality"], terms["shared_with"])),
            "kind": terms["kind"],
            "share": terms["share"],
            "interval": [
                f"[{plain(100 * low, 1)}, {plain(100 * high, 1)}]"
                for low, high in zip(terms["ci_low"], terms["ci_high"], strict=True)
            ],
            **({"without": [percent(s, 2) for s in terms["share_without"]]} if without else {}),
            **(
                {"pinned": [percent(share, 2) for share in terms["pinned"]]}
                if "pinned" in terms
                else {}
            ),
            "own_share": terms["own_share"],
            "sd": terms["sd"],
            "verdict": terms["verdict"],
            "reliability": terms["reliability"].map(plain),
            "restart_r": terms["restart_r"].map(plain),
            "fold_r": terms["fold_r"].map(plain),
        }
    )
    show_table(
        table,
        key="share_table",
        column_config={
            "contribution": "Contribution",
            "kind": "Kind",
            "share": st.column_config.NumberColumn(
                "Share of variance", format="percent", help=explain("share")
            ),
            "interval": st.column_config.TextColumn(
                "95% interval, %", help=explain("share_interval")
            ),
            "without": f"Share {without}",
            "pinned": st.column_config.TextColumn("Pinned run's share", help=explain("share")),
            "own_share": st.column_config.NumberColumn(
                "Own variance", format="percent", help=explain("own_share")
            ),
            "sd": st.column_config.NumberColumn(
                "Standard deviation", format="%.3f", help=explain("sd")
            ),
            "verdict": st.column_config.TextColumn("Verdict", help=explain("verdict")),
            "reliability": st.column_config.TextColumn("Reliability", help=explain("reliability")),
            "restart_r": st.column_config.TextColumn("r, restarts", help=explain("restart_r")),
            "fold_r": st.column_config.TextColumn("r, folds", help=explain("fold_r")),
        },
    )
    download_view(terms.reset_index(drop=True), "variance_shares")
