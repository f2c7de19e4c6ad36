"""Where predictions of numbers are off: person by person, and over the range of the target."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy  # whose parts load when used, after the first paint

from smurf_core.errors import InputError
from smurf_core.explained import Explained
from smurf_core.statistics.interval_of_means import interval_of_means
from smurf_core.statistics.persons import person_codes

Array = npt.NDArray[np.float64]
BINS = 8
# Fewer samples in a part of the range say nothing of its mean.
FEWEST_IN_BIN = 10


def residuals(explained: Explained) -> Array:
    """Prediction − target of every sample, [n], in the target's unit; positive: too high.

    Raises
    ------
    InputError
        If the target is classes.
    """
    if explained.contributions.is_classification:
        raise InputError(
            f"{explained.dataset.target_name!r} has classes: there are no residuals. See "
            "`confusion`."
        )
    prediction = explained.contributions.prediction()[:, 0].astype(np.float64)
    return np.asarray(prediction - explained.target.astype(np.float64))


def residuals_by_person(explained: Explained, *, level: float = 0.95) -> pd.DataFrame:
    """How far off the predictions of each person are, the largest typical error first.

    Parameters
    ----------
    explained
        Samples of a regression run on data with persons.
    level
        Coverage of the intervals, at least.

    Returns
    -------
    DataFrame
        person, n (samples), median (of prediction − target), ci_low, ci_high (its interval by order
        statistics; NaN where a person has too few samples), typical_error (median of the sizes of
        the residuals).

    Raises
    ------
    InputError
        If the target is classes, or no persons are known.

    Notes
    -----
    David and Nagaraja (2003), *Order Statistics*, section 7.1: between the k-th lowest and the k-th
    highest value, the median lies with a probability of 1 − 2 P(X < k), X binomial of n and ½.

    Examples
    --------
    >>> import numpy as np
    >>> from dataclasses import replace
    >>> import smurf_core as smurf
    >>> data = smurf.datasets.synthetic_additive(samples=80)
    >>> data = replace(data, persons=np.repeat(["p1", "p2", "p3", "p4"], 20))
    >>> run = smurf.train(data, max_epochs=2, restarts=1)
    >>> sorted(residuals_by_person(smurf.evaluate.explained(run, data))["person"])
    ['p1', 'p2', 'p3', 'p4']
    """
    if explained.persons is None:
        raise InputError(f"{explained.dataset.name!r} has no persons: name their column.")
    error = residuals(explained)
    rows = []
    for person in np.unique(explained.persons):
        own = np.sort(error[explained.persons == person])
        low, high = _median_interval(own, level)
        rows.append(
            {
                "person": str(person),
                "n": len(own),
                "median": float(np.median(own)),
                "ci_low": low,
                "ci_high": high,
                "typical_error": float(np.median(np.abs(own))),
            }
        )
    table = pd.DataFrame(
        rows, columns=["person", "n", "median", "ci_low", "ci_high", "typical_error"]
    )
    return table.sort_values("typical_error", ascending=False, kind="stable", ignore_index=True)


def residuals_over_range(explained: Explained, *, bins: int = BINS) -> pd.DataFrame:
    """How far off predictions are for low, middle and high targets.

    Parameters
    ----------
    explained
        Samples of a regression run.
    bins
        Parts of the range with about as many samples each, at most. Equal targets stay together,
        and there are fewer parts where one would have less than 10 samples.

    Returns
    -------
    DataFrame
        One row per part, the lowest targets first: low, high (its targets), target (their mean),
        mean (of prediction − target), ci_low, ci_high (95%, over persons, or over samples where no
        persons are known; NaN for one person), n, persons.

    Raises
    ------
    InputError
        If the target is classes.

    Examples
    --------
    >>> import smurf_core as smurf
    >>> data = smurf.datasets.synthetic_additive(samples=80)
    >>> run = smurf.train(data, max_epochs=2, restarts=1)
    >>> table = residuals_over_range(smurf.evaluate.explained(run, data), bins=4)
    >>> table["n"].tolist()
    [20, 20, 20, 20]
    """
    error = residuals(explained)
    target = np.asarray(explained.target, dtype=np.float64)
    persons = person_codes(explained.persons, len(target))
    parts = max(1, min(bins, len(target) // FEWEST_IN_BIN))
    edges = np.unique(np.quantile(target, np.linspace(0, 1, parts + 1)[1:-1]))
    where = np.searchsorted(edges, target, side="left")
    rows = []
    for part in np.unique(where):
        own = where == part
        _, codes = np.unique(persons[own], return_inverse=True)
        low, high = interval_of_means(error[own], np.zeros(own.sum(), dtype=np.int64), codes)
        rows.append(
            {
                "low": target[own].min(), "high": target[own].max(), "target": target[own].mean(),
                "mean": error[own].mean(), "ci_low": low, "ci_high": high, "n": int(own.sum()),
                "persons": int(codes.max()) + 1,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _median_interval(values: Array, level: float) -> tuple[float, float]:
    """Interval of a median from sorted values [n]; NaN where there are too few of them."""
    n = len(values)
    k = int(scipy.stats.binom.ppf((1 - level) / 2, n, 0.5))
    if k < 1:
        return float("nan"), float("nan")
    return float(values[k - 1]), float(values[n - k])
