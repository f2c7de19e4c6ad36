"""How many clips and raters: what collections of some sizes would show, by simulation."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.sections.ratings.collections import progress_bar
from app.widgets.downloads import download_view
from app.widgets.messages import show_errors
from app.widgets.page_head import answer
from smurf_core.errors import InputError
from smurf_core.plot.ratings import power_lines
from smurf_core.ratings.power import Expected, Size, power_table, smallest
from smurf_core.reporting.numbers import plain
from smurf_core.runs.studies import StudyInfo

_TITLES = {
    "clips": "Clips", "raters_per_cell": "Raters per clip and condition", "raters": "Raters in all",
    "hours_per_rater": "Hours per rater", "hours": "Hours of all", "power": "Power",
    "r": "r", "width": "Width of its interval", "ceiling": "Ceiling of r",
}  # fmt: skip


def power_tab(study: StudyInfo, persons: int | None) -> None:
    """Ask for assumptions, simulate, and show the sizes as a picture and a table."""
    with st.form(f"power_{study.id}", border=False):
        a, b, c, d, e = st.columns(5)
        icc = a.number_input(
            "ICC of single raters", 0.01, 1.0, 0.4, 0.05,
            help="Their agreement: of a pilot (icc_single of an export), or a guess.",
        )  # fmt: skip
        unique = b.number_input(
            "Unique share", 0.01, 0.99, 0.25, 0.05,
            help="Share of the target's variance that only the modality in question has.",
        )  # fmt: skip
        r = c.number_input(
            "r without error", -0.99, 0.99, 0.6, 0.05,
            help="Of learned with human unique contributions, if raters made no errors.",
        )  # fmt: skip
        conditions = d.number_input("Conditions", 1, 10, 4)
        people = e.number_input("Persons in the clips", 5, 10_000, max(5, persons or 20))
        a, b, c, d = st.columns(4)
        clips = a.text_input("Clips", "60 120 240")
        raters = b.text_input("Raters per clip and condition", "1 3 6")
        wanted = c.number_input("Wanted power", 0.05, 0.99, 0.8, 0.05)
        width = d.number_input("Widest interval of r", 0.0, 2.0, 0.0, 0.05, help="0: any width.")
        asked = st.form_submit_button("Simulate")
    key = f"power_table_{study.id}"
    with show_errors():
        if asked:
            expected = Expected(icc=icc, unique=unique, r=r)
            sizes, cells = _counts(clips, "Clips"), _counts(raters, "Raters")
            size = Size(max(sizes), int(people), 1, int(conditions))
            table = power_table(
                expected, size, clips=sizes, raters_per_cell=cells, persons=[int(people)],
                draws=200, progress=progress_bar("Simulated sizes"),
            )  # fmt: skip
            if table.empty:
                raise InputError("Every size has more persons than clips: plan more clips.")
            st.session_state[key] = (table, wanted, width)
        if key in st.session_state:
            _show(*st.session_state[key])


def _show(table: pd.DataFrame, wanted: float, width: float) -> None:
    try:
        row = table.iloc[smallest(table, power=wanted, width=width or None)]
        each = f"{row['raters_per_cell']:.0f} rater" + ("" if row["raters_per_cell"] == 1 else "s")
        found = (
            f"{row['clips']:.0f} clips with {each} per clip and condition are enough under "
            f"these assumptions: {row['raters']:.0f} raters, "
            f"{row['hours']:.1f} hours in all."
        )
    except InputError as error:
        found = str(error)
    answer(found)
    st.plotly_chart(power_lines(table, wanted), key="power_figure")
    shown = table[list(_TITLES)].rename(columns=_TITLES)
    for title in ("Hours per rater", "Hours of all", "Power", "r", "Width of its interval",
                  "Ceiling of r"):  # fmt: skip
        shown[title] = [plain(value, 2) for value in shown[title]]
    st.dataframe(shown, hide_index=True, width="stretch", key="power_sizes")
    download_view(shown, "sizes")
    st.markdown(
        ":small[Medians of 200 simulated studies per row; power is the share with p < 0.05.]"
    )


def _counts(text: str, what: str) -> list[int]:
    try:
        found = [int(part) for part in text.replace(",", " ").split()]
    except ValueError:
        found = []
    if not found:
        raise InputError(f"{what}: write whole numbers separated by spaces.")
    return found
