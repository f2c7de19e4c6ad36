"""Parts of the page *New samples*: drop files, and what a run predicts for the samples in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from app.loading import verdicts_of
from app.loading_samples import new_predictions_of
from app.sections.study.uploads import forget_uploads, keep_uploads
from app.state.address import in_address, kept, write
from app.state.callbacks import callback
from app.state.session import moment, why_not, workspace
from app.widgets.downloads import download_table
from app.widgets.messages import escaped, facts, show_errors, show_problems
from app.widgets.number_table import show_table
from app.widgets.page_head import answer
from smurf_core.evaluation.samples import term_column
from smurf_core.evaluation.verdicts import GOOD
from smurf_core.plot.contributions import breakdown, waterfall
from smurf_core.predictions import Predictions
from smurf_core.reporting.numbers import plain, signed, term_label
from smurf_core.runs.new_samples import (
    SavedPredictions,
    delete_predictions,
    list_predictions,
    save_predictions,
)
from smurf_core.runs.predicting import predict_files
from smurf_core.runs.store import RunInfo

_SET, _SAMPLE = "new_set", "new_sample"
_UPLOADS, _GENERATION = "kept_new_samples", "new_samples_generation"
_TITLES = {
    "sample_id": "Sample",
    "person": "Person",
    "prediction": "Prediction",
    "spread": "Spread over folds",
    "probability": "Probability",
    "absent": "Absent modalities",
    "missing": "Missing features",
    "outside": "Features out of range",
    "outside_features": "Which",
    "outlying": "Far from training data",
}


def saved_sets(run: RunInfo) -> list[SavedPredictions]:
    """All that the run has predicted for new samples, newest first."""
    return list_predictions(workspace(), run.id)


def set_picker(saved: Sequence[SavedPredictions]) -> SavedPredictions | None:
    """Ask which files' predictions are shown; None if there are none yet."""
    if not saved:
        return None
    by_id = {one.id: one for one in saved}
    in_address("set", _SET, list(by_id), saved[0].id)
    chosen = st.selectbox(
        "Files", list(by_id), key=_SET, label_visibility="collapsed",
        format_func=lambda key: (
            f"{by_id[key].name} · {by_id[key].samples:,} · {moment(by_id[key].created)}"
        ),
        help="What this run has predicted for new files, newest first.",
    )  # fmt: skip
    return by_id[chosen]


def drop_files(run: RunInfo, *, is_first: bool) -> None:
    """Ask for files, predict their samples, and keep what was predicted beside the run."""
    place = st.container() if is_first else st.expander("Predict more files", icon=":material/add:")
    with place:
        generation = st.session_state.setdefault(_GENERATION, 0)
        files = st.file_uploader(
            "Drop files of features, with the columns of the study's own files; no target is "
            "needed",
            accept_multiple_files=True,
            key=f"new_files_{generation}",
        )
        st.markdown(
            "Any format that an import reads: CSV, Parquet, Excel, openSMILE, OpenFace, arrays "
            "and more. From recordings, extract features first: `smurf extract audio`, "
            "`smurf extract text` or `smurf extract video`. The same files give the same numbers "
            "with `smurf predict`."
        )
        if not files:
            keep_uploads([], _UPLOADS)
            return
        with show_errors():
            sources = keep_uploads(files, _UPLOADS)
            forbidden = why_not("editor", run.study_id)  # Predictions are kept with the run.
            if st.button(
                "Predict", type="primary", key="predict", disabled=bool(forbidden), help=forbidden
            ):
                with st.spinner("Reading the files and predicting…", show_time=True):
                    found = predict_files(workspace(), run.id, sources)
                    saved = save_predictions(
                        workspace(), run.id, [source.name for source in sources], found
                    )
                forget_uploads(_UPLOADS)
                st.session_state[_GENERATION] = generation + 1
                st.session_state["next_new_set"] = saved.id
                st.rerun()


def settle_set() -> None:
    """Show what was predicted last; called before the picker."""
    if (newest := st.session_state.pop("next_new_set", None)) is not None:
        st.session_state[_SET] = newest
        st.session_state.pop(_SAMPLE, None)
        write("new_sample", None)


def show_set(run: RunInfo, saved: SavedPredictions, *, is_open: bool) -> None:
    """The predictions of one set as a table, and the parts of the chosen one."""
    found = new_predictions_of(run, saved.id)
    answer(found.summary())
    whole = found.to_frame()
    table = shown_table(found, whole, is_open=is_open)
    if is_open:
        left, right = st.columns([1, 1])
        with left:
            at = _table(table, saved, is_open=True)
            _actions(run, saved, found, is_open=True)
        with right:
            _card(run, found, whole, at)
    else:
        _table(table, saved, is_open=False)
        _actions(run, saved, found, is_open=False)
    if found.problems:
        st.subheader("What was missing in the files")
        show_problems(found.problems)


def shown_table(found: Predictions, whole: pd.DataFrame, *, is_open: bool) -> pd.DataFrame:
    """Columns of `found.to_frame()` that say something, and unique contributions where allowed."""
    said = {"absent", "missing", "outside", "outside_features", "outlying"}
    empty = [name for name in said & set(whole) if not whole[name].astype(bool).any()]
    table = whole.drop(columns=empty)
    if not is_open:
        return table
    contributions = found.contributions
    values = contributions.identified_terms()
    best = contributions.prediction().argmax(axis=1)
    rows = np.arange(len(values))
    alone = {
        term_column(*term.names[1:]): np.where(
            found.absent[:, contributions.index(term.source[0])], np.nan, values[rows, t, best]
        )
        for t, term in enumerate(contributions.terms)
        if term.is_unique and term.order == 1
    }
    return table.assign(**alone)


def _table(table: pd.DataFrame, saved: SavedPredictions, *, is_open: bool) -> int:
    """The table; returns the row of the sample that is open."""
    ids = table["sample_id"].tolist()
    key = f"new_samples_{saved.id}"

    def open_chosen() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        if rows:
            st.session_state[_SAMPLE] = ids[rows[0]]

    if not is_open:
        show_table(table, height=400, key=key, column_config=_config(table))
        return 0
    show_table(
        table, height=400, key=key, column_config=_config(table),
        on_select=open_chosen, selection_mode="single-row",
    )  # fmt: skip
    wanted = kept("new_sample", _SAMPLE)
    at = ids.index(wanted) if wanted in ids else 0
    st.session_state[_SAMPLE] = ids[at]
    write("new_sample", ids[at])
    return at


def _config(table: pd.DataFrame) -> dict[str, ColumnConfig | str | None]:
    config: dict[str, ColumnConfig | str | None] = {}
    for name in map(str, table.columns):
        title = _TITLES.get(name, name)
        is_float = pd.api.types.is_float_dtype(table[name])
        config[name] = st.column_config.NumberColumn(title, format="%.3f") if is_float else title
    return config


def _card(run: RunInfo, found: Predictions, whole: pd.DataFrame, at: int) -> None:
    """One new sample: its prediction with the spread, marks, and the parts of the prediction."""
    contributions = found.contributions
    row = whole.iloc[at]
    classes = contributions.outputs
    output = int(contributions.prediction()[at].argmax())
    if contributions.is_classification:
        unit = f"Logit of {classes[output]}"
        shown = {"Prediction": f"{classes[output]} ({row['probability']:.0%})"}
    else:
        unit = f"Contribution to {classes[0]}"
        shown = {
            "Prediction": plain(row["prediction"]),
            _TITLES["spread"]: plain(row["spread"]),
        }
    marks = {"absent": "Absent", "outside_features": "Out of range", "outlying": "Far"}
    shown |= {title: row[name] for name, title in marks.items() if row.get(name)}
    st.markdown(f"#### Sample {escaped(row['sample_id'])}")
    facts(shown)
    one = contributions.select(np.array([at]))
    parts = breakdown(one, 0, output)
    verdicts = {
        term_label(each["modality"], each["shared_with"]): each["verdict"]
        for each in verdicts_of(run).to_dict("records")
    }
    pale = {part for part, verdict in verdicts.items() if verdict not in GOOD}
    st.plotly_chart(
        waterfall(parts, one.modalities, unit, pale=pale),
        key="new_waterfall",
        config={"displayModeBar": False},
        alt="Waterfall from the baseline through every contribution to the prediction",
    )
    absent = set(np.array(one.modalities)[found.absent[at]])
    gone = {term_label(*term.names[1:]) for term in one.terms if absent & set(term.source)}
    spreads = {
        term_label(*term.names[1:]): float(found.spread[at, t, output])
        for t, term in enumerate(one.terms)
    }
    with st.expander("The parts as numbers"):
        st.table(
            pd.DataFrame(
                {
                    "Part": parts["part"],
                    unit: [
                        "not recorded"
                        if part in gone
                        else (signed if part in verdicts else plain)(value)
                        for part, value in zip(parts["part"], parts["value"], strict=True)
                    ],
                    "Spread over folds": [
                        plain(spreads[part]) if part in spreads and part not in gone else ""
                        for part in parts["part"]
                    ],
                    "Verdict": [verdicts.get(part, "") for part in parts["part"]],
                }
            ).set_index("Part")
        )
    st.markdown(
        ":small[The mean of the folds' models. *Spread over folds* is their standard deviation, "
        "not an interval: for new samples this run has none. Pale: the verdict is not good; do "
        "not rely on it.]"
    )


def _actions(run: RunInfo, saved: SavedPredictions, found: Predictions, *, is_open: bool) -> None:
    tables: dict[str, Callable[[], pd.DataFrame]] = {"predictions": found.to_frame}
    if is_open:
        tables["contributions"] = found.contribution_frame
    with st.container(horizontal=True, vertical_alignment="center"):
        for name, make in tables.items():
            download_table(
                name.capitalize(), make, name, help="The table that `smurf predict` writes.",
                rows=found.contributions.values.size,
            )  # fmt: skip
        forbidden = why_not("editor", run.study_id)
        with st.popover("Delete", icon=":material/delete:", key=f"delete_popover_{saved.id}"):
            st.markdown(f"Delete the predictions for {escaped(saved.name)}? The files stay.")
            st.button(
                "Delete them", key=f"delete_set_{saved.id}", type="primary", on_click=_delete,
                args=(run.id, saved.id), disabled=bool(forbidden), help=forbidden,
            )  # fmt: skip


@callback
def _delete(run_id: str, saved_id: str) -> None:
    delete_predictions(workspace(), run_id, saved_id)
    st.session_state.pop(_SET, None)
    write("set", None)
