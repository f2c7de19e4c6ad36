"""The sign-flipped basins of SMURF's objective, shown on synthetic data.

A redundant pair may settle with both signs reversed while the unique contributions make up for it.
Such a model predicts as well as the right one, so no score shows it; the objective does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch

from smurf_core.configuration import Configuration
from smurf_core.contributions import Contributions
from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.evaluation.verification import mean_recovery
from smurf_core.explained import explained
from smurf_core.model_kinds import ModelKind
from smurf_core.models.architecture import Architecture
from smurf_core.models.towers import Buffers, forward
from smurf_core.statistics.correlation import pearson_r
from smurf_core.terms import pairwise_terms
from smurf_core.training.objective import Partition
from smurf_core.training.stack import Member, train_stack

RIGHT = 0.9  # mean recovery from which a start is said to have found the right basin


@dataclass(frozen=True)
class Start:
    """Where one start ended."""

    output_scale: float
    seed: int
    prediction_r: float  # with what the visible modalities know of the target
    objective: float
    recovery: float

    @property
    def is_right(self) -> bool:
        """True if it is the right basin."""
        return self.recovery >= RIGHT


def find_basins(
    *,
    modalities: int = 3,
    starts: int = 20,
    samples: int = 1_000,
    output_scales: tuple[float, ...] = (1.0, 0.01),
    auxiliary_weight: float = 0.5,
    epochs: int = 1_000,
    model: ModelKind = "smurf",
    at_once: int | None = None,
) -> Iterator[Start]:
    """Train the same configuration from many starts, with each scale of initial output weights.

    `at_once` starts train together (all of a scale, where it is not given) and are reported as soon
    as they are done, the scales taking turns. Numbers do not depend on it.

    One linear layer a modality, learning rate 0.005, on all samples of one synthetic data set.
    Two modalities are the paper's bimodal setting (A and B of three).
    """
    visible = ("A", "B") if modalities == 2 else None
    data = synthetic_additive(
        samples=samples, modalities=max(modalities, 3), visible=visible, folds="same"
    )
    inputs = [torch.tensor(f.values.T.copy()) for f in data.features.values()]
    target = torch.tensor(np.asarray(data.target, dtype=np.float32))
    architecture = Architecture.of(model, tuple(len(x) for x in inputs), (), 1)
    everything = Partition(architecture.tower_inputs(inputs), target)
    held = {name for features in data.features.values() for name in features.names}
    known = np.sum([values for name, values in data.factors.items() if name in held], axis=0)
    members = [
        Member(Configuration(5e-3, (), 0.0, auxiliary_weight), seed) for seed in range(starts)
    ]
    size = at_once or starts
    for first, scale in product(range(0, starts, size), output_scales):
        together = members[first : first + size]
        outcome = train_stack(
            model, architecture, together, training=everything, validation=everything,
            max_epochs=epochs, patience=None, batch_size=256, batch_seed=0, output_scale=scale,
        )  # fmt: skip
        found = forward(outcome.weights, everything.inputs, Buffers(everything.target.device))
        values = found.values[0].transpose(0, 1).numpy()
        for k, member in enumerate(together):
            contributions = _contributions(values[k], data.modalities, data.sample_ids)
            yield Start(
                output_scale=scale,
                seed=member.seed,
                prediction_r=pearson_r(known, contributions.prediction()[:, 0]),
                objective=float(outcome.best_objective[k]),
                recovery=mean_recovery(explained(contributions, data)),
            )


def _contributions(
    values: np.ndarray, modalities: tuple[str, ...], sample_ids: np.ndarray
) -> Contributions:
    """From one member's outputs [m, m, 1, n], centred."""
    by_sample = values.transpose(3, 0, 1, 2).reshape(values.shape[3], -1, 1)
    offset = by_sample.mean(axis=0, keepdims=True)
    n = len(by_sample)
    return Contributions(
        values=by_sample - offset,
        terms=pairwise_terms(modalities),
        baseline=np.broadcast_to(offset.sum(axis=1), (n, 1)),
        modalities=modalities,
        outputs=("y",),
        sample_ids=sample_ids,
        folds=np.zeros(n, dtype=np.int64),
    )
