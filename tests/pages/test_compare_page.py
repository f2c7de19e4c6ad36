"""Compare: Tables 2 and 5 of a slice, two runs, and the sweep."""

import numpy as np
import pandas as pd

from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.evaluation.performance import performance
from smurf_core.reporting.numbers import mean_and_spread
from smurf_core.runs import slices, store, studies
from tests.studio import figure, numbers, opened_tab, plain_text, result_of, trained


def test_tables_2_and_5_are_of_the_slice_that_is_chosen(open_page, trained_home):
    study = open_page("compare").selectbox(key="study").value
    ids = [f"s{i:02d}" for i in range(40)]
    kept = slices.add_slice(trained_home, study, "some", ids, origin="a table")
    page = open_page("compare", study=study, slice=kept)
    newer = store.list_runs(trained_home, study)[0]
    part = result_of(trained_home, newer).select(np.array(ids))
    expected = performance(part, studies.load_study(trained_home, study)).set_index("metric")
    table = next(t.value for t in page.dataframe if "mark" in t.value)
    own = table[table["run"] == newer.config.kind.title].iloc[0]
    assert own["result"] == mean_and_spread(expected.loc["r", "mean"], expected.loc["r", "sd"])
    assert "40 samples of 40 samples" in plain_text(page)
    page = open_page("missing", study=study, slice=kept)
    opened_tab(page, "missing_tab", "Every subset")
    assert "40 tested samples: mean ± sd over 5 test folds" in plain_text(page)
    wide = next(t.value for t in page.dataframe if "Available" in t.value).set_index("Available")
    assert wide.loc["A+B+C", newer.config.kind.title] == own["result"]


def test_two_runs_stand_side_by_side(open_page, trained_home):
    page = open_page("compare")
    newer, older = store.list_runs(trained_home, page.selectbox(key="study").value)
    first, second = (result_of(trained_home, run).contributions() for run in (newer, older))
    opened_tab(page, "compare_tab", "Runs A and B")
    asked = next(t.value for t in page.dataframe if "setting" in t.value)
    assert asked.set_index("setting").loc["model"].tolist() == ["smurf", "late_fusion"]
    opened_tab(page, "compare_tab", "Sample by sample")
    listed = next(t.value for t in page.dataframe if "gain" in t.value)
    largest = np.abs(second.prediction() - first.prediction())[:, 0]
    assert listed["sample_id"].iloc[0] == first.sample_ids[largest.argmax()]
    points = figure(page, "compare_scatter_Predictions")["data"][0]
    assert points["customdata"] == first.sample_ids.tolist()
    np.testing.assert_allclose(numbers(points["y"]), second.prediction()[:, 0], rtol=1e-6)
    page.segmented_control(key="compare_shown").set_value("Errors").run()
    assert not page.exception
    opened_tab(page, "compare_tab", "Runs A and B")
    agreement = next(t.value for t in page.dataframe if "Share, run A" in t.value)
    # What late fusion has none of is not compared.
    assert agreement["Contribution"].tolist() == ["A alone", "B alone", "C alone"]
    opened_tab(page, "compare_tab", "Learning curves")
    page.segmented_control(key="curves_of").set_value("Search").run()
    assert not page.exception
    assert not page.error


def test_the_sweep_draws_every_candidate_of_every_fold(open_page, trained_home):
    page = open_page("compare")
    run = store.list_runs(trained_home, page.selectbox(key="study").value)[0]
    tried = pd.concat([f.candidates for f in result_of(trained_home, run).fold_results])
    opened_tab(page, "compare_tab", "What factorising costs")
    points, _ = figure(page, "trade_off")["data"]
    np.testing.assert_allclose(numbers(points["y"]), tried["validation_metric"])
    assert "Only one λ was tried" in plain_text(page)


def test_one_run_alone_has_curves_and_a_sweep(open_page, home):
    study = trained(home, synthetic_additive(samples=80), "smurf")
    page = open_page("compare", study=study)
    assert "two finished runs" in plain_text(page)
    assert "One line per fold" in plain_text(page)
    opened_tab(page, "compare_tab", "What factorising costs")
    assert len(figure(page, "trade_off")["data"]) == 2
    assert not page.error
