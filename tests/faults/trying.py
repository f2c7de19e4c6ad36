"""Carries out a piece of work with one fault, and checks what is left."""

from __future__ import annotations

import gc
import json
import os
import re
import shutil
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from unittest.mock import patch

from smurf_core import durable
from smurf_core.data.generated import simulated
from smurf_core.errors import InputError
from smurf_core.processes import worker
from smurf_core.runs import demo, doctor, store, studies
from smurf_core.runs.files import RunFiles
from smurf_core.runs.workspace import Workspace
from tests.faults import contents
from tests.faults.contents import BYTES, Entry, sum_of
from tests.faults.injecting import CUTS, ERRORS, KILLED, Disk, Kind, Step
from tests.faults.scenarios import Scenario, filled, small_demo

_TEMPORARY = re.compile(r"\..+\.([0-9a-f]{32}|ready|old)|\.tmp.+")
_SPACE = "of the disk are free"  # what the doctor says of this machine's disk


@dataclass(frozen=True)
class Fault:
    """One failing step of a scenario."""

    scenario: Scenario
    kind: Kind
    at: int
    what: str  # the step


@dataclass(frozen=True)
class Loss:
    """What a fault destroyed, or what else was not as it should be after it."""

    fault: Fault
    what: str


class Trial:
    """A scenario with what is there before, and what an undisturbed piece of work leaves."""

    def __init__(self, scenario: Scenario, work: Path) -> None:
        self.scenario = scenario
        self.place = work / "trial"  # Always the same: a store names the folder of its recordings.
        self._start = work / "start" / scenario.name
        self.workspace = Workspace(self.place / "home")
        self._prepare(work / "filled")
        shutil.copytree(self.place, self._start)
        self.before = self._contents() if self.workspace.database.exists() else frozenset()
        self.shown = self._undisturbed()
        self.after = self.shown[-1]
        self.steps = self._counted()

    def faults(self) -> list[Fault]:
        """Every fault of every kind that differs from the others."""
        return [
            Fault(self.scenario, kind, at, step.what)
            for kind in (*ERRORS, *CUTS)
            for at, step in enumerate(self.steps)
            if step.can_be(kind)
        ]

    def attempt(self, fault: Fault) -> list[Loss]:
        """Carry out the work with a fault, repair what is left, and carry it out again."""
        self._reset()
        code, said = self._in_a_child(fault.kind, fault.at)
        shown, errors = said["shown"], said["error"]
        found = [self._loss(fault, error) for error in ([errors] if errors else [])]
        if code not in (0, KILLED):
            found.append(self._loss(fault, f"the process ended with {code}"))
        try:
            found += [self._loss(fault, what) for what in self._checked(shown)]
        except Exception:  # noqa: BLE001 — whatever it is, it is a finding
            found.append(self._loss(fault, traceback.format_exc()))
        return found

    def _loss(self, fault: Fault, what: str) -> Loss:
        return Loss(fault, what)

    def _checked(self, shown: int) -> Iterator[str]:
        space = self.workspace
        studies.list_studies(space)  # As the app opens it.
        yield from (f"cannot be read: {e.reason}" for e in studies.list_broken_studies(space))
        yield from (f"cannot be read: {e.reason}" for e in store.list_broken_runs(space))
        first = doctor.examine(space, repair=True).problems
        yield from (
            f"not corrected: {p.where}: {p.what} {p.remedy}" for p in first
            if not p.done and _SPACE not in p.what
        )  # fmt: skip
        second = doctor.examine(space).problems if first else ()
        yield from (
            f"still there: {p.where}: {p.what}" for p in second if _SPACE not in p.what
        )  # fmt: skip
        yield from (f"left over: {path}" for path in self._left_over())
        now = self._contents()
        promised = self.shown[shown] if shown < len(self.shown) else self.after
        for what, wanted in (("finished", self.before), ("shown", promised)):
            gone = (wanted & self.after) - now
            gone = {e for e in gone if what == "finished" or e[0] != BYTES}
            yield from (f"{what} and gone: {_short(entry)}" for entry in sorted(gone, key=str))
        (self.scenario.again or self.scenario.act)(space, lambda: None)
        now, wanted = _plain(self._contents()), _plain(self.after)
        yield from (f"lacks: {_short(e)}" for e in sorted(wanted - now, key=str))
        if not self.scenario.may_repeat:
            yield from (f"has also: {_short(e)}" for e in sorted(now - wanted, key=str))
        last = doctor.examine(space).problems if first else ()
        yield from (f"at the end: {p.where}: {p.what}" for p in last if _SPACE not in p.what)
        yield from (f"left over at the end: {path}" for path in self._left_over())
        lost = sorted((space.root / doctor.LOST).rglob("*"))
        if self.scenario.leaves_nothing and any(path.is_file() for path in lost):
            yield f"put aside: {lost[-1].relative_to(self.place)}"

    def _left_over(self) -> list[str]:
        """Temporary files in the workspace, or of a restore beside it; not what was put aside."""
        beside = self.place.glob(f".{self.workspace.root.name}.*")
        return [
            str(path.relative_to(self.place))
            for path in (*self.workspace.root.rglob("*"), *beside)
            if _TEMPORARY.fullmatch(path.name) and doctor.LOST not in path.parts
        ]

    def _contents(self) -> frozenset[Entry]:
        return contents.contents(self.workspace)

    def _undisturbed(self) -> list[frozenset[Entry]]:
        """What is there after each step whose end a user was shown; at the end, all."""
        found = [self.before]
        self.scenario.act(self.workspace, lambda: found.append(self._contents()))
        return found

    def _counted(self) -> list[Step]:
        self._reset()
        code, said = self._in_a_child(None, -1)
        if code or said["error"]:
            raise RuntimeError(f"{self.scenario.name} fails without a fault: {said['error']}")
        return [Step(*step) for step in said["steps"]]

    def _prepare(self, made: Path) -> None:
        """What is there before the work; the filled workspace is made once."""
        shutil.rmtree(self.place, ignore_errors=True)
        if self.scenario.is_filled and made.exists():
            shutil.copytree(made, self.place)
        else:
            self.workspace.root.mkdir(parents=True)
            if self.scenario.is_filled:
                filled(self.workspace)
                shutil.copytree(self.place, made)
        self.scenario.prepare(self.workspace)

    def _reset(self) -> None:
        shutil.rmtree(self.place)
        shutil.copytree(self._start, self.place)

    def _in_a_child(self, kind: Kind | None, at: int) -> tuple[int, dict]:
        """The work in a process of its own: its exit code, and what it noted."""
        notes = self.place.parent / "notes"
        notes.write_text("", encoding="utf-8")
        child = os.fork()
        if child == 0:
            self._work(kind, at, os.open(notes, os.O_WRONLY | os.O_APPEND))
        _, status = os.waitpid(child, 0)
        lines = [json.loads(line) for line in notes.read_text(encoding="utf-8").splitlines()]
        said = {"shown": lines.count("shown"), "error": "", "steps": []}
        said |= {k: v for line in lines if isinstance(line, dict) for k, v in line.items()}
        return os.waitstatus_to_exitcode(status), said

    def _work(self, kind: Kind | None, at: int, notes: int) -> None:
        """What the child does; nothing of it returns."""

        def note(what: object) -> None:
            os.write(notes, (json.dumps(what) + "\n").encode())

        gc.disable()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # What a worker would write to its log.
        try:
            disk = Disk(self.place, kind, at)
            try:
                self.scenario.act(self.workspace, lambda: note("shown"))
            except InputError as error:
                if "\n" in str(error) or len(str(error)) > 400:
                    note({"error": f"no sentence: {error}"})
            except Exception:  # noqa: BLE001 — a user would see it
                note({"error": "not said in words: " + traceback.format_exc()})
            if kind is None:
                note({"steps": [[s.what, s.grows, s.torn, s.lost] for s in disk.steps]})
        except BaseException:  # noqa: BLE001 — a forked child must not go on as its parent
            os._exit(1)
        os._exit(0)


def _plain(entries: frozenset[Entry]) -> frozenset[Entry]:
    return frozenset(entry for entry in entries if entry[0] != BYTES)


def _short(entry: Entry) -> str:
    return " ".join(str(part) for part in entry)[:160]


def _remembered(read: Callable[..., Any]) -> Callable[..., Any]:
    """A function that reads a folder, which for equal bytes is asked once."""
    known: dict[str, Any] = {}

    def again(where: Any) -> Any:
        folder = where if isinstance(where, Path) else where.folder
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        parts = [p for path in paths for p in (str(path).encode(), path.read_bytes())]
        key = sum_of(*parts)
        if key not in known:
            known[key] = read(where)
        return known[key]

    return again


@contextmanager
def small_and_prompt() -> Iterator[None]:
    """Small data, no clock, leftovers that count as old, and equal files are read once."""
    read = _remembered(doctor.read_dataset)
    with (
        patch.object(demo, "simulated_affect", small_demo),
        patch.object(
            simulated, "_clips", lambda data, made=simulated._clips: islice(made(data), 2)
        ),
        patch.object(worker, "REPORT_SECONDS", 1e9),
        patch.object(worker, "POLL_SECONDS", 1e9),
        patch.object(doctor, "_OLD", -1.0),
        patch.object(durable, "_ABANDONED", -1.0),
        patch.object(doctor, "read_dataset", read),
        patch.object(contents, "read_dataset", read),
        patch.object(RunFiles, "read_result", _remembered(RunFiles.read_result)),
        patch.object(RunFiles, "damaged", _remembered(RunFiles.damaged)),
    ):
        yield
