"""A Dask cluster computes what one process does, and outlives the loss of a worker."""

import os
import signal
from collections.abc import Iterator

import pytest

from smurf_core.configuration import Grid, RunConfig
from smurf_core.data.dataset import Folds
from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.errors import InputError
from smurf_core.results import RunResult
from smurf_core.training.observing import Progress, TrainingCancelled
from smurf_core.training.run import train_run
from tests.smurf_core.training.test_engine import assert_same_numbers

distributed = pytest.importorskip("distributed", reason="the package distributed is not installed")

WHOLE = synthetic_additive(samples=90, modalities=2, seed=1)
assert WHOLE.folds is not None
FOLDS = Folds(*(getattr(WHOLE.folds, role)[:2] for role in ("training", "validation", "test")))
DATA = WHOLE.with_folds(FOLDS)
CONFIG = RunConfig(
    preset="custom",
    grid=Grid((5e-3, 2e-2), ((4,), (6, 3)), (0.0,), (0.1, 0.5)),
    restarts=2,
    max_epochs=120,
    patience=None,
    device="cpu",
)


@pytest.fixture(scope="module")
def alone() -> RunResult:
    return train_run(DATA, CONFIG)


@pytest.fixture(scope="module")
def cluster() -> Iterator[object]:
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as cluster:
        yield cluster


class Killer:
    """Kills a worker at the first sign of progress."""

    def __init__(self, address: str) -> None:
        with distributed.Client(address, set_as_default=False) as client:
            self.victims = list(client.run(os.getpid).values())[:1]

    def report(self, progress: Progress) -> None:
        while self.victims:
            os.kill(self.victims.pop(), signal.SIGKILL)

    def should_stop(self) -> bool:
        return False


class Impatient:
    """Asks to stop at the first sign of progress."""

    is_asked = False

    def report(self, progress: Progress) -> None:
        self.is_asked = True

    def should_stop(self) -> bool:
        return self.is_asked


def test_two_workers_of_a_cluster_give_the_same_tables_as_one_process(cluster, alone) -> None:
    found = train_run(DATA, CONFIG, scheduler=cluster.scheduler_address)
    assert_same_numbers(found, alone)


def test_a_cluster_stops_when_asked(cluster) -> None:
    with pytest.raises(TrainingCancelled):
        train_run(DATA, CONFIG, scheduler=cluster.scheduler_address, observer=Impatient())


def test_killing_a_worker_midway_changes_nothing_but_the_time(cluster, alone) -> None:
    killer = Killer(cluster.scheduler_address)
    found = train_run(DATA, CONFIG, scheduler=cluster.scheduler_address, observer=killer)
    assert killer.victims == []
    assert_same_numbers(found, alone)


def test_an_address_where_nobody_answers_is_refused_with_what_to_do(monkeypatch) -> None:
    monkeypatch.setattr("smurf_core.training.workers.ANSWER_SECONDS", 1)
    with pytest.raises(InputError, match=r"No Dask scheduler answers .* `dask scheduler`"):
        train_run(DATA, CONFIG, scheduler="tcp://127.0.0.1:9")
