"""Tests whether unique contributions are larger if people call a modality informative."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy  # whose parts load when used: stats takes a second that the first paint lacks

from smurf_core.contributions import Contributions
from smurf_core.data.dataset import INFORMATIVENESS_LEVELS
from smurf_core.errors import InputError
from smurf_core.explained import Explained
from smurf_core.statistics.holm import holm
from smurf_core.statistics.ranks import rank_slope, rank_sum

Array = npt.NDArray[np.float64]


def unique_effect(contributions: Contributions, modality: str) -> Array:
    """How much a modality's unique contribution changes each prediction, [n].

    For classes: |change of the predicted class's probability| when the unique contribution is set
    to zero. For regression: |unique contribution|, which is the same change for the prediction.
    """
    full = contributions.prediction().astype(np.float64)
    unique = contributions.unique(modality).astype(np.float64)
    if not contributions.is_classification:
        return np.asarray(np.abs(unique[:, 0]))
    row, predicted = np.arange(len(full)), full.argmax(axis=1)
    with_it, without = (
        scipy.special.softmax(full, axis=1),
        scipy.special.softmax(full - unique, axis=1),
    )
    return np.asarray(np.abs(with_it - without)[row, predicted])


def informativeness_tests(explained: Explained) -> pd.DataFrame:
    """Wilcoxon's rank-sum test of *no* against *relevant or sufficient*, for each modality.

    `p` is the paper's test, unpaired and two-sided, on out-of-fold contributions (Wilcoxon, 1945;
    normal approximation): it assumes independent samples, but samples of one person are not
    independent. `p_person` accounts for this if persons are known: the same comparison of ranks
    (Conover and Iman, 1981, *The American Statistician* 35) as a slope whose variance is robust to
    similar samples of a person (`clustered_slope`). The effect size is the rank-biserial
    correlation: how much more often the sample with information has the larger effect than the
    smaller one.

    The trend over the three levels is Kendall's τ_b, its p also assumes independent samples.
    `trend_p_person` is the p of the slope of the effects' ranks over the levels.

    Returns
    -------
    DataFrame
        One row per rated modality: modality, statistic (the normal one; above zero where effects
        are larger with information), p, p_holm (of `p` over the table), p_person, p_person_holm,
        effect_size, trend, trend_p, trend_p_person, mean_no, mean_relevant, mean_sufficient, n_no,
        n_relevant, n_sufficient, missing, persons. NaN if a level has no samples or persons are not
        known.
    """
    contributions, dataset, persons = explained.contributions, explained.dataset, explained.persons
    if not dataset.informativeness:
        raise InputError(f"{dataset.name!r} has no ratings of how informative modalities are.")
    rows = []
    for modality, ratings in dataset.informativeness.items():
        level, effect = explained.aligned(ratings), unique_effect(contributions, modality)
        none, some = effect[level == 0], effect[level > 0]
        test = rank_sum(some, none)
        row: dict[str, object] = {
            "modality": modality, "statistic": test.statistic, "p": test.p, "p_holm": np.nan,
            "p_person": np.nan, "p_person_holm": np.nan, "effect_size": test.effect_size,
            "trend": np.nan, "trend_p": np.nan, "trend_p_person": np.nan,
        }  # fmt: skip
        rated = level >= 0
        if len(np.unique(level[rated])) > 1:
            trend = scipy.stats.kendalltau(level[rated], effect[rated])
            row |= {"trend": float(trend.statistic), "trend_p": float(trend.pvalue)}
        if persons is not None and rated.any():
            levels, who = level[rated], persons[rated]
            row |= {
                "p_person": rank_slope(levels > 0, effect[rated], who).p,
                "trend_p_person": rank_slope(levels, effect[rated], who).p,
            }
        for code, name in enumerate(INFORMATIVENESS_LEVELS):
            there = effect[level == code]
            row[f"mean_{name}"] = float(there.mean()) if len(there) else np.nan
        row |= {
            f"n_{name}": int((level == code).sum())
            for code, name in enumerate(INFORMATIVENESS_LEVELS)
        }
        row["missing"] = int((~rated).sum())
        row["persons"] = 0 if persons is None else len(np.unique(persons[rated]))
        rows.append(row)
    table = pd.DataFrame(rows)
    for p in ("p", "p_person"):
        table[f"{p}_holm"] = holm(table[p].to_numpy(dtype=float))
    return table


def informativeness_table(explained: Explained) -> pd.DataFrame:
    """The effects behind `informativeness_tests`, one row per rated sample and modality.

    Columns: sample_id, modality, level (a word of `INFORMATIVENESS_LEVELS`), effect.
    """
    contributions = explained.contributions
    tables = []
    for modality, ratings in explained.dataset.informativeness.items():
        level = explained.aligned(ratings)
        rated = level >= 0
        table = pd.DataFrame(
            {
                "sample_id": contributions.sample_ids[rated],
                "level": np.asarray(INFORMATIVENESS_LEVELS)[level[rated]],
                "effect": unique_effect(contributions, modality)[rated],
            }
        )
        table.insert(1, "modality", modality)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)
