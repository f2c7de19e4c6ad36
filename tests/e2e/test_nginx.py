"""The configuration in the documentation, with a real nginx: path, headers, password, websocket."""

import base64
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, expect

from app.content_policy import content_policy
from smurf_core.runs.own_studies import ensure_synthetic_study
from smurf_core.runs.workspace import HOME_VARIABLE, Workspace
from tests.e2e.conftest import Server

NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
CONFIGURATION = Path(__file__).resolve().parents[2] / "docs" / "deploy" / "nginx.conf"
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed: apt-get install nginx-light"),
]


@pytest.fixture
def address(tmp_path, monkeypatch) -> Iterator[str]:
    """The app behind nginx."""
    monkeypatch.setenv("STREAMLIT_SERVER_BASE_URL_PATH", "smurf")
    home = Workspace(tmp_path / "home")
    ensure_synthetic_study(home)
    app, front = Server(home.root), Server(home.root)  # The second one is only a free port.
    hashed = subprocess.check_output(["openssl", "passwd", "-apr1", "secret"], text=True).strip()
    (tmp_path / "passwords").write_text(f"anna:{hashed}\n")
    text = CONFIGURATION.read_text()
    for old, new in (
        ("127.0.0.1:8080", f"127.0.0.1:{front.port}"),
        ("127.0.0.1:8501", f"127.0.0.1:{app.port}"),
        ("/etc/nginx/smurf.htpasswd", str(tmp_path / "passwords")),
    ):
        assert old in text
        text = text.replace(old, new)
    whole = (
        f"user root;\ndaemon off;\npid {tmp_path}/pid;\nerror_log {tmp_path}/error.log;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n"
        f"client_body_temp_path {tmp_path}/body;\n{text}\n}}\n"
    )
    (tmp_path / "nginx.conf").write_text(whole)
    process = subprocess.Popen(
        [NGINX, "-c", str(tmp_path / "nginx.conf"), "-e", str(tmp_path / "error.log")]
    )
    app.process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app/served.py", f"--server.port={app.port}",
         "--server.headless=true"],
        cwd=CONFIGURATION.parents[2], env={**os.environ, HOME_VARIABLE: str(home.root)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert process.poll() is None, (tmp_path / "error.log").read_text()
            try:
                urllib.request.urlopen(f"{front.url}/smurf/_stcore/health", timeout=2).close()
                break
            except OSError:
                time.sleep(0.2)
        yield f"{front.url}/smurf/"
    finally:
        process.terminate()
        process.wait(20)
        app.stop()


def asked(address: str, word: str) -> urllib.request.Request:
    token = base64.b64encode(f"anna:{word}".encode()).decode()
    return urllib.request.Request(address, headers={"Authorization": f"Basic {token}"})


def test_the_app_works_behind_nginx(address, browser: Browser):
    for request in (address, asked(address, "wrong")):
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(request, timeout=10)
    with urllib.request.urlopen(asked(address, "secret"), timeout=10) as answer:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers.get_all("Content-Security-Policy") == [content_policy()]
        assert answer.headers["Referrer-Policy"] == "no-referrer"
    # The path of metrics is outside of what nginx passes on.
    request = asked(f"{address.removesuffix('smurf/')}metrics", "secret")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(request, timeout=10)
    with urllib.request.urlopen(asked(f"{address}metrics", "secret"), timeout=10) as answer:
        assert b"smurf_runs" not in answer.read()
    with urllib.request.urlopen(f"{address}_stcore/health", timeout=10) as answer:
        assert answer.read() == b"ok"
    context = browser.new_context(http_credentials={"username": "anna", "password": "secret"})
    page = context.new_page()
    refused: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if "Content Security" in message.text:
            refused.append(message.text)

    page.on("console", listen)
    page.goto(f"{address}data")
    expect(page.get_by_role("heading", name=re.compile("Is this data fit"))).to_be_visible()
    expect(page.locator("canvas").first).to_be_visible()
    assert refused == []
    context.close()
