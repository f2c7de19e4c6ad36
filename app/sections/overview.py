"""Parts of the overview: which run it is, how well it predicts, and the table of shares."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.explanations import explain
from app.loading import contributions_of, explained_of, performance_of, share_intervals_of
from app.state.selection import Scope, download_view, pin_run_button
from app.state.session import run_label
from app.widgets.messages import escaped, facts
from smurf_core.contributions import Contributions
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.evaluation.metrics import METRIC_TITLES
from smurf_core.evaluation.redundancy import ALL_OUTPUTS
from smurf_core.evaluation.samples import subset_performance
from smurf_core.reporting.numbers import mean_and_spread, percent, plain, term_label
from smurf_core.runs.store import RunInfo
from smurf_core.runs.studies import StudyInfo


def headline(study: StudyInfo, run: RunInfo, pinned: RunInfo | None, samples: int) -> None:
    """Which study and model, whether its data is real, and which run is pinned beside it."""
    beside = f" Pinned beside it: {escaped(run_label(pinned))}." if pinned else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**{escaped(study.name)}** · {run.config.kind.title} · "
            f"{samples:,} samples, each explained by a model that did not see it.{beside}"
        )
        pin_run_button(run)
    if study.origin != "recorded":
        st.info(f"This data is {study.origin}.")


def scores(run: RunInfo, pinned: RunInfo | None, dataset: MultimodalDataset, scope: Scope) -> None:
    """Every metric: mean ± sd over test folds, of all samples; of a part, pooled over folds.

    A pinned run's stand behind them.
    """
    found = _scores(run, scope)
    if pinned is not None:
        theirs = _scores(pinned, scope)
        found = {name: f"{value} (pinned {theirs[name]})" for name, value in found.items()}
    if not scope.is_all:
        found["Samples"] = f"{int(scope.mask(contributions_of(run).sample_ids).sum()):,}"
    facts(found)


def _scores(run: RunInfo, scope: Scope) -> dict[str, str]:
    if scope.is_all:
        return {
            METRIC_TITLES[row["metric"]]: mean_and_spread(row["mean"], row["sd"])
            for row in performance_of(run).to_dict("records")
        }
    explained = explained_of(run)
    found = subset_performance(explained, {scope.label: scope.mask(explained.sample_ids)})
    return {METRIC_TITLES[row["metric"]]: plain(row["value"]) for row in found.to_dict("records")}


def pinned_shares(pinned: RunInfo, scope: Scope, output: str) -> pd.DataFrame:
    """The pinned run's shares of variance: order, modality, shared_with, pinned (the share)."""
    terms = share_intervals_of(pinned, scope.key).terms
    own = terms[terms["output"] == output]
    return own[["order", "modality", "shared_with", "share"]].rename(columns={"share": "pinned"})


def shown_output(run: RunInfo, contributions: Contributions) -> str:
    """The output whose shares are shown; asks for it where there are classes."""
    if not contributions.is_classification:
        return contributions.outputs[0]
    return st.selectbox(
        "Class",
        [ALL_OUTPUTS, *contributions.outputs],
        key=f"overview_class_{run.id}",
        format_func=lambda name: "All classes" if name == ALL_OUTPUTS else name,
        width=340,
    )


def share_table(terms: pd.DataFrame) -> None:
    """One row a contribution: share with interval, own variance, verdict and what it stands on.

    Where `terms` has a column `pinned`, that is the pinned run's share.
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
            **(
                {"pinned": [percent(share, 2) for share in terms["pinned"]]}
                if "pinned" in terms
                else {}
            ),
            "own_share": terms["own_share"],
            "sd": terms["sd"],
            "verdict": terms["verdict"],
            "restart_r": terms["restart_r"].map(plain),
            "fold_r": terms["fold_r"].map(plain),
        }
    )
    st.dataframe(
        table,
        hide_index=True,
        width="stretch",
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
            "pinned": st.column_config.TextColumn("Pinned run's share", help=explain("share")),
            "own_share": st.column_config.NumberColumn(
                "Own variance", format="percent", help=explain("own_share")
            ),
            "sd": st.column_config.NumberColumn(
                "Standard deviation", format="%.3f", help=explain("sd")
            ),
            "verdict": st.column_config.TextColumn("Verdict", help=explain("verdict")),
            "restart_r": st.column_config.TextColumn("r, restarts", help=explain("restart_r")),
            "fold_r": st.column_config.TextColumn("r, folds", help=explain("fold_r")),
        },
    )
    download_view(terms.reset_index(drop=True), "variance_shares")
