"""Says which folds training will use, and who decided them."""

from __future__ import annotations

import numpy as np

from smurf_core.data.dataset import MultimodalDataset
from smurf_core.data.importing.mapping import StudyMapping

_MADE = 5  # folds that training makes for data without folds


def fold_sentence(dataset: MultimodalDataset, mapping: StudyMapping) -> str:
    """The folds that training will use: the data's own, or person-independent ones it makes."""
    if dataset.folds is None:
        if dataset.persons is None:
            return f"{_MADE} folds will be made of single samples, because no person is known"
        count = len(np.unique(dataset.persons))
        source = f" of {mapping.person!r}" if mapping.person else ""
        return f"{_MADE} folds will be made of whole persons: the {count}{source}"
    if len(dataset.folds) > 1:
        source = f" in {mapping.fold!r}" if mapping.fold else ""
        return f"{len(dataset.folds)} folds of the data{source}"
    sizes = {
        "training": dataset.folds.training[0],
        "validation": dataset.folds.validation[0],
        "test": dataset.folds.test[0],
    }
    counts = ", ".join(f"{int(own.sum())} {role}" for role, own in sizes.items())
    source = f" in {mapping.split!r}" if mapping.split else ""
    return f"the official split of the data{source}: {counts} samples"
