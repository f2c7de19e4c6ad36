"""Can a contribution be believed? A verdict's reason in words, with the number behind it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from smurf_core.evaluation.verdicts import (
    AGREEMENT_IN_SIZE,
    BENT,
    KNOWN_TO_OTHERS,
    RELIABILITY,
    SMALLEST_SIZE,
)
from smurf_core.reporting.numbers import percent, plain, term_label

_SMALL = "its standard deviation is {size} times the target's, too small to tell anything about it"
# Verdict → its reason; the numbers are those of the row of `verdicts`.
_REASONS = {
    "reliable": "models of other persons would agree on {reliability} of its variance "
    f"({percent(RELIABILITY)} is needed)",
    "too uncertain": "models of other persons would agree on only {reliability} of its variance "
    f"({percent(RELIABILITY)} is needed)",
    "too small": _SMALL + f" (at least {SMALLEST_SIZE} is needed)",
    "too small to tell": _SMALL,
    "sides disagree": "the modalities that should share it agree by {agreement} only "
    f"({plain(AGREEMENT_IN_SIZE, 2)} is needed)",
    "known to others": "a modality that should not know it predicts {known_to_others} of it "
    f"(at most {percent(KNOWN_TO_OTHERS)} is allowed)",
    "bent": "its modality knows more of it than these straight lines can follow: R² {bent} "
    f"(at most {plain(BENT, 2)} is allowed)",
    "stable": "restarts (r = {restart_r}) and folds (r = {fold_r}) agree on it, which does not "
    "show that it is right",
    "unstable": "restarts (r = {restart_r}) or folds (r = {fold_r}) disagree on it",
    "not separated": "its unique and redundant parts move together, or the sides that should "
    "share it do not agree",
    "nothing to explain": "held-out samples are not predicted",
}
_SHARES = ("reliability", "known_to_others")


def reason_in_words(row: Mapping[Hashable, Any]) -> str:
    """One sentence: a contribution, its verdict and the reason.

    Parameters
    ----------
    row
        One row of `smurf_core.evaluation.verdicts.verdicts`.

    Examples
    --------
    >>> reason_in_words({"modality": "face", "shared_with": "face", "verdict": "too small",
    ...                  "size": 0.01})
    "face alone is too small: its standard deviation is 0.01 times the target's, too small to tell \
anything about it (at least 0.03 is needed)."
    """
    verdict = str(row["verdict"])
    numbers = {
        str(name): percent(value) if name in _SHARES else plain(value, 2)
        for name, value in row.items()
        if isinstance(value, float)
    }
    label = term_label(str(row["modality"]), str(row["shared_with"]))
    return f"{label} is {_SPOKEN.get(verdict, verdict)}: {_REASONS[verdict].format(**numbers)}."


_SPOKEN = {
    "sides disagree": "not agreed on by its sides",
    "bent": "a bent relation",
    "nothing to explain": "nothing to explain",
}
