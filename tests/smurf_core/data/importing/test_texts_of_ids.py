"""Ids, persons, folds and splits keep their text, whatever their column is read as."""

import numpy as np
import pandas as pd
import pytest

from smurf_core.data.importing.assembly import StudyMapping, assemble
from smurf_core.data.readers.registry import find_sources, read
from smurf_core.data.sources import SourceFile
from smurf_core.data.texts import as_text
from smurf_core.errors import InputError

# Each list merges or changes if its cells pass through a float.
IDS = {
    "nineteen digits": [str(1290000000000000000 + 7 * k) for k in range(20)],
    "twenty-five digits": [str(10**24 + k) for k in range(20)],
    "seventeen digits": [str(2**53 + k) for k in range(20)],
    "dotted": [f"{k // 12 + 1}.{k % 12 + 1}" for k in range(24)],
    "leading zeros": [f"{k:04d}" for k in range(20)],
    "one with a letter": [*(str(k) for k in range(19)), "3a"],
    "plain": [str(k) for k in range(20)],
}


def written(ids, path):
    """A study in which the first feature is the id's position."""
    random = np.random.default_rng(0)
    table = pd.DataFrame(random.normal(size=(len(ids), 4)), columns=["a_0", "a_1", "v_0", "v_1"])
    table.insert(0, "id", ids)
    table["valence"] = random.normal(size=len(ids))
    match path.suffix:
        case ".csv":
            table.to_csv(path, index=False)
        case ".tsv":
            table.to_csv(path, index=False, sep="\t")
        case ".xlsx":
            table.to_excel(path, index=False)
        case ".parquet":
            table.to_parquet(path)
        case ".npz":
            arrays = {name: table[name].to_numpy() for name in table if name != "id"}
            np.savez(path, id=np.array(ids), **arrays)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".xlsx", ".parquet", ".npz"])
@pytest.mark.parametrize("kind", IDS)
def test_ids_are_read_as_they_were_written(kind, suffix, tmp_path):
    path = written(IDS[kind], tmp_path / f"study{suffix}")
    (table,) = read(SourceFile(path.name, path))
    assert table.text("id").tolist() == IDS[kind]


@pytest.mark.parametrize("suffix", [".parquet", ".npz"])
@pytest.mark.parametrize("kind", ["int64", "uint64"])
def test_typed_whole_numbers_beyond_a_float_are_not_changed(kind, suffix, tmp_path):
    ids = np.array([2**60 + 1 + k for k in range(20)], dtype=kind)
    if kind == "uint64":
        ids += 2**63
    path = written(ids, tmp_path / f"study{suffix}")
    (table,) = read(SourceFile(path.name, path))
    assert table.text("id").tolist() == [str(int(number)) for number in ids]


def test_ids_of_a_study_are_the_texts_of_its_files(tmp_path):
    ids = IDS["dotted"]
    written(ids, tmp_path / "study.csv")
    data = assemble(find_sources([tmp_path])).dataset
    assert data.sample_ids.tolist() == ids


def test_texts_of_files_that_are_one_table_are_kept(tmp_path):
    rows = {"train": slice(0, 12), "valid": slice(12, 18), "test": slice(18, 24)}
    written(IDS["dotted"], tmp_path / "all.csv")
    table = pd.read_csv(tmp_path / "all.csv", dtype={"id": str})
    (tmp_path / "all.csv").unlink()
    for split, part in rows.items():
        table.iloc[part].to_csv(tmp_path / f"study_{split}.csv", index=False)
    data = assemble(find_sources([tmp_path])).dataset
    assert data.sample_ids.tolist() == IDS["dotted"]


def test_persons_and_folds_keep_their_texts(tmp_path):
    written(IDS["plain"] + ["20"], tmp_path / "study.csv")
    table = pd.read_csv(tmp_path / "study.csv", dtype=str)
    persons = ["1.1", "1.10", "1.2"] * 7
    table.assign(person=persons, fold=persons).to_csv(tmp_path / "study.csv", index=False)
    data = assemble(find_sources([tmp_path])).dataset
    assert data.persons.tolist() == persons
    assert len(data.folds) == 3


def test_a_person_whose_initials_are_na_is_a_person_and_that_is_reported(tmp_path):
    written(IDS["plain"], tmp_path / "study.csv")
    table = pd.read_csv(tmp_path / "study.csv", dtype=str)
    persons = ["AB", "NA", "CD", "EF"] * 5
    table.assign(person=persons).to_csv(tmp_path / "study.csv", index=False)
    assembly = assemble(find_sources([tmp_path]))
    assert assembly.dataset.persons.tolist() == persons
    shown = " ".join(str(problem) for problem in assembly.problems)
    assert "(person) have cells 'NA'. It was read as a name" in shown


def test_na_among_other_words_is_a_missing_value(tmp_path):
    written(IDS["plain"], tmp_path / "study.csv")
    table = pd.read_csv(tmp_path / "study.csv", dtype=str)
    table.assign(person=["Anna", "NA", "Bert", "Carl"] * 5).to_csv(
        tmp_path / "study.csv", index=False
    )
    mapping = StudyMapping(
        id="id", target="valence", person="person", modalities={"a": ("a_*",), "v": ("v_*",)}
    )
    with pytest.raises(InputError, match="the person is missing for 5 samples"):
        assemble(find_sources([tmp_path]), mapping)


def test_numbers_as_text_do_not_overflow():
    assert as_text(pd.Series([1.0, 2.0, np.nan])).tolist()[:2] == ["1", "2"]
    assert as_text(pd.Series([1e300, 1.0])).tolist() == ["1e+300", "1.0"]


def test_features_of_a_wide_table_keep_no_texts(tmp_path):
    values = np.round(np.random.default_rng(0).uniform(size=(5, 200)), 2)
    table = pd.DataFrame(values, columns=[f"f{k}" for k in range(200)])
    table.insert(100, "clip_id", ["1.1", "1.2", "1.3", "1.10", "1.20"])
    table.to_csv(tmp_path / "wide.csv", index=False, float_format="%.2f")
    (found,) = read(SourceFile("wide.csv", tmp_path / "wide.csv"))
    assert "clip_id" in found.texts
    assert len(found.texts) < 20
