"""The wheel: what it puts on a user's path, and that it starts the app in an empty folder."""

import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.request
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

from app.state.navigation import HEADINGS

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.slow

FIRST_PAGE = """
import os

os.environ["SMURF_OPEN"] = "1"  # No server is bound to an address here.
from streamlit.testing.v1 import AppTest
from smurf_core.processes.studio import studio_folder

page = AppTest.from_file(str(studio_folder() / "app" / "main.py"), default_timeout=60).run()
assert not page.exception, page.exception
print(page.title[0].value)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """A wheel of a copy of the project, so that building leaves nothing in the checkout."""
    copy = tmp_path_factory.mktemp("source") / "project"
    ignored = shutil.ignore_patterns(
        "__pycache__", ".git", "tests", "docs", "benchmarks", ".*cache"
    )
    shutil.copytree(ROOT, copy, ignore=ignored)
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
         "--no-index", "--wheel-dir", str(folder), str(copy)],
        check=True,
    )  # fmt: skip
    return next(folder.glob("*.whl"))


class Installed:
    """A new environment with the wheel, which also sees this environment's other packages."""

    def __init__(self, folder: Path, wheel: Path) -> None:
        venv.create(folder / "venv", with_pip=False)
        scripts = "Scripts" if os.name == "nt" else "bin"
        self.python = folder / "venv" / scripts / "python"
        self.smurf = folder / "venv" / scripts / "smurf"
        self.empty = folder / "empty"
        self.empty.mkdir()
        subprocess.run(
            [sys.executable, "-m", "pip", "--python", str(self.python), "install", "--quiet",
             "--no-deps", "--no-index", str(wheel)],
            check=True,
        )  # fmt: skip
        where = self.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout
        # A line of a .pth file adds a folder, but does not read the .pth files in that folder: this
        # environment's own (editable) installation of the project stays out.
        (Path(where.strip()) / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "STREAMLIT_"))}
        return {**kept, "SMURF_HOME": str(self.empty.parent / "home")}

    def run(self, *command: str, program: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(program or self.python), *command], cwd=self.empty, env=self.environment(),
            capture_output=True, text=True, check=False,
        )  # fmt: skip


@pytest.fixture(scope="module")
def installed(tmp_path_factory, wheel) -> Installed:
    return Installed(tmp_path_factory.mktemp("installed"), wheel)


def test_a_wheel_has_one_package_at_its_top(wheel):
    with ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"smurf_core"}


def test_a_wheel_has_every_file_of_the_library_and_the_app(wheel):
    with ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    listed = subprocess.run(
        ["git", "ls-files", "smurf_core", "app", "pages", ".streamlit"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    expected = {
        name if name.startswith("smurf_core/") else f"smurf_core/_studio/{name}"
        for name in listed
        if (ROOT / name).exists()
    }
    assert {"smurf_core/py.typed", "smurf_core/experiments/paper/table2_performance.csv"} < expected
    assert expected <= inside


def test_installing_puts_no_app_and_no_pages_on_the_path(installed):
    for name in ("app", "pages"):
        result = installed.run("-c", f"import {name}")
        assert f"No module named '{name}'" in result.stderr


def test_the_library_is_imported_from_the_wheel(installed):
    result = installed.run("-c", "import smurf_core; print(smurf_core.__file__)")
    assert str(installed.empty.parent / "venv") in result.stdout


def test_the_command_prints_its_help(installed):
    result = installed.run("--help", program=installed.smurf)
    assert result.returncode == 0, result.stderr
    assert "studio" in result.stdout


def test_the_first_page_of_the_installed_app_is_drawn(installed):
    result = installed.run("-c", FIRST_PAGE)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip().endswith(HEADINGS["Study"])


def test_the_readme_s_example_prints_a_table_and_writes_a_figure(installed):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    example = readme.partition("```python\n")[2].partition("```")[0]
    result = installed.run("-c", example)
    assert result.returncode == 0, result.stderr
    assert "metric" in result.stdout
    assert "Share of the prediction's variance" in (installed.empty / "shares.html").read_text()


def test_smurf_studio_serves_the_app_and_stops(installed):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [str(installed.smurf), "studio", "--headless", "--port", str(port)],
        cwd=installed.empty, env=installed.environment(), stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        answer = ""
        deadline = time.monotonic() + 90
        while not answer and time.monotonic() < deadline:
            assert server.poll() is None, server.stderr.read() if server.stderr else ""
            try:
                with urllib.request.urlopen(
                    f"http://127.0.0.1:{port}/_stcore/health", timeout=1
                ) as r:
                    answer = r.read().decode()
            except OSError:
                time.sleep(0.1)
        assert answer == "ok"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as page:
            assert "<title>" in page.read().decode()
    finally:
        server.terminate()
        server.communicate(timeout=30)
    # The signal reached the server itself: nobody serves the port any more.
    with socket.socket() as free:
        assert free.connect_ex(("127.0.0.1", port)) != 0
