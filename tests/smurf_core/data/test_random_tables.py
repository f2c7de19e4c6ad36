"""Random CSV tables with one fault each are read as they are meant, or refused."""

import random
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest

from smurf_core.data.readers.registry import read
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError

DRAWS = 30
NAMES = ["pitch", "energy", "smile", "brow", "gaze", "joy", "valence"]
IDS = [
    lambda k: f"clip{k}", lambda k: f"s-{k:03d}", lambda k: f"P{k // 3}_{k % 3}",
    lambda k: f"v{k * 7919 % 1000}.mp4", lambda k: str(1000 + 7 * k),
]  # fmt: skip


class Table:
    """Ids and values that are true, and the cells that are written."""

    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.delimiter = draw.choice([",", ";", "\t"])
        decimal = "," if self.delimiter == ";" and draw.random() < 0.5 else "."
        of, n = draw.choice(IDS), draw.randint(4, 14)
        columns = draw.sample(NAMES, draw.randint(2, 6))
        values = [[round(draw.gauss(0, 3), draw.choice([1, 3, 5])) for _ in columns]
                  for _ in range(n)]  # fmt: skip
        self.truth = pd.DataFrame(values, index=[of(k) for k in range(n)], columns=columns)
        self.header = [draw.choice(["id", "sample_id", "clip", "file_name", "utterance"]), *columns]
        self.rows = [[name, *(str(x).replace(".", decimal) for x in row)]
                     for name, row in zip(self.truth.index, values, strict=True)]  # fmt: skip
        self.above: list[list[str]] = []

    @property
    def text(self) -> str:
        lines = [*self.above, self.header, *self.rows]
        return "".join(self.delimiter.join(line) + "\n" for line in lines)

    def anywhere(self, most: int | None = None) -> int:
        return self.draw.randrange(len(self.rows) if most is None else most)


def a_row_short(table: Table) -> None:
    table.rows[table.anywhere()].pop()


def rows_short_to_the_end(table: Table) -> None:
    for row in table.rows[table.anywhere() :]:
        row.pop()


def a_row_long(table: Table) -> None:
    table.rows[table.anywhere()].append("9")


def quotes_after_blanks(table: Table) -> None:
    table.rows = [[f' "{cell}"' for cell in row] for row in table.rows]


def means_behind_row_numbers(table: Table) -> None:
    table.rows.append(["Mean", *["1.5"] * (len(table.header) - 1)])
    table.header = ["", *table.header]
    table.rows = [[str(k), *row] for k, row in enumerate(table.rows)]


FAULTS = {
    "none": lambda t: None,
    "a name too many": lambda t: t.header.insert(t.anywhere(len(t.header)) + 1, "extra"),
    "an empty name too many": lambda t: t.header.insert(t.anywhere(len(t.header)) + 1, ""),
    "a name is missing": lambda t: t.header.pop(t.anywhere(len(t.header))),
    "a delimiter ends the header": lambda t: t.header.append(""),
    "a delimiter ends rows": lambda t: [row.append("") for row in t.rows],
    "a row is short": a_row_short,
    "rows are short to the end": rows_short_to_the_end,
    "a row is long": a_row_long,
    "an empty line": lambda t: t.rows.insert(t.anywhere(), [""]),
    "the header again": lambda t: t.rows.insert(t.anywhere(), list(t.header)),
    "units": lambda t: t.rows.insert(0, ["", *["Hz"] * (len(t.header) - 1)]),
    "a title": lambda t: t.above.append(["Study 7"]),
    "a title of two cells": lambda t: t.above.append(["Exported", "2020-01-01"]),
    "a note": lambda t: t.rows.append(["Note: all values are means"]),
    "means": lambda t: t.rows.append(["Mean", *["1.5"] * (len(t.header) - 1)]),
    "means behind row numbers": means_behind_row_numbers,
    "a comment": lambda t: t.rows.insert(t.anywhere(), ["# a comment"]),
    "quotes after blanks": quotes_after_blanks,
    "blanks": lambda t: setattr(t, "rows", [[f" {c}" for c in row] for row in t.rows]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_table_with_a_fault_is_read_as_it_is_meant_or_refused(fault, tmp_path):
    read_right = 0
    for seed in range(DRAWS):
        table = Table(random.Random(seed))  # noqa: S311 — no secret
        FAULTS[fault](table)
        path = tmp_path / ("t.tsv" if table.delimiter == "\t" else "t.csv")
        path.write_text(table.text)
        with suppress(InputError):
            (found,) = read(SourceFile(path.name, path))
            assert_right(found, table)
            read_right += 1
    assert read_right == DRAWS or fault not in ("none", "a title", "blanks", "quotes after blanks")


def assert_right(found, table: Table) -> None:
    texts = {column: found.text(column) for column in found.frame.columns}
    ids = max(texts.values(), key=lambda cells: cells.isin(table.truth.index).sum())
    said = [name for name in ids if name and name == name]
    missing = set(table.truth.index) - set(said)
    assert not missing, (missing, table.text)
    assert set(said) <= set(table.truth.index), (said, table.text)
    at = pd.Index(ids).get_indexer(table.truth.index)
    for column in table.truth.columns.intersection(found.frame.columns):
        cells = pd.to_numeric(found.frame[column], errors="coerce").to_numpy(float, na_value=np.nan)
        np.testing.assert_allclose(cells[at], table.truth[column], err_msg=table.text)
