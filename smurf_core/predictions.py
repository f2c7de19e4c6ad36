"""Predictions of a run's models for new samples: mean and spread over the folds' models."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy  # whose parts load when used, after the first paint

from smurf_core.contributions import Contributions
from smurf_core.data.dataset import MultimodalDataset, NewSamples
from smurf_core.data.problems import Problem, listing
from smurf_core.errors import InputError
from smurf_core.fitted import FittedModel


@dataclass(frozen=True)
class Predictions:
    """Predictions of new samples with their contributions, and what was missing or out of range.

    Parameters
    ----------
    contributions
        Mean over the models, or the contributions of one model.
    spread
        Standard deviation of the contributions over the models, [n, t, c]; NaN for one model.
    prediction_spread
        The same of the predictions, [n, c].
    absent
        Modalities that a sample lacks, [n, m].
    missing
        Modality → features that are missing although the sample has the modality, [n, d].
    outside
        Modality → features outside the range of every model's training samples, [n, d].
    features
        Modality → names of its features.
    persons
        Person of each sample, where known, [n].
    problems
        What was missing in the files.
    marks
        `emg: 35 sd` for each sample that is far from the training data of every model, [n]
        (`new_sample_marks`); None where the training data is not at hand.
    """

    contributions: Contributions
    spread: npt.NDArray[np.float32]
    prediction_spread: npt.NDArray[np.float32]
    absent: npt.NDArray[np.bool_]
    missing: dict[str, npt.NDArray[np.bool_]]
    outside: dict[str, npt.NDArray[np.bool_]]
    features: dict[str, tuple[str, ...]]
    persons: npt.NDArray[np.str_] | None = None
    problems: tuple[Problem, ...] = ()
    marks: npt.NDArray[np.str_] | None = None

    def __len__(self) -> int:
        return len(self.contributions)

    def to_frame(self) -> pd.DataFrame:
        """One row per sample.

        Returns
        -------
        DataFrame
            sample_id, person (if known), prediction and spread (for classes: prediction is the most
            probable class, followed by its probability and, for each class, `logit NAME` and
            `spread NAME`), absent (modalities, separated by commas), missing and outside (counts of
            features), outside_features (their names, at most five), outlying (`marks`, if known).
        """
        found = self.contributions
        prediction = found.prediction()
        table = pd.DataFrame({"sample_id": found.sample_ids})
        if self.persons is not None:
            table["person"] = self.persons
        if found.is_classification:
            names = np.asarray(found.outputs)
            table["prediction"] = names[prediction.argmax(axis=1)]
            table["probability"] = scipy.special.softmax(prediction, axis=1).max(axis=1)
            for c, name in enumerate(found.outputs):
                table[f"logit {name}"] = prediction[:, c]
                table[f"spread {name}"] = self.prediction_spread[:, c]
        else:
            table["prediction"] = prediction[:, 0]
            table["spread"] = self.prediction_spread[:, 0]
        modalities = np.asarray(found.modalities)
        table["absent"] = [", ".join(modalities[row]) for row in self.absent]
        table["missing"] = sum(mask.sum(axis=1) for mask in self.missing.values())
        table["outside"] = sum(mask.sum(axis=1) for mask in self.outside.values())
        table["outside_features"] = [self._outside_names(row) for row in range(len(self))]
        return table if self.marks is None else table.assign(outlying=self.marks)

    def summary(self) -> str:
        """One sentence: how many samples were predicted, and how many with something amiss."""
        lack, outside = (
            np.stack([mask.any(axis=1) for mask in masks.values()]).any(axis=0).sum()
            for masks in (self.missing, self.outside)
        )
        return (
            f"{len(self)} samples predicted; {self.absent.any(axis=1).sum()} lack a modality, "
            f"{lack} lack features, {outside} have features outside the training range."
        )

    def contribution_frame(self) -> pd.DataFrame:
        """`Contributions.to_frame` with a column `spread`."""
        return self.contributions.to_frame().assign(spread=self.spread.reshape(-1))

    def _outside_names(self, row: int, most: int = 5) -> str:
        names = [
            f"{modality}: {self.features[modality][d]}"
            for modality, mask in self.outside.items()
            for d in np.flatnonzero(mask[row])
        ]
        more = f" and {len(names) - most} more" if len(names) > most else ""
        return ", ".join(names[:most]) + more


def predict_new(
    models: tuple[FittedModel, ...], data: MultimodalDataset | NewSamples, *, fold: int | None
) -> Predictions:
    """Explain samples with one model, or with the mean of several (see `RunResult.predict`)."""
    # Training and pages of finished runs need no readers of files.
    from smurf_core.data.importing.new_samples import aligned

    first = models[0]
    needed = {name: first.features[name] for name in first.modalities}
    if isinstance(data, NewSamples):
        persons, known = data.persons, data.problems
    else:
        persons, known = data.persons, ()
    if first.standardisation == "within_person" and persons is None:
        raise InputError(
            "This run standardises within persons: name the person of each new sample in the "
            "same column as in the study."
        )
    features, problems = aligned(data.features, needed)
    if all(np.isnan(values).all() for values in features.values()):
        raise InputError(
            "The files contain none of the features that the run was trained on: give files with "
            "the "
            f"columns that the study was imported from (modalities {', '.join(first.modalities)})."
        )
    if first.standardisation == "within_person" and persons is not None:
        problems += _alone(persons)
    explained = [
        model.contributions(features, persons=persons, sample_ids=data.sample_ids)
        for model in models
    ]
    values = np.stack([each.values for each in explained])
    predictions = np.stack([each.prediction() for each in explained])
    n = len(data.sample_ids)
    several = len(models) > 1
    return Predictions(
        contributions=replace(
            explained[0],
            values=values.mean(axis=0, dtype=np.float64).astype(np.float32),
            baseline=np.stack([each.baseline for each in explained]).mean(axis=0),
            folds=np.full(n, -1 if fold is None else fold, dtype=np.int64),
        ),
        spread=values.std(axis=0, ddof=1) if several else np.full_like(values[0], np.nan),
        prediction_spread=predictions.std(axis=0, ddof=1)
        if several
        else np.full_like(predictions[0], np.nan),
        absent=np.stack([np.isnan(features[m]).all(axis=1) for m in first.modalities], axis=1),
        missing={
            m: np.isnan(features[m]) & ~np.isnan(features[m]).all(axis=1, keepdims=True)
            for m in first.modalities
        },
        outside=_outside(models, features, persons),
        features=needed,
        persons=persons,
        problems=(*known, *(p for p in problems if p not in known)),
    )


def _outside(
    models: tuple[FittedModel, ...],
    features: dict[str, npt.NDArray[np.float32]],
    persons: npt.NDArray[np.str_] | None,
) -> dict[str, npt.NDArray[np.bool_]]:
    """Features whose value is lower or higher than in any model's training samples."""
    found: dict[str, npt.NDArray[np.bool_]] = {}
    for model in models:
        inputs = model.inputs(features, persons=persons, clipped=False)
        for name, values in inputs.items():
            mask = model.scaler.outside(name, values) & ~np.isnan(features[name])
            found[name] = found[name] & mask if name in found else mask
    return found


def _alone(persons: npt.NDArray[np.str_]) -> tuple[Problem, ...]:
    """Warn about persons with only one sample, whose mean is the sample itself."""
    names, counts = np.unique(persons, return_counts=True)
    alone = names[counts < 2]
    if not len(alone):
        return ()
    message = f"{len(alone)} persons have only one sample ({listing(alone)})."
    remedy = "After standardisation within persons all their features are zero: give more samples."
    return (Problem("warning", message, remedy=remedy),)
