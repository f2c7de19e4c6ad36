"""The table of model kinds."""

import ast
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import get_args

import pytest

from smurf_core.losses.interface import AuxiliaryLoss, auxiliary_loss_of
from smurf_core.model_kinds import DEFAULT_MODEL, MODEL_KINDS, REFERENCE_MODEL, ModelKind

ROOT = Path(__file__).resolve().parents[2]


def test_the_type_of_kinds_names_every_row_of_the_table() -> None:
    assert get_args(ModelKind) == tuple(MODEL_KINDS)
    assert {DEFAULT_MODEL, REFERENCE_MODEL} <= set(MODEL_KINDS)


def test_titles_are_the_papers_and_say_what_is_ours() -> None:
    titles = [traits.title for traits in MODEL_KINDS.values()]
    assert titles == [
        "Late fusion", "E-HGR", "SMURF w/o L_cor + L_uncor", "SMURF",
        "SMURF, normalised (extension)", "MRO-SMURF", "MRO-SMURF, subset networks",
        "MRO-SMURF, normalised (extension)", "Exclusive (extension)",
        "Given model, explained (extension)",
    ]  # fmt: skip


def test_only_the_two_without_an_auxiliary_loss_have_no_weight_to_search() -> None:
    without = [model for model, traits in MODEL_KINDS.items() if not traits.has_weight]
    assert without == ["late_fusion", "smurf_no_aux"]


@pytest.mark.parametrize("model", MODEL_KINDS)
def test_every_row_names_an_auxiliary_loss_that_can_be_loaded_or_none(model: ModelKind) -> None:
    loss = auxiliary_loss_of(model)
    assert isinstance(loss, AuxiliaryLoss) == MODEL_KINDS[model].has_auxiliary_loss


def test_a_row_that_names_something_else_is_refused(monkeypatch) -> None:
    wrong = MODEL_KINDS["smurf"].__class__(
        name="Wrong", description="", auxiliary_loss="smurf_core.losses.rows:CONTRIBUTIONS"
    )
    monkeypatch.setitem(MODEL_KINDS, "smurf", wrong)
    with pytest.raises(TypeError, match="must be an AuxiliaryLoss, got ContributionRows"):
        auxiliary_loss_of("smurf")


def test_weights_count_from_the_first_epoch_that_trains_with_all_of_lambda() -> None:
    plain, grown = MODEL_KINDS["smurf"], MODEL_KINDS["smurf_normalised"]
    assert [plain.first_counted_epoch(n) for n in (1, 400)] == [1, 1]
    assert [grown.first_counted_epoch(n) for n in (1, 20, 400)] == [1, 20, 50]
    assert grown.share_of_weight(grown.first_counted_epoch(400)) == 1


def test_no_code_compares_a_model_with_the_name_of_a_kind() -> None:
    """What differs between kinds is in the table, so that a new kind is one row."""
    kinds = set(get_args(ModelKind))
    wrong = []
    for folder in ("smurf_core", "app", "pages"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Compare):
                    constants = {
                        n.value for n in ast.walk(node) if isinstance(n, ast.Constant)
                    } & kinds
                    if constants:
                        wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} {constants}")
    assert not wrong


def test_the_table_and_a_configuration_are_read_without_torch() -> None:
    code = (
        "import sys; from smurf_core.configuration import RunConfig; "
        "print(RunConfig().kind.title, 'torch' in sys.modules)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert found.stdout.split() == ["SMURF", "False"]


def test_a_run_on_the_users_features_is_solved_without_torch() -> None:
    code = (
        "import sys; from smurf_core.configuration import RunConfig, preset_grid; "
        "from smurf_core.data.generated.simulated import simulated_affect; "
        "from smurf_core.training.run import train_run; "
        "data = simulated_affect(samples=80, persons=10); "
        "config = RunConfig('exclusive', grid=preset_grid('quick', 'exclusive')); "
        "result = train_run(data, config, jobs=2); "
        "print(result.device, result.versions['torch'], 'torch' in sys.modules)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert found.stdout.split() == ["cpu", version("torch"), "False"]
