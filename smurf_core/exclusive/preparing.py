"""One fold of a run, ready to be solved: scaled inputs, the target, and what outputs read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from smurf_core.configuration import RunConfig
from smurf_core.data.dataset import Folds, MultimodalDataset
from smurf_core.exclusive.fold import FoldProblem
from smurf_core.exclusive.sources import rotated
from smurf_core.fitted import FittedModel, Tower
from smurf_core.principal_components import mean_of, principal_components
from smurf_core.scaling import Inputs, Scaler, fit_scaler, standardised_target

Array = npt.NDArray[np.float64]
FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class PreparedFold:
    """One fold ready to be solved; `hidden` give what outputs read beside the features, if any."""

    index: int
    scaler: Scaler
    problem: FoldProblem
    hidden: Mapping[str, Tower] | None
    scales: Mapping[str, Array]  # modality → [d]: what a unit was divided by


@dataclass(frozen=True)
class _Leading(Mapping[str, FloatArray]):
    """Inputs, of wide modalities only what their leading principal components carry of them."""

    inputs: Inputs
    training: npt.NDArray[np.bool_]
    count: int

    def __getitem__(self, name: str) -> FloatArray:
        values, there = self.inputs[name], self.inputs.dataset.features[name].present
        if values.shape[1] <= self.count:
            return values
        rows = np.flatnonzero(self.training & there)
        mean = mean_of(values, rows)
        _, vectors = principal_components(values, mean, rows)
        kept = vectors[:, : self.count]
        carried = (values - mean) @ kept @ kept.T + mean
        carried[~there] = 0
        return carried.astype(np.float32)

    def __iter__(self) -> Iterator[str]:
        return iter(self.inputs)

    def __len__(self) -> int:
        return len(self.inputs)


def fold_inputs(
    dataset: MultimodalDataset,
    scaler: Scaler,
    config: RunConfig,
    training: npt.NDArray[np.bool_],
) -> Mapping[str, FloatArray]:
    """What a fold is solved on: standardised features, or what their components carry of them.

    Weights that are found lie in the components, so they take the features themselves later.
    """
    inputs = Inputs(dataset, scaler, config.standardisation)
    return inputs if config.components is None else _Leading(inputs, training, config.components)


def prepare(
    dataset: MultimodalDataset,
    config: RunConfig,
    folds: Folds,
    index: int,
    towers: FittedModel | None,
) -> PreparedFold:
    """A fold's inputs, rotated to its training samples, and its scaled target."""
    training = folds.training[index]
    scaler = fit_scaler(
        dataset,
        training,
        config.standardisation,
        target_too=config.standardises_target,
        clip=config.clip,
    )
    inputs = fold_inputs(dataset, scaler, config, training)
    present = dataset.present
    given: Array | None = None
    if config.kind.explains_outputs:
        given = dataset.output_values()
        # The unit is the given predictions' spread, for classes also: λ is relative to it.
        spread = float(given.sum(axis=1)[training].std(axis=0).max()) or 1.0
        scaler = replace(scaler, target_mean=0.0, target_sd=spread)
        given = given / spread
    scales: dict[str, Array] = {}

    def units() -> Iterator[tuple[str, npt.NDArray[np.floating]]]:
        """One modality at a time, so that a large study is not in memory twice."""
        for i, (name, values) in enumerate(inputs.items()):
            scale = np.ones(values.shape[1])
            read: npt.NDArray[np.floating] = values
            if towers is not None:
                hidden = towers.last_hidden((name,), {name: values}).astype(np.float64)
                seen = hidden[training & present[:, i]]
                sd = seen.std(axis=0) if len(seen) else np.zeros(hidden.shape[1])
                sd = np.where(sd > 1e-6, sd, np.inf)  # A unit that never fires says nothing.
                read, scale = np.concatenate([hidden / sd, read], axis=1), np.append(sd, scale)
            if given is not None:
                # Of many features, outputs are among the leading components: they are followed.
                scale = _with_leading_outputs(dataset, name, scale)
                read = read / scale
            scales[name] = scale
            yield name, read

    problem = FoldProblem(
        source=rotated(units(), present, training),
        target=_target(dataset, scaler) if given is None else given.sum(axis=1),
        training=training,
        validation=folds.validation[index],
        is_classes=dataset.task == "classification" and given is None,
        given=given,
    )
    before = None
    if towers is not None:
        before = {name: towers.towers[(name,)][:-1] for name in dataset.modalities}
    return PreparedFold(index, scaler, problem, before, scales)


def _target(dataset: MultimodalDataset, scaler: Scaler) -> Array:
    """The scaled target, or 1 for a sample's class, [n, c]."""
    target = standardised_target(dataset, scaler)
    if dataset.task == "classification":
        return np.asarray(np.eye(len(dataset.outputs))[target])
    return np.asarray(target, dtype=np.float64)[:, None]


def _with_leading_outputs(dataset: MultimodalDataset, name: str, scale: Array) -> Array:
    """What features are divided by, less for a modality's given outputs."""
    names = dataset.features[name].names
    is_output = np.isin(names, dataset.given_outputs[name])
    return np.where(is_output, scale / np.sqrt(len(names)), scale)
