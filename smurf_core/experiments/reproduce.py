"""The paper's Tables 2 and 5 on the data that a user has, beside the paper's figures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.configuration import RunConfig, Selection
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.data.importing.assembly import assemble, guess_mapping
from smurf_core.data.problems import listing
from smurf_core.data.readers.authors_cache import AuthorsCacheReader
from smurf_core.data.readers.registry import find_sources
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError
from smurf_core.evaluation.comparison import compare_models
from smurf_core.evaluation.metrics import METRICS
from smurf_core.evaluation.missing import compare_missing, missing_modalities, missing_summary
from smurf_core.evaluation.performance import performance
from smurf_core.evaluation.verification import recovery
from smurf_core.explained import explained
from smurf_core.model_kinds import MODEL_KINDS, REFERENCE_MODEL, ModelKind
from smurf_core.results import RunResult
from smurf_core.runs.files import RunFiles
from smurf_core.terms import read_subset, subset_name
from smurf_core.training.run import train_run

# The paper's four, and the extension beside them.
MODELS: tuple[ModelKind, ...] = (
    "late_fusion", "e_hgr", "smurf_no_aux", "smurf", "smurf_normalised",
)  # fmt: skip
NON_ADDITIVE_MODELS: tuple[ModelKind, ...] = (
    "mro_smurf", "mro_smurf_subsets", "mro_smurf_normalised",
)  # fmt: skip
# Trained in any case: what the others are compared with.
_REFERENCES: tuple[ModelKind, ...] = (REFERENCE_MODEL, "mro_smurf")
_SUBSET_LAYERS = ((40, 20),)  # of subset networks on data whose target consists of products
# How the authors' files are called → how the paper calls the data set.
_DATA_SETS = {
    "toy": "Synthetic", "natoy": "Synthetic (non-additive)", "mosei": "MOSEI", "mosi": "MOSI",
    "iemocap": "IEMOCAP", "recola": "RECOLA", "sewa": "SEWA", "umeme": "UMEME", "tpot": "TPOT",
    "vreed": "VREED",
}  # fmt: skip
# How the paper writes the modalities of Table 5.
_LETTERS = {"acoustic": "A", "language": "T", "vision": "V", "ecg": "E", "eda": "G", "mocap": "M"}
_SYNTHETIC_LETTERS = {"acoustic": "A", "language": "B", "vision": "C"}
_HALF_A_DIGIT = 0.0005
Array = npt.NDArray[np.float64]
# Appendix A: MRO-SMURF's one unique and one redundant pairwise interaction, by letters.
_PAPER_INTERACTIONS = {("A+B", "A+B"): 0.944, ("A+C", "B+C"): 0.999, ("B+C", "A+C"): 0.998}
_PAPER = Path(__file__).parent / "paper"


@dataclass(frozen=True)
class Reproduction:
    """Tidy tables, ours beside the paper's where it has them."""

    # dataset, target, model, metric, mean, sd (over folds), seed_lowest, seed_highest, marks (in
    # how many seeds it differs from SMURF, and where to), seeds, paper, paper_sd, differs (see
    # `differs_from`).
    performance: pd.DataFrame
    # The same after available: one modality's letter, as the paper writes it.
    single: pd.DataFrame
    # dataset, model, modality, shared_with, factor, r (mean over seeds), lowest (seed), highest,
    # seeds, paper, differs.
    recovery: pd.DataFrame
    # package → version that trained.
    versions: Mapping[str, str]


def reproduce(
    paths: Sequence[Path],
    *,
    preset: str,
    keep: Path,
    only: Sequence[str] = (),
    models: Sequence[ModelKind] = (),
    seeds: int = 5,
    selection: Selection = "one_standard_error",
    jobs: int = 1,
    report: Callable[[str], None] = lambda _: None,
) -> Reproduction:
    """Train the paper's four models and our extension over the folds of every cache.

    Synthetic data is searched as published for it (`synthetic` preset; subset networks get hidden
    layers where the target consists of products), everything else with `preset`. `only` names
    files without their suffix, `models` what to train of the models that suit a data set, beside
    SMURF itself. Finished work is kept in `keep`, so that a second call goes on where one stopped.
    """
    sources = [
        source
        for source in find_sources(paths)
        if source.stem.lower() in _DATA_SETS and (not only or source.stem in only)
    ]
    if not sources:
        known = ", ".join(f"{name}.pickle" for name in _DATA_SETS)
        raise InputError(f"{listing(map(str, paths))} holds none of the authors' caches ({known}).")
    by_model, single, factors = [], [], []
    versions: dict[str, str] = {}
    for source in sources:
        for dataset in _targets(source):
            name = _DATA_SETS[source.stem.lower()]
            results = _train(dataset, preset, selection, models, seeds, jobs, keep, report)
            for run in results[next(iter(results))]:
                versions |= run.versions
            if not any("*" in factor for factor in dataset.factors):
                by_model.append(_performance(name, dataset, results))
                single.append(_single(name, dataset, results))
            if dataset.factors:
                factors.append(_recovery(name, dataset, results))
    return Reproduction(_joined(by_model), _joined(single), _joined(factors), versions)


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _targets(source: SourceFile) -> list[MultimodalDataset]:
    mapping = guess_mapping([source])
    return [
        assemble([source], replace(mapping, target=target)).dataset
        for target in AuthorsCacheReader().targets(source)
    ]


Results = dict[ModelKind, list[RunResult]]


def _train(
    dataset: MultimodalDataset, preset: str, selection: Selection, models: Sequence[ModelKind],
    seeds: int, jobs: int, keep: Path, report: Callable[[str], None],
) -> Results:  # fmt: skip
    is_product = any("*" in factor for factor in dataset.factors)
    chosen = "synthetic" if dataset.factors else preset
    found: Results = {}
    for model in NON_ADDITIVE_MODELS if is_product else MODELS:
        if models and model not in (*models, *_REFERENCES):
            continue
        for seed in range(seeds):
            config = RunConfig.from_preset(chosen, model, selection=selection, seed=seed)
            if is_product and config.kind.has_subset_networks:
                # Linear networks on concatenated inputs know no products.
                grid = replace(config.grid, hidden_layers=_SUBSET_LAYERS)
                config = replace(config, preset="custom", grid=grid)
            files = RunFiles(keep / _key(dataset, config))
            if files.stamp() is None:
                result = train_run(dataset, config, jobs=jobs, cache=files)
                files.write_result(result)
                took = f"{result.seconds:.0f} s"
            else:
                result, took = files.read_result(), "kept from before"
            report(f"{dataset.name}, {config.kind.title}, {chosen} preset, seed {seed}: {took}")
            found.setdefault(model, []).append(result)
    return found


def _key(dataset: MultimodalDataset, config: RunConfig) -> str:
    text = json.dumps([dataset.fingerprint, asdict(config)])
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _performance(name: str, dataset: MultimodalDataset, results: Results) -> pd.DataFrame:
    metric = next(iter(METRICS[dataset.task]))
    seeds = len(results[REFERENCE_MODEL])
    compared = [
        compare_models({model: runs[seed] for model, runs in results.items()}, dataset,
                       reference=REFERENCE_MODEL, seed=seed)
        for seed in range(seeds)
    ]  # fmt: skip
    rows = []
    for model, runs in results.items():
        tables = [performance(run, dataset) for run in runs]
        found = [table[table["metric"] == metric].iloc[0] for table in tables]
        means, sds = _over_seeds(found)
        marks = [
            table[(table["model"] == model) & (table["metric"] == metric)]["mark"].iloc[0]
            for table in compared
        ]
        paper, paper_sd = _paper_value("table2_performance.csv", name, dataset, model)
        rows.append(
            {
                "dataset": name, "target": dataset.target_name, "model": model,
                "metric": metric, "mean": means.mean(), "sd": sds.mean(),
                "seed_lowest": means.min(), "seed_highest": means.max(),
                "marks": _marks(marks), "seeds": seeds, "paper": paper, "paper_sd": paper_sd,
                "differs": differs_from(paper, means, sds.mean()),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _over_seeds(rows: Sequence[pd.Series[Any]]) -> tuple[np.ndarray, np.ndarray]:
    """Every seed's mean and standard deviation over folds."""
    return (
        np.array([row["mean"] for row in rows], dtype=float),
        np.array([row["sd"] for row in rows], dtype=float),
    )


def differs_from(paper: float, seeds: Array, sd: float) -> str:
    """Are we `above` or `below` the paper's figure by more than chance here explains?

    Empty where the figure (to half its last digit) lies within our mean ± sd over folds, or
    between our lowest and highest seed, or where the paper has none.
    """
    spread = sd if np.isfinite(sd) else 0.0
    if paper > max(seeds.max(), seeds.mean() + spread) + _HALF_A_DIGIT:
        return "below"
    if paper < min(seeds.min(), seeds.mean() - spread) - _HALF_A_DIGIT:
        return "above"
    return ""


def _marks(marks: Sequence[str]) -> str:
    return ", ".join(
        f"{mark} in {marks.count(mark)} of {len(marks)}" for mark in "↓↑" if mark in marks
    )


def _single(name: str, dataset: MultimodalDataset, results: Results) -> pd.DataFrame:
    metric = next(iter(METRICS[dataset.task]))
    letters = _SYNTHETIC_LETTERS if dataset.factors else _LETTERS
    compared = [
        compare_missing({model: runs[seed] for model, runs in results.items()}, dataset,
                        reference=REFERENCE_MODEL, metrics=(metric,), most=1, seed=seed)
        for seed in range(len(results[REFERENCE_MODEL]))
    ]  # fmt: skip
    rows = []
    for model, runs in results.items():
        tables = [missing_summary(missing_modalities(run, dataset)) for run in runs]
        for modality in dataset.modalities:
            found = [_only(table, metric, modality) for table in tables]
            means, sds = _over_seeds(found)
            letter = letters.get(modality, modality)
            paper, paper_sd = _paper_value(
                "table5_single_modality.csv", name, dataset, model, letter
            )
            rows.append(
                {
                    "dataset": name, "target": dataset.target_name, "available": letter,
                    "model": model, "metric": metric, "mean": means.mean(), "sd": sds.mean(),
                    "seed_lowest": means.min(), "seed_highest": means.max(),
                    "marks": _marks(
                        [
                            table[(table["model"] == model) & (table["available"] == modality)][
                                "mark"
                            ].iloc[0]
                            for table in compared
                        ]
                    ),
                    "seeds": len(runs), "paper": paper, "paper_sd": paper_sd,
                    "differs": differs_from(paper, means, sds.mean()),
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def _only(table: pd.DataFrame, metric: str, available: str) -> pd.Series[Any]:
    """The row of one metric and one modality."""
    return table[(table["metric"] == metric) & (table["available"] == available)].iloc[0]


def _recovery(name: str, dataset: MultimodalDataset, results: Results) -> pd.DataFrame:
    tables = []
    for model, runs in results.items():
        if not MODEL_KINDS[model].has_redundant_heads:
            continue  # One contribution per modality: there is nothing to compare.
        for seed, run in enumerate(runs):
            table = recovery(explained(run, dataset))
            tables.append(table[table["factor"] != "0"].assign(model=model, seed=seed))
    found = pd.concat(tables, ignore_index=True)
    by = ["model", "order", "modality", "shared_with", "factor"]
    grouped = found.groupby(by, sort=False)["r"]
    table = grouped.agg(r="mean", lowest="min", highest="max", seeds="size").reset_index()
    table.insert(0, "dataset", name)
    table["paper"] = [
        _PAPER_INTERACTIONS.get(
            (_letters(row["modality"], row["order"]), _letters(row["shared_with"], row["order"])),
            np.nan,
        )
        if row["model"] in NON_ADDITIVE_MODELS
        else np.nan
        for row in table.to_dict("records")
    ]
    table["differs"] = [
        differs_from(row["paper"], np.array([row["lowest"], row["r"], row["highest"]]), 0.0)
        for row in table.to_dict("records")
    ]
    return table


def _letters(subset: str, size: int) -> str:
    return subset_name(_SYNTHETIC_LETTERS.get(name, name) for name in read_subset(subset, size))


def _paper_value(
    file: str, name: str, dataset: MultimodalDataset, model: str, available: str | None = None
) -> tuple[float, float]:
    """What the paper reports, and its standard deviation; NaN where it has nothing."""
    table = pd.read_csv(_PAPER / file)
    rows = table[table["dataset"] == name]
    if len(set(rows["target"])) > 1:
        rows = rows[rows["target"] == dataset.target_name]
    if available is not None:
        rows = rows[rows["available"] == available]
    if len(rows) != 1 or model not in rows:
        return float("nan"), float("nan")
    return float(rows[model].iloc[0]), float(rows[f"{model}_sd"].iloc[0])


# After the paper's figure: ours lies above or below it.
_SIGNS = {"above": "▲", "below": "▼", "": ""}


def as_markdown(found: Reproduction) -> str:
    """The three tables as Markdown, ours and the paper's side by side."""
    parts = []
    if len(found.performance):
        parts.append("## Table 2: performance\n\n" + _side_by_side(found.performance, []))
    if len(found.single):
        parts.append(
            "## Table 5: predictions recovered from one modality\n\n"
            + _side_by_side(found.single, ["available"])
        )
    if len(found.recovery):
        rows = []
        for r in found.recovery.to_dict("records"):
            term = _term(r["modality"], r["shared_with"])
            cells = [r["dataset"], MODEL_KINDS[r["model"]].title, term, r["factor"]]
            cells += [f"{r[part]:.3f}" for part in ("r", "lowest")]
            cells.append(f"{r['paper']:.3f} {_SIGNS[r['differs']]}" if r["paper"] > 0 else "")
            rows.append(f"| {' | '.join(cells)} |")
        parts.append(
            "## Recovery of the true factors\n\n"
            "| data | model | contribution | true factor | mean r | lowest seed | paper |\n"
            "|---|---|---|---|---|---|---|\n" + "\n".join(rows) + "\n"
        )
    return "\n".join(parts)


def _term(modality: str, shared_with: str) -> str:
    return modality if modality == shared_with else f"{modality}, shared with {shared_with}"


def _side_by_side(table: pd.DataFrame, more: list[str]) -> str:
    """One row per data set (and modality), one column per model: ours over the paper's."""
    keys = ["dataset", "target", "metric", *more]
    titles = [MODEL_KINDS[model].title for model in MODELS]
    lines = [
        f"| {' | '.join([*keys, 'whose', *titles])} |",
        "|---" * (len(keys) + 1 + len(MODELS)) + "|",
    ]
    for key, group in table.groupby(keys, sort=False):
        by_model = group.set_index("model")
        ours, paper = [], []
        for model in MODELS:
            row = by_model.loc[model]
            seeds = f" [{row['seed_lowest']:.3f}, {row['seed_highest']:.3f}]"
            marks = f" {row['marks']}" if row.get("marks") else ""
            ours.append(f"{row['mean']:.3f} ± {row['sd']:.3f}{seeds}{marks}")
            is_there = np.isfinite(row["paper"])
            written = f"{row['paper']:.3f} ± {row['paper_sd']:.3f} {_SIGNS[str(row['differs'])]}"
            paper.append(written.strip() if is_there else "")
        lines.append(f"| {' | '.join([*map(str, key), 'ours', *ours])} |")
        lines.append(f"| {' | '.join([*[''] * len(keys), 'paper', *paper])} |")
    return "\n".join(lines) + "\n"
