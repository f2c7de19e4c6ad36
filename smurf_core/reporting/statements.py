"""All that may be said of a run's explanation, gathered once for every surface."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from smurf_core.evaluation.baseline import against_baseline
from smurf_core.evaluation.fidelity import fidelity
from smurf_core.evaluation.gate import gate
from smurf_core.evaluation.influence import influence_path, share_influence
from smurf_core.evaluation.outlying import outlying_samples
from smurf_core.evaluation.redundancy import ShareIntervals, share_intervals
from smurf_core.evaluation.verdicts import verdicts
from smurf_core.explained import Explained, explained
from smurf_core.reporting.influence_sentences import (
    SMALLEST_CHANGE,
    influence_sentence,
    worse_than_baseline,
)
from smurf_core.reporting.sentences import (
    Leader,
    fidelity_sentence,
    leader,
    nothing_to_explain,
    overview_sentences,
)
from smurf_core.results import RunResult


def statements(
    result: RunResult,
    shown: Explained,
    *,
    intervals: ShareIntervals | None = None,
    verdict_table: pd.DataFrame | None = None,
    output: str | None = None,
    others: Mapping[str, Leader | None] | None = None,
) -> list[str]:
    """The sentences of *Overview*, the command line and reports, each gated by the verdicts.

    Parameters
    ----------
    result
        The run.
    shown
        The samples that are spoken of: all of the run's, or a part.
    intervals, verdict_table
        `share_intervals` of these samples and `verdicts` of the run, where they are known already.
    output
        Whose shares: a class, or the first output of the intervals (all classes together).
    others
        Title → `leader_of` other runs of the study.
    """
    opened = gate(shown)
    baseline = worse_than_baseline(against_baseline(result, shown.dataset))
    if not opened.is_open:
        return [sentence for sentence in (nothing_to_explain(opened), baseline) if sentence]
    followed = fidelity(shown)
    if followed is not None and not followed.is_faithful:
        return [fidelity_sentence(followed)]
    if intervals is None:
        intervals = share_intervals(shown, result.refits)
    if verdict_table is None:
        verdict_table = verdicts(result, explained(result, shown.dataset))
    output = output or str(intervals.terms["output"].iloc[0])
    terms, totals = (
        table[table["output"] == output] for table in (intervals.terms, intervals.totals)
    )
    is_class = len(result.outputs) > 1 and output in result.outputs
    return overview_sentences(
        totals,
        terms,
        verdict_table,
        opened,
        output=output if is_class else "",
        others=others,
        influence=_influence(result, shown, intervals, output),
        further=(fidelity_sentence(followed), baseline),
    )


def leader_of(
    result: RunResult, shown: Explained, intervals: ShareIntervals | None = None
) -> Leader | None:
    """The modality that leads in a run; nothing where none may be named.

    `intervals` are `share_intervals` of these samples, where they are known already.
    """
    if not gate(shown).is_open:
        return None
    if intervals is None:
        intervals = share_intervals(shown, result.refits)
    output = str(intervals.totals["output"].iloc[0])
    first = leader(intervals.totals[intervals.totals["output"] == output])
    return None if first and _influence(result, shown, intervals, output) else first


def _influence(result: RunResult, shown: Explained, intervals: ShareIntervals, output: str) -> str:
    shares = intervals.terms.loc[intervals.terms["output"] == output, "share"]
    if len(shown) < 2 or shares.isna().any():
        return ""
    # Only where a share moves enough for a sentence are intervals of the rest needed.
    if influence_path(shown, output).largest_change < SMALLEST_CHANGE:
        return ""
    influence = share_influence(shown, intervals, output=output)
    return influence_sentence(influence, outlying_samples(result, shown))
