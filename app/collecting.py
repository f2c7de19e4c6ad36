"""Garbage of all sessions is collected together, every few seconds."""

import gc
import threading
import time

_SECONDS = 5.0


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
