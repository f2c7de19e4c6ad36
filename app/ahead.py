"""What pages need is loaded before somebody opens them."""

import pkgutil
import threading
import time
from importlib import import_module

from streamlit import runtime

from app import sections

_LATER = 5.0  # seconds


def load_ahead(later: float = _LATER) -> None:
    """Start a thread that loads the modules of all pages, some seconds after the server's start.

    Not at once: the first page would wait for them.
    """
    threading.Thread(target=_load, args=(later,), daemon=True, name="loading ahead").start()


def _load(later: float) -> None:
    while not runtime.exists():  # Cached functions look for it.
        time.sleep(0.1)
    time.sleep(later)
    for module in pkgutil.walk_packages(sections.__path__, "app.sections."):
        import_module(module.name)
