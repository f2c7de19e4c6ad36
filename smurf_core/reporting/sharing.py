"""What a run found of the sets of modalities that share something, in words and as a table."""

from __future__ import annotations

import pandas as pd

from smurf_core.reporting.numbers import percent, plain
from smurf_core.reporting.tables import Cell, ReportTable, Section
from smurf_core.terms import read_subset, spoken

# Columns that runs of earlier versions lack.
_UNIQUE_KNOWN = "unique_known"

NOTHING_SHARED = "No modalities share anything that their members agree on."


def sharing_sentence(sharing: pd.DataFrame) -> str:
    """Who shares something, from the table `RunResult.sharing`."""
    there = sharing[sharing["is_there"].astype(bool)]
    if there.empty:
        return NOTHING_SHARED
    sets = [spoken(read_subset(s, k)) for s, k in zip(there["sharers"], there["size"], strict=True)]
    return (
        f"Of {len(sharing)} sets of modalities that were tried, the members of {len(sets)} agree "
        f"on what they share: {'; '.join(sets)}."
    )


def unique_known(sharing: pd.DataFrame | None) -> float:
    """Mean r of unique contributions with what other modalities derive; 0 where it is not known."""
    if sharing is None or sharing.empty or _UNIQUE_KNOWN not in sharing:
        return 0.0
    return float(sharing[_UNIQUE_KNOWN].iloc[0])


def sharing_table(sharing: pd.DataFrame) -> ReportTable:
    """Every set that was offered, with its members' agreement on validation samples."""
    rows = tuple(
        (
            Cell(spoken(read_subset(row["sharers"], row["size"]))),
            Cell(plain(row["agreement"])),
            Cell(percent(row["share"], 1)),
            Cell(plain(row["probability"], 2)),
            Cell("yes" if row["is_there"] else "no"),
        )
        for row in sharing.to_dict("records")
    )
    return ReportTable(
        name="sharing",
        title="Who shares with whom",
        caption=f"{sharing_sentence(sharing)} Agreement: the lowest Pearson's r of two members' "
        "contributions. Share: of the prediction's variance. Both on validation samples; of a set "
        "that is not there, in the last model that offered it. Probability: over models of other "
        "samples of persons.",
        header=("Set", "Agreement", "Share", "Probability", "Is there"),
        sections=(Section("", rows),),
        numbers=sharing,
    )
