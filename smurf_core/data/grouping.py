"""Columns that split samples into a few groups."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.data.dataset import MultimodalDataset

MOST_LEVELS = 12  # maximum number of groups that are shown side by side
PERSON, TRUE_CLASS = "Person", "True class"


def groupings(dataset: MultimodalDataset) -> dict[str, npt.NDArray[np.str_]]:
    """Name → label of each sample [n] (empty if it has none), for columns with 2 to 12 levels.

    The true class and the person come first, then the sample table's columns in their order.
    """
    found: dict[str, npt.NDArray[np.str_]] = {}
    if dataset.task == "classification":
        found[TRUE_CLASS] = np.asarray(dataset.class_names, dtype=str)[dataset.target.astype(int)]
    if dataset.persons is not None:
        found[PERSON] = dataset.persons.astype(str)
    for column in dataset.samples.columns:
        values = dataset.samples[column]
        if pd.api.types.is_float_dtype(values) and not (values.dropna() % 1 == 0).all():
            continue  # Measured, not counted.
        known = values.notna()
        if pd.api.types.is_float_dtype(values):
            values = values.astype("Int64")
        labels = np.full(len(dataset), "", dtype=object)
        labels[known.to_numpy()] = values[known].astype(str).to_numpy()
        found.setdefault(str(column), labels.astype(str))
    return {
        name: labels
        for name, labels in found.items()
        if 2 <= len(np.unique(labels[labels != ""])) <= MOST_LEVELS
    }
