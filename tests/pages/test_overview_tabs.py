"""The tabs of Overview: mistaken classes, residuals, and how features move contributions."""

from dataclasses import replace

import numpy as np
import pytest

from smurf_core.evaluation.confusion import confusion
from smurf_core.evaluation.gate import gate
from smurf_core.evaluation.residuals import residuals_by_person, residuals_over_range
from smurf_core.evaluation.verdicts import good_terms, verdicts
from smurf_core.explained import explained
from smurf_core.reporting.sentences import score_text
from smurf_core.runs import store, studies
from smurf_core.shapes import feature_rises, shapes
from tests.studio import figure, numbers, opened_tab, plain_text, result_of, trained


def study_of(home, task):
    return next(study for study in studies.list_studies(home) if study.task == task)


def explained_by(home, study):
    run = store.list_runs(home, study.id)[0]
    return run, explained(result_of(home, run), studies.load_study(home, study.id))


@pytest.fixture
def noisy(home):
    """A study whose target is noise, with a run and persons."""
    from smurf_core.data.generated.synthetic import synthetic_additive

    data = synthetic_additive(samples=80)
    noise = np.random.default_rng(0).standard_normal(80).astype(np.float32)
    return trained(home, replace(data, target=noise, factors={}), "smurf")


def test_classes_are_compared_with_chance_under_the_score_of_the_run(open_page, read_home):
    study = study_of(read_home, "classification")
    page = open_page("overview", study=study.id)
    assert not [chart for chart in page.get("plotly_chart") if "-confusion" in chart.proto.id]
    page = opened_tab(page, "overview_tab", "Mistakes")
    drawn = figure(page, "confusion")["data"]
    _, shown = explained_by(read_home, study)
    table = confusion(shown)
    np.testing.assert_allclose(numbers(drawn[0]["z"]).ravel(), table["share"])
    np.testing.assert_allclose(numbers(drawn[1]["z"]).ravel(), table["chance_share"])
    assert score_text(gate(shown)) in plain_text(page)


def test_residuals_are_over_the_range_and_by_person(open_page, home, grouped):
    page = open_page("overview", study=grouped.study_id)
    page = opened_tab(page, "overview_tab", "Residuals")
    shown = explained(result_of(home, grouped), studies.load_study(home, grouped.study_id))
    over = figure(page, "residuals_over_range")["data"][0]
    np.testing.assert_allclose(numbers(over["y"]), residuals_over_range(shown)["mean"])
    people = figure(page, "residuals_by_person")["data"][0]
    table = residuals_by_person(shown)
    assert people["y"] == table["person"].tolist()
    np.testing.assert_allclose(numbers(people["x"]), table["median"])


def test_without_persons_there_are_no_residuals_by_person(open_page, read_home):
    study = study_of(read_home, "regression")
    page = open_page("overview", study=study.id)
    page = opened_tab(page, "overview_tab", "Residuals")
    assert "there are no residuals by person" in plain_text(page)


def test_a_features_curves_are_drawn_of_good_contributions_alone(open_page, read_home):
    study = study_of(read_home, "regression")
    page = open_page("overview", study=study.id)
    page = opened_tab(page, "overview_tab", "Features")
    run, shown = explained_by(read_home, study)
    result, data = result_of(read_home, run), shown.dataset
    good = good_terms(verdicts(result, shown), shown.contributions)
    feature = feature_rises(result, data, "A")["feature"][0]
    (picked,) = (box for box in page.selectbox if box.key.startswith("shape_feature_"))
    assert picked.value == feature
    found = shapes(result, data, "A", feature)
    curves = [s for s in found if s.term in good]
    for shape in found:
        if shape.term not in good:
            assert "no curve, because the verdict" in plain_text(page)
    if curves:
        lines = [line for line in figure(page, "shapes")["data"] if line.get("name") == ""]
        np.testing.assert_allclose(numbers(lines[0]["y"]), curves[0].curve)
        assert len(lines) == len(curves)
        assert "has no refits" in plain_text(page)


def test_the_class_of_a_curve_leaves_the_class_of_the_page_as_it_was(open_page, read_home):
    study = study_of(read_home, "classification")
    page = open_page("overview", study=study.id)
    (chosen,) = (box for box in page.selectbox if box.key.startswith("overview_class_"))
    first, last = chosen.options[-2:]
    chosen.set_value(first).run()
    page = opened_tab(page, "overview_tab", "Features")
    (of_curve,) = (box for box in page.selectbox if box.key.startswith("shapes_class_"))
    of_curve.set_value(last).run()
    assert page.query_params["class"] == first
    assert page.query_params["feature_class"] == last


def test_where_nothing_is_predicted_no_curve_is_drawn(open_page, noisy):
    page = open_page("overview", study=noisy)
    page = opened_tab(page, "overview_tab", "Features")
    assert not [chart for chart in page.get("plotly_chart") if "-shapes" in chart.proto.id]
    assert "There is nothing to explain" in plain_text(page)
    page = opened_tab(page, "overview_tab", "Residuals")
    assert "pulled to the middle" not in plain_text(page)
