"""Outputs of a late-fusion model that was trained elsewhere, beside each modality's features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from smurf_core.data.dataset import Features
from smurf_core.data.problems import listing
from smurf_core.errors import InputError


@dataclass(frozen=True)
class WithOutputs:
    """Features with the outputs among them, and which these are."""

    features: dict[str, Features]
    names: dict[str, tuple[str, ...]]  # modality → names of its outputs, in the classes' order


def joined_outputs(
    features: Mapping[str, Features],
    outputs: Mapping[str, pd.DataFrame],
    *,
    classes: Sequence[str],
    where: str,
) -> WithOutputs:
    """Add each modality's outputs to its features.

    Parameters
    ----------
    features
        Modality → its features.
    outputs
        Modality → its outputs [n, columns]; empty where no model was given.
    classes
        The classes' names, in their order; none for regression.
    where
        The file that is named in errors.

    Raises
    ------
    InputError
        If a modality has no outputs or another number of them than there are classes, or one is
        missing for a sample that has the modality.
    """
    if not outputs:
        return WithOutputs(dict(features), {})
    unknown = [name for name in outputs if name not in features]
    missing = [name for name in features if name not in outputs]
    if unknown or missing:
        wrong = f"{listing(unknown)} is no modality" if unknown else f"{listing(missing)} has none"
        raise InputError(
            f"{where}: outputs of a given model are needed for each modality "
            f"({listing(features)}), and {wrong}."
        )
    found: dict[str, Features] = {}
    names: dict[str, tuple[str, ...]] = {}
    for modality, own in features.items():
        table = _in_order(outputs[modality], modality, classes, where)
        gaps = own.present & table.isna().any(axis=1).to_numpy()
        if gaps.any():
            column = str(table.columns[table[gaps].isna().any()][0])
            raise InputError(
                f"{where}, column {column!r}: the output of {modality!r} is missing for "
                f"{int(gaps.sum())} samples that have the modality (first: sample "
                f"{int(np.flatnonzero(gaps)[0]) + 1}); fill it in, or leave these samples out."
            )
        values = np.where(own.present[:, None], table.to_numpy(np.float32), np.float32(np.nan))
        names[modality] = tuple(f"output {column}" for column in table.columns)
        joined = np.concatenate([own.values, values.astype(np.float32)], axis=1)
        found[modality] = Features(joined, (*own.names, *names[modality]))
    return WithOutputs(found, names)


def _in_order(
    table: pd.DataFrame, modality: str, classes: Sequence[str], where: str
) -> pd.DataFrame:
    """One column for regression; for classes, one each, in their order.

    Columns that end with the names of the classes are matched by these, others by position.
    """
    columns = [str(column) for column in table.columns]
    count = len(classes) or 1
    if len(columns) != count:
        what = f"one per class ({listing(classes)})" if classes else "one for regression"
        raise InputError(
            f"{where}: modality {modality!r} has {len(columns)} outputs ({listing(columns)}), and "
            f"{count} are needed: {what}."
        )
    by_class = [[c for c in columns if c.lower().endswith(name.lower())] for name in classes]
    if classes and all(len(own) == 1 for own in by_class):
        return table[[own[0] for own in by_class]]
    return table
