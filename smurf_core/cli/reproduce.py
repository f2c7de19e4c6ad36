"""`smurf reproduce`: the paper's tables."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated

import typer

from smurf_core import __version__
from smurf_core.cli.configuring import model_kinds
from smurf_core.cli.options import SelectionRule, choice
from smurf_core.cli.output import out
from smurf_core.configuration import PRESETS
from smurf_core.errors import InputError
from smurf_core.model_kinds import MODEL_KINDS
from smurf_core.runs.workspace import Workspace


def reproduce(
    data: Annotated[
        Path | None,
        typer.Option(help="Folder with the authors' caches.", show_default="only what is fetched"),
    ] = None,
    fetch: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=URL#sha256=CHECKSUM of a cache to download, such as vreed=https://…; "
            "repeatable. The checksums of toy, natoy and vreed are known."
        ),
    ] = None,
    preset: Annotated[
        str, choice(PRESETS, "Grid for recorded data; synthetic data has its own.")
    ] = "standard",
    only: Annotated[
        list[str] | None,
        typer.Option(
            help="Name of a cache without its suffix, such as vreed; repeatable.",
            show_default="all",
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        choice(
            MODEL_KINDS,
            "Only this model and its reference; repeatable.",
            show_default="the paper's and ours",
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(help="Number of initial weights to average over.")] = 5,
    selection: SelectionRule = "one_standard_error",
    output: Annotated[Path, typer.Option(help="Folder for tables as Markdown and CSV.")] = Path(
        "results"
    ),
    jobs: Annotated[
        int, typer.Option(help="Number of processes that share the work.")
    ] = os.cpu_count() or 1,
) -> None:
    """Train the paper's models on its data and compare Tables 2 and 5 with the paper's.

    Finished work is stored in the workspace: after an interruption, the same command continues.
    """
    from smurf_core.experiments.fetching import fetch_cache
    from smurf_core.experiments.reproduce import as_markdown
    from smurf_core.experiments.reproduce import reproduce as run_all

    start = time.perf_counter()
    keep = Workspace.default().root / "reproduce"
    fetched = [fetch_cache(text, keep / "caches") for text in fetch or ()]
    if data is None and not fetched:
        raise InputError("Name a folder with the authors' caches (--data), or what to --fetch.")
    found = run_all(
        [*([data] if data else []), *fetched], preset=preset, only=only or (), seeds=seeds,
        models=model_kinds(model or ()), selection=selection, jobs=jobs, keep=keep,
        report=out.print,
    )  # fmt: skip
    where = f"--data {data} " if data else ""
    where += "".join(f"--fetch {text} " for text in fetch or ())
    versions = ", ".join(f"{name} {version}" for name, version in found.versions.items())
    chosen = "".join(f"--only {name} " for name in only or ())
    chosen += "".join(f"--model {kind} " for kind in model or ())
    output.mkdir(parents=True, exist_ok=True)
    for name in ("performance", "single", "recovery"):
        getattr(found, name).to_csv(output / f"{name}.csv", index=False, float_format="%.6g")
    (output / "README.md").write_text(
        "# The paper's tables, reproduced\n\n"
        f"`smurf reproduce {where}--preset {preset} {chosen}--seeds {seeds} "
        f"--selection {selection} --output {output}`\n\n"
        f"{seeds} seeds of initial weights; mean ± standard deviation over folds, [lowest, highest "
        "seed]; ↓ ↑ differs from SMURF by the permutation test on persons, α = 0.05; ▲ ▼ ours lies "
        "above or below the paper's figure, which is outside both our mean ± standard deviation "
        "and the range of our seeds. Synthetic "
        f"data is searched with the synthetic preset, recorded data with {preset}. smurf-studio "
        f"{__version__}, {versions}; {time.perf_counter() - start:.0f} s for what was not kept "
        "from before.\n\n" + as_markdown(found),
        encoding="utf-8",
    )
    out.print(f"{output / 'README.md'}", markup=False)
