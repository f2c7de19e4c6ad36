"""New samples: files dropped on the page are predicted as by `smurf predict`, kept and deleted."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from smurf_core.contributions import Contributions
from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.plot.contributions import breakdown
from smurf_core.runs import store, studies
from smurf_core.runs.new_samples import list_predictions, read_predictions
from smurf_core.runs.workspace import Workspace
from tests.studio import facts, figure, numbers, plain_text
from tests.surfaces import said_by_command


def feature_files(task: str, samples: int = 60) -> dict[str, bytes]:
    """One CSV file per modality of samples that no run knows: one lacks A, one is far in A."""
    data = synthetic_additive(samples=samples, seed=5, task=task)
    values = data.features["A"].values.copy()
    values[3], values[5, 0] = np.nan, 500
    features = {**data.features, "A": replace(data.features["A"], values=values)}
    files = {}
    for name, block in features.items():
        table = pd.DataFrame(block.values, columns=list(block.names))
        table.insert(0, "sample_id", [f"new{i}" for i in range(samples)])
        files[f"{name}.csv"] = table.to_csv(index=False).encode()
    return files


def dropped(page: AppTest, files: dict[str, bytes]) -> AppTest:
    """The page after files were dropped and *Predict* was clicked."""
    box = page.file_uploader[0]
    for name, content in files.items():
        box = box.upload(name, content)
    box.run()
    return page.button(key="predict").click().run()


def of_task(workspace: Workspace, task: str) -> tuple[str, store.RunInfo]:
    study = next(s for s in studies.list_studies(workspace) if s.task == task)
    return study.id, store.list_runs(workspace, study.id)[0]


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_the_page_predicts_what_the_command_predicts(open_page, trained_home, tmp_path, task):
    study, run = of_task(trained_home, task)
    page = open_page("new_samples", study=study, run=run.id)
    assert "smurf extract audio" in plain_text(page)
    files = feature_files(task)
    dropped(page, files)
    assert not page.exception
    assert not page.error
    (saved,) = list_predictions(trained_home, run.id)
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    out = tmp_path / "out"
    said = said_by_command("predict", run.id, *(str(tmp_path / n) for n in files),
                           "--output", str(out), "--format", "parquet")  # fmt: skip
    kept = read_predictions(trained_home, run.id, saved.id)
    assert kept.summary() in " ".join(said.split())
    assert kept.summary() in plain_text(page)
    for name, table in (
        ("predictions", kept.to_frame()), ("contributions", kept.contribution_frame()),
    ):  # fmt: skip
        written = pd.read_parquet(out / f"{name}.parquet")
        pd.testing.assert_frame_equal(table, written, check_exact=True, check_dtype=False)
    shown = page.dataframe[0].value
    pd.testing.assert_series_equal(shown["prediction"], kept.to_frame()["prediction"])
    assert shown.loc[3, "absent"] == "A"
    assert np.isnan(shown.loc[3, "A alone"])  # Absent: no number, also not zero.
    assert shown.loc[5, "outlying"].startswith("A: ")
    assert not list((trained_home.root / "uploads").iterdir())


def one_of(contributions: Contributions, at: int) -> Contributions:
    return contributions.select(np.array([at]))


def test_the_parts_of_the_chosen_sample_add_up_and_doubt_is_pale(open_page, trained_home):
    study, run = of_task(trained_home, "regression")
    page = dropped(open_page("new_samples", study=study, run=run.id), feature_files("regression"))
    page.session_state["new_sample"] = "new3"
    page.run()
    assert page.query_params["new_sample"] == "new3"
    (saved,) = list_predictions(trained_home, run.id)
    kept = read_predictions(trained_home, run.id, saved.id)
    parts = breakdown(one_of(kept.contributions, 3), 0, 0)
    (trace,) = figure(page, "new_waterfall")["data"]
    np.testing.assert_allclose(numbers(trace["x"]), parts["end"] - parts["start"])
    table = page.table[0].value
    assert (table.loc[table["Verdict"] == "", table.columns[0]] != "not recorded").all()
    assert table.loc["A alone", table.columns[0]] == "not recorded"
    good = table["Verdict"].isin(["", "stable", "reliable"]).to_numpy()
    np.testing.assert_array_equal(numbers(trace["marker"]["opacity"]) == 1, good)
    assert facts(page)["Absent"] == "A"
    row = kept.to_frame().iloc[3]
    assert facts(page)["Prediction"].replace("−", "-") == f"{row['prediction']:.3f}"
    assert facts(page)["Spread over folds"] == f"{row['spread']:.3f}"


def test_bad_files_are_one_sentence_and_what_was_there_stays(open_page, trained_home):
    study, run = of_task(trained_home, "regression")
    page = dropped(open_page("new_samples", study=study, run=run.id), feature_files("regression"))
    before = page.dataframe[0].value
    files = feature_files("regression")
    files["A.csv"] = files["A.csv"].replace(b"\nnew7,", b"\nnew7,loud", 1)
    dropped(page, files)
    (error,) = page.error
    said = error.value.replace("\\", "")
    assert "A.csv, column 'u_A'" in said
    assert "row 8" in said
    pd.testing.assert_frame_equal(page.dataframe[0].value, before)
    assert len(list_predictions(trained_home, run.id)) == 1
    page.file_uploader[0].set_value([]).run()
    dropped(page, {"else.csv": b"sample_id,x\na,1\nb,2\n"})
    (error,) = page.error
    assert "none of the features that the model needs" in error.value.replace("\\", "")
    assert len(list_predictions(trained_home, run.id)) == 1


def test_sets_are_listed_chosen_by_the_address_and_deleted(open_page, trained_home):
    study, run = of_task(trained_home, "regression")
    page = dropped(open_page("new_samples", study=study, run=run.id), feature_files("regression"))
    dropped(page, feature_files("regression", samples=40))
    newest, oldest = list_predictions(trained_home, run.id)
    assert (newest.samples, oldest.samples) == (40, 60)
    assert len(page.dataframe[0].value) == 40
    page = open_page("new_samples", study=study, run=run.id, set=oldest.id, new_sample="new50")
    assert len(page.dataframe[0].value) == 60
    assert "Sample new50" in plain_text(page)
    page.button(key=f"delete_set_{oldest.id}").click().run()
    assert list_predictions(trained_home, run.id) == [newest]
    assert len(page.dataframe[0].value) == 40
    page = open_page("new_samples", study=study, run=run.id, set=oldest.id)
    assert len(page.dataframe[0].value) == 40
