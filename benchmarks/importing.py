"""How long, and in how much memory, a study of MOSEI's size is imported.

Simulated features, 23,300 samples of 700 columns in three modalities, with labels: written as CSV
and as Parquet, one file per modality, and imported in its own process, from files to a stored
study.

    python -m benchmarks.importing [--samples 23300] [--columns 700]
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

MODALITIES = ("audio", "text", "video")


def write_study(folder: Path, suffix: str, samples: int, columns: int) -> None:
    """One file per modality and one of labels, with simulated numbers of six digits."""
    random = np.random.default_rng(0)
    ids = [f"s{i:05d}" for i in range(samples)]
    for number, modality in enumerate(MODALITIES):
        width = len(range(number, columns, len(MODALITIES)))
        values = random.normal(size=(samples, width)).round(6)
        table = pd.DataFrame(values, columns=[f"f{j}" for j in range(width)])
        table.insert(0, "sample_id", ids)
        _write(table, folder / f"{modality}.{suffix}")
    labels = pd.DataFrame(
        {
            "sample_id": ids,
            "person": [f"p{i // 10:04d}" for i in range(samples)],
            "sentiment": random.normal(size=samples).round(3),
            "transcript": [f"simulated words of sample {i}" for i in range(samples)],
        }
    )
    _write(labels, folder / f"labels.{suffix}")


def _write(table: pd.DataFrame, path: Path) -> None:
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
    else:
        table.to_parquet(path, index=False)


def import_study(folder: Path) -> None:
    """Import one folder and print seconds, peak memory, and the number of progress reports."""
    from smurf_core.data.importing.assembly import assemble, guess_mapping
    from smurf_core.data.readers.registry import find_sources
    from smurf_core.data.storage import write_dataset

    reports: list[tuple[float, str]] = []
    start = time.perf_counter()
    sources = find_sources([folder])
    mapping = guess_mapping(sources)
    guessed = time.perf_counter() - start
    assembly = assemble(
        sources, mapping, progress=lambda share, what: reports.append((share, what))
    )
    assembled = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as place:
        write_dataset(assembly.dataset, Path(place) / "study")
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    size = sum(source.path.stat().st_size for source in sources) / 1024**2
    width = sum(len(f.names) for f in assembly.dataset.features.values())
    print(
        f"{sources[0].suffix}: {len(assembly.dataset):,} × {width} ({size:.0f} MiB) imported in "
        f"{seconds:.1f} s (guessed {guessed:.1f}, read and joined {assembled - guessed:.1f}, "
        f"stored {seconds - assembled:.1f}), peak {peak:.2f} GiB, {len(reports)} progress reports"
    )


def main() -> None:
    """Write both studies, import each in its own process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=23_300)
    parser.add_argument("--columns", type=int, default=700)
    parser.add_argument("--folder", type=Path, help="import this folder, and nothing else")
    given = parser.parse_args()
    if given.folder is not None:
        import_study(given.folder)
        return
    for suffix in ("csv", "parquet"):
        with tempfile.TemporaryDirectory() as place:
            write_study(Path(place), suffix, given.samples, given.columns)
            command = [sys.executable, __file__, "--folder", place]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
