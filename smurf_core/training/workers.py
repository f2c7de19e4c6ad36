"""Who computes the units of a run: this process, processes on this machine, or a Dask cluster.

A unit is a method of a plan with its arguments. Results come back in the order of the units, and
are written by whoever asked, never by a worker.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

import joblib

from smurf_core.errors import InputError
from smurf_core.training.lifeline import end_with
from smurf_core.training.observing import Observer, Progress, TrainingCancelled

if TYPE_CHECKING:
    import distributed

ONE_THREAD = 1  # of BLAS and torch: threads that wait for others' cores spin
ANSWER_SECONDS = 20  # that a scheduler may take to answer
POLL_SECONDS = 0.5  # between two looks at whether to stop
REPORT_SECONDS = 0.5  # between two reports of one unit


class Workers(Protocol):
    """Computes units."""

    def each(self, plan: Any, method: str, units: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
        """Results of `plan.method(*unit)`, in the units' order."""


@dataclass(frozen=True)
class _Processes:
    parallel: joblib.Parallel

    def each(self, plan: Any, method: str, units: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
        """Joblib hands large arrays of the plan to its processes as memory maps, not as copies."""
        work = joblib.delayed(getattr(plan, method))
        yield from self.parallel(work(*unit) for unit in units)


@contextmanager
def processes(jobs: int) -> Iterator[Workers]:
    """This process where `jobs` is one, else so many, which end with this one."""
    with joblib.Parallel(
        n_jobs=jobs, return_as="generator", pre_dispatch="n_jobs",
        **({"initializer": end_with, "initargs": (os.getpid(),)} if jobs != 1 else {}),
    ) as parallel:  # fmt: skip
        yield _Processes(parallel)


@contextmanager
def cluster(address: str, observer: Observer | None) -> Iterator[Workers]:
    """The workers of a Dask cluster; their progress is reported to `observer` here.

    The scheduler gives the units of a worker that is lost to another one.
    """
    try:
        import distributed
    except ImportError:
        raise InputError(
            "Training on a cluster needs the package distributed: "
            "pip install 'smurf-studio[cluster]'."
        ) from None
    try:
        client = distributed.Client(address, timeout=ANSWER_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(
            f"No Dask scheduler answers at {address!r} ({error}). Start one with `dask scheduler`, "
            "or give the address that it printed."
        ) from None
    with client:
        yield _Cluster(client, observer)


@dataclass(frozen=True)
class _Cluster:
    client: distributed.Client
    observer: Observer | None
    name: str = field(default_factory=lambda: f"smurf-{uuid4().hex[:12]}")

    def each(self, plan: Any, method: str, units: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
        import dask
        from distributed import Event, KilledWorker

        stop = Event(self.name, client=self.client)
        if self.observer is not None:
            self.client.subscribe_topic(self.name, self._report)
            plan = replace(plan, observer=_Relay(self.name))
        # The plan is a task of its own, whose recipe the scheduler keeps: data that was only
        # scattered would be lost with the workers that hold it.
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TiB"}):
            shared = self.client.submit(_itself, plan, key=f"{self.name}-{method}-plan")
            futures = [
                self.client.submit(_call, shared, method, unit, key=f"{self.name}-{method}-{i}")
                for i, unit in enumerate(units)
            ]
        try:
            for future in futures:
                yield self._result(future)
        except KilledWorker as error:
            raise InputError(
                f"A unit of work ended {error.allowed_failures + 1} workers one after another, "
                "most likely for want of memory: give each worker more, or choose a smaller grid."
            ) from None
        except BaseException:
            stop.set()
            raise
        finally:
            self.client.cancel([shared, *futures])
            if self.observer is not None:
                self.client.unsubscribe_topic(self.name)

    def _result(self, future: distributed.Future[Any]) -> Any:
        while True:
            if self.observer is not None and self.observer.should_stop():
                raise TrainingCancelled
            try:
                return future.result(timeout=POLL_SECONDS)
            except TimeoutError:
                continue

    def _report(self, event: tuple[float, dict[str, Any]]) -> None:
        if self.observer is not None:
            self.observer.report(Progress(**event[1]["progress"]))


def _itself(plan: Any) -> Any:
    return plan


def _call(plan: Any, method: str, unit: tuple[Any, ...]) -> Any:
    return getattr(plan, method)(*unit)


@dataclass
class _Relay:
    """An observer on a worker, which passes on to the one that asked for the work."""

    name: str
    _reported: float = field(default=0.0, repr=False)
    _asked: float = field(default=0.0, repr=False)
    _stop: bool = field(default=False, repr=False)

    def report(self, progress: Progress) -> None:
        """Send progress, at most every half second."""
        from distributed import get_worker

        now = time.monotonic()
        if now - self._reported >= REPORT_SECONDS or progress.done >= 1:
            self._reported = now
            get_worker().log_event(self.name, {"progress": asdict(progress)})

    def should_stop(self) -> bool:
        """True if the one that asked has stopped waiting."""
        from distributed import Event, get_client

        now = time.monotonic()
        if not self._stop and now - self._asked >= POLL_SECONDS:
            self._asked = now
            self._stop = Event(self.name, client=get_client()).is_set()
        return self._stop
