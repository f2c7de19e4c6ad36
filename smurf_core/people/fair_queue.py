"""Which waiting run is trained next: persons take turns, and each one's runs keep their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def next_of(waiting: Sequence[str], served: Mapping[str, float]) -> int:
    """Position of the run that is trained next.

    Parameters
    ----------
    waiting
        The person of each waiting run, in the order in which they were queued; at least one.
    served
        Person → when a run of theirs was last begun, in seconds; without an entry: never.

    Returns
    -------
    int
        The first run of the person whose turn was longest ago; of equals, the first in the queue.
    """
    return min(range(len(waiting)), key=lambda k: (served.get(waiting[k], 0.0), k))
