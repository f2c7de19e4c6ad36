"""The results in a report: all evaluations that the pages show, computed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from smurf_core.data.dataset import MultimodalDataset
from smurf_core.evaluation.commonality import Commonality
from smurf_core.evaluation.comparison import compare_models
from smurf_core.evaluation.complete import tables_of_run
from smurf_core.evaluation.metrics import METRICS
from smurf_core.evaluation.missing import compare_missing
from smurf_core.evaluation.redundancy import share_intervals, variance_shares
from smurf_core.evaluation.samples import transcript_column
from smurf_core.evaluation.typical import Finding, half_widths, typical_samples
from smurf_core.evaluation.verdicts import good_terms
from smurf_core.explained import Explained, explained
from smurf_core.reporting.cards import CardSource, card_source, sample_card
from smurf_core.reporting.gallery import gallery_table
from smurf_core.reporting.sample_card import SampleCard
from smurf_core.reporting.sharing import sharing_table
from smurf_core.reporting.statements import Account, account, leader_of
from smurf_core.reporting.tables import (
    ReportTable,
    judgment_table,
    missing_table,
    performance_table,
    share_table,
    typical_table,
    witness_table,
)
from smurf_core.reporting.witness import comparable_totals, witness_sentences
from smurf_core.results import RunResult

_FINDINGS: tuple[Finding, ...] = ("unique", "redundant", "unexpected")


@dataclass(frozen=True)
class Findings:
    """Evaluation tables of one run (`reference`) and of the runs it is compared with, by run id."""

    reference: str
    titles: Mapping[str, str]  # run → its title, in the order of columns
    comparison: pd.DataFrame  # `compare_models`, all runs against the reference
    missing: pd.DataFrame  # `compare_missing` for the task's main metric, all runs
    shares: pd.DataFrame  # `variance_shares` of the reference, as the next two
    tables: Mapping[str, pd.DataFrame]  # `tables_of_run`
    typical: Mapping[Finding, pd.DataFrame]
    cards: tuple[SampleCard, ...]  # `example_cards`
    comparable: pd.DataFrame | None  # `comparable_totals`, of all test samples
    account: Account  # of the reference

    @property
    def sentences(self) -> tuple[str, ...]:
        """What may be said of the reference."""
        return self.account.sentences

    @property
    def witness(self) -> Commonality | None:
        """Commonality of late fusion in the run's folds; None where nothing is held out."""
        if "commonality_subsets" not in self.tables:
            return None
        parts = ("subsets", "totals", "parts", "model")
        return Commonality(**{name: self.tables[f"commonality_{name}"] for name in parts})

    @property
    def is_open(self) -> bool:
        """True if there is something to explain in the samples shown."""
        return self.account.shares is not None

    @property
    def verdicts(self) -> pd.DataFrame:
        """A verdict on every contribution, with its reasons."""
        return self.tables["verdicts"]

    @property
    def pairs(self) -> pd.DataFrame:
        """What each pair of modalities shares; empty if nothing is shared."""
        return self.tables.get("redundancy", pd.DataFrame())

    @property
    def agreement(self) -> pd.DataFrame:
        """Learned and human unique contributions; empty without judgments."""
        return self.tables.get("human_judgments", pd.DataFrame())


def find(
    results: Mapping[str, RunResult],
    titles: Mapping[str, str],
    dataset: MultimodalDataset,
    *,
    reference: str,
) -> Findings:
    """Compute all evaluations of one study's runs."""
    result = results[reference]
    found = explained(result, dataset)
    intervals = share_intervals(found, result.refits)
    tables = tables_of_run(result, found, intervals=intervals)
    verdict_table = tables["verdicts"]
    typical = examples(result, found, tables["outlying_samples"], verdict_table)
    source = card_source(
        result, found, verdict_table=verdict_table, outlying=tables["outlying_samples"]
    )
    return Findings(
        reference=reference,
        titles=titles,
        comparison=compare_models(results, dataset, reference=reference),
        missing=compare_missing(
            results, dataset, reference=reference, metrics=(main_metric(dataset),)
        ),
        shares=model_shares(result, variance_shares(found.contributions)),
        tables=tables,
        typical=typical,
        cards=example_cards(source, typical),
        comparable=comparable_totals(result.config.kind, tables["variance_totals"]),
        account=account(
            result,
            found,
            intervals=intervals,
            verdict_table=verdict_table,
            others={
                titles[run]: leader_of(other, explained(other, dataset))
                for run, other in results.items()
                if run != reference
            },
        ),
    )


def main_metric(dataset: MultimodalDataset) -> str:
    """The paper's metric of a task, which the grid search uses."""
    return next(iter(METRICS[dataset.task]))


def model_shares(result: RunResult, shares: pd.DataFrame) -> pd.DataFrame:
    """The shares of the terms that a model has: late fusion has no redundant ones."""
    if result.config.kind.has_redundant_heads:
        return shares
    return shares[shares["kind"] == "unique"].reset_index(drop=True)


def examples(
    result: RunResult,
    explained: Explained,
    outlying: pd.DataFrame,
    verdict_table: pd.DataFrame,
    *,
    of: Sequence[Finding] = _FINDINGS,
    count: int = 50,
) -> dict[Finding, pd.DataFrame]:
    """Typical samples of some kinds with their target and, where there is one, transcript.

    Only contributions whose verdict is good are listed. `outlying` is what `outlying_samples`
    returns for these samples: its marks come along.
    """
    dataset = explained.dataset
    words = transcript_column(dataset)
    target = pd.Series(explained.target, index=explained.sample_ids)
    if dataset.task == "classification":
        target = target.astype(int).map(dict(enumerate(dataset.class_names)))
    marks = outlying.set_index("sample_id")["mark"]
    good = good_terms(verdict_table, explained.contributions)
    widths = half_widths(result, explained)
    found = {}
    for finding in of:
        table = typical_samples(explained, finding, count=count, terms=good, half_widths=widths)
        table["target"] = target.reindex(table["sample_id"]).to_numpy()
        table["mark"] = marks.reindex(table["sample_id"]).to_numpy()
        if words:
            table["transcript"] = dataset.samples[words].reindex(table["sample_id"]).to_numpy()
        found[finding] = table
    return found


def example_cards(
    source: CardSource, typical: Mapping[Finding, pd.DataFrame]
) -> tuple[SampleCard, ...]:
    """The cards of the first three samples of each list: the paper's Table 6."""
    found = []
    for table in typical.values():
        rows = table.drop_duplicates("sample_id").head(3)
        found += [
            sample_card(source, str(sample), str(output))
            for sample, output in zip(rows["sample_id"], rows["output"], strict=True)
        ]
    return tuple(found)


def report_tables(found: Findings, dataset: MultimodalDataset) -> tuple[ReportTable, ...]:
    """The paper's tables, as far as the study has the data for them."""
    tables = [
        performance_table(
            found.comparison, found.titles, study=dataset.name, reference=found.reference
        )
    ]
    if found.is_open and not found.agreement.empty:
        tables.append(judgment_table(found.agreement, target=dataset.target_name))
    tables.append(missing_table(found.missing, found.titles, reference=found.reference))
    if found.account.shares is not None:
        if "sharing" in found.tables and not found.tables["sharing"].empty:
            tables.append(sharing_table(found.tables["sharing"]))
        if any(len(table) for table in found.typical.values()):
            tables.append(typical_table(found.typical))
            tables.append(gallery_table(found.cards, "cards"))
        tables.append(share_table(found.account.shares, found.shares))
    if found.witness is not None:
        comparable = found.comparable if found.is_open else None
        sentences = witness_sentences(comparable, found.witness)
        tables.append(witness_table(found.witness, sentences))
    return tuple(tables)
