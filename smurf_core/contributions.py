"""What each modality contributed to each prediction: the arrays that everything reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.fold_label import fold_label
from smurf_core.sample_choice import SampleChoice, chosen_positions
from smurf_core.terms import Source, Term, subset_name

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Contributions:
    """Unique and redundant contributions to every sample's prediction.

    The losses see covariances only, so the offset of each head is arbitrary: every contribution
    is centred on the training fold and the offsets are gathered in `baseline`. Therefore
    `baseline + values.sum(axis=1)` is the prediction, exactly, and zero means *as on average*. A
    modality that is absent for a sample contributes zero.

    Parameters
    ----------
    values
        float32 [n, t, c], in the target's own unit for regression (c = 1), logits for c classes.
    terms
        Who makes each contribution and with whom it is shared, [t] (`Term`).
    baseline
        [n, c], constant within a fold: float32, or float64 where that is too coarse for the
        target (`smurf_core.precision`).
    modalities
        Names, in the data set's order.
    outputs
        The target's name, or the class names, [c].
    sample_ids
        [n].
    folds
        int [n]: the fold whose model explains the sample, from 0; -1 for the mean of all models.

    Examples
    --------
    >>> import numpy as np
    >>> from smurf_core.terms import pairwise_terms
    >>> found = Contributions(
    ...     values=np.ones((1, 4, 1), dtype=np.float32),
    ...     terms=pairwise_terms(("A", "B")),
    ...     baseline=np.full((1, 1), 2.0, dtype=np.float32),
    ...     modalities=("A", "B"),
    ...     outputs=("valence",),
    ...     sample_ids=np.array(["s1"]),
    ...     folds=np.array([0]),
    ... )
    >>> float(found.prediction()[0, 0])
    6.0
    """

    values: FloatArray
    terms: tuple[Term, ...]
    baseline: npt.NDArray[np.floating]
    modalities: tuple[str, ...]
    outputs: tuple[str, ...]
    sample_ids: npt.NDArray[np.str_]
    folds: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        n, t, c = len(self.sample_ids), len(self.terms), len(self.outputs)
        expected = {"values": (n, t, c), "baseline": (n, c), "folds": (n,)}
        wrong = [
            f"{name} has shape {getattr(self, name).shape}, needed {shape}"
            for name, shape in expected.items()
            if getattr(self, name).shape != shape
        ]
        unknown = {name for term in self.terms for s in term.sharers for name in s}
        unknown -= set(self.modalities)
        if unknown:
            wrong.append(f"terms name modalities that are not there: {sorted(unknown)}")
        if len(set(self.terms)) != t:
            wrong.append("terms repeat")
        if wrong:
            raise ValueError("; ".join(wrong) + ".")

    def __len__(self) -> int:
        return len(self.sample_ids)

    @property
    def is_classification(self) -> bool:
        """True if the outputs are classes' logits (there are never fewer than two classes)."""
        return len(self.outputs) > 1

    @property
    def orders(self) -> tuple[int, ...]:
        """The orders of the terms: 1, and 2 to m where a model has interactions."""
        return tuple(sorted({term.order for term in self.terms}))

    @property
    def has_redundant_terms(self) -> bool:
        """False where all contributions are unique: late fusion, or nothing that is shared."""
        return any(not term.is_unique for term in self.terms)

    @cached_property
    def _position(self) -> dict[Term, int]:
        return {term: t for t, term in enumerate(self.terms)}

    def position(self, term: Term) -> int:
        """Place of a term on the second axis of `values`.

        Raises
        ------
        ValueError
            If there is no such term.
        """
        if term not in self._position:
            what = subset_name(term.source)
            if not term.is_unique:
                what += f", shared with {' & '.join(map(subset_name, term.others))}"
            raise ValueError(f"There is no contribution of {what}.")
        return self._position[term]

    def where(self, keep: Callable[[Term], bool]) -> npt.NDArray[np.bool_]:
        """The terms for which `keep` is true, as a mask [t]."""
        return np.array([keep(term) for term in self.terms], dtype=bool)

    def of(self, term: Term) -> FloatArray:
        """The contributions of one term, [n, c]."""
        return self.values[:, self.position(term)]

    def sources(self, order: int = 1) -> tuple[Source, ...]:
        """Who contributes: the sources of the terms of an order, in their order."""
        return tuple(dict.fromkeys(term.source for term in self.terms if term.order == order))

    def pairs(self, order: int = 1) -> tuple[tuple[Term, Term], ...]:
        """The two sides (ŷ_IJ, ŷ_JI) of every pair of sources of an order, I before J."""
        return tuple(
            (term, term.seen_from(term.sharers[1]))
            for term in self.terms
            if term.order == order and len(term.sharers) == 2 and term.source == term.sharers[0]
        )

    def sets(self, order: int = 1) -> tuple[tuple[Term, ...], ...]:
        """The sets of sources of an order that share something, each as its members' terms.

        The pairs (ŷ_IJ, ŷ_JI), and sets of three and more where a model has them.
        """
        return tuple(
            tuple(term.seen_from(source) for source in term.sharers)
            for term in self.terms
            if term.order == order and not term.is_unique and term.source == term.sharers[0]
        )

    def index(self, modality: str) -> int:
        """Position of a modality.

        Raises
        ------
        ValueError
            If there is no modality of this name.
        """
        if modality not in self.modalities:
            raise ValueError(f"No modality {modality!r}; there are {', '.join(self.modalities)}.")
        return self.modalities.index(modality)

    def unique(self, modality: str) -> FloatArray:
        """Unique contribution ŷ_I of a modality, [n, c]."""
        self.index(modality)
        return self.of(Term.unique((modality,)))

    def redundant(self, modality: str, other: str) -> FloatArray:
        """Redundant contribution ŷ_IJ that `modality` derives of what it shares, [n, c]."""
        if modality == other:
            raise ValueError(f"A modality shares nothing with itself ({modality!r}).")
        i, j = self.index(modality), self.index(other)
        sharers = tuple((self.modalities[k],) for k in sorted((i, j)))
        return self.of(Term((modality,), sharers))

    def prediction(self) -> npt.NDArray[np.floating]:
        """Baseline plus the sum of all contributions (eq. 3), [n, c], as exact as the baseline."""
        total = self.values.sum(axis=1, dtype=np.float64)
        return np.asarray(total + self.baseline, dtype=self.baseline.dtype)

    def term_names(self) -> tuple[tuple[int, str, str], ...]:
        """(order, source, shared with) of every term as tables write them (`Term.names`)."""
        return tuple(term.names for term in self.terms)

    def identified_terms(self) -> npt.NDArray[np.float64]:
        """`values` in float64; for classes less their mean over the classes, [n, t, c].

        The softmax does not see what all classes' logits have in common.
        """
        values = self.values.astype(np.float64)
        return values - values.mean(axis=2, keepdims=True) if self.is_classification else values

    def select(self, chosen: SampleChoice) -> Contributions:
        """The contributions of some samples: a mask, positions, or sample ids."""
        keep = chosen_positions(chosen, self.sample_ids)
        return replace(
            self,
            values=self.values[keep],
            baseline=self.baseline[keep],
            sample_ids=self.sample_ids[keep],
            folds=self.folds[keep],
        )

    def to_frame(self) -> pd.DataFrame:
        """Tidy table, one row per sample, output and term.

        Returns
        -------
        DataFrame
            sample_id, fold (from 1; 0 for the mean of all models), output, order, modality (the
            source), shared_with, kind (`unique` | `redundant`), contribution.
        """
        n, t, c = len(self), len(self.terms), len(self.outputs)
        per_term = term_table(self.terms)
        frame = per_term.iloc[np.tile(np.repeat(np.arange(t), c), n)].reset_index(drop=True)
        frame.insert(0, "output", np.tile(np.asarray(self.outputs, dtype=str), n * t))
        frame.insert(0, "fold", np.repeat(fold_label(self.folds), t * c))
        frame.insert(0, "sample_id", np.repeat(self.sample_ids, t * c))
        frame["contribution"] = self.values.reshape(-1)
        return frame


def term_table(terms: tuple[Term, ...]) -> pd.DataFrame:
    """Columns that name terms in every table, one row per term.

    Returns
    -------
    DataFrame
        order, modality (the source), shared_with (equal to it for a unique term), kind.
    """
    columns = ["order", "modality", "shared_with"]
    table = pd.DataFrame([term.names for term in terms], columns=columns)
    return table.assign(kind=[term.kind for term in terms])
