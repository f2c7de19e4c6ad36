"""Two models on the same samples: the sums that each person adds to the metrics of both.

A metric of additive statistics is a function of their sums over samples. To swap the two models'
predictions for a person, it is enough to swap rows of sums; to leave a person out, a row is
subtracted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
# The metric of sums of statistics, [..., s] → [...].
Score = Callable[[Array], Array]


@dataclass(frozen=True)
class PairedSums:
    """Additive statistics of two models on one fold's test samples, summed per person."""

    persons: npt.NDArray[np.int64]  # [g], sorted, each once
    first: Array  # [g, s]
    second: Array  # [g, s]
    score: Score

    @classmethod
    def of(
        cls, persons: npt.NDArray[np.int64], first: Array, second: Array, score: Score
    ) -> PairedSums:
        """Sum statistics of samples per person.

        Parameters
        ----------
        persons : array of int [n]
            The number of each sample's person; the same number in every fold.
        first, second : array [n, s]
            Statistics of the two models for each sample.
        score : callable
            The metric of sums of statistics, [..., s] → [...]; NaN where it is not defined.

        Returns
        -------
        PairedSums
            Of the persons that occur.

        Examples
        --------
        >>> import numpy as np
        >>> errors = np.array([[1.0, 2.0], [1, 4], [1, 6]])  # a count and an error each
        >>> mean = lambda sums: sums[..., 1] / sums[..., 0]
        >>> sums = PairedSums.of(np.array([7, 7, 9]), errors, 0 * errors + 1, mean)
        >>> sums.first.tolist(), sums.difference()
        ([[2.0, 6.0], [1.0, 6.0]], 3.0)
        """
        who, position = np.unique(persons, return_inverse=True)

        def summed(statistics: Array) -> Array:
            total = np.zeros((len(who), statistics.shape[1]))
            np.add.at(total, position, statistics)
            return total

        return cls(who, summed(first), summed(second), score)

    def difference(self) -> float:
        """The first model's metric minus the second's."""
        return float(self.score(self.first.sum(axis=0)) - self.score(self.second.sum(axis=0)))

    def swapped(self, swapped: npt.NDArray[np.bool_]) -> Array:
        """Differences after swapping the models' predictions for some persons.

        `swapped` is [draws, persons], indexed by the persons' numbers; returns [draws].
        """
        moved = swapped[:, self.persons] @ (self.second - self.first)  # [draws, s]
        first, second = self.first.sum(axis=0) + moved, self.second.sum(axis=0) - moved
        return np.asarray(self.score(first) - self.score(second))

    def without(self, everyone: npt.NDArray[np.int64]) -> Array:
        """Differences without each of these persons; NaN if no person is left."""
        found = np.full(len(everyone), self.difference())
        at = np.searchsorted(everyone, self.persons)
        if len(at) == 1:
            found[at] = np.nan
        else:
            first, second = (sums.sum(axis=0) - sums for sums in (self.first, self.second))
            found[at] = self.score(first) - self.score(second)
        return found
