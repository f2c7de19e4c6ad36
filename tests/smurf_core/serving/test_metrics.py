"""Metrics: right numbers, no name and no id, and no such address without the token."""

import re

import pytest
import requests

from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.processes import rater_server
from smurf_core.runs import store
from smurf_core.runs.leases import lease
from smurf_core.runs.studies import add_study
from smurf_core.runs.workspace import Workspace
from smurf_core.serving.metrics import TOKEN_VARIABLE, Counts, metrics
from tests.studio import FAST

LINE = re.compile(r'(smurf_[a-z_]+(?:\{(?:state|status)="[0-9a-z]+"\})?) (\d+)')


def numbers(text: str) -> dict[str, int]:
    """Every sample of the text; whatever is neither a sample nor a comment fails."""
    found = {}
    for line in text.splitlines():
        if not line.startswith(("# HELP smurf_", "# TYPE smurf_")):
            name, value = LINE.fullmatch(line).groups()
            found[name] = int(value)
    return found


@pytest.fixture
def home(tmp_path) -> Workspace:
    return Workspace(tmp_path / "home")


def test_runs_are_counted_by_state_and_nothing_is_named(home):
    study = add_study(home, synthetic_additive(samples=60))
    runs = [store.create_run(home, study, FAST, name=f"hush {k}") for k in range(5)]
    with home.transaction() as connection:
        for run, status in zip(runs, ("running", "running", "failed", "queued"), strict=False):
            connection.execute("UPDATE run SET status = ? WHERE id = ?", (status, run))
        mine = lease("me")
        connection.execute(
            f"UPDATE run SET {', '.join(f'{name} = ?' for name in mine)} WHERE id = ?",  # noqa: S608
            (*mine.values(), runs[0]),
        )
    store.delete_run(home, runs[4])
    counts = Counts(errors=3)
    counts.requests.update({"2xx": 7, "4xx": 2})
    text = metrics(home, counts)
    found = numbers(text)
    states = {state: found[f'smurf_runs{{state="{state}"}}'] for state in
              ("queued", "running", "failed", "finished", "cancelled", "crashed")}  # fmt: skip
    assert states == {
        "queued": 1, "running": 2, "failed": 1, "finished": 0, "cancelled": 0, "crashed": 0,
    }  # fmt: skip
    assert found["smurf_workers_alive"] == 1  # the other one's process is not there
    assert found['smurf_requests_total{status="2xx"}'] == 7
    assert found["smurf_errors_total"] == 3
    assert found["smurf_store_readable"] == 1
    assert found["smurf_disk_free_bytes"] > 0
    for secret in (study, *runs, "hush", str(home.root)):
        assert secret not in text


def test_a_store_that_cannot_be_read_is_said(home):
    home.root.mkdir(parents=True)
    home.database.write_bytes(b"no database" * 1_000)
    found = numbers(metrics(home, Counts()))
    assert found["smurf_store_readable"] == 0
    assert 'smurf_runs{state="queued"}' not in found


def test_only_the_token_opens_the_address(home, monkeypatch):
    add_study(home, synthetic_additive(samples=60))
    monkeypatch.setenv(TOKEN_VARIABLE, "a long secret")
    server = rater_server.start(home, port=0)
    try:
        url = f"{server.url}/metrics"
        unknown = requests.get(f"{server.url}/none", timeout=60)
        for header in ("", "Bearer", "Bearer wrong", "a long secret"):
            found = requests.get(url, headers={"Authorization": header}, timeout=60)
            assert (found.status_code, found.text) == (404, unknown.text), header
        found = requests.get(url, headers={"Authorization": "Bearer a long secret"}, timeout=60)
        assert found.status_code == 200
        assert numbers(found.text)['smurf_requests_total{status="4xx"}'] == 5
    finally:
        rater_server.stop(home)


def test_without_a_token_there_is_no_such_address(home, monkeypatch):
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    home.root.mkdir(parents=True)
    server = rater_server.start(home, port=0)
    try:
        for header in ("", "Bearer", "Bearer "):
            found = requests.get(
                f"{server.url}/metrics", headers={"Authorization": header.strip()}, timeout=60
            )
            assert found.status_code == 404, header
    finally:
        rater_server.stop(home)
