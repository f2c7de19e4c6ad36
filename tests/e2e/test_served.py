"""What the app's server sends beside its pages: headers, and metrics for who has the token.

All tests in this folder visit pages under these headers; those that look at the console fail if
the browser refuses something.
"""

import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import Server
from tests.smurf_core.serving.test_metrics import numbers

pytestmark = pytest.mark.e2e


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
        assert "unsafe" not in rules["script-src"]
    for token in ("", "wrong"):
        with pytest.raises(urllib.error.HTTPError, match="404") as refused:
            get(f"{metered.url}/metrics", token)
        assert refused.value.headers["X-Content-Type-Options"] == "nosniff"
    with get(f"{metered.url}/metrics", "a long secret") as answer:
        found = numbers(answer.read().decode())
    assert found['smurf_requests_total{status="4xx"}'] == 2
    assert found["smurf_errors_total"] == 0
