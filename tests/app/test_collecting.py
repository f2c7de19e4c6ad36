"""Garbage is collected, but not once per run of a page."""

import ctypes
import platform
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from app.collecting import trimming

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


_FRAGMENTED = """
import psutil
from app.collecting import trimming

own = psutil.Process()
held = [b"x" * (60_000 + k % 2) for k in range(3_000)]
kept = held[::100]
held.clear()
before = own.memory_info().rss
trimming()()
print(before - own.memory_info().rss)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="Only glibc keeps what is freed.")
def test_what_is_free_below_memory_in_use_goes_back_to_the_system():
    found = subprocess.run(
        [sys.executable, "-c", _FRAGMENTED], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert int(found.stdout) > 100 * 2**20


def test_systems_without_glibc_have_nothing_to_do(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    trimming()()
