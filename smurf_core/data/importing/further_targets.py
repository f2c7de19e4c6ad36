"""Further targets of a study beside the first: their values, and features that reveal them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.data.dataset import Features, FurtherTarget
from smurf_core.data.importing.giveaways import Checked, without_giveaways
from smurf_core.data.importing.mapping import TaskChoice
from smurf_core.data.importing.targets import Target, encode_target, has_target
from smurf_core.data.problems import Problem
from smurf_core.data.readers.interface import Table


@dataclass(frozen=True)
class Encoded:
    """A further target of the samples that have it."""

    target: Target
    is_known: npt.NDArray[np.bool_]  # [n]
    problems: tuple[Problem, ...]

    @property
    def stored(self) -> FurtherTarget:
        """The target of all samples, as a data set stores it."""
        values = self.target.values
        missing = -1 if self.target.task == "classification" else np.nan
        everything = np.full(len(self.is_known), missing, dtype=values.dtype)
        everything[self.is_known] = values
        return FurtherTarget(self.target.task, everything, self.target.class_names)


def encoded(table: Table, column: str, cells: pd.Series[Any], task: TaskChoice) -> Encoded:
    """A further target from its cells in the order of the samples; notes how many lack it."""
    is_known = has_target(cells)
    target = encode_target(table, column, cells[is_known], task)
    absent = int((~is_known).sum())
    problems = target.problems
    if absent:
        message = f"{absent} of {len(cells)} samples have no value of this target."
        remedy = "They are left out where it is predicted."
        problems = (*problems, Problem("note", message, table.name, column, remedy=remedy))
    return Encoded(target, is_known, problems)


def without_all_giveaways(
    blocks: Mapping[str, Features],
    target: Target,
    further: Mapping[str, Encoded],
    *,
    persons: npt.NDArray[np.str_] | None,
    rows: npt.NDArray[np.intp],
    named: Mapping[str, Sequence[str]],
    files: Mapping[str, str],
) -> dict[str, Checked]:
    """Modalities without columns that are codes of any target or of persons, as for one target."""
    found = {}
    for modality, block in blocks.items():
        first = without_giveaways(
            block, target, persons, rows=rows, named=named[modality], modality=modality,
            file=files[modality],
        )  # fmt: skip
        features, problems = first.features, first.problems
        for name, one in further.items():
            own = Features(features.values[one.is_known], features.names)
            checked = without_giveaways(
                own, one.target, None, rows=rows[one.is_known], named=named[modality],
                modality=modality, file=files[modality], further=name,
            )  # fmt: skip
            names = features.names
            kept = [i for i, column in enumerate(names) if column in checked.features.names]
            features = Features(features.values[:, kept], tuple(names[i] for i in kept))
            problems = (*problems, *checked.problems)
        found[modality] = Checked(features, problems)
    return found
