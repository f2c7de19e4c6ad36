"""Features on one scale, learned without the test fold. Imports no torch."""

import numpy as np
import numpy.typing as npt

from smurf_core.configuration import Standardisation
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.results import Scaler

FloatArray = npt.NDArray[np.float32]


def fit_scaler(
    dataset: MultimodalDataset,
    training: npt.NDArray[np.bool_],
    how: Standardisation,
    *,
    target_too: bool = True,
) -> Scaler:
    """Means and standard deviations of a training fold's features and target.

    `training_fold` standardises features on the training samples, as published (section 4.5).
    `within_person` takes each person's own mean and standard deviation off that person's features
    instead, which uses the unlabelled features of test persons but none of their labels. `none`
    leaves features as they are. A feature without spread keeps a standard deviation of 1. A
    regression target is standardised on the training samples unless `target_too` is false
    (`RunConfig.standardises_target`).
    """
    if how == "within_person" and dataset.groups is None:
        raise InputError(
            "Standardising within person needs to know the person of each sample: name the column "
            "that holds it, or standardise on the training fold."
        )
    means, sds = {}, {}
    for name, features in dataset.features.items():
        width = features.values.shape[1]
        if how == "training_fold":
            means[name], sds[name] = mean_and_sd(features.values[training & features.present])
        else:
            means[name] = np.zeros(width, dtype=np.float32)
            sds[name] = np.ones(width, dtype=np.float32)
    if dataset.task == "regression" and target_too:
        target = dataset.target[training].astype(np.float64)
        sd = float(target.std())
        if sd == 0:
            raise InputError(
                f"The target {dataset.target_name!r} is the same for all training samples of a "
                "fold: there is nothing to predict. Use other folds or another target."
            )
        return Scaler(means, sds, float(target.mean()), sd)
    return Scaler(means, sds)


def standardise(
    dataset: MultimodalDataset, scaler: Scaler, how: Standardisation
) -> dict[str, FloatArray]:
    """Every modality's features, [n, d], as the towers see them; zero where it is absent."""
    result = {}
    for name, features in dataset.features.items():
        values = features.values
        if how == "within_person":
            values = _within_person(values, dataset.groups, features.present)
        scaled = (values - scaler.feature_means[name]) / scaler.feature_sds[name]
        result[name] = np.where(features.present[:, None], scaled, np.float32(0))
    return result


def standardised_target(dataset: MultimodalDataset, scaler: Scaler) -> npt.NDArray[np.generic]:
    """The target as the task loss sees it: standardised floats, or class codes."""
    if dataset.task == "classification":
        return dataset.target
    return ((dataset.target - scaler.target_mean) / scaler.target_sd).astype(np.float32)


def mean_and_sd(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation of every feature; 1 for one without spread."""
    if len(values) == 0:
        width = values.shape[1]
        return np.zeros(width, dtype=np.float32), np.ones(width, dtype=np.float32)
    mean, sd = values.mean(axis=0, dtype=np.float64), values.std(axis=0, dtype=np.float64)
    # Rounding leaves a constant feature a spread far below its own size.
    sd[sd <= 1e-6 * np.abs(mean)] = 1
    sd[sd == 0] = 1
    return mean.astype(np.float32), sd.astype(np.float32)


def _within_person(
    values: FloatArray, groups: npt.NDArray[np.str_] | None, present: npt.NDArray[np.bool_]
) -> FloatArray:
    if groups is None:
        raise InputError("Standardising within person needs to know the person of each sample.")
    result = values.copy()
    for person in np.unique(groups):
        rows = (groups == person) & present
        mean, sd = mean_and_sd(values[rows])
        result[rows] = (values[rows] - mean) / sd
    return result
