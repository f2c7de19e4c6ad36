"""`smurf verify` and `basins`: recovery of what is true in synthetic data."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, TypeVar

import numpy as np
import pandas as pd
import typer

from smurf_core.cli.configuring import changed_grid, model_kinds
from smurf_core.cli.options import AuxiliaryWeights, LearningRates, Model, SelectionRule, choice
from smurf_core.cli.output import new_table, number, out
from smurf_core.data.generated.families import FAMILIES, NOISE_FREE, SAMPLES
from smurf_core.experiments.settings import SETTINGS

if TYPE_CHECKING:
    from smurf_core.experiments.verdicts import SetsFound, Study

T = TypeVar("T", "Study", "SetsFound")
_USUAL = ("bimodal", "trimodal")  # the paper's


def verify(
    seeds: Annotated[int, typer.Option(help="Data sets and starts.")] = 20,
    samples: Annotated[
        list[int] | None,
        typer.Option(
            help="Samples of each data set; with --verdicts or --sets, repeat for several.",
            show_default="5000; with --verdicts or --sets 100, 300 and 1000",
        ),
    ] = None,
    model: Model = "smurf",
    selection: SelectionRule = "one_standard_error",
    setting: Annotated[
        list[str] | None,
        choice(
            SETTINGS,
            "Kind of data: number of modalities, three classes, redundancy of no pair, of one pair "
            "or of pairs only, noise, or interactions (with an MRO model); repeat for several.",
            show_default=", ".join(_USUAL),
        ),
    ] = None,
    learning_rate: LearningRates = None,
    auxiliary_weight: AuxiliaryWeights = None,
    family: Annotated[
        list[str] | None,
        choice(
            {**FAMILIES, **NOISE_FREE},
            "Family of simulated studies for the exclusive kind, instead of a setting; repeat for "
            "several.",
            show_default="none; with --verdicts or --sets all with noise",
        ),
    ] = None,
    verdicts: Annotated[
        bool,
        typer.Option(
            "--verdicts", help="Measure how often verdicts are wrong and intervals miss, by family."
        ),
    ] = False,
    sets: Annotated[
        bool,
        typer.Option(
            "--sets", help="Measure how often exactly the true sets are found, by family."
        ),
    ] = False,
    first_seed: Annotated[
        int, typer.Option(help="With --verdicts or --sets: the first seed of the data sets.")
    ] = 0,
    jobs: Annotated[int, typer.Option(help="Seeds that train at the same time.")] = (
        os.cpu_count() or 1
    ),
) -> None:
    """Train on synthetic data and print how well the true factors were recovered."""
    if verdicts:
        _verdicts(family or list(FAMILIES), samples or list(SAMPLES), seeds, first_seed, jobs)
        return
    if sets:
        _sets(family or list(FAMILIES), samples or list(SAMPLES), seeds, first_seed, jobs)
        return
    size = (samples or [5000])[0]
    if family:
        _families(family, size, seeds, jobs)
        return
    # Torch takes seconds to import: only where this process trains.
    from smurf_core.experiments.recovery import PAPER_RECOVERY, recover_factors

    settings = [known for known in SETTINGS if known in (setting or _USUAL)]
    (kind,) = model_kinds([model])
    grid = changed_grid(
        "synthetic", kind, learning_rates=learning_rate, auxiliary_weights=auxiliary_weight
    )
    rows = []
    columns = ("setting", "seed", "r", "r, visible", "recovery", "lowest", "invented")
    out.print("  ".join(f"{name:>12}" for name in columns) + "  chosen")
    for row in recover_factors(
        settings=settings, seeds=seeds, samples=size, model=kind,
        selection=selection, grid=grid, jobs=jobs,
    ):  # fmt: skip
        rows.append(row)
        cells = [row.setting, str(row.seed), f"{row.prediction_r:.4f}", f"{row.visible_r:.5f}"]
        cells += [f"{row.recovery:.4f}", f"{row.lowest:.4f}", number(row.invented, 4)]
        out.print(
            "  ".join(f"{cell:>12}" for cell in cells) + f"  {row.configuration}", soft_wrap=True
        )
    table = pd.DataFrame(rows)
    for name in settings:
        group = table[table["setting"] == name]
        paper = f" (paper {PAPER_RECOVERY[name]:.3f})" if name in PAPER_RECOVERY else ""
        invented = group["invented"].max()
        zero = "" if np.isnan(invented) else f"; largest sd of what should be zero {invented:.4f}"
        out.print(
            f"{name}: mean recovery {group['recovery'].mean():.4f}, lowest "
            f"{group['recovery'].min():.4f} of {len(group)} seeds{paper}, "
            f"lowest of one contribution {group['lowest'].min():.4f}; "
            f"lowest r with what is visible {group['visible_r'].min():.5f}{zero}",
            soft_wrap=True,
        )


def _families(families: list[str], samples: int, seeds: int, jobs: int) -> None:
    from smurf_core.experiments.verdicts import recover_families

    columns = ("family", "seed", "recovery", "lowest", "invented", "true sets", "seconds")
    out.print("  ".join(f"{name:>18}" for name in columns))
    for row in recover_families(families, samples=samples, seeds=seeds, jobs=jobs):
        cells = [
            row.family, str(row.seed), f"{row.recovery:.4f}", f"{row.lowest:.4f}",
            number(row.invented, 4), "yes" if row.exact else "no", f"{row.seconds:.1f}",
        ]  # fmt: skip
        out.print("  ".join(f"{cell:>18}" for cell in cells), soft_wrap=True)


def _sets(families: list[str], samples: list[int], seeds: int, first: int, jobs: int) -> None:
    from smurf_core.experiments.verdicts import measure_sets, summary_of_sets

    studies = list(
        measure_sets(families=families, samples=samples, seeds=seeds, first_seed=first, jobs=jobs)
    )
    for part in _titled_parts(studies):
        print(_plain_table(summary_of_sets(part)))


def _verdicts(families: list[str], samples: list[int], seeds: int, first: int, jobs: int) -> None:
    from smurf_core.experiments.verdicts import measure_verdicts, overall, summary

    studies = list(
        measure_verdicts(
            families=families, samples=samples, seeds=seeds, first_seed=first, jobs=jobs
        )
    )
    for part in _titled_parts(studies):
        print(_plain_table(summary(part)))
        print(_plain_table(pd.DataFrame([{"family": "all", **overall(part)}])))


def _titled_parts(studies: list[T]) -> Iterator[list[T]]:
    """Studies of families that were looked at, then those of the others, each below its title."""
    for is_kept, title in ((False, "looked at while tuning"), (True, "kept for this measurement")):
        part = [study for study in studies if study.is_kept is is_kept]
        if part:
            out.print(f"Families {title}", markup=False)
            yield part


def _plain_table(table: pd.DataFrame) -> str:
    """As text of any width, so that it can be redirected to a file."""
    counts = {"samples", "studies", "good"}
    text = table.copy()
    for name in text.columns.difference(["family", *counts]):
        text[name] = [number(value, 3) for value in text[name]]
    return str(text.to_string(index=False))


def basins(
    modalities: Annotated[int, typer.Option(help="2 is the paper's bimodal setting.")] = 3,
    starts: Annotated[int, typer.Option(help="Initial weights of each scale.")] = 20,
    samples: Annotated[int, typer.Option(help="Samples of the synthetic data set.")] = 1000,
    epochs: Annotated[int, typer.Option(help="Epochs of each start.")] = 1000,
    lines: Annotated[
        bool, typer.Option("--lines", help="Print each start as a line of JSON when it is done.")
    ] = False,
) -> None:
    """Show the objective's sign-flipped basins, which no score reveals (synthetic data)."""
    from smurf_core.experiments.basins import find_basins

    if lines:
        for start in find_basins(
            modalities=modalities, starts=starts, samples=samples, epochs=epochs, at_once=2
        ):
            print(json.dumps(asdict(start)), flush=True)
        return
    table = new_table(
        "initial output weights", "right basin", "r of prediction, lowest", "objective, right",
        "objective, wrong", "recovery, right", "recovery, wrong",
    )  # fmt: skip
    found = list(find_basins(modalities=modalities, starts=starts, samples=samples, epochs=epochs))
    for scale in dict.fromkeys(start.output_scale for start in found):
        there = [start for start in found if start.output_scale == scale]
        right, wrong = ([s for s in there if s.is_right is which] for which in (True, False))
        table.add_row(
            f"{scale:g} of the usual",
            f"{len(right)} of {len(there)}",
            f"{min(s.prediction_r for s in there):.4f}",
            *(_range([s.objective for s in part]) for part in (right, wrong)),
            *(_range([s.recovery for s in part]) for part in (right, wrong)),
        )
    out.print(table)


def _range(values: list[float]) -> str:
    return f"{min(values):.3f} to {max(values):.3f}" if values else "–"
