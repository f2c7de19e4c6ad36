"""What pages need is loaded before somebody opens them."""

import pkgutil
import threading
import time
from importlib import import_module

from streamlit import runtime

from app import sections

_FIRST = "app.sections.study"
_LATER = 5.0  # seconds


def load_ahead(later: float = _LATER) -> None:
    """Start a thread that loads the first page's modules, and after some seconds all others'.

    A browser needs a second to load Streamlit's own scripts, in which the server has nothing to do.
    """
    threading.Thread(target=_load, args=(later,), daemon=True, name="loading ahead").start()


def _load(later: float) -> None:
    while not runtime.exists():  # Cached functions look for it.
        time.sleep(0.01)
    found = [module.name for module in pkgutil.walk_packages(sections.__path__, "app.sections.")]
    first = [name for name in found if name.startswith(_FIRST)]
    for name in first:
        import_module(name)
    time.sleep(later)
    for name in found:
        import_module(name)
