"""Lags of raters: recovered where traces have them, refused where nothing can be said."""

import numpy as np
import pytest

from smurf_core.errors import InputError
from smurf_core.ratings.traces.collected import ClipTraces
from smurf_core.ratings.traces.course import known_lags
from smurf_core.ratings.traces.lag import correlations, shifted, trace_lags
from tests.smurf_core.ratings.traces.conftest import noise

RATERS = np.array([1, 2, 3, 4])


def late(random, lags, *, clips=4, length=400, error=0.5):
    """Clips of a common course, seen with lags in steps of 0.1 s, bias, scale use and noise."""
    found = []
    for k in range(clips):
        common = noise(random, 1, length + 80)[0]
        rows = np.stack([common[80 - step : 80 - step + length] for step in lags])
        rows = rows * random.uniform(0.5, 2, size=(len(lags), 1))
        rows += random.normal(size=(len(lags), 1)) + error * noise(random, len(lags), length)
        found.append(ClipTraces(f"c{k}", length / 10, RATERS[: len(lags)], rows))
    return found


def by_hand(pairs, steps):
    """`correlations` as it is written down: sums over clips and moments, in plain Python."""
    found = []
    for step in steps:
        xy = xx = yy = 0.0
        for own, other in pairs:
            both = [
                (own[t + step], other[t])
                for t in range(len(own))
                if 0 <= t + step < len(own)
                and not np.isnan(own[t + step])
                and not np.isnan(other[t])
            ]
            if len(both) < max(3, len(own) / 2):
                continue
            mx = sum(x for x, _ in both) / len(both)
            my = sum(y for _, y in both) / len(both)
            xy += sum((x - mx) * (y - my) for x, y in both)
            xx += sum((x - mx) ** 2 for x, _ in both)
            yy += sum((y - my) ** 2 for _, y in both)
        found.append(xy / (xx * yy) ** 0.5 if xx * yy > 0 else float("nan"))
    return found


def test_pooled_correlations_are_those_written_by_hand():
    random = np.random.default_rng(0)
    pairs = [(random.normal(size=n), random.normal(size=n)) for n in (9, 30, 41)]
    pairs[1][0][3:6] = np.nan
    pairs[2][1][-5:] = np.nan
    steps = list(range(-25, 26))
    np.testing.assert_allclose(correlations(pairs, steps), by_hand(pairs, steps), atol=1e-12)


def test_a_trace_that_comes_earlier_ends_earlier():
    moved = shifted(np.array([[0.0, 1, 2, 3]]), 2)
    np.testing.assert_array_equal(moved, [[2, 3, np.nan, np.nan]])
    np.testing.assert_array_equal(shifted(np.arange(3.0), -1), [np.nan, 0, 1])
    assert np.isnan(shifted(np.arange(3.0), 5)).all()


def test_known_lags_are_recovered_around_the_average_rater():
    steps = np.array([5, 12, 20, 31])
    clips = late(np.random.default_rng(1), steps)
    found = trace_lags(clips, draws=199)
    assert found["verdict"].tolist() == ["lag"] * 4
    np.testing.assert_allclose(found["lag"], (steps - steps.mean()) / 10, atol=0.15)
    two = trace_lags(late(np.random.default_rng(2), steps[:2]), draws=199)
    np.testing.assert_allclose(two["lag"], [-0.35, 0.35], atol=0.15)


def test_lags_after_a_given_course_are_known_in_seconds():
    random = np.random.default_rng(3)
    course = noise(random, 1, 480)[0]
    rows = np.stack([course[80 - step : 480 - step] for step in (0, 25)])
    clip = ClipTraces("c", 40.0, RATERS[:2], rows + 0.3 * noise(random, 2, 400))
    found = trace_lags([clip], reference={"c": course[80:]}, draws=199)
    assert found["verdict"].tolist() == ["lag", "lag"]
    np.testing.assert_allclose(found["lag"], [0.0, 2.5], atol=0.15)
    alone = ClipTraces("c", 40.0, RATERS[:1], rows[:1])
    assert trace_lags([alone], reference={"c": course[80:]}, draws=99)["lag"][0] == 0
    unknown = trace_lags([clip], reference={"another": course}, draws=99)
    assert unknown["verdict"].tolist() == ["alone", "alone"]


def test_a_best_lag_at_the_bound_cannot_be_said():
    random = np.random.default_rng(4)
    course = noise(random, 1, 480)[0]
    clip = ClipTraces("c", 40.0, RATERS[:1], course[None, 40:440])
    given = {"c": course[80:]}
    assert trace_lags([clip], reference=given, draws=199)["lag"][0] == 4.0
    short = trace_lags([clip], reference=given, bound=3.8, draws=199).iloc[0]
    assert short["verdict"] == "bound"
    assert np.isnan(short["lag"])
    assert short["reach"] == 3.8
    early = ClipTraces("c", 40.0, RATERS[:1], course[None, 82:482][:, :398])
    before = trace_lags([early], reference=given, draws=199).iloc[0]  # It comes before.
    assert before["verdict"] == "bound"


def test_independent_noise_has_no_lag():
    wrong = 0
    for seed in range(12):
        random = np.random.default_rng([5, seed])
        rows = noise(random, 3, 600)
        if seed % 2:
            rows = np.cumsum(random.normal(size=(3, 600)), axis=1)  # random walks
        found = trace_lags([ClipTraces("c", 60.0, RATERS[:3], rows)], draws=199)
        wrong += set(found["verdict"]) != {"no agreement"}
        assert found.loc[found["verdict"] == "no agreement", "lag"].isna().all()
    assert wrong <= 2


def test_a_rater_who_does_not_follow_gets_no_lag_and_the_others_do():
    random = np.random.default_rng(6)
    clips = late(random, np.array([10, 20, 30]))
    clips = [
        ClipTraces(c.clip, c.length, RATERS, np.vstack([c.values, noise(random, 1, 400)]))
        for c in clips
    ]
    found = trace_lags(clips, draws=499).set_index("rater")
    assert found.loc[4, "verdict"] == "no agreement"
    assert list(known_lags(found.reset_index())) == [1, 2, 3]
    np.testing.assert_allclose(found.loc[[1, 2, 3], "lag"], [-1, 0, 1], atol=0.15)


def test_constant_traces_and_single_raters_are_refused():
    random = np.random.default_rng(7)
    (clip,) = late(random, np.array([0, 10]), clips=1, length=600, error=0.1)
    still = ClipTraces("c", 60.0, RATERS[:3], np.vstack([clip.values, np.full((1, 600), 2.0)]))
    found = trace_lags([still], draws=199)
    assert found["verdict"].tolist() == ["lag", "lag", "still"]
    assert np.isnan(found["lag"][2])
    nothing = ClipTraces("c", 60.0, RATERS[:2], np.ones((2, 600)))
    assert trace_lags([nothing], draws=99)["verdict"].tolist() == ["still", "still"]
    with pytest.raises(InputError, match="Lags need two raters or a reference"):
        trace_lags([ClipTraces("c", 60.0, RATERS[:1], np.ones((1, 600)))])
    with pytest.raises(InputError, match="bound of lags is 0 s"):
        trace_lags([clip], bound=0)


def test_equal_seeds_give_equal_tables():
    clips = late(np.random.default_rng(8), np.array([0, 5]), clips=1)
    assert trace_lags(clips, draws=99, seed=3).equals(trace_lags(clips, draws=99, seed=3))
