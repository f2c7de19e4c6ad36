"""Garbage is collected, but not once per run of a page; all threads share what is free."""

import platform
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# In a process of its own, because the thread does not end.
CODE = """
import gc, time, weakref
from app.collecting import collect_from_time_to_time

class Figure:  # It refers to itself, as Plotly's figures do.
    def __init__(self):
        self.parent = self

figure = Figure()
known = weakref.ref(figure)
gc.disable()  # Nothing else collects it.
del figure
assert known() is not None
collect_from_time_to_time(0.01)
deadline = time.monotonic() + 30
while known() is not None and time.monotonic() < deadline:
    time.sleep(0.01)
assert known() is None
"""


def test_what_refers_to_itself_is_collected_without_a_run():
    subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, check=True)


def test_streamlit_does_not_collect_after_each_run():
    # A full collection took 135 ms of the 214 ms of a fragment that ran every second.
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert config["runner"]["postScriptGC"] is False


POOLS = """
import ctypes, threading
from app.collecting import share_free_memory

share_free_memory()
malloc = ctypes.CDLL(None).malloc
malloc.restype = ctypes.c_void_p
together, found = threading.Barrier(12), []

def allocate():
    together.wait()  # Threads that have ended leave their pool to the next one.
    found.append(malloc(60_000))
    together.wait()

threads = [threading.Thread(target=allocate) for _ in range(12)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
pools = {address >> 26 for address in found}  # Each begins at a multiple of 64 MiB.
assert len(pools) <= 2, pools
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has such pools")
def test_threads_share_what_is_free():
    subprocess.run([sys.executable, "-c", POOLS], cwd=ROOT, check=True)
