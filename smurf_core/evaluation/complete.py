"""All evaluations of a run in one call: tidy tables by name, as `smurf evaluate` writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import pandas as pd

from smurf_core.data.dataset import MultimodalDataset
from smurf_core.evaluation.baseline import against_baseline
from smurf_core.evaluation.commonality import witness_of
from smurf_core.evaluation.comparison import compare_models
from smurf_core.evaluation.confusion import confusion
from smurf_core.evaluation.fidelity import fidelity
from smurf_core.evaluation.gate import gate
from smurf_core.evaluation.influence import share_influence
from smurf_core.evaluation.informativeness import informativeness_tests
from smurf_core.evaluation.judgments import human_agreement, with_verdicts
from smurf_core.evaluation.missing import compare_missing, missing_modalities, missing_summary
from smurf_core.evaluation.outlying import outlying_samples
from smurf_core.evaluation.performance import chance_performance, fold_performance, performance
from smurf_core.evaluation.redundancy import ShareIntervals, pair_table, share_intervals
from smurf_core.evaluation.residuals import residuals_by_person, residuals_over_range
from smurf_core.evaluation.subset_fusion import why_not_held_out
from smurf_core.evaluation.typical import Finding, half_widths, typical_samples
from smurf_core.evaluation.verdicts import verdicts
from smurf_core.evaluation.verification import factor_matrix, recovery
from smurf_core.explained import Explained
from smurf_core.explained import explained as explained_samples
from smurf_core.results import RunResult


def evaluation_tables(
    results: Mapping[str, RunResult],
    dataset: MultimodalDataset,
    *,
    reference: str,
    intervals: ShareIntervals | None = None,
    count: int = 50,
    permutations: int = 5_000,
    seed: int = 0,
) -> dict[str, pd.DataFrame]:
    """All available tables for runs of one study, by name; the functions' docstrings list columns.

    Performance and missing modalities compare all models. The tables of `tables_of_run` describe
    the reference; `intervals` are its `share_intervals`, where they are known already.
    """
    by_model = {
        "performance_by_fold": fold_performance,
        "performance": performance,
        "chance": chance_performance,
        "against_baseline": against_baseline,
        "missing_modalities_by_fold": missing_modalities,
    }
    tables = {
        name: _beside({model: ask(run, dataset) for model, run in results.items()})
        for name, ask in by_model.items()
    }
    tables["missing_modalities"] = _beside(
        {model: missing_summary(missing_modalities(run, dataset)) for model, run in results.items()}
    )
    if len(results) > 1:
        tables["comparison"] = compare_models(
            results, dataset, reference=reference, permutations=permutations, seed=seed
        )
        tables["missing_modalities_comparison"] = compare_missing(
            results, dataset, reference=reference, permutations=permutations, seed=seed
        )
    result = results[reference]
    return tables | tables_of_run(
        result, explained_samples(result, dataset), intervals=intervals, count=count, seed=seed
    )


def tables_of_run(
    result: RunResult,
    explained: Explained,
    *,
    intervals: ShareIntervals | None = None,
    verdict_table: pd.DataFrame | None = None,
    count: int = 50,
    seed: int = 0,
) -> dict[str, pd.DataFrame]:
    """All tables about one run, by name. To add an evaluation of a run, add a line here.

    `smurf evaluate` exports these tables, and a report contains them as CSV files.

    Parameters
    ----------
    result
        The run. Stability and commonality are computed from all its samples.
    explained
        The samples that the other tables describe.
    intervals, verdict_table
        `share_intervals` of these samples and `verdicts` of the run, where they are known already.
    count
        Length of each list of typical samples, per output.
    seed
        Seed of all random draws.
    """
    contributions, dataset = explained.contributions, explained.dataset
    shares = intervals or share_intervals(explained, result.refits, seed=seed)
    outlying = outlying_samples(result, explained)
    tables = {
        "gate": gate(explained).table(),
        "variance_shares": shares.terms,
        "variance_totals": shares.totals,
        "outlying_samples": outlying,
    }
    followed = fidelity(explained)
    if followed is not None:
        tables["fidelity"] = followed.table()
    if len(contributions) > 1:
        influence = share_influence(explained, shares)
        left_out = ", ".join(influence.sample_ids)
        tables["share_influence"] = influence.terms.assign(without=left_out)
    if contributions.has_redundant_terms:
        tables["redundancy"] = pair_table(contributions)
    if result.sharing is not None:
        tables["sharing"] = result.sharing
    found = verdict_table
    if found is None:
        found = verdicts(result, explained_samples(result, dataset))
    tables["verdicts"] = found
    keys = ["modality", "shared_with"]
    widths = half_widths(result, explained)
    of_modalities = found.loc[found["order"] == 1, [*keys, "verdict"]]
    for finding in get_args(Finding):
        tables[f"typical_{finding}"] = pd.concat(
            [
                typical_samples(explained, finding, output=output, count=count, half_widths=widths)
                for output in contributions.outputs
            ],
            ignore_index=True,
        ).merge(outlying[["sample_id", "mark"]], on="sample_id", how="left")
        tables[f"typical_{finding}"] = tables[f"typical_{finding}"].merge(
            of_modalities, on=keys, how="left"
        )
    if not why_not_held_out(result.folds):
        witness = witness_of(result, dataset)
        tables |= {
            "commonality_subsets": witness.subsets, "commonality_totals": witness.totals,
            "commonality_parts": witness.parts, "commonality_model": witness.model,
        }  # fmt: skip
    if dataset.task == "classification":
        tables["confusion"] = confusion(explained)
    else:
        tables["residuals_over_range"] = residuals_over_range(explained)
        if dataset.persons is not None:
            tables["residuals_by_person"] = residuals_by_person(explained)
    if dataset.judgments and dataset.task == "regression":
        agreement = human_agreement(explained, seed=seed)
        tables["human_judgments"] = with_verdicts(agreement, explained, found)
    if dataset.informativeness:
        tables["informativeness"] = informativeness_tests(explained)
    is_product = any("*" in factor for factor in dataset.factors)
    if dataset.factors and (len(contributions.orders) > 1 or not is_product):
        tables["recovery"] = recovery(explained)
        tables["factor_matrix"] = factor_matrix(explained)
    return tables


def _beside(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(
        [table.assign(model=model)[["model", *table.columns]] for model, table in tables.items()],
        ignore_index=True,
    )
