"""Shows progress: bars on a terminal, elsewhere a line every few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from smurf_core.evaluation.metrics import METRIC_TITLES, METRICS
from smurf_core.processes.launcher import launch
from smurf_core.runs import store, studies
from smurf_core.runs.workspace import Workspace

LINE_SECONDS = 5.0  # seconds between two lines of one run
_LOOK_SECONDS = 0.2  # seconds between two reads of the store


class _Display(Protocol):
    """Shows the current state of runs."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        traceback: TracebackType | None, /,
    ) -> None: ...  # fmt: skip

    def show(self, runs: list[store.RunInfo]) -> None:
        """Show changes."""


def watch(workspace: Workspace, run_ids: list[str]) -> list[store.RunInfo]:
    """Show progress on standard error until all runs have ended; Ctrl-C cancels the others."""
    console = Console(stderr=True, highlight=False)
    runs = [store.get_run(workspace, run_id) for run_id in run_ids]
    display: _Display = (
        _Bars(console, runs) if console.is_terminal else _Lines(console, workspace, runs)
    )
    with display:
        while True:
            try:
                runs = [store.get_run(workspace, run_id) for run_id in run_ids]
                display.show(runs)
                if not any(run.is_active for run in runs):
                    return runs
                launch(workspace)  # In case the worker was killed.
                time.sleep(_LOOK_SECONDS)
            except KeyboardInterrupt:
                for run_id in run_ids:
                    store.request_cancel(workspace, run_id)


class _Bars:
    """One bar per run."""

    def __init__(self, console: Console, runs: list[store.RunInfo]) -> None:
        self._bars = Progress(
            TextColumn("{task.description}"), BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"), TimeElapsedColumn(),
            TextColumn("{task.fields[message]}"), console=console,
        )  # fmt: skip
        self._tasks: dict[str, TaskID] = {
            run.id: self._bars.add_task(
                run.config.kind.title, total=1.0, message="queued", start=False
            )
            for run in runs
        }

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def show(self, runs: list[store.RunInfo]) -> None:
        for run in runs:
            task = self._tasks[run.id]
            if run.started and not self._bars.tasks[task].started:
                self._bars.start_task(task)
            if not run.is_active:
                self._bars.stop_task(task)
            self._bars.update(task, completed=run.progress, message=run.message or run.status)


class _Lines:
    """A line per run when its status changes, and every few seconds while it trains."""

    def __init__(self, console: Console, workspace: Workspace, runs: list[store.RunInfo]) -> None:
        self._console, self._workspace = console, workspace
        study = studies.get_study(workspace, runs[0].study_id)
        self._tasks = studies.targets_of(workspace, study)
        self._printed: dict[str, tuple[float, str, str]] = {}  # time, status, message

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def show(self, runs: list[store.RunInfo]) -> None:
        now = time.monotonic()
        for run in runs:
            when, status, message = self._printed.get(run.id, (0.0, "", ""))
            is_due = now - when >= LINE_SECONDS and run.message != message
            # Users wait most for the first message of a run, so it is printed at once.
            is_first = run.status == status == "running" and message in ("", "starting")
            if run.status != status or is_due or (is_first and run.message != message):
                self._printed[run.id] = (now, run.status, run.message)
                self._console.print(self._line(run), markup=False, soft_wrap=True)

    def _line(self, run: store.RunInfo) -> str:
        title = f"{run.id} {run.config.kind.title}"
        if run.status == "running":
            return f"{title}: {run.progress:.0%}, {run.message}{self._best(run)}"
        if run.started is None or run.finished is None:
            return f"{title}: {run.status}"
        return f"{title}: {run.status} after {run.finished - run.started:.0f} s"

    def _best(self, run: store.RunInfo) -> str:
        """The best value so far in the fold that is being trained."""
        curves = store.curves(self._workspace, run.id)
        if curves.empty:
            return ""
        fold = curves["fold"].iloc[-1]
        best = curves.loc[curves["fold"] == fold, "validation_metric"].max()
        metric = METRIC_TITLES[next(iter(METRICS[self._tasks[run.target]]))]
        return "" if best != best else f", best validation {metric} {best:.3f}"


class _Task:
    """One task: a bar on a terminal, elsewhere a line every few seconds."""

    def __init__(self, *columns: ProgressColumn, transient: bool = False) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._bars = Progress(
            *columns, console=self._console, transient=transient,
            disable=not self._console.is_terminal,
        )  # fmt: skip
        self._task = self._bars.add_task("", total=None)
        self._printed = 0.0

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def _report(self, text: str, *, is_last: bool = False, **changes: Any) -> None:
        self._bars.update(self._task, **changes)
        now = time.monotonic()
        is_due = now - self._printed >= LINE_SECONDS or is_last
        if is_due and not self._console.is_terminal:
            self._printed = now
            self._console.print(text, markup=False, soft_wrap=True)


class Shares(_Task):
    """Progress of a task: call the function that `with` returns with the share done and a step.

    No line is printed of what takes less than a few seconds.
    """

    def __init__(self) -> None:
        super().__init__(
            TextColumn("{task.description}"), BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"), TimeElapsedColumn(), transient=True,
        )  # fmt: skip
        self._printed = time.monotonic()

    def __enter__(self) -> Callable[[float, str], None]:
        self._bars.start()
        return self._show

    def _show(self, share: float, what: str) -> None:
        self._report(f"{what}: {share:.0%}", completed=share, total=1.0, description=what)


class Steps(_Task):
    """Progress of a task with steps: call the function that `with` returns with the counts."""

    def __init__(self, title: str) -> None:
        super().__init__(
            TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        )  # fmt: skip
        self._title = title

    def __enter__(self) -> Callable[[int, int], None]:
        self._bars.start()
        return self._show

    def _show(self, done: int, total: int) -> None:
        text = f"{self._title}: {done} of {total}"
        self._report(text, is_last=done == total, completed=done, total=total)
