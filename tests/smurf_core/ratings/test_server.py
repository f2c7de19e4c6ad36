"""The server of the rater's page: what a link reaches, and that nothing else is reached."""

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import requests

from benchmarks.rating_kills import FORMS, campaign, compare
from smurf_core.data.generated.simulated import write_clips
from smurf_core.data.media import MediaSettings
from smurf_core.errors import InputError
from smurf_core.processes import rater_server
from smurf_core.ratings.catalogue import create_collection
from smurf_core.ratings.database import transaction
from smurf_core.ratings.defaults import default_design
from smurf_core.ratings.design import Scale
from smurf_core.ratings.rater_items import previewed
from smurf_core.ratings.store import Collection
from smurf_core.ratings.tables import answer_table
from smurf_core.ratings.traces.collected import trace_table
from smurf_core.runs.studies import add_study, set_media
from smurf_core.runs.workspace import Workspace

ROOT = Path(__file__).resolve().parents[3]
FUZZED = int(os.environ.get("SMURF_RATING_FUZZ", "120"))


class Served:
    """The real server on a workspace."""

    def __init__(self, home: Workspace, study: str) -> None:
        self.home, self.study = home, study
        self.port = 0

    def start(self) -> None:
        self.server = rater_server.start(self.home, port=self.port)
        self.port = int(self.server.url.rpartition(":")[2])

    def url(self, token: str, path: str = "") -> str:
        return self.server.link(token) + path


@pytest.fixture(scope="module")
def served(tmp_path_factory, affect) -> Iterator[Served]:
    """A server on a workspace with the simulated study and its clips."""
    home = Workspace(tmp_path_factory.mktemp("served"))
    study = add_study(home, affect)
    write_clips(affect, home.root / "clips")
    set_media(home, study, MediaSettings(str(home.root / "clips")))
    found = Served(home, study)
    found.start()
    yield found
    rater_server.stop(home)
    assert rater_server.running(home) is None


@pytest.fixture
def home(served) -> Workspace:
    return served.home


@pytest.fixture
def study(served) -> str:
    return served.study


@pytest.fixture
def collection(home, study, affect) -> Collection:
    design = replace(
        default_design(affect, forms=FORMS), clips_per_rater=5, raters_per_cell=1, attention=1,
        repeats=1, practice=("p10_u0060",),
    )  # fmt: skip
    return create_collection(home, study, design, clips=affect.sample_ids[:10].tolist())


def get(url: str, **more) -> requests.Response:
    return requests.get(url, timeout=60, **more)


def post(url: str, **more) -> requests.Response:
    return requests.post(url, timeout=60, **more)


def answer_of(item: dict) -> dict:
    return {field["key"]: field["high"] for field in item["fields"]}


def test_a_rater_goes_from_consent_to_thanks(served, collection, affect):
    token = collection.invite().token
    page = get(served.url(token))
    assert page.status_code == 200
    assert '<html lang="en">' in page.text
    start = get(served.url(token, "/start")).json()
    assert start["state"] == {"has_consented": False, "answered": 0, "total": 0, "next": None}
    assert start["consent"] == collection.design_version().design.consent
    state = post(served.url(token, "/consent"), json={}).json()
    assert state["total"] == 8
    seen = []
    while state["next"] is not None:
        position = state["next"]
        item = get(served.url(token, f"/items/{position}")).json()
        body = {"clip": item["clip"], "values": answer_of(item), "seconds": 1.5, "plays": 2}
        state = post(served.url(token, f"/items/{position}/answer"), json=body).json()
        seen.append(item)
    assert [item["position"] for item in seen] == list(range(8))
    assert [item["is_practice"] for item in seen] == [True] + [False] * 7
    assert [item["request"] is not None for item in seen].count(True) == 1
    text = json.dumps(seen)
    assert not any(sample in text for sample in affect.sample_ids.tolist())
    for item in seen:
        assert (item["words"] is None) or item["media"] is None
    table = answer_table(collection)
    assert set(table["seconds"]) == {1.5}
    assert set(table["plays"]) == {2}
    assert get(served.url(token, "/start")).json()["state"]["answered"] == 8
    assert post(served.url(token, "/withdraw"), json={}).json() == {"withdrawn": True}
    assert answer_table(collection).empty


def test_a_question_is_previewed_as_raters_get_it(served, home, study, affect):
    design = default_design(affect, forms=("voice",))
    scales = (
        Scale("arousal", "sam", "How excited?", steps=9, labels=("calm", "excited"),
              dimension="arousal"),
        Scale("likes", "likert", "Do you like it?", steps=7, labels=("no", "yes")),
        Scale("emotion", "categories", "Which?", labels=("joy", "anger"), intensity=True),
        Scale("use", "informativeness", "How much does it say?"),
        Scale("now", "continuous", "How is it now?", labels=("bad", "good"),
              conditions=(design.conditions[0].name,)),
    )  # fmt: skip
    design = replace(design, scales=scales, attention=0, repeats=0, language="de")
    made = create_collection(home, study, design, clips=affect.sample_ids[:2].tolist())
    token = made.invite().token
    post(served.url(token, "/consent"), json={})
    item = get(served.url(token, "/items/0")).json()
    shown = [previewed(scale, design.conditions, "de") for scale in scales]
    previews = chain.from_iterable(preview["fields"] for preview in shown)
    assert list(previews) == item["fields"]
    assert [preview["trace"] for preview in shown if preview["trace"]] == [item["trace"]]
    assert len(item["fields"]) == 6  # two modalities are heard
    assert [len(preview["fields"]) for preview in shown] == [1, 1, 2, 2, 0]


def test_media_are_those_of_the_item_and_no_other(served, collection, study, home):
    token, other = collection.invite().token, collection.invite().token
    assert get(served.url(token, "/items/0/media")).status_code == 404  # no consent yet
    for one in (token, other):
        post(served.url(one, "/consent"), json={})
    total = 0
    for position in range(8):
        item = get(served.url(token, f"/items/{position}")).json()
        found = get(served.url(token, f"/items/{position}/media"))
        assert (found.status_code == 200) == (item["media"] is not None)
        if item["media"] is None:
            continue
        total += 1
        assert found.headers["content-type"] == "audio/mpeg"
        part = get(served.url(token, f"/items/{position}/media"), headers={"Range": "bytes=10-19"})
        assert part.status_code == 206
        assert part.content == found.content[10:20]
        stored = list((home.study_folder(study) / "stimuli").iterdir())
        assert found.content in [path.read_bytes() for path in stored]
        for name in (path.name for path in stored):
            assert get(f"{served.server.url}/{name}").status_code == 404
    assert total >= 3
    assert get(served.url(token, "/items/8/media")).status_code == 404


def test_an_answer_is_stored_once_by_item_and_revision(served, collection):
    token = collection.invite().token
    post(served.url(token, "/consent"), json={})
    items = [get(served.url(token, f"/items/{k}")).json() for k in (1, 2)]
    path = served.url(token, "/items/1/answer")
    first = {"clip": items[0]["clip"], "values": answer_of(items[0]), "revision": 0}
    low = {field["key"]: field["low"] for field in items[0]["fields"]}
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: post(path, json=first).json(), range(24)))
    assert {json.dumps(reply) for reply in replies} == {json.dumps(replies[0])}
    assert post(path, json={**first, "values": low}).json()["answer"] == first["values"]
    again = get(served.url(token, "/items/1")).json()
    assert again["revision"] == 1
    changed = {**first, "values": low, "revision": again["revision"]}
    assert post(path, json=changed).json()["answer"] == low
    assert post(path, json=first).json()["answer"] == low  # late, and older
    assert len(answer_table(collection)) == len(low)
    for wrong, sentence in (
        ({**first, "clip": items[1]["clip"]}, "of another clip"),
        ({**first, "clip": "p01_u0001"}, "of another clip"),
        ({**first, "values": {}}, "is missing"),
        ({**first, "values": None}, "has no values"),
        ({**first, "values": {**low, "more": 1}}, "not asked here"),
        ({**first, "values": dict.fromkeys(low, 1e9), "revision": 5}, "must be"),
        ([], "of another clip"),
    ):
        refused = post(path, json=wrong)
        assert refused.status_code == 422
        assert sentence in refused.json()["error"]
    for body in (b"\xff", b"{", b"[" * 50_000, b"x" * 10**6):
        assert post(path, data=body).status_code == 422
    for number in ("NaN", "1e999", "-1", '"3"', "true"):
        body = json.dumps({**changed, "revision": 7})[:-1] + f', "seconds": {number}}}'
        assert post(path, data=body).status_code == 200
    assert answer_table(collection)["seconds"].isna().all()
    collection.set_open(False)
    assert "is closed" in post(path, json=first).json()["error"]


def test_parts_of_a_trace_are_stored_once_and_open_the_answer(served, home, study, affect):
    moved = Scale(
        "moved", "continuous", "How lively is it now?", low=0.0, high=2.0, labels=("calm", "lively")
    )
    design = replace(
        default_design(affect, forms=("voice",)), scales=(moved,), attention=0, repeats=0,
        raters_per_cell=1, clips_per_rater=2,
    )  # fmt: skip
    collection = create_collection(home, study, design, clips=affect.sample_ids[:2].tolist())
    token = collection.invite().token
    post(served.url(token, "/consent"), json={})
    item = get(served.url(token, "/items/0")).json()
    assert item["fields"] == []
    assert item["trace"] == {
        "question": "How lively is it now?", "low": 0.0, "high": 2.0,
        "labels": ["calm", "lively"], "is_complete": False, "rate": 10.0,
    }  # fmt: skip
    answered = {"clip": item["clip"], "values": {}}
    refused = post(served.url(token, "/items/0/answer"), json=answered)
    assert (refused.status_code, "Play the clip to its end" in refused.text) == (422, True)
    path = served.url(token, "/items/0/trace")
    part = {
        "clip": item["clip"], "take": "0123456789abcdef", "sequence": 0, "length": 1.0,
        "times": [0.0, 0.1, 0.5, 0.9], "values": [1, 1, 2, 0.5],
    }  # fmt: skip
    for change, sentence in (
        ({"clip": "another"}, "of another clip"),
        ({"take": None}, "no name of a play"),
        ({"sequence": "x"}, "at most 5,000 parts"),
        ({"length": True}, "length must be"),
        ({"times": {}, "values": {}}, "1 to 600"),
        ({"values": [1, 1, 2, 2.5]}, "from 0 to 2"),
        ({"values": [1, 1, 2, None]}, "a number as value"),
    ):
        wrong = post(path, json={**part, **change})
        assert (wrong.status_code, sentence in wrong.json()["error"]) == (422, True), wrong.text
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: post(path, json=part).json(), range(16)))
    assert {json.dumps(reply) for reply in replies} == {
        json.dumps({"sequence": 0, "samples": 4, "is_complete": True})
    }
    assert get(served.url(token, "/items/0")).json()["trace"]["is_complete"]
    assert post(served.url(token, "/items/0/answer"), json=answered).json()["next"] == 1
    table = trace_table(collection)
    assert table["value"].tolist() == [1, 1, 2, 0.5]
    assert table["counts"].all()
    assert post(served.url(token, "/withdraw"), json={}).status_code == 200
    assert trace_table(collection).empty


def test_every_address_but_those_of_the_own_link_gets_the_same_page(served, collection, home):
    token, gone = collection.invite().token, collection.invite().token
    post(served.url(token, "/consent"), json={})
    post(served.url(gone, "/consent"), json={})
    post(served.url(gone, "/withdraw"), json={})
    (home.root / "secret.txt").write_text("do not serve")
    (collection.folder / "secret.txt").write_text("do not serve")
    page = get(f"{served.server.url}/")
    assert page.status_code == 404
    assert "This link is not valid" in page.text
    assert "Dieser Link ist nicht gültig" in page.text
    secret = token.partition("-")[2]
    parts = [
        "..", "%2e%2e", "..%2f", "%2f", "static", "rater.js", "rater.html", "secret.txt", "r", "",
        "items", "0", "-1", "99999999999999999999999", "media", "answer", "start", "consent",
        "_stcore", "health", "stream", "media%00", "etc/passwd", "study", "judgments", "%00", "é",
        "smurf.sqlite", "studies", collection.id, secret, token[:-1], token + "x", gone,
        token.swapcase(), f"{'0' * 12}-{secret}", f"*-{secret}", collection.fact("study"),
    ]  # fmt: skip
    chance = np.random.default_rng(1)
    paths = [f"r/{gone}{end}" for end in ("", "/start", "/items/0", "/items/0/media")]
    paths += [
        f"r/{token}/",
        f"r/{token}/items",
        f"r/{token}/items/0/",
        f"r/{token}/../../secret.txt",
    ]
    paths += ["/".join(chance.choice(parts, size=chance.integers(1, 6))) for _ in range(FUZZED)]
    allowed = {"static/rater.js", "static/trace.js", "static/rater.css"}
    session = requests.Session()
    for path in paths:
        method = chance.choice(["GET", "GET", "POST", "DELETE"])
        prepared = session.prepare_request(requests.Request(str(method), served.server.url))
        prepared.url = f"{served.server.url}/{path}"  # as it is: nothing is normalised
        found = session.send(prepared, allow_redirects=False, timeout=60)
        if path in allowed and method == "GET":
            continue
        assert (found.status_code, found.text) == (404, page.text), (method, path)
        assert found.headers["referrer-policy"] == "no-referrer"


def test_every_response_forbids_framing_and_foreign_content(served, collection):
    token = collection.invite().token
    for path in (served.url(token), served.url(token, "/start"), f"{served.server.url}/none"):
        headers = get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers
    for name in ("rater.html", "rater.css", "rater.js", "trace.js"):
        text = (ROOT / "smurf_core/ratings/page" / name).read_text()
        assert "//" not in text.replace("http://www.w3.org/2000/svg", "").replace("// ", "")


def test_a_token_is_of_one_study_only(served, collection, home, affect):
    other = create_collection(home, add_study(home, affect), collection.design_version().design)
    token = collection.invite().token
    moved = f"{other.id}-{token.partition('-')[2]}"
    assert get(served.url(token)).status_code == 200
    assert get(served.url(moved)).status_code == 404


def test_no_rating_is_lost_doubled_or_misplaced_by_kills(tmp_path):
    """The full campaign is `python -m benchmarks.rating_kills`."""
    found, collection, invited = campaign(
        tmp_path, raters=4, ratings=60, kills=2, drops=0.1, worker_kills=1
    )
    assert (found.kills, found.worker_kills) == (2, 1)
    assert (len(found.sent), found.stored) == (60, 60)
    assert found.dropped > 0
    assert found.broken > 0
    assert (found.lost, found.doubled, found.misplaced) == (0, 0, 0)
    with transaction(collection.path) as connection:
        connection.execute("DELETE FROM answer WHERE rater = 1 AND position = 0")
        connection.execute(
            "UPDATE answer SET answers = (SELECT answers FROM answer WHERE rater = 3"
            " AND position = 2) WHERE rater = 2 AND position = 1"
        )
    del found.sent[next(k for k, one in enumerate(found.sent) if one.rater == 4)]
    compare(found, collection, invited)
    assert (found.stored, found.lost, found.doubled, found.misplaced) == (59, 1, 1, 1)


def test_a_second_server_or_a_wrong_address_is_one_sentence(served, home, tmp_path):
    with pytest.raises(InputError, match="is served already, at http"):
        rater_server.serve(home)
    assert rater_server.start(home) == served.server
    other = replace(home, root=tmp_path / "other")
    other.root.mkdir()
    with pytest.raises(InputError, match=rf"Port {served.port} of 127.0.0.1 cannot be used"):
        rater_server.start(other, port=served.port)
    with pytest.raises(InputError, match="is not the address of a server"):
        rater_server.start(other, url="ftp://x")
    with pytest.raises(InputError, match="The port must be between"):
        rater_server.serve(other, port=99_999)
