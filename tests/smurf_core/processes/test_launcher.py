"""Starting the worker: one at a time, however often it is asked for."""

import time

import psutil

from smurf_core.processes.launcher import launch
from smurf_core.runs import own_studies, store
from tests.studio import FAST


def workers(folder):
    """The worker processes of a workspace."""
    found = []
    for process in psutil.process_iter():
        try:
            line = process.cmdline()
        except psutil.Error:
            continue
        if str(folder) in line and "smurf_core.processes.worker" in line:
            found.append(process)
    return found


def test_one_worker_is_started_although_many_ask_until_it_claims_the_run(home):
    # Every look at the queue used to start one more, until the first had loaded its libraries.
    run = store.create_run(home, own_studies.ensure_synthetic_study(home), FAST, jobs=1)
    for _ in range(5):
        launch(home)
    assert len(workers(home.root)) == 1
    store.request_cancel(home, run)
    until = time.monotonic() + 240  # On a busy machine, loading the libraries takes minutes.
    while workers(home.root) and time.monotonic() < until:
        time.sleep(0.2)
    assert not workers(home.root)
    # The next one is started when there is work again.
    store.create_run(home, own_studies.ensure_synthetic_study(home), FAST, jobs=1)
    until = time.monotonic() + 60
    while not workers(home.root) and time.monotonic() < until:
        launch(home)  # As callers do: what is about to end counts as a worker for a moment.
        time.sleep(0.05)
    assert len(workers(home.root)) == 1
    for process in workers(home.root):
        process.kill()
