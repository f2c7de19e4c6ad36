"""What the site needs besides docs/: pages from other folders, and the executed tutorial.

Pages that GitHub shows in other folders stay where they are; their links are adapted. The tutorial
is a notebook without outputs. Building the site runs it, and an error in a cell ends the build.
"""

import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any

import nbformat
import plotly.io
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from nbclient import NotebookClient
from plotly.offline import get_plotlyjs

ROOT = Path(__file__).resolve().parents[2]
ELSEWHERE = ("CHANGELOG.md", "CONTRIBUTING.md", "DECISIONS.md", "data/*.md")
SCRIPT = "assets/plotly.min.js"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add pages from outside docs/, the executed tutorial, and the script of its figures."""
    for pattern in ELSEWHERE:
        for path in sorted(ROOT.glob(pattern)):
            files.append(_added(config, path.relative_to(ROOT).as_posix(), path.read_text("utf-8")))
    files.append(_added(config, "tutorial.md", _tutorial(ROOT / "docs" / "tutorial.ipynb")))
    files.append(_added(config, SCRIPT, get_plotlyjs()))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Adapt links: on the site, everything is in one folder."""
    return re.sub(r"\]\((?:\.\./)?(docs|data)/(?=[\w-]+\.md)", _within_the_site, markdown)


def _within_the_site(match: re.Match[str]) -> str:
    # docs/x.md is x.md here; from a page in data/, ../docs/x.md is ../x.md.
    up = "../" if match[0].startswith("](../docs") else ""
    return f"]({up}" if match[1] == "docs" else "](data/"


def _added(config: MkDocsConfig, name: str, text: str) -> File:
    return File.generated(config, name, content=text)


def _tutorial(path: Path) -> str:
    """Run the notebook in an empty folder and write it as a page."""
    notebook = nbformat.read(path, as_version=4)
    # Figures come as data, without a copy of Plotly's script in each of them.
    os.environ["PLOTLY_RENDERER"] = "plotly_mimetype"
    os.environ["PYTHONPATH"] = str(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(notebook, timeout=300, resources={"metadata": {"path": folder}}).execute()
    parts = [f'<script src="{SCRIPT}"></script>', "[Download this notebook](tutorial.ipynb)"]
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            parts.append(cell.source)
            continue
        parts.append(f"```python\n{cell.source}\n```")
        parts += [_shown(output, f"{path.name}, cell {number + 1}") for output in cell.outputs]
    title = next(k for k, part in enumerate(parts) if part.startswith("# "))
    parts.insert(0, parts.pop(title))
    return "\n\n".join(parts) + "\n"


def _shown(output: dict[str, Any], place: str) -> str:
    """An output of a cell as Markdown or HTML."""
    if output["output_type"] == "stream":
        if output["name"] == "stderr":
            raise PluginError(f"{place} wrote to stderr: {output['text']}")
        return f"```text\n{output['text'].rstrip()}\n```"
    data = output["data"]
    if "application/vnd.plotly.v1+json" in data:
        figure = plotly.io.from_json(json.dumps(data["application/vnd.plotly.v1+json"]))
        html = plotly.io.to_html(
            figure, full_html=False, include_plotlyjs=False, config={"displayModeBar": False}
        )
        return re.sub(r"\n\s*", "\n", html)
    if "text/html" in data:
        html = re.sub(r"<style.*?</style>", "", data["text/html"], flags=re.DOTALL)
        html = html.replace('border="1" ', "")  # the theme has its own lines
        return re.sub(r"\n\s*", "\n", html)
    return f"```text\n{data['text/plain']}\n```"
