"""The main figures, each from one call with a run or its contributions."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from smurf_core.contributions import Contributions
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.evaluation.missing import missing_modalities, missing_summary
from smurf_core.evaluation.redundancy import ALL_OUTPUTS, pair_table, variance_shares
from smurf_core.plot.contributions import breakdown, variance_bars, waterfall
from smurf_core.plot.heatmaps import pair_matrix, signed_heatmap
from smurf_core.plot.theme import modality_colours
from smurf_core.plot.who_shares import sharing_bars
from smurf_core.results import RunResult


def shares(contributions: Contributions, *, output: str | None = None) -> go.Figure:
    """Each contribution's share of the prediction's variance, one bar per modality.

    Parameters
    ----------
    contributions
        Out-of-fold contributions: `run.contributions()`.
    output
        A class. Default: all classes together.
    """
    table = variance_shares(contributions)
    wanted = output or (ALL_OUTPUTS if contributions.is_classification else None)
    wanted = wanted or contributions.outputs[0]
    if wanted not in set(table["output"]):
        raise InputError(f"No output {wanted!r}; there are {', '.join(contributions.outputs)}.")
    return variance_bars(table[table["output"] == wanted], contributions.modalities)


def sample(contributions: Contributions, sample_id: str, *, output: str | None = None) -> go.Figure:
    """One sample's prediction as a sum of contributions, from the baseline at the top.

    Parameters
    ----------
    contributions
        Of a run, or of new samples.
    sample_id
        The sample.
    output
        A class. Default: the predicted class.
    """
    found = np.flatnonzero(contributions.sample_ids == sample_id)
    if not len(found):
        raise InputError(f"There is no sample {sample_id!r} among these contributions.")
    row = int(found[0])
    if output is None:
        at = int(contributions.prediction()[row].argmax())
    elif output in contributions.outputs:
        at = contributions.outputs.index(output)
    else:
        raise InputError(f"No output {output!r}; there are {', '.join(contributions.outputs)}.")
    title = f"Contribution to {contributions.outputs[at]}"
    if contributions.is_classification:
        title += " (logit)"
    return waterfall(breakdown(contributions, row, at), contributions.modalities, title)


def redundancy(contributions: Contributions, *, output: str | None = None) -> go.Figure:
    """Pearson's r between the two sides of each pair of modalities, as a heatmap."""
    wanted = output or contributions.outputs[0]
    if wanted not in contributions.outputs:
        raise InputError(f"No output {wanted!r}; there are {', '.join(contributions.outputs)}.")
    if not contributions.has_redundant_terms:
        raise InputError("These contributions are all unique: no modalities share anything.")
    table = pair_table(contributions)
    here = table[(table["output"] == wanted) & (table["order"] == 1) & (table["size"] == 2)]
    if here.empty:
        raise InputError("No two modalities share anything alone; `plot.sharing` shows who does.")
    return signed_heatmap(pair_matrix(here, contributions.modalities, "r"), title="r")


def sharing(result: RunResult) -> go.Figure:
    """How far the members of each set of modalities agree on what they share, one bar per set.

    Parameters
    ----------
    result
        A run of the exclusive kind, which selects the sets that are there.

    Raises
    ------
    InputError
        If the run's kind offers no sets.
    """
    if result.sharing is None or result.sharing.empty:
        raise InputError(
            f"{result.config.kind.title} does not select sets of modalities: train the exclusive "
            "kind, with two or more modalities."
        )
    return sharing_bars(result.sharing)


def missing(
    result: RunResult, dataset: MultimodalDataset, *, metric: str | None = None
) -> go.Figure:
    """Performance with each subset of modalities (table 5), mean ± sd over folds.

    Parameters
    ----------
    result, dataset
        A run and its data.
    metric
        A metric. Default: `r` for regression, `accuracy` for classes.
    """
    table = missing_summary(missing_modalities(result, dataset))
    wanted = metric or table["metric"].iloc[0]
    here = table[table["metric"] == wanted]
    if here.empty:
        raise InputError(f"No metric {wanted!r}; there are {', '.join(table['metric'].unique())}.")
    colours = modality_colours(result.modalities)
    first = [next(n for n in result.modalities if n in name) for name in here["available"]]
    figure = go.Figure(
        go.Bar(
            x=here["mean"],
            y=here["available"],
            orientation="h",
            error_x={"type": "data", "array": here["sd"].fillna(0)},
            marker={"color": [colours[name] for name in first]},
        )
    )
    figure.update_layout(
        xaxis={"title": f"{wanted} (mean ± sd over folds)"},
        yaxis={"title": "Available modalities", "autorange": "reversed", "automargin": True},
    )
    return figure
