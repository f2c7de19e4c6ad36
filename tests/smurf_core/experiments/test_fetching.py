"""Caches fetched from a real server on this machine; nothing unchecked is kept."""

import hashlib
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest

from smurf_core.errors import InputError
from smurf_core.experiments.fetching import fetch_cache
from smurf_core.experiments.reproduce import differs_from

CONTENT = b"not a cache, but bytes all the same" * 1_000
CHECKSUM = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server(tmp_path):
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "features.pickle").write_bytes(CONTENT)
    asked = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            asked.append(self.path)

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder)) as running:
        thread = Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", asked
        running.shutdown()
        thread.join()


def test_a_cache_is_fetched_once_and_found_again(server, tmp_path):
    address, asked = server
    text = f"mosi={address}/features.pickle#sha256={CHECKSUM}"
    for _ in range(2):
        path = fetch_cache(text, tmp_path / "caches")
        assert (path.name, path.read_bytes()) == ("mosi.pickle", CONTENT)
    assert asked == ["/features.pickle"]


def test_a_file_with_another_checksum_is_refused_and_not_kept(server, tmp_path):
    address, _ = server
    for text in (
        f"mosi={address}/features.pickle#sha256={'0' * 64}",
        f"vreed={address}/features.pickle",  # Its checksum is known, and is another.
    ):
        with pytest.raises(InputError, match=r"not the file .* Nothing was kept"):
            fetch_cache(text, tmp_path / "caches")
    assert list((tmp_path / "caches").glob("*")) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mosi={address}/features.pickle", "SHA-256 is not known; add #sha256"),
        ("../mosi={address}/features.pickle", "write NAME=URL#sha256=CHECKSUM"),
        ("mosi=file:///etc/passwd#sha256=" + "0" * 64, "write NAME=URL#sha256=CHECKSUM"),
        ("mosi={address}/nothing.pickle#sha256=" + "0" * 64, r"cannot be fetched \(File not found"),
        ("mosi=http://127.0.0.1:9/a#sha256=" + "0" * 64, r"cannot be fetched \(ConnectionError"),
    ],
)
def test_what_cannot_be_fetched_is_reported_in_a_sentence(server, tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        fetch_cache(text.replace("{address}", server[0]), tmp_path / "caches")


@pytest.mark.parametrize(
    ("paper", "sd", "expected"),
    [
        (0.70, 0.0, ""), (0.75, 0.0, "below"), (0.75, 0.1, ""), (0.60, 0.0, "above"),
        (0.7204, 0.0, ""), (float("nan"), 0.0, ""), (0.75, float("nan"), "below"),
    ],
)  # fmt: skip
def test_the_papers_figure_differs_outside_of_both_our_spreads(paper, sd, expected):
    assert differs_from(paper, np.array([0.68, 0.70, 0.72]), sd) == expected
