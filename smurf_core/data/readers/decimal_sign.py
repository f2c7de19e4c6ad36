"""Applies the decimal sign that a user names where a file's own cells do not decide it."""

from __future__ import annotations

from dataclasses import replace

from smurf_core.data.problems import Problem, listing
from smurf_core.data.readers.columns import text_column
from smurf_core.data.readers.interface import BadCell, Table
from smurf_core.data.readers.number_forms import as_plain
from smurf_core.errors import InputError


class UndecidedSign(InputError):
    """A file's cells do not show its decimal sign: the user must name it."""


def with_decimal_sign(table: Table, decimal: str) -> Table:
    """A table in which a user's decimal sign, `.` or `,`, decides what its cells left open.

    Raises `UndecidedSign` without one, because a guess could be wrong by a factor of 1000.
    """
    if not table.undecided:
        return table
    column, example = next(iter(table.undecided.items()))
    if not decimal:
        more = len(table.undecided) - 1
        others = f" (and in {more} more)" if more else ""
        raise UndecidedSign(
            f"{table.name}, column {column!r}, row {example.row}{others}: {example.text!r} may be "
            f"{example.as_thousands} or {example.as_decimal}, and no other cell decides it; name "
            "the decimal sign with --decimal '.' or --decimal ',' (in study.yaml: reading: "
            "{decimal: ','})."
        )
    read, bad = {}, dict(table.bad_cells)
    for name, open_ in table.undecided.items():
        parsed = text_column(as_plain(open_.cells, decimal)[0].fill_null(""))
        read[name] = parsed.values[: len(table.frame)]  # a preview has fewer rows
        if parsed.bad:
            bad[name] = BadCell(table.name, *parsed.bad)
    after = example.as_decimal if example.sign == decimal else example.as_thousands
    note = Problem(
        "note",
        f"{len(read)} columns ({listing(read)}) were read with the decimal sign {decimal!r}.",
        table.name,
        remedy=f"{example.text!r} is {after}.",
    )
    return replace(
        table,
        frame=table.frame.assign(**read),
        undecided={},
        bad_cells=bad,
        problems=(*table.problems, note),
        options={**table.options, "decimal": decimal},
    )
