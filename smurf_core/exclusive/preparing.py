"""One fold of a run, ready to be solved: scaled inputs, the target, and what outputs read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from smurf_core.configuration import RunConfig
from smurf_core.data.dataset import Folds, MultimodalDataset
from smurf_core.exclusive.fold import FoldProblem
from smurf_core.exclusive.sources import MOST_COMPONENTS, rotated
from smurf_core.fitted import FittedModel, Tower
from smurf_core.scaling import Inputs, Scaler, fit_scaler, standardised_target

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PreparedFold:
    """One fold ready to be solved; `hidden` give what outputs read beside the features, if any."""

    index: int
    scaler: Scaler
    problem: FoldProblem
    hidden: Mapping[str, Tower] | None
    scales: Mapping[str, Array]  # modality → [d]: what a unit was divided by


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
    inputs = Inputs(dataset, scaler, config.standardisation)
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

    most = min(config.components or MOST_COMPONENTS, MOST_COMPONENTS)
    problem = FoldProblem(
        source=rotated(units(), present, training, most=most),
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
