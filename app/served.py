"""The app as `smurf studio` serves it: `main.py` with safe headers and metrics."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # `streamlit run` puts app/ on the path, not its parent folder.
    sys.path.insert(0, str(ROOT))

from starlette.concurrency import run_in_threadpool  # noqa: E402
from starlette.middleware import Middleware  # noqa: E402
from starlette.requests import Request  # noqa: E402
from starlette.responses import Response  # noqa: E402
from starlette.routing import Route  # noqa: E402
from streamlit.starlette import App  # noqa: E402

from app.ahead import load_ahead  # noqa: E402
from app.collecting import collect_from_time_to_time, share_free_memory  # noqa: E402
from app.content_policy import content_policy  # noqa: E402
from app.unforeseen import replace_streamlits_entry, show_unforeseen  # noqa: E402
from smurf_core.runs.workspace import Workspace  # noqa: E402
from smurf_core.serving import metrics  # noqa: E402
from smurf_core.serving.headers import SAFE_HEADERS, SafeHeaders  # noqa: E402

COUNTS = metrics.Counts()


async def _metrics(request: Request) -> Response:
    return await run_in_threadpool(metrics.answer, request, Workspace.default(), COUNTS)


def _unforeseen(error: Exception) -> bool:
    COUNTS.errors += 1
    return show_unforeseen(error)


replace_streamlits_entry()
share_free_memory()
collect_from_time_to_time()
load_ahead()

app = App(
    ROOT / "app" / "main.py",
    routes=[Route("/metrics", _metrics)],
    middleware=[
        Middleware(SafeHeaders, {**SAFE_HEADERS, "Content-Security-Policy": content_policy()}),
        Middleware(metrics.Counting, COUNTS),
    ],
    on_script_error=_unforeseen,
)
