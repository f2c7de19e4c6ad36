"""Redundancy: pairs, groups, and the orders of MRO."""

import json

import numpy as np
import pytest

from smurf_core.data.generated.synthetic import synthetic_additive, synthetic_interactions
from smurf_core.evaluation.commonality import witness_of
from smurf_core.evaluation.redundancy import pair_table
from smurf_core.reporting.witness import witness_sentences
from smurf_core.runs import store, studies
from tests.studio import figure, numbers, opened_tab, plain_text, result_of, trained


def test_a_click_on_a_cell_shows_the_pair_and_its_points_are_selected_everywhere(
    open_page, home, grouped
):
    page = open_page("redundancy", study=grouped.study_id)
    pairs = pair_table(result_of(home, grouped).contributions()).set_index(
        ["modality", "shared_with"]
    )
    opened_tab(page, "redundancy_tab", "All pairs")
    cells = numbers(figure(page, "pair_r_1")["data"][0]["z"])
    assert cells[0, 2] == pytest.approx(pairs.loc[("A", "C"), "r"])
    page.session_state["redundancy_pair"] = "B and C"
    opened_tab(page, "redundancy_tab", "Two sides")
    assert f"{pairs.loc[('B', 'C'), 'r']:.3f}".replace("-", "−") in plain_text(page)
    points = figure(page, "pair_scatter_1_B_C")["data"][0]
    found = result_of(home, grouped).contributions()
    np.testing.assert_allclose(numbers(points["x"]), found.redundant("B", "C")[:, 0], rtol=1e-6)
    assert points["customdata"] == found.sample_ids.tolist()


def test_groups_are_compared_side_by_side(open_page, home, grouped):
    page = open_page("redundancy", study=grouped.study_id)
    opened_tab(page, "redundancy_tab", "By group")
    box = page.selectbox(key=f"redundancy_grouping_{grouped.study_id}")
    assert box.options == ["sex"]
    box.set_value("sex").run()
    assert not page.exception
    found = result_of(home, grouped).contributions()
    women = found.select(found.sample_ids < "s40")
    first = figure(page, "redundancy_groups")["data"][0]
    r = pair_table(women).set_index(["modality", "shared_with"]).loc[("A", "B"), "r"]
    assert numbers(first["z"])[0, 1] == pytest.approx(r)


def test_orders_of_mro_are_a_second_layer(open_page, home):
    study = trained(home, synthetic_interactions(samples=240), "mro_smurf")
    run = store.list_runs(home)[0]
    page = open_page("redundancy", study=study)
    page.selectbox(key=f"redundancy_order_{run.id}").set_value(2).run()
    opened_tab(page, "redundancy_tab", "All pairs")
    assert figure(page, "pair_r_2")["data"][0]["x"] == ["A+B", "A+C", "B+C"]
    page.selectbox(key=f"redundancy_order_{run.id}").set_value(3).run()
    assert not page.exception
    assert "one subset of this size" in plain_text(page)
    page = open_page("overview", study=study)
    assert "A+B" in json.dumps(figure(page, "shares")["data"][0]["y"])


def test_the_second_witness_is_shown_with_its_numbers(open_page, home, grouped):
    page = open_page("redundancy", study=grouped.study_id)
    opened_tab(page, "redundancy_tab", "Second witness")
    found = witness_of(result_of(home, grouped), studies.load_study(home, grouped.study_id))
    unique = figure(page, "commonality")["data"][0]
    np.testing.assert_allclose(
        numbers(unique["x"]), found.totals.loc[found.totals["kind"] == "unique", "r2"]
    )
    assert "over 16 persons" in plain_text(page)
    (first, *_) = witness_sentences(None, found)
    assert first[:30] in plain_text(page)
    assert "The model calls" in plain_text(page)


def test_late_fusion_has_the_witness_alone(open_page, home):
    study = trained(home, synthetic_additive(samples=80), "late_fusion")
    page = open_page("redundancy", study=study)
    assert len(figure(page, "commonality")["data"]) == 2
    assert "The model calls" not in plain_text(page)


def test_folds_in_which_nothing_is_held_out_get_a_note(open_page, home):
    study = trained(home, synthetic_additive(samples=80, folds="same"), "smurf")
    page = open_page("redundancy", study=study)
    opened_tab(page, "redundancy_tab", "Second witness")
    assert "use folds that do not overlap" in plain_text(page)
