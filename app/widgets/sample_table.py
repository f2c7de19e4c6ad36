"""Tables of samples: the columns that are shown, and their titles."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from smurf_core.data.dataset import MultimodalDataset
from smurf_core.evaluation.samples import transcript_column
from smurf_core.terms import read_sharers

_TITLES = {
    "sample_id": "Sample",
    "fold": "Fold",
    "person": "Person",
    "target": "Target",
    "prediction": "Prediction",
    "error": "Error",
    "size of error": "Size of error",
    "correct": "Right or wrong",
    "probability": "Probability of the truth",
    "output": "Output",
    "modality": "Modality",
    "shared_with": "Shared with",
    "score": "Score (sd)",
    "contribution": "Contribution",
    "other": "Other side",
    "other_modality": "Other side's modality",
    "output prediction": "Prediction",
    "sd from training": "Farthest feature (sd from training)",
    "outlying": "Far from training data",
}


def column_title(name: object) -> str:
    """The title of a column of samples; the data set's own columns keep their names."""
    return _TITLES.get(str(name), str(name))


def shown_columns(table: pd.DataFrame, dataset: MultimodalDataset) -> list[str]:
    """Known values first, then unique contributions, then the transcript; the CSV has all."""
    is_marked = "outlying" in table and bool((table["outlying"] != "").any())
    if "score" in table:
        hidden = {"other_shared_with"} | (set() if is_marked else {"outlying"})
        if len(set(table["output"])) == 1:
            hidden.add("output")
        if not _has_larger_sets(table):
            hidden.add("other_modality")
        return [str(name) for name in table if name not in hidden]
    alone = [f"{name} alone" for name in dataset.modalities]
    first = ["sample_id", "person", "target", "prediction", "error", "correct", "probability"]
    first += ["outlying"] if is_marked else []
    wanted = [*first, *alone, transcript_column(dataset), "fold"]
    return [name for name in wanted if name is not None and name in table]


def _has_larger_sets(table: pd.DataFrame) -> bool:
    """True if the other side is not simply the modality of `shared_with`."""
    is_shared = table["modality"] != table["shared_with"]
    return any(len(read_sharers(text)) > 1 for text in table.loc[is_shared, "shared_with"].unique())


def column_config(
    table: pd.DataFrame, dataset: MultimodalDataset
) -> dict[str, ColumnConfig | str | None]:
    """How the columns of a table of samples are shown."""
    config: dict[str, ColumnConfig | str | None] = {}
    for name in table.columns:
        title = column_title(name)
        if name == transcript_column(dataset):
            config[str(name)] = st.column_config.TextColumn("Transcript", width="large")
        elif pd.api.types.is_float_dtype(table[name]):
            config[str(name)] = st.column_config.NumberColumn(title, format="%.3f")
        else:
            config[str(name)] = title
    return config
