"""Every sample's prediction, and what it is made of."""

from __future__ import annotations

from functools import partial
from typing import Literal

import numpy as np
import pandas as pd
import streamlit as st
from scipy.special import softmax

from app.charts.contributions import breakdown, waterfall
from app.charts.theme import plain, signed, term_label
from app.components.messages import escaped, facts, finished_run, told
from app.loading import contributions_of, dataset_of, predictions_of, stability_of
from app.session import current_study
from smurf_core.contributions import Contributions
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.evaluation.typical import Finding, typical_samples

LISTS: dict[Finding | Literal["all"], str] = {
    "all": "All",
    "unique": "Large unique",
    "redundant": "Large redundant",
    "unexpected": "Unexpected redundant",
}
LIST_NOTES: dict[Finding | Literal["all"], str] = {
    "unique": "One modality alone moves these predictions far. Scores are standard deviations of "
    "the prediction.",
    "redundant": "Both modalities say the same, and much of it.",
    "unexpected": "One modality says what the other should say, too, and does not: only one side "
    "is large, or the sides have opposite signs.",
}
TRANSCRIPT_COLUMNS = ("transcript", "text", "utterance")


def _table(dataset: MultimodalDataset, predictions: pd.DataFrame) -> pd.DataFrame:
    """Samples that pass the filters, with what the table shows of each."""
    table = predictions.loc[:, ~predictions.columns.str.startswith("logit ")].copy()
    if dataset.task == "regression":
        table["error"] = table["prediction"] - table["target"]
    transcript = _transcript_column(dataset)
    if transcript:
        table["transcript"] = dataset.samples[transcript].reindex(table["sample_id"]).to_numpy()
    left, right = st.columns([2, 1])
    words = left.text_input(
        "Find", key="find", placeholder="Part of a sample id, person or transcript"
    )
    if words:
        places = [c for c in ("sample_id", "person", "transcript") if c in table]
        hits = [table[c].astype("str").str.contains(words, case=False, regex=False) for c in places]
        table = table[np.any(hits, axis=0)]
    if dataset.task == "classification":
        which = right.selectbox("Show", ["All samples", "Right", "Wrong"], key="show_only")
        is_right = table["target"] == table["prediction"]
        if which != "All samples":
            table = table[is_right if which == "Right" else ~is_right]
    else:
        order = right.selectbox(
            "Order", ["As in the data", "Largest error first", "Smallest error first"], key="order"
        )
        if order != "As in the data":
            by = table["error"].abs().sort_values(ascending=order.startswith("Smallest"))
            table = table.loc[by.index]
    return table


def _typical(contributions: Contributions, predictions: pd.DataFrame) -> pd.DataFrame:
    """A list of the paper's Table 6 in place of all samples; empty where all are wanted."""
    finding = st.segmented_control(
        "Samples", list(LISTS), default="all", format_func=LISTS.__getitem__, key="samples_list"
    )
    if finding is None or finding == "all":
        return pd.DataFrame()
    st.markdown(LIST_NOTES[finding])
    found = typical_samples(contributions, finding, count=50)
    found = found.rename(columns={"prediction": "output prediction"})
    return found.merge(
        predictions[["sample_id", "target"]], on="sample_id", how="left", validate="many_to_one"
    )


def _transcript_column(dataset: MultimodalDataset) -> str | None:
    return next((c for c in TRANSCRIPT_COLUMNS if c in dataset.samples), None)


def _pick(table: pd.DataFrame) -> str:
    """The sample chosen in the table, else the one in the address if listed, else the first."""
    number = partial(st.column_config.NumberColumn, format="%.3f")
    is_number = pd.api.types.is_numeric_dtype
    event = st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        height=260,
        on_select="rerun",
        selection_mode="single-row",
        key="samples",
        column_config={
            "sample_id": "Sample",
            "fold": "Fold",
            "person": "Person",
            "target": number("Target") if is_number(table["target"]) else "Target",
            "prediction": number("Prediction") if "error" in table else "Prediction",
            "error": number("Error"),
            "output": "Output",
            "modality": "Modality",
            "shared_with": "Shared with",
            "score": st.column_config.NumberColumn("Score", format="%.2f"),
            "contribution": number("Contribution"),
            "other": number("The other side's"),
            "output prediction": number("Prediction"),
            "transcript": st.column_config.TextColumn("Transcript", width="large"),
        },
    )
    rows = event["selection"]["rows"]
    ids = table["sample_id"].to_numpy()
    if rows and rows[0] < len(ids):
        return str(ids[rows[0]])
    wanted = st.query_params.get("sample") or st.session_state.get("sample")
    return wanted if wanted and (ids == wanted).any() else str(ids[0])


def _explain(
    sample: str, dataset: MultimodalDataset, contributions: Contributions, predictions: pd.DataFrame
) -> None:
    row = int(np.flatnonzero(contributions.sample_ids == sample)[0])
    found = predictions.iloc[row]
    st.subheader(f"Sample {escaped(sample)}")
    output = 0
    known = {
        title: value if isinstance(value, str) else plain(float(value))
        for title, value in (("Target", found["target"]), ("Prediction", found["prediction"]))
    }
    known["Explained by the model of fold"] = str(found["fold"])
    if "person" in found:
        known["Person"] = found["person"]
    facts(known)
    transcript = _transcript_column(dataset)
    where = int(np.flatnonzero(dataset.sample_ids == sample)[0])
    said = str(dataset.samples[transcript].fillna("").iloc[where]) if transcript else ""
    if said:
        st.markdown(f"> {escaped(said)}")
    absent = [m for m, there in zip(dataset.modalities, dataset.present[where], strict=True)
              if not there]  # fmt: skip
    if absent:
        st.info(f"Not recorded for this sample, and contributing nothing: {', '.join(absent)}.")
    unit = f"Contribution to {dataset.target_name}"
    if dataset.task == "classification":
        predicted = int(contributions.prediction()[row].argmax())
        output = st.selectbox(
            "Explain the class",
            range(len(dataset.class_names)),
            index=predicted,
            key=f"explain_{sample}",
            format_func=lambda c: (
                dataset.class_names[c] + (" (predicted)" if c == predicted else "")
            ),
        )
        chances = softmax(contributions.prediction()[row])
        st.markdown(
            "Probabilities: "
            + ", ".join(
                f"{escaped(name)} {chance:.1%}"
                for name, chance in zip(dataset.class_names, chances, strict=True)
            )
        )
        unit = f"Logit of {dataset.class_names[output]}"
    parts = breakdown(contributions, row, output)
    left, right = st.columns([5, 4])
    left.plotly_chart(
        waterfall(parts, contributions.modalities, unit),
        key="waterfall",
        config={"displaylogo": False},
    )
    shown = pd.DataFrame(
        {
            "Part": parts["part"],
            unit: [
                plain(value) if kind in ("baseline", "prediction") else signed(value)
                for value, kind in zip(parts["value"], parts["kind"], strict=True)
            ],
        }
    ).set_index("Part")
    agreement = stability_of(run)
    verdicts = {
        term_label(row["modality"], row["shared_with"]): row["verdict"]
        for row in agreement.to_dict("records")
    }
    shown["Restarts and folds"] = [verdicts.get(part, "") for part in parts["part"]]
    right.table(shown)
    right.markdown(
        "The baseline is the prediction for an average sample. Each contribution says how far "
        "this sample's modality moves it: plain bars alone, hatched bars with another modality. "
        "Together they are the prediction, exactly. What restarts or folds disagree on is called "
        "unstable: do not build on it."
    )


study = current_study()
st.title("Samples")
run = finished_run()
with told():
    dataset, contributions = dataset_of(study.id), contributions_of(run)
    predictions = predictions_of(run)
    table = _typical(contributions, predictions)
    if table.empty:
        table = _table(dataset, predictions)
    else:
        table = table.drop(columns="other" if table["other"].isna().all() else [])
    if table.empty:
        st.info("No sample fits: find less, or show all samples.")
    else:
        sample = _pick(table)
        st.session_state["sample"] = sample
        st.query_params["sample"] = sample
        _explain(sample, dataset, contributions, predictions)
