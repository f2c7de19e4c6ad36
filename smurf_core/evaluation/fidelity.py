"""How closely a run that explains a given model follows that model's predictions."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from smurf_core.explained import Explained

# Contributions that leave more of a model's predictions open say nothing about this model.
FAITHFUL = 0.9


@dataclass(frozen=True)
class Fidelity:
    """R² of a given model's predictions that the contributions of held-out samples add up to.

    Parameters
    ----------
    r_squared
        Over all outputs, each about its mean; NaN where the predictions do not vary.
    samples
        Held-out samples.
    """

    r_squared: float
    samples: int

    @property
    def is_faithful(self) -> bool:
        """True if the contributions are about the given model."""
        return bool(self.r_squared >= FAITHFUL)

    def table(self) -> pd.DataFrame:
        """One row: r_squared, samples, is_faithful."""
        return pd.DataFrame([{**asdict(self), "is_faithful": self.is_faithful}])


def fidelity(explained: Explained) -> Fidelity | None:
    """Compare held-out contributions with the outputs of the model that they explain.

    Parameters
    ----------
    explained
        Out-of-fold contributions to samples of a data set with `given_outputs`.

    Returns
    -------
    Fidelity or None
        None if the data set has no outputs of a given model.
    """
    if not explained.dataset.given_outputs:
        return None
    given = explained.aligned(explained.dataset.output_values()).sum(axis=1)
    found = explained.contributions.prediction().astype(np.float64)
    spread = ((given - given.mean(axis=0)) ** 2).sum()
    left = ((found - given) ** 2).sum()
    r_squared = 1 - left / spread if spread > 0 else float("nan")
    return Fidelity(float(r_squared), len(given))
