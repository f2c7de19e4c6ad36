"""What single samples, and samples far from the training data, do to a run: in sentences."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from smurf_core.evaluation.influence import ShareInfluence
from smurf_core.reporting.numbers import interval_text, percent, plain
from smurf_core.terms import read_subset

# A share that moves by less is not worth a sentence, however narrow its interval.
SMALLEST_CHANGE = 0.05
_NAMED = 3  # samples


def influence_sentence(influence: ShareInfluence, outlying: pd.DataFrame | None = None) -> str:
    """Say that a share rests on a few samples, if it does; nothing otherwise.

    It does if leaving out the most influential samples (at most those of `influence`) changes the
    share of a modality by more than half the width of its interval, and by 5 percentage points or
    more. The narrower interval counts, of all samples or of those that remain, because a sample
    that decides a share also widens its interval. The sentence names the smallest number of
    samples that is enough.

    Parameters
    ----------
    influence
        What `share_influence` returns.
    outlying
        What `outlying_samples` returns, to say which of the samples lie far from the training data.

    Returns
    -------
    str
        One sentence or two, or an empty text.
    """
    sources = influence.sources.rename(columns={"share": "before"})
    path = influence.path.merge(sources, on=["order", "modality"])
    widths = pd.concat(  # NaN where there are no persons to draw from
        [path[f"ci_high{which}"] - path[f"ci_low{which}"] for which in ("", "_without")], axis=1
    ).min(axis=1)
    path["change"] = (path["share"] - path["before"]).abs()
    changed = path[(path["change"] > widths.fillna(0) / 2) & (path["change"] >= SMALLEST_CHANGE)]
    if changed.empty:
        return ""
    k = int(changed["left_out"].min())
    rows = changed[changed["left_out"] == k].sort_values("change", ascending=False, kind="stable")
    shares = [_share(row, is_first=i == 0) for i, row in enumerate(rows.to_dict("records"))]
    ids = influence.sample_ids[:k]
    count = f"{k} of {influence.n:,} samples" if k > 1 else f"one of {influence.n:,} samples"
    sentence = (
        f"Shares depend on single samples: without {_listed(ids)} ({count}), {_and(shares)}"
        f"{_further(influence, k, rows.iloc[0]['modality'])}."
    )
    far = _far(ids, outlying)
    return f"{sentence} {far}" if far else sentence


def outlying_sentence(
    row: Mapping[Hashable, Any], *, clips: bool, what: str = "This sample"
) -> str:
    """Say how far a sample lies from the training data; nothing if it is within the bound.

    Parameters
    ----------
    row
        One row of `outlying_samples` or `distances`.
    clips
        True if the run clips its features (`RunConfig.clips`).
    what
        What to call the sample, at the start of the sentence.
    """
    if not row["is_far"]:
        return ""
    read = f" The model reads it as {row['bound']:g} sd." if clips else ""
    outside = int(row["outside"])
    counted = f"{outside} {'feature lies' if outside == 1 else 'features lie'}"
    return (
        f"{what} lies far from the training data: {row['feature']} of {row['modality']} is "
        f"{plain(abs(row['distance']), 1)} standard deviations "
        f"{'above' if row['distance'] > 0 else 'below'} the mean of fold {row['fold']}'s training "
        f"samples.{read} {counted} outside of the range of the training samples."
    )


def worse_than_baseline(table: pd.DataFrame) -> str:
    """Say that a run predicts worse than a constant, if it does; nothing otherwise.

    Accuracy and r may look well all the same: accuracy does not see how sure a wrong prediction is,
    and r does not see offset and scale.

    Parameters
    ----------
    table
        What `against_baseline` returns. Means over folds are compared, as Table 2 shows them.
    """
    value, baseline = float(table["value"].mean()), float(table["baseline"].mean())
    if not value > baseline:
        return ""
    worse, folds = int((table["value"] > table["baseline"]).sum()), len(table)
    where = f"in {worse} of {folds} folds" if folds > 1 else "in the only fold"
    if table["metric"].iloc[0] == "log_loss":
        return (
            f"Probabilities are worse than none: the log loss on held-out samples is {plain(value)}"
            f", and {plain(baseline)} for the class frequencies of the training folds, which need "
            f"no features (worse {where}). This is so whatever the accuracy."
        )
    return (
        f"Predictions are worse than a constant: the RMSE on held-out samples is {plain(value)}, "
        f"and {plain(baseline)} for the mean of the training folds (worse {where}). This is so "
        "whatever the correlation."
    )


def _further(influence: ShareInfluence, k: int, modality: str) -> str:
    """The share without all samples of `influence`, if it differs from that without the first k."""
    path = influence.path[influence.path["modality"] == modality].set_index("left_out")["share"]
    most = len(influence.sample_ids)
    if abs(path[most] - path[k]) < SMALLEST_CHANGE:
        return ""
    return f"; without the {most} most influential samples, {modality} has {percent(path[most])}"


def _share(row: Mapping[Hashable, Any], *, is_first: bool) -> str:
    name = " and ".join(read_subset(row["modality"], row["order"]))
    together = " together" if row["order"] > 1 else ""
    carries = f" {'carry' if together else 'carries'}" if is_first else ""
    of = " of the variance" if is_first else ""
    interval = interval_text(row["ci_low"], row["ci_high"])
    return (
        f"{name}{together}{carries} {percent(row['share'])}{of} instead of "
        f"{percent(row['before'])}{f' {interval}' if interval else ''}"
    )


def _far(ids: Sequence[str], outlying: pd.DataFrame | None) -> str:
    """Which of the samples are far from the training data."""
    if outlying is None:
        return ""
    rows = outlying[outlying["sample_id"].isin(ids) & outlying["is_far"]]
    if rows.empty:
        return ""
    furthest = rows.iloc[int(rows["distance"].abs().argmax())]
    who = "It lies" if len(ids) == 1 else f"{len(rows)} of them lie"
    return (
        f"{who} far from the training data: {furthest['feature']} of {furthest['modality']} is "
        f"{abs(furthest['distance']):.0f} standard deviations out."
    )


def _listed(ids: Sequence[str]) -> str:
    more = len(ids) - _NAMED
    if more > 0:
        return f"{', '.join(ids[:_NAMED])} and {more} more"
    return _and(ids)


def _and(parts: Sequence[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last
