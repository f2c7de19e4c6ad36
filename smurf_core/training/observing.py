"""What a training run reports to an observer, and where it keeps finished work. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from smurf_core.results import FoldResult


class TrainingCancelled(Exception):
    """Raised out of a training run when its observer asks to stop; finished work is kept."""


@dataclass(frozen=True)
class Progress:
    """How far a run is. The three curve values are the unit's best member's, in this epoch."""

    fold: int
    folds: int
    unit: str  # what is being trained, e.g. "search 20-10" or "restarts"
    epoch: int
    max_epochs: int
    done: float  # of this unit, 0 to 1; 1 when it is finished
    fraction: float  # of the whole run, 0 to 1
    training_objective: float
    validation_objective: float
    validation_metric: float


class Observer(Protocol):
    """Watches a run. Must be picklable: worker processes of joblib report through a copy."""

    def report(self, progress: Progress) -> None:
        """Take note of progress; called often, so throttle what is slow."""

    def should_stop(self) -> bool:
        """True if training should end now; asked once every few epochs."""


class ResultCache(Protocol):
    """Keeps finished units and folds, so that a resumed run does not repeat them."""

    def load_unit(self, key: str) -> pd.DataFrame | None:
        """The table of a finished unit, or nothing."""

    def save_unit(self, key: str, table: pd.DataFrame) -> None:
        """Keep the table of a finished unit."""

    def load_fold(self, fold: int) -> FoldResult | None:
        """A finished fold, or nothing."""

    def save_fold(self, result: FoldResult) -> None:
        """Keep a finished fold."""
