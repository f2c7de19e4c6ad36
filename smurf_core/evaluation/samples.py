"""A table with one row per tested sample, and metrics of subsets of samples."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import scipy  # whose parts load when used, after the first paint

from smurf_core.contributions import Contributions
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.evaluation.metrics import METRICS, score
from smurf_core.explained import Explained
from smurf_core.fold_label import fold_label
from smurf_core.sample_choice import SampleChoice, chosen_positions
from smurf_core.terms import partner_label

# A metric of fewer samples is meaningless (a correlation of two samples is always ±1).
FEWEST = 3
TRANSCRIPT_COLUMNS = ("transcript", "text", "utterance")


def transcript_column(dataset: MultimodalDataset) -> str | None:
    """The column of the sample table that contains the transcript, if there is one."""
    return next((c for c in TRANSCRIPT_COLUMNS if c in dataset.samples), None)


def sample_table(explained: Explained) -> pd.DataFrame:
    """One row per explained sample, in the order of the samples.

    Columns: sample_id, fold, person (if known), target, prediction; `error` (prediction − target)
    for regression, `correct` (`right` | `wrong`) and `probability` (of the true class) for classes;
    `size of error` (|error|, or 1 − probability); then the data set's columns, including the
    transcript. A column of the data set with one of these names is left out.
    """
    dataset, contributions, target = explained.dataset, explained.contributions, explained.target
    prediction = contributions.prediction()
    columns: dict[str, object] = {
        "sample_id": contributions.sample_ids,
        "fold": fold_label(contributions.folds),
    }
    if explained.persons is not None:
        columns["person"] = explained.persons
    if dataset.task == "regression":
        error = prediction[:, 0] - target
        columns |= {"target": target, "prediction": prediction[:, 0], "error": error}
        columns["size of error"] = np.abs(error)
    else:
        names = np.asarray(dataset.class_names, dtype=np.str_)
        predicted = prediction.argmax(axis=1)
        true_class = scipy.special.softmax(prediction.astype(np.float64), axis=1)[
            np.arange(len(target)), target
        ]
        columns |= {"target": names[target], "prediction": names[predicted]}
        columns["correct"] = np.where(predicted == target, "right", "wrong")
        columns |= {"probability": true_class, "size of error": 1 - true_class}
    table = pd.DataFrame(columns)
    own = [name for name in dataset.samples.columns if str(name) not in table]
    return table.assign(
        **{str(name): explained.aligned(dataset.samples[name].to_numpy()) for name in own}
    )


def term_column(source: str, shared_with: str) -> str:
    """The column of `with_contributions` that contains one term."""
    if source == shared_with:
        return f"{source} alone"
    return f"{source}, shared with {partner_label(shared_with)}"


def with_contributions(table: pd.DataFrame, contributions: Contributions) -> pd.DataFrame:
    """A `sample_table` with one more column per contribution, named by `term_column`.

    For classes: contributions to the predicted class's logit minus their mean over the classes,
    because the softmax does not depend on this mean.
    """
    terms = contributions.identified_terms()
    predicted = contributions.prediction().argmax(axis=1)
    values = terms[np.arange(len(terms)), :, predicted].astype(np.float32)
    names = [term_column(source, other) for _, source, other in contributions.term_names()]
    there = [t for t, name in enumerate(names) if name not in table and values[:, t].any()]
    columns = {names[t]: values[:, t] for t in there}
    return pd.concat([table, pd.DataFrame(columns, index=table.index)], axis=1)


def with_distances(table: pd.DataFrame, outlying: pd.DataFrame) -> pd.DataFrame:
    """A `sample_table` with what `outlying_samples` says of the same samples.

    Columns: `sd from training` (of the most distant feature, without its sign), and `outlying`,
    the mark of samples that are far out.
    """
    return table.assign(
        **{
            "sd from training": outlying["distance"].abs().to_numpy(),
            "outlying": outlying["mark"].to_numpy(),
        }
    )


def colour_columns(table: pd.DataFrame) -> list[str]:
    """The columns of a `sample_table` that are useful for colouring points.

    Constant columns are left out, and so are columns of words that differ in every sample.
    """
    found = []
    for name in table.columns.drop("sample_id"):
        column = table[name]
        if pd.api.types.is_numeric_dtype(column):
            is_useful = bool(column.min() < column.max())
        else:
            is_useful = 1 < column.nunique() <= max(20, len(table) // 4)
        if is_useful:
            found.append(str(name))
    return found


def subset_performance(explained: Explained, subsets: Mapping[str, SampleChoice]) -> pd.DataFrame:
    """All metrics of the out-of-fold predictions of some samples, pooled over folds.

    Parameters
    ----------
    explained : Explained
        Contributions with their samples' target and persons.
    subsets : mapping of str to mask, positions or sample ids
        Name → some of the samples, in any form that `Explained.select` takes.

    Returns
    -------
    DataFrame
        One row per subset and metric: subset, n (samples), persons (NaN where unknown), metric,
        value (NaN for fewer than 3 samples, or if the metric is not defined).
    """
    task, prediction, persons = (
        explained.dataset.task, explained.contributions.prediction(), explained.persons,
    )  # fmt: skip
    rows = []
    for name, chosen in subsets.items():
        at = chosen_positions(chosen, explained.sample_ids)
        truth, n = explained.target[at], len(at)
        seen = np.nan if persons is None else float(len(np.unique(persons[at])))
        for metric in METRICS[task]:
            value = score(task, metric, truth, prediction[at]) if n >= FEWEST else np.nan
            rows.append({"subset": name, "n": n, "persons": seen, "metric": metric, "value": value})
    return pd.DataFrame(rows)
