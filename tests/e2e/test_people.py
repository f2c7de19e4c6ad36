"""Persons who sign in at a real OpenID provider on this machine, and the key of a start."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.people.members import members_of
from smurf_core.people.person import Person
from smurf_core.runs.studies import add_study, delete_study, get_study
from smurf_core.runs.workspace import Workspace
from tests.e2e.conftest import Server

pytestmark = pytest.mark.e2e
ANNA, BERT, CARLA = (f"{name}@example.org" for name in ("anna", "bert", "carla"))
STUDY = "The study of Anna"
SECRETS = """[auth]
redirect_uri = "{app}/oauth2callback"
cookie_secret = "of this test, and longer than 32 letters"
client_id = "studio"
client_secret = "of this test"
server_metadata_url = "{provider}/.well-known/openid-configuration"
"""


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    if None in (find_spec("oidc_provider_mock"), find_spec("authlib")):
        pytest.skip("No OpenID provider here: pip install -e '.[dev]' brings one.")
    port = free_port()
    claims = [
        part
        for name in (ANNA, BERT, CARLA)
        for part in (
            "--user-claims",
            json.dumps({"sub": name, "email": name, "email_verified": name != CARLA}),
        )
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "oidc_provider_mock", "-p", str(port), *claims],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            urllib.request.urlopen(f"{url}/.well-known/openid-configuration", timeout=1).close()
            break
        except OSError:
            time.sleep(0.1)
    yield url
    process.terminate()
    process.wait(30)


@pytest.fixture
def shared(tmp_path: Path, provider: str) -> Iterator[tuple[Server, str]]:
    """A server on which persons sign in, and a study of Anna's."""
    secrets = tmp_path / "secrets.toml"
    server = Server(tmp_path / "home", f"--secrets.files={secrets}")
    secrets.write_text(SECRETS.format(app=server.url, provider=provider), encoding="utf-8")
    study = synthetic_additive(samples=60)
    object.__setattr__(study, "name", STUDY)
    mine = add_study(Workspace(server.home).acting_as(Person(ANNA)), study)
    server.start()
    yield server, mine
    server.stop()


def signed_in(browser: Browser, server: Server, name: str, address: str = "/") -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 1000}).new_page()
    page.set_default_timeout(30_000)
    page.goto(server.url + address)
    expect(page.get_by_text("Sign in to see your studies.")).to_be_visible()
    assert STUDY not in page.content()
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name=name).click()
    return page


def test_two_persons_sign_in_and_a_viewer_cannot_delete_a_shared_study(shared, browser):
    server, study = shared
    space = Workspace(server.home)
    anna = signed_in(browser, server, ANNA)
    expect(anna.get_by_test_id("stMain").get_by_text(STUDY)).to_be_visible()
    expect(anna.get_by_test_id("stSidebar").get_by_text(ANNA)).to_be_visible()

    bert = signed_in(browser, server, BERT)
    expect(bert.get_by_role("button", name="Explore the demo")).to_be_visible(timeout=120_000)
    bert.goto(f"{server.url}/?study={study}")  # An id that Bert should not know.
    expect(bert.get_by_text(f"There is no study '{study}'").first).to_be_visible()
    assert STUDY not in bert.content()
    expect(bert.get_by_role("button", name="Sign out")).to_be_visible()

    anna.locator(f".st-key-people_{study}").get_by_role("button").first.click()
    address = anna.get_by_role("textbox", name="E-mail address")
    address.fill(BERT)
    address.press("Enter")
    anna.locator(f".st-key-share_{study}").get_by_role("button").click()
    expect(anna.get_by_text(BERT)).to_be_visible()
    assert [member.role for member in members_of(space, study)] == ["owner", "viewer"]

    bert.goto(f"{server.url}/?study={study}")
    expect(bert.get_by_test_id("stMain").get_by_text(STUDY)).to_be_visible()
    bert.get_by_role("button", name="Change").click()
    expect(bert.locator(f".st-key-delete_{study} button").first).to_be_disabled()
    expect(bert.locator(f".st-key-rename_now_{study} button").first).to_be_disabled()
    with pytest.raises(Exception, match="This needs the role owner, and yours in this study"):
        delete_study(space.acting_as(Person(BERT)), study)
    assert get_study(space, study).name == STUDY

    anna.get_by_role("button", name="Remove").last.click()
    expect(anna.get_by_text(BERT)).to_have_count(0)
    bert.reload()  # What was in memory does not outlive the role.
    expect(bert.get_by_text(f"There is no study '{study}'").first).to_be_visible()
    assert STUDY not in bert.content()
    for route in ("/_stcore/health", "/_stcore/metrics"):
        with urllib.request.urlopen(server.url + route, timeout=10) as answer:
            said = answer.read().decode()
        assert not [word for word in (STUDY, study, ANNA, BERT, server.home) if str(word) in said]
    for page in (anna, bert):
        page.context.close()


def test_an_address_that_the_provider_has_not_confirmed_is_nobody(shared, browser):
    server, study = shared
    carla = signed_in(browser, server, CARLA, f"/?study={study}")
    expect(carla.get_by_text("Your sign-in gave no confirmed e-mail address")).to_be_visible()
    assert STUDY not in carla.content()
    carla.context.close()


def test_a_proxy_names_persons_in_a_header_and_without_it_nothing_is_shown(tmp_path, browser):
    server = Server(tmp_path / "home", environment={"SMURF_TRUSTED_HEADER": "X-Forwarded-User"})
    space = Workspace(server.home)
    study = synthetic_additive(samples=60)
    object.__setattr__(study, "name", STUDY)
    add_study(space.acting_as(Person(ANNA)), study)
    server.start()
    try:
        for headers, sentence in (
            ({}, "has not said who you are"),
            ({"X-Forwarded-User": ANNA}, STUDY),
        ):
            context = browser.new_context(extra_http_headers=headers)
            page = context.new_page()
            page.goto(server.url)
            expect(page.get_by_test_id("stMain").get_by_text(sentence)).to_be_visible()
            assert (STUDY in page.content()) == bool(headers)
            context.close()
    finally:
        server.stop()


def test_a_server_that_other_machines_reach_asks_for_the_key_of_its_start(tmp_path, page):
    server = Server(
        tmp_path / "home", "--server.address=0.0.0.0", environment={"SMURF_KEY": "of-this-test"}
    )
    server.start()
    try:
        for wrong in ("", "?key=", "?key=of-this-tes"):
            page.goto(server.url + wrong)
            expect(page.get_by_text("Open the address with the key")).to_be_visible()
            expect(page.get_by_role("button", name="Explore the demo")).to_have_count(0)
        page.goto(f"{server.url}/?key=of-this-test")
        expect(page.get_by_role("button", name="Explore the demo")).to_be_visible(timeout=120_000)
        page.get_by_role("link", name="Verify").click()
        expect(page.get_by_role("heading", name="Are known contributions found?")).to_be_visible()
        page.reload()
        expect(page.get_by_role("heading", name="Are known contributions found?")).to_be_visible()
    finally:
        server.stop()


def test_the_key_is_printed_in_the_terminal(tmp_path):
    server = Server(tmp_path / "home")
    code = "from app.state.people import start_key; print(len(start_key()))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, "SMURF_KEY": ""}, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert "Its key: ?key=" in done.stdout
    assert int(done.stdout.split()[-1]) == 32
    assert server.process is None
