"""Samples, Human judgments, What if: from selection to sample, from change to part."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from smurf_core.data.generated.synthetic import synthetic_additive, synthetic_interactions
from smurf_core.runs import slices, store, studies
from tests.pages.conftest import trained


def text(page) -> str:
    shown = [*page.markdown, *page.info, *page.error, *page.subheader]
    return "\n".join(element.value for element in shown)


def facts_of(page) -> dict[str, str]:
    return dict(re.findall(r"<dt[^>]*>(.*?)</dt><dd[^>]*>(.*?)</dd>", text(page)))


def key(elements, start: str):
    return next(e for e in elements if e.key and e.key.startswith(start))


@pytest.fixture
def judged(home) -> str:
    """A trained study with transcripts, persons, judgments, informativeness, and raters."""
    random = np.random.default_rng(0)
    data = synthetic_additive(samples=80)
    ratings = {
        frozenset(shown): (data.target + random.normal(size=80)).astype(np.float32)
        for shown in ("AB", "C")
    }
    ratings[frozenset("C")][:30] = np.nan
    table = pd.DataFrame(
        {
            "transcript": [f"he said word{i}" for i in range(80)],
            "scene": [f"scene {i % 3}" for i in range(80)],
        },
        index=data.sample_ids,
    )
    data = replace(
        data,
        samples=table,
        groups=np.repeat([f"p{i}" for i in range(16)], 5),
        judgments=ratings,
        ratings={frozenset("AB"): (data.target + random.normal(size=(3, 80))).astype(np.float32)},
        informativeness={"A": random.integers(-1, 3, size=80)},
    )
    return trained(home, data, "smurf")


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


def test_a_pinned_sample_and_a_pinned_run_stand_beside_the_next_one(open_page, trained_home):
    page = open_page("samples", sample="s11")
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


def test_a_pinned_run_stands_beside_the_next_one_on_the_overview(open_page, home):
    study = trained(home, synthetic_interactions(samples=80), "smurf", "mro_smurf")
    first, second = sorted(
        store.list_runs(home, study), key=lambda run: run.config.model, reverse=True
    )
    page = open_page("overview", study=study, run=first.id)
    before = facts_of(page)
    assert len(before) == 4
    shares = page.dataframe[0].value.set_index("contribution")
    assert "pinned" not in shares
    page.button(key="pin_run").click().run()
    page.selectbox(key="run").set_value(second.id).run()
    assert not page.exception
    after = facts_of(page)
    for name, value in before.items():
        assert after[name].endswith(f"(pinned {value})")
    table = page.dataframe[0].value.set_index("contribution")
    common = [name for name in table.index if name in shares.index]
    assert len(common) == 9
    for name in common:
        assert table.loc[name, "pinned"].replace("−", "-") == f"{shares.loc[name, 'share']:.2%}"
    page.button(key="pin_run").click().run()
    page.selectbox(key="run").set_value(first.id).run()
    table = page.dataframe[0].value.set_index("contribution")
    assert set(table["pinned"].drop(common)) <= {"–"}


def test_the_most_alike_samples_are_listed_and_features_say_why(open_page, judged):
    page = open_page("samples", sample="s20")
    alike = page.dataframe[1].value
    assert "s20" not in set(alike["sample_id"])
    assert alike["cosine"].is_monotonic_decreasing
    page.toggle(key="attribute").set_value(True).run()
    assert not page.exception
    assert not page.error
    assert "with average features it would contribute" in text(page)


def test_the_features_of_all_its_modalities_say_why_an_interaction_says_so(open_page, home):
    trained(home, synthetic_interactions(samples=80), "mro_smurf")
    page = open_page("samples", sample="s20")
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


def test_metrics_are_shown_for_all_for_the_selection_and_for_each_slice(open_page, judged, home):
    study = store.list_runs(home)[0].study_id
    some = [f"s{i:02d}" for i in range(10, 30)]
    slices.add_slice(home, study, "early", some, origin="a test")
    page = open_page("samples")
    page.toggle(key="by_slice").set_value(True).run()
    table = page.dataframe[-1].value
    assert table["Samples"].tolist() == ["All samples", "early"]
    assert table["n"].tolist() == [80, 20]


@pytest.mark.parametrize("name", ["samples", "judgments", "what_if"])
def test_pages_hold_for_a_slice_of_two_samples(open_page, judged, home, name):
    study = store.list_runs(home)[0].study_id
    two = slices.add_slice(home, study, "two", ["s40", "s41"], origin="a test")
    page = open_page(name, slice=two)
    assert not page.error
    assert "nan" not in text(page).split()
    if name == "judgments":
        assert "fewer than 3" in text(page)
        assert "Selected samples (2)" in text(page)
        page.button(key="open_sample").click().run()
        assert page.title[0].value == "Samples"
        assert "Sample s40" in text(page)


def test_every_judged_modality_is_in_the_table_with_stars(open_page, judged):
    page = open_page("judgments")
    table = next(d.value for d in page.dataframe if "Unique to" in d.value)
    assert table["Unique to"].tolist() == ["C", "A+B"]
    assert table["n"].tolist() == [80, 50]
    assert table["r"].str.match(r"−?\d\.\d{3}\*{0,3}$").all()
    assert table["Raters"].tolist() == [3, 0]
    assert table["Ceiling of r"].str.match(r"–|[01]\.\d{3}$").all()
    page.selectbox(key="judgments_colour").set_value("scene").run()
    assert not page.exception
    page.selectbox(key="judgments_colour").set_value("size of error").run()
    assert not page.exception


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_only_the_changed_modalitys_parts_move(open_page, trained_home, task):
    study = next(s for s in studies.list_studies(trained_home) if s.task == task)
    page = open_page("what_if", study=study.id, sample="s12")
    assert (page.table[0].value["Change"] == "").all()
    slider = page.slider[0]
    slider.set_value(slider.min if slider.value > (slider.min + slider.max) / 2 else slider.max)
    page.run()
    assert not page.exception
    moved = page.table[0].value["Change"]
    assert (moved[moved.index.str.startswith(("B", "C"))] == "").all()
    assert (moved[["A alone", "A, shared with B", "A, shared with C", "Prediction"]] != "").any()
    page.session_state["change_way"] = "Take another sample's"
    page.run()
    donor = key(page.text_input, "donor_")
    donor.set_value("s33").run()
    assert not page.exception
    moved = page.table[0].value["Change"]
    assert (moved[moved.index.str.startswith(("B", "C"))] == "").all()
    assert moved["A alone"] != ""
    key(page.text_input, "donor_").set_value("nobody").run()
    assert "There is no sample" in text(page)


def test_interactions_that_read_the_changed_modality_move_too(open_page, home):
    trained(home, synthetic_interactions(samples=80), "mro_smurf")
    page = open_page("what_if")
    page.session_state["change_way"] = "Take another sample's"
    page.run()
    moved = page.table[0].value["Change"]
    moved = moved[moved != ""].index
    assert {part.split(",")[0].removesuffix(" alone") for part in moved} == {
        "A", "A+B", "A+C", "A+B+C", "Prediction",
    }  # fmt: skip
