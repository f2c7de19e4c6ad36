"""Is there anything to explain: do held-out predictions say anything about the target?"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.evaluation.fidelity import Fidelity, fidelity
from smurf_core.evaluation.metrics import balanced_accuracy
from smurf_core.explained import Explained
from smurf_core.statistics.correlation import pearson_r
from smurf_core.statistics.correlation_interval import FEWEST_PERSONS, correlation_interval
from smurf_core.statistics.folds import centred_within
from smurf_core.statistics.interval_of_means import interval_of_means
from smurf_core.statistics.persons import person_codes

Array = npt.NDArray[np.float64]

# Below this, a metric of held-out samples is not reported: r of two or three samples is ±1.
FEWEST_SAMPLES = 30


@dataclass(frozen=True)
class Gate:
    """Do a run's held-out predictions say anything about the target?

    Parameters
    ----------
    metric
        `r` for regression, `balanced_accuracy` for classes.
    value, ci_low, ci_high
        Of the held-out samples, pooled within folds; a 95% interval over persons.
    chance
        What a model that knows nothing reaches: 0, or one over the number of classes.
    samples, persons
        Held-out samples, and persons among them (samples where no persons are known).
    fidelity
        How closely contributions follow a given model, if one is explained.
    """

    metric: str
    value: float
    ci_low: float
    ci_high: float
    chance: float
    samples: int
    persons: int
    fidelity: Fidelity | None = None

    @property
    def is_faithful(self) -> bool:
        """False for contributions that do not add up to the given model that they explain."""
        return self.fidelity is None or self.fidelity.is_faithful

    @property
    def has_enough(self) -> bool:
        """False for too few samples or persons to say anything."""
        return self.samples >= FEWEST_SAMPLES and self.persons >= FEWEST_PERSONS

    @property
    def is_open(self) -> bool:
        """True if there is something to explain: the whole interval is above chance."""
        return self.has_enough and bool(self.ci_low > self.chance) and self.is_faithful

    def table(self) -> pd.DataFrame:
        """One row: metric, value, ci_low, ci_high, chance, samples, persons, is_open."""
        row = {**asdict(self), "is_open": self.is_open}
        return pd.DataFrame([row]).drop(columns="fidelity")


def gate(explained: Explained) -> Gate:
    """Compare held-out predictions with chance.

    Regression: Pearson's r, with target and predictions centred within folds (a fold's mean
    prediction is not the model's merit), and its jackknife interval over persons. Classes:
    balanced accuracy, which a constant prediction cannot raise above one over the number of
    classes, with a linearised interval over persons.

    Parameters
    ----------
    explained
        Out-of-fold contributions with target and persons.

    Returns
    -------
    Gate
    """
    n = len(explained)
    contributions = explained.contributions
    codes = person_codes(explained.persons, n)
    persons = int(codes.max(initial=-1)) + 1
    prediction = contributions.prediction()
    classes = len(contributions.outputs)
    nothing = float("nan")
    followed = fidelity(explained)
    metric = "balanced_accuracy" if contributions.is_classification else "r"
    chance = 1 / classes if contributions.is_classification else 0.0
    if n < FEWEST_SAMPLES or persons < FEWEST_PERSONS:
        return Gate(metric, nothing, nothing, nothing, chance, n, persons, followed)
    if contributions.is_classification:
        truth = np.asarray(explained.target, dtype=np.int64)
        value = balanced_accuracy(truth, prediction)
        hit = (prediction.argmax(axis=1) == truth).astype(np.float64)
        low, high = interval_of_means(hit, truth, codes)
    else:
        x, y = held_out_pair(explained, prediction)
        value = float(pearson_r(x, y))
        low, high = correlation_interval(x, y, explained.persons)
        if np.isnan(low) and value > 1 - 1e-9:  # A perfect prediction has no spread.
            low = high = value
    return Gate(metric, float(value), low, high, chance, n, persons, followed)


def held_out_pair(
    explained: Explained, prediction: npt.NDArray[np.floating]
) -> tuple[Array, Array]:
    """Predictions and targets of regression, both minus the mean of their fold, [n] each.

    `prediction` [n, 1] is of the same samples: the run's own, or what remains without a modality.
    """
    folds = explained.contributions.folds
    x = centred_within(np.asarray(prediction[:, :1], dtype=np.float64), folds)[:, 0]
    y = centred_within(np.asarray(explained.target, dtype=np.float64)[:, None], folds)[:, 0]
    return x, y


def held_out_score(explained: Explained, prediction: npt.NDArray[np.floating]) -> float:
    """The metric of `gate` for predictions [n, c] of the same samples."""
    if explained.contributions.is_classification:
        return balanced_accuracy(np.asarray(explained.target, dtype=np.int64), prediction)
    return float(pearson_r(*held_out_pair(explained, prediction)))
