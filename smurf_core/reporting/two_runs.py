"""Two runs' contributions side by side: only what each of the two runs may show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from smurf_core.contributions import Contributions
from smurf_core.evaluation.two_runs import term_agreement
from smurf_core.reporting.statements import Account

_KEYS = ["order", "modality", "shared_with"]


@dataclass(frozen=True)
class SideBySide:
    """What may be compared of two runs' contributions, and why the rest may not."""

    sentences: tuple[str, ...]
    # One row per contribution that both runs have and that varies in one of them: the columns of
    # `term_agreement`, first_verdict and second_verdict. Without the shares of a run that predicts
    # nothing (NaN), and without r unless both predict. Empty if neither does.
    agreement: pd.DataFrame


def side_by_side(
    first: tuple[Account, Contributions],
    second: tuple[Account, Contributions],
    *,
    names: tuple[str, str] = ("Run A", "Run B"),
) -> SideBySide:
    """Compare two runs' contributions to the same samples, as far as both predict these samples.

    That two runs agree on contributions to predictions that are no better than chance is no sign
    that there is anything in them: they were trained on the same noise.

    Parameters
    ----------
    first, second
        Of each run: its `account` and its contributions, of the same samples.
    names
        How sentences call the two runs.
    """
    accounts = (first[0], second[0])
    sentences = []
    for name, account in zip(names, accounts, strict=True):
        reason = account.closed or (account.shares.influence if account.shares else "")
        if reason:
            sentences.append(f"{name}: {reason}")
    agreement = term_agreement(first[1], second[1])
    shares = agreement[["first_share", "second_share"]]
    agreement = agreement[(shares.abs() > 0).any(axis=1)].reset_index(drop=True)
    for which, account in zip(("first", "second"), accounts, strict=True):
        if account.shares is None:
            agreement[f"{which}_share"] = np.nan
            agreement["r"] = np.nan
            agreement[f"{which}_verdict"] = ""
            continue
        verdicts = account.shares.terms[[*_KEYS, "verdict"]]
        agreement = agreement.merge(
            verdicts.rename(columns={"verdict": f"{which}_verdict"}), on=_KEYS, how="left"
        )
        agreement[f"{which}_verdict"] = agreement[f"{which}_verdict"].fillna("")
    if all(account.shares is None for account in accounts):
        agreement = agreement.head(0)
    return SideBySide(tuple(sentences), agreement)
