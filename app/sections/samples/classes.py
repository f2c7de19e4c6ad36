"""Below a sample's card: what moves it from one class to another."""

from __future__ import annotations

import streamlit as st

from app.loading import cards_of, contributions_of
from app.widgets.downloads import download_view
from app.widgets.figures import FIGURE_CONFIG
from app.widgets.messages import escaped
from smurf_core.evaluation.class_difference import two_likeliest
from smurf_core.plot.contributions import breakdown, waterfall
from smurf_core.reporting.class_difference import difference_card
from smurf_core.reporting.explanations import explain
from smurf_core.runs.store import RunInfo


def show_difference(sample: str, run: RunInfo) -> None:
    """The predicted class against another one of the user's choice, part by part."""
    contributions = contributions_of(run)
    likely, second = two_likeliest(contributions, contributions.sample_ids == sample)
    others = [name for name in contributions.outputs if name != likely]
    other = st.selectbox(
        f"Why {escaped(likely)} rather than", others, index=others.index(second),
        key=f"rather_{run.id}_{sample}", width=340,
    )  # fmt: skip
    card = difference_card(cards_of(run), sample, likely, other)
    st.markdown(escaped(card.sentence), help=explain("class_difference"))
    parts = breakdown(card.contributions, 0, 0)
    parts.loc[parts.index[-1], "part"] = "Difference"
    st.plotly_chart(
        waterfall(
            parts,
            contributions.modalities,
            f"Logit of {likely} − logit of {other}",
            pale=card.doubtful,
        ),
        key="class_difference",
        config=FIGURE_CONFIG,
        alt="Waterfall of each contribution to one logit minus the other, which add up exactly",
    )
    download_view(card.table(), "class_difference")
