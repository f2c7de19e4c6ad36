"""Progress, agreement as it grows, and raters who look careless; refreshed while open."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.loading_ratings import agreement_of, growth_of, quality_of, traces_of
from app.state.callbacks import callback
from app.widgets.downloads import download_view
from app.widgets.figures import FIGURE_CONFIG
from app.widgets.messages import escaped
from smurf_core.plot.ratings import growth_line, progress_heatmap
from smurf_core.ratings.agreement import FEWEST_CLIPS
from smurf_core.ratings.answers import all_fields
from smurf_core.ratings.store import Collection
from smurf_core.ratings.tables import act_table, progress_table
from smurf_core.ratings.traces.collected import has_traces
from smurf_core.reporting.numbers import plain
from smurf_core.reporting.trace_sentence import lag_sentences, trace_sentence

_REFRESH = 3.0  # seconds


def watch_tab(collection: Collection) -> None:
    """What has come in; live while the collection is open and people rate."""
    is_live = collection.is_open and not collection.is_simulated
    st.fragment(_live, run_every=_REFRESH if is_live else None)(collection)
    _traced(collection)
    _careless(collection)


def _live(collection: Collection) -> None:
    progress = progress_table(collection)
    totals = progress.groupby("condition", sort=False)[["needed", "rated", "open"]].sum()
    rated, needed = int(totals["rated"].sum()), int(totals["needed"].sum())
    st.progress(min(1.0, rated / max(needed, 1)), f"{rated:,} of {needed:,} ratings")
    st.plotly_chart(progress_heatmap(progress), key="rating_progress", config=FIGURE_CONFIG)
    table = agreement_of(collection)
    if table.empty:  # Nothing but traces is asked.
        return
    if not table["alpha"].notna().any():
        most = int(table["shared"].max()) if len(table) else 0
        st.info(
            f"Agreement is shown when {FEWEST_CLIPS} clips of a condition have two ratings: so "
            f"far, {most} have."
        )
        return
    st.dataframe(_agreement(table), hide_index=True, width="stretch", key="rating_agreement")
    download_view(_agreement(table), "agreement")
    fields = all_fields(collection.design_version().design)
    known = table[table["alpha"].notna()]
    options = [(str(c), str(k)) for c, k in zip(known["condition"], known["key"], strict=True)]
    condition, key = st.selectbox(
        "Agreement as it grows", options, format_func=" · ".join,
        key=f"growth_{collection.id}", width=360,
    )  # fmt: skip
    growth = growth_of(collection, key, condition)
    if len(growth):
        is_words = fields[key].measure == "nominal"
        title = "Krippendorff's α" if is_words else "ICC(2,k)"
        st.plotly_chart(growth_line(growth, title), key="rating_growth", config=FIGURE_CONFIG)


def _agreement(table: pd.DataFrame) -> pd.DataFrame:
    """Agreement as text: a number with its 95% interval, a dash where it is not defined."""

    def interval(row: pd.Series[Any], name: str) -> str:
        low, high = (plain(row[f"{name}_{end}"], 2) for end in ("low", "high"))
        number = plain(row[name], 2)
        return number if number == "–" else f"{number} [{low}, {high}]"

    return pd.DataFrame(
        {
            "Condition": table["condition"],
            "Question": table["key"],
            "Clips": table["clips"],
            "Rated twice": table["shared"],
            "Raters": table["raters"],
            "Ratings": table["ratings"],
            "ICC(2,k)": [interval(row, "icc") for _, row in table.iterrows()],
            "Krippendorff's α": [interval(row, "alpha") for _, row in table.iterrows()],
        }
    )


def _traced(collection: Collection) -> None:
    """What the traces show: agreement over time, and how late each rater is."""
    for account in traces_of(collection) if has_traces(collection.design_version().design) else ():
        st.markdown(escaped(trace_sentence(account)))
        if lags := lag_sentences(account):
            with st.expander(f"Lags of {account.traces.scale.name}"):
                st.markdown(escaped("\n".join(lags)).replace("\n", "  \n"))


def _careless(collection: Collection) -> None:
    """Marks with numbers; only a click with a reason excludes, and it is recorded."""
    quality = quality_of(collection)
    if quality.empty:
        return
    st.subheader("Raters")
    marked = quality[quality["marks"] != ""]
    for row in marked.itertuples():
        st.warning(escaped(f"Rater {row.rater}: {row.marks}."))
    if marked.empty:
        st.markdown("No rater is marked as careless.")
    a, b, c = st.columns([1, 3, 1], vertical_alignment="bottom")
    rater = a.selectbox("Rater", quality["rater"].tolist(), key=f"exclude_{collection.id}")
    why = b.text_input("Reason, which is part of the export", key=f"why_{collection.id}")
    is_out = bool(quality.set_index("rater")["excluded"].get(rater, False))
    c.button(
        "Include again" if is_out else "Exclude", key=f"act_{collection.id}", width="stretch",
        on_click=callback(collection.include if is_out else collection.exclude), args=(rater, why),
    )  # fmt: skip
    acts = act_table(collection)
    done = acts[acts["what"].isin(["excluded", "included"])]
    for who, what, reason in done[["rater", "what", "why"]].to_numpy().tolist():
        st.markdown(escaped(f"Rater {who} was {what}: {reason or 'no reason given'}"))
