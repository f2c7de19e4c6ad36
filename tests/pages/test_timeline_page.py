"""Timeline: a session's samples in order, opened by a click, a key, the player or a link."""

import wave
from dataclasses import replace

import numpy as np
import pandas as pd

from app.state.navigation import page_path
from smurf_core.data.generated.simulated import simulated_affect
from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.data.media import MediaSettings
from smurf_core.evaluation.timeline import sessions, timeline, unexpected_moments
from smurf_core.evaluation.typical import half_widths, typical_samples
from smurf_core.evaluation.verdicts import good_terms, verdicts
from smurf_core.explained import explained
from smurf_core.ratings.catalogue import create_collection
from smurf_core.ratings.defaults import default_design
from smurf_core.ratings.design import Scale
from smurf_core.ratings.simulate import RaterTraits, simulate_raters
from smurf_core.ratings.traces.account import trace_account
from smurf_core.ratings.traces.collected import trace_sets
from smurf_core.reporting.cards import card_source, sample_card
from smurf_core.reporting.timeline_sentence import timeline_sentence
from smurf_core.reporting.trace_sentence import trace_sentence
from smurf_core.runs import store, studies
from tests.studio import facts, figure, numbers, plain_text, result_of, trained


def known(workspace):
    """The newest run's result and what it explains."""
    run = store.list_runs(workspace)[0]
    result = result_of(workspace, run)
    return result, explained(result, studies.load_study(workspace, run.study_id))


def test_the_page_shows_what_the_library_says_of_the_session(open_page, judged, home):
    page = open_page("timeline", sample="s42")
    result, found = known(home)
    table = verdicts(result, found)
    moments = unexpected_moments(result, found, table)
    session = sessions(found, "Person")[8]
    assert page.query_params["session"] == session.name == "p8"
    shown = timeline(found, session, verdict_table=table, unexpected=moments)
    assert timeline_sentence(shown, moments) in plain_text(page)
    card = sample_card(card_source(result, found), "s42")
    assert card.sentence in plain_text(page)
    assert facts(page)["Prediction"] == card.prediction  # the same number on both pages
    assert facts(page)["Target"] == card.target
    drawn = figure(page, "timeline")
    bars = [trace for trace in drawn["data"] if trace["type"] == "bar"]
    np.testing.assert_allclose(
        sum(numbers(bar["y"]) for bar in bars) + shown.baseline, shown.prediction, atol=1e-5
    )
    lines = {trace["name"]: trace for trace in drawn["data"] if trace["type"] != "bar"}
    np.testing.assert_allclose(numbers(lines["Target"]["y"]), shown.target)
    assert lines["People: C"]["marker"]["symbol"] == "x-thin-open"
    for bar, layer in zip(bars, shown.layers, strict=True):
        assert (bar["marker"]["opacity"] == 1) == layer.is_good
        assert bool(bar["marker"]["pattern"]["shape"]) == layer.is_shared
    assert "in the order of the data: no start times order them" in plain_text(page)
    listed = typical_samples(
        found, "unexpected", count=10_000, half_widths=half_widths(result, found),
        terms=good_terms(table, found.contributions),
    )  # fmt: skip
    marked = lines["Unexpected"]["customdata"] if "Unexpected" in lines else []
    assert {row[0] for row in marked} == set(listed["sample_id"]) & set(shown.sample_ids)


def test_sample_session_and_kind_are_in_the_address_and_come_back(open_page, judged):
    page = open_page("timeline", by="scene", session="scene 1")
    assert page.selectbox(key="timeline_by").value == "scene"
    assert page.query_params["sample"] == "s01"
    page.button(key="next").click().run()
    assert page.query_params["sample"] == "s04"
    link = {key: page.query_params[key] for key in ("by", "session", "sample")}
    again = open_page("timeline", **link)
    assert "s04" in plain_text(again)
    assert {key: again.query_params[key] for key in link} == link
    again.selectbox(key="timeline_session").set_value("scene 2").run()
    assert again.query_params["sample"] == "s02"
    assert again.button(key="previous").disabled
    again.selectbox(key="timeline_by").set_value("Person").run()
    assert again.query_params["sample"] == "s02"
    assert again.query_params["session"] == "p0"


def test_a_sample_that_was_opened_elsewhere_is_open_here(open_page, judged):
    page = open_page("samples", sample="s42")
    assert "Sample s42" in plain_text(page)
    page.switch_page(page_path("timeline")).run()
    assert not page.exception
    assert page.query_params["sample"] == "s42"
    assert page.query_params["session"] == "p8"


def test_one_recording_is_played_whole_and_clips_one_by_one(open_page, home, tmp_path):
    with wave.open(str(tmp_path / "all.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(800)
        file.writeframes(bytes(2 * 800 * 82))
    data = synthetic_additive(samples=80)
    table = pd.DataFrame(
        {"start": np.arange(80.0)[::-1], "end": np.arange(80.0)[::-1] + 1}, index=data.sample_ids
    )
    study = trained(home, replace(data, samples=table), "smurf")
    studies.set_media(
        home, study, MediaSettings(str(tmp_path), recording="all.wav", start="start", end="end")
    )
    page = open_page("timeline", study=study)
    assert page.query_params["sample"] == "s79"  # The first in time.
    assert "in the order of their start times" in plain_text(page)
    (player,) = page.get("audio")
    assert player.proto.end_time == 0
    (heard,) = page.get("bidi_component")
    assert not page.toggle
    page.button(key="next").click().run()
    assert page.query_params["sample"] == "s78"
    assert page.get("audio")[0].proto.url == player.proto.url
    studies.set_media(home, study, MediaSettings(str(tmp_path), file="start"))
    page = open_page("timeline", study=study)
    assert not page.error
    assert heard.type == "bidi_component"


def test_classes_are_chosen_and_shown_by_their_probability(open_page, trained_home):
    study = next(s for s in studies.list_studies(trained_home) if s.task == "classification")
    page = open_page("timeline", study=study.id, **{"class": "class_2"})
    assert "Probability of class_2" in facts(page)
    (line,) = [trace for trace in figure(page, "timeline")["data"] if trace["name"] == "Prediction"]
    shares = numbers(line["y"])
    assert ((shares >= 0) & (shares <= 1)).all()


def test_traces_by_simulated_raters_are_below_and_are_marked(open_page, home):
    data = simulated_affect(samples=60, persons=10, clip_seconds=(8.0, 9.0))
    study = trained(home, data, "smurf")
    design = default_design(data)
    scale = Scale("pleasant", "continuous", "How pleasant?", low=-3.0, high=3.0,
                  labels=("low", "high"))  # fmt: skip
    design = replace(
        design, conditions=(design.condition("everything"),), scales=(scale,), attention=0,
        repeats=0, raters_per_cell=2, clips_per_rater=6,
    )  # fmt: skip
    page = open_page("timeline", study=study)
    rows = {trace.get("yaxis", "y") for trace in figure(page, "timeline")["data"]}
    made = create_collection(
        home, study, design, clips=data.sample_ids[:6].tolist(), is_simulated=True
    )
    simulate_raters(made, data, RaterTraits(noise=0.1))
    page.run()
    drawn = figure(page, "timeline")
    (mean,) = [t for t in drawn["data"] if str(t["name"]).startswith("Mean trace")]
    assert mean["name"] == "Mean trace of simulated raters"
    assert mean["yaxis"] not in rows
    account = trace_account(trace_sets(made)[0])
    assert account.raters == 2
    assert trace_sentence(account, "p01_u0001") in plain_text(page)
    assert "Simulated raters' traces: thin lines" in plain_text(page)
    thin = [t for t in drawn["data"] if str(t["name"]).startswith("Trace of rater")]
    assert len(thin) == 2
    marks = [shape for shape in drawn["layout"]["shapes"] if shape["type"] == "rect"]
    assert len(marks) == len(rows) + 1  # of the open sample, in every part
    watched = open_page("ratings", study=study, tab="Watch")
    assert trace_sentence(account) in plain_text(watched)
    assert "Lag of rater 1:" in plain_text(watched)
    assert "Agreement is shown when" not in plain_text(watched)
