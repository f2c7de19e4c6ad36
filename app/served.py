"""The app as `smurf studio` serves it: `main.py` with safe headers and metrics."""

import re
import sys
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # `streamlit run` puts app/ on the path, not its parent folder.
    sys.path.insert(0, str(ROOT))

import streamlit  # noqa: E402
from starlette.concurrency import run_in_threadpool  # noqa: E402
from starlette.middleware import Middleware  # noqa: E402
from starlette.requests import Request  # noqa: E402
from starlette.responses import Response  # noqa: E402
from starlette.routing import Route  # noqa: E402
from streamlit.starlette import App  # noqa: E402

from smurf_core.runs.workspace import Workspace  # noqa: E402
from smurf_core.serving import metrics  # noqa: E402
from smurf_core.serving.headers import SAFE_HEADERS, SafeHeaders  # noqa: E402

COUNTS = metrics.Counts()


def policy() -> str:
    """What a page of the app may load and do."""
    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    own = re.findall(r"<script(?:\s[^>]*)?>([^<].*?)</script>", page, re.DOTALL)
    sums = [f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in own]
    return "; ".join(
        (
            "default-src 'none'",
            # Streamlit loads components of its own as blobs, and styles elements in place.
            " ".join(("script-src 'self' blob:", *sums)),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "media-src 'self' blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


async def _metrics(request: Request) -> Response:
    return await run_in_threadpool(metrics.answer, request, Workspace.default(), COUNTS)


def _count(error: Exception) -> None:
    COUNTS.errors += 1


app = App(
    ROOT / "app" / "main.py",
    routes=[Route("/metrics", _metrics)],
    middleware=[
        Middleware(SafeHeaders, {**SAFE_HEADERS, "Content-Security-Policy": policy()}),
        Middleware(metrics.Counting, COUNTS),
    ],
    on_script_error=_count,
)
