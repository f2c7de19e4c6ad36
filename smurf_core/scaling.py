"""Features and target on one scale, learned without the test fold. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from smurf_core.configuration import Standardisation
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.precision import compact

FloatArray = npt.NDArray[np.float32]
# Mean and standard deviation of a person's own samples, [d] each.
Norm = tuple[FloatArray, FloatArray]
_COLUMNS_AT_ONCE = 64


@dataclass(frozen=True)
class Scaler:
    """Means and standard deviations that a fold's model was trained with.

    A feature is standardised as (x − mean) / sd. Where features are standardised within persons,
    mean and sd of a person's own samples were taken off before, and these are 0 and 1. What comes
    out, beyond ± `clip` set to that bound, is called an input. The inputs' means over the training
    samples are what the model has seen on average. Their lowest and highest values are those before
    clipping: they say which samples lie outside of what was recorded for training.
    """

    feature_means: Mapping[str, FloatArray]  # modality → [d]
    feature_sds: Mapping[str, FloatArray]  # modality → [d]
    input_means: Mapping[str, FloatArray]  # modality → [d]
    input_lows: Mapping[str, FloatArray]  # modality → [d]: lowest input of the training samples
    input_highs: Mapping[str, FloatArray]  # modality → [d]
    target_mean: float = 0.0  # of regression
    target_sd: float = 1.0
    clip: float | None = None  # standard deviations

    def standardised(self, modality: str, values: npt.NDArray[np.floating]) -> FloatArray:
        """Features [n, d] of a modality in standard deviations, not clipped; NaN stays NaN."""
        scaled = values - self.feature_means[modality]
        scaled /= self.feature_sds[modality]
        return np.asarray(scaled, dtype=np.float32)

    def scaled(self, modality: str, values: npt.NDArray[np.floating]) -> FloatArray:
        """Features [n, d] of a modality as inputs, clipped; NaN stays NaN."""
        return self._clipped(self.standardised(modality, values))

    def _clipped(self, values: FloatArray) -> FloatArray:
        return values if self.clip is None else np.clip(values, -self.clip, self.clip, out=values)

    def outside(
        self, modality: str, standardised: npt.NDArray[np.floating]
    ) -> npt.NDArray[np.bool_]:
        """Values [n, d] beyond the training samples' range, by more than rounding; gaps are not."""
        low, high = self.input_lows[modality], self.input_highs[modality]
        margin = 1e-5 * (high - low)
        return np.asarray((standardised < low - margin) | (standardised > high + margin))

    def arrays(self, modalities: tuple[str, ...]) -> dict[str, FloatArray]:
        """Every array by its name and the modality's position, as `from_arrays` reads it."""
        return {
            f"{what}/{i}": np.asarray(getattr(self, what)[name])
            for what in _ARRAYS
            for i, name in enumerate(modalities)
        }

    @classmethod
    def from_arrays(
        cls,
        arrays: Mapping[str, npt.NDArray[Any]],
        modalities: tuple[str, ...],
        target_mean: float,
        target_sd: float,
        clip: float | None = None,
    ) -> Scaler:
        """The scaler that `arrays` was called on."""
        found = {
            what: {name: arrays[f"{what}/{i}"] for i, name in enumerate(modalities)}
            for what in _ARRAYS
        }
        return cls(**found, target_mean=target_mean, target_sd=target_sd, clip=clip)


_ARRAYS = ("feature_means", "feature_sds", "input_means", "input_lows", "input_highs")


def fit_scaler(
    dataset: MultimodalDataset,
    training: npt.NDArray[np.bool_],
    how: Standardisation,
    *,
    target_too: bool = True,
    clip: float | None = None,
) -> Scaler:
    """Means and standard deviations of a training fold's features and target.

    `training_fold` standardises features on the training samples, as published (section 4.5).
    `within_person` takes each person's own mean and standard deviation off that person's features
    instead, which uses the unlabelled features of test persons but none of their labels. `none`
    leaves features as they are. A feature without spread keeps a standard deviation of 1. A
    regression target is standardised on the training samples unless `target_too` is false
    (`RunConfig.standardises_target`); its mean is taken off in any case where float32 would be too
    coarse for it. Inputs are clipped at ± `clip`, after a person's own mean
    and standard deviation were taken off; with `none` there is no unit to clip in, and they never
    are.

    Raises
    ------
    InputError
        If the training samples' target does not vary, or persons are needed and not known.
    """
    bound = None if how == "none" else clip
    means, sds = {}, {}
    input_means, lows, highs = {}, {}, {}
    for name, features in dataset.features.items():
        width = features.values.shape[1]
        seen = _own_scale(dataset, name, how)[training & features.present]  # a copy
        if how == "training_fold":
            means[name], sds[name] = mean_and_sd(seen)
        else:
            means[name] = np.zeros(width, dtype=np.float32)
            sds[name] = np.ones(width, dtype=np.float32)
        seen -= means[name]
        seen /= sds[name]
        # Of a modality that no training sample has, nothing is known.
        lows[name], highs[name] = (
            (seen.min(axis=0), seen.max(axis=0))
            if len(seen)
            else (np.full(width, np.nan, dtype=np.float32),) * 2
        )
        inputs = seen if bound is None else np.clip(seen, -bound, bound, out=seen)
        input_means[name] = inputs.mean(axis=0) if len(seen) else np.zeros(width, dtype=np.float32)
    target_mean, target_sd = 0.0, 1.0
    if dataset.task == "regression" and target_too:
        target = dataset.target[training].astype(np.float64)
        target_mean, target_sd = float(target.mean()), float(target.std())
        if target_sd == 0:
            raise InputError(
                f"The target {dataset.target_name!r} is the same for all training samples of a "
                "fold: there is nothing to predict. Use other folds or another target."
            )
    elif dataset.task == "regression" and compact(dataset.target).dtype == np.float64:
        target_mean = float(dataset.target[training].mean())  # Networks compute in float32.
    return Scaler(means, sds, input_means, lows, highs, target_mean, target_sd, bound)


def standardise(
    dataset: MultimodalDataset, scaler: Scaler, how: Standardisation
) -> dict[str, FloatArray]:
    """Every modality's features, [n, d], as the networks see them; zero where it is absent."""
    return dict(Inputs(dataset, scaler, how))


@dataclass(frozen=True)
class Inputs(Mapping[str, FloatArray]):
    """What `standardise` gives, made anew whenever a modality is asked for.

    Of a large study, one modality at a time is in memory beside the features.
    """

    dataset: MultimodalDataset
    scaler: Scaler
    how: Standardisation

    def __getitem__(self, name: str) -> FloatArray:
        scaled = self.scaler.scaled(name, _own_scale(self.dataset, name, self.how))
        scaled[~self.dataset.features[name].present] = 0
        return scaled

    def __iter__(self) -> Iterator[str]:
        return iter(self.dataset.features)

    def __len__(self) -> int:
        return len(self.dataset.features)


def standardised_target(dataset: MultimodalDataset, scaler: Scaler) -> npt.NDArray[np.generic]:
    """The target as the task loss sees it: standardised floats, or class codes."""
    if dataset.task == "classification":
        return dataset.target
    return ((dataset.target - scaler.target_mean) / scaler.target_sd).astype(np.float32)


def mean_and_sd(values: FloatArray) -> Norm:
    """Mean and standard deviation of every feature; 1 for one without spread."""
    if len(values) == 0:
        width = values.shape[1]
        return np.zeros(width, dtype=np.float32), np.ones(width, dtype=np.float32)
    mean, sd = np.empty(values.shape[1]), np.empty(values.shape[1])
    for start in range(0, values.shape[1], _COLUMNS_AT_ONCE):  # The deviations are float64.
        some = slice(start, start + _COLUMNS_AT_ONCE)
        mean[some] = values[:, some].mean(axis=0, dtype=np.float64)
        sd[some] = values[:, some].std(axis=0, dtype=np.float64)
    # Rounding leaves a constant feature a spread far below its own size.
    sd[sd <= 1e-6 * np.abs(mean)] = 1
    sd[sd == 0] = 1
    return mean.astype(np.float32), sd.astype(np.float32)


def person_norms(
    features: Mapping[str, npt.NDArray[np.floating]], persons: npt.NDArray[np.str_]
) -> dict[tuple[str, str], Norm]:
    """Mean and standard deviation of each person's own samples, by person and modality.

    Samples that lack a modality do not count for it; gaps (NaN) in a feature do not count either.
    """
    found = {}
    for name, given in features.items():
        values = np.asarray(given, dtype=np.float32)
        is_there = ~np.isnan(values).all(axis=1)
        for person in np.unique(persons):
            found[str(person), name] = _known_mean_and_sd(values[(persons == person) & is_there])
    return found


def _known_mean_and_sd(values: FloatArray) -> Norm:
    if not np.isnan(values).any():
        return mean_and_sd(values)
    columns = [mean_and_sd(column[~np.isnan(column)][:, None]) for column in values.T]
    return tuple(np.concatenate(part) for part in zip(*columns, strict=True))  # type: ignore[return-value]


def within_person(
    values: FloatArray,
    persons: npt.NDArray[np.str_],
    modality: str,
    norms: Mapping[tuple[str, str], Norm],
) -> FloatArray:
    """Features [n, d] of a modality less each person's own mean, over that person's own sd."""
    result = values.copy()
    for person in np.unique(persons):
        if (str(person), modality) not in norms:
            raise InputError(f"The mean of {modality!r} over the samples of {person!r} is needed.")
        rows = persons == person
        mean, sd = norms[str(person), modality]
        result[rows] = (values[rows] - mean) / sd
    return result


def _own_scale(dataset: MultimodalDataset, name: str, how: Standardisation) -> FloatArray:
    """A modality's features before those of a fold are standardised."""
    values = dataset.features[name].values
    if how != "within_person":
        return values
    if dataset.persons is None:
        raise InputError(
            "Standardising within persons needs to know the person of each sample: name the "
            "column that holds it, or standardise on the training fold."
        )
    return within_person(
        values, dataset.persons, name, person_norms({name: values}, dataset.persons)
    )
