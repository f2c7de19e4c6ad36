"""Garbage of all sessions is collected together, and free memory goes back to the system."""

import ctypes
import gc
import threading
import time
from collections.abc import Callable

_SECONDS = 5.0
_BETWEEN_TRIMS = 30.0  # seconds


def collect_from_time_to_time(seconds: float = _SECONDS) -> None:
    """Start a thread that collects garbage whenever something has run meanwhile.

    Streamlit collects after each run of a page or fragment, while nobody else can run. That took
    more processor time than the pages themselves (`runner.postScriptGC` switches it off).
    Without any, figures would stay until Python has made enough small objects.
    """
    threading.Thread(target=_collect, args=(seconds,), daemon=True, name="collecting").start()


def trimming() -> Callable[[], None]:
    """A function that gives free memory back to the system, or does nothing where that is no need.

    glibc keeps what was freed below memory in use, for each thread that ran a page. So a server's
    memory grows with the sessions that it has had, although none of it is in use.
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # no glibc
        return lambda: None

    def give_back() -> None:
        trim(0)

    return give_back


def _collect(seconds: float) -> None:
    known, trim = -1, trimming()
    trimmed, has_freed = time.monotonic(), False
    while True:
        time.sleep(seconds)
        # Python looks at its young objects whenever it makes some: nothing new, nothing to do.
        if (now := gc.get_stats()[0]["collections"]) != known:
            gc.collect()
            known, has_freed = now, True
        if has_freed and time.monotonic() - trimmed > _BETWEEN_TRIMS:
            trim()
            trimmed, has_freed = time.monotonic(), False
