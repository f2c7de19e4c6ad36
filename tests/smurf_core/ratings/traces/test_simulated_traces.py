"""Simulated raters' traces: made by the functions that people's take, with known lags."""

import re

import numpy as np
import pytest
from typer.testing import CliRunner

from smurf_core.cli import app
from smurf_core.plot.timeline_traces import add_traces
from smurf_core.ratings.catalogue import create_collection
from smurf_core.ratings.simulate import RaterTraits, simulate_raters
from smurf_core.ratings.traces.account import newest_with_traces, trace_account
from smurf_core.ratings.traces.collected import trace_sets, trace_table
from smurf_core.ratings.traces.lag import trace_lags
from smurf_core.ratings.traces.simulate import clip_length, course


@pytest.fixture
def simulated(home, traced_study, traced_design, long_affect):
    clips = long_affect.sample_ids[long_affect.features["audio"].present][:8].tolist()
    made = create_collection(home, traced_study, traced_design, clips=clips, is_simulated=True)
    traits = RaterTraits(trace_lag=1.0, trace_lag_sd=0.3, noise=0.2, scale_use=0.1)
    simulate_raters(made, long_affect, traits)
    return made


def test_simulated_lags_are_recovered_and_marked(home, traced_study, simulated, long_affect):
    assert newest_with_traces(home, traced_study).id == simulated.id
    (found,) = trace_sets(simulated)
    assert found.is_simulated
    courses = {}
    for clip in found.clips:
        row = int(long_affect.positions(np.array([clip.clip]))[0])
        assert clip.length == pytest.approx(clip_length(long_affect, row))
        assert 6 <= clip.length <= 9
        courses[clip.clip] = course(clip.clip, 0.0, clip.length)
    after = trace_lags(found.clips, reference=courses, bound=3.0, draws=199)
    known = after[after["verdict"] == "lag"]
    assert len(known) > len(after) / 2
    assert known["lag"].between(0.1, 2.0).all()
    assert abs(known["lag"].mean() - 1.0) < 0.35
    account = trace_account(found)
    both = account.lags.merge(known, on="rater", suffixes=("", "_after")).dropna()
    centred = both["lag_after"] - both["lag_after"].mean()
    assert np.abs(both["lag"] - both["lag"].mean() - centred).max() < 0.3


def test_equal_seeds_give_equal_traces_and_answers_do_not_depend_on_them(simulated):
    table = trace_table(simulated)
    assert set(table["kind"]) == {"clip", "repeat"}
    assert not table.loc[table["kind"] == "repeat", "counts"].any()
    assert table["value"].between(-3, 3).all()
    assert course("a", 1.0, 3.0).tolist() == course("a", 1.0, 3.0).tolist()


def test_status_says_what_the_traces_show(home, traced_study, simulated):
    said = CliRunner().invoke(app, ["ratings", "status", traced_study, "last"])
    assert said.exit_code == 0, said.output
    assert "on pleasant over time" in said.output
    assert re.search(r"Lag of rater \d+:", said.output)


def test_traces_are_drawn_in_the_places_of_their_samples(simulated):
    from plotly.subplots import make_subplots

    account = trace_account(trace_sets(simulated)[0])
    names = ["none", *list(account.means)[:2]]
    figure = make_subplots(rows=2, cols=1)
    add_traces(figure, 2, names, account)
    mean = figure.data[-1]
    first = account.means[names[1]]
    count = len(first.times)
    assert "simulated raters" in mean.name
    np.testing.assert_allclose(mean.y[:count], first.mean)
    assert mean.x[0] == pytest.approx(1.53)
    assert mean.x[count - 1] <= 2.47
    assert np.isnan(mean.x[count])
    assert mean.x[count + 1] == pytest.approx(2.53)
    assert (mean.opacity == 1) == account.is_agreed
