"""Tidy tables that describe a data set: features, scales, near-duplicates, persons, folds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.data.dataset import Features, MultimodalDataset
from smurf_core.fold_label import fold_label
from smurf_core.statistics.correlation import pearson_r

# Maximum number of samples for quantiles and correlations, evenly spaced over the data set.
SAMPLED_ROWS = 4_000
NEAR_DUPLICATE = 0.99
OUTLIER_DEVIATIONS = 5.0
COMPONENTS = 3
_BLOCK = 2_000  # number of features correlated at once
_MOST_PAIRS = 500
_NORMAL_MAD = 1.4826  # standard deviations in one median absolute deviation of a normal variable


@dataclass(frozen=True)
class Description:
    """Tables about one data set; the functions below describe each of them."""

    modalities: pd.DataFrame
    features: pd.DataFrame
    near_duplicates: pd.DataFrame
    components: pd.DataFrame
    absences: pd.DataFrame
    persons: pd.DataFrame
    folds: pd.DataFrame
    sampled: int  # samples behind quantiles, outliers, near-duplicates and components


def describe(dataset: MultimodalDataset) -> Description:
    """All tables about a data set."""
    features = feature_table(dataset)
    doubles = near_duplicates(dataset)
    return Description(
        modalities=modality_table(dataset, features, doubles),
        features=features,
        near_duplicates=doubles,
        components=component_correlations(dataset),
        absences=absence_table(dataset),
        persons=person_table(dataset),
        folds=fold_table(dataset),
        sampled=len(sampled_rows(len(dataset))),
    )


def sampled_rows(count: int, most: int = SAMPLED_ROWS) -> npt.NDArray[np.intp]:
    """Positions of at most `most` evenly spaced samples: the same ones every time."""
    step = max(1.0, count / most)
    return np.unique((np.arange(min(count, most)) * step).astype(np.intp))


def feature_table(dataset: MultimodalDataset) -> pd.DataFrame:
    """One row per feature: modality, feature, mean, sd, minimum, median, maximum, outliers.

    Statistics are over the samples that have the modality. `outliers` is the share of values more
    than 5 robust standard deviations (1.4826 median absolute deviations) from the median; NaN if
    more than half of the values are equal, because this deviation is then zero.
    """
    return pd.concat(
        [_feature_rows(name, features) for name, features in dataset.features.items()],
        ignore_index=True,
    )


def _feature_rows(name: str, features: Features) -> pd.DataFrame:
    values = features.values[features.present]
    few = values[sampled_rows(len(values))]
    median = np.median(few, axis=0)
    distance = np.abs(few - median)
    deviation = _NORMAL_MAD * np.median(distance, axis=0)
    share = (distance > OUTLIER_DEVIATIONS * deviation).mean(axis=0)
    return pd.DataFrame(
        {
            "modality": name,
            "feature": list(features.names),
            "mean": values.mean(axis=0, dtype=np.float64),
            "sd": values.std(axis=0, ddof=1, dtype=np.float64) if len(values) > 1 else np.nan,
            "minimum": values.min(axis=0),
            "median": median,
            "maximum": values.max(axis=0),
            "outliers": np.where(deviation > 0, share, np.nan),
        }
    )


def near_duplicates(dataset: MultimodalDataset, threshold: float = NEAR_DUPLICATE) -> pd.DataFrame:
    """Pairs of one modality's features with |r| above the threshold, highest |r| first.

    Columns modality, feature, double, r; at most 500 pairs. Correlations are computed as matrix
    products over sampled rows, block by block.
    """
    found = []
    for name, features in dataset.features.items():
        scores = _standardised(features.values[features.present])
        pairs = _close_pairs(scores, threshold)
        found += [(name, features.names[i], features.names[j], r) for i, j, r in pairs]
    table = pd.DataFrame(found, columns=["modality", "feature", "double", "r"])
    order = table["r"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order[:_MOST_PAIRS]].reset_index(drop=True)


def _standardised(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Sampled rows with mean 0 and length 1 in every column; constant columns are 0."""
    few = values[sampled_rows(len(values))].astype(np.float32)
    few = few - few.mean(axis=0)
    # Scale before squaring: the square of 1e30 does not fit into float32.
    largest = np.abs(few).max(axis=0, initial=0)
    few = few / np.where(largest > 0, largest, 1)
    length = np.sqrt((few**2).sum(axis=0))
    return np.asarray(few / np.where(length > 0, length, 1), dtype=np.float32)


def _close_pairs(scores: npt.NDArray[np.float32], threshold: float) -> list[tuple[int, int, float]]:
    pairs: list[tuple[int, int, float]] = []
    width = scores.shape[1]
    for start in range(0, width, _BLOCK):
        block = scores[:, start : start + _BLOCK]
        for other in range(start, width, _BLOCK):
            r = block.T @ scores[:, other : other + _BLOCK]
            rows, columns = np.nonzero(np.abs(r) > threshold)
            is_above = columns + other > rows + start
            rows, columns = rows[is_above], columns[is_above]
            if len(rows) > _MOST_PAIRS:
                best = np.argpartition(-np.abs(r[rows, columns]), _MOST_PAIRS)[:_MOST_PAIRS]
                rows, columns = rows[best], columns[best]
            close = r[rows, columns].clip(-1, 1)
            pairs += zip(
                (rows + start).tolist(), (columns + other).tolist(), close.tolist(), strict=True
            )
    return pairs


def component_correlations(dataset: MultimodalDataset, count: int = COMPONENTS) -> pd.DataFrame:
    """Pearson's r between the first principal components of each pair of modalities.

    One row per pair: modality, component (from 1), other, other_component, r, samples. Components
    are of standardised features, over sampled rows that have the modality; r over the rows that
    have both. The sign of a component is arbitrary.
    """
    rows = sampled_rows(len(dataset))
    scores = {name: _components(f.values[rows], count) for name, f in dataset.features.items()}
    found = []
    names = list(scores)
    for position, name in enumerate(names):
        for other in names[position + 1 :]:
            both = ~np.isnan(scores[name][:, 0]) & ~np.isnan(scores[other][:, 0])
            a, b = scores[name][both], scores[other][both]
            for i in range(a.shape[1]):
                for j in range(b.shape[1]):
                    r = pearson_r(a[:, i], b[:, j]) if len(a) >= 3 else float("nan")
                    found.append((name, i + 1, other, j + 1, r, int(both.sum())))
    columns = ["modality", "component", "other", "other_component", "r", "samples"]
    return pd.DataFrame(found, columns=columns)


def _components(values: npt.NDArray[np.float32], count: int) -> npt.NDArray[np.float64]:
    """Scores [n, count or fewer] on the first principal components; NaN for absent rows."""
    present = ~np.isnan(values).all(axis=1)
    scores = _standardised(values[present]).astype(np.float64)
    # The smaller of the two Gram matrices contains the same components as the SVD, and is faster.
    is_wide = scores.shape[1] > scores.shape[0]
    gram = scores @ scores.T if is_wide else scores.T @ scores
    size, vectors = np.linalg.eigh(gram)
    kept = [k for k in np.argsort(-size)[:count] if size[k] > 1e-9 * max(size.max(), 1e-30)]
    found = vectors[:, kept] * np.sqrt(size[kept]) if is_wide else scores @ vectors[:, kept]
    aligned = np.full((len(values), max(len(kept), 1)), np.nan)
    aligned[np.flatnonzero(present)[:, None], np.arange(len(kept))] = found
    return aligned


def modality_table(
    dataset: MultimodalDataset, features: pd.DataFrame, doubles: pd.DataFrame
) -> pd.DataFrame:
    """One row per modality: features, samples, share, constant, near_duplicates, outliers, scales.

    `near_duplicates` counts features that are nearly equal to another one; `smallest_sd` and
    `largest_sd` show how much scales differ.
    """
    found = []
    for name, held in dataset.features.items():
        own = features[features["modality"] == name]
        double = doubles[doubles["modality"] == name]
        found.append(
            {
                "modality": name,
                "features": len(own),
                "samples": int(held.present.sum()),
                "share": float(held.present.mean()),
                "constant": int((own["sd"] == 0).sum()),
                "near_duplicates": double["double"].nunique(),
                "outliers": float(own["outliers"].mean()),
                "smallest_sd": float(own["sd"].min()),
                "largest_sd": float(own["sd"].max()),
            }
        )
    return pd.DataFrame(found)


def absence_table(dataset: MultimodalDataset) -> pd.DataFrame:
    """One row per set of missing modalities: lacks, samples, share, examples."""
    present = dataset.present
    patterns, which = np.unique(present, axis=0, return_inverse=True)
    found = []
    for code, pattern in enumerate(patterns):
        own = dataset.sample_ids[which.ravel() == code]
        lacks = [n for n, there in zip(dataset.modalities, pattern, strict=True) if not there]
        found.append((", ".join(lacks), len(own), len(own) / len(dataset), ", ".join(own[:5])))
    table = pd.DataFrame(found, columns=["lacks", "samples", "share", "examples"])
    return table.sort_values("samples", ascending=False, ignore_index=True)


def person_table(dataset: MultimodalDataset) -> pd.DataFrame:
    """One row per person, most samples first: person, samples, the target's mean or top class."""
    if dataset.persons is None:
        return pd.DataFrame(columns=["person", "samples"])
    target = pd.Series(dataset.target)
    grouped = target.groupby(dataset.persons)
    table = pd.DataFrame({"samples": grouped.size()})
    if dataset.task == "regression":
        table["target_mean"] = grouped.mean()
        table["target_sd"] = grouped.std()
    else:
        names = dataset.class_names
        modes = [codes.mode().astype(int).tolist() for _, codes in grouped]
        table["most_frequent"] = [
            names[top[0]] if len(top) == 1 else f"{len(top)} equally often" for top in modes
        ]
    table = table.rename_axis("person").reset_index()
    return table.sort_values(["samples", "person"], ascending=[False, True], ignore_index=True)


def fold_table(dataset: MultimodalDataset) -> pd.DataFrame:
    """One row per fold: training, validation, test, persons tested, and the tested target."""
    if dataset.folds is None:
        return pd.DataFrame()
    folds = dataset.folds
    table = pd.DataFrame(
        {
            "fold": fold_label(np.arange(len(folds))),
            "training": folds.training.sum(axis=1),
            "validation": folds.validation.sum(axis=1),
            "test": folds.test.sum(axis=1),
        }
    )
    if dataset.persons is not None:
        table["persons_tested"] = [len(np.unique(dataset.persons[test])) for test in folds.test]
    tested = [dataset.target[test] for test in folds.test]
    if dataset.task == "regression":
        table["target_mean"] = [float(t.mean()) if len(t) else np.nan for t in tested]
        table["target_sd"] = [float(t.std(ddof=1)) if len(t) > 1 else np.nan for t in tested]
    else:
        for code, name in enumerate(dataset.class_names):
            table[f"share of {name}"] = [float((t == code).mean()) for t in tested]
    return table
