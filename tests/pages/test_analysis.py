"""Overview, Redundancy and Missing modalities: numbers, selections, and every kind of run."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from smurf_core.data.generated.synthetic import synthetic_additive, synthetic_interactions
from smurf_core.evaluation.missing import subset_predictions
from smurf_core.evaluation.performance import performance
from smurf_core.evaluation.redundancy import pair_table, variance_shares
from smurf_core.reporting.numbers import mean_and_spread
from smurf_core.runs import slices, store, studies
from smurf_core.runs.files import RunFiles
from tests.pages.conftest import facts, trained


def text(page: AppTest) -> str:
    shown = [*page.markdown, *page.info, *page.subheader]
    return "\n".join(element.value for element in shown).replace("\\", "")


def figure(page: AppTest, key: str) -> dict:
    """A Plotly figure of the page, as it is sent to the browser."""
    (found,) = [
        json.loads(chart.proto.spec)
        for chart in page.get("plotly_chart")
        if f"-{key}" in chart.proto.id
    ]
    return found


def numbers(values: object) -> np.ndarray:
    """An array of a figure, which Plotly sends as a list or as bytes."""
    if isinstance(values, dict):
        import base64

        flat = np.frombuffer(base64.b64decode(values["bdata"]), dtype=values["dtype"])
        shape = [int(size) for size in values.get("shape", "").split(",") if size]
        return flat.reshape(shape) if shape else flat
    return np.asarray(values, dtype=float)


@pytest.fixture
def grouped(home):
    """A study whose people come in two groups, with a SMURF run; its run."""
    data = synthetic_additive(samples=80)
    sex = pd.DataFrame({"sex": np.repeat(["f", "m"], 40)}, index=data.sample_ids)
    people = np.repeat([f"p{i}" for i in range(16)], 5)
    trained(home, replace(data, groups=people, samples=sex), "smurf")
    return store.list_runs(home)[0]


def result_of(home, run):
    return RunFiles.of(home, run.id).read_result()


def test_the_overview_draws_the_shares_and_says_them(open_page, home, grouped):
    page = open_page("overview", study=grouped.study_id)
    shares = variance_shares(result_of(home, grouped).contributions())
    bars = figure(page, "shares")["data"][0]
    np.testing.assert_allclose(np.sort(numbers(bars["x"])), np.sort(shares["share"]), rtol=1e-9)
    largest = shares.groupby("modality")["share"].sum()
    assert f"{largest.idxmax()} carries most of the prediction: {largest.max():.0%} [" in text(page)
    assert "intervals over 16 persons" in text(page)


def test_the_overview_of_a_slice_is_of_its_samples_alone(open_page, home, grouped):
    ids = [f"s{i:02d}" for i in range(25)]
    kept = slices.add_slice(home, grouped.study_id, "some", ids, origin="a table")
    page = open_page("overview", study=grouped.study_id, slice=kept)
    found = result_of(home, grouped).contributions()
    mine = variance_shares(found.select(np.isin(found.sample_ids, ids)))
    bars = figure(page, "shares")["data"][0]
    np.testing.assert_allclose(np.sort(numbers(bars["x"])), np.sort(mine["share"]), rtol=1e-9)
    assert facts(page)["Samples"] == "25"


def test_a_click_on_a_cell_shows_the_pair_and_its_points_are_selected_everywhere(
    open_page, home, grouped
):
    page = open_page("redundancy", study=grouped.study_id)
    pairs = pair_table(result_of(home, grouped).contributions()).set_index(
        ["modality", "shared_with"]
    )
    cells = numbers(figure(page, "pair_r_1")["data"][0]["z"])
    assert cells[0, 2] == pytest.approx(pairs.loc[("A", "C"), "r"])
    page.session_state["redundancy_pair"] = "B and C"
    page.run()
    assert not page.exception
    assert f"{pairs.loc[('B', 'C'), 'r']:.3f}".replace("-", "−") in text(page)
    points = figure(page, "pair_scatter_1_B_C")["data"][0]
    found = result_of(home, grouped).contributions()
    np.testing.assert_allclose(numbers(points["x"]), found.redundant("B", "C")[:, 0], rtol=1e-6)
    assert points["customdata"] == found.sample_ids.tolist()


def test_groups_are_compared_side_by_side(open_page, home, grouped):
    page = open_page("redundancy", study=grouped.study_id)
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
    study = trained(home, synthetic_interactions(samples=80), "mro_smurf")
    run = store.list_runs(home)[0]
    page = open_page("redundancy", study=study)
    page.selectbox(key=f"redundancy_order_{run.id}").set_value(2).run()
    assert not page.exception
    assert figure(page, "pair_r_2")["data"][0]["x"] == ["A+B", "A+C", "B+C"]
    page.selectbox(key=f"redundancy_order_{run.id}").set_value(3).run()
    assert not page.exception
    assert "one subset of this size" in text(page)
    page = open_page("overview", study=study)
    assert "A+B" in json.dumps(figure(page, "shares")["data"][0]["y"])


@pytest.mark.parametrize("reconstructed", [True, False])
def test_a_switch_shows_the_metric_the_sample_and_who_suffers(
    open_page, home, grouped, reconstructed
):
    page = open_page("missing", study=grouped.study_id)
    page.session_state["sample"] = "s07"
    page.toggle(key=f"has_B_{grouped.study_id}").set_value(False)
    page.toggle(key="reconstructed").set_value(reconstructed).run()
    assert not page.exception
    result = result_of(home, grouped)
    predictions = subset_predictions(result)
    remaining = predictions.of(("A", "C"), reconstructed=reconstructed)[:, 0]
    # The study's target is what was trained on: synthetic data of the same seed.
    target = synthetic_additive(samples=80).target
    mae = np.abs(remaining - target).mean()
    assert facts(page)["Mean absolute error"].startswith(f"{mae:.3f} (all ")
    at = list(result.sample_ids).index("s07")
    shown = f"{remaining[at]:.3f} (all {predictions.full[at, 0]:.3f})".replace("-", "−")
    assert facts(page)["Prediction"] == shown
    listed = next(t.value for t in page.dataframe if "worse" in t.value)
    assert (
        listed["sample_id"].iloc[0]
        == result.sample_ids[np.abs(remaining - predictions.full[:, 0]).argmax()]
    )
    drawn = figure(page, "missing_scatter")["data"][0]
    np.testing.assert_allclose(numbers(drawn["y"]), remaining, rtol=1e-6)


def test_every_finished_run_stands_in_table_5(open_page, trained_home):
    page = open_page("missing")
    wide = next(t.value for t in page.dataframe if "Available" in t.value)
    assert wide["Available"].tolist() == ["A", "B", "C", "A+B", "A+C", "B+C", "A+B+C"]
    assert len(wide.columns) == 3  # Late fusion and SMURF.
    curve = next(t.value for t in page.dataframe if "draws" in t.value)
    assert len(curve) == 3 * 11


def test_tables_2_and_5_are_of_the_slice_that_is_chosen(open_page, trained_home):
    study = open_page("compare").selectbox(key="study").value
    ids = [f"s{i:02d}" for i in range(40)]
    kept = slices.add_slice(trained_home, study, "some", ids, origin="a table")
    page = open_page("compare", study=study, slice=kept)
    newer = store.list_runs(trained_home, study)[0]
    part = result_of(trained_home, newer).select(np.array(ids))
    expected = performance(part, studies.load_study(trained_home, study)).set_index("metric")
    table = next(t.value for t in page.dataframe if "mark" in t.value)
    own = table[table["run"].str.endswith(newer.id[:4])].iloc[0]
    assert own["result"] == mean_and_spread(expected.loc["r", "mean"], expected.loc["r", "sd"])
    assert "40 samples of 40 samples" in text(page)
    page = open_page("missing", study=study, slice=kept)
    assert "40 tested samples: mean ± sd over 5 test folds" in text(page)
    wide = next(t.value for t in page.dataframe if "Available" in t.value).set_index("Available")
    column = next(name for name in wide if name.endswith(newer.id[:4]))
    assert wide.loc["A+B+C", column] == own["result"]


def test_two_runs_stand_side_by_side(open_page, trained_home):
    page = open_page("compare")
    newer, older = store.list_runs(trained_home, page.selectbox(key="study").value)
    first, second = (result_of(trained_home, run).contributions() for run in (newer, older))
    asked = next(t.value for t in page.dataframe if "setting" in t.value)
    assert asked.set_index("setting").loc["model"].tolist() == ["smurf", "late_fusion"]
    listed = next(t.value for t in page.dataframe if "gain" in t.value)
    largest = np.abs(second.prediction() - first.prediction())[:, 0]
    assert listed["sample_id"].iloc[0] == first.sample_ids[largest.argmax()]
    points = figure(page, "compare_scatter_Predictions")["data"][0]
    assert points["customdata"] == first.sample_ids.tolist()
    np.testing.assert_allclose(numbers(points["y"]), second.prediction()[:, 0], rtol=1e-6)
    agreement = next(t.value for t in page.dataframe if "Share, run A" in t.value)
    # What late fusion has none of is not compared.
    assert agreement["Contribution"].tolist() == ["A alone", "B alone", "C alone"]
    page.segmented_control(key="compare_shown").set_value("Errors").run()
    page.segmented_control(key="curves_of").set_value("Search").run()
    assert not page.exception
    assert not page.error


def test_the_sweep_draws_every_candidate_of_every_fold(open_page, trained_home):
    page = open_page("compare")
    run = store.list_runs(trained_home, page.selectbox(key="study").value)[0]
    tried = pd.concat([f.candidates for f in result_of(trained_home, run).fold_results])
    points, _ = figure(page, "trade_off")["data"]
    np.testing.assert_allclose(numbers(points["y"]), tried["validation_metric"])
    assert "Only one λ was tried" in text(page)


def test_one_run_alone_has_curves_and_a_sweep(open_page, home):
    study = trained(home, synthetic_additive(samples=80), "smurf")
    page = open_page("compare", study=study)
    assert "Two finished runs" in text(page)
    assert "Learning curves" in text(page)
    assert not page.error


def test_the_demonstration_runs_beside_the_page_and_stops(open_page, home):
    page = open_page("verify")
    assert page.button(key="stop_basins").disabled
    page.number_input(key="basin_starts").set_value(40).run()
    page.button(key="start_basins").click().run()
    assert not page.exception
    live = page.session_state["live_basins"]
    assert live.state == "running"
    assert not page.button(key="stop_basins").disabled
    page.button(key="stop_basins").click().run()
    assert live.state == "stopped"
    assert "stopped" in json.dumps([str(element.proto) for element in page.get("progress")])
    assert not page.button(key="start_basins").disabled
