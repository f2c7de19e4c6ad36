"""Explained samples: contributions, target and persons, aligned sample by sample."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from smurf_core.contributions import Contributions
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.results import RunResult
from smurf_core.sample_choice import SampleChoice, chosen_positions


@dataclass(frozen=True)
class Explained:
    """Contributions to some samples of a data set, with the target and persons of these samples.

    Evaluations take this. Everything is in the order of the contributions' samples: `target` and
    `persons` here, and any other array of the data set through `aligned`. The function `explained`
    makes it.
    """

    contributions: Contributions
    target: npt.NDArray[Any]  # [n]: float32 values, or int64 class codes
    persons: npt.NDArray[np.str_] | None  # [n]; None where the data set knows no persons
    dataset: MultimodalDataset = field(repr=False)
    positions: npt.NDArray[np.int64] = field(repr=False)  # [n]: of each sample in the data set

    def __len__(self) -> int:
        return len(self.contributions)

    @property
    def sample_ids(self) -> npt.NDArray[np.str_]:
        """Ids of the explained samples, [n]."""
        return self.contributions.sample_ids

    def aligned(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The rows of one of the data set's arrays that belong to the explained samples.

        Parameters
        ----------
        values : array [samples of the data set, …]
            For example a rating of every sample, or its labels.

        Returns
        -------
        array [n, …]
            The rows of the explained samples, in their order.

        Raises
        ------
        ValueError
            If `values` does not have one row per sample of the data set.
        """
        if len(values) != len(self.dataset):
            raise ValueError(
                f"Needed a row for each of the data set's {len(self.dataset)} samples, got "
                f"{len(values)}."
            )
        return np.asarray(values[self.positions])

    def select(self, chosen: SampleChoice) -> Explained:
        """Some of the explained samples, for example those of a slice, a person or a class.

        Parameters
        ----------
        chosen : mask [n], positions [k], or sample ids
            As in `chosen_positions`: ids that were not explained are ignored.

        Returns
        -------
        Explained
            Of these samples.
        """
        at = chosen_positions(chosen, self.sample_ids)
        return Explained(
            contributions=self.contributions.select(at),
            target=_read_only(self.target[at]),
            persons=None if self.persons is None else _read_only(self.persons[at]),
            dataset=self.dataset,
            positions=_read_only(self.positions[at]),
        )


def explained(source: RunResult | Contributions, dataset: MultimodalDataset) -> Explained:
    """Contributions with the target and the person of each of their samples.

    Parameters
    ----------
    source : RunResult or Contributions
        For a run, its out-of-fold contributions are used.
    dataset : MultimodalDataset
        The data set that contains the samples, in any order, and possibly more of them.

    Returns
    -------
    Explained
        In the order of the contributions' samples.

    Raises
    ------
    InputError
        If a sample is not in the data set.

    Examples
    --------
    >>> import numpy as np
    >>> from smurf_core.data.generated.synthetic import synthetic_additive
    >>> from smurf_core.terms import pairwise_terms
    >>> dataset = synthetic_additive(samples=30)
    >>> contributions = Contributions(
    ...     values=np.zeros((30, 9, 1), np.float32),
    ...     terms=pairwise_terms(dataset.modalities),
    ...     baseline=np.zeros((30, 1), np.float32),
    ...     modalities=dataset.modalities,
    ...     outputs=dataset.outputs,
    ...     sample_ids=dataset.sample_ids[::-1],
    ...     folds=np.zeros(30, np.int64),
    ... )
    >>> found = explained(contributions, dataset)
    >>> bool(found.target[0] == dataset.target[-1])
    True
    >>> len(found.select(dataset.sample_ids[:5]))
    5
    """
    contributions = source.contributions() if isinstance(source, RunResult) else source
    positions = dataset.positions(contributions.sample_ids)
    unknown = contributions.sample_ids[positions < 0]
    if len(unknown):
        raise InputError(
            f"{len(unknown)} explained samples are not in {dataset.name!r}, "
            f"{str(unknown[0])!r} for one: take the data set that the run was trained on."
        )
    return Explained(
        contributions=contributions,
        target=_read_only(dataset.target[positions]),
        persons=None if dataset.persons is None else _read_only(dataset.persons[positions]),
        dataset=dataset,
        positions=_read_only(positions),
    )


def _read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Make a new array read-only, because several sessions may share it."""
    array.flags.writeable = False
    return array
