"""`smurf studio`: where the app lies, and the command that serves it."""

import json
import sys
from pathlib import Path

import pytest
import streamlit.config
from streamlit.web.cli import main_run

from smurf_core.errors import InputError
from smurf_core.processes.studio import StudioOptions, studio_command, studio_folder

ROOT = Path(__file__).resolve().parents[3]


def settings(command: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for option in command[5:]:
        name, _, value = option.removeprefix("--").partition("=")
        found.setdefault(name, []).append(value)
    return found


def test_a_checkout_serves_its_own_app():
    command = studio_command(StudioOptions(), environment={})
    assert command[:4] == [sys.executable, "-m", "streamlit", "run"]
    assert Path(command[4]) == ROOT / "app" / "served.py"


def test_every_setting_of_the_configuration_file_is_passed():
    given = settings(studio_command(StudioOptions(), environment={}))
    assert given["server.address"] == ["127.0.0.1"]
    assert given["browser.gatherUsageStats"] == ["false"]
    assert given["theme.chartCategoricalColors"][0].startswith('["#3f90da", ')
    assert given["theme.dark.primaryColor"] == ["#5aa7ea"]


def test_streamlit_knows_every_option_that_is_passed():
    command = studio_command(
        StudioOptions(port=8600, headless=True, allowed_hosts=("lab.example",)), environment={}
    )
    context = main_run.make_context("run", command[4:])
    assert context.params["server_port"] == 8600
    assert context.params["server_allowedHosts"] == ("localhost", "127.0.0.1", "lab.example")
    # Streamlit ignores a palette that is not ten colours, and reads one from an option as JSON.
    assert len(json.loads(context.params["theme_chartCategoricalColors"])) == 10


def test_a_variable_of_the_environment_is_stronger_than_the_file():
    variables = {"STREAMLIT_SERVER_MAX_UPLOAD_SIZE": "10", "STREAMLIT_SERVER_ADDRESS": "::"}
    given = settings(studio_command(StudioOptions(), environment=variables))
    assert not {"server.maxUploadSize", "server.address"} & set(given)


def test_the_variables_names_are_streamlit_s():
    names = settings(studio_command(StudioOptions(), environment={}))
    variables = {streamlit.config.get_config_options()[name].env_var for name in names}
    given = settings(studio_command(StudioOptions(), environment=dict.fromkeys(variables, "")))
    assert not given


def test_an_option_is_stronger_than_a_variable():
    variables = {"STREAMLIT_SERVER_PORT": "1", "STREAMLIT_SERVER_ADDRESS": "127.0.0.1"}
    options = StudioOptions(port=8600, address="192.0.2.1")
    given = settings(studio_command(options, environment=variables))
    assert given["server.port"] == ["8600"]
    assert given["server.address"] == ["192.0.2.1"]
    assert given["server.allowedHosts"] == ["localhost", "127.0.0.1", "192.0.2.1"]


def test_listening_on_all_interfaces_allows_no_further_host_name():
    given = settings(studio_command(StudioOptions(address="0.0.0.0"), environment={}))
    assert given["server.allowedHosts"] == ["localhost", "127.0.0.1"]


def test_an_impossible_port_is_an_error():
    with pytest.raises(InputError, match="between 1 and 65535, got 70000"):
        StudioOptions(port=70_000)


def test_the_copy_inside_the_package_is_preferred(tmp_path):
    inside, beside = tmp_path / "package" / "_studio", tmp_path
    for folder in (inside, beside):
        (folder / "app").mkdir(parents=True)
        (folder / "app" / "main.py").touch()
        (folder / "pages").mkdir()
    assert studio_folder((inside, beside)) == inside


def test_an_installation_without_the_app_says_what_to_install(tmp_path):
    with pytest.raises(InputError, match="Install the wheel of smurf-studio"):
        studio_folder((tmp_path / "a", tmp_path / "b"))
