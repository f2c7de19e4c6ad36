"""Sessions in their order, and layers that add up to the prediction, good apart from doubtful."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from smurf_core.data.media import MediaSettings
from smurf_core.evaluation.timeline import (
    LONGEST,
    session_kinds,
    sessions,
    timeline,
    unexpected_moments,
)
from smurf_core.evaluation.typical import half_widths, typical_samples
from smurf_core.evaluation.verdicts import GOOD, good_terms, verdicts
from smurf_core.explained import explained
from smurf_core.reporting.timeline_sentence import order_sentence, timeline_sentence
from smurf_core.runs import store, studies
from tests.studio import result_of


@pytest.fixture
def run(trained_home):
    """A trained regression run and what it explains."""
    study = next(s for s in studies.list_studies(trained_home) if s.task == "regression")
    info = store.list_runs(trained_home, study.id)[0]
    result = result_of(trained_home, info)
    return result, explained(result, studies.load_study(trained_home, study.id))


def with_table(found, persons=None, **columns):
    """The same explained samples with other columns and persons."""
    data = found.dataset
    table = pd.DataFrame(columns, index=data.sample_ids)
    return explained(found.contributions, replace(data, samples=table, persons=persons))


def test_without_persons_and_recordings_all_samples_are_one_session(run):
    _, found = run
    assert session_kinds(found) == ("Data",)
    (one,) = sessions(found, "Data")
    assert one.rows.tolist() == list(range(80))
    assert not one.is_timed
    said = order_sentence(timeline(found, one), "Data")
    assert said.startswith("No column of the data names recordings, persons or sessions.")
    assert said.endswith("in the order of the data: no start times order them.")


def test_a_person_is_shown_recording_by_recording_in_order_of_time(run):
    _, found = run
    k = np.arange(80)
    files = np.where(k % 2, "b.wav", "a.wav")
    people = np.repeat([f"p{i}" for i in range(8)], 10)
    shown = with_table(found, people, media=files, start=100.0 - k)
    assert session_kinds(shown) == ("Recording", "Person")
    by_person = sessions(shown, "Person")
    assert [s.name for s in by_person] == [f"p{i}" for i in range(8)]
    assert by_person[0].rows.tolist() == [8, 6, 4, 2, 0, 9, 7, 5, 3, 1]
    assert by_person[0].is_timed
    assert np.all(np.diff(by_person[0].starts[:5]) > 0)
    by_recording = sessions(shown, "Recording")
    assert [(s.name, len(s.rows)) for s in by_recording] == [("a.wav", 40), ("b.wav", 40)]
    assert order_sentence(timeline(shown, by_recording[0]), "Recording") == (
        "One recording's samples in the order of their start times."
    )


def test_one_missing_or_constant_start_leaves_the_order_of_the_data(run):
    _, found = run
    starts = 100.0 - np.arange(80)
    starts[5] = np.nan
    people = np.repeat([f"p{i}" for i in range(8)], 10)
    first, second, *_ = sessions(with_table(found, people, start=starts), "Person")
    assert (first.is_timed, second.is_timed) == (False, True)
    assert first.rows.tolist() == list(range(10))
    (only,) = sessions(with_table(found, start=np.zeros(80)), "Data")
    assert not only.is_timed


def test_clips_of_one_sample_each_are_no_sessions_and_columns_are_found_by_name(run):
    _, found = run
    ids = [f"{i}.wav" for i in range(80)]
    shown = with_table(found, media=ids, Dyad=np.repeat(["x", "", "y", "z"], 20), topic=["t"] * 80)
    assert session_kinds(shown) == ("Dyad",)
    assert [s.name for s in sessions(shown, "Dyad")] == ["x", "y", "z"]


def test_one_recording_of_all_samples_is_divided(run, tmp_path):
    _, found = run
    shown = with_table(found, begin=np.arange(80.0))
    (tmp_path / "all.wav").write_bytes(b"")
    media = MediaSettings(str(tmp_path), recording="all.wav", start="begin")
    assert session_kinds(shown, media) == ("Recording",)
    (one,) = sessions(shown, "Recording", media)
    assert (one.name, one.is_timed) == ("all.wav", True)
    many = np.repeat(np.arange(80), 4)
    long = explained(found.contributions.select(np.arange(80)), found.dataset).select(many)
    parts = sessions(long, "Data")
    assert [s.name for s in parts] == [
        "All samples, 1 to 120", "All samples, 121 to 240", "All samples, 241 to 320",
    ]  # fmt: skip
    assert max(len(s.rows) for s in parts) == LONGEST
    assert np.concatenate([s.rows for s in parts]).tolist() == list(range(320))


def test_layers_and_baseline_add_up_and_good_parts_are_apart(run):
    result, found = run
    table = verdicts(result, found)
    (one,) = sessions(found, "Data")
    shown = timeline(found, one, verdict_table=table)
    total = shown.baseline + sum(layer.values for layer in shown.layers)
    np.testing.assert_allclose(total, found.contributions.prediction()[:, 0], atol=1e-5)
    np.testing.assert_array_equal(shown.target, found.target)
    good = table["verdict"].isin(GOOD)
    for layer in shown.layers:
        rows = table[(table["modality"] == layer.source) & (good == layer.is_good)]
        rows = rows[(rows["modality"] != rows["shared_with"]) == layer.is_shared]
        terms = [t for t in found.contributions.terms if t.names[1:] in set(
            zip(rows["modality"], rows["shared_with"], strict=True))]  # fmt: skip
        own = sum(found.contributions.of(term)[:, 0].astype(float) for term in terms)
        np.testing.assert_allclose(layer.values, own, atol=1e-6)


def test_unexpected_moments_are_those_of_the_list(run):
    result, found = run
    table = verdicts(result, found)
    # All verdicts good, so that there is something to compare.
    table["verdict"] = "stable"
    moments = unexpected_moments(result, found, table)
    listed = typical_samples(
        found, "unexpected", count=10_000, half_widths=half_widths(result, found),
        terms=good_terms(table, found.contributions),
    )  # fmt: skip
    assert set(moments["sample_id"]) == set(listed["sample_id"])
    assert not moments["sample_id"].duplicated().any()
    best = listed.groupby("sample_id")["score"].max()
    (one,) = sessions(found, "Data")
    shown = timeline(found, one, verdict_table=table, unexpected=moments)
    np.testing.assert_allclose(
        shown.unexpected, best.reindex(shown.sample_ids).fillna(0).to_numpy()
    )
    said = timeline_sentence(shown, moments)
    assert said.startswith(f"{len(moments)} of 80 moments are unexpected. The strongest is ")
    assert moments["sample_id"].iloc[0] in said


def test_nothing_is_unexpected_where_nothing_shared_is_good(run):
    result, found = run
    table = verdicts(result, found)
    table["verdict"] = "too small"
    moments = unexpected_moments(result, found, table)
    assert len(moments) == 0
    (one,) = sessions(found, "Data")
    shown = timeline(found, one, verdict_table=table, unexpected=moments)
    assert timeline_sentence(shown, moments).startswith("No moment can be called unexpected")
    assert not any(layer.is_good for layer in shown.layers)


def test_a_closed_gate_leaves_prediction_and_target(run):
    _, found = run
    (one,) = sessions(found, "Data")
    shown = timeline(found, one)
    assert shown.layers == ()
    assert not shown.ratings
    assert not shown.unexpected.any()


def test_classes_are_shown_by_their_probability(trained_home):
    study = next(s for s in studies.list_studies(trained_home) if s.task == "classification")
    info = store.list_runs(trained_home, study.id)[0]
    result = result_of(trained_home, info)
    found = explained(result, studies.load_study(trained_home, study.id))
    table = verdicts(result, found)
    (one,) = sessions(found, "Data")
    shown = [timeline(found, one, output=c, verdict_table=table) for c in range(3)]
    np.testing.assert_allclose(sum(each.prediction for each in shown), 1)
    np.testing.assert_allclose(sum(each.target for each in shown), 1)
    logits = found.contributions.prediction().astype(float)
    for c, each in enumerate(shown):
        total = each.baseline + sum(layer.values for layer in each.layers)
        np.testing.assert_allclose(total, logits[:, c] - logits.mean(axis=1), atol=1e-4)
        assert each.output == found.contributions.outputs[c]
