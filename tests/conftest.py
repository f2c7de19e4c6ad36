"""What several folders of tests share."""

import os
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run: a suite that fails by chance says nothing of a change.
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")

# Before anything loads numpy: as many processes as cores test at once, and threads of BLAS that
# wait for each other's cores took nine times the processor time.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

from smurf_core.runs.workspace import HOME_VARIABLE, Workspace  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
# Pages and commands look here unless a test says otherwise: never at the user's own studies.
os.environ[HOME_VARIABLE] = os.devnull


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """One process more than cores for `-n auto`: a test in a browser mostly waits."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Give each file to one process: what its tests share is trained once."""
    from xdist.scheduler import LoadFileScheduling

    # As collected: files of few and long tests would come last, where one process waits.
    config.option.loadscopereorder = False
    return LoadFileScheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread the files of browser tests over the others: two at once wait for each other."""
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    browsers = [own for own in files.values() if own[0].get_closest_marker("e2e")]
    others = [own for own in files.values() if not own[0].get_closest_marker("e2e")]
    gap = len(others) // (len(browsers) + 1)
    order: list[list[pytest.Item]] = []
    for k, own in enumerate(browsers):
        order += [own, *others[k * gap : (k + 1) * gap]]
    items[:] = [item for own in (*order, *others[len(browsers) * gap :]) for item in own]


@pytest.fixture(autouse=True)
def own_main() -> Iterator[None]:
    """Streamlit's test runner leaves its script as `__main__`, which new processes would run."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture
def home(tmp_path, monkeypatch) -> Workspace:
    """An empty workspace, which is also the default one."""
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    return Workspace.default()


@pytest.fixture
def synthetic_home(home) -> Workspace:
    """A workspace with the synthetic study and no run: pages open at once, and nothing trains."""
    from smurf_core.runs.own_studies import ensure_synthetic_study

    ensure_synthetic_study(home)
    return home


@pytest.fixture
def version_1(tmp_path, monkeypatch) -> Workspace:
    """A store that commit bb85866 wrote, before there were versions; also the default one."""
    with zipfile.ZipFile(Path(__file__).parent / "stores" / "version_1.zip") as store:
        store.extractall(tmp_path / "version_1")
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "version_1"))
    return Workspace.default()


@pytest.fixture(scope="session")
def _trained_home(tmp_path_factory) -> Path:
    # Tests of the library alone need neither torch nor Streamlit.
    from smurf_core.data.generated.synthetic import synthetic_additive
    from tests.studio import trained

    home = tmp_path_factory.mktemp("trained")
    workspace = Workspace(home)
    trained(workspace, synthetic_additive(samples=80, task="classification"), "smurf")
    trained(workspace, synthetic_additive(samples=80), "late_fusion", "smurf")
    return home


@pytest.fixture
def copied_home(tmp_path, monkeypatch) -> Callable[[Path], Workspace]:
    """Copy a workspace that tests share, so that this one may change it, and work in the copy."""

    def copied(source: Path) -> Workspace:
        # Which pages were seen is no part of it: other tests have looked at some.
        shutil.copytree(source, tmp_path / "home", ignore=shutil.ignore_patterns("seen"))
        monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
        return Workspace.default()

    return copied


@pytest.fixture
def shared_home(monkeypatch) -> Callable[[Path], Workspace]:
    """Work in a workspace that tests share and do not change: what pages cache of it is shared."""

    def shared(source: Path) -> Workspace:
        monkeypatch.setenv(HOME_VARIABLE, str(source))
        return Workspace.default()

    return shared


@pytest.fixture
def read_home(_trained_home, shared_home) -> Workspace:
    """The workspace of `trained_home` itself, for tests that only read."""
    return shared_home(_trained_home)


@pytest.fixture
def trained_home(_trained_home, copied_home) -> Workspace:
    """A copy of a workspace with one regression and one classification study, both trained."""
    return copied_home(_trained_home)


@pytest.fixture(scope="session")
def components_once() -> Iterator[None]:
    """Streamlit looks for components in every installed package once, not for every `AppTest`."""
    from streamlit.components.v2 import manifest_scanner

    with pytest.MonkeyPatch.context() as patch:
        found = cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", found)
        yield


@pytest.fixture
def open_page(components_once):
    """Open a page of the app; every exception in it fails the test."""
    from streamlit.testing.v1 import AppTest

    def open_(name: str, **query: str) -> AppTest:
        test = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=60)
        for key, value in query.items():
            test.query_params[key] = value
        if name != "study":
            test.switch_page(str(ROOT / "pages" / f"{name}.py"))
        test.run()
        assert not test.exception
        return test

    return open_
