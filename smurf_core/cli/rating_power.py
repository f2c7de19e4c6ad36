"""`smurf ratings power`: how many clips, persons and raters, by simulation."""

from __future__ import annotations

from typing import Annotated

import typer

from smurf_core.cli.output import out, print_table
from smurf_core.cli.progress import Steps
from smurf_core.errors import InputError


def power(
    clips: Annotated[list[int] | None, typer.Option(help="Clips; repeatable.")] = None,
    raters: Annotated[
        list[int] | None, typer.Option(help="Raters per clip and condition; repeatable.")
    ] = None,
    persons: Annotated[
        list[int] | None, typer.Option(help="Persons in the clips; repeatable.")
    ] = None,
    conditions: Annotated[int, typer.Option(help="Conditions.")] = 4,
    clips_per_rater: Annotated[int, typer.Option(help="Clips that one rater gets.")] = 30,
    icc: Annotated[float, typer.Option(help="ICC(2,1) of a pilot, or a guess.")] = 0.4,
    unique: Annotated[
        float | None,
        typer.Option(help="Share of the target's variance that is unique.", show_default="0.25"),
    ] = None,
    r: Annotated[
        float, typer.Option(help="r of the model with what is unique, free of raters' error.")
    ] = 0.6,
    clip_seconds: Annotated[float, typer.Option(help="Length of a clip.")] = 5.0,
    wanted_power: Annotated[
        float | None, typer.Option(help="Name the smallest size with this power.")
    ] = None,
    wanted_width: Annotated[
        float | None, typer.Option(help="… whose interval of r is at most this wide.")
    ] = None,
    share: Annotated[
        list[float] | None,
        typer.Option(help="Unique shares: with which power one size finds them; repeatable."),
    ] = None,
    draws: Annotated[int, typer.Option(help="Simulated studies per row.")] = 400,
    seed: Annotated[int, typer.Option(help="Seed of all random draws.")] = 0,
) -> None:
    """Show which interval and power collections of some sizes would have, by simulation.

    With --share, sizes are not compared: the first of each is taken, and shares are.
    """
    from smurf_core.ratings.power import (
        Expected,
        Size,
        power_table,
        share_table,
        smallest,
        smallest_share,
    )

    sizes, people = clips or [60, 120, 240], persons or [20]
    expected = Expected(icc=icc, unique=0.25 if unique is None else unique, r=r)
    if share:
        if unique is not None or wanted_width is not None:
            raise InputError(
                "--share asks with which power unique shares are found: leave out --unique and "
                "--wanted-width."
            )
        one = Size(sizes[0], people[0], (raters or [3])[0], conditions, clips_per_rater)
        with Steps("shares") as progress:
            found = share_table(
                expected, one, shares=share, draws=draws, seed=seed, progress=progress
            )
        print_table(found.drop(columns=["power_error"]), "simulated studies")
        if wanted_power is not None:
            least = smallest_share(found, wanted_power)
            out.print(
                f"a unique share of {100 * least:g}% or more is found with a power of "
                f"{wanted_power:g}",
                markup=False,
            )
        return
    size = Size(max(sizes), min(people), 1, conditions, clips_per_rater)
    with Steps("sizes") as progress:
        table = power_table(
            expected, size, clips=sizes, raters_per_cell=raters or [1, 3, 6], persons=people,
            clip_seconds=clip_seconds, draws=draws, seed=seed, progress=progress,
        )  # fmt: skip
    if table.empty:
        raise InputError("Every size has more persons than clips: plan more clips.")
    print_table(table.drop(columns=["power_error"]), "simulated studies")
    if wanted_power is not None or wanted_width is not None:
        row = table.iloc[smallest(table, power=wanted_power, width=wanted_width)]
        out.print(
            f"{row['clips']:.0f} clips of {row['persons']:.0f} persons, raters per clip and "
            f"condition: {row['raters_per_cell']:.0f}, raters in all: {row['raters']:.0f}, "
            f"hours in all: {row['hours']:.1f}",
            markup=False,
        )
