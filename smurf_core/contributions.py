"""What each modality contributed to each prediction: the m × m arrays that everything reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

FloatArray = npt.NDArray[np.float32]


def modality_subsets(modalities: tuple[str, ...], order: int) -> tuple[tuple[str, ...], ...]:
    """All subsets of `order` modalities, in lexicographic order of the modalities' positions."""
    return tuple(combinations(modalities, order))


def subset_name(subset: tuple[str, ...]) -> str:
    """How a subset of modalities is written everywhere: its names joined by a plus sign."""
    return "+".join(subset)


@dataclass(frozen=True)
class Contributions:
    """Unique and redundant contributions of every modality to every sample's prediction.

    `values[n, i, i]` is the unique contribution of modality i (ŷ_I of eq. 10) and
    `values[n, i, j]` the redundant contribution that i derives of what it shares with j (ŷ_IJ).
    The losses see covariances only, so the offset of each head is arbitrary: every contribution
    is centred on the training fold and the offsets are gathered in `baseline`. Therefore
    `baseline + values.sum over (i, j)` (+ the interactions' sums) is the prediction, exactly, and
    zero means *as on average*. A modality that is absent for a sample contributes zero.

    Unit: the target's own for regression (c = 1); logits for classification (c classes).
    """

    values: FloatArray  # [n, m, m, c]
    baseline: FloatArray  # [n, c]: constant within a fold
    modalities: tuple[str, ...]
    outputs: tuple[str, ...]  # the target's name, or the class names
    sample_ids: npt.NDArray[np.str_]  # [n]
    folds: npt.NDArray[np.int64]  # [n]: the fold whose model explains the sample
    # MRO-SMURF: interaction order k ≥ 2 → [n, s, s, c] over the s subsets of k modalities.
    interactions: Mapping[int, FloatArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n, m, c = len(self.sample_ids), len(self.modalities), len(self.outputs)
        expected = {"values": (n, m, m, c), "baseline": (n, c), "folds": (n,)}
        wrong = [
            f"{name} has shape {getattr(self, name).shape}, needed {shape}"
            for name, shape in expected.items()
            if getattr(self, name).shape != shape
        ]
        for order, array in self.interactions.items():
            s = len(modality_subsets(self.modalities, order))
            if array.shape != (n, s, s, c):
                wrong.append(
                    f"interactions[{order}] has shape {array.shape}, needed {(n, s, s, c)}"
                )
        if wrong:
            raise ValueError("; ".join(wrong) + ".")

    def __len__(self) -> int:
        return len(self.sample_ids)

    @property
    def is_classification(self) -> bool:
        """True where the outputs are classes' logits (there are never fewer than two classes)."""
        return len(self.outputs) > 1

    def index(self, modality: str) -> int:
        """Position of a modality; raises `ValueError` for a name that is not there."""
        if modality not in self.modalities:
            raise ValueError(f"No modality {modality!r}; there are {', '.join(self.modalities)}.")
        return self.modalities.index(modality)

    def unique(self, modality: str) -> FloatArray:
        """Unique contribution ŷ_I of a modality, [n, c]."""
        i = self.index(modality)
        return self.values[:, i, i]

    def redundant(self, modality: str, other: str) -> FloatArray:
        """Redundant contribution ŷ_IJ that `modality` derives of what it shares, [n, c]."""
        if modality == other:
            raise ValueError(f"A modality shares nothing with itself ({modality!r}).")
        return self.values[:, self.index(modality), self.index(other)]

    def prediction(self) -> FloatArray:
        """Baseline plus the sum of all contributions (eq. 3), [n, c]."""
        total = self.values.sum(axis=(1, 2), dtype=np.float64)
        for array in self.interactions.values():
            total = total + array.sum(axis=(1, 2), dtype=np.float64)
        return np.asarray(total + self.baseline, dtype=np.float32)

    def term_names(self) -> tuple[tuple[int, str, str], ...]:
        """(order, source, shared with) of every term, in the order of `terms`.

        Source and shared-with are modality subsets by name, and equal for a unique term.
        """
        names = [(1, i, j) for i in self.modalities for j in self.modalities]
        for order in sorted(self.interactions):
            subsets = [subset_name(s) for s in modality_subsets(self.modalities, order)]
            names += [(order, i, j) for i in subsets for j in subsets]
        return tuple(names)

    def terms(self) -> FloatArray:
        """Every contribution side by side, [n, terms, c], named by `term_names`."""
        n, c = len(self), len(self.outputs)
        arrays = [self.values, *(self.interactions[k] for k in sorted(self.interactions))]
        return np.concatenate(
            [array.reshape(n, array.shape[1] ** 2, c) for array in arrays], axis=1
        )

    def identified_terms(self) -> npt.NDArray[np.float64]:
        """`terms` in float64; for classes less their mean over the classes.

        The softmax does not see what all classes' logits have in common.
        """
        terms = self.terms().astype(np.float64)
        return terms - terms.mean(axis=2, keepdims=True) if self.is_classification else terms

    def select(self, keep: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Contributions:
        """The contributions of some samples, by mask or by positions."""
        return Contributions(
            values=self.values[keep],
            baseline=self.baseline[keep],
            modalities=self.modalities,
            outputs=self.outputs,
            sample_ids=self.sample_ids[keep],
            folds=self.folds[keep],
            interactions={order: array[keep] for order, array in self.interactions.items()},
        )

    def to_frame(self) -> pd.DataFrame:
        """Tidy table, one row a sample, output and term.

        Columns: sample_id, fold, output, order, modality, shared_with, kind
        (`unique` | `redundant`), contribution.
        """
        names = self.term_names()
        n, t, c = len(self), len(names), len(self.outputs)
        per_term = pd.DataFrame(names, columns=["order", "modality", "shared_with"])
        per_term["kind"] = np.where(
            per_term["modality"] == per_term["shared_with"], "unique", "redundant"
        )
        frame = per_term.iloc[np.tile(np.repeat(np.arange(t), c), n)].reset_index(drop=True)
        frame.insert(0, "output", np.tile(np.asarray(self.outputs, dtype=str), n * t))
        frame.insert(0, "fold", np.repeat(self.folds, t * c))
        frame.insert(0, "sample_id", np.repeat(self.sample_ids, t * c))
        frame["contribution"] = self.terms().reshape(-1)
        return frame
