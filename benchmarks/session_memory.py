"""Does each visit leave memory behind? `python -m benchmarks.session_memory [SESSIONS]`.

Sessions open one page after another over the app's websocket, without a browser, and leave. Every
five sessions, the server's private memory, open files and threads are printed. Simulated data.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.latency import prepare, server
from benchmarks.machine import machine

PAGES = ("", "data", "train", "overview", "redundancy", "samples", "missing", "findings")
_EVERY = 5
_KEPT = "2"  # seconds for which Streamlit keeps a session that has left; usually 120


async def visit(url: str) -> None:
    """One session: each page, run to its end; `RuntimeError` if one shows an exception."""
    address = f"ws://{urlsplit(url).netloc}/_stcore/stream"
    async with websockets.connect(
        address, subprotocols=["streamlit"], max_size=None, origin=url
    ) as connection:
        for page in PAGES:
            request = BackMsg()
            request.rerun_script.page_name = page
            await connection.send(request.SerializeToString())
            while True:
                answer = ForwardMsg.FromString(await connection.recv())
                if answer.delta.new_element.HasField("exception"):
                    raise RuntimeError(f"/{page} shows {answer.delta.new_element.exception.type}.")
                if answer.WhichOneof("type") == "script_finished" and (
                    answer.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN
                ):
                    break


def main(sessions: int = 60) -> None:
    """Print a table."""
    os.environ["STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL"] = _KEPT
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        prepare(home, 600)
        with server(home) as (url, process):
            print(
                f"{machine()}\n\n| sessions | MiB | open files | threads |\n|---:|---:|---:|---:|"
            )
            for number in range(1, sessions + 1):
                asyncio.run(visit(url))
                if number % _EVERY == 0:
                    time.sleep(5)
                    held = process.memory_full_info().uss / 2**20
                    row = (number, f"{held:.0f}", process.num_fds(), process.num_threads())
                    print("|", " | ".join(map(str, row)), "|", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
