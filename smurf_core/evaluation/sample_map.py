"""A map of samples: those whose predictions consist of the same contributions lie together."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.errors import InputError
from smurf_core.evaluation.redundancy import centred_terms
from smurf_core.evaluation.samples import term_column
from smurf_core.explained import Explained
from smurf_core.terms import Term

Array = npt.NDArray[np.float64]
# A map of one contribution would be a line.
FEWEST_TERMS = 2


@dataclass(frozen=True)
class SampleMap:
    """Samples in the two directions in which their contributions differ most.

    Parameters
    ----------
    positions
        [n, 2], in the contributions' unit.
    shares
        [2]: the share of the contributions' variance along each direction.
    loadings
        One row per contribution and output: contribution, output, first, second (how much it weighs
        in each direction, from −1 to 1). The largest weight of a direction is positive.
    """

    positions: Array
    shares: Array
    loadings: pd.DataFrame


def sample_map(explained: Explained, terms: Collection[Term]) -> SampleMap:
    """Principal components of samples' contributions.

    Contributions are centred within folds (each fold's model has a zero of its own) and, for
    classes, less their mean over the classes. They have one unit and are not standardised: what
    moves predictions little is of little weight.

    Parameters
    ----------
    explained
        The samples.
    terms
        The contributions to use: those whose verdict is good (`good_terms`).

    Returns
    -------
    SampleMap

    Raises
    ------
    InputError
        If fewer than two contributions are used, or fewer than three samples are there.

    Notes
    -----
    Jolliffe (2002), *Principal Component Analysis*, by a singular value decomposition.

    Examples
    --------
    >>> import smurf_core as smurf
    >>> data = smurf.datasets.synthetic_additive(samples=80)
    >>> run = smurf.train(data, max_epochs=2, restarts=1)
    >>> found = sample_map(smurf.evaluate.explained(run, data), run.contributions().terms)
    >>> found.positions.shape
    (80, 2)
    """
    contributions = explained.contributions
    used = [term for term in contributions.terms if term in terms]
    if len(used) < FEWEST_TERMS or len(contributions) <= FEWEST_TERMS:
        raise InputError(
            f"A map needs at least {FEWEST_TERMS} contributions and {FEWEST_TERMS + 1} samples, "
            f"got {len(used)} and {len(contributions)}."
        )
    chosen = [contributions.position(term) for term in used]
    values = centred_terms(contributions)[:, chosen].reshape(len(contributions), -1)
    _, sizes, directions = np.linalg.svd(values, full_matrices=False)
    directions = directions[:2]
    largest = np.abs(directions).argmax(axis=1)
    directions = directions * np.where(directions[[0, 1], largest] < 0, -1.0, 1.0)[:, None]
    total = float((sizes**2).sum())
    outputs = contributions.outputs
    loadings = pd.DataFrame(
        {
            "contribution": np.repeat(
                [term_column(*term.names[1:]) for term in used], len(outputs)
            ),
            "output": np.tile(np.asarray(outputs, dtype=str), len(used)),
            "first": directions[0],
            "second": directions[1],
        }
    )
    shares = sizes[:2] ** 2 / total if total > 0 else np.full(2, np.nan)
    return SampleMap(np.asarray(values @ directions.T), np.asarray(shares), loadings)
