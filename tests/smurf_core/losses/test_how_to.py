"""The page on how to add a loss, tried as it stands: two files, and the new kind trains."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch.testing import assert_close

from smurf_core import model_kinds
from smurf_core.configuration import Configuration, Grid, RunConfig
from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.losses.interface import auxiliary_loss_of
from smurf_core.model_kinds import MODEL_KINDS
from smurf_core.models.architecture import Architecture
from smurf_core.runs.workspace import HOME_VARIABLE
from smurf_core.training.objective import Partition, evaluate
from smurf_core.training.run import train_run
from smurf_core.training.stack import Member, train_stack

ROOT = Path(__file__).resolve().parents[3]
LOSS, TABLE = "smurf_core/losses/squared.py", "smurf_core/model_kinds.py"
KIND = "smurf_squared"


def files_on_the_page() -> dict[str, str]:
    """Path → what the page writes into that file."""
    page = (ROOT / "docs/how-to/add-a-loss.md").read_text(encoding="utf-8")
    return dict(re.findall(r'^```python title="(.+?)"\n(.*?)^```$', page, re.S | re.M))


@pytest.fixture
def registered(monkeypatch) -> None:
    """The page's loss and row, in this process."""
    files = files_on_the_page()
    module = ModuleType("smurf_core.losses.squared")
    exec(compile(files[LOSS], LOSS, "exec"), module.__dict__)  # noqa: S102 — our own page
    monkeypatch.setitem(sys.modules, module.__name__, module)
    rows = eval("{" + files[TABLE] + "}", vars(model_kinds))  # noqa: S307 — likewise
    for kind, row in rows.items():
        monkeypatch.setitem(MODEL_KINDS, kind, row)


def test_the_page_touches_two_files() -> None:
    assert set(files_on_the_page()) == {LOSS, TABLE}


@pytest.mark.usefixtures("registered")
def test_the_derivative_on_the_page_is_that_of_autograd() -> None:
    loss = auxiliary_loss_of(KIND)
    rows = torch.randn(2, 3, 9, 40, generator=torch.Generator().manual_seed(0)).double()
    covariances = (rows @ rows.mT / 39).requires_grad_()
    expected = loss.value(covariances, 3)
    (by,) = torch.autograd.grad(expected.sum(), covariances)
    found, symmetric = loss.differentiate(covariances.detach(), 3)
    assert_close(found, expected.detach())
    assert_close(symmetric, by + by.mT)


@pytest.mark.usefixtures("registered")
def test_training_with_the_new_loss_lowers_it() -> None:
    generator = torch.Generator().manual_seed(0)
    shared = torch.randn(80, generator=generator)
    inputs = [torch.randn(d, 80, generator=generator) + shared for d in (4, 3, 2)]
    architecture = Architecture.of(KIND, (4, 3, 2), (), 1)
    data = Partition(architecture.tower_inputs(inputs), inputs[0][0] + shared)
    members = [Member(Configuration(1e-2, (), 0.0, weight), seed=1) for weight in (0.0, 1.0)]
    outcome = train_stack(
        KIND, architecture, members, training=data, validation=data, max_epochs=300,
        patience=None, batch_size=256, batch_seed=0, output_scale=1.0,
    )  # fmt: skip
    found = evaluate(KIND, outcome.weights, data, torch.tensor([0.0, 1.0]))
    without, with_loss = found.auxiliary.tolist()
    assert with_loss < without / 100


@pytest.mark.usefixtures("registered")
def test_a_run_of_the_new_kind_is_configured_trained_and_stored_as_any_other() -> None:
    grid = Grid((2e-2,), ((4,),), (0.0,), (0.25, 0.5))
    config = replace(
        RunConfig.from_preset("quick", KIND), preset="custom", grid=grid, max_epochs=8, restarts=1
    )
    assert RunConfig.from_dict(config.to_dict()) == config
    assert config.kind.title == "SMURF, squared (extension)"
    result = train_run(synthetic_additive(samples=60), config, jobs=1)
    tried = result.fold_results[0].candidates
    assert tried["auxiliary_weight"].tolist() == [0.25, 0.5]
    assert (tried["auxiliary_loss"] > 0).all()
    # No criterion of its own: the loss compares configurations that predict alike.
    assert tried["factorisation_loss"].to_numpy() == pytest.approx(
        tried["auxiliary_loss"].to_numpy(), rel=1e-5
    )


def test_in_a_copy_of_the_library_two_files_make_the_new_kind_known_everywhere(tmp_path) -> None:
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "smurf_core", tmp_path / "smurf_core", ignore=ignored)
    files = files_on_the_page()
    (tmp_path / LOSS).write_text(files[LOSS], encoding="utf-8")
    table = (tmp_path / TABLE).read_text(encoding="utf-8")
    named = re.sub(r"(\nModelKind = Literal\[\n.*?)\]", rf'\1    "{KIND}",\n]', table, flags=re.S)
    assert named.endswith("}\n")
    (tmp_path / TABLE).write_text(named.removesuffix("}\n") + files[TABLE] + "}\n")
    found = subprocess.run(
        [sys.executable, "-m", "smurf_core", "train", "synthetic", "--model", KIND,
         "--preset", "quick", "--layers", "linear", "--learning-rate", "0.01",
         "--auxiliary-weight", "0.5", "--restarts", "1", "--jobs", "1"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path), HOME_VARIABLE: str(tmp_path / "home")},
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert "SMURF, squared (extension)" in found.stdout
