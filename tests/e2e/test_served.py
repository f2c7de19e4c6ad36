"""What the app's server sends beside its pages: headers, and metrics for requests with a token.

All tests in this folder visit pages under these headers; those that look at the console fail if
the browser refuses something.
"""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Server
from tests.smurf_core.serving.test_metrics import numbers

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).resolve().parents[2]
CONTAINERFILE = (ROOT / "docs" / "deploy" / "Containerfile").read_text()


@pytest.fixture
def metered(tmp_path) -> Iterator[Server]:
    server = Server(tmp_path / "home", environment={"SMURF_METRICS_TOKEN": "a long secret"})
    server.start()
    yield server
    server.stop()


def get(url: str, token: str = "") -> urllib.request.addinfourl:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    return urllib.request.urlopen(request, timeout=30)


def test_pages_and_files_have_safe_headers_and_metrics_need_the_token(metered):
    for path in ("/", "/samples", "/_stcore/health", "/favicon.png"):
        with get(metered.url + path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["X-Frame-Options"] == "DENY"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
        rules = dict(rule.strip().partition(" ")[::2] for rule in policy.split(";"))
        assert rules["default-src"] == rules["frame-ancestors"] == rules["base-uri"] == "'none'"
        assert rules["connect-src"] == "'self'"
        own = [source for source in rules["script-src"].split() if "sha256-" not in source]
        assert own == ["'self'", "blob:", "'unsafe-eval'"]
    for token in ("", "wrong"):
        with pytest.raises(urllib.error.HTTPError, match="404") as refused:
            get(f"{metered.url}/metrics", token)
        assert refused.value.headers["X-Content-Type-Options"] == "nosniff"
        refused.value.close()
    with get(f"{metered.url}/metrics", "a long secret") as answer:
        found = numbers(answer.read().decode())
    assert found['smurf_requests_total{status="4xx"}'] == 2
    assert found["smurf_errors_total"] == 0


def health_check(port: int, base: str) -> subprocess.CompletedProcess[str]:
    """What the container's health check runs, for a server on another port."""
    (line,) = [
        line for line in CONTAINERFILE.replace("\\\n", "").splitlines()
        if line.startswith("HEALTHCHECK")
    ]  # fmt: skip
    _, option, code = json.loads(line.partition("CMD ")[2])
    assert "127.0.0.1:8501" in code
    return subprocess.run(
        [sys.executable, option, code.replace("8501", str(port))], capture_output=True, text=True,
        env={**os.environ, "STREAMLIT_SERVER_BASE_URL_PATH": base}, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("base", ["", "smurf"])
def test_the_containers_health_check_knows_a_server_from_none(tmp_path, base):
    server = Server(
        tmp_path / "home", environment={"STREAMLIT_SERVER_BASE_URL_PATH": base} if base else {}
    )
    assert health_check(server.port, base).returncode == 1
    server.start()
    try:
        found = health_check(server.port, base)
        assert found.returncode == 0, found.stderr
    finally:
        server.stop()


def test_the_container_is_made_of_what_is_there_and_of_nothing_secret():
    copied = [
        name
        for line in CONTAINERFILE.splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for name in line.split()[1:-1]
    ]
    assert {"smurf_core", "app", "pages", ".streamlit/config.toml"} <= set(copied)
    assert "." not in copied
    for name in copied:
        assert (ROOT / name).exists(), name
    assert "USER 10001" in CONTAINERFILE
