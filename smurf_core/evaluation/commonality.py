"""A second witness: what each subset of modalities can predict, and how much of it is common.

Cross-fitted commonality analysis of linear late fusion. It trains models of its own and reads
nothing of a run but its folds, so it can be compared with the run's shares.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy  # whose parts load when used, after the first paint

from smurf_core.configuration import Standardisation
from smurf_core.data.dataset import Folds, MultimodalDataset
from smurf_core.evaluation.redundancy import ALL_MODALITIES
from smurf_core.evaluation.subset_fusion import SubsetLosses, subset_losses
from smurf_core.explained import Explained
from smurf_core.explained import explained as explained_samples
from smurf_core.results import RunResult
from smurf_core.statistics.persons import Codes, person_codes
from smurf_core.statistics.ratios import ratio_interval
from smurf_core.terms import Source, subset_name

Array = npt.NDArray[np.float64]
MOST_FOR_PARTS = 6  # modalities up to which all 2^m − 1 subsets are trained


@dataclass(frozen=True)
class Commonality:
    """What linear late fusion predicts from subsets of modalities, and how that divides.

    `r2` is the held-out R² against the training samples' mean. For classes it is that of one
    indicator per class, summed over classes, against the training samples' frequencies (the Brier
    skill score). Intervals are of 95%, over persons. NaN where all folds' models did without the
    modalities in question: that is no proof that these have nothing to say.
    """

    # One row per subset that was trained, the smallest first: modalities (`A+B`), size, r2,
    # ci_low, ci_high, n (test samples), persons (samples where no persons are known).
    subsets: pd.DataFrame
    # One row per modality (`ALL_MODALITIES` for all together) and kind (`unique` | `common`):
    # modality, kind, r2, ci_low, ci_high, share (of the R² of all), share_low, share_high. Shares
    # are NaN where nothing is predicted.
    totals: pd.DataFrame
    # One row per set of modalities: modalities, size, r2 (what exactly these modalities can each
    # predict), ci_low, ci_high, share, share_low, share_high. Empty with more modalities than
    # `MOST_FOR_PARTS`.
    parts: pd.DataFrame
    # A run's own predictions of the same samples, one row: r2_model, r2_late_fusion, difference
    # (of the two), ci_low, ci_high. Empty without a run.
    model: pd.DataFrame

    @property
    def predicts(self) -> bool:
        """True if the R² of all modalities is above zero by its whole interval."""
        return bool(self.subsets["ci_low"].iloc[-1] > 0)

    @property
    def samples(self) -> int:
        """Number of test samples."""
        return int(self.subsets["n"].iloc[-1])

    @property
    def persons(self) -> int:
        """Number of persons of the test samples; of samples where no persons are known."""
        return int(self.subsets["persons"].iloc[-1])

    @property
    def common(self) -> pd.Series:
        """The row of `totals` of what is common to several modalities."""
        return self.totals.iloc[-1]


def commonality(
    dataset: MultimodalDataset,
    folds: Folds,
    *,
    standardisation: Standardisation = "training_fold",
    clip: float | None = None,
    explained: Explained | None = None,
) -> Commonality:
    """Divide what late fusion can predict into unique and common parts.

    Linear late fusion (a ridge regression, for classes of one indicator per class) is trained on
    every subset of modalities, in every fold, with training and validation samples, and R² is
    measured on test samples. An inner cross-validation over persons chooses the penalty. With up
    to six modalities, it also decides whether a subset does better without some of its members,
    so that a modality of noise does not count below zero. A modality's unique part is what R²
    loses without it: R²(all) − R²(all others). What is left of R²(all) after all unique parts is
    common: two or more modalities could each predict it. With up to six modalities, the common
    part is divided further (`parts`), by inclusion and exclusion: the part of a set T is
    −Σ_{U ⊆ T} (−1)^|U| R²(U and all modalities outside T), with R²(∅) = 0.

    Classes are not divided by log likelihood: it is not additive over independent modalities, so
    that a part would look unique, or common with a negative sign, without any reason in the data.

    Parts can be below zero. A common part is where modalities predict more together than the sum
    of what each adds (suppression), others are by chance.

    Parameters
    ----------
    dataset : MultimodalDataset
        Features of m ≥ 2 modalities and a target of n samples.
    folds : Folds
        Roles of the samples, as the run had them.
    standardisation : {"training_fold", "within_person", "none"}
        How features are brought to one scale, as in `RunConfig`.
    clip : float or None
        Standardised features are clipped at ± this many standard deviations; None: never.
    explained : Explained or None
        A run's out-of-fold contributions in these folds, to compare its R² with late fusion's.

    Returns
    -------
    Commonality
        `subsets`, `totals` and `parts`, with intervals over persons; `model` where a run is given.

    Raises
    ------
    InputError
        If a fold tests samples that it trains with, or lacks a role; if the training samples'
        target does not vary; or if persons are needed and not known.

    Notes
    -----
    Nimon and Oswald (2013), *Organizational Research Methods* 16, for commonality; Williamson,
    Gilbert, Carone and Simon (2023), *Journal of the American Statistical Association* 118, for
    cross-fitted differences of R². All of these numbers are ratios of sums over test samples;
    their intervals (`ratio_interval`) treat the folds' models as given and persons as drawn.
    `python -m benchmarks.witness` measures the coverage. With more features than
    `MOST_COMPONENTS`, a modality is represented by its leading principal components.

    Examples
    --------
    >>> from smurf_core.data.generated.synthetic import synthetic_additive
    >>> data = synthetic_additive(samples=400, modalities=2)
    >>> found = commonality(data, data.folds)
    >>> found.predicts, found.subsets["modalities"].tolist()
    (True, ['A', 'B', 'A+B'])
    """
    names = dataset.modalities
    divides = len(names) <= MOST_FOR_PARTS
    sizes = range(1, len(names) + 1) if divides else sorted({1, len(names) - 1, len(names)})
    subsets = [subset for size in sizes for subset in combinations(names, size)]
    fitted = subset_losses(dataset, folds, subsets, standardisation=standardisation, clip=clip)
    who = fitted.positions
    if dataset.persons is not None:
        who = person_codes(dataset.persons, len(dataset))[who]
    members = np.unique(who, return_inverse=True)[1]
    divided = _Divided(
        subsets,
        _sums(fitted.without[:, None] - fitted.losses, members),
        _sums(fitted.without[:, None], members)[:, 0],
    )
    everything = frozenset(names)
    unique = {i: divided.r2(everything) - divided.r2(everything - {i}) for i in names}
    total = np.sum(list(unique.values()), axis=0)
    totals = {
        **{
            (i, kind): weights
            for i in names
            for kind, weights in (
                ("unique", unique[i]), ("common", divided.r2(frozenset({i})) - unique[i])
            )
        },
        (ALL_MODALITIES, "unique"): total,
        (ALL_MODALITIES, "common"): divided.r2(everything) - total,
    }  # fmt: skip
    named = pd.DataFrame([{"modalities": subset_name(s), "size": len(s)} for s in subsets])
    parts = [divided.part(frozenset(subset)) for subset in subsets] if divides else []
    return Commonality(
        subsets=pd.concat(
            [named, divided.of_the_target(list(np.eye(len(subsets))))], axis=1
        ).assign(n=len(np.unique(fitted.positions)), persons=len(divided.without)),
        totals=pd.concat(
            [
                pd.DataFrame(list(totals), columns=["modality", "kind"]),
                divided.with_shares(list(totals.values())),
            ],
            axis=1,
        ),
        parts=pd.concat([named[: len(parts)], divided.with_shares(parts)], axis=1),
        model=pd.DataFrame() if explained is None else _beside(explained, dataset, fitted, who),
    )


def witness_of(result: RunResult, dataset: MultimodalDataset) -> Commonality:
    """`commonality` in a run's folds and with its scaling, beside its own predictions.

    Parameters
    ----------
    result
        The run; all its test samples are used.
    dataset
        The data set that it was trained on.

    Returns
    -------
    Commonality

    Raises
    ------
    InputError
        As `commonality`; and if the data set does not contain the run's samples.
    """
    return commonality(
        dataset,
        result.folds,
        standardisation=result.config.standardisation,
        clip=result.config.clip,
        explained=explained_samples(result, dataset),
    )


def _sums(values: Array, codes: Codes) -> Array:
    """Column sums of each person's rows, [persons, columns]."""
    return np.stack([np.bincount(codes, weights=column) for column in values.T], axis=1)


def _beside(
    explained: Explained, dataset: MultimodalDataset, fitted: SubsetLosses, who: Codes
) -> pd.DataFrame:
    """R² of a run and of late fusion of all modalities, on samples that the same fold tests."""
    contributions = explained.contributions
    predicted = contributions.prediction().astype(np.float64)
    target = explained.target.astype(np.float64)[:, None]
    if contributions.is_classification:
        predicted = scipy.special.softmax(predicted, axis=1)
        target = np.eye(len(contributions.outputs))[explained.target.astype(np.int64)]
    loss, tested_by = np.zeros(len(dataset)), np.full(len(dataset), -1)
    loss[explained.positions] = ((target - predicted) ** 2).sum(axis=1)
    tested_by[explained.positions] = contributions.folds
    same = tested_by[fitted.positions] == fitted.folds
    without, of_all = fitted.without[same], fitted.losses[same, -1]
    of_model = loss[fitted.positions[same]]
    low, high = ratio_interval((of_all - of_model)[:, None], without, who[same])
    r2_model, r2_late_fusion = (1 - x.sum() / without.sum() for x in (of_model, of_all))
    return pd.DataFrame(
        {
            "r2_model": [r2_model], "r2_late_fusion": [r2_late_fusion],
            "difference": [r2_model - r2_late_fusion], "ci_low": low, "ci_high": high,
        }
    )  # fmt: skip


@dataclass(frozen=True)
class _Divided:
    """R² of every subset, person by person; anything linear in them is weights over subsets."""

    subsets: list[Source]
    gains: Array  # [persons, subsets]: loss without any modality, less that of the subset
    without: Array  # [persons]

    def r2(self, subset: frozenset[str]) -> Array:
        """The weights of one subset's R², [subsets]; zero for no modality."""
        return np.array([float(subset == frozenset(s)) for s in self.subsets])

    def part(self, members: frozenset[str]) -> Array:
        """The weights of what exactly these modalities can each predict, [subsets]."""
        outside = frozenset(self.subsets[-1]) - members
        chosen = [
            frozenset(some) for size in range(len(members) + 1)
            for some in combinations(sorted(members), size)
        ]  # fmt: skip
        signed = [-((-1.0) ** len(some)) * self.r2(some | outside) for some in chosen]
        return np.asarray(np.sum(signed, axis=0))

    def of_the_target(self, weights: list[Array]) -> pd.DataFrame:
        """Combinations of R² with their intervals: r2, ci_low, ci_high."""
        return self._ratios(weights, self.without, ("r2", "ci_low", "ci_high"))

    def with_shares(self, weights: list[Array]) -> pd.DataFrame:
        """The same, and as shares of the R² of all modalities; NaN where that may be zero."""
        found = self.of_the_target(weights)
        shares = self._ratios(weights, self.gains[:, -1], ("share", "share_low", "share_high"))
        (low,) = self.of_the_target([self.r2(frozenset(self.subsets[-1]))])["ci_low"]
        return pd.concat([found, shares if low > 0 else shares * np.nan], axis=1)

    def _ratios(
        self, weights: list[Array], below: Array, columns: tuple[str, str, str]
    ) -> pd.DataFrame:
        above = self.gains @ np.array(weights).reshape(-1, len(self.subsets)).T
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = above.sum(axis=0) / below.sum()
        low, high = ratio_interval(above, below, None)
        # Zero for everybody: these modalities were left out in every fold. That is a choice of
        # the models, about which the samples say nothing.
        is_chosen = (above != 0).any(axis=0)
        low, high = (np.where(is_chosen, end, np.nan) for end in (low, high))
        return pd.DataFrame(dict(zip(columns, (ratio, low, high), strict=True)))
