"""Every page with runs whose sets the data select: none, pairs, and a set of three."""

import re
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import t

from smurf_core.data.generated.families import simulate
from smurf_core.data.generated.family import Family
from smurf_core.evaluation.gate import gate
from smurf_core.evaluation.redundancy import variance_shares
from smurf_core.evaluation.sample_map import sample_map
from smurf_core.evaluation.verdicts import good_terms, verdicts
from smurf_core.exclusive.redone import refitted_folds
from smurf_core.exclusive.solved_again import solvable_run
from smurf_core.explained import explained
from smurf_core.processes import worker
from smurf_core.reporting.sentences import score_text
from smurf_core.reporting.shape_sentences import map_sentence, shape_sentence
from smurf_core.runs import store, studies
from smurf_core.runs.workspace import Workspace
from smurf_core.shapes import feature_rises, shapes
from tests.shared_sets import CONFIG, SIZES
from tests.studio import FAST, PAGES, figure, numbers, opened_tab, plain_text, result_of, text


@pytest.fixture(scope="module")
def _solved_home(tmp_path_factory) -> Path:
    """One study per family, each with a trained run and, newest, a solved one."""
    home = tmp_path_factory.mktemp("solved")
    workspace = Workspace(home)
    for family, samples in SIZES.items():
        study = studies.add_study(workspace, simulate(family, samples=samples))
        store.create_run(workspace, study, FAST, jobs=1)
        store.create_run(workspace, study, CONFIG, jobs=1)
    worker.work(workspace)
    return home


@pytest.fixture
def solved_home(_solved_home, copied_home) -> Workspace:
    return copied_home(_solved_home)


@pytest.fixture
def read_solved_home(_solved_home, shared_home) -> Workspace:
    """The workspace itself, for tests that only read."""
    return shared_home(_solved_home)


def study_of(home: Workspace, family: str) -> str:
    (found,) = [s for s in studies.list_studies(home) if s.name == f"Simulated, {family}"]
    return found.id


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("family", SIZES)
def test_every_page_opens_on_a_solved_run(open_page, read_solved_home, name, family):
    page = open_page(name, study=study_of(read_solved_home, family))
    assert not page.error
    words = text(page)
    for table in (*page.dataframe, *page.table):
        cells = table.value.astype(object).to_numpy().ravel()
        words += "\n" + "\n".join(cell for cell in cells if isinstance(cell, str))
    assert "None" not in words
    assert not re.search(r"\bnan\b", words, re.IGNORECASE)


def test_redundancy_names_the_sets_first(open_page, solved_home):
    page = open_page("redundancy", study=study_of(solved_home, "pair_and_triple"))
    said = plain_text(page)
    assert "the members of 2 agree on what they share: A and B; A, B and C." in said
    opened_tab(page, "redundancy_tab", "Sets that were tried")
    bars, words = figure(page, "sharing")["data"]
    assert bars["y"] == ["A and B", "A and C", "B and C", "A, B and C"]
    assert [word[0] for word in words["text"]] == ["✓", "n", "n", "✓"]  # or: not there
    opened_tab(page, "redundancy_tab", "All pairs")
    cells = figure(page, "share_matrix_1")["data"][0]
    assert cells["x"] == ["A", "B", "C", "B and C", "A and C", "A and B"]
    opened_tab(page, "redundancy_tab", "Two sides")
    box = page.selectbox(key="redundancy_pair")
    assert box.options[:2] == ["A and B", "A and B, of A, B and C"]
    box.set_value("A and C, of A, B and C").run()
    assert not page.exception
    study = study_of(solved_home, "pair_and_triple")
    run = next(r for r in store.list_runs(solved_home, study) if r.config.kind.is_solved)
    found = result_of(solved_home, run).contributions()
    triple = found.sets()[1]
    points = figure(page, "pair_scatter_1_A_C_of")["data"][0]
    np.testing.assert_allclose(numbers(points["x"]), found.of(triple[0])[:, 0], rtol=1e-6)
    np.testing.assert_allclose(numbers(points["y"]), found.of(triple[2])[:, 0], rtol=1e-6)


def test_redundancy_says_that_nothing_is_shared(open_page, home):
    nothing = Family("Unique factors.", 3, {"A": 1.0, "B": 1.0, "C": 1.0})
    study = studies.add_study(home, simulate(nothing, samples=200))
    store.create_run(home, study, CONFIG, jobs=1)
    worker.work(home)
    for name in PAGES:
        page = open_page(name, study=study)
        assert not page.error, name
        if name == "redundancy":
            assert "No modalities share anything that their members agree on." in plain_text(page)
            assert set(figure(page, "sharing")["data"][1]["text"]) == {"not there"}


def test_a_sample_shows_its_intervals_and_every_set(open_page, solved_home):
    study = study_of(solved_home, "pair_and_triple")
    page = open_page("samples", study=study)
    opened_tab(page, "samples_tab", "Details")
    table = page.table[0].value
    assert "A, shared with B and C" in table.index
    run = next(r for r in store.list_runs(solved_home, study) if r.config.kind.is_solved)
    result = result_of(solved_home, run)
    # Student's t with one degree of freedom less than there are samples, as no persons are known.
    width = t.ppf(0.975, 299) * result.refits.spread[0, 0, 0]
    assert table["±"].iloc[:2].tolist() == ["", f"{width:.3f}"]
    assert figure(page, "matrix_1")["data"][0]["x"][3] == "B and C"
    opened_tab(page, "samples_tab", "Sample")
    for finding in ("redundant", "unique"):
        page.segmented_control(key="samples_list").set_value(finding).run()
        assert not page.exception
        listed = page.dataframe[0].value
        assert len(listed) == 50
        assert listed["score"].is_monotonic_decreasing
        assert f"Sample {listed['sample_id'].iloc[0]}" in text(page)


def test_a_solved_run_says_that_nothing_was_trained(open_page, solved_home):
    study = study_of(solved_home, "pair_and_triple")
    assert "Solved, nothing was trained" in text(open_page("train", study=study))
    page = open_page("compare", study=study)
    opened_tab(page, "compare_tab", "Learning curves")
    assert "Solved, not trained" in text(page)
    opened_tab(page, "compare_tab", "Runs A and B")
    assert "Only in run A: A, shared with B and C" in plain_text(page)


def test_curves_of_features_have_a_band_from_refits(open_page, read_solved_home):
    study = study_of(read_solved_home, "pair_and_triple")
    page = opened_tab(open_page("overview", study=study), "overview_tab", "Features")
    drawn = figure(page, "shapes")["data"]
    lines = [line for line in drawn if line.get("name") == ""]
    assert lines
    assert len([line for line in drawn if line.get("fill") == "toself"]) == len(lines)
    run = store.list_runs(read_solved_home, study)[0]
    result, data = result_of(read_solved_home, run), studies.load_study(read_solved_home, study)
    feature = feature_rises(result, data, "A")["feature"][0]
    alone = shapes(result, data, "A", feature, refitted=refitted_folds(result, data))[0]
    low_then_high = numbers(drawn[0]["y"])
    np.testing.assert_allclose(low_then_high[: len(alone.curve)], alone.curve - alone.half_width)
    assert shape_sentence(alone, "reliable") in plain_text(page)


@pytest.mark.parametrize("family", ["pair_and_triple", "three_classes"])
def test_a_solved_run_is_solved_again_without_samples_and_with_another_weight(
    open_page, read_solved_home, family
):
    study = study_of(read_solved_home, family)
    page = opened_tab(open_page("overview", study=study), "overview_tab", "Solve again")
    assert "The run stays as it is" in plain_text(page)
    assert not [chart for chart in page.get("plotly_chart") if "-again_shares" in chart.proto.id]
    run = store.list_runs(read_solved_home, study)[0]
    result, data = result_of(read_solved_home, run), studies.load_study(read_solved_home, study)
    (box,) = page.multiselect
    left_out = box.options[:5]
    box.set_value(left_out).run()
    names = data.sample_ids if data.persons is None else data.persons
    again = solvable_run(result, data).again(np.isin(names, left_out))
    shares = variance_shares(again)
    shares = shares[shares["output"] == shares["output"].iloc[0]]
    drawn = next(d for d in figure(page, "again_shares")["data"] if d.get("name") == "without")
    np.testing.assert_allclose(np.sort(numbers(drawn["x"])), np.sort(shares["share"]))
    assert "Solved again without 5 of them" in plain_text(page)
    assert score_text(gate(explained(again, data))) in plain_text(page)
    assert page.query_params["without"] == ",".join(left_out)
    (slider,) = (s for s in page.select_slider if s.label == "λ")
    slider.set_value("10").run()
    assert "λ 10 in every fold" in plain_text(page)
    assert page.query_params["lambda"] == "10"
    (box,) = page.multiselect
    box.set_value(box.options[: len(box.options) * 4 // 5]).run()
    assert "would keep less than half of its training samples" in page.error[0].value


def test_a_trained_run_is_not_solved_again(open_page, read_home):
    page = open_page("overview", study=studies.list_studies(read_home)[0].id)
    assert "Solve again" not in [tab.label for tab in page.tabs]


def test_the_map_has_all_samples_and_a_link_opens_one_beside_it(open_page, read_solved_home):
    study = study_of(read_solved_home, "pair_and_triple")
    page = open_page("samples", study=study, tab="Map", sample="s000007")
    run = store.list_runs(read_solved_home, study)[0]
    result = result_of(read_solved_home, run)
    found = explained(result, studies.load_study(read_solved_home, study))
    good = good_terms(verdicts(result, found), found.contributions)
    placed = sample_map(found, good)
    points, *_, ring = [t for t in figure(page, f"map_{run.id}")["data"] if t["type"] != "bar"]
    np.testing.assert_allclose(numbers(points["x"]), placed.positions[:, 0])
    at = found.sample_ids.tolist().index("s000007")
    np.testing.assert_allclose([*numbers(ring["x"]), *numbers(ring["y"])], placed.positions[at])
    assert map_sentence(placed) in plain_text(page)
    assert "Sample s000007" in plain_text(page)


def test_noise_has_neither_curves_nor_a_map(open_page, read_solved_home):
    study = study_of(read_solved_home, "noise")
    page = opened_tab(open_page("overview", study=study), "overview_tab", "Features")
    assert not page.get("plotly_chart")
    assert "There is nothing to explain" in plain_text(page)
    page = open_page("samples", study=study, tab="Map")
    assert not page.get("plotly_chart")
    assert "There is no map" in plain_text(page)
