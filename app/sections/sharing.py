"""Which modalities share something: the sets that a run offered, and which of them are there."""

from __future__ import annotations

import streamlit as st

from app.loading import result_of
from app.widgets.downloads import download_view
from app.widgets.figures import FIGURE_CONFIG
from app.widgets.messages import escaped
from app.widgets.number_table import show_table
from app.widgets.page_head import answer
from smurf_core.plot.who_shares import sharers_label, sharing_bars
from smurf_core.reporting.explanations import explain
from smurf_core.reporting.numbers import percent, plain
from smurf_core.reporting.sharing import sharing_sentence
from smurf_core.runs.store import RunInfo


def sharing(run: RunInfo, *, is_answer: bool = False) -> None:
    """The sentence, a figure and all numbers, of a run whose kind selects sets."""
    found = result_of(run).sharing
    if found is None or found.empty:
        return
    if is_answer:
        answer(sharing_sentence(found))
    else:
        st.markdown(f"**{escaped(sharing_sentence(found))}**", help=explain("sharing"))
    st.plotly_chart(
        sharing_bars(found),
        key="sharing",
        config=FIGURE_CONFIG,
        alt="One bar per set of modalities: how far its members agree",
    )
    st.markdown(
        "Bars: r of the members' contributions on samples that did not train them, over all folds. "
        "Grey sets are not there: their members disagree, another modality knows what they say, or "
        "they do not help to predict."
    )
    with st.expander("Numbers"):
        labels = [
            sharers_label(sharers, size)
            for sharers, size in zip(found["sharers"], found["size"], strict=True)
        ]
        shown = found.drop(columns="unique_known", errors="ignore").assign(
            sharers=labels,
            agreement=found["agreement"].map(plain),
            share=found["share"].map(lambda share: percent(share, 1)),
            probability=found["probability"].map(lambda value: plain(value, 2)),
        )
        text = st.column_config.TextColumn
        show_table(
            shown,
            key="sharing_table",
            column_config={
                "sharers": "Set",
                "size": "Members",
                "agreement": text("Agreement (r)", help=explain("sharing_agreement")),
                "share": text("Share of variance", help=explain("sharing_share")),
                "known_to_others": st.column_config.NumberColumn(
                    "Known to others (r)", format="%.2f", help=explain("sharing_known")
                ),
                "probability": text("Probability", help=explain("sharing_probability")),
                "is_there": st.column_config.CheckboxColumn("Is there"),
            },
        )
        download_view(found, "sharing")
