"""How many clips and raters: what collections of some sizes would show, by simulation."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from app.sections.ratings.collections import progress_bar
from app.widgets.downloads import download_view
from app.widgets.figures import FIGURE_CONFIG
from app.widgets.messages import show_errors
from app.widgets.page_head import answer
from smurf_core.errors import InputError
from smurf_core.plot.ratings import power_lines, share_power_line
from smurf_core.ratings.power import (
    Expected,
    Size,
    power_table,
    share_table,
    smallest,
    smallest_share,
)
from smurf_core.reporting.numbers import plain
from smurf_core.runs.studies import StudyInfo

_TITLES = {
    "clips": "Clips", "raters_per_cell": "Raters per clip and condition", "raters": "Raters in all",
    "hours_per_rater": "Hours per rater", "hours": "Hours of all", "power": "Power",
    "r": "r", "width": "Width of its interval", "ceiling": "Ceiling of r",
}  # fmt: skip
_SHARE_TITLES = {
    "unique": "Unique share",
    **{name: _TITLES[name] for name in ("power", "r", "width", "ceiling")},
}
_DRAWS = 200  # simulated studies per row


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
                draws=_DRAWS, progress=progress_bar("Simulated sizes"),
            )  # fmt: skip
            if table.empty:
                raise InputError("Every size has more persons than clips: plan more clips.")
            at = _enough(table, wanted, width)
            row = table.iloc[len(table) - 1 if at is None else at]
            chosen = replace(
                size, clips=int(row["clips"]), raters_per_cell=int(row["raters_per_cell"])
            )
            shares = share_table(
                expected, chosen, draws=_DRAWS, progress=progress_bar("Simulated shares")
            )
            st.session_state[key] = (table, at, wanted, chosen, shares)
        if key in st.session_state:
            table, at, wanted, chosen, shares = st.session_state[key]
            _show_sizes(table, at, wanted)
            _show_shares(shares, wanted, chosen)


def _enough(table: pd.DataFrame, wanted: float, width: float) -> int | None:
    """The row of the smallest size that has what is wanted; None: no size of the table has."""
    try:
        return smallest(table, power=wanted, width=width or None)
    except InputError:
        return None


def _show_sizes(table: pd.DataFrame, at: int | None, wanted: float) -> None:
    """What sizes would show; `at` is the row of the smallest that is enough, if any is."""
    if at is None:
        answer("None of these sizes is large enough: compare larger ones.")
    else:
        row = table.iloc[at]
        answer(
            f"{row['clips']:.0f} clips with {_raters(row['raters_per_cell'])} per clip and "
            f"condition are enough under these assumptions: {row['raters']:.0f} raters, "
            f"{row['hours']:.1f} hours in all."
        )
    st.plotly_chart(power_lines(table, wanted), key="power_figure", config=FIGURE_CONFIG)
    _show_table(table[list(_TITLES)].rename(columns=_TITLES), "sizes")


def _show_shares(shares: pd.DataFrame, wanted: float, size: Size) -> None:
    """How small a unique share the chosen size would find."""
    try:
        found = f"a unique share of {smallest_share(shares, wanted):.0%} or more"
    except InputError:
        found = f"no unique share up to {shares['unique'].max():.0%}"
    answer(
        f"{size.clips} clips with {_raters(size.raters_per_cell)} per clip and condition find "
        f"{found} with a power of {wanted:g}, under these assumptions."
    )
    st.plotly_chart(share_power_line(shares, wanted), key="share_figure", config=FIGURE_CONFIG)
    table = shares[list(_SHARE_TITLES)].rename(columns=_SHARE_TITLES)
    table["Unique share"] = [f"{share:.0%}" for share in table["Unique share"]]
    _show_table(table, "shares")
    st.markdown(
        f":small[Medians of {_DRAWS} simulated studies per row; power is the share of them with "
        "p < 0.05.]"
    )


def _raters(count: float) -> str:
    return f"{count:.0f} rater" + ("" if count == 1 else "s")


def _show_table(table: pd.DataFrame, name: str) -> None:
    shown = table.copy()
    for title in shown.select_dtypes("float"):
        shown[title] = [plain(value, 2) for value in shown[title]]
    st.dataframe(shown, hide_index=True, width="stretch", key=f"power_{name}")
    download_view(shown, name)


def _counts(text: str, what: str) -> list[int]:
    """Numbers in the order of size: where none is enough, the last is the largest."""
    try:
        found = [int(part) for part in text.replace(",", " ").split()]
    except ValueError:
        found = []
    if not found:
        raise InputError(f"{what}: write whole numbers separated by spaces.")
    return sorted(set(found))
