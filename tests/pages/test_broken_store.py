"""What cannot be read is shown as such, can be deleted, and never takes a page down."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from streamlit.testing.v1 import AppTest

from app.widgets import waiting
from smurf_core.data.generated.simulated import simulated_affect
from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.runs import demo, slices, store, studies
from smurf_core.runs.workspace import Workspace
from tests.studio import PAGES, text, trained

ROOT = Path(__file__).resolve().parents[2]
# These show what is in a run's files; *Compare* needs two runs, *Judgments* has none here.
EXPLORING = ("overview", "redundancy", "samples", "missing", "compare", "verify")


def opened(**query: str) -> AppTest:
    test = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=60)
    for key, value in query.items():
        test.query_params[key] = value
    test.run()
    assert not test.exception
    return test


def visited(page: AppTest, name: str) -> AppTest:
    page.switch_page(str(ROOT / "pages" / f"{name}.py")).run()
    assert not page.exception, name
    return page


def errors(page: AppTest) -> str:
    return "\n".join(error.value for error in page.error).replace("\\", "")


def press(page: AppTest, start: str, position: int = 0) -> AppTest:
    keys = [button.key for button in page.button if (button.key or "").startswith(start)]
    page.button(key=keys[position]).click().run()
    assert not page.exception
    return page


def rewrite(path: Path, change) -> None:
    path.write_text(json.dumps(change(json.loads(path.read_text()))))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def newest(workspace: Workspace) -> store.RunInfo:
    return store.list_runs(workspace)[0]


def set_config(workspace: Workspace, run: str, config: str) -> None:
    with workspace.connect() as connection:
        connection.execute("UPDATE run SET config = ? WHERE id = ?", (config, run))


def test_runs_whose_entry_cannot_be_read_are_shown_with_the_reason_and_deleted(trained_home):
    study = newest(trained_home).study_id
    config = newest(trained_home).config
    zapped, mangled, odd = (
        store.create_run(trained_home, study, config, name=name) for name in ("zap", "cut", "odd")
    )
    store.request_cancel(trained_home, odd)
    set_config(trained_home, zapped, json.dumps({**config.to_dict(), "zap": 1}))
    set_config(trained_home, mangled, '{"model": "smurf", ')
    with trained_home.connect() as connection:
        connection.execute("UPDATE run SET status = 'paused' WHERE id = ?", (odd,))
    page = opened(study=study)
    assert not set(page.selectbox(key="run").options) & {zapped, mangled, odd}
    for name in PAGES:
        visited(page, name)
        assert not page.error, name
    shown = text(visited(page, "train"))
    (warning,) = page.warning
    assert warning.value.startswith("3 runs cannot be read.")
    for word in ("zap", "JSON", "paused"):
        assert word in shown
    assert len(page.dataframe[0].value) == 2
    for left in (2, 1, 0):
        press(page, "delete_broken_run")
        assert len(store.list_broken_runs(trained_home)) == left
    assert not page.warning
    press(page, "undo_run")
    assert len(store.list_broken_runs(trained_home)) == 1
    assert len(page.warning) == 1


def test_every_page_opens_where_the_only_run_cannot_be_read(trained_home):
    study = next(s for s in studies.list_studies(trained_home) if s.task == "classification").id
    (run,) = store.list_runs(trained_home, study)
    set_config(trained_home, run.id, "null")
    page = opened(study=study, run=run.id)
    for name in PAGES:
        visited(page, name)
        assert not page.error, name
        assert f"The run '{run.id}' cannot be read" in page.warning[0].value.replace("\\", "")
    assert "1 run cannot be read" in visited(page, "train").warning[1].value


def without_numbers(run: Path) -> None:
    """The files as a training that failed silently would have written them."""
    path = run / "fold_1.safetensors"
    arrays = load_file(path)
    save_file(
        {k: np.full_like(a, np.nan) if k.endswith("/values") else a for k, a in arrays.items()},
        path,
    )
    for file in (run / "fold_1.json", run / "result.json"):
        rewrite(file, lambda found: {k: v for k, v in found.items() if "checksum" not in k})


def flip(path: Path) -> None:
    """Change one bit in the middle, which most readers do not notice."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def some_without_numbers(run: Path) -> None:
    """The same, of a few samples only."""
    path = run / "fold_0.safetensors"
    arrays = load_file(path)
    for name in arrays:
        if name.endswith("/values"):
            arrays[name][:3] = np.nan
    save_file(arrays, path)
    for file in (run / "fold_0.json", run / "result.json"):
        rewrite(file, lambda found: {k: v for k, v in found.items() if "checksum" not in k})


# Files of a finished run as a full disk, an interrupted copy or a later version leaves them.
RESULTS = {
    "result.json is missing": lambda run: (run / "result.json").unlink(),
    "result.json is cut off": lambda run: truncate(run / "result.json"),
    "result.json is a list": lambda run: rewrite(run / "result.json", lambda _: [1]),
    "result.json lacks a field": lambda run: rewrite(
        run / "result.json", lambda r: {k: v for k, v in r.items() if k != "outputs"}
    ),
    "an unknown field in its settings": lambda run: rewrite(
        run / "result.json", lambda r: {**r, "config": {**r["config"], "zap": 1}}
    ),
    "an unknown model": lambda run: rewrite(
        run / "result.json", lambda r: {**r, "config": {**r["config"], "model": "smurf_9"}}
    ),
    "a later format": lambda run: rewrite(run / "result.json", lambda r: {**r, "format": 99}),
    "weights are cut off": lambda run: truncate(run / "fold_1.safetensors"),
    "weights are missing": lambda run: (run / "fold_1.safetensors").unlink(),
    "weights are empty": lambda run: (run / "fold_1.safetensors").write_bytes(b""),
    "a fold is missing": lambda run: (run / "fold_1.json").unlink(),
    "samples are missing": lambda run: (run / "samples.parquet").unlink(),
    "candidates are cut off": lambda run: truncate(run / "fold_0.candidates.parquet"),
    "curves are missing": lambda run: (run / "fold_0.curves.parquet").unlink(),
    "the folder is missing": shutil.rmtree,
    "contributions have no numbers": without_numbers,
    "some contributions have no numbers": some_without_numbers,
    "a bit of result.json": lambda run: rewrite(
        run / "result.json", lambda r: {**r, "seconds": r["seconds"] + 1}
    ),
    "a bit of the weights": lambda run: flip(run / "fold_1.safetensors"),
    "a bit of the samples": lambda run: flip(run / "samples.parquet"),
    "a bit of the candidates": lambda run: flip(run / "fold_0.candidates.parquet"),
}


@pytest.mark.parametrize("kind", RESULTS)
def test_every_page_shows_a_sentence_where_a_result_cannot_be_read(trained_home, kind):
    run = newest(trained_home)
    RESULTS[kind](trained_home.run_folder(run.id))
    page = opened(study=run.study_id, run=run.id)
    for name in PAGES:
        visited(page, name)
        if name in EXPLORING:
            assert str(trained_home.run_folder(run.id)) in errors(page), name
    assert len(visited(page, "report").error) == 1  # In place of what could be built.
    visited(page, "train")
    assert len(page.error) == 1
    assert "cannot be read" in page.dataframe[0].value.to_string()
    press(page, f"delete_{run.id}")
    assert run.id not in {r.id for r in store.list_runs(trained_home)}
    assert not page.error


# Of the exclusive kind, which has files of its own.
EXCLUSIVE = {
    "what is shared is cut off": lambda run: truncate(run / "sharing.parquet"),
    "what is shared is missing": lambda run: (run / "sharing.parquet").unlink(),
    "a bit of the refits": lambda run: flip(run / "refits.safetensors"),
    "refits are missing": lambda run: (run / "refits.safetensors").unlink(),
}


@pytest.fixture(scope="module")
def exclusive_home(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("exclusive")
    trained(Workspace(home), synthetic_additive(samples=80), "exclusive")
    return home


@pytest.mark.parametrize("kind", EXCLUSIVE)
def test_every_page_shows_a_sentence_where_a_file_of_the_exclusive_kind_is_bad(
    exclusive_home, copied_home, kind
):
    home = copied_home(exclusive_home)
    run = newest(home)
    EXCLUSIVE[kind](home.run_folder(run.id))
    page = opened(study=run.study_id, run=run.id)
    for name in PAGES:
        visited(page, name)
        if name in EXPLORING:
            assert str(home.run_folder(run.id)) in errors(page), name
    press(visited(page, "train"), f"delete_{run.id}")
    assert not page.error


STUDIES = {
    "the folder is missing": shutil.rmtree,
    "the description is missing": lambda folder: (folder / "dataset.json").unlink(),
    "the description is a list": lambda folder: rewrite(folder / "dataset.json", lambda _: [1]),
    "the description is of another kind": lambda folder: rewrite(
        folder / "dataset.json", lambda d: {**d, "modalities": 7}
    ),
    "features are cut off": lambda folder: truncate(folder / "features_0.parquet"),
    "columns are missing": lambda folder: (folder / "columns.parquet").unlink(),
    "a bit of the columns": lambda folder: flip(folder / "columns.parquet"),
    "another name of a target": lambda folder: rewrite(
        folder / "dataset.json", lambda d: {**d, "notes": "changed"}
    ),
}


@pytest.mark.parametrize("kind", STUDIES)
def test_every_page_shows_a_sentence_where_a_studys_data_cannot_be_read(trained_home, kind):
    run = newest(trained_home)
    STUDIES[kind](trained_home.study_folder(run.study_id))
    page = opened(study=run.study_id, run=run.id)
    for name in PAGES:
        visited(page, name)
        assert f"The study in {trained_home.study_folder(run.study_id)}" in errors(page), name
    press(visited(page, "study"), "delete")
    assert run.study_id not in {study.id for study in studies.list_studies(trained_home)}
    assert not page.error


def test_studies_whose_entry_cannot_be_read_are_shown_and_deleted(trained_home):
    broken = studies.list_studies(trained_home)[0]
    with trained_home.connect() as connection:
        connection.execute("UPDATE study SET modalities = '7' WHERE id = ?", (broken.id,))
    page = opened(study=broken.id)
    for name in PAGES:
        visited(page, name)
        assert f"The study '{broken.id}' cannot be read" in errors(page), name
    assert page.selectbox(key="study").value is None  # Nothing else is opened in its place.
    visited(page, "study")
    assert page.warning[0].value.startswith("1 study cannot be read.")
    assert "list of modalities" in text(page)
    press(page, "delete_broken_study")
    assert studies.list_broken_studies(trained_home) == []
    assert not page.warning


def test_the_app_opens_where_no_study_can_be_read(home, monkeypatch):
    opened()
    with home.connect() as connection:
        connection.execute("UPDATE study SET task = 'ranking'")
    monkeypatch.setattr(demo, "simulated_affect", lambda **_: simulated_affect(samples=60))
    monkeypatch.setattr(waiting, "launch", lambda _: None)  # Nothing is trained for this test.
    page = opened()
    assert page.selectbox(key="study").value == "demo"


def test_a_slice_that_cannot_be_read_leaves_the_pages_and_is_deleted(trained_home):
    run = newest(trained_home)
    samples = studies.load_study(trained_home, run.study_id).sample_ids
    good, bad = (
        slices.add_slice(trained_home, run.study_id, name, samples[:9], origin="a table")
        for name in ("good", "bad")
    )
    with trained_home.connect() as connection:
        connection.execute("UPDATE slice SET sample_ids = 'junk' WHERE id = ?", (bad,))
    page = opened(study=run.study_id, run=run.id, slice=bad)
    for name in PAGES:
        visited(page, name)
    assert "slice 'bad' cannot be read" in errors(visited(page, "overview"))
    page.selectbox(key=f"scope_{run.study_id}").set_value(good).run()
    assert not page.exception
    assert "good · 9" in page.selectbox(key=f"scope_{run.study_id}").options
    visited(page, "study")
    assert page.warning[0].value.startswith("1 slice cannot be read.")
    press(page, "delete_broken_slice")
    assert [s.id for s in slices.list_slices(trained_home, run.study_id)] == [good]
    assert not page.warning


@pytest.mark.parametrize("kind", ["later", "no database"])
def test_a_store_that_cannot_be_opened_is_one_sentence(home, kind):
    if kind == "later":
        with home.connect() as connection:
            connection.execute("PRAGMA user_version = 99")
    else:
        home.database.write_bytes(b"not SQLite" * 500)
    page = opened()
    assert len(page.error) == 1
    assert ("later version" if kind == "later" else "cannot be opened") in errors(page)


def test_the_command_line_lists_what_cannot_be_read(trained_home, capsys):
    from smurf_core.cli import app

    run = newest(trained_home)
    set_config(trained_home, run.id, "null")
    app(["runs"], standalone_mode=False)
    shown = capsys.readouterr().out
    assert "unreadable" in shown
    assert f"{run.id} cannot be read. Its settings" in shown
