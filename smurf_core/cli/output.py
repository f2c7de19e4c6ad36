"""The output of commands: the console, tables, and the format of numbers and times."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table

from smurf_core.durable import abandoned_in

# A file or a pipe has no width, so tables are not limited to 80 columns there.
out = Console(highlight=False, width=None if sys.stdout.isatty() else 160)


def new_table(*columns: str, title: str | None = None) -> Table:
    """An empty table whose first column is never cut."""
    table = Table(*columns, title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.columns[0].no_wrap = True
    return table


def name_written(target: Path, files: Iterable[Path]) -> None:
    """Print the files of an export to a new folder, and what earlier ones have left beside it."""
    for path in files:
        out.print(str(path), markup=False)
    name_leftovers(target)


def name_leftovers(written: Path) -> None:
    """Name what a killed export or backup has left in the folder of one that was written."""
    for path in abandoned_in(written.absolute().parent):
        out.print(
            f"An export or backup that was cut off left {path}: delete it.", markup=False,
            soft_wrap=True,
        )  # fmt: skip


def number(value: float, digits: int = 3) -> str:
    """A number, or a dash for NaN."""
    return "–" if np.isnan(value) else f"{value:.{digits}f}"


def spread(mean: float, sd: float) -> str:
    """Mean ± standard deviation, as far as they are defined."""
    return number(mean) if np.isnan(mean) or np.isnan(sd) else f"{mean:.3f} ± {sd:.3f}"


def clock(seconds: float | None) -> str:
    """A local time from seconds since 1970."""
    return "–" if seconds is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def print_table(table: pd.DataFrame, title: str) -> None:
    """Print a table as it is, numbers shortened."""
    shown = new_table(*map(str, table.columns), title=title)
    for row in table.itertuples(index=False):
        shown.add_row(*(number(v) if isinstance(v, float) else str(v) for v in row))
    out.print(shown)
