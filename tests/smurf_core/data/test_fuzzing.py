"""Changed files give the project's own error or a data set, in bounded time and memory.

2,000 files by default; SMURF_FUZZ=100000 tries that many, and `python -m tests.fuzzing` shows more.
"""

import os

import pytest

from smurf_core.data.importing.assembly import assemble, guess_mapping
from smurf_core.data.readers.registry import READERS, find_sources, reader_title
from smurf_core.errors import InputError
from tests.fuzzing.seeds import SEEDS
from tests.fuzzing.trying import try_files

COUNT = int(os.environ.get("SMURF_FUZZ", "2000"))
PARTS = 8
_MOST_GROWN = 300 * 1024**2


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("part", range(PARTS))
def test_changed_files_are_read_or_refused(part, tmp_path):
    tried = try_files(COUNT // PARTS, tmp_path, seed=part)
    assert [f"{f.name}, number {f.number}: {f.error}" for f in tried.findings] == []
    assert tried.grown < _MOST_GROWN
    assert tried.read > COUNT // PARTS // 20  # changes leave some files as good as they were


def test_there_is_a_file_for_every_reader(tmp_path):
    titles = set()
    for name, make in SEEDS.items():
        if not name.endswith(".yaml"):
            (tmp_path / name).write_bytes(make())
            titles.add(reader_title(*find_sources([tmp_path / name])))
    missing = {reader.title for reader in READERS} - titles
    assert len(titles) >= 15, missing


@pytest.mark.parametrize("name", ["plain.csv", "odd.csv", "tabs.tsv", "blanks.txt", "study.xlsx",
                                  "study.parquet", "mmsa.pkl", "cache.pickle"])  # fmt: skip
def test_unchanged_files_can_be_used(name, tmp_path):
    (tmp_path / name).write_bytes(SEEDS[name]())
    sources = find_sources([tmp_path])
    try:
        assert len(assemble(sources, guess_mapping(sources)).dataset) >= 10
    except InputError as error:
        pytest.fail(str(error))
