"""Eleven clips of talking faces, from the disk to a sentence about them, without a command line."""

import re
import shutil

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from smurf_core.extraction.video import OPENFACE_VARIABLE
from smurf_core.runs import studies
from smurf_core.runs.workspace import Workspace
from tests.e2e.prepared import DATA
from tests.e2e.test_first_light import no_errors
from tests.openface import write_openface

GRID = DATA / "grid_clips"
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        not GRID.is_dir(), reason="the GRID clips, which are not in the repository, are not here"
    ),
]


@pytest.fixture
def openface(tmp_path, monkeypatch):
    """Let servers that start later find "OpenFace": a script, which is not what is tested."""
    (tmp_path / "openface").mkdir()
    write_openface(tmp_path / "openface")
    monkeypatch.setenv(OPENFACE_VARIABLE, str(tmp_path / "openface"))


@pytest.fixture
def clips(tmp_path):
    """The clips, with a made-up target: the corpus has none."""
    folder = tmp_path / "clips"
    folder.mkdir()
    table = pd.read_csv(GRID / "clips.csv")
    table["valence"] = np.random.default_rng(0).normal(size=len(table)).round(2)
    table.to_csv(folder / "clips.csv", index=False)
    for path in GRID.glob("*.mp4"):
        shutil.copy(path, folder)
    return folder


def test_eleven_clips_become_a_study_that_is_called_too_small(openface, server, page: Page, clips):
    pytest.importorskip("opensmile", reason="needs the extra [extract]")
    page.goto(server.url)
    page.get_by_role("button", name="From recordings").click()
    tab = page.get_by_role("tabpanel", name="From recordings")
    tab.locator("input[type=file]").set_input_files(sorted(clips.iterdir()))
    expect(tab.get_by_text("11 of 11 rows have a recording.")).to_be_visible()
    tab.get_by_role("button", name="Extract features").click()
    expect(
        tab.get_by_text("Features are being extracted; you can leave this page.")
    ).to_be_visible()
    page.reload()  # What is known of it is on the disk.
    page.get_by_role("tab", name="From recordings").click()
    expect(tab.get_by_text("Features of audio and video were extracted.")).to_be_visible()
    expect(tab.get_by_text("Face: 11 of 11 utterances")).to_be_visible()
    tab.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("clips was imported")).to_be_visible()
    too_few = re.compile("There are too few samples to explain anything: 11 samples")
    expect(page.get_by_text(too_few)).to_be_visible()
    no_errors(page)

    workspace = Workspace(server.home)
    (study,) = (s for s in studies.list_studies(workspace) if s.origin == "recorded")
    assert (study.samples, study.modalities) == (11, ("audio", "video"))
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Train").click()
    page.get_by_role("button", name="Start training").click()
    page.get_by_role("button", name="Open run", exact=True).click()
    expect(page.get_by_text(re.compile("too few held-out samples"))).to_be_visible()
    page.get_by_test_id("stSidebarNavLink").filter(has_text=re.compile("Samples$")).click()
    video = page.locator("video")
    expect(video).to_be_visible()
    page.wait_for_function("document.querySelector('video').readyState > 0")
    assert video.evaluate("video => video.duration") == pytest.approx(3, abs=0.1)
    no_errors(page)
