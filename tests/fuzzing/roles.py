"""Calls of persons with and without roles, with ids and paths that were changed: does any leak?

    nice -n 15 python -m tests.fuzzing.roles COUNT [SEED]

Two studies of two owners have secret words in every name. Each call is a person, a function of the
store with its guard and an id, or a request to the server of raters. A leak is a secret word of a
study in which the person has no role, an answer that differs from that for an id that does not
exist, a change by a person whose role is too low, or an error that is not the project's own.
"""

from __future__ import annotations

import asyncio
import importlib
import random
import sys
import tempfile
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from smurf_core.configuration import RunConfig
from smurf_core.data.generated.simulated import simulated_affect
from smurf_core.data.media import MediaSettings
from smurf_core.errors import InputError
from smurf_core.people.guard import GUARDS
from smurf_core.people.members import share, unshare
from smurf_core.people.person import Person, includes
from smurf_core.people.roles import Refused
from smurf_core.ratings.catalogue import create_collection
from smurf_core.ratings.defaults import default_design
from smurf_core.ratings.server import rater_app
from smurf_core.runs import slices, store, studies
from smurf_core.runs.files import RunFiles
from smurf_core.runs.workspace import Workspace

OWNERS = {"A": "anna@x", "B": "bert@x"}
# Person → study → role. Dora had one and lost it; Cy never had one.
ROLES: dict[str, dict[str, str]] = {
    "anna@x": {"A": "owner"}, "bert@x": {"B": "owner"}, "ed@x": {"A": "editor"},
    "vi@x": {"A": "viewer"}, "both@x": {"A": "viewer", "B": "editor"}, "cy@x": {}, "dora@x": {},
}  # fmt: skip
_FINDING = SimpleNamespace(name="a", sentence="b")
# What guarded functions need besides a workspace and a subject.
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "create_run": (RunConfig.from_preset("quick"),), "rename_run": ("changed",),
    "annotate_run": ("changed",), "rename_study": ("changed",), "chosen_target": ("",),
    "set_media": (None,), "remember_selection": (["p10_u0060"],), "rename_slice": ("changed",),
    "add_slice": ("changed", ["p10_u0060"]), "edit_finding": (_FINDING, "c"),
    "tick_finding": ("a",), "reported": ([],),
    "read_predictions": ("abc",), "check_place": ("/etc",),
    "delete_predictions": ("abc",), "save_predictions": (["f"], None), "predict_files": ([],),
    "export_run": (Path("/nowhere/new"), "csv"), "describe_run": (None,),
    "script_files": (None, None),
    "report_files": (None, None, None), "create_collection": (None,), "open_collection": ("abc",),
    "delete_collection": ("abc",), "chosen_clips": (None,), "share": ("cy@x", "owner"),
    "unshare": ("anna@x",), "collection_of": (), "find_slice": ("abc",),
}  # fmt: skip
NAMED: dict[str, dict[str, Any]] = {
    "remember_selection": {"origin": "x"}, "add_slice": {"origin": "x"},
    "tick_finding": {"in_report": False}, "forget": {"persons": ["p10"]},
}  # fmt: skip
# Functions that change nothing, or the same again: called for real also by those who may.
HARMLESS = {
    "get_study", "provenance", "targets_of", "chosen_target", "media_of", "get_run", "curves",
    "scheduler_of", "list_slices", "list_broken_slices", "find_slice", "slice_samples",
    "read_wording", "reported", "list_predictions", "list_collections", "members_of", "own_role",
    "audit_of", "used_stamp", "check_place", "require_slice",
}  # fmt: skip


@dataclass
class Tried:
    """How many calls reached their function, were denied, and what leaked."""

    reached: int = 0
    denied: int = 0
    routes: int = 0
    leaks: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class World:
    """Two studies, and what belongs to each of them by its id."""

    space: Workspace
    study_of: dict[str, str]  # id of a study, run or slice → "A" or "B"
    ids: dict[str, list[str]]  # "study", "run", "slice" → ids
    tokens: dict[str, str]  # a rater's token → "A" or "B"
    secrets: dict[str, list[str]]  # study → words that nobody else may see


def make_world(root: Path) -> World:
    """Two studies with runs, slices, collections of ratings and members."""
    space = Workspace(root)
    world = World(space, {}, {"study": [], "run": [], "slice": []}, {}, {})
    for letter, owner in OWNERS.items():
        secret = f"SECRET{letter}"
        data = simulated_affect(samples=60, persons=10)
        mine = space.acting_as(Person(owner))
        study = studies.add_study(mine, replace(data, name=f"{secret} study"))
        for person, roles in ROLES.items():
            if letter in roles and person != owner:
                share(mine, study, person, roles[letter])
        share(mine, study, "dora@x", "editor")
        unshare(mine, study, "dora@x")
        run = store.create_run(mine, study, RunConfig.from_preset("quick"), name=f"{secret} run")
        store.annotate_run(mine, run, f"{secret} note")
        kept = slices.add_slice(mine, study, f"{secret} slice", data.sample_ids[:5], origin=secret)
        studies.set_media(space, study, MediaSettings(str(space.study_folder(study))))
        design = replace(default_design(data), title=f"{secret} ratings", clips_per_rater=5)
        collection = create_collection(mine, study, design, clips=data.sample_ids[:10].tolist())
        world.tokens[collection.invite().token] = letter
        for kind, identifier in (("study", study), ("run", run), ("slice", kept)):
            world.study_of[identifier] = letter
            world.ids[kind].append(identifier)
        world.secrets[letter] = [secret, str(space.study_folder(study)), collection.id]
    return world


def changed_id(world: World, kind: str, chance: random.Random) -> Any:
    """An id of some study, run or slice, as it is or changed, or something else entirely."""
    known = chance.choice(world.ids[kind])
    other = chance.choice(world.ids[chance.choice(list(world.ids))])
    if chance.random() < 0.4:
        return known
    k = chance.randrange(len(known))
    return chance.choice(
        [
            other, known.upper(), known + " ", " " + known, known[:k], known[:k] + "0" + known[k:],
            known[:k] + chance.choice("abc019") + known[k + 1 :], f"../studies/{known}",
            f"{known}/../{other}", f"{known}\0", f"{known}%00", f"%2e%2e/{known}", f"{known}/",
            f"./{known}", f"{known};{other}", f"' OR id='{known}", f"{known}' --", "%", "_" * 12,
            "*", "", " ", "\ud800", "\u212a" + known, known.replace("1", "１"), "x" * 5000,
            chance.randbytes(6).hex(), None, 7, True, float("nan"), known.encode(), [known],
            (known,), {known: other}, Path(known),
        ]
    )  # fmt: skip


def try_calls(count: int, world: World, *, seed: int = 0) -> Tried:
    """Make this many calls, in a thread: in that of tests, a browser's event loop may run."""
    with ThreadPoolExecutor(1) as own:
        return own.submit(_try_calls, count, world, seed).result()


def _try_calls(count: int, world: World, seed: int) -> Tried:
    before = _state(world)
    tried = Tried()
    loop = asyncio.new_event_loop()
    app = rater_app(world.space)
    life = app.router.lifespan_context(app)
    loop.run_until_complete(life.__aenter__())
    guards = sorted(GUARDS)
    number = -1
    while tried.reached + tried.denied + tried.routes < count:
        number += 1
        chance = random.Random(seed * 1_000_003 + number)  # noqa: S311 (no secret)
        if number % 5 == 4:
            _request(world, app, loop, chance, tried, number)
        else:
            _call(world, chance.choice(guards), chance, tried, number)
        if number % 1_000 == 999 and _state(world) != before:
            tried.leaks.append(f"{number}: something was changed")
            before = _state(world)
    if _state(world) != before:
        tried.leaks.append("something was changed")
    loop.run_until_complete(life.__aexit__(None, None, None))
    loop.close()
    return tried


def _call(world: World, name: str, chance: random.Random, tried: Tried, number: int) -> None:
    guard = GUARDS[name]
    person = chance.choice(list(ROLES))
    space = world.space.acting_as(Person(person))
    kind = "study" if guard.subject in (None, "collection") else guard.subject
    given = changed_id(world, kind, chance)
    is_known = isinstance(given, str) and given in world.ids[kind]
    role = ROLES[person].get(world.study_of[given]) if is_known else None
    is_allowed = role is not None and guard.needed is not None and includes(role, guard.needed)
    if is_allowed and guard.function not in HARMLESS:
        is_allowed = False  # Who may change something is not what is tried here.
        return
    subject: Any = given
    if guard.subject == "collection":
        subject = SimpleNamespace(fact=lambda _: given)
    elif guard.function in ("targets_of", "chosen_target", "dataset_of_run", "describe_run") or (
        chance.random() < 0.1
    ):  # Objects may be forged: the id of one study, and all else of another.
        other = chance.choice(world.ids["study"])
        subject = SimpleNamespace(
            id=given, study_id=other, target="", target_name="valence", task="regression", name="",
        )  # fmt: skip
        if guard.function not in ("targets_of", "chosen_target") and is_allowed:
            return
    place, _, function = name.rpartition(".")
    act = getattr(importlib.import_module(place), function)
    rest = () if guard.needed is None else ARGUMENTS.get(function, ())
    try:
        answer = repr(act(space, subject, *rest, **NAMED.get(function, {})))
        outcome = "reached"
    except Refused as error:
        answer, outcome = str(error), "refused"
    except InputError as error:
        answer, outcome = str(error), "unknown"
    except Exception as error:  # noqa: BLE001 (what may not be raised)
        tried.reached += 1
        tried.leaks.append(f"{number}: {function} by {person} of {given!r}: {error!r}")
        return
    tried.reached += outcome == "reached"
    tried.denied += outcome != "reached"
    where = f"{number}: {function} by {person} ({role}) of {given!r}"
    tried.leaks += [f"{where}: {answer[:200]}" for _ in range(_leaks(world, person, answer, given))]
    if guard.needed is None:
        expected = outcome == "refused"
    elif role is None:
        expected = outcome == "unknown" and answer.startswith(f"There is no {kind} {given!r}")
    else:
        expected = outcome != "refused" if is_allowed else outcome == "refused"
    if not expected:
        tried.leaks.append(f"{where}: {outcome}, {answer[:200]}")
    if isinstance(given, str) and chance.random() < 0.2:  # Folders, as everything finds them.
        for door in (space.study_folder, space.run_folder, partial(RunFiles.of, space)):
            try:
                found = door(given)
            except (InputError, ValueError):
                continue
            if given not in world.study_of or world.study_of[given] not in ROLES[person]:
                tried.leaks.append(f"{where}: the folder {found}")


def _leaks(world: World, person: str, answer: str, given: object) -> bool:
    """Is there a word of a study without a role that was not in the question?"""
    asked = str(given)
    return any(
        word in answer and word not in asked
        for letter, words in world.secrets.items()
        if letter not in ROLES[person]
        for word in words
    )


def _request(
    world: World,
    app: Any,
    loop: asyncio.AbstractEventLoop,
    chance: random.Random,
    tried: Tried,
    number: int,
) -> None:
    token, letter = chance.choice(list(world.tokens.items()))
    is_real = chance.random() < 0.3
    if not is_real:
        k = chance.randrange(len(token))
        other = chance.choice(list(world.tokens))
        start = token.partition("-")[0]
        token = chance.choice(
            [
                token[:k], token[:k] + "x" + token[k + 1 :] + "x", token.upper() + "x",
                f"{start}-", f"{start}-{other.partition('-')[2]}x",
                "..", "%2e%2e", "*-*", "?-?", f"{token}/../../studies", "-", "a-\0", "[a-z]*-x",
                chance.choice(world.ids["study"]), f"{token}%2f..",
            ]
        )  # fmt: skip
    position = chance.choice(["0", "1", "99", "-1", "x", "9" * 40])
    study = chance.choice(world.ids["study"])
    path = chance.choice(
        [
            f"/r/{token}", f"/r/{token}/start", f"/r/{token}/items/{position}",
            f"/r/{token}/items/0/media", f"/r/{token}/../{study}",
            f"/static/{token}", f"/static/../{token}", f"/{study}", "/metrics",
            "/health", "/studies", f"/r/{token}/items/0/../../../studies", "/",
        ]
    )  # fmt: skip
    status, body = loop.run_until_complete(_get(app, path))
    tried.routes += 1
    text = body.decode("utf-8", "replace")
    hidden = [one for one in world.secrets if not is_real or one != letter]
    said = [word for one in hidden for word in world.secrets[one] if word in text]
    # A real token's design has its title; the folders of the server are in nothing.
    said += [str(world.space.root)] * (str(world.space.root) in text)
    is_own = is_real and path.startswith(f"/r/{token}")
    if said or (status != 404 and not is_own and path != "/health"):
        tried.leaks.append(f"{number}: GET {path}: {status}, {said}")
    if path == "/health" and body != b"ok":
        tried.leaks.append(f"{number}: /health says {text}")


async def _get(app: Any, path: str) -> tuple[int, bytes]:
    """A request to an application, without a network."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
        "scheme": "http", "path": path, "raw_path": path.encode("utf-8", "replace"),
        "query_string": b"", "root_path": "", "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "state": {},
    }  # fmt: skip
    await app(scope, receive, send)
    status = next(one["status"] for one in sent if one["type"] == "http.response.start")
    return status, b"".join(one.get("body", b"") for one in sent)


def _state(world: World) -> list[tuple[object, ...]]:
    """All entries that calls could change."""
    with world.space.connect() as connection:
        return [
            tuple(row)
            for table in ("study", "run", "slice", "member", "media")
            for row in connection.execute(f"SELECT * FROM {table} ORDER BY rowid")  # noqa: S608
        ] + sorted((str(p),) for p in world.space.root.glob("*/*"))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as made:
        began = time.monotonic()
        seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
        found = try_calls(int(sys.argv[1]), make_world(Path(made)), seed=seed)
    for leak in found.leaks[:20]:
        print(leak)
    print(
        f"{found.reached:,} reached, {found.denied:,} denied, {found.routes:,} requests to routes, "
        f"{len(found.leaks)} leaks, {time.monotonic() - began:.0f} s"
    )
    sys.exit(bool(found.leaks))
