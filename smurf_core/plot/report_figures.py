"""The figures of a report, and figures as files for papers."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import altair as alt
import pandas as pd
import plotly.graph_objects as go
import plotly.io as pio
import vl_convert

from smurf_core.errors import InputError
from smurf_core.evaluation.confusion import confused, confusion
from smurf_core.evaluation.gate import Gate
from smurf_core.evaluation.judgments import unique_pairs
from smurf_core.evaluation.metrics import LOWER_IS_BETTER, METRIC_TITLES
from smurf_core.evaluation.redundancy import ALL_OUTPUTS
from smurf_core.evaluation.residuals import residuals_over_range
from smurf_core.evaluation.verification import factor_matrix
from smurf_core.explained import Explained
from smurf_core.fold_label import fold_label
from smurf_core.plot.bars import bars_with_spread
from smurf_core.plot.cards import card_gallery
from smurf_core.plot.confusion import confusion_matrices
from smurf_core.plot.contributions import variance_bars
from smurf_core.plot.heatmaps import (
    doubt_matrix,
    factor_table,
    pair_matrix,
    share_matrix,
    signed_heatmap,
)
from smurf_core.plot.residuals import residuals_over_target
from smurf_core.plot.scatter import scatter_with_line
from smurf_core.plot.theme import modality_colours
from smurf_core.plot.training import chosen_curves
from smurf_core.plot.who_shares import sharing_bars
from smurf_core.reporting.error_sentences import confusion_sentences, range_sentence
from smurf_core.reporting.findings import Findings, main_metric
from smurf_core.reporting.shares import OutputShares
from smurf_core.reporting.sharing import sharing_sentence
from smurf_core.results import RunResult
from smurf_core.terms import spoken, subset_name

IMAGE_FORMATS = ("svg", "png", "pdf")
_WIDTH = 960  # width of an image in pixels; its height is that of the figure


@dataclass(frozen=True)
class ReportFigure:
    """A figure with its title and caption in a report."""

    title: str
    caption: str
    figure: go.Figure | alt.Chart


def report_figures(
    found: Findings, explained: Explained, result: RunResult
) -> dict[str, ReportFigure]:
    """All figures of a run, by file name; `explained` are the samples in scope."""
    contributions, dataset = explained.contributions, explained.dataset
    metric = main_metric(dataset)
    title = METRIC_TITLES[metric] + (" (lower is better)" if metric in LOWER_IS_BETTER else "")
    outputs = list(dict.fromkeys(found.shares["output"]))
    shown = found.account.shares
    shares = found.shares[found.shares["output"] == outputs[0]]
    every = " over all classes" if outputs[0] == ALL_OUTPUTS else ""
    note = f" {shown.influence}" if shown and shown.influence else ""
    compared = found.comparison[found.comparison["metric"] == metric]
    missing = found.missing[found.missing["model"] == found.reference]
    figures = {
        "shares_of_variance": ReportFigure(
            "What carries the prediction",
            f"Shares of the prediction's variance{every}. Plain: what a modality says alone. "
            "Hatched: what it shares with another modality; crossed: with several. All parts "
            "add up to 100%." + note,
            variance_bars(shares, contributions.modalities),
        ),
        **_without(shown, contributions.modalities),
        "performance": ReportFigure(
            "Performance",
            "Mean and standard deviation over test folds.",
            bars_with_spread(
                compared.assign(run=compared["model"].map(dict(found.titles))),
                name="run", title=title,
            ),
        ),
        **_mistakes(explained, found.account.gate),
        "missing_modalities": ReportFigure(
            "Missing modalities",
            "Performance with only some of the modalities, mean and standard deviation over test "
            "folds. Dashed: all modalities.",
            bars_with_spread(
                missing, name="available", title=title, reference=float(missing["mean"].iloc[-1])
            ),
        ),
    }  # fmt: skip
    if found.cards:
        figures["examples"] = ReportFigure(
            "Examples",
            "The first three samples of each list: large unique contributions, redundant ones, "
            "and unexpected ones. Plain bars alone, hatched or crossed ones shared; pale and "
            "outlined: the verdict is not good. Lines: 95% intervals over models of other persons.",
            card_gallery(found.cards, contributions.modalities),
        )
    if result.sharing is not None and not result.sharing.empty:
        figures["sharing"] = ReportFigure(
            "Who shares with whom?",
            f"{sharing_sentence(result.sharing)} Bars: r of the members' contributions on "
            "validation samples; grey: sets that are not there.",
            sharing_bars(result.sharing),
        )
    curves = _curves(result)
    if not curves.empty:
        figures["learning_curves"] = ReportFigure(
            "Learning curves",
            "Validation objective of the model chosen in each fold.",
            chosen_curves(curves).properties(width=_WIDTH - 160),
        )
    output = contributions.outputs[0]
    of = f" of {output}" if contributions.is_classification else ""
    if contributions.has_redundant_terms:
        pairs = found.pairs[found.pairs["output"] == output]
        cells = share_matrix(shares, contributions.modalities)
        if (pairs["size"] == 2).any():
            figures["redundancy"] = ReportFigure(
                f"Do both sides of a pair agree?{of}",
                "Pearson's r between ŷ_IJ and ŷ_JI. 1: both say the same.",
                signed_heatmap(pair_matrix(pairs, contributions.modalities, "r"), title="r"),
            )
        figures["shares_by_pair"] = ReportFigure(
            "How much do modalities share?",
            f"Shares of the prediction's variance{every}: row I, column J is what I says and "
            "shares with J; the diagonal is what a modality says alone. ✗: the verdict is not "
            "good, so this is no finding." + note,
            signed_heatmap(
                cells,
                title="share",
                percent=True,
                limit=max(0.05, float(cells.abs().max().max())),
                doubtful=None
                if shown is None
                else doubt_matrix(shown.terms, contributions.modalities),
            ),
        )
    if dataset.factors and (contributions.has_redundant_terms or result.config.kind.is_solved):
        figures["true_factors"] = ReportFigure(
            f"True factors against learned contributions{of}",
            "Pearson's r on synthetic data, whose factors are known.",
            signed_heatmap(factor_table(factor_matrix(explained), output), title="r"),
        )
    if not found.is_open:  # Shares of noise are not drawn.
        for name in ("shares_of_variance", "examples", "sharing", "redundancy", "shares_by_pair"):
            figures.pop(name, None)
    elif not found.agreement.empty:
        figures |= _judgments(explained)
    return figures


def _mistakes(explained: Explained, opened: Gate) -> dict[str, ReportFigure]:
    """What is predicted wrongly: classes beside chance, or residuals over the range."""
    if explained.contributions.is_classification:
        said = confusion_sentences(opened, confused(explained))
        return {
            "confusion": ReportFigure(
                "Which classes are taken for which",
                "Share of the true class, and number of held-out samples. " + " ".join(said),
                confusion_matrices(confusion(explained)),
            )
        }
    over = residuals_over_range(explained)
    return {
        "residuals": ReportFigure(
            "Residuals over the range of the target",
            "Mean of prediction − target of held-out samples, in parts of the target's range with "
            f"equally many samples; 95% intervals. {range_sentence(opened, over)}".strip(),
            residuals_over_target(over, explained.dataset.target_name),
        )
    }


def _without(shown: OutputShares | None, modalities: tuple[str, ...]) -> dict[str, ReportFigure]:
    """The shares without the samples on which they depend, if they depend on single samples."""
    if shown is None or not shown.left_out:
        return {}
    rest = shown.terms.assign(share=shown.terms["share_without"])
    return {
        "shares_of_variance_without": ReportFigure(
            f"What carries the prediction, {shown.without}",
            f"The same without the samples on which these shares depend: {spoken(shown.left_out)}.",
            variance_bars(rest, modalities),
        )
    }


def _curves(result: RunResult) -> pd.DataFrame:
    curves = pd.concat(
        [fold.curves.assign(fold=fold_label(fold.fold)) for fold in result.fold_results]
    )
    return curves[curves["epoch"] % max(1, len(curves) // 2_000) == 0]


def _judgments(explained: Explained) -> dict[str, ReportFigure]:
    colours = modality_colours(explained.contributions.modalities)
    found = {}
    for k, pair in enumerate(unique_pairs(explained), start=1):
        judged = pd.notna(pair.human)
        name = subset_name(pair.modalities)
        found[f"human_unique_{k}"] = ReportFigure(
            f"Human and learned unique contribution of {name}",
            "One point per sample; least-squares line with its 95% band.",
            scatter_with_line(
                pair.learned[judged],
                pair.human[judged],
                pair.sample_ids[judged],
                x_title=f"Learned: unique contribution of {name}",
                y_title=f"Human: y − judgment from {subset_name(pair.judged)}",
                colour=colours[pair.modalities[0]],
            ),
        )
    return found


def printed(figure: go.Figure) -> go.Figure:
    """A figure for white paper, with fixed colours instead of those of the page."""
    light = go.Figure(figure)
    light.update_layout(template="plotly_white", font={"family": "Arial, sans-serif"})
    return light


def image_files(figures: Mapping[str, ReportFigure]) -> dict[str, bytes]:
    """Each figure as SVG, PNG and PDF, by file name.

    Altair needs no browser. Plotly needs Chromium; without it, `InputError` says what to do.
    """
    drawn = _plotly_svg(
        {name: f.figure for name, f in figures.items() if isinstance(f.figure, go.Figure)}
    )
    for name, figure in figures.items():
        if not isinstance(figure.figure, go.Figure):
            drawn[name] = vl_convert.vegalite_to_svg(figure.figure.to_dict())
    files: dict[str, bytes] = {}
    for name in figures:
        files[f"{name}.svg"] = drawn[name].encode()
        files[f"{name}.png"] = vl_convert.svg_to_png(drawn[name], scale=2)
        files[f"{name}.pdf"] = vl_convert.svg_to_pdf(drawn[name])
    return files


def _plotly_svg(figures: Mapping[str, go.Figure]) -> dict[str, str]:
    """Figures as SVG, all drawn by one browser, because starting a browser takes time."""
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder) / f"{name}.svg" for name in figures}
        try:
            pio.write_images(
                [printed(figure) for figure in figures.values()], list(paths.values()), width=_WIDTH
            )
        except RuntimeError as error:  # Raised by plotly and kaleido if no browser starts.
            raise InputError(
                "Images need Chromium or Chrome where the app runs: install one, or take the "
                "report in HTML, whose figures have a button that saves them as PNG."
            ) from error
        return {name: path.read_text(encoding="utf-8") for name, path in paths.items()}
