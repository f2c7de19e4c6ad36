"""Real recordings with labels shuffled within persons: no surface finds anything in them."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from smurf_core.configuration import RunConfig
from smurf_core.data.importing.assembly import assemble
from smurf_core.data.readers.registry import find_sources
from smurf_core.plot.html_report import figure_files
from smurf_core.processes import worker
from smurf_core.reporting.bundle import report_of
from smurf_core.runs import store, studies
from tests.surfaces import false_claims, said_by_command, said_by_page, said_in_html

DATA = Path(
    os.environ.get("SMURF_TEST_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")
)
pytestmark = pytest.mark.skipif(
    not (DATA / "vreed").is_dir(),
    reason=f"No VREED in {DATA}: set SMURF_TEST_DATA to the folder that contains it.",
)
START = "There is nothing to explain: on held-out samples, balanced accuracy is"


@pytest.fixture
def study(home) -> str:
    data = assemble(find_sources([DATA / "vreed"]), None).dataset
    random, target = np.random.default_rng(0), data.target.copy()
    for person in np.unique(data.persons):
        own = data.persons == person
        target[own] = random.permutation(target[own])
    shuffled = studies.add_study(home, replace(data, target=target))
    config = RunConfig.from_preset("quick", "exclusive", clip=5.0, refits=10)
    store.create_run(home, shuffled, config, jobs=1)
    worker.work(home)
    return shuffled


def test_nothing_is_claimed_of_shuffled_labels(open_page, home, study, monkeypatch):
    monkeypatch.setenv("BROWSER_PATH", "/nonexistent")  # Images take time.
    (run,) = store.list_runs(home, study)
    files = report_of(home, run, extensions=[figure_files])
    texts = {
        "show": said_by_command("show", run.id),
        "overview": said_by_page(open_page("overview", study=study)),
        "samples": said_by_page(open_page("samples", study=study)),
        "html": said_in_html(files["report.html"].decode()),
        "latex": files["tables/tables.tex"].decode().replace("{-}", "-"),
        "sentences": files["sentences.txt"].decode(),
    }
    for name, words in texts.items():
        assert START in " ".join(words.split()), name
        # Classes have probabilities in percent on Samples.
        found = [claim for claim in false_claims(words) if name != "samples" or "%" not in claim]
        assert found == [], name
    assert "tables/shares_of_variance.tex" not in files
