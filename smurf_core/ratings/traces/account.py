"""What a collection's traces of one scale show: lags, agreement, and whether there is any."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from smurf_core.people.guard import guarded
from smurf_core.ratings.catalogue import list_collections, open_collection
from smurf_core.ratings.store import Collection
from smurf_core.ratings.traces.collected import ClipTraces, TraceSet, has_traces
from smurf_core.ratings.traces.course import (
    MeanTrace,
    TraceAgreement,
    known_lags,
    mean_trace,
    trace_agreement,
)
from smurf_core.ratings.traces.lag import BOUND, trace_lags
from smurf_core.runs.workspace import Workspace


@dataclass(frozen=True)
class TraceAccount:
    """The traces of one scale, with lags and agreement where two raters can be compared.

    `lags` is the table of `trace_lags` and `agreement` pools all clips; both are None where no
    clip was rated by two raters.
    """

    traces: TraceSet
    bound: float  # of lags, in seconds
    lags: pd.DataFrame | None
    agreement: TraceAgreement | None

    @property
    def raters(self) -> int:
        """Raters with a trace that counts."""
        return len({int(rater) for clip in self.traces.clips for rater in clip.raters})

    @property
    def followers(self) -> int:
        """Raters whose traces follow the others'."""
        return 0 if self.lags is None else int(self.lags["verdict"].isin(["lag", "bound"]).sum())

    @property
    def is_agreed(self) -> bool:
        """True if two raters or more follow the others, and the interval of r is above 0.

        Each alone takes slow noise for agreement too often (`benchmarks/trace_lags.py`).
        """
        return self.followers > 1 and self.agreement is not None and self.agreement.is_agreed

    @cached_property
    def means(self) -> dict[str, MeanTrace]:
        """Clip → its mean trace; lags are taken out where they can be said."""
        lags = {} if self.lags is None else known_lags(self.lags)
        return {clip.clip: mean_trace(clip, lags) for clip in self.traces.clips}

    def agreement_in(self, clip: str) -> TraceAgreement | None:
        """The agreement within one clip; None if it has fewer than two traces."""
        found = [one for one in self.traces.clips if one.clip == clip and len(one.raters) > 1]
        if not found or self.lags is None:
            return None
        return trace_agreement(found, known_lags(self.lags))


def trace_account(traces: TraceSet, *, bound: float = BOUND) -> TraceAccount:
    """Lags and agreement of a set of traces; `bound` is the longest lag in seconds."""
    shared: list[ClipTraces] = [clip for clip in traces.clips if len(clip.raters) > 1]
    if not shared:
        return TraceAccount(traces, bound, None, None)
    lags = trace_lags(traces.clips, bound=bound)
    return TraceAccount(traces, bound, lags, trace_agreement(traces.clips, known_lags(lags)))


@guarded("viewer")
def newest_with_traces(workspace: Workspace, study_id: str) -> Collection | None:
    """The newest collection of a study whose design has a continuous scale and that has answers.

    Viewers may not open collections, which know who the raters are; of this one, means and lines
    without names are shown.
    """
    trusted = workspace.as_machine()
    for info in list_collections(workspace, study_id):
        found = open_collection(trusted, study_id, info.id)
        if info.answers and has_traces(found.design_version().design):
            return found
    return None
