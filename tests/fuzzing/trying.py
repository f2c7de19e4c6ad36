"""Reads changed files one after the other, with a limit of time for each."""

from __future__ import annotations

import faulthandler
import random
import resource
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from smurf_core.data.importing.assembly import assemble, guess_mapping
from smurf_core.data.importing.mapping import mapped_sources, read_mapping
from smurf_core.data.importing.tables import read_tables
from smurf_core.data.readers.registry import find_sources, study_reader
from smurf_core.errors import InputError
from tests.fuzzing.changes import changed
from tests.fuzzing.seeds import write_seeds

_SECONDS = 20


class Hang(BaseException):
    """Raised where a file takes too long; no `except` of ours catches it."""


@dataclass(frozen=True)
class Finding:
    """A file that led to something other than the project's own error."""

    name: str
    number: int
    error: str


@dataclass(frozen=True)
class Tried:
    """How many files were read and refused, what went wrong, and how memory grew."""

    read: int
    refused: int
    findings: tuple[Finding, ...]
    grown: int  # bytes


def try_files(count: int, folder: Path, *, seed: int = 0, keep: Path | None = None) -> Tried:
    """Read this many changed files; those with findings are copied to `keep`.

    The file of the moment is in `folder`, where it remains if the process crashes, or is ended
    because a library does not return.
    """
    seeds = write_seeds(folder)
    findings: list[Finding] = []
    read = refused = 0
    before = 0
    for number in range(count):
        chance = random.Random(seed * 1_000_003 + number)  # noqa: S311 — no secret
        name = list(seeds)[number % len(seeds)]
        content = changed(seeds[name], chance)
        work = folder / f"changed_{number % 2}"  # never the same inode as the file before
        work.mkdir(exist_ok=True)
        for old in work.iterdir():
            old.unlink()
        (work / name).write_bytes(content)
        try:
            with _limit():  # every eighth file is imported as well
                _use(work, name, seeds, is_whole=number // len(seeds) % 8 == 0)
            read += 1
        except InputError as error:
            refused += 1
            if "\n" in str(error) or not str(error).strip():
                findings.append(Finding(name, number, f"the message {str(error)!r}"))
        except (Exception, Hang):  # noqa: BLE001 — what a reader may not raise
            findings.append(Finding(name, number, traceback.format_exc()))
            if keep is not None:
                (keep / f"{seed}_{number}_{name}").write_bytes(content)
        if number == count // 4:
            before = _memory()
    return Tried(read, refused, tuple(findings), _memory() - before)


def _use(work: Path, name: str, seeds: dict[str, bytes], *, is_whole: bool) -> None:
    """Read a file, or import it as the command line does, with what belongs to it."""
    if name.endswith(".yaml"):
        (work / "plain.csv").write_bytes(seeds["plain.csv"])
        mapping = read_mapping(work / name)
        assemble(mapped_sources(mapping, work), mapping)
        return
    beside = {"audio_ids.txt": "audio.npy", "sequence.csd": "labels.csd"}.get(name)
    if beside:
        (work / beside).write_bytes(seeds[beside])
    sources = find_sources([work])
    if not is_whole:
        study = study_reader(sources[0]) if len(sources) == 1 else None
        if study is None:
            read_tables(sources)
        else:
            study.read(sources[0])
        return
    assemble(sources, guess_mapping(sources, is_proposal=True))


@contextmanager
def _limit() -> Iterator[None]:
    def stop(number: int, frame: object) -> None:
        raise Hang(f"longer than {_SECONDS} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, _SECONDS)
    # No signal reaches a library in C that does not return: then the process ends.
    faulthandler.dump_traceback_later(3 * _SECONDS, exit=True, file=sys.__stderr__)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _memory() -> int:
    """The most memory that the process had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
