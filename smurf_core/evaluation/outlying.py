"""How far explained samples lie from the data that the model which explains them was trained on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.data.dataset import MultimodalDataset
from smurf_core.explained import Explained
from smurf_core.fold_label import fold_label
from smurf_core.results import RunResult
from smurf_core.scaling import Norm, Scaler, fit_scaler, person_norms, within_person

# Standard deviations beyond which a sample is marked where a run clips nothing.
FAR = 10.0


def outlying_samples(result: RunResult, explained: Explained) -> pd.DataFrame:
    """How far each explained sample lies from the training data of its fold's model.

    A sample's distance is that of its most distant feature: the largest |x − mean| / sd, with the
    mean and standard deviation of the training samples of the fold that tested it (of the person's
    own samples, for runs that standardise within persons). It is measured before clipping.

    Parameters
    ----------
    result
        A run. One that does not standardise features is measured by the same means and sds.
    explained
        Samples that the run explains out of fold, of its own data set.

    Returns
    -------
    DataFrame
        One row per sample, in the order of `explained`: sample_id, fold (from 1), modality and
        feature (the most distant one), distance (of it, in standard deviations, with its sign),
        outside (how many features lie outside the range of the training samples), bound (of the
        model: where features are clipped, or 10 standard deviations), is_far (True if the distance
        is beyond the bound), mark (for tables: `emg: 35 sd` if it is, empty if not).

    Examples
    --------
    >>> import smurf_core as smurf
    >>> data = smurf.datasets.synthetic_additive(samples=80)
    >>> run = smurf.train(data, max_epochs=2, restarts=1)
    >>> found = outlying_samples(run, smurf.evaluate.explained(run, data))
    >>> len(found), bool(found["is_far"].any())
    (80, False)
    """
    dataset, folds = explained.dataset, explained.contributions.folds
    features = {name: dataset.features[name].values for name in result.modalities}
    parts = []
    for fold in np.unique(folds):
        rows = np.flatnonzero(folds == fold)
        at = explained.positions[rows]
        table = distances(
            result,
            dataset,
            int(fold),
            {name: values[at] for name, values in features.items()},
            persons=None if dataset.persons is None else dataset.persons[at],
        )
        table.insert(0, "sample_id", explained.sample_ids[rows])
        parts.append(table.set_axis(rows))
    return pd.concat(parts).sort_index()


def distances(
    result: RunResult,
    dataset: MultimodalDataset,
    fold: int,
    features: Mapping[str, npt.NDArray[np.floating]],
    *,
    persons: npt.NDArray[np.str_] | None = None,
    norms: Mapping[tuple[str, str], Norm] | None = None,
) -> pd.DataFrame:
    """How far any samples lie from the training data of one fold.

    Parameters
    ----------
    result, dataset
        A run and its data.
    fold
        The fold whose training samples are the measure, from 0.
    features
        Modality → [n, d] in the recorded unit; NaN where a sample lacks a modality.
    persons
        Person of each sample, [n]; needed where features are standardised within persons.
    norms
        (person, modality) → mean and standard deviation, where they should not come from all of
        the data set's samples of a person.

    Returns
    -------
    DataFrame
        One row per sample, with the columns of `outlying_samples` from fold on. Of a sample
        without any features: no modality, no feature, distance 0.
    """
    model = result.fold_results[fold].model
    scaler = _scaler(result, dataset, fold)
    if model.standardisation == "within_person" and norms is None and dataset.persons is not None:
        norms = person_norms(
            {name: dataset.features[name].values for name in result.modalities}, dataset.persons
        )
    n = len(next(iter(features.values())))
    largest = np.zeros(n)
    modality, feature = np.full(n, "", dtype=object), np.full(n, "", dtype=object)
    outside = np.zeros(n, dtype=np.int64)
    for name in result.modalities:
        values = np.asarray(features[name], dtype=np.float32)
        if model.standardisation == "within_person" and persons is not None and norms is not None:
            values = within_person(values, persons, name, norms)
        away = scaler.standardised(name, values)
        outside += scaler.outside(name, away).sum(axis=1)
        away = np.where(np.isnan(away), 0, away)
        d = np.abs(away).argmax(axis=1)
        mine = away[np.arange(n), d]
        is_larger = np.abs(mine) > np.abs(largest)
        largest[is_larger] = mine[is_larger]
        modality[is_larger] = name
        feature[is_larger] = np.asarray(dataset.features[name].names, dtype=object)[d[is_larger]]
    bound = FAR if model.scaler.clip is None else model.scaler.clip
    is_far = np.abs(largest) > bound
    marks = np.full(n, "", dtype=object)
    for i in np.flatnonzero(is_far):
        marks[i] = f"{modality[i]}: {abs(largest[i]):.0f} sd"
    return pd.DataFrame(
        {
            "fold": fold_label(fold),
            "modality": modality,
            "feature": feature,
            "distance": largest,
            "outside": outside,
            "bound": bound,
            "is_far": is_far,
            "mark": marks,
        }
    )


def new_sample_marks(
    result: RunResult,
    dataset: MultimodalDataset,
    features: Mapping[str, npt.NDArray[np.floating]],
    *,
    persons: npt.NDArray[np.str_] | None = None,
    fold: int | None = None,
) -> npt.NDArray[np.str_]:
    """The marks of samples that no fold knows and that are far from the training data.

    Parameters
    ----------
    result, dataset
        A run and the data that it was trained on.
    features
        Modality → [n, d] of the new samples, in the run's order; NaN where something is missing.
    persons
        Person of each new sample, [n]; needed where features are standardised within persons, by
        the new samples' own means and standard deviations.
    fold
        Only this fold's training data is meant, from 0. Otherwise a sample is marked if it is far
        from that of every fold.

    Returns
    -------
    array [n]
        The mark of the fold that is nearest, as in `outlying_samples`; empty if that is not far.
    """
    folds = range(len(result.fold_results)) if fold is None else (fold,)
    within = result.fold_results[0].model.standardisation == "within_person"
    norms = person_norms(features, persons) if within and persons is not None else None
    tables = [
        distances(result, dataset, each, features, persons=persons, norms=norms) for each in folds
    ]
    nearest = np.stack([table["distance"].abs() for table in tables]).argmin(axis=0)
    marks = np.stack([table["mark"].to_numpy().astype(np.str_) for table in tables])
    return np.asarray(marks[nearest, np.arange(marks.shape[1])])


def _scaler(result: RunResult, dataset: MultimodalDataset, fold: int) -> Scaler:
    """The fold's own; where it takes nothing off, one that measures in standard deviations."""
    model = result.fold_results[fold].model
    if model.standardisation != "none":
        return model.scaler
    training = result.folds.training[fold]
    return fit_scaler(dataset, training, "training_fold", target_too=False)
