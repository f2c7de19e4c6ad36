"""How much memory and processor time a large study needs, from its files to its models.

Simulated features, 100,000 samples of 1,433 columns in three modalities, with ids, persons and a
target: as CSV and as Parquet, as one file and as four. `smurf import` makes a study of each form,
and `smurf train` trains the last one. Memory is what all processes of a command hold together, seen
twice a second; pages that they share count once. It is at least the highest memory of a process.

    python -m benchmarks.size [--samples 100000] [--columns 1433] [--train exclusive late_fusion]

With `--check`, the study is one CSV that `smurf check` reads, and nothing is imported:

    python -m benchmarks.size --check --samples 600 --columns 20000
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

MODALITIES = ("audio", "text", "video")
FORMS = ("csv-1", "csv-4", "parquet-1", "parquet-4")
_ROWS_AT_ONCE = 2_000
_LOOK_SECONDS = 0.5
_KINDS = {
    # Few epochs, so that memory is measured and no patience is needed.
    "exclusive": ["--model", "exclusive"],
    "late_fusion": ["--model", "late_fusion", "--layers", "20-10", "--learning-rate", "0.001",
                    "--weight-decay", "0.001"],
    "smurf": ["--model", "smurf", "--layers", "20-10", "--learning-rate", "0.001",
              "--weight-decay", "0.001", "--auxiliary-weight", "0.5"],
}  # fmt: skip


def write_study(folder: Path, form: str, samples: int, columns: int) -> None:
    """One file with everything, or one per modality and one of ids, persons and targets."""
    suffix, _, count = form.partition("-")
    files: dict[str, pa_csv.CSVWriter | pq.ParquetWriter] = {}
    for block in _blocks(samples, columns):
        if count == "1":
            tables = {"study": _beside(block)}
        else:
            tables = {
                name: _beside(
                    {"labels": block["labels"].select(["sample_id"]), name: block[name]}, prefix=""
                )
                for name in MODALITIES
            }
            tables["labels"] = block["labels"]
        for name, table in tables.items():
            if name not in files:
                path, schema = folder / f"{name}.{suffix}", table.schema
                files[name] = (
                    pa_csv.CSVWriter(path, schema) if suffix == "csv"
                    else pq.ParquetWriter(path, schema)
                )  # fmt: skip
            files[name].write_table(table)
    for file in files.values():
        file.close()


def _blocks(samples: int, columns: int) -> Iterator[dict[str, pa.Table]]:
    """Some samples at a time: two factors behind the target, which the features see with noise."""
    random = np.random.default_rng(0)
    widths = [len(range(k, columns, len(MODALITIES))) for k in range(len(MODALITIES))]
    weights = [random.normal(size=(2, width)) * [[1.0], [k]] for k, width in enumerate(widths)]
    for first in range(0, samples, _ROWS_AT_ONCE):
        rows = np.arange(first, min(first + _ROWS_AT_ONCE, samples))
        factors = random.normal(size=(len(rows), 2))
        target = factors.sum(axis=1) + random.normal(size=len(rows))
        block = {
            "labels": pa.table({
                "sample_id": [f"s{i:06d}" for i in rows],
                "person": [f"p{i // 50:05d}" for i in rows],
                "valence": target.round(3),
            })
        }  # fmt: skip
        for name, weight in zip(MODALITIES, weights, strict=True):
            values = factors @ weight + 5 * random.normal(size=(len(rows), weight.shape[1]))
            block[name] = pa.table({f"f{j}": v for j, v in enumerate(values.T.round(5))})
        yield block


def _beside(tables: dict[str, pa.Table], prefix: str = "_") -> pa.Table:
    columns = {}
    for name, table in tables.items():
        start = f"{name}{prefix}" if prefix and name != "labels" else ""
        columns |= {f"{start}{c}": table[c] for c in table.column_names}
    return pa.table(columns)


class Measured:
    """A command of `smurf` in a workspace: its output, memory and processor time."""

    def __init__(self, workspace: Path, command: list[str], most: float) -> None:
        self.environment = {**os.environ, "SMURF_HOME": str(workspace), "OMP_NUM_THREADS": "1"}
        self.peak, before, start = 0, _processor_time(), time.perf_counter()
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as reports:
            started = psutil.Popen(
                [sys.executable, "-m", "smurf_core", *command],
                env=self.environment, stdout=out, stderr=reports,
            )  # fmt: skip
            used: dict[int, float] = {}
            while started.poll() is None:
                self._look(started, used)
                if self.peak > most:
                    for process in (*started.children(recursive=True), started):
                        process.kill()
                time.sleep(_LOOK_SECONDS)
            self.seconds = time.perf_counter() - start
            # A worker may go on without the command, and others end between two looks.
            self.processor = max(sum(used.values()), _processor_time() - before)
            out.seek(0)
            reports.seek(0)
            self.lines, errors = out.read().splitlines(), reports.read().splitlines()
        self.reports = sum("%" in line for line in errors)
        if started.returncode:
            shown = "\n".join([*self.lines[-3:], *errors[-3:]])
            raise SystemExit(f"smurf {' '.join(command)[:80]}: {started.returncode}, "
                             f"{self.peak / 2**30:.2f} GiB\n{shown}")  # fmt: skip

    def _look(self, started: psutil.Popen, used: dict[int, float]) -> None:
        total = 0
        try:
            processes = [started, *started.children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        for process in processes:
            try:
                total += process.memory_full_info().pss
                used[process.pid] = sum(process.cpu_times()[:2])
                status = Path(f"/proc/{process.pid}/status").read_text().partition("VmHWM:")[2]
                self.peak = max(self.peak, int(status.split()[0]) * 1024)
            except (psutil.Error, OSError, IndexError):
                continue
        self.peak = max(self.peak, total)

    def __str__(self) -> str:
        return (f"peak {self.peak / 2**30:.2f} GiB, {self.processor:.0f} s of processor time, "
                f"{self.reports} progress reports")  # fmt: skip


def _processor_time() -> float:
    """Of all processes that this one has started and waited for, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Write, import and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--columns", type=int, default=1_433)
    parser.add_argument("--forms", nargs="*", choices=FORMS, default=FORMS)
    parser.add_argument("--train", nargs="*", choices=_KINDS, default=["exclusive", "late_fusion"])
    parser.add_argument("--check", action="store_true", help="only `smurf check` of one CSV")
    parser.add_argument("--most", type=float, default=8.0, help="GiB at which a command is ended")
    given = parser.parse_args()
    most = given.most * 2**30
    with tempfile.TemporaryDirectory() as place:
        workspace, study = Path(place) / "home", ""
        if given.check:
            write_study(Path(place), "csv-1", given.samples, given.columns)
            done = Measured(workspace, ["check", str(Path(place) / "study.csv")], most)
            print(f"checked: {done.lines[0]}\n  {done}")
            return
        for form in given.forms:
            folder = Path(place) / form
            folder.mkdir()
            write_study(folder, form, given.samples, given.columns)
            size = sum(path.stat().st_size for path in folder.iterdir()) / 2**20
            done = Measured(workspace, ["import", str(folder)], most)
            study = done.lines[-1]
            print(f"{form}: {done.lines[0]}\n  {size:,.0f} MiB imported; {done}", flush=True)
            for path in folder.iterdir():
                path.unlink()
        for kind in given.train:
            command = ["train", study, "--preset", "quick", *_KINDS[kind], "--jobs", "2"]
            print(f"{kind}: trained; {Measured(workspace, command, most)}", flush=True)


if __name__ == "__main__":
    main()
