"""The documentation and the project's metadata agree with the code."""

import importlib
import re
from pathlib import Path

import pytest
import yaml

import smurf_core
from smurf_core.reporting.citation import BIBTEX

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("datasets", "evaluate", "plot")  # public names that are modules


def documented() -> set[object]:
    """The objects that the API reference describes."""
    found = set()
    for page in (ROOT / "docs" / "reference").glob("*.md"):
        for name in re.findall(r"^::: (\S+)$", page.read_text(encoding="utf-8"), re.MULTILINE):
            module, _, attribute = name.rpartition(".")
            found.add(getattr(importlib.import_module(module), attribute))
    return found


@pytest.mark.parametrize("part", ["", *PARTS])
def test_the_reference_describes_every_public_name(part):
    module = getattr(smurf_core, part) if part else smurf_core
    names = [name for name in module.__all__ if name not in PARTS]
    missing = [name for name in names if getattr(module, name) not in documented()]
    assert not missing


def test_the_citation_names_this_version_and_the_paper():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    # Required by the Citation File Format 1.2.0.
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == smurf_core.__version__
    paper = citation["preferred-citation"]
    assert {"type", "title", "authors"} <= set(paper)
    assert paper["doi"] in BIBTEX
    families = [author["family-names"] for author in paper["authors"]]
    assert families == ["Wörtwein", "Allen", "Cohn", "Morency"]


def test_the_decisions_are_in_the_order_of_their_numbers():
    """They were in the order 36, 40, 43, 41, 37."""
    text = (ROOT / "DECISIONS.md").read_text(encoding="utf-8")
    numbers = [int(number) for number in re.findall(r"^## (\d+)\. ", text, re.MULTILINE)]
    assert numbers == sorted(set(numbers))
    assert len(numbers) >= 43


def test_the_changelog_has_the_headings_of_keep_a_changelog():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert text.startswith("# Changelog\n")
    versions = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert versions[0] == "[Unreleased]"
    kinds = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_continuous_integration_runs_the_test_command_of_the_readme():
    """The README's commands for the tests are what `.ci/run` runs."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (commands,) = re.findall(r"^pip install -r .*python -m pytest.*$", readme, re.MULTILINE)
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8").replace("--quiet ", "")
    for command in commands.split(" && "):
        assert f"\n{command}\n" in script


def texts() -> list[Path]:
    """All files whose text names commands."""
    folders = ("smurf_core", "app", "benchmarks", "docs")
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.[mp][dy]")]
    return [*found, *ROOT.glob("*.md")]


def test_commands_that_texts_name_start_from_the_projects_folder():
    """A script that imports `app` or `benchmarks` starts as a module only, or with a path."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in texts())
    modules = set(re.findall(r"python -m ((?:benchmarks|tests)\.[a-z_.]*[a-z_])", text))
    assert len(modules) > 10
    for module in modules:
        path = ROOT.joinpath(*module.split("."))
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module
    scripts = set(re.findall(r"(PYTHONPATH=\S+ )?python ((?:[a-z_]+/)+[a-z_]+\.py)", text))
    assert scripts
    for with_path, script in scripts:
        source = (ROOT / script).read_text(encoding="utf-8")
        ours = re.search(r"^\s*(from|import) (app|benchmarks|tests|pages)\b", source, re.MULTILINE)
        assert with_path or not ours or "sys.path.insert" in source, f"python {script}"
