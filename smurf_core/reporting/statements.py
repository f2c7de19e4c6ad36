"""All that may be said and shown of a run's explanation, gathered once for every surface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from smurf_core.evaluation.baseline import against_baseline
from smurf_core.evaluation.gate import Gate, gate
from smurf_core.evaluation.redundancy import ShareIntervals, share_intervals
from smurf_core.evaluation.verdicts import verdicts
from smurf_core.explained import Explained, explained
from smurf_core.reporting.influence_sentences import worse_than_baseline
from smurf_core.reporting.sentences import (
    Leader,
    fidelity_sentence,
    is_supported,
    leader,
    nothing_to_explain,
    overview_sentences,
)
from smurf_core.reporting.shares import OutputShares, output_shares
from smurf_core.reporting.sharing import unique_known
from smurf_core.results import RunResult


@dataclass(frozen=True)
class Account:
    """What may be said of a run, and the shares that may be shown with it."""

    gate: Gate
    said: Mapping[str, str]  # subject → sentence: `overview_sentences`
    shares: OutputShares | None  # None where there is nothing to explain

    @property
    def sentences(self) -> tuple[str, ...]:
        """All sentences, in their order."""
        return tuple(self.said.values())

    @property
    def closed(self) -> str:
        """Why there is nothing to explain; an empty text where there is something."""
        return nothing_to_explain(self.gate)


def gate_of(result: RunResult, shown: Explained, whole: Gate | None = None) -> Gate:
    """The gate of the samples shown, or of all of the run's, if that is closed.

    Of many parts of a run that predicts nothing, some are predicted by chance. `whole` is the gate
    of all samples, where it is known already.
    """
    if len(shown) == int((result.folds.tested_by() >= 0).sum()):
        return whole or gate(shown)
    opened = whole or gate(explained(result, shown.dataset))
    return gate(shown) if opened.is_open else opened


def account(
    result: RunResult,
    shown: Explained,
    *,
    intervals: ShareIntervals | None = None,
    verdict_table: pd.DataFrame | None = None,
    opened: Gate | None = None,
    output: str | None = None,
    others: Mapping[str, Leader | None] | None = None,
) -> Account:
    """The sentences and shares of every surface, each gated by the gate and the verdicts.

    Parameters
    ----------
    result
        The run.
    shown
        The samples that are spoken of: all of the run's, or a part.
    intervals, verdict_table, opened
        `share_intervals` of these samples, `verdicts` of the run and `gate_of` these samples, where
        they are known already.
    output
        Whose shares: a class, or the first output of the intervals (all classes together).
    others
        Title → `leader_of` other runs of the study.
    """
    opened = opened or gate_of(result, shown)
    baseline = worse_than_baseline(against_baseline(result, shown.dataset))
    if not opened.is_open:
        said = {"closed": nothing_to_explain(opened), "baseline": baseline}
        return Account(opened, {subject: text for subject, text in said.items() if text}, None)
    if intervals is None:
        intervals = share_intervals(shown, result.refits)
    if verdict_table is None:
        verdict_table = verdicts(result, explained(result, shown.dataset))
    output = output or str(intervals.terms["output"].iloc[0])
    shares = output_shares(result, shown, intervals, verdict_table, output=output)
    is_class = len(result.outputs) > 1 and output in result.outputs
    found = overview_sentences(
        shares.totals,
        shares.terms.drop(columns="verdict"),
        verdict_table,
        opened,
        output=output if is_class else "",
        others=others,
        influence=shares.influence,
        unique_known=unique_known(result.sharing),
        further={"fidelity": fidelity_sentence(opened.fidelity), "baseline": baseline},
    )
    return Account(opened, found, shares)


def statements(result: RunResult, shown: Explained, output: str | None = None) -> list[str]:
    """The sentences of `account`."""
    return list(account(result, shown, output=output).sentences)


def leader_of(
    result: RunResult,
    shown: Explained,
    intervals: ShareIntervals | None = None,
    verdict_table: pd.DataFrame | None = None,
    opened: Gate | None = None,
) -> Leader | None:
    """The modality that leads in a run; nothing where none may be named.

    None is named where there is nothing to explain, where intervals overlap, where shares depend on
    single samples, or where the leader's contributions are no findings. `intervals`,
    `verdict_table` and `opened` are as in `account`.
    """
    if not (opened or gate_of(result, shown)).is_open:
        return None
    if intervals is None:
        intervals = share_intervals(shown, result.refits)
    output = str(intervals.totals["output"].iloc[0])
    first = leader(intervals.totals[intervals.totals["output"] == output])
    if first is None:
        return None
    if verdict_table is None:
        verdict_table = verdicts(result, explained(result, shown.dataset))
    shares = output_shares(result, shown, intervals, verdict_table, output=output)
    return first if not shares.influence and is_supported(shares.terms, first) else None
