"""Mean traces and agreement over time, against what is written down by hand."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from smurf_core.errors import InputError
from smurf_core.ratings.traces.account import TraceAccount, trace_account
from smurf_core.ratings.traces.collected import ClipTraces, TraceSet
from smurf_core.ratings.traces.course import (
    agreement_over_time,
    mean_trace,
    trace_agreement,
)
from smurf_core.reporting.trace_sentence import lag_sentences, trace_sentence
from tests.smurf_core.ratings.traces.conftest import PLEASANT, noise
from tests.smurf_core.ratings.traces.test_lag import RATERS, late


def clip_of(rows, name="c"):
    return ClipTraces(name, (rows.shape[1] - 1) / 10, RATERS[: len(rows)], rows)


def account_of(clips, *, is_simulated=True) -> TraceAccount:
    return trace_account(TraceSet(PLEASANT, "everything", tuple(clips), is_simulated))


def test_the_mean_is_over_raters_after_their_lags_with_student_s_interval():
    rows = np.random.default_rng(0).normal(size=(3, 20))
    rows[2, 5] = np.nan
    found = mean_trace(clip_of(rows), {1: 0.2, 2: -0.1})
    for t in range(20):
        known = [
            rows[k, t + step]
            for k, step in enumerate((2, -1, 0))
            if 0 <= t + step < 20 and np.isfinite(rows[k, t + step])
        ]
        assert found.mean[t] == pytest.approx(np.mean(known))
        if len(known) > 1:
            expected = scipy.stats.t.interval(
                0.95, len(known) - 1, np.mean(known), scipy.stats.sem(known)
            )
            assert (found.low[t], found.high[t]) == pytest.approx(expected)
    alone = mean_trace(clip_of(rows[:1]), {})
    np.testing.assert_array_equal(alone.mean, rows[0])
    assert np.isnan(alone.low).all()


def test_agreement_of_one_clip_is_the_mean_correlation_of_its_pairs():
    rows = late(np.random.default_rng(1), np.array([0, 0, 0]), clips=1)[0].values
    found = trace_agreement([clip_of(rows)], {})
    expected = np.mean([np.corrcoef(rows[i], rows[j])[0, 1] for i, j in combinations(range(3), 2)])
    assert found.r == pytest.approx(expected)
    assert (found.pairs, found.blocks) == (3, 8)
    assert found.low < found.r < found.high


def test_agreement_of_several_clips_pools_products_centred_within_clips():
    first, second = late(np.random.default_rng(2), np.array([0, 0]), clips=2, length=120)
    second = ClipTraces("other", second.length, second.raters, second.values + 100)
    found = trace_agreement([first, second], {})
    x, y = (
        np.concatenate([c.values[k] - c.values[k].mean() for c in (first, second)]) for k in (0, 1)
    )
    assert found.r == pytest.approx(x @ y / np.sqrt((x @ x) * (y @ y)))
    assert found.blocks == 4
    assert np.isnan(found.low)  # of so few blocks
    with pytest.raises(InputError, match="a clip that two raters traced"):
        trace_agreement([clip_of(first.values[:1])], {})


def test_agreement_over_time_is_that_within_each_window():
    rows = late(np.random.default_rng(3), np.array([0, 0, 0]), clips=1)[0].values
    rows[2, 100:200] = 1.0
    table = agreement_over_time(clip_of(rows), {}, window=5.0, step=2.5)
    assert table["time"][:2].tolist() == [2.45, 4.95]
    assert table["raters"].tolist()[:8] == [3, 3, 3, 3, 2, 2, 2, 3]
    part = rows[:, 25:75]
    pairs = [np.corrcoef(part[i], part[j])[0, 1] for i, j in combinations(range(3), 2)]
    assert table["r"][1] == pytest.approx(np.mean(pairs))
    left = [pairs[2], pairs[1], pairs[0]]  # without the first, second, third rater
    error = np.sqrt(2 / 3 * ((np.array(left) - np.mean(left)) ** 2).sum())
    half = scipy.stats.t.ppf(0.975, 2) * error
    assert table["high"][1] == pytest.approx(min(1.0, table["r"][1] + half))
    assert table["low"][5:7].isna().all()  # of two raters
    with pytest.raises(InputError, match="agreement needs two raters"):
        agreement_over_time(clip_of(rows[:1]), {})
    with pytest.raises(InputError, match="less than a window of 5 s"):
        agreement_over_time(clip_of(rows[:, :40]), {})


def test_raters_agree_only_if_they_follow_each_other():
    agreed = account_of(late(np.random.default_rng(4), np.array([0, 10, 20])))
    assert agreed.is_agreed
    said = trace_sentence(agreed, "c1")
    assert said.startswith(
        f"3 of 3 simulated raters agree on pleasant over time: mean r of pairs "
        f"{agreed.agreement.r:.2f} ["
    )
    assert "Lags from −1.0 to 1.0 s around the average rater are taken out." in said
    assert f"In this clip it is {agreed.agreement_in('c1').r:.2f}" in said
    assert lag_sentences(agreed)[0] == "Lag of rater 1: 1.0 s before the average rater."

    random = np.random.default_rng(5)
    apart = account_of([clip_of(noise(random, 3, 600))], is_simulated=False)
    assert not apart.is_agreed
    assert trace_sentence(apart) == (
        "No agreement on pleasant over time is found in one clip of 60 s: of 3 raters, 0 follow "
        "the others."
    )
    assert "do not follow the others'" in lag_sentences(apart)[0]


def test_one_trace_per_clip_says_nothing_of_agreement():
    alone = account_of([clip_of(noise(np.random.default_rng(6), 1, 300))])
    assert alone.lags is None
    assert not alone.is_agreed
    assert trace_sentence(alone) == (
        "Agreement on pleasant over time cannot be said: no clip has traces of two simulated "
        "raters."
    )
    assert lag_sentences(alone) == []
    still = account_of([clip_of(np.ones((2, 300)))])
    assert not still.is_agreed
    assert pd.isna(still.agreement.r)
    assert "the slider was never moved" in lag_sentences(still)[0]


def test_a_lag_at_the_bound_is_not_taken_out_and_is_said():
    random = np.random.default_rng(7)
    clips = late(random, np.array([0, 0, 18]), length=600, error=0.1)
    found = trace_account(TraceSet(PLEASANT, "everything", tuple(clips), True), bound=1.0)
    assert found.lags["verdict"].tolist() == ["lag", "lag", "bound"]
    assert "The lag of rater 3 cannot be said: the best lag lies at the bound of 1.0 s." in (
        trace_sentence(found)
    )
    assert account_of(clips).lags["verdict"].tolist() == ["lag"] * 3
