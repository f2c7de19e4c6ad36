"""What each set of modalities shares, with the three facts that decide whether to believe it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from smurf_core.contributions import Contributions
from smurf_core.evaluation.verdicts import GOOD
from smurf_core.terms import joined_sharers, subset_name

COLUMNS = [
    "order", "sharers", "size", "modality", "shared_with", "share", "ci_low", "ci_high", "verdict",
    "agreement", "left", "is_good",
]  # fmt: skip


def shared_sets(
    contributions: Contributions, terms: pd.DataFrame, pairs: pd.DataFrame
) -> pd.DataFrame:
    """How much each set shares, whether its sides agree, and whether it is separated.

    Parameters
    ----------
    contributions
        Of the samples shown.
    terms
        One output's `OutputShares.terms` of these samples.
    pairs
        One output's rows of `pair_table` of these samples.

    Returns
    -------
    DataFrame
        One row per set and member: order, sharers (`A&B`), size, modality (the member), shared_with
        (the others), share, ci_low, ci_high and verdict of what this member says of it, agreement
        (the lowest r of two members), left (the largest |r| with a member's unique contribution:
        the correlation that was left between unique and shared) and is_good (every member's verdict
        is good). Largest sets in share first.
    """
    found = []
    by_name = terms.set_index(["order", "modality", "shared_with"])
    for order in contributions.orders:
        for members in contributions.sets(order):
            sharers = joined_sharers([subset_name(source) for source in members[0].sharers])
            rows = by_name.loc[[term.names for term in members]].reset_index()
            mine = pairs[(pairs["order"] == order) & (pairs["sharers"] == sharers)]
            left = mine[["left_first", "left_second"]].abs().to_numpy(dtype=float)
            found.append(
                rows[COLUMNS[3:9]].assign(
                    order=order,
                    sharers=sharers,
                    size=len(members),
                    agreement=mine["r"].min(),
                    left=np.nan if np.isnan(left).all() else np.nanmax(left),
                    is_good=bool(rows["verdict"].isin(GOOD).all()),
                )
            )
    if not found:
        return pd.DataFrame(columns=COLUMNS)
    found.sort(key=lambda rows: -abs(rows["share"].sum()))
    return pd.concat(found, ignore_index=True)[COLUMNS]
