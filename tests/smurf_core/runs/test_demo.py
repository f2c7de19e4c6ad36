"""The demo: made once, whole, with three models in the queue."""

import pytest

from smurf_core.data.generated.simulated import simulated_affect
from smurf_core.runs import demo, simulated, store, studies
from smurf_core.runs.demo import DEMO_STUDY, ensure_demo
from smurf_core.runs.simulated import add_simulated_study


@pytest.fixture(autouse=True)
def small(monkeypatch):
    data = simulated_affect(samples=60, persons=10)
    for module in (demo, simulated):
        monkeypatch.setattr(module, "simulated_affect", lambda **_: data)


def queued(workspace) -> list[str]:
    return [run.config.model for run in store.list_runs(workspace)]


def test_the_demo_is_simulated_has_clips_and_queues_its_models(home):
    assert ensure_demo(home) == ensure_demo(home) == DEMO_STUDY
    (study,) = studies.list_studies(home)
    assert (study.id, study.origin) == (DEMO_STUDY, "simulated")
    assert studies.media_of(home, DEMO_STUDY).folder == str(
        (home.study_folder(DEMO_STUDY) / "media").resolve()
    )
    assert queued(home) == ["exclusive", "late_fusion", "smurf"]
    # The first in the list, which pages open, is also the first to be trained.
    assert store.claim(home).config.model == "exclusive"
    assert add_simulated_study(home) == DEMO_STUDY


def test_a_deleted_demo_comes_back_and_is_trained_again_only_if_no_run_is_left(home):
    ensure_demo(home)
    last, *others = store.list_runs(home)
    for run in others:
        store.delete_run(home, run.id)
    studies.delete_study(home, DEMO_STUDY, stop_training=True)
    assert ensure_demo(home) == DEMO_STUDY
    assert [run.id for run in store.list_runs(home)] == [last.id]
    store.delete_run(home, last.id)
    ensure_demo(home)
    assert queued(home) == ["exclusive", "late_fusion", "smurf"]


def test_an_existing_simulated_study_becomes_the_demo(home):
    study = add_simulated_study(home)
    assert ensure_demo(home) == study
    assert len(studies.list_studies(home)) == 1
    assert {run.study_id for run in store.list_runs(home)} == {study}
