import gc
import time

import psutil
import pytest

from smurf_core.experiments.basins import find_basins
from smurf_core.processes.live_basins import LiveBasins

FAST = {"modalities": 2, "samples": 60}


def wait(is_true, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, "It takes too long."
        time.sleep(0.05)


def test_starts_are_reported_as_they_end_and_are_those_of_one_stack():
    live = LiveBasins(starts=3, epochs=20, **FAST)
    wait(lambda: live.state != "running")
    assert (live.state, len(live.rows())) == ("finished", live.total)
    together = {(s.output_scale, s.seed): s for s in find_basins(starts=3, epochs=20, **FAST)}
    for row in live.rows().to_dict("records"):
        start = together[row["output_scale"], row["seed"]]
        assert row["objective"] == pytest.approx(start.objective, rel=1e-4)
        assert row["recovery"] == pytest.approx(start.recovery, abs=1e-3)


def test_stop_really_stops_and_keeps_what_was_done():
    live = LiveBasins(starts=40, epochs=400, **FAST)
    wait(lambda: len(live.rows()) > 0)
    (child,) = [p for p in psutil.Process().children() if "basins" in p.cmdline()]
    live.stop()
    live.stop()  # A second click.
    assert live.state == "stopped"
    assert not child.is_running()
    done = live.rows()
    assert 0 < len(done) < live.total
    assert done.notna().all().all()


def test_nobody_holding_it_ends_it():
    live = LiveBasins(starts=40, **FAST)
    (child,) = [p for p in psutil.Process().children() if "basins" in p.cmdline()]
    del live
    gc.collect()
    wait(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, 10)


def test_a_failure_is_reported():
    live = LiveBasins(starts=1, epochs=1, modalities=2, samples=-1)
    wait(lambda: live.state != "running")
    assert live.state == "failed"
    assert live.error()
