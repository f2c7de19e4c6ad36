"""Complete deletion: afterwards no file of the workspace names what was forgotten."""

import sqlite3
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file

from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.data.media import MediaSettings
from smurf_core.errors import InputError
from smurf_core.ratings.catalogue import create_collection
from smurf_core.ratings.defaults import default_design
from smurf_core.runs import slices, store, studies
from smurf_core.runs.doctor import examine
from smurf_core.runs.forgetting import forget
from smurf_core.runs.workspace import Workspace
from tests.studio import result_of, trained

PERSON = "person-quokka"


@pytest.fixture(scope="module")
def filled(tmp_path_factory) -> Path:
    """A study with clips, slices, ratings and runs of two kinds; person 3 is the one to forget."""
    home = Workspace(tmp_path_factory.mktemp("home") / "smurf")
    data = synthetic_additive(samples=80)
    names = ("audio", "text", "vision")
    data = replace(data, features=dict(zip(names, data.features.values(), strict=True)), factors={})
    persons = np.repeat([f"p{i}" for i in range(16)], 5)
    persons[15:20] = PERSON[:3]
    persons = np.where(persons == PERSON[:3], PERSON, persons.astype("U20"))
    ids = np.where(persons == PERSON, np.char.add("clip-quokka-", data.sample_ids), data.sample_ids)
    table = pd.DataFrame({"transcript": [f"said by {p}" for p in persons]}, index=ids)
    data = replace(
        data, sample_ids=ids, persons=persons, samples=table, notes=(f"With {PERSON}.",),
        judgments={frozenset({"audio"}): data.target.astype(np.float32)},
    )  # fmt: skip
    study = trained(home, data, "smurf", "exclusive")
    clips = home.study_folder(study) / "media"
    clips.mkdir()
    for name in ids.tolist():
        (clips / f"{name}.wav").write_bytes(b"RIFF")
    studies.set_media(home, study, MediaSettings(str(clips)))
    slices.add_slice(home, study, "mixed", ids[10:20], origin="a table")
    slices.remember_selection(home, study, ids[15:18], origin="a figure")
    create_collection(home, study, default_design(data, language="en"), clips=ids[:40].tolist())
    with home.connect() as connection:
        connection.execute(
            "UPDATE study SET problems = ?",
            (f'[{{"severity": "note", "message": "Row 3 names {PERSON}."}}]',),
        )
    (home.root / "worker.log").write_text(f"about {PERSON}")
    (home.root / "features" / "0a").mkdir(parents=True)
    (home.root / "features" / "0a" / "tracked.csv").write_text(f"the face of {PERSON}")
    return home.root


def everything(root: Path) -> str:
    """The content of all files, decoded as far as their formats go."""
    found = []
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        found += [path.name, path.read_bytes().decode("latin-1")]
        if path.suffix == ".parquet":
            table = pq.ParquetFile(path).read()
            found.append(str(table.schema.metadata))
            found += [str(column.to_pylist()) for column in table.columns]
        elif path.suffix == ".safetensors":
            found.append(str(list(load_file(path))))
        elif path.suffix == ".sqlite":
            with sqlite3.connect(path) as connection:
                found += list(connection.iterdump())
                if path.name == "smurf.sqlite":
                    packed = connection.execute("SELECT sample_ids FROM slice").fetchall()
                    found += [zlib.decompress(row[0]).decode() for row in packed]
    return "\n".join(found)


@pytest.mark.parametrize("delete_runs", [False, True])
def test_no_file_names_a_forgotten_person(filled, copied_home, delete_runs):
    home = copied_home(filled)
    (study,) = (s for s in studies.list_studies(home))
    clips = home.study_folder(study.id) / "media"
    studies.set_media(home, study.id, MediaSettings(str(clips)))
    assert "quokka" in everything(home.root)
    runs = store.list_runs(home)
    before = {run.id: result_of(home, run).contributions() for run in runs}
    found = forget(home, study.id, persons=[PERSON], delete_runs=delete_runs)
    assert "quokka" not in everything(home.root)
    assert found.samples == 5
    data = studies.load_study(home, study.id)
    assert (len(data), studies.get_study(home, study.id).samples) == (75, 75)
    assert len(data.judgments[frozenset({"audio"})]) == 75
    assert len(list(clips.glob("*.wav"))) == 75
    (kept,) = slices.list_slices(home, study.id)
    assert (kept.name, kept.count) == ("mixed", 5)
    assert examine(home).problems == ()
    if delete_runs:
        assert store.list_runs(home) == []
        assert set(found.deleted) == set(before)
        return
    assert set(found.marked) == set(before)
    for run in store.list_runs(home):
        assert "Trained before 5 samples were removed" in run.note
        result = result_of(home, run)
        np.testing.assert_array_equal(result.sample_ids, data.sample_ids)
        assert result.data_fingerprint == data.fingerprint
        then = before[run.id].select(data.sample_ids)
        np.testing.assert_array_equal(result.contributions().values, then.values)


def test_what_cannot_be_forgotten_is_refused_and_nothing_changes(filled, copied_home):
    home = copied_home(filled)
    (study,) = (s.id for s in studies.list_studies(home))
    for named, words in (
        ({}, "at least one"),
        ({"persons": ["nobody"]}, "no person 'nobody'"),
        ({"samples": ["nothing"]}, "no sample 'nothing'"),
        ({"persons": [PERSON, *(f"p{i}" for i in range(16) if i != 3)]}, "whole study"),
    ):
        with pytest.raises(InputError, match=words):
            forget(home, study, **named)
    run = store.list_runs(home)[0]
    waiting = store.create_run(home, study, run.config)
    with pytest.raises(InputError, match="cancel it first"):
        forget(home, study, persons=[PERSON])
    store.request_cancel(home, waiting)
    assert len(studies.load_study(home, study)) == 80
    first = studies.load_study(home, study).sample_ids[0]
    assert forget(home, study, samples=[str(first)]).samples == 1
