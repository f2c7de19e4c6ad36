"""The first nine cards of a list side by side: the paper's Table 6, as figure and LaTeX."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st

from app.loading import cards_of, contributions_of
from app.widgets.downloads import download_view
from smurf_core.plot.cards import card_gallery
from smurf_core.plot.report_figures import ReportFigure, image_files
from smurf_core.reporting.cards import sample_card
from smurf_core.reporting.gallery import SHOWN, gallery_table
from smurf_core.reporting.latex import tabular
from smurf_core.runs.store import RunInfo


def show_gallery(run: RunInfo, ids: np.ndarray, title: str) -> None:
    """Nine cards from the list, from the open sample on, and buttons that save them."""
    distinct = list(dict.fromkeys(map(str, ids)))
    pages = -(-len(distinct) // SHOWN)
    first = 1
    if pages > 1:
        first = st.number_input(
            f"Cards {SHOWN} by {SHOWN}: part (of {pages:,})", 1, pages, 1, key="gallery_part",
            width=260,
        )  # fmt: skip
    chosen = distinct[(first - 1) * SHOWN : first * SHOWN]
    cards = [sample_card(cards_of(run), sample) for sample in chosen]
    figure = card_gallery(cards, contributions_of(run).modalities)
    table = gallery_table(cards, title)
    st.plotly_chart(
        figure, key="gallery", config={"displayModeBar": False},
        alt=f"Cards of {len(cards)} samples: " + " ".join(card.sentence for card in cards),
    )  # fmt: skip
    with st.container(horizontal=True):
        drawn = ReportFigure(table.title, table.caption, figure)
        for ending, mime in (("png", "image/png"), ("svg", "image/svg+xml")):
            st.download_button(
                ending.upper(), key=f"gallery_{ending}", icon=":material/image:", mime=mime,
                data=partial(_image, drawn, ending),
                file_name=f"examples.{ending}", on_click="ignore",
            )  # fmt: skip
        st.download_button(
            "LaTeX", key="gallery_tex", icon=":material/functions:", mime="text/x-tex",
            data=lambda: tabular(table), file_name="examples.tex", on_click="ignore",
        )  # fmt: skip
        download_view(table.numbers, "examples")


def _image(figure: ReportFigure, ending: str) -> bytes:
    """The gallery as one file."""
    return image_files({"examples": figure})[f"examples.{ending}"]
