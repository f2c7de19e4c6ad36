"""What holds for all commands."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from smurf_core import __version__
from smurf_core.cli import app
from smurf_core.cli.application import COMMANDS, GROUPS
from smurf_core.cli.roles import Roles
from smurf_core.configuration import PRESETS
from smurf_core.model_kinds import MODEL_KINDS

COMMAND = typer.main.get_command(app)


def options(command: str) -> set[str]:
    return {name for parameter in COMMAND.commands[command].params for name in parameter.opts}


def test_help_lists_every_command(smurf):
    ended = smurf("--help")
    assert ended.code == 0
    assert set(COMMAND.commands) == {*COMMANDS, *GROUPS}
    assert all(name in ended.out for name in COMMAND.commands)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_and_option_has_a_help_text(command):
    found = COMMAND.commands[command]
    assert found.help
    assert [p.name for p in found.params if not getattr(p, "help", "")] == []


def test_commands_that_read_files_take_the_same_roles():
    fields = Roles.__dataclass_fields__
    roles = {f"--{name}" for name in fields if name != "media"} | {"--media-column"}
    for command in ("check", "import", "train"):
        assert roles <= options(command), command


def test_choices_are_shown_from_the_tables():
    parameters = {p.name: p for p in COMMAND.commands["train"].params}
    for option, names in (("model", MODEL_KINDS), ("preset", PRESETS)):
        shown = f"{parameters[option].metavar} {parameters[option].help}"
        assert [name for name in names if name not in shown] == []


def test_the_module_and_the_script_are_the_command():
    calls = [[sys.executable, "-m", "smurf_core"]]
    script = shutil.which("smurf", path=str(Path(sys.executable).parent))
    calls += [[script]] if script else []
    for call in calls:
        ended = subprocess.run([*call, "version"], capture_output=True, text=True, check=True)
        assert ended.stdout.strip() == __version__
