"""Makes the paper's tables from evaluation tables: the printed text and the numbers behind it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from smurf_core.evaluation.commonality import Commonality
from smurf_core.evaluation.comparison import marks_by_chance
from smurf_core.evaluation.metrics import LOWER_IS_BETTER, METRIC_TITLES
from smurf_core.evaluation.typical import Finding
from smurf_core.reporting.numbers import mean_and_spread, plain, signed, term_label
from smurf_core.reporting.shares import OutputShares

_STARS = ((0.01, "**"), (0.05, "*"))


@dataclass(frozen=True)
class Cell:
    """The content of one cell of a table.

    `indexed` are the symbols of `text` with their indices, such as (("ŷ", "V"), ("y", "A+T"));
    LaTeX sets the indices as subscripts.
    """

    text: str
    is_best: bool = False
    indexed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Section:
    """Rows of a table under a heading (no heading if it is empty)."""

    heading: str
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class ReportTable:
    """A table as printed in the paper, and the evaluation table whose numbers it shows.

    `name` is the file's name; `numbers` are exported as CSV, unrounded.
    """

    name: str
    title: str
    caption: str
    header: tuple[str, ...]
    sections: tuple[Section, ...]
    numbers: pd.DataFrame

    @property
    def rows(self) -> tuple[tuple[Cell, ...], ...]:
        """All rows, without headings."""
        return tuple(row for section in self.sections for row in section.rows)


def performance_table(
    comparison: pd.DataFrame, titles: Mapping[str, str], *, study: str, reference: str
) -> ReportTable:
    """Table 2: one column per model, one section per metric, best in bold, ↓ ↑ vs `reference`.

    `comparison` is a table from `compare_models`, `titles` are the titles of its models.
    """
    models = list(titles)
    sections = [
        Section(
            _metric_heading(str(metric)),
            ((Cell(study), *_cells(rows.set_index("model"), models, str(metric))),),
        )
        for metric, rows in comparison.groupby("metric", sort=False)
    ]
    n = int(comparison["n"].iloc[0])
    return ReportTable(
        name="table_2_performance",
        title="Performance",
        caption=f"Performance on {n:,} test samples, mean ± standard deviation over folds. The "
        f"best number is bold.{_against(comparison, titles, reference)}",
        header=("", *titles.values()),
        sections=tuple(sections),
        numbers=comparison.assign(title=comparison["model"].map(dict(titles))),
    )


def missing_table(
    comparison: pd.DataFrame, titles: Mapping[str, str], *, reference: str
) -> ReportTable:
    """Table 5: performance with some modalities, one column per model, best in bold, ↓ ↑.

    `comparison` is a table from `compare_missing` for one metric, `titles` are the models' titles.
    """
    models, metric = list(titles), str(comparison["metric"].iloc[0])
    sections = []
    for size, subsets in comparison.groupby("size", sort=True):
        rows = [
            (Cell(str(available)), *_cells(found.set_index("model"), models, metric))
            for available, found in subsets.groupby("available", sort=False)
        ]
        heading = "One modality" if size == 1 else f"{size} modalities"
        sections.append(Section(heading, tuple(rows)))
    return ReportTable(
        name="table_5_missing_modalities",
        title="Missing modalities",
        caption=f"{_metric_heading(metric)} when the prediction is recovered from some modalities' "
        "contributions alone, mean ± standard deviation over folds. The best number is bold."
        + _against(comparison, titles, reference),
        header=("Available", *titles.values()),
        sections=tuple(sections),
        numbers=comparison.assign(title=comparison["model"].map(dict(titles))),
    )


def _cells(rows: pd.DataFrame, models: list[str], metric: str) -> list[Cell]:
    """One cell per model: mean, spread, and the mark of its difference from the reference."""
    best = _best(rows["mean"].reindex(models), metric)
    return [
        Cell(
            " ".join(
                filter(
                    None,
                    (
                        mean_and_spread(rows["mean"][model], rows["sd"][model]),
                        rows["mark_holm"][model] or rows["mark"][model],
                    ),
                )
            ),
            is_best=bool(best[model]),
        )
        for model in models
    ]


def _against(comparison: pd.DataFrame, titles: Mapping[str, str], reference: str) -> str:
    if len(titles) < 2:
        return ""
    has_persons = comparison["persons"].iloc[0] < comparison["n"].iloc[0]
    tests, by_chance = marks_by_chance(comparison)
    caption = (
        f" ↓ and ↑: worse or better than {titles[reference]}, permutation test on "
        f"{'persons' if has_persons else 'samples'}, α = 0.05; ⇓ and ⇑: also after Holm's "
        "correction over the tests of a metric."
    )
    if tests < 2:
        return caption
    return (
        f"{caption} If no model differed, {plain(by_chance, 2)} of {tests} tests of a metric would "
        "be expected to have an arrow by chance."
    )


def judgment_table(agreement: pd.DataFrame, *, target: str) -> ReportTable:
    """Tables 3 and 4: Pearson's r of human with learned unique contributions.

    `agreement` is what `with_verdicts` returns. r stands twice: as published, and with the
    ratings on the target's scale.
    """
    rows = []
    for row in agreement.to_dict("records"):
        what = (("ŷ", row["modality"]), ("y", row["judged"]))
        rows.append(
            (
                Cell(row["modality"]),
                Cell(f"r(ŷ_{row['modality']}, y − y_{row['judged']})", indexed=what),
                *_correlation(row, ""),
                *_correlation(row, "_calibrated"),
                Cell(plain(row["scale"], 2)),
                Cell(f"{row['n']:,}"),
                Cell(row["verdict"]),
            )
        )
    return ReportTable(
        name="table_3_human_judgments",
        title="Human judgments",
        caption="Pearson's r between human and learned unique contributions: as published, and "
        "with ratings multiplied by the given factor, which puts them on the target's scale. "
        "Raters who use a part of the scale raise r as published, also where nothing is unique. "
        "A dash: the model says too little from the shown modalities to know the factor. * and "
        "**: p < 0.05 and p < 0.01 after Holm's correction over the rows, robust to alike samples "
        "of a person; interval: jackknife over persons, 95%. Verdict: on the learned contribution; "
        "only where it is reliable or stable does r say something about the model.",
        header=(
            "Unique contributions", "", target, "95% interval", "r, calibrated", "95% interval",
            "Factor", "n", "Verdict",
        ),
        sections=(Section("", tuple(rows)),),
        numbers=agreement,
    )  # fmt: skip


def _correlation(row: Mapping[Hashable, Any], suffix: str) -> tuple[Cell, Cell]:
    """r with its stars, and its interval; a dash where there is none."""
    stars = next((s for limit, s in _STARS if row[f"p{suffix}_holm"] < limit), "")
    low, high = row[f"ci_low{suffix}"], row[f"ci_high{suffix}"]
    interval = f"[{plain(low)}, {plain(high)}]" if np.isfinite(low) else "–"
    return Cell(f"{plain(row[f'r{suffix}'])}{stars}"), Cell(interval)


_FINDINGS: dict[Finding, str] = {
    "unique": "Large unique contributions",
    "redundant": "Large redundant contributions",
    "unexpected": "Unexpected redundant contributions",
}


def typical_table(typical: Mapping[Finding, pd.DataFrame], *, count: int = 3) -> ReportTable:
    """Table 6: typical samples of the factorisation.

    `typical` holds `typical_samples` of every finding, with the columns target, mark (of
    `outlying_samples`) and, where there are any, transcript. The printed table has the first
    `count` of each, the numbers have all.
    """
    has_words = any("transcript" in table for table in typical.values())
    sections, is_marked = [], False
    for finding, heading in _FINDINGS.items():
        rows = []
        for row in typical[finding].head(count).to_dict("records"):
            is_unique = row["modality"] == row["shared_with"]
            symbols = (
                (("ŷ", row["modality"]),)
                if is_unique
                else (
                    ("ŷ", f"{row['modality']},{row['shared_with']}"),
                    ("ŷ", f"{row['other_modality']},{row['other_shared_with']}"),
                )
            )
            values = signed(row["contribution"])
            if not is_unique:
                values += f", {signed(row['other'])}"
            target = row["target"]
            cells = [
                Cell(
                    f"{row['sample_id']} ({row['mark']})" if row["mark"] else str(row["sample_id"])
                ),
                Cell(", ".join(f"{s}_{i}" for s, i in symbols), indexed=symbols),
                Cell(values),
                Cell(plain(row["prediction"])),
                Cell(plain(float(target)) if isinstance(target, float) else str(target)),
            ]
            if has_words:
                words = row.get("transcript")
                cells.insert(1, Cell(shortened(words) if isinstance(words, str) else ""))
            is_marked = is_marked or bool(row["mark"])
            rows.append(tuple(cells))
        if rows:
            sections.append(Section(heading, tuple(rows)))
    far = " In brackets: samples far outside the training data, and how far." if is_marked else ""
    header = ["Sample", "Contribution", "Value", "Prediction", "Target"]
    if has_words:
        header.insert(1, "Transcript")
    return ReportTable(
        name="table_6_examples",
        title="Examples",
        caption="Samples with the largest scores, of contributions whose verdict is good. "
        "Contributions and predictions in the target's "
        f"unit, or logits for classes.{far}",
        header=tuple(header),
        sections=tuple(sections),
        numbers=pd.concat(
            [table.assign(finding=finding) for finding, table in typical.items()], ignore_index=True
        ),
    )


def share_table(shown: OutputShares, every: pd.DataFrame) -> ReportTable:
    """The share of variance of each contribution, with its interval and verdict.

    `shown` is the output that is printed; `every` has `variance_shares` of all outputs, for the
    numbers.
    """
    on = ["order", "modality", "shared_with"]
    written = shown.written()
    rows = [
        (
            Cell(
                row["modality"]
                if row["kind"] == "unique"
                else term_label(row["modality"], row["shared_with"])
            ),
            *map(Cell, texts),
            Cell(plain(row["sd"])),
            Cell(plain(row["reliability"])),
            Cell(plain(row["restart_r"])),
            Cell(plain(row["fold_r"])),
            Cell(row["verdict"]),
        )
        for row, texts in zip(
            shown.terms.to_dict("records"), written.itertuples(index=False), strict=True
        )
    ]
    intervals = "models of other persons" if shown.is_refitted else "persons, of these models"
    known = ["reliability", "restart_r", "fold_r", "sign_agreement", "verdict"]
    own = [*on, "output", *(c for c in map(str, shown.terms) if c.startswith("ci_"))]
    own += ["share_without"] if shown.left_out else []
    numbers = every.merge(shown.terms[[*on, *known]], on=on)
    return ReportTable(
        name="shares_of_variance",
        title="Shares of variance",
        caption="Each contribution's share of the prediction's variance in % (all add up to 100%) "
        f"with its 95% interval over {intervals}; its "
        "standard deviation, its reliability over refits (where the model has them), its agreement "
        "over restarts and folds (median Pearson's r), and the verdict. Only reliable "
        "contributions are findings; of stable ones it is known only that restarts and folds agree "
        f"(r of 0.8 or more).{f' {shown.influence}' if shown.influence else ''}",
        header=(
            "Contribution", "Share", *([f"Share {shown.without}"] if shown.left_out else []), "sd",
            "Reliability", "r, restarts", "r, folds", "Verdict",
        ),
        sections=(Section("", tuple(rows)),),
        numbers=numbers.merge(shown.terms[own], on=[*on, "output"], how="left"),
    )  # fmt: skip


def witness_table(commonality: Commonality, sentences: Sequence[str]) -> ReportTable:
    """What late fusion of subsets of modalities predicts, and what of it is common."""

    def cells(row: Mapping[Hashable, Any], *columns: str) -> tuple[Cell, ...]:
        value, low, high = (row[column] for column in columns)
        interval = "–" if np.isnan([low, high]).any() else f"[{plain(low)}, {plain(high)}]"
        return Cell(plain(value)), Cell(interval)

    shares = [
        (
            Cell(f"{row['modality'] or 'all modalities'}, {row['kind']}"),
            *cells(row, "r2", "ci_low", "ci_high"),
            *cells(row, "share", "share_low", "share_high"),
        )
        for row in commonality.totals.to_dict("records")
    ]
    subsets = [
        (Cell(str(row["modalities"])), *cells(row, "r2", "ci_low", "ci_high"), Cell(""), Cell(""))
        for row in commonality.subsets.to_dict("records")
    ]
    return ReportTable(
        name="second_witness",
        title="Second witness: commonality of late fusion",
        caption=" ".join(
            [
                *sentences,
                "R² of linear late fusion on held-out samples; unique: what is lost without a "
                "modality; common: what it predicts alone, less that; share: of the R² of all "
                "modalities. Intervals: 95%, over persons.",
            ]
        ),
        header=("", "R²", "95% interval", "Share", "95% interval of the share"),
        sections=(Section("Parts", tuple(shares)), Section("Subsets", tuple(subsets))),
        numbers=commonality.totals,
    )


def _best(means: pd.Series[float], metric: str) -> pd.Series[bool]:
    """True for the best numbers after rounding; all False if there is nothing to compare."""
    if len(means) < 2:
        return means.notna() & False
    printed = means.round(3)
    return printed == (printed.min() if metric in LOWER_IS_BETTER else printed.max())


def _metric_heading(metric: str) -> str:
    return METRIC_TITLES[metric] + (" (lower is better)" if metric in LOWER_IS_BETTER else "")


def shortened(text: str, length: int = 80) -> str:
    """Text of at most `length` characters, with an ellipsis where it was cut."""
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"
