"""Downloads of tables."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pandas as pd
import streamlit as st

from smurf_core.runs.table_files import EXCEL_ROWS, table_bytes

# Ending → what the button is called, and the type of the file.
_FORMATS = {
    "csv": ("CSV", "text/csv"),
    "xlsx": ("Excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "parquet": ("Parquet", "application/vnd.apache.parquet"),
}


def download_view(frame: pd.DataFrame, name: str) -> None:
    """A menu that saves a table as it is shown: the same rows, order and columns."""
    is_named = not isinstance(frame.index, pd.RangeIndex) and frame.index.name is not None
    download_table(
        "Save table", lambda: frame.reset_index() if is_named else frame, name,
        rows=len(frame), help=f"These {len(frame):,} rows as one file.",
    )  # fmt: skip


def download_table(
    label: str,
    make: Callable[[], pd.DataFrame],
    name: str,
    *,
    help: str,
    rows: int = 0,
    key: str | None = None,
) -> None:
    """A menu that saves a table, which is made at a click, under a name in a choice of formats.

    With more rows than Excel takes, its button is disabled. `key` is needed where a page has
    several tables of the same name.
    """
    key = key or name
    with st.popover(label, icon=":material/download:", help=help, key=f"save_{key}"):
        for ending, (title, mime) in _FORMATS.items():
            too_long = ending == "xlsx" and rows > EXCEL_ROWS
            st.download_button(
                title,
                data=partial(_file, make, ending),
                file_name=f"{name}.{ending}",
                mime=mime,
                key=f"download_{key}_{ending}",
                on_click="ignore",
                width="stretch",
                disabled=too_long,
                help=f"Excel takes {EXCEL_ROWS:,} rows." if too_long else None,
            )


def _file(make: Callable[[], pd.DataFrame], ending: str) -> bytes:
    return table_bytes(make(), ending)
