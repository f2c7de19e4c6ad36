"""A file is recognised once, however many questions an import has about it."""

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smurf_core.data.importing.assembly import assemble, guess_mapping
from smurf_core.data.readers import delimited
from smurf_core.data.readers.registry import READERS, find_sources, read, recognise
from smurf_core.data.sources import SourceFile

N = 30


def made(folder: Path) -> tuple[SourceFile, ...]:
    ids = [f"clip{k:02d}" for k in range(N)]
    random = np.random.default_rng(2)
    for name, columns in (("labels", ["valence"]), ("audio", ["f0", "f1"]), ("video", ["g0"])):
        table = pd.DataFrame(random.normal(size=(N, len(columns))), columns=columns)
        table.insert(0, "clip", ids)
        if name == "video":
            table.to_parquet(folder / "video.parquet")
        else:
            table.to_csv(folder / f"{name}.csv", index=False)
    return find_sources([folder])


def test_guess_and_import_recognise_each_file_once(tmp_path, monkeypatch):
    asked: Counter[tuple[str, str]] = Counter()
    for reader in READERS:
        kind = type(reader)
        plain = kind.recognises

        def counted(self, source, head, plain=plain, kind=kind):
            asked[kind.__name__, source.name] += 1
            return plain(self, source, head)

        monkeypatch.setattr(kind, "recognises", counted)
    sources = made(tmp_path)
    assembly = assemble(sources, guess_mapping(sources))
    assert len(assembly.dataset) == N
    assert {name for _, name in asked} == {source.name for source in sources}
    # The readers of MMSA and of CSD are asked a second time in the order of all readers.
    assert max(asked.values()) <= 2
    assert sum(asked.values()) <= len(sources) * (len(READERS) + 2)


def test_a_file_of_text_is_opened_to_be_recognised_and_read_only(tmp_path):
    sources = made(tmp_path)
    opened: Counter[str] = Counter()
    is_counting = True

    def count(event: str, details: tuple[object, ...]) -> None:
        if is_counting and event == "open" and Path(str(details[0])).parent == tmp_path:
            opened[Path(str(details[0])).name] += 1

    sys.addaudithook(count)
    mapping = guess_mapping(sources)
    assemble(sources, mapping)
    is_counting = False
    # To recognise it, as a list of ids, for its encoding (a mark, all bytes) and header; then the
    # first rows, all rows, and the checksum.
    assert opened["labels.csv"] <= 8


@pytest.mark.parametrize(("rows", "parsed"), [(60, 1), (1_500, 2)])
def test_few_long_rows_are_read_once_for_the_preview_and_the_import(
    tmp_path, monkeypatch, rows, parsed
):
    random = np.random.default_rng(0)
    table = pd.DataFrame(random.normal(size=(rows, 40)), columns=[f"f_{k}" for k in range(40)])
    table.insert(0, "clip", [f"c{k:04d}" for k in range(rows)])
    table.to_csv(tmp_path / "t.csv", index=False)
    read_rows: list[int] = []
    plain = delimited._table

    def counted(source, dialect, whole):
        read_rows.append(len(next(iter(whole.values()))))
        return plain(source, dialect, whole)

    monkeypatch.setattr(delimited, "_table", counted)
    source = SourceFile("t.csv", tmp_path / "t.csv")
    (preview,), (whole,) = read(source, rows=20), read(source)
    assert (len(preview.frame), len(whole.frame)) == (20, rows)
    assert len(read_rows) == parsed
    pd.testing.assert_frame_equal(preview.frame, whole.frame.head(20))
    # It is not kept after that: a third call reads the file again.
    assert read(source)[0].frame.equals(whole.frame)
    assert len(read_rows) == parsed + 1


def test_what_is_known_of_a_file_belongs_to_it_alone(tmp_path):
    (tmp_path / "a.csv").write_text("id,x\na,1\n")
    first = SourceFile("a.csv", tmp_path / "a.csv")
    assert recognise(first).table is not None
    second = SourceFile("a.csv", tmp_path / "a.csv")
    assert second.known == {}
    assert first == second


@pytest.mark.parametrize("name", ["labels.csv", "video.parquet"])
def test_a_table_is_neither_a_study_nor_frames(tmp_path, name):
    made(tmp_path)
    found = recognise(SourceFile(name, tmp_path / name))
    assert (found.study, found.frames) == (None, None)
    assert found.table is not None
