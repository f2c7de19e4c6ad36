"""The first page needs little; the rest is loaded while nobody waits."""

import os
import subprocess
import sys
from pathlib import Path

from smurf_core.runs.workspace import HOME_VARIABLE

ROOT = Path(__file__).resolve().parents[2]
# In processes of their own: here, much is loaded already.
FIRST = """
import pkgutil, sys
from importlib import import_module
import app.sections.study as study
for module in pkgutil.walk_packages(study.__path__, "app.sections.study."):
    import_module(module.name)
heavy = {"altair", "matplotlib", "scipy.special", "scipy.stats", "sklearn", "torch"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
SERVER = """
import sys
import app.served
assert not {"numpy", "pandas", "app.sections.study"} & set(sys.modules)
"""
TITLE = """
import sys
from streamlit.testing.v1 import AppTest
from app.widgets import page_title

draw, loaded = page_title.page_title, set()

def seen(question):
    loaded.update(sys.modules)
    draw(question)

page_title.page_title = seen
page = AppTest.from_file("app/main.py", default_timeout=60).run()
assert [title.value for title in page.title] == ["Which study?"]
assert loaded
assert not {"app.state.session", "smurf_core.runs.store", "smurf_core.data.dataset"} & loaded
"""
AHEAD = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
from app import ahead

ahead.runtime = SimpleNamespace(exists=lambda: False)
ahead.load_ahead(0.0)
time.sleep(0.1)
assert "app.sections.overview" not in sys.modules  # There is no server yet.
ahead.runtime.exists = lambda: True
wanted = {
    ".".join(path.with_suffix("").parts)
    for path in Path("app/sections").rglob("*.py") if path.stem != "__init__"
}
deadline = time.monotonic() + 60
while not wanted <= set(sys.modules) and time.monotonic() < deadline:
    time.sleep(0.05)
assert wanted <= set(sys.modules), wanted - set(sys.modules)
assert "torch" not in sys.modules
"""


def test_the_server_starts_without_pandas():
    subprocess.run([sys.executable, "-c", SERVER], cwd=ROOT, check=True)


def test_the_title_is_there_before_the_rest_is_loaded(tmp_path):
    environment = {**os.environ, HOME_VARIABLE: str(tmp_path)}
    subprocess.run([sys.executable, "-c", TITLE], cwd=ROOT, env=environment, check=True)


def test_the_first_page_loads_no_heavy_package():
    subprocess.run([sys.executable, "-c", FIRST], cwd=ROOT, check=True)


def test_all_pages_are_loaded_once_there_is_a_server():
    subprocess.run([sys.executable, "-c", AHEAD], cwd=ROOT, check=True)
