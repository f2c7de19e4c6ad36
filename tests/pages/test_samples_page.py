"""Samples: found, filtered, walked through, taken apart, and pinned."""

import html

import numpy as np
import pytest

from smurf_core.data.generated.synthetic import synthetic_additive, synthetic_interactions
from smurf_core.evaluation.sample_map import sample_map
from smurf_core.evaluation.typical import half_widths, typical_samples
from smurf_core.evaluation.verdicts import good_terms, verdicts
from smurf_core.explained import explained
from smurf_core.reporting.cards import card_source, sample_card
from smurf_core.reporting.class_difference import difference_card
from smurf_core.reporting.numbers import signed
from smurf_core.reporting.shape_sentences import no_map
from smurf_core.runs import slices, store, studies
from tests.studio import (
    facts,
    figure,
    numbers,
    plain_text,
    result_of,
    text,
    trained,
    with_a_far_sample,
)


def card_text(page) -> str:
    """The sample's card, as HTML."""
    return next(m.value for m in page.markdown if "sample-card" in m.value)


def test_the_breakdown_adds_up_to_the_prediction_shown(open_page, trained_home):
    page = open_page("samples", tab="Details")
    (table,) = page.table
    values = [float(cell.replace("−", "-")) for cell in table.value.iloc[:, 0]]
    assert len(values) == 1 + 9 + 1
    assert sum(values[:-1]) == pytest.approx(values[-1], abs=0.0005 * len(values))
    page = open_page("samples")
    assert not page.table  # What is behind the card is computed only when its tab is open.
    shown = float(facts(page)["Prediction"].replace("−", "-"))
    assert shown == pytest.approx(values[-1], abs=0.0055)


def test_samples_are_found_ordered_and_linked(open_page, trained_home):
    page = open_page("samples")
    page.text_input(key="find").set_value("s07").run()
    assert page.dataframe[0].value["sample_id"].str.contains("s07").all()
    page.text_input(key="find").set_value("nothing of the kind").run()
    assert "No samples match" in text(page)
    page.text_input(key="find").set_value("").run()
    page.selectbox(key="order").set_value("size of error").run()
    errors = page.dataframe[0].value["error"].abs()
    assert errors.is_monotonic_decreasing
    page = open_page("samples", sample="s42")
    assert "Sample s42" in text(page)


def test_a_sample_far_from_the_training_data_is_marked_wherever_it_is_listed(open_page, home):
    trained(home, with_a_far_sample(synthetic_additive(samples=80)), "smurf")
    page = open_page("samples", sample="s33")
    marks = page.dataframe[0].value.set_index("sample_id")["outlying"]
    assert marks["s33"].startswith("A: ")
    assert (marks.drop("s33") == "").all()
    assert f"far from training: {marks['s33']}" in text(page)
    page = open_page("samples", sample="s33", tab="Details")
    (warning,) = (each for each in page.warning if "lies far" in each.value)
    assert warning.value.startswith("This sample lies far from the training data")


@pytest.mark.parametrize("finding", ["unique", "redundant", "unexpected", "not_recorded"])
@pytest.mark.parametrize("task", ["regression", "classification"])
def test_typical_samples_are_listed_highest_first(open_page, trained_home, finding, task):
    study = next(s for s in studies.list_studies(trained_home) if s.task == task)
    page = open_page("samples", study=study.id)
    page.session_state["samples_list"] = finding
    page.run()
    assert not page.exception
    run = store.list_runs(trained_home, study.id)[0]
    result = result_of(trained_home, run)
    found = explained(result, studies.load_study(trained_home, study.id))
    good = good_terms(verdicts(result, found), found.contributions)
    expected = typical_samples(
        found, finding, count=50, terms=good, half_widths=half_widths(result, found)
    )
    if expected.empty:
        assert "No sample stands out by a contribution whose verdict is good" in text(page)
        return
    shown = page.dataframe[0].value
    assert shown["sample_id"].tolist() == expected["sample_id"].tolist()
    assert f"Sample {shown['sample_id'].iloc[0]}" in text(page)


def test_wrong_samples_are_shown_alone_and_any_class_is_explained(open_page, trained_home):
    study = next(s for s in studies.list_studies(trained_home) if s.task == "classification")
    page = open_page("samples", study=study.id)
    page.session_state["show_only"] = "wrong"
    page.run()
    shown = page.dataframe[0].value
    assert (shown["target"] != shown["prediction"]).all()
    before = card_text(page)
    explain = next(box for box in page.selectbox if box.label == "Class")
    explain.set_value((explain.value + 1) % 3).run()
    assert not page.exception
    assert card_text(page) != before
    assert f"the logit of class_{explain.value + 1}" in card_text(page)


def test_filters_add_up_and_become_the_selection(open_page, judged, home):
    page = open_page("samples")
    page.multiselect(key="only_person").set_value(["p1", "p2", "p3"]).run()
    page.multiselect(key="limited").set_value(["size of error", "A alone"]).run()
    slider = page.slider(key="range_size of error")
    low, high = slider.value
    slider.set_value((low, (low + high) / 4)).run()
    shown = page.dataframe[0].value
    assert set(shown["person"]) <= {"p1", "p2", "p3"}
    assert 0 < len(shown) < 15
    assert shown["error"].abs().max() <= (low + high) / 4
    page.button(key="select_listed").click().run()
    assert not page.exception
    (scope,) = (box for box in page.selectbox if box.key.startswith("scope_"))
    assert scope.options[1] == f"Selection · {len(shown)}"
    kept = slices.slice_samples(home, page.query_params["slice"])
    assert set(kept) == set(shown["sample_id"])


def test_next_and_previous_walk_through_what_is_listed(open_page, judged):
    page = open_page("samples")
    page.text_input(key="find").set_value("word7").run()
    ids = page.dataframe[0].value["sample_id"].tolist()
    assert ids[0] == "s07"
    assert len(ids) == 11
    assert page.button(key="previous").disabled
    page.button(key="next").click().run()
    assert f"Sample {ids[1]}" in text(page)
    assert f"he said word{int(ids[1][1:])}" in text(page)
    page.button(key="previous").click().run()
    assert "Sample s07" in text(page)


def test_a_pinned_sample_and_a_pinned_run_are_shown_next_to_the_next_one(open_page, trained_home):
    page = open_page("samples", sample="s11", tab="Details")
    before = page.table[0].value.iloc[:, 0].tolist()
    page.button(key="pin_sample").click().run()
    page.button(key="next").click().run()
    assert page.table[0].value["Pinned s11"].tolist() == before
    page.button(key="pin_run").click().run()
    runs = page.selectbox(key="run")
    pinned = runs.value
    other = next(r.id for r in store.list_runs(trained_home, page.selectbox(key="study").value)
                 if r.id != pinned)  # fmt: skip
    runs.set_value(other).run()
    assert not page.exception
    assert page.table[0].value.shape[1] == 4
    assert page.query_params["pin"] == "s11"


def test_the_most_alike_samples_are_listed_and_features_say_why(open_page, judged):
    page = open_page("samples", sample="s20", tab="Details")
    alike = page.dataframe[0].value
    assert "s20" not in set(alike["sample_id"])
    assert alike["cosine"].is_monotonic_decreasing
    page.toggle(key="attribute").set_value(True).run()
    assert not page.exception
    assert not page.error
    assert "with average features it would contribute" in text(page)


def test_an_interaction_is_attributed_to_the_features_of_all_its_modalities(open_page, home):
    trained(home, synthetic_interactions(samples=160), "mro_smurf")
    page = open_page("samples", sample="s020", tab="Details")
    page.toggle(key="attribute").set_value(True).run()
    (source,) = (g for g in page.get("button_group") if (g.key or "").startswith("why_"))
    assert list(source.options)[3] == "A+B"
    source.set_value(3).run()
    contribution = next(s for s in page.selectbox if (s.key or "").startswith("why_shared_"))
    assert len(contribution.options) == 3
    contribution.select_index(1).run()
    assert not page.exception
    assert not page.error
    assert "with average features it would contribute" in text(page)


def test_metrics_cover_all_samples_the_selection_and_each_slice(open_page, judged, home):
    study = store.list_runs(home)[0].study_id
    some = [f"s{i:02d}" for i in range(10, 30)]
    slices.add_slice(home, study, "early", some, origin="a test")
    page = open_page("samples", tab="Details")
    page.toggle(key="by_slice").set_value(True).run()
    table = page.dataframe[-1].value
    assert table["Samples"].tolist() == ["All samples", "early"]
    assert table["n"].tolist() == [80, 20]


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_the_card_shows_the_librarys_numbers_and_sentence(open_page, trained_home, task):
    study = next(s for s in studies.list_studies(trained_home) if s.task == task)
    run = store.list_runs(trained_home, study.id)[0]
    result = result_of(trained_home, run)
    source = card_source(result, explained(result, studies.load_study(trained_home, study.id)))
    page = open_page("samples", study=study.id, sample="s12")
    for sample in ("s12", "s13"):
        card = sample_card(source, sample)
        shown = html.unescape(text(page))
        assert card.sentence in shown
        numbers = [card.written(part) for part in card.parts()]
        assert [number for number in numbers if number not in shown] == []
        above = facts(page)
        assert (above["Target"], above["Prediction"]) == (card.target, card.prediction)
        assert page.query_params["sample"] == sample
        page.button(key="next").click().run()


def test_list_tab_and_sample_come_back_by_their_address(open_page, trained_home):
    query = {"list": "redundant", "tab": "Gallery", "sample": "s11"}
    page = open_page("samples", **query)
    assert page.session_state["samples_list"] == "redundant"
    assert page.session_state["samples_tab"] == "Gallery"
    page = open_page("samples", tab="no such tab", list="no such list")
    assert page.session_state["samples_tab"] == "Sample"
    assert page.session_state["samples_list"] == "all"
    assert "list" not in page.query_params


def test_the_gallery_has_the_cards_of_the_list(open_page, judged):
    page = open_page("samples", tab="Gallery")
    drawn = figure(page, "gallery")
    heads = [note["text"].split("</b>")[0] for note in drawn["layout"]["annotations"]]
    assert heads == [f"<b>s{k:02d}" for k in range(9)]
    assert "“he said word3”" in drawn["layout"]["annotations"][3]["text"]
    page.number_input(key="gallery_part").set_value(9).run()
    assert len(figure(page, "gallery")["layout"]["annotations"]) == 80 - 8 * 9


def test_the_predicted_class_is_compared_with_another_below_the_card(open_page, trained_home):
    study = next(s for s in studies.list_studies(trained_home) if s.task == "classification")
    page = open_page("samples", study=study.id, sample="s07")
    bars = figure(page, "class_difference")["data"][0]
    run = store.list_runs(trained_home, study.id)[0]
    found = explained(result_of(trained_home, run), studies.load_study(trained_home, study.id))
    source = card_source(result_of(trained_home, run), found)
    card = difference_card(source, "s07")
    assert bars["customdata"][-1] == signed(card.total).removeprefix("+")
    assert len(bars["customdata"]) == len(card.parts) + 2
    assert card.sentence in plain_text(page)
    (rather,) = (box for box in page.selectbox if (box.key or "").startswith("rather_"))
    other = next(name for name in rather.options if name != card.second)
    rather.set_value(other).run()
    assert not page.exception
    assert difference_card(source, "s07", card.first, other).sentence in plain_text(page)


def test_numbers_are_not_compared_as_classes(open_page, trained_home):
    page = open_page("samples")
    assert not [box for box in page.selectbox if (box.key or "").startswith("rather_")]


def test_the_map_draws_every_sample_or_says_why_there_is_none(open_page, trained_home):
    page = open_page("samples", tab="Map")
    run = next(r for r in store.list_runs(trained_home) if r.id == page.selectbox(key="run").value)
    result = result_of(trained_home, run)
    found = explained(result, studies.load_study(trained_home, run.study_id))
    good = good_terms(verdicts(result, found), found.contributions)
    if reason := no_map(len(good)):
        assert reason in plain_text(page)
        return
    drawn = figure(page, f"map_{run.id}")["data"][0]
    np.testing.assert_allclose(numbers(drawn["x"]), sample_map(found, good).positions[:, 0])
    assert list(drawn["customdata"]) == found.sample_ids.tolist()
    page.session_state["map_colour"] = "target"
    page.run()
    assert not page.exception
    assert figure(page, f"map_{run.id}")["data"][0]["marker"]["colorscale"]
