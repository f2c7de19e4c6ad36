"""Downloads of tables."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from smurf_core.runs.table_files import csv_text


def download_view(frame: pd.DataFrame, name: str) -> None:
    """A button that saves a table as CSV exactly as it is shown: the same rows, order, columns."""
    st.download_button(
        "CSV",
        data=lambda: csv_text(frame, index=not isinstance(frame.index, pd.RangeIndex)
                                  and frame.index.name is not None),
        file_name=f"{name}.csv",
        mime="text/csv",
        key=f"download_{name}",
        icon=":material/download:",
        on_click="ignore",
        help=f"These {len(frame):,} rows as a CSV file.",
    )  # fmt: skip
