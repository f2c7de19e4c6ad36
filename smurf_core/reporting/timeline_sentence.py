"""What can be said of a session in one sentence, and how its samples are ordered."""

from __future__ import annotations

import numpy as np
import pandas as pd

from smurf_core.evaluation.timeline import DATA, PERSON, RECORDING, Timeline
from smurf_core.reporting.numbers import signed


def timeline_sentence(shown: Timeline, unexpected: pd.DataFrame, digits: int = 2) -> str:
    """The unexpected moments of a session that may be explained.

    Parameters
    ----------
    shown
        The session, with verdicts.
    unexpected
        `unexpected_moments` of the run and of the output that is shown.
    digits
        After the point, in the contributions of the strongest one.
    """
    k = len(shown)
    if not shown.is_comparable:
        return (
            "No moment can be called unexpected: nothing that modalities share has a good verdict "
            "on all sides."
        )
    moments = np.flatnonzero(shown.unexpected > 0)
    if not len(moments):
        return f"None of these {k} moments is unexpected: no two sides of what is shared disagree."
    strongest = str(shown.sample_ids[int(shown.unexpected.argmax())])
    row = unexpected[unexpected["sample_id"] == strongest].iloc[0]
    verb = "moment is" if len(moments) == 1 else "moments are"
    return (
        f"{len(moments)} of {k} {verb} unexpected. The strongest is {strongest}: of what they "
        f"share, {row['modality']} says {signed(row['contribution'], digits)} and "
        f"{row['other_modality']} {signed(row['other'], digits)}."
    )


def order_sentence(shown: Timeline, kind: str) -> str:
    """In which order the samples are, and of what."""
    whole = {
        DATA: "No column of the data names recordings, persons or sessions. ",
        PERSON: "One person's samples ",
        RECORDING: "One recording's samples ",
    }.get(kind, f"Samples of one {kind} ")
    if kind == DATA:
        whole += "All samples "
    if shown.is_timed:
        return f"{whole}in the order of their start times."
    return f"{whole}in the order of the data: no start times order them."
