"""Predicted against realised power and widths of human ratings, in 12 cells.

`python -m benchmarks.rating_power` prints a row per cell; `--cells 11 12` prints only those, and
`--page` how long the tab *How many?* takes with what its form offers.
Realised studies are drawn by other code than the predicted ones (raters rate random parts in place
of blocks) and evaluated by `human_agreement`. With 2,000 studies, the standard error of a
difference is 0.016 at most.
"""

from __future__ import annotations

import argparse
import os
import time
from itertools import product

import numpy as np

from benchmarks.machine import machine
from smurf_core.contributions import Contributions
from smurf_core.data.dataset import Features, MultimodalDataset
from smurf_core.evaluation.judgments import human_agreement
from smurf_core.explained import explained
from smurf_core.ratings.power import (
    SHARES,
    Expected,
    Size,
    power_table,
    predicted,
    share_table,
    smallest,
)
from smurf_core.terms import Term

STUDIES = 2_000
CELLS = tuple(product((40, 80, 160), (1, 4), (0.3, 0.6)))  # clips, raters per cell, ICC


def realised(expected: Expected, size: Size, studies: int) -> tuple[float, float]:
    """Power and median width in data sets that `human_agreement` evaluates, drawn by other code."""
    hits, widths = 0, []
    n, per_person = size.clips, size.clips // size.persons
    for study in range(studies):
        random = np.random.default_rng([99, study])
        between = np.repeat(random.normal(size=(3, size.persons)), per_person, axis=1)
        parts = np.sqrt(expected.alike) * between
        parts += np.sqrt(1 - expected.alike) * random.normal(size=(3, n))
        unique, shown = np.sqrt(expected.unique) * parts[0], np.sqrt(1 - expected.unique) * parts[1]
        learned = expected.r * parts[0] + np.sqrt(1 - expected.r**2) * parts[2]
        noise = (1 - expected.unique) * (1 / expected.icc - 1)
        # Every rater rates a random part, each clip has its number.
        raters = size.raters_per_cell * 3
        order = np.argsort(random.random((raters, n)), axis=0)
        there = order < size.raters_per_cell
        ratings = shown + random.normal(size=(raters, 1)) * np.sqrt(noise * expected.bias_share)
        ratings = ratings + random.normal(size=(raters, n)) * np.sqrt(
            noise * (1 - expected.bias_share)
        )
        ratings = np.where(there, ratings, np.nan).astype(np.float32)
        feature = {m: Features(random.normal(size=(n, 1)).astype(np.float32), (m,)) for m in "AB"}
        dataset = MultimodalDataset(
            name="power", task="regression", features=feature,
            sample_ids=np.array([f"s{k:04d}" for k in range(n)]),
            target=(unique + shown).astype(np.float32), target_name="y",
            persons=np.array([f"p{k // per_person:03d}" for k in range(n)]),
            judgments={frozenset("B"): np.nanmean(ratings, axis=0)},
            ratings={frozenset("B"): ratings}, origin="simulated",
        )  # fmt: skip
        values = np.stack([learned, shown], axis=1)[:, :, None].astype(np.float32)
        contributions = Contributions(
            values=values, terms=(Term.unique(("A",)), Term.unique(("B",))), modalities=("A", "B"),
            outputs=("y",), sample_ids=dataset.sample_ids,
            folds=np.zeros(n, dtype=np.int64), baseline=np.zeros((n, 1), dtype=np.float32),
        )  # fmt: skip
        row = human_agreement(explained(contributions, dataset)).iloc[0]
        hits += row["p"] < 0.05
        widths.append(row["ci_high"] - row["ci_low"])
    return hits / studies, float(np.median(widths))


def time_of_the_page() -> None:
    """Print how long the sizes and shares of the form take, as the page asks for them."""
    began, spent = time.perf_counter(), time.process_time()
    table = power_table(
        Expected(), Size(240, 20, 1), clips=(60, 120, 240), raters_per_cell=(1, 3, 6), draws=200
    )
    row = table.iloc[smallest(table, power=0.8)]
    share_table(Expected(), Size(int(row["clips"]), 20, int(row["raters_per_cell"])), draws=200)
    print(machine())
    print(
        f"{len(table)} sizes and {len(SHARES)} shares: {time.perf_counter() - began:.1f} s, of "
        f"processor time {time.process_time() - spent:.1f} s; load average {os.getloadavg()[0]:.1f}"
    )


def main() -> None:
    """Print predicted and realised power and width of every cell."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--page", action="store_true")
    every = range(1, len(CELLS) + 1)
    asked.add_argument("--cells", type=int, nargs="+", choices=every, default=list(every))
    options = asked.parse_args()
    if options.page:
        time_of_the_page()
        return
    print("clips raters icc  predicted realised difference  width realised")
    for cell in options.cells:
        clips, raters, icc = CELLS[cell - 1]
        expected = Expected(icc=icc, r=0.5)
        size = Size(clips=clips, persons=clips // 4, raters_per_cell=raters, conditions=3)
        found = predicted(expected, size, draws=STUDIES)
        power, width = realised(expected, size, STUDIES)
        print(
            f"{clips:5} {raters:6} {icc:3.1f}  {found['power']:9.3f} {power:8.3f} "
            f"{found['power'] - power:+10.3f}  {found['width']:5.3f} {width:8.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
