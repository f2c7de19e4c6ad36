"""Comparison of two runs of one study: settings, contributions, and samples that differ."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy  # whose parts load when used, after the first paint

from smurf_core.configuration import RunConfig, layers_label
from smurf_core.contributions import Contributions
from smurf_core.errors import InputError
from smurf_core.evaluation.redundancy import ALL_OUTPUTS, variance_shares
from smurf_core.explained import Explained
from smurf_core.fold_label import fold_label
from smurf_core.results import RunResult
from smurf_core.statistics.correlation import pearson_r
from smurf_core.statistics.folds import centred_within


def configuration_differences(first: RunConfig, second: RunConfig) -> pd.DataFrame:
    """Settings that differ, as text: setting, first, second. Empty if all are equal."""
    ours, theirs = _settings(first), _settings(second)
    rows = [
        {"setting": name, "first": ours[name], "second": theirs[name]}
        for name in ours
        if ours[name] != theirs[name]
    ]
    return pd.DataFrame(rows, columns=["setting", "first", "second"])


def _settings(config: RunConfig) -> dict[str, str]:
    plain = config.to_dict()
    grid = plain.pop("grid")
    grid["hidden_layers"] = [layers_label(tuple(layers)) for layers in grid["hidden_layers"]]
    return {name.replace("_", " "): _text(value) for name, value in (plain | grid).items()}


def _text(value: Any) -> str:
    if value is None:
        return "never"  # Only `patience` can be None, which means that training never stops early.
    return ", ".join(map(_text, value)) if isinstance(value, list | tuple) else str(value)


def common_samples(
    first: Contributions, second: Contributions
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Positions in both runs of the samples that both explain, in the order of the first run."""
    where = pd.Index(second.sample_ids).get_indexer(pd.Index(first.sample_ids))
    mine = np.flatnonzero(where >= 0)
    if not len(mine):
        raise InputError("The two runs explain no sample in common: compare runs of one study.")
    return mine, where[mine].astype(np.int64)


def term_agreement(first: Contributions, second: Contributions) -> pd.DataFrame:
    """Agreement of two runs' contributions to the same samples, for each term that both have.

    Returns
    -------
    DataFrame
        One row per term: order, modality, shared_with, kind, r (Pearson's, over the samples that
        both explain, each fold's contributions centred; classes stacked after centring over them;
        NaN if either does not vary), first_share and second_share of the prediction's variance (all
        classes together), n.
    """
    mine, theirs = common_samples(first, second)
    a, b = first.select(mine), second.select(theirs)
    tables = [_shares(c) for c in (a, b)]
    positions = [{name: t for t, name in enumerate(c.term_names())} for c in (a, b)]
    terms = [centred_within(c.identified_terms(), c.folds) for c in (a, b)]
    rows = []
    for name, t in positions[0].items():
        if name not in positions[1]:
            continue
        order, modality, shared_with = name
        rows.append(
            {
                "order": order,
                "modality": modality,
                "shared_with": shared_with,
                "kind": "unique" if modality == shared_with else "redundant",
                "r": pearson_r(terms[0][:, t].ravel(), terms[1][:, positions[1][name]].ravel()),
                "first_share": tables[0][name],
                "second_share": tables[1][name],
                "n": len(mine),
            }
        )
    return pd.DataFrame(rows)


def _shares(contributions: Contributions) -> dict[tuple[int, str, str], float]:
    table = variance_shares(contributions)
    wanted = ALL_OUTPUTS if contributions.is_classification else contributions.outputs[0]
    table = table[table["output"] == wanted]
    keys = zip(table["order"], table["modality"], table["shared_with"], strict=True)
    return dict(zip(keys, table["share"], strict=True))


def prediction_differences(first: Explained, second: Contributions) -> pd.DataFrame:
    """Samples that both runs explain, largest difference first.

    Returns
    -------
    DataFrame
        One row per sample: sample_id, target, first, second (predictions; class names for
        classification), first_error and second_error (absolute; for classification, one minus the
        true class's probability), difference (second minus first prediction; for classification, of
        the true class's probability), gain (first error minus second error).
    """
    ours = first.contributions
    mine, theirs = common_samples(ours, second)
    ids, truth = ours.sample_ids[mine], first.target[mine]
    before, after = ours.prediction()[mine], second.prediction()[theirs]
    if ours.is_classification:
        names, rows = np.asarray(ours.outputs, dtype=str), np.arange(len(ids))
        codes = truth.astype(int)
        chances = [
            scipy.special.softmax(p.astype(float), axis=1)[rows, codes] for p in (before, after)
        ]
        shown = [names[codes], names[before.argmax(axis=1)], names[after.argmax(axis=1)]]
        errors, difference = [1 - c for c in chances], chances[1] - chances[0]
    else:
        y, p, q = (np.asarray(a, dtype=float) for a in (truth, before[:, 0], after[:, 0]))
        shown, errors, difference = [y, p, q], [np.abs(p - y), np.abs(q - y)], q - p
    table = pd.DataFrame(
        {
            "sample_id": ids,
            "target": shown[0],
            "first": shown[1],
            "second": shown[2],
            "first_error": errors[0],
            "second_error": errors[1],
            "difference": difference,
            "gain": errors[0] - errors[1],
        }
    )
    return table.iloc[np.argsort(-np.abs(difference), kind="stable")]


def candidates_of(result: RunResult) -> pd.DataFrame:
    """All configurations that were tried in all folds: the candidates' columns and `fold`.

    Only those with a finite validation metric and factorisation loss.
    """
    table = pd.concat(
        [fold.candidates.assign(fold=fold_label(fold.fold)) for fold in result.fold_results],
        ignore_index=True,
    )
    known = np.isfinite(table[["validation_metric", "factorisation_loss"]].to_numpy(dtype=float))
    kept: pd.DataFrame = table.loc[known.all(axis=1)]
    return kept


def weight_sweep(candidates: pd.DataFrame) -> pd.DataFrame:
    """For each weight of the factorisation (λ), the configuration of each fold that predicts best.

    Returns
    -------
    DataFrame
        One row per λ, in rising order: auxiliary_weight, validation_metric and
        factorisation_loss (means over folds of each fold's configuration with the highest
        validation metric at this λ), metric_sd, factorisation_sd (over folds), folds, tried
        (configurations and folds).
    """
    best = candidates.loc[
        candidates.groupby(["auxiliary_weight", "fold"])["validation_metric"].idxmax()
    ]
    grouped = best.groupby("auxiliary_weight")
    found = grouped.agg(
        validation_metric=("validation_metric", "mean"),
        factorisation_loss=("factorisation_loss", "mean"),
        metric_sd=("validation_metric", "std"),
        factorisation_sd=("factorisation_loss", "std"),
        folds=("fold", "nunique"),
    )
    found["tried"] = candidates.groupby("auxiliary_weight").size()
    return found.reset_index()
