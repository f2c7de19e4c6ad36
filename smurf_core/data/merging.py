"""Several modalities taken as one, as the paper does with voice and words of UMEME."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from smurf_core.data.dataset import Features, MultimodalDataset
from smurf_core.errors import InputError


def merge_modalities(
    dataset: MultimodalDataset, merged: Mapping[str, tuple[str, ...]]
) -> MultimodalDataset:
    """The data set with new modalities in place of those that they gather.

    `merged` maps a new name to the modalities whose features it puts side by side; it stands
    where the first of them stood. A sample has the new modality where it has any of them, and what
    is then missing is filled with the column's median. Judgments of raters who saw some of them
    only are left out, and so is informativeness: neither is about the new modality.
    """
    gathered = [name for names in merged.values() for name in names]
    unknown = [name for name in gathered if name not in dataset.features]
    if unknown or len(set(gathered)) != len(gathered):
        names = ", ".join(dataset.modalities)
        raise InputError(f"Merge each of {names} at most once, got {', '.join(gathered)}.")
    new_name = {old: new for new, names in merged.items() for old in names}
    features = {
        new: dataset.features[new] if new not in merged else _side_by_side(dataset, merged[new])
        for new in dict.fromkeys(new_name.get(old, old) for old in dataset.modalities)
    }
    judgments = {
        frozenset(new_name.get(name, name) for name in shown): ratings
        for shown, ratings in dataset.judgments.items()
        if all(set(names) <= shown or not shown & set(names) for names in merged.values())
    }
    told = [f"Modalities {', '.join(names)} were merged to {new}." for new, names in merged.items()]
    left_out = len(dataset.judgments) - len(judgments)
    if left_out:
        told.append(f"{left_out} judgments of raters who saw a part of these were left out.")
    return replace(
        dataset,
        features=features,
        judgments=judgments,
        informativeness={
            name: codes for name, codes in dataset.informativeness.items() if name not in gathered
        },
        notes=(*dataset.notes, *told),
    )


def _side_by_side(dataset: MultimodalDataset, names: tuple[str, ...]) -> Features:
    parts = [dataset.features[name] for name in names]
    values = np.concatenate([part.values for part in parts], axis=1)
    present = np.any([part.present for part in parts], axis=0)
    gaps = np.isnan(values) & present[:, None]
    for column in np.flatnonzero(gaps.any(axis=0)):
        values[gaps[:, column], column] = np.nanmedian(values[:, column])
    return Features(values, tuple(name for part in parts for name in part.names))
