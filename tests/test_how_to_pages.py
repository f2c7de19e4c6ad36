"""The pages on how to add things, tried as they are: their files work in a copy of the project."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.runs.workspace import HOME_VARIABLE
from tests.studio import trained

ROOT = Path(__file__).resolve().parents[1]
_BLOCK = re.compile(r'^```(python|diff) title="(.+?)"\n(.*?)^```$', re.DOTALL | re.MULTILINE)

SHOWN_AND_REPORTED = """
from smurf_core.reporting.bundle import report_of


def test_the_evaluation_is_shown_and_reported(open_page, grouped, home):
    page = open_page("overview", study=grouped.study_id)
    assert "Persons with the largest errors" in [heading.value for heading in page.subheader]
    assert "tables/persons.csv" in report_of(home, grouped)
"""


class Copy:
    """A copy of the project in which a newcomer follows a page."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        ignored = shutil.ignore_patterns("__pycache__")
        for name in ("smurf_core", "app", "pages", "tests", ".streamlit"):
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        shutil.copy(ROOT / "pyproject.toml", folder)

    def follow(self, page: str) -> list[str]:
        """Write the page's files and changes; the files that were touched."""
        text = (ROOT / "docs" / "how-to" / page).read_text(encoding="utf-8")
        blocks = _BLOCK.findall(text)
        for kind, name, content in blocks:
            path = self.folder / name
            if kind == "diff":
                path.write_text(_changed(path.read_text("utf-8"), content), encoding="utf-8")
            else:
                assert not path.exists(), f"{name} exists already."
                path.write_text(content, encoding="utf-8")
        return [name for _, name, _ in blocks]

    def run(self, *arguments: str) -> str:
        variables = {"PYTHONPATH": str(self.folder), HOME_VARIABLE: str(self.folder / "home")}
        found = subprocess.run(
            [sys.executable, "-m", *arguments], cwd=self.folder, env={**os.environ, **variables},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert found.returncode == 0, found.stdout + found.stderr
        return found.stdout


def _changed(text: str, diff: str) -> str:
    """A file's text after the changes of a diff without line numbers."""
    for hunk in re.split(r"^@@\n", diff, flags=re.MULTILINE):
        lines = hunk.splitlines(keepends=True)
        before = "".join(line[1:] or "\n" for line in lines if line[0] != "+")
        after = "".join(line[1:] or "\n" for line in lines if line[0] != "-")
        assert text.count(before) == 1, f"Not found exactly once:\n{before}"
        text = text.replace(before, after)
    return text


@pytest.fixture
def copy(tmp_path) -> Copy:
    return Copy(tmp_path / "project")


def test_a_reader_touches_two_files_and_reads(copy):
    assert len(copy.follow("add-a-reader.md")) == 2
    samples = [
        {"sample_id": f"s{k}", "audio_1": k * k % 7, "text_1": k % 3, "label": k / 7}
        for k in range(20)
    ]
    rows = [f"{json.dumps(sample)}\n" for sample in samples]
    (copy.folder / "study").mkdir()
    (copy.folder / "study" / "features.jsonl").write_text("".join(rows))
    found = copy.run("smurf_core", "check", "study")
    assert "20 samples" in found
    assert "audio 1, text 1" in found


@pytest.mark.slow
def test_an_evaluation_touches_six_files_and_is_exported_reported_and_shown(copy, home):
    data = synthetic_additive(samples=80)
    people = np.repeat([f"p{i}" for i in range(16)], 5)
    trained(home, replace(data, persons=people), "smurf")
    assert len(copy.follow("add-an-evaluation.md")) == 6
    (copy.folder / "tests" / "pages" / "test_example.py").write_text(SHOWN_AND_REPORTED)
    tests = ("tests/smurf_core/evaluation/test_persons.py", "tests/pages/test_example.py")
    copy.run("pytest", *tests)
    shutil.copytree(home.root, copy.folder / "home")
    copy.run("smurf_core", "evaluate", "last", "--folder", "evaluation", "--permutations", "10")
    assert (copy.folder / "evaluation" / "persons.csv").exists()


@pytest.mark.slow
def test_a_page_touches_three_files_and_opens(copy):
    assert len(copy.follow("add-a-page.md")) == 3
    tests = ("tests/pages/test_persons_page.py", "tests/pages/test_all_pages.py")
    copy.run("pytest", *tests, "-k", "every_person or (new_workspace and persons)")
