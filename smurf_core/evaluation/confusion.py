"""Which classes are taken for which: the confusion matrix beside the one that chance would give."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy  # whose parts load when used, after the first paint

from smurf_core.errors import InputError
from smurf_core.explained import Explained
from smurf_core.statistics.persons import person_codes

Array = npt.NDArray[np.float64]


def confusion(explained: Explained, *, level: float = 0.95) -> pd.DataFrame:
    """Every true class beside every predicted one, pooled over the test folds.

    Chance is a prediction that names each class as often as it occurs, whatever the sample. Its
    share of a cell is the frequency of the predicted class.

    Parameters
    ----------
    explained
        Samples of a run that predicts classes.
    level
        Coverage of the intervals, between 0 and 1.

    Returns
    -------
    DataFrame
        One row per pair of classes, in their order: true, predicted, n (samples), share (of the
        true class; NaN for a class without samples), ci_low, ci_high, chance_n and chance_share
        (what chance would give), excess (share − chance_share), excess_low, excess_high. Intervals
        are over persons (over samples where no persons are known), by linearisation.

    Raises
    ------
    InputError
        If the target has no classes.

    Notes
    -----
    Binder (1983), *International Statistical Review* 51, with persons as clusters. The interval of
    the excess counts that the frequencies of the classes are themselves estimated. Of few samples
    that all got the same class, linearisation knows no spread: no standard error is below that of
    Agresti and Coull (1998), *The American Statistician* 52.

    Examples
    --------
    >>> import smurf_core as smurf
    >>> data = smurf.datasets.synthetic_additive(samples=80, task="classification")
    >>> run = smurf.train(data, max_epochs=2, restarts=1)
    >>> table = confusion(smurf.evaluate.explained(run, data))
    >>> len(table), int(table["n"].sum())
    (9, 80)
    """
    contributions = explained.contributions
    if not contributions.is_classification:
        raise InputError(
            f"{explained.dataset.target_name!r} is a number: there are no classes to confuse. See "
            "`residuals_over_range`."
        )
    names = contributions.outputs
    truth = np.asarray(explained.target, dtype=np.int64)
    predicted = contributions.prediction().argmax(axis=1)
    n = len(truth)
    persons = person_codes(explained.persons, n)
    frequency = np.bincount(truth, minlength=len(names)) / max(n, 1)
    rows = []
    for a, true in enumerate(names):
        is_true = truth == a
        size = int(is_true.sum())
        for b, other in enumerate(names):
            hit = predicted == b
            count = int((is_true & hit).sum())
            share = count / size if size else np.nan
            # How far each sample moves the share, and the frequency that is taken off it.
            moves = is_true * (hit - share) / max(size, 1)
            chance_moves = ((truth == b) - frequency[b]) / max(n, 1)
            least = _least_error(count, size)
            half = _half_width(moves, persons, least, level)
            excess_half = _half_width(moves - chance_moves, persons, least, level)
            excess = share - frequency[b]
            rows.append(
                {
                    "true": true, "predicted": other, "n": count, "share": share,
                    "ci_low": share - half, "ci_high": share + half,
                    "chance_n": size * frequency[b], "chance_share": frequency[b],
                    "excess": excess, "excess_low": excess - excess_half,
                    "excess_high": excess + excess_half,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def confused(explained: Explained) -> pd.DataFrame:
    """The mistakes that occur more often than by chance, the largest excess first.

    Rows of `confusion` with different classes whose excess is above zero by an interval that counts
    all pairs of classes that were looked at (Bonferroni).
    """
    classes = len(explained.contributions.outputs)
    strict = confusion(explained, level=1 - 0.05 / max(classes * (classes - 1), 1))
    is_found = (strict["true"] != strict["predicted"]) & (strict["excess_low"] > 0)
    found = confusion(explained)[is_found]
    return found.sort_values("excess", ascending=False, kind="stable", ignore_index=True)


def _half_width(
    moves: Array, persons: npt.NDArray[np.integer], least: float, level: float
) -> float:
    """Half an interval of an estimate that each sample moves by so much, [n]."""
    count = int(persons.max(initial=-1)) + 1
    if count < 2:
        return float("nan")
    by_person = np.bincount(persons, weights=moves, minlength=count)
    error = np.sqrt(count / (count - 1) * (by_person**2).sum())
    return float(scipy.special.stdtrit(count - 1, (1 + level) / 2) * max(error, least))


def _least_error(hits: int, size: int) -> float:
    """The standard error of a share of independent samples, with two more of each kind."""
    share = (hits + 2) / (size + 4)
    return float(np.sqrt(share * (1 - share) / (size + 4)))
