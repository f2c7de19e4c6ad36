"""What is shown and logged when a page raises what nobody expected."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from smurf_core.runs.own_studies import ensure_synthetic_study
from smurf_core.runs.workspace import Workspace
from tests.e2e.conftest import ROOT, Server

pytestmark = pytest.mark.e2e
SAID = "P07 said that nobody knows"
RAISING = """
import os
import streamlit as st

def act():
    try:
        open(os.environ["SAID"])
    except OSError:
        raise KeyError(os.environ["SAID"])

st.title("A page that raises")
st.button("callback", on_click=act)
if st.button("page"):
    act()

@st.fragment
def part():
    if st.button("fragment"):
        act()

part()
"""


@pytest.fixture
def raising(tmp_path) -> Iterator[Server]:
    """The app as it is served, with one page that raises."""
    folder = tmp_path / "copy"
    for name in ("app", "pages", ".streamlit"):
        shutil.copytree(ROOT / name, folder / name)
    (folder / "pages" / "verify.py").write_text(RAISING)
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    environment = {"PYTHONPATH": paths, "SAID": f"/home/lab/{SAID}"}
    server = Server(tmp_path / "home", folder=folder, log=tmp_path / "log", environment=environment)
    ensure_synthetic_study(Workspace(server.home))
    server.start()
    yield server
    server.stop()


def entry(log: Path, reference: str) -> str:
    (found,) = [
        part for part in re.split(r"\n(?=\d{4}-\d\d-\d\d )", log.read_text()) if reference in part
    ]
    return found


def test_what_a_page_does_not_expect_is_a_sentence_and_an_entry_of_the_log(raising, page: Page):
    study = ensure_synthetic_study(Workspace(raising.home))
    shown = page.get_by_test_id("stAlertContentError")
    for where in ("callback", "page", "fragment"):
        page.goto(f"{raising.url}/verify?study={study}")
        page.get_by_role("button", name=where).click()
        expect(shown).to_have_text(re.compile(r"^This page stopped .* of the server's log\.$"))
        expect(page.get_by_test_id("stException")).to_have_count(0)
        read = page.locator("body").inner_text()
        for word in (SAID, "KeyError", "Traceback", "/home"):
            assert word not in read, where
        (reference,) = re.findall(r"entry ([0-9a-f]{8}) of", shown.inner_text())
        noted = entry(raising.log, reference)
        assert re.search(rf"session [0-9a-f-]{{8}}, study {study}, run None", noted), where
        assert re.search(r'pages/verify\.py", line \d+, in act', noted), where
        assert "KeyError" in noted, where
    assert SAID not in raising.log.read_text()
