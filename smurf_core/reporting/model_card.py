"""A model card in Markdown: what a model is, its training data, and how reliable it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from smurf_core.data.dataset import MultimodalDataset
from smurf_core.evaluation.metrics import METRIC_TITLES
from smurf_core.evaluation.verdicts import GOOD
from smurf_core.fold_label import fold_label
from smurf_core.reporting.citation import BIBTEX
from smurf_core.reporting.findings import Findings
from smurf_core.reporting.numbers import mean_and_spread, plain, term_label
from smurf_core.reporting.sharing import sharing_sentence
from smurf_core.results import RunResult

_ORIGINS = {
    "recorded": "Recorded data.",
    "synthetic": "Synthetic data, made by an equation: it says nothing about people.",
    "simulated": "Simulated data: it says nothing about people.",
}


def model_card(name: str, result: RunResult, dataset: MultimodalDataset, found: Findings) -> str:
    """The card of one run's models (one per fold)."""
    parts = (
        [f"# {_escape(name)}", _what(result, found)],
        ["## Data", *_data(result, dataset)],
        ["## Configuration", *_configuration(result)],
        ["## Metrics", *_metrics(found)],
        ["## What may be said", *map(_escape, found.sentences)],
        ["## Verdicts on contributions", *_verdicts(result, found)],
        ["## Limits", _limits(result, dataset, found)],
        ["## Use", _USE],
        ["## Licence and citation", _LICENCE, f"```bibtex\n{BIBTEX.strip()}\n```"],
    )
    return "\n\n".join(paragraph for part in parts for paragraph in part) + "\n"


_USE = (
    "`model.safetensors` contains every fold's model. A feature is standardised as (x − mean) / "
    "sd; a "
    "tower's output times `target_sd` is the contribution; `baseline` plus all contributions is "
    "the prediction. `smurf_core.prediction.raw_outputs` computes the towers."
)
_LICENCE = (
    "The software is BSD 3-clause. The weights are yours; the licence of the data may restrict "
    "them. Please "
    "cite:"
)


def _what(result: RunResult, found: Findings) -> str:
    if result.config.kind.is_solved:
        return (
            f"{result.config.kind.title}: a model whose prediction is a baseline plus one unique "
            "contribution per modality and what sets of modalities share. It is the one solution "
            f"of a convex problem. {_escape(_sharing(result, found))}".rstrip()
        )
    shared = (
        " and one redundant contribution for every other modality"
        if result.config.kind.has_redundant_heads
        else ""
    )
    return (
        f"{result.config.kind.title}: a model whose prediction is a baseline plus one "
        f"unique contribution per modality{shared}."
    )


def _sharing(result: RunResult, found: Findings) -> str:
    """Who shares something; nothing where one modality is alone, or nothing is to be explained."""
    sets = result.sharing
    if sets is None or sets.empty or not found.is_open:
        return ""
    return sharing_sentence(sets)


def _data(result: RunResult, dataset: MultimodalDataset) -> tuple[str, str]:
    persons = "" if dataset.persons is None else f" of {len(set(dataset.persons)):,} persons"
    features = ", ".join(f"{_escape(m)} ({f.values.shape[1]})" for m, f in dataset.features.items())
    return (
        f"{_escape(dataset.name)}: {len(dataset):,} samples{persons}, {dataset.task} of "
        f"{_escape(dataset.target_name)}. {_ORIGINS[dataset.origin]}",
        f"Features: {features}. Fingerprint (SHA-256): `{result.data_fingerprint}`.",
    )


def _configuration(result: RunResult) -> tuple[str, str]:
    config = result.config
    versions = ", ".join(f"{key} {version}" for key, version in result.versions.items())
    refits = 0 if result.refits is None else result.refits.draws
    starts = f"{refits} refits" if config.kind.is_solved else f"{config.restarts} restarts"
    header = (
        "Fold", "Chosen configuration", "Best epoch", "Validation metric", "Training samples",
        "Validation samples", "Test samples",
    )  # fmt: skip
    rows = [
        (
            str(fold_label(fold.fold)),
            fold.member.solved_setting()
            if config.kind.is_solved
            else str(fold.member.configuration),
            "solved" if config.kind.is_solved else str(fold.member.best_epoch),
            plain(fold.member.validation_metric),
            *(
                f"{int(getattr(result.folds, role)[fold.fold].sum()):,}"
                for role in ("training", "validation", "test")
            ),
        )
        for fold in result.fold_results
    ]
    return (
        f"Preset {config.preset}, selection {config.selection}, standardisation "
        f"{config.scaling}, {starts}, seed {config.seed}, "
        f"{result.device}, {result.seconds:.0f} s; {versions}.",
        _table(header, rows),
    )


def _metrics(found: Findings) -> tuple[str, str]:
    rows = found.comparison[found.comparison["model"] == found.reference].to_dict("records")
    return (
        "Test samples, mean ± standard deviation over folds.",
        _table(
            ("Metric", "Value"),
            [
                (METRIC_TITLES[row["metric"]], mean_and_spread(row["mean"], row["sd"]))
                for row in rows
            ],
        ),
    )


def _verdicts(result: RunResult, found: Findings) -> tuple[str, ...]:
    if not found.is_open:
        return ("None: there is nothing to explain.",)
    rows = [
        (
            _term(row),
            row["verdict"],
            plain(row["reliability"]),
            plain(row["restart_r"]),
            plain(row["fold_r"]),
        )
        for row in _rows(result, found)
    ]
    return (
        "Reliability over refits, where the model has them, and median Pearson's r over pairs of "
        "restarts and of folds.",
        _table(("Contribution", "Verdict", "Reliability", "r, restarts", "r, folds"), rows),
    )


def _limits(result: RunResult, dataset: MultimodalDataset, found: Findings) -> str:
    doubtful = [
        f"{_term(row)} ({row['verdict']})"
        for row in _rows(result, found)
        if row["verdict"] not in (*GOOD, "nothing to explain")
    ]
    limits = [
        "Contributions are associations in this data, not causes.",
        "Unique and redundant parts are what this model separates with these features; other "
        "features or another model may separate differently.",
        *_doubts(found, doubtful),
        "Not for decisions about individual persons.",
    ]
    if dataset.persons is None:
        limits.append("Persons are not known: folds and tests treat samples as independent.")
    return "\n".join(f"- {limit}" for limit in limits)


def _doubts(found: Findings, doubtful: Sequence[str]) -> list[str]:
    if not found.is_open:
        return ["Do not rely on any contribution: there is nothing to explain (see above)."]
    doubts = [f"Do not rely on: {'; '.join(doubtful)}."] if doubtful else []
    if (found.verdicts["verdict"] == "stable").any():
        doubts.append(
            "Stable is necessary, not sufficient: restarts and folds agree, but the objective has "
            "sign-flipped basins that predict as well."
        )
    return doubts


def _rows(result: RunResult, found: Findings) -> list[dict[Any, Any]]:
    """Rows of the table of verdicts whose terms the model has."""
    rows = found.verdicts.to_dict("records")
    redundant = result.config.kind.has_redundant_heads
    return [row for row in rows if redundant or row["kind"] == "unique"]


def _term(row: Mapping[Any, Any]) -> str:
    return _escape(term_label(row["modality"], row["shared_with"]))


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _escape(text: str) -> str:
    """Names of users and files, shown as they are."""
    flat = " ".join(text.split())
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>|#~$" else c for c in flat)
