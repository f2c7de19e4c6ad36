"""A study whose target is noise: no surface says anything that is false."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smurf_core.configuration import RunConfig
from smurf_core.data.generated.families import simulate
from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.plot.html_report import figure_files
from smurf_core.processes import worker
from smurf_core.reporting.bundle import report_of
from smurf_core.runs import store, studies
from smurf_core.runs.new_samples import delete_predictions, save_predictions
from smurf_core.runs.slices import remember_selection
from smurf_core.runs.workspace import HOME_VARIABLE, Workspace
from tests.studio import FAST, plain_text, result_of, trained
from tests.surfaces import false_claims, said_by_command, said_by_page, said_in_html, sections

PEOPLE = 12
NOTHING = "There is nothing to explain: on held-out samples, r is"
FEW = "There are too few held-out samples to explain anything: 11"


def null_study(workspace: Workspace, samples: int) -> str:
    """A target of noise, with ratings, levels and persons, and runs of two kinds."""
    random = np.random.default_rng(3)
    data = simulate("noise", samples=samples, folds=3 if samples < PEOPLE else 5)
    persons = np.array([f"p{k % PEOPLE:02d}" for k in range(samples)])
    ratings = {
        frozenset(shown): (0.4 * data.target + random.normal(size=samples)).astype(np.float32)
        for shown in ("AB", "C")
    }
    levels = {"A": random.integers(-1, 3, size=samples)}
    data = replace(data, persons=persons, judgments=ratings, informativeness=levels)
    study = studies.add_study(workspace, data)
    folds = {"fold_count": 3} if samples < PEOPLE else {}
    exclusive = RunConfig.from_preset("quick", "exclusive", clip=5.0, refits=10, **folds)
    for config in (replace(FAST, model="smurf", max_epochs=5, **folds), exclusive):
        store.create_run(workspace, study, config, jobs=1)
    return study


@pytest.fixture(scope="module")
def _null_home(tmp_path_factory) -> tuple[Path, dict[str, str]]:
    home = tmp_path_factory.mktemp("null")
    workspace = Workspace(home)
    found = {"noise": null_study(workspace, 96), "clips": null_study(workspace, 11)}
    worker.work(workspace)
    return home, found


@pytest.fixture(params=["noise", "clips"])
def null(request, _null_home, monkeypatch) -> tuple[Workspace, str, str]:
    """The workspace, the study, and how every surface begins."""
    home, found = _null_home
    monkeypatch.setenv(HOME_VARIABLE, str(home))
    start = NOTHING if request.param == "noise" else FEW
    return Workspace.default(), found[request.param], start


PAGES = (
    "findings", "overview", "samples", "timeline", "compare", "redundancy", "judgments", "missing",
    "new_samples",
)  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_pages_say_that_there_is_nothing_to_explain(open_page, null, name):
    _, study, start = null
    page = open_page(name, study=study)
    if name == "samples":
        assert plain_text(page).count(start) == 1  # Once, though a card would say it as well.
    words = said_by_page(page)
    assert start in words
    assert false_claims(words) == []
    drawn = " ".join(sections(page))
    for figure in (
        "shares", "share_matrix", "sharing", "pair_r", "two_shares", "informative_",
        "new_waterfall",
    ):  # fmt: skip
        assert f"-{figure}" not in drawn
    if name == "compare":
        assert f"Run A: {start}" in words
        assert f"Run B: {start}" in words
        assert "Verdict, run A" not in words
    if name == "judgments":
        assert "p (Holm)" not in words
        assert "human_scatter" in drawn  # What was recorded may be looked at.
    if start == FEW and name == "missing":
        assert not re.search(r"Pearson's r\s+[−\d]", words)  # Of eleven samples, it may be 0.97.
    if start == FEW and name == "compare":
        assert "Which model predicts better cannot be said: Pearson's r of" in words
        assert "What factorising costs cannot be said" in words
    if name == "redundancy":
        assert "There is nothing to divide" in words
        assert "-commonality" not in drawn
    if name == "samples":
        assert "Why: features" not in words
        assert not [box for box in page.segmented_control if box.key == "samples_list"]


def test_of_eleven_samples_no_recovery_is_shown(open_page, home):
    few, enough = (
        trained(home, synthetic_additive(samples=samples), "smurf") for samples in (11, 60)
    )
    words = said_by_page(open_page("verify", study=few))
    assert FEW in words
    assert "Mean recovery" not in words
    assert "Mean recovery" in said_by_page(open_page("verify", study=enough))


@pytest.mark.parametrize("name", ["missing", "overview"])
def test_of_a_few_selected_samples_no_score_is_shown(open_page, null, name):
    workspace, study, start = null
    few = studies.load_study(workspace, study).sample_ids[:8]
    chosen = remember_selection(workspace, study, few, origin="a test")
    words = said_by_page(open_page(name, study=study, slice=chosen))
    assert start in words
    assert not re.search(r"Pearson's r\s+[−\d]", words)


def test_new_samples_are_predicted_without_reasons(open_page, null):
    workspace, study, start = null
    run = store.list_runs(workspace, study)[0]
    predicted = result_of(workspace, run).predict(studies.load_study(workspace, study))
    saved = save_predictions(workspace, run.id, ["new.csv"], predicted)
    page = open_page("new_samples", study=study)
    assert start in said_by_page(page)
    shown = page.dataframe[0].value
    pd.testing.assert_series_equal(shown["prediction"], predicted.to_frame()["prediction"])
    assert not [name for name in shown if "alone" in name or "shared" in name]
    assert not page.get("plotly_chart")
    delete_predictions(workspace, run.id, saved.id)


def test_the_only_finding_is_that_there_is_nothing_to_explain(open_page, null):
    workspace, study, start = null
    page = open_page("findings", study=study)
    questions = [box for box in page.checkbox if box.label == "In the report"]
    assert len(questions) == 1
    run = store.list_runs(workspace, study)[0]
    shown = said_by_command("show", run.id)
    assert f"Is there anything to explain? {start}" in shown
    samples = studies.get_study(workspace, study).samples
    assert f"{samples} samples" in plain_text(page)
    assert ("figure_nothing" in " ".join(sections(page))) == (start == NOTHING)


def test_commands_say_that_there_is_nothing_to_explain(null, tmp_path):
    workspace, study, start = null
    run = store.list_runs(workspace, study)[0]
    shown = said_by_command("show", run.id)
    assert start in shown
    assert "share of variance" not in shown
    assert false_claims(shown) == []
    folder = tmp_path / "tables"
    said = said_by_command("evaluate", run.id, "--folder", str(folder), "--permutations", "10")
    sentences = (folder / "sentences.txt").read_text()
    assert sentences.startswith(start)
    assert sentences.splitlines()[0] in said
    assert false_claims(sentences) == []
    assert ",False" in (folder / "gate.csv").read_text()
    exported = said_by_command("export", run.id, "--folder", str(tmp_path / "out"))
    assert exported.startswith(start)


def test_reports_say_that_there_is_nothing_to_explain(null, monkeypatch):
    workspace, study, start = null
    monkeypatch.setenv("BROWSER_PATH", "/nonexistent")  # Images take time.
    run, other = store.list_runs(workspace, study)
    files = report_of(workspace, run, [other], extensions=[figure_files])
    texts = {
        "html": said_in_html(files["report.html"].decode()),
        "sentences": files["sentences.txt"].decode(),
        "latex": files["tables/tables.tex"].decode().replace("{-}", "-"),
        "card": files["model/model_card.md"].decode().replace("\\", ""),
    }
    for name, words in texts.items():
        assert start in " ".join(words.split()), name
        assert false_claims(words) == [], name
    printed = {path for path in files if path.endswith(".tex")}
    assert "tables/table_2_performance.tex" in printed
    for table in ("shares_of_variance", "sharing", "table_6_examples", "table_3_human_judgments"):
        assert f"tables/{table}.tex" not in printed
        assert table not in texts["latex"]
    for path in printed:
        assert false_claims(files[path].decode().replace("\\", "")) == [], path
