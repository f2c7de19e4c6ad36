"""The server of the rater's page: a web application of its own, apart from the studio.

A rater's link is `/r/TOKEN`. Below it are the list's items, their media, and the addresses to
which answers, consent and withdrawal are posted. Whatever else is requested, also with a token
that is not valid any more, gets one and the same page. Nothing of the studio is served here.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from html import escape
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from smurf_core.data.dataset import MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.ratings.catalogue import collection_of
from smurf_core.ratings.interface import PAGE, interface_texts, languages, page_file
from smurf_core.ratings.rater_items import clip_mark, opening, shown_item, where
from smurf_core.ratings.stimuli import STIMULUS_TYPES, Stimuli
from smurf_core.ratings.store import Collection, ItemView
from smurf_core.ratings.traces.chunks import MOST_SAMPLES, Chunk
from smurf_core.ratings.traces.collected import save_chunk
from smurf_core.runs.studies import load_study
from smurf_core.runs.workspace import Workspace
from smurf_core.serving.headers import SAFE_HEADERS, SafeHeaders
from smurf_core.serving.metrics import Counting, Counts, answer

_Save = Callable[[Collection, str, ItemView, dict[str, Any]], Response]
_ASSETS = dict.fromkeys(("fields.js", "trace.js", "rater.js"), "text/javascript")
_ASSETS["rater.css"] = "text/css"
_LARGEST_BODY = 64 * 1024
_MOST_STUDIES = 4  # whose data sets are kept in memory
_HEADERS = {
    **SAFE_HEADERS,
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
}


def rater_app(workspace: Workspace) -> Starlette:
    """The application that serves the rater's page of all collections in a workspace."""
    door = _Door(workspace)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        door.close()

    own = "/r/{token}"
    item = own + "/items/{position:int}"
    app = Starlette(
        routes=[
            Route("/health", _health),
            Route("/metrics", door.metrics),
            Route("/static/{name}", _asset),
            Route(own, door.page),
            Route(own + "/start", door.start),
            Route(own + "/consent", door.consent, methods=["POST"]),
            Route(own + "/withdraw", door.withdraw, methods=["POST"]),
            Route(item, door.item),
            Route(item + "/media", door.media),
            Route(item + "/answer", door.answer, methods=["POST"]),
            Route(item + "/trace", door.trace, methods=["POST"]),
        ],
        middleware=[Middleware(SafeHeaders, _HEADERS), Middleware(Counting, door.counts)],
        exception_handlers={404: _unknown, 405: _unknown},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # Only pages that exist would be redirected to.
    return app


class _Door:
    """What the addresses do."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.counts = Counts()
        self._datasets: dict[str, MultimodalDataset] = {}
        self._lock = threading.Lock()
        # SQLite wants a file to be closed by the thread that opened it.
        self._holder = ThreadPoolExecutor(1)
        self._held: dict[Path, None] = {}
        self._stack = ExitStack()

    def close(self) -> None:
        """Close the collections' files."""
        self._holder.submit(self._stack.close).result()
        self._holder.shutdown()

    def metrics(self, request: Request) -> Response:
        return answer(request, self._workspace, self.counts)

    def page(self, request: Request) -> Response:
        collection, token = self._found(request)
        design = collection.design_version(collection.state(token).version).design
        return HTMLResponse(_html(design.language, design.title))

    def start(self, request: Request) -> Response:
        collection, token = self._found(request)
        is_simulated = self._dataset(collection.fact("study")).origin == "simulated"
        state = collection.state(token)
        return JSONResponse(opening(collection, state, is_simulated=is_simulated))

    def item(self, request: Request) -> Response:
        collection, token = self._found(request)
        item = _assigned(request, collection, token)
        design = collection.design_version(item.version).design
        stimuli = self._stimuli(collection)
        return _refusable(lambda: JSONResponse(shown_item(token, item, design, stimuli)))

    def media(self, request: Request) -> Response:
        collection, token = self._found(request)
        item = _assigned(request, collection, token)
        design = collection.design_version(item.version).design
        condition = design.condition(item.condition)
        stimuli = self._stimuli(collection)

        def served() -> Response:
            path = stimuli.file(item.clip, condition, design.filter_hz)
            if path is None:
                raise HTTPException(404)
            return FileResponse(path, media_type=STIMULUS_TYPES[path.suffix])

        return _refusable(served)

    async def answer(self, request: Request) -> Response:
        return await self._posted(request, _saved)

    async def trace(self, request: Request) -> Response:
        return await self._posted(request, _traced)

    async def _posted(self, request: Request, save: _Save) -> Response:
        body = await _body(request)

        def saved() -> Response:
            collection, token = self._found(request)
            item = _assigned(request, collection, token)
            return _refusable(lambda: save(collection, token, item, body))

        return await run_in_threadpool(saved)

    def consent(self, request: Request) -> Response:
        collection, token = self._found(request)
        return _refusable(lambda: JSONResponse(where(collection.consent(token))))

    def withdraw(self, request: Request) -> Response:
        collection, token = self._found(request)

        def withdrawn() -> Response:
            collection.withdraw(token)
            return JSONResponse({"withdrawn": True})

        return _refusable(withdrawn)

    def _found(self, request: Request) -> tuple[Collection, str]:
        token = request.path_params["token"]
        try:
            collection = collection_of(self._workspace, token)
        except InputError as error:
            raise HTTPException(404) from error
        with self._lock:
            if collection.path not in self._held:
                self._held[collection.path] = None
                self._holder.submit(self._stack.enter_context, collection.held()).result()
        return collection, token

    def _stimuli(self, collection: Collection) -> Stimuli:
        study = collection.fact("study")
        return Stimuli.of(self._workspace, study, self._dataset(study))

    def _dataset(self, study: str) -> MultimodalDataset:
        with self._lock:
            if study not in self._datasets:
                while len(self._datasets) >= _MOST_STUDIES:
                    del self._datasets[next(iter(self._datasets))]
                self._datasets[study] = load_study(self._workspace, study)
            return self._datasets[study]


def _assigned(request: Request, collection: Collection, token: str) -> ItemView:
    """The item of the rater's own list that was requested."""
    try:
        return collection.item(token, request.path_params["position"])
    except (InputError, OverflowError) as error:
        raise HTTPException(404) from error


def _saved(collection: Collection, token: str, item: ItemView, body: dict[str, Any]) -> Response:
    """Store an answer; it is on the disk when the response is sent."""
    _check_clip(token, item, body)
    values = body.get("values")
    if not isinstance(values, dict):
        raise InputError("The answer has no values: load the page again.")
    saved = collection.save(
        token, item.position, item.clip, values,
        revision=int(_number(body.get("revision"), 2**53) or 0),
        seconds=_number(body.get("seconds"), 1e6),
        plays=None if (plays := _number(body.get("plays"), 1e6)) is None else int(plays),
    )  # fmt: skip
    return JSONResponse(
        {
            "position": saved.position, "answer": dict(saved.answer), "revision": saved.revision,
            "next": saved.next,
        }
    )  # fmt: skip


def _traced(collection: Collection, token: str, item: ItemView, body: dict[str, Any]) -> Response:
    """Store a part of a trace; it is on the disk when the response is sent."""
    _check_clip(token, item, body)
    sequence, length = (_number(body.get(name), 2**53) for name in ("sequence", "length"))
    chunk = Chunk(
        str(body.get("take")), -1 if sequence is None else int(sequence), length or 0.0,
        _numbers(body.get("times")), _numbers(body.get("values")),
    )  # fmt: skip
    play = save_chunk(collection, token, item.position, item.clip, chunk)
    return JSONResponse(
        {"sequence": chunk.sequence, "samples": len(play.times), "is_complete": play.is_complete}
    )


def _check_clip(token: str, item: ItemView, body: dict[str, Any]) -> None:
    if body.get("clip") != clip_mark(token, item.clip):
        raise InputError("This answer is of another clip: load the page again.")


def _numbers(values: object) -> list[float]:
    """A list of finite numbers; empty for anything else."""
    if not isinstance(values, list) or len(values) > MOST_SAMPLES:
        return []
    is_number = (isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    return [float(v) for v in values] if all(is_number) and all(map(math.isfinite, values)) else []


def _number(value: object, most: float) -> float | None:
    """A number from 0 to `most`; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value if 0 <= value <= most else None


def _refusable(respond: Callable[[], Response]) -> Response:
    """A response, or the sentence of what cannot be done."""
    try:
        return respond()
    except InputError as error:
        return JSONResponse({"error": str(error)}, status_code=422)


async def _body(request: Request) -> dict[str, Any]:
    """The posted JSON object; empty if it is none, or too large."""
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > _LARGEST_BODY:
            return {}
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _health(_: Request) -> Response:
    """That the server answers, and nothing else."""
    return Response("ok", media_type="text/plain")


def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _ASSETS:
        raise HTTPException(404)
    return FileResponse(PAGE / name, media_type=_ASSETS[name])


def _html(language: str, title: str) -> str:
    text = page_file("rater.html")
    return text.replace("{language}", escape(language)).replace("{title}", escape(title))


def _unknown(request: Request, error: Exception) -> Response:
    """The page for everything that does not exist, in all languages, the same for all."""
    lines = "".join(
        f'<p lang="{language}">{escape(interface_texts(language)["unknown_link"])}</p>'
        for language in languages()
    )
    return HTMLResponse(f"<!doctype html><meta charset=utf-8><title>404</title>{lines}", 404)
