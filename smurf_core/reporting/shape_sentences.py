"""How a feature moves a contribution, and what a map of samples shows, in sentences."""

from __future__ import annotations

import numpy as np

from smurf_core.evaluation.sample_map import FEWEST_TERMS, SampleMap
from smurf_core.evaluation.verdicts import GOOD
from smurf_core.reporting.numbers import bounds, digits_for, percent, plain, signed, term_label
from smurf_core.shapes import Shape

_NAMED = 2  # contributions in an axis's title


def shape_sentence(shape: Shape, verdict: str) -> str:
    """What may be said of one contribution and one feature.

    Parameters
    ----------
    shape
        The curve.
    verdict
        On the contribution, in a run that predicts (otherwise `nothing_to_explain` says why not).
    """
    what = term_label(*shape.term.names[1:])
    digits = digits_for(float(np.nanmax(np.abs([shape.rise, shape.rise_half_width]))))
    if verdict not in GOOD:
        return f"{what}: no curve, because the verdict on this contribution is “{verdict}”."
    ends = f"from {_number(shape.values[0])} to {_number(shape.values[-1])}"
    change = signed(shape.rise, digits)
    if not shape.has_interval:
        first = shape.by_fold[:, -1] - shape.by_fold[:, 0]
        agree = bool((first > 0).all() or (first < 0).all())
        folds = "agree" if agree else "do not agree"
        return (
            f"{what}: {change} as {shape.feature} goes {ends}. This kind of model has no refits, "
            f"so there is no interval; the models of the folds {folds} on its direction."
        )
    interval = bounds(
        shape.rise - shape.rise_half_width, shape.rise + shape.rise_half_width, digits
    )
    if not shape.is_clear:
        return (
            f"{what}: whether {shape.feature} raises or lowers it cannot be said. Its change "
            f"{ends} is {change}{interval}, no more than the largest of all features may show by "
            "chance."
        )
    verb = "rises" if shape.rise > 0 else "falls"
    size = plain(abs(shape.rise), digits)
    return f"{what} {verb} by {size}{interval} as {shape.feature} goes {ends}."


def moved_sentence(shapes: tuple[Shape, ...]) -> str:
    """How the curves were computed, and of how many samples."""
    first = shapes[0]
    some = (
        f"all {first.samples:,} samples"
        if first.moved == first.samples
        else f"{first.moved:,} of {first.samples:,} samples, drawn at random"
    )
    band = (
        "Band: 95% interval over models of other persons. "
        if first.has_interval
        else "No band: this kind of model has no refits. "
    )
    return (
        f"The feature is set to each value in {some}; all others stay as observed, and the model "
        f"that did not see a sample is asked again (partial dependence). {band}Thin lines: the "
        "folds' models. Dots: equally spaced quantiles, from the 5th to the 95th percentile."
    )


def map_sentence(found: SampleMap) -> str:
    """How much of the contributions a map shows."""
    count = found.loadings["contribution"].nunique()
    return (
        "Samples that lie together are predicted from the same contributions. The map shows "
        f"{percent(float(np.sum(found.shares)))} of the variance of the {count} contributions "
        "whose verdict is good."
    )


def no_map(good: int) -> str:
    """Why there is no map, for so many contributions whose verdict is good; else an empty text."""
    if good >= FEWEST_TERMS:
        return ""
    has = "none has" if good == 0 else "only one has"
    return (
        f"There is no map: it needs at least two contributions whose verdict is good, and {has}. "
        "See *Overview*."
    )


def axis_title(found: SampleMap, direction: int) -> str:
    """A direction's share, and the contributions that weigh most in it."""
    table = found.loadings
    weights = table[("first", "second")[direction]]
    has_classes = table["output"].nunique() > 1
    named = []
    for at in weights.abs().sort_values(ascending=False, kind="stable").index:
        of = f" ({table['output'][at]})" if has_classes else ""
        named.append(f"{table['contribution'][at]}{of} {signed(weights[at], 2)}")
        if len(named) == _NAMED:
            break
    return f"{percent(float(found.shares[direction]))} of variance: {'; '.join(named)}"


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")
