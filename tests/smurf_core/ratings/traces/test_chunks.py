"""Chunks of traces: checked, stored once, complete when the clip was played to its end."""

import sqlite3
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from smurf_core.errors import InputError
from smurf_core.ratings.answers import all_fields
from smurf_core.ratings.database import LAYOUT, connected
from smurf_core.ratings.design import Condition, design_text, parse_design
from smurf_core.ratings.export import export_ratings
from smurf_core.ratings.store import Collection
from smurf_core.ratings.tables import answer_table, rater_table, stamp
from smurf_core.ratings.traces.chunks import Chunk, Take
from smurf_core.ratings.traces.collected import resampled, save_chunk, trace_sets, trace_table
from smurf_core.runs.forgetting import forget
from tests.smurf_core.ratings.traces.conftest import PLEASANT

TAKE, AGAIN = "0123abcd", "89abcdef"
LENGTH = 6.0


def chunk(sequence=0, start=0.0, stop=LENGTH, *, take=TAKE, value=1.0):
    times = np.arange(start, stop + 1e-9, 0.1).round(3)
    return Chunk(take, sequence, LENGTH, times.tolist(), [value] * len(times))


def traced_item(collection, token):
    """The position and the clip of the first item that is rated while it plays."""
    state = collection.consent(token)
    items = (collection.item(token, position) for position in range(state.total))
    item = next(item for item in items if item.traced is not None and item.kind == "clip")
    return item.position, item.clip


def values(item):
    return {field.key: field.high for field in item.fields}


def test_a_clip_counts_once_it_was_played_to_its_end(traced):
    token = traced.invite().token
    at, clip = traced_item(traced, token)
    item = traced.item(token, at)
    assert "pleasant" not in {field.key for field in item.fields}
    with pytest.raises(InputError, match="Play the clip to its end"):
        traced.save(token, at, clip, values(item))
    assert not save_chunk(traced, token, at, clip, chunk(0, 0.0, 2.9)).is_complete
    assert not save_chunk(traced, token, at, clip, chunk(1, 3.0, 5.4)).is_complete
    with pytest.raises(InputError, match="Play the clip to its end"):
        traced.save(token, at, clip, values(item))
    assert save_chunk(traced, token, at, clip, chunk(2, 5.5, 6.0)).is_complete
    assert traced.item(token, at).has_trace
    assert not trace_table(traced)["counts"].any()  # not answered yet
    traced.save(token, at, clip, values(item))
    assert trace_table(traced)["counts"].all()
    (found,) = trace_sets(traced)
    np.testing.assert_allclose(found.clips[0].values, np.ones((1, 61)))


def test_a_chunk_is_stored_once_and_in_any_order(traced):
    token = traced.invite().token
    at, clip = traced_item(traced, token)
    before = stamp(traced)
    save_chunk(traced, token, at, clip, chunk(1, 3.0, 6.0, value=2.0))
    assert stamp(traced) != before
    save_chunk(traced, token, at, clip, chunk(0, 0.0, 2.9))
    whole = trace_table(traced)
    again = save_chunk(traced, token, at, clip, chunk(1, 3.0, 6.0, value=-2.0))
    assert again.values[-1] == 2.0
    pd.testing.assert_frame_equal(trace_table(traced), whole)
    assert whole["time"].is_monotonic_increasing
    assert len(whole) == 61


def test_the_newest_complete_play_counts_and_older_ones_stay(traced):
    token = traced.invite().token
    at, clip = traced_item(traced, token)
    save_chunk(traced, token, at, clip, chunk())
    traced.save(token, at, clip, values(traced.item(token, at)))
    save_chunk(traced, token, at, clip, chunk(take=AGAIN, stop=3.0, value=2.0))
    table = trace_table(traced).groupby("take")["counts"].all()
    assert table.to_dict() == {1: True, 2: False}
    save_chunk(traced, token, at, clip, chunk(1, 3.1, take=AGAIN, value=2.0))
    table = trace_table(traced).groupby("take")["counts"].all()
    assert table.to_dict() == {1: False, 2: True}
    assert trace_sets(traced)[0].clips[0].values.max() == 2.0


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"take": "../x"}, "no name of a play"),
        ({"sequence": -1}, "at most 5,000 parts"),
        ({"length": 0.0}, "length must be above 0"),
        ({"length": float("nan")}, "length must be above 0"),
        ({"times": [], "values": []}, "1 to 600 samples"),
        ({"times": [0.2, 0.1], "values": [0.0, 0.0]}, "must rise"),
        ({"times": [0.1, 0.1], "values": [0.0, 0.0]}, "must rise"),
        ({"times": [0.1, 7.0], "values": [0.0, 0.0]}, "must rise"),
        ({"times": [-0.1, 0.1], "values": [0.0, 0.0]}, "must rise"),
        ({"times": [0.1], "values": [float("inf")]}, "must rise"),
        ({"times": [0.1], "values": []}, "a number as value at each time"),
        ({"times": [0.1], "values": ["x"]}, "a number as value at each time"),
    ],
)
def test_a_wrong_chunk_is_one_sentence(change, sentence):
    with pytest.raises(InputError, match=sentence):
        replace(Chunk(TAKE, 0, LENGTH, [0.0, 0.1], [0.0, 0.0]), **change)


def test_chunks_that_do_not_fit_are_refused(traced):
    token = traced.invite().token
    at, clip = traced_item(traced, token)
    save_chunk(traced, token, at, clip, chunk(0, 0.0, 3.0))
    other = next(
        i for i in range(traced.state(token).total) if traced.item(token, i).traced is None
    )
    for position, name, part, sentence in (
        (at, clip, chunk(1, 2.0, 4.0), "rise from each part to the next"),
        (at, clip, chunk(1, 3.1, value=3.5), "must be from -3 to 3"),
        (at, clip, replace(chunk(1, 3.1), length=8.0), "length changed"),
        (at, "another", chunk(1, 3.1), "of another clip"),
        (other, traced.item(token, other).clip, chunk(), "not rated while it plays"),
    ):
        with pytest.raises(InputError, match=sentence):
            save_chunk(traced, token, position, name, part)
    traced.set_open(False)
    with pytest.raises(InputError, match="is closed"):
        save_chunk(traced, token, at, clip, chunk(1, 3.1))
    assert len(trace_table(traced)) == 31


def test_withdrawing_deletes_traces(traced):
    token = traced.invite().token
    at, clip = traced_item(traced, token)
    odd = 1.2345678901234567
    save_chunk(traced, token, at, clip, chunk(value=odd))
    stored = b"".join(p.read_bytes() for p in traced.folder.iterdir())
    assert np.float64(odd).tobytes() in stored
    traced.withdraw(token)
    stored = b"".join(p.read_bytes() for p in traced.folder.iterdir())
    assert np.float64(odd).tobytes() not in stored
    assert trace_table(traced).empty


def test_forgetting_a_sample_deletes_its_traces(home, traced, traced_study):
    token = traced.invite().token
    at, clip = traced_item(traced, token)
    save_chunk(traced, token, at, clip, chunk())
    forget(home, traced_study, samples=[clip])
    assert trace_table(traced).empty


def test_excluded_raters_and_changed_scales_do_not_count(traced):
    invitation = traced.invite()
    at, clip = traced_item(traced, invitation.token)
    save_chunk(traced, invitation.token, at, clip, chunk())
    traced.save(invitation.token, at, clip, values(traced.item(invitation.token, at)))
    traced.exclude(invitation.rater, "did not listen")
    assert trace_sets(traced) == ()
    traced.include(invitation.rater)
    assert len(trace_sets(traced)) == 1
    version = traced.design_version()
    wider = replace(PLEASANT, high=4.0)
    scales = tuple(wider if s == PLEASANT else s for s in version.design.scales)
    traced.revise(replace(version.design, scales=scales), version.clips)
    assert trace_sets(traced) == ()
    assert trace_table(traced)["counts"].all()  # It is stored, and still of the old version.


def test_an_older_file_gets_the_table_of_traces(traced):
    with sqlite3.connect(traced.path) as connection:
        connection.execute("DROP TABLE trace")
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    assert trace_table(Collection(traced.folder)).empty
    with connected(traced.path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == LAYOUT == 2


def test_coverage_does_not_count_gaps():
    times = np.array([0.0, 0.1, 0.2, 1.2, 1.3])
    assert Take(1.4, times, times).coverage == pytest.approx(0.4 / 1.4)
    grid = resampled(times, 10 * times, 1.4)
    np.testing.assert_allclose(grid[[0, 1, 2, 12, 13, 14]], [0, 1, 2, 12, 13, 13])
    assert np.isnan(grid[3:12]).all()


def test_a_design_with_a_continuous_scale_is_read_back_and_checked(traced_design):
    assert parse_design(design_text(traced_design)) == traced_design
    assert "pleasant" not in all_fields(traced_design)
    words = Condition("reading", "words", ("text",))
    for change, sentence in (
        ({"conditions": ()}, "must be asked in one condition"),
        ({"labels": ("a",)}, "has 1 labels; a scale of kind continuous needs 2"),
        ({"low": 3.0}, "low must be below high"),
        ({"conditions": ("reading",)}, "plays nothing"),
    ):
        with pytest.raises(InputError, match=sentence):
            replace(
                traced_design, conditions=(*traced_design.conditions, words),
                scales=(*traced_design.scales[:-1], replace(PLEASANT, **change)),
            )  # fmt: skip
    second = replace(PLEASANT, name="loud")
    with pytest.raises(InputError, match="2 continuous scales"):
        replace(traced_design, scales=(*traced_design.scales, second))
    everything = (traced_design.condition("everything"),)
    only = {"conditions": everything, "scales": (PLEASANT,)}
    with pytest.raises(InputError, match="set attention to 0"):
        replace(traced_design, **only)
    assert replace(traced_design, **only, attention=0).scales == (PLEASANT,)


def test_traces_are_exported_with_their_columns(traced, tmp_path):
    token = traced.invite().token
    at, clip = traced_item(traced, token)
    save_chunk(traced, token, at, clip, chunk())
    traced.save(token, at, clip, values(traced.item(token, at)))
    export_ratings(traced, tmp_path / "out")
    traces = pd.read_csv(tmp_path / "out" / "traces.csv")
    codes = set(pd.read_csv(tmp_path / "out" / "codebook.csv")["name"])
    assert set(traces.columns) <= codes
    assert "scale pleasant" in codes
    assert traces[["clip", "take", "counts", "origin"]].drop_duplicates().to_numpy().tolist() == [
        [clip, 1, True, "people"]
    ]
    np.testing.assert_allclose(traces["time"], np.arange(61) / 10)
    assert pd.read_csv(tmp_path / "out" / "lags.csv").empty  # one rater
    files = export_ratings(traced, tmp_path / "two", "parquet")
    assert len(pd.read_parquet(tmp_path / "two" / "traces.parquet")) == 61
    assert any(path.name == "lags.parquet" for path in files)


def test_a_design_of_traces_alone_has_no_agreement_of_answers(home, traced_study, traced_design):
    from smurf_core.ratings.agreement import agreement_table
    from smurf_core.ratings.catalogue import create_collection
    from smurf_core.ratings.quality import rater_quality

    only = replace(
        traced_design, conditions=(traced_design.condition("everything"),), scales=(PLEASANT,),
        attention=0, clips_per_rater=3,
    )  # fmt: skip
    made = create_collection(home, traced_study, only)
    token = made.invite().token
    at, clip = traced_item(made, token)
    save_chunk(made, token, at, clip, chunk())
    made.save(token, at, clip, {})
    assert rater_table(made)["answered"].tolist() == [1]
    answers = answer_table(made)
    assert agreement_table(only, answers).empty
    assert rater_quality(only, answers).empty
