"""SMURF Studio in tests: trained studies, and what a page shows."""

import base64
import html
import json
import re
from dataclasses import replace
from typing import get_args

import numpy as np
from streamlit.testing.v1 import AppTest

from app.state.navigation import PageName
from smurf_core.configuration import Grid, RunConfig
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.model_kinds import ModelKind
from smurf_core.processes import worker
from smurf_core.results import RunResult
from smurf_core.runs import store, studies
from smurf_core.runs.files import RunFiles
from smurf_core.runs.store import RunInfo
from smurf_core.runs.workspace import Workspace

PAGES = get_args(PageName)
FAST = replace(
    RunConfig.from_preset("quick"),
    preset="custom",
    grid=Grid((2e-2,), ((4,),), (0.0,), (0.5,)),
    max_epochs=15,
    restarts=1,
)


def trained(workspace: Workspace, data: MultimodalDataset, *models: ModelKind) -> str:
    """Add a study with finished runs, the last model's newest; the study's id."""
    study = studies.add_study(workspace, data)
    for model in models:
        store.create_run(workspace, study, replace(FAST, model=model), jobs=1)
    worker.work(workspace)
    return study


def with_a_far_sample(data: MultimodalDataset) -> MultimodalDataset:
    """The same data with sample s33 far from all others in modality A."""
    values = data.features["A"].values.copy()
    values[33] = 500
    return replace(
        data, features={**data.features, "A": replace(data.features["A"], values=values)}
    )


def result_of(workspace: Workspace, run: RunInfo) -> RunResult:
    return RunFiles.of(workspace, run.id).read_result()


def undo(page: AppTest, key: str):
    """The button that restores what was deleted last."""
    (found,) = (b for b in page.button if (b.key or "").startswith(f"{key}_"))
    return found


def text(page: AppTest) -> str:
    """What a page says in sentences and headings, as Markdown."""
    shown = [
        *page.markdown, *page.info, *page.success, *page.warning, *page.error, *page.subheader,
        *page.title,
    ]  # fmt: skip
    return "\n".join(element.value for element in shown)


def plain_text(page: AppTest) -> str:
    """The same without the marks that keep text from being Markdown."""
    return text(page).replace("\\", "")


def facts(page: AppTest) -> dict[str, str]:
    """What a page states in its rows of facts: title → value; of equal titles, the last."""
    found = re.findall(
        r"<dt[^>]*>(.*?)</dt><dd[^>]*>(.*?)</dd>", "".join(m.value for m in page.markdown)
    )
    return {html.unescape(title): html.unescape(value) for title, value in found}


def opened_tab(page: AppTest, key: str, title: str) -> AppTest:
    """The page with another of its tabs open: only the open one runs."""
    page.session_state[key] = title
    page.run()
    assert not page.exception
    return page


def figure(page: AppTest, key: str) -> dict:
    """A Plotly figure of the page, as it is sent to the browser."""
    (found,) = [
        json.loads(chart.proto.spec)
        for chart in page.get("plotly_chart")
        if f"-{key}" in chart.proto.id
    ]
    return found


def numbers(values: object) -> np.ndarray:
    """An array of a figure, which Plotly sends as a list or as bytes."""
    if isinstance(values, dict):
        flat = np.frombuffer(base64.b64decode(values["bdata"]), dtype=values["dtype"])
        shape = [int(size) for size in values.get("shape", "").split(",") if size]
        return flat.reshape(shape) if shape else flat
    return np.asarray(values, dtype=float)
