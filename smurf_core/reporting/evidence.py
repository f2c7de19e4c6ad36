"""What key findings are read from: the evaluations of a run that they need, and no others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from smurf_core.evaluation.commonality import Commonality, witness_of
from smurf_core.evaluation.judgments import human_agreement, with_verdicts
from smurf_core.evaluation.outlying import outlying_samples
from smurf_core.evaluation.redundancy import ShareIntervals, pair_table
from smurf_core.evaluation.subset_fusion import why_not_held_out
from smurf_core.explained import Explained
from smurf_core.reporting.findings import Findings, examples
from smurf_core.reporting.witness import comparable_totals
from smurf_core.results import RunResult


@dataclass(frozen=True)
class Evidence:
    """Evaluations of the samples shown; verdicts, sharing and the witness are of the whole run.

    What takes time is asked for when a finding needs it.
    """

    verdicts: pd.DataFrame
    sharing: pd.DataFrame  # who shares with whom; empty for models that do not select sets
    pairs: pd.DataFrame  # `pair_table`; empty without redundant terms
    comparable: pd.DataFrame | None  # `comparable_totals`
    is_class: bool  # several outputs are predicted
    witness: Callable[[], Commonality | None]  # None where nothing is held out
    agreement: Callable[[], pd.DataFrame]  # human judgments `with_verdicts`; empty without any
    standing_out: Callable[[], pd.DataFrame]  # `examples` by what only one modality says


def evidence_of(
    result: RunResult,
    shown: Explained,
    intervals: ShareIntervals,
    verdict_table: pd.DataFrame,
    *,
    witness: Callable[[], Commonality] | None = None,
    agreement: Callable[[], pd.DataFrame] | None = None,
) -> Evidence:
    """What findings are read from.

    Parameters
    ----------
    result
        The run.
    shown
        The samples that are spoken of.
    intervals
        `share_intervals` of these samples.
    verdict_table
        `verdicts` of the run.
    witness, agreement
        Return `witness_of` the run and `human_agreement` `with_verdicts` of these samples, where
        someone keeps them.
    """
    dataset, contributions = shown.dataset, shown.contributions
    is_judged = bool(dataset.judgments) and dataset.task == "regression"

    def second_method() -> Commonality | None:
        if why_not_held_out(result.folds):
            return None
        return witness() if witness else witness_of(result, dataset)

    def people() -> pd.DataFrame:
        if not is_judged:
            return pd.DataFrame()
        if agreement:
            return agreement()
        return with_verdicts(human_agreement(shown), shown, verdict_table)

    def standing_out() -> pd.DataFrame:
        outlying = outlying_samples(result, shown)
        return examples(result, shown, outlying, verdict_table, of=("unique",))["unique"]

    return Evidence(
        verdicts=verdict_table,
        sharing=pd.DataFrame() if result.sharing is None else result.sharing,
        pairs=pair_table(contributions) if contributions.has_redundant_terms else pd.DataFrame(),
        comparable=comparable_totals(result.config.kind, intervals.totals),
        is_class=len(set(intervals.totals["output"])) > 1,
        witness=second_method,
        agreement=people,
        standing_out=standing_out,
    )


def evidence_in(found: Findings) -> Evidence:
    """What a report has computed already."""
    return Evidence(
        verdicts=found.verdicts,
        sharing=found.tables.get("sharing", pd.DataFrame()),
        pairs=found.pairs,
        comparable=found.comparable,
        is_class=len(set(found.tables["variance_totals"]["output"])) > 1,
        witness=lambda: found.witness,
        agreement=lambda: found.agreement,
        standing_out=lambda: found.typical["unique"],
    )
