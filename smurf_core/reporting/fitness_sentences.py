"""Is a data set fit to be factorised? Reasons against it, before anything is trained."""

from __future__ import annotations

import numpy as np

from smurf_core.data.dataset import MultimodalDataset
from smurf_core.evaluation.gate import FEWEST_SAMPLES
from smurf_core.reporting.numbers import percent, plain
from smurf_core.statistics.correlation_interval import FEWEST_PERSONS

# With fewer samples of a class, a fold may have none of them.
_FEWEST_OF_A_CLASS = 15
_MOSTLY_ABSENT = 0.5


def fitness_sentences(dataset: MultimodalDataset) -> list[str]:
    """One answer, then what limits what a model can say of this data.

    The first sentence follows from the numbers of samples and persons alone: whether a model
    predicts, and so whether there is anything to explain, is known only after training.
    """
    n = len(dataset)
    persons = None if dataset.persons is None else len(np.unique(dataset.persons))
    who = f"{n:,} samples" + (f" of {persons:,} persons" if persons is not None else "")
    enough = n >= FEWEST_SAMPLES and (persons is None or persons >= FEWEST_PERSONS)
    if enough:
        found = [f"There are enough samples to explain predictions, if a model predicts: {who}."]
    else:
        found = [
            f"There are too few samples to explain anything: {who}; at least {FEWEST_SAMPLES} "
            f"samples of {FEWEST_PERSONS} persons are needed."
        ]
    found.append(_chance(dataset))
    if persons is None:
        found.append(
            "No persons are known: folds may share persons, and intervals take samples as "
            "independent. If several samples are of one person, scores are too good."
        )
    return found + _rare_classes(dataset) + _wide(dataset) + _absent(dataset)


def _chance(dataset: MultimodalDataset) -> str:
    if dataset.task == "regression":
        mean, sd = float(dataset.target.mean()), float(dataset.target.std())
        return (
            f"Chance level: r is 0; always saying the mean, {plain(mean, 2)}, has an RMSE of "
            f"{plain(sd, 2)}."
        )
    counts = np.bincount(dataset.target.astype(np.int64), minlength=len(dataset.class_names))
    most = int(counts.argmax())
    return (
        f"Chance level: balanced accuracy {plain(1 / len(counts), 2)}; always saying "
        f"{dataset.class_names[most]} is right in {percent(counts[most] / counts.sum())}."
    )


def _rare_classes(dataset: MultimodalDataset) -> list[str]:
    if dataset.task == "regression":
        return []
    counts = np.bincount(dataset.target.astype(np.int64), minlength=len(dataset.class_names))
    return [
        f"The class {name} has {count} samples, which is too few to say anything about it."
        for name, count in zip(dataset.class_names, counts, strict=True)
        if count < _FEWEST_OF_A_CLASS
    ]


def _wide(dataset: MultimodalDataset) -> list[str]:
    wide = [
        f"{name} ({features.values.shape[1]:,})"
        for name, features in dataset.features.items()
        if features.values.shape[1] > len(dataset)
    ]
    if not wide:
        return []
    return [
        f"More features than samples: {', '.join(wide)}. Such a modality fits any target on "
        "training samples; only held-out scores count."
    ]


def _absent(dataset: MultimodalDataset) -> list[str]:
    shares = 1 - np.asarray(dataset.present, dtype=float).mean(axis=0)
    return [
        f"{name} was not recorded for {percent(share)} of the samples."
        for name, share in zip(dataset.modalities, shares, strict=True)
        if share >= _MOSTLY_ABSENT
    ]
