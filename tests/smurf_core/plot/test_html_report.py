import json
import re
from pathlib import Path

import pytest

from smurf_core.errors import InputError
from smurf_core.explained import explained
from smurf_core.plot.html_report import figure_files, report_html, report_state
from smurf_core.plot.report_figures import IMAGE_FORMATS, ReportFigure, image_files, report_figures
from smurf_core.reporting.bundle import run_titles
from smurf_core.reporting.findings import find, report_tables
from smurf_core.runs.files import RunFiles
from smurf_core.runs.store import list_runs
from smurf_core.runs.studies import load_study
from tests.e2e.conftest import CHROMIUM
from tests.smurf_core.reporting.conftest import reported  # noqa: F401 — a fixture

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def parts(reported):  # noqa: F811 — the fixture
    """Run, result, data set and findings of the study with odd names."""
    runs = list_runs(reported)[::-1]
    dataset = load_study(reported, runs[0].study_id)
    results = {run.id: RunFiles.of(reported, run.id).read_result() for run in runs}
    found = find(results, run_titles(runs), dataset, reference=runs[0].id)
    return runs[0], results[runs[0].id], dataset, found


@pytest.fixture(scope="module")
def page(parts) -> str:
    info, result, dataset, found = parts
    figures = report_figures(found, explained(result, dataset), result)
    state = report_state(info, result, dataset)
    return report_html(state, found.sentences, report_tables(found, dataset), figures)


def test_the_report_needs_nothing_from_outside(page):
    without_plotly = re.sub(r"<script>.*?</script>", "", page, count=1, flags=re.DOTALL)
    assert page.count("plotly.js v") == 1
    outside = r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//|@import|url\(\s*[\"']?https?:"
    assert not re.search(outside, without_plotly)


def test_names_are_text_in_the_report_and_its_state_is_kept(page, parts):
    info, result, dataset, _ = parts
    assert "<b>100 %" not in page
    assert "&lt;b&gt;100 %" in page
    kept = json.loads(re.search(r'id="state">(.*?)</script>', page).group(1))
    assert kept["Study"].startswith(dataset.name)
    assert info.id in kept["Run"]
    assert kept["Data (SHA-256)"] == result.data_fingerprint
    assert kept["Seed"] == "0"


def test_the_report_shows_the_numbers_of_the_evaluations(page, parts):
    *_, found = parts
    for row in found.comparison.to_dict("records"):
        assert f"{row['mean']:.3f} ± {row['sd']:.3f}".replace("-", "−") in re.sub("</?b>", "", page)


@pytest.mark.skipif(CHROMIUM is None, reason="No Chromium here: install it to draw images.")
def test_figures_become_images(parts):
    _, result, dataset, found = parts
    figures = report_figures(found, explained(result, dataset), result)
    some: dict[str, ReportFigure] = {
        name: figures[name] for name in ("shares_of_variance", "learning_curves")
    }
    files = image_files(some)
    assert set(files) == {f"{name}.{kind}" for name in some for kind in IMAGE_FORMATS}
    starts = {"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF"}
    for name, content in files.items():
        assert content.startswith(starts[name[-3:]]), name


def test_without_a_browser_the_report_says_why_there_are_no_images(parts, monkeypatch):
    monkeypatch.setenv("BROWSER_PATH", "/nonexistent")
    info, result, dataset, found = parts
    figures = report_figures(found, explained(result, dataset), result)
    with pytest.raises(InputError, match="need Chromium"):
        image_files(figures)
    files = figure_files(info, result, dataset, found)
    assert set(files) == {"report.html", "figures/README.txt"}
