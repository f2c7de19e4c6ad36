"""Memory of all sessions: collected together, and what is free is shared by all threads."""

import ctypes
import gc
import os
import sys
import threading
import time

_SECONDS = 5.0
_TRIM, _MMAP, _ARENAS = -1, -3, -8  # `mallopt`'s numbers in glibc.


def share_free_memory() -> None:
    """Keep what one thread has freed for all others, and give large arrays back at once.

    Each run of a page is a thread of its own. The C library has up to eight pools per processor for
    them, and keeps larger and larger blocks of what was freed in each.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    if sys.platform == "linux":
        set_option = getattr(ctypes.CDLL(None), "mallopt", lambda *_: 0)
        for option, value in ((_ARENAS, 2), (_MMAP, 256 * 1024), (_TRIM, 512 * 1024)):
            set_option(option, value)


def collect_from_time_to_time(seconds: float = _SECONDS) -> None:
    """Start a thread that collects garbage whenever something has run meanwhile.

    Streamlit collects after each run of a page or fragment, while nobody else can run. That took
    more processor time than the pages themselves (`runner.postScriptGC` switches it off).
    Without any, figures would stay until Python has made enough small objects.
    """
    threading.Thread(target=_collect, args=(seconds,), daemon=True, name="collecting").start()


def _collect(seconds: float) -> None:
    known = -1
    while True:
        time.sleep(seconds)
        # Python looks at its young objects whenever it makes some: nothing new, nothing to do.
        if (now := gc.get_stats()[0]["collections"]) != known:
            gc.collect()
            known = now
