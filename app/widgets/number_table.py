"""Tables with numbers as all other text has them: true minus signs, and a dash for none."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from smurf_core.reporting.numbers import MINUS, plain, signed

# Each number that comes with its text costs about 20 µs in every run of a page.
_MOST_NUMBERS = 4_000
_PRINTF = re.compile(r"%(\+?)\.(\d)([fg])")


def show_table(
    table: pd.DataFrame,
    *,
    key: str,
    column_config: Mapping[str, ColumnConfig | str | None],
    height: int | Literal["auto"] = "auto",
    on_select: Literal["ignore", "rerun"] | Callable[[], None] = "ignore",
    selection_mode: Literal["single-row", "multi-row"] = "multi-row",
) -> Any:
    """Show a table without its index; returns what `st.dataframe` returns.

    Every format of numbers that Streamlit's browser offers has a hyphen for minus. Text that comes
    with a number is shown in its place, if its column has no format, and the column still sorts
    as numbers. Numbers of long tables keep Streamlit's format.
    """
    columns: dict[str, Any] = dict(column_config)
    texts: dict[Any, Any] = {
        name: text
        for name, column in columns.items()
        if name in table and (text := _text_of(column)) and bool((table[name] < 0).any())
    }
    shown: Any = table
    if texts and len(table) * len(texts) <= _MOST_NUMBERS:
        shown = table.reset_index(drop=True).style.format(texts)
        for name in texts:
            kind = {**columns[name]["type_config"], "format": None}
            columns[name] = {**columns[name], "type_config": kind}
    return st.dataframe(
        shown, hide_index=True, width="stretch", height=height, on_select=on_select,
        selection_mode=selection_mode, key=key, column_config=columns, placeholder="–",
    )  # fmt: skip


def _text_of(column: Any) -> Callable[[float], str] | None:
    """How a column of numbers writes one of them; None if it has no such format."""
    kind = column.get("type_config") if isinstance(column, dict) else None
    form = kind["format"] if kind and kind["type"] == "number" else None
    if form == "percent":
        return _percent
    found = _PRINTF.fullmatch(form or "")
    if found is None:
        return None
    sign, digits, style = found[1], int(found[2]), found[3]
    if style == "f":
        return partial(signed if sign else plain, digits=digits)
    return lambda value: f"{value:{sign}.{digits}g}".replace("-", MINUS)


def _percent(share: float) -> str:
    """As Streamlit writes shares: at most two digits after the point."""
    return f"{round(100 * share, 2) + 0.0:.6g}%".replace("-", MINUS)
