"""What moves a sample from one class to another: each contribution to one logit minus the other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from smurf_core.contributions import Contributions
from smurf_core.errors import InputError
from smurf_core.sample_choice import SampleChoice


def class_difference(
    contributions: Contributions, sample: SampleChoice, first: str, second: str
) -> Contributions:
    """Contributions to the logit of one class minus those to the logit of another.

    The odds of the two classes depend on nothing else, so here all that the classes' logits have in
    common is gone. Baseline plus contributions is the difference of the logits, exactly: a positive
    contribution moves a sample towards `first`.

    Parameters
    ----------
    contributions
        Of a run that predicts classes.
    sample
        The samples to take apart: a mask, positions, or sample ids.
    first, second
        Two classes.

    Returns
    -------
    Contributions
        Of these samples, with one output.

    Raises
    ------
    InputError
        If there is no such class, or both are the same.

    Examples
    --------
    >>> import smurf_core as smurf
    >>> data = smurf.datasets.synthetic_additive(samples=80, task="classification")
    >>> run = smurf.train(data, max_epochs=2, restarts=1)
    >>> found = class_difference(run.contributions(), ["s03"], "class_1", "class_2")
    >>> found.outputs, found.prediction().shape
    (('class_1 − class_2',), (1, 1))
    """
    unknown = [name for name in (first, second) if name not in contributions.outputs]
    if unknown or not contributions.is_classification:
        raise InputError(
            f"No class {(unknown or [first])[0]!r}; there are {', '.join(contributions.outputs)}."
        )
    if first == second:
        raise InputError(f"{first!r} cannot be compared with itself: choose another class.")
    a, b = (contributions.outputs.index(name) for name in (first, second))
    own = contributions.select(sample)
    values = own.values.astype(np.float64)
    return replace(
        own,
        values=(values[:, :, [a]] - values[:, :, [b]]).astype(np.float32),
        baseline=own.baseline[:, [a]].astype(np.float64) - own.baseline[:, [b]],
        outputs=(f"{first} − {second}",),
    )


def two_likeliest(contributions: Contributions, sample: SampleChoice) -> tuple[str, str]:
    """The most probable class of one sample, and the second one."""
    (logits,) = contributions.select(sample).prediction()
    order = np.argsort(-logits, kind="stable")
    return contributions.outputs[order[0]], contributions.outputs[order[1]]
