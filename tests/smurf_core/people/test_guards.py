"""Every function that takes a workspace asks for a role, and does so before anything else."""

import importlib
import inspect
import pkgutil
import typing
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

import smurf_core
from smurf_core.configuration import RunConfig
from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.data.media import MediaSettings
from smurf_core.errors import InputError
from smurf_core.people.fair_queue import next_of
from smurf_core.people.guard import GUARDS
from smurf_core.people.members import audit_of, members_of, own_role, share, unshare
from smurf_core.people.person import LOCAL, ROLES, Person, checked_name, includes
from smurf_core.people.quotas import Quota, disk_used
from smurf_core.people.roles import Refused
from smurf_core.runs import own_studies, slices, store, studies
from smurf_core.runs.workspace import Workspace
from tests.fuzzing.roles import make_world, try_calls

STORES = Path(__file__).resolve().parents[2] / "stores"
QUICK = RunConfig.from_preset("quick")
# Functions with a workspace and without a guard of their own → why that leaks nothing.
UNGUARDED = {
    # Lists: only what the person may see is in them (tests below).
    "smurf_core.runs.studies.list_studies": "lists",
    "smurf_core.runs.studies.list_broken_studies": "lists",
    "smurf_core.runs.studies.find_study": "lists",
    "smurf_core.runs.store.list_runs": "lists",
    "smurf_core.runs.store.list_broken_runs": "lists",
    "smurf_core.runs.store.finished_runs": "lists",
    "smurf_core.runs.store.why_not_open": "asks get_run",
    # Extractions: each person has their own (tests below).
    "smurf_core.from_recordings.jobs.folder_of": "the place of all",
    "smurf_core.from_recordings.jobs.job_folder": "own",
    "smurf_core.from_recordings.jobs.list_jobs": "lists",
    "smurf_core.from_recordings.jobs.create_job": "new",
    "smurf_core.from_recordings.forgetting.jobs_that_name": "asks list_jobs",
    "smurf_core.from_recordings.forgetting.forget_in_job": "asks job_folder",
    "smurf_core.from_recordings.process.start": "asks job_folder",
    "smurf_core.from_recordings.process.cancel": "asks job_folder",
    "smurf_core.from_recordings.process.delete_job": "asks job_folder",
    "smurf_core.from_recordings.process.work": "machine",
    "smurf_core.from_recordings.study.study_of_job": "asks job_folder",
    "smurf_core.runs.studies.removal_file": "the place of a note",
    # What everybody may make, and then owns, or what the program made for everybody.
    "smurf_core.runs.studies.add_study": "new",
    "smurf_core.runs.own_studies.ensure_own_study": "new",
    "smurf_core.runs.own_studies.ensure_synthetic_study": "new",
    "smurf_core.runs.demo.ensure_demo": "new",
    "smurf_core.runs.simulated.add_simulated_study": "new",
    # Processes: they return nothing of a study.
    "smurf_core.processes.launcher.launch": "starts the worker",
    "smurf_core.processes.rater_server.running": "the server's address",
    "smurf_core.processes.rater_server.start": "starts the server of raters",
    "smurf_core.ratings.server.rater_app": "has tokens of its own",
    "smurf_core.serving.metrics.answer": "asks for a token, then metrics",
    # The worker and the command line are the machine's own: no web process calls them.
    "smurf_core.processes.worker.train_claimed": "machine",
    "smurf_core.processes.worker.work": "machine",
    "smurf_core.attribution.serve": "machine",
}


def functions_with_a_workspace() -> set[str]:
    """Public functions of the library whose first parameter is a workspace."""
    found = set()
    for info in pkgutil.walk_packages(smurf_core.__path__, "smurf_core."):
        if info.name.startswith("smurf_core.cli") or info.name.endswith("__main__"):
            continue
        module = importlib.import_module(info.name)
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ != info.name or name.startswith("_"):
                continue
            hints = inspect.signature(function).parameters.values()
            if any("Workspace" in str(one.annotation) for one in hints):
                found.add(f"{info.name}.{name}")
    return found


def test_every_function_with_a_workspace_has_a_guard_or_a_reason():
    known = functions_with_a_workspace()
    assert known - GUARDS.keys() - UNGUARDED.keys() == set(), "guard these, or say why not"
    assert UNGUARDED.keys() - known == set(), "these are gone"
    assert GUARDS.keys() - known == set()


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> tuple[Workspace, str, str, str]:
    """A study with a waiting run and a slice, and a member of each role."""
    space = Workspace(tmp_path_factory.mktemp("lab"))
    owner = space.acting_as(Person("owner@x"))
    study = studies.add_study(owner, synthetic_additive(samples=60))
    for role in ("editor", "viewer"):
        share(owner, study, f"{role}@x", role)
    run = store.create_run(owner, study, QUICK, name="the secret run")
    sample = studies.load_study(owner, study).sample_ids[0]
    kept = slices.add_slice(owner, study, "the secret slice", [sample], origin="here")
    return space, study, run, kept


class Reached(Exception):
    """The function behind a guard was called."""


def called(name: str, space: Workspace, subject: object) -> str:
    """What happens: "reached", "refused" or "unknown" with its sentence."""
    place, _, function = name.rpartition(".")
    guarded = getattr(importlib.import_module(place), function)
    inner = guarded.__closure__
    cells = dict(zip(guarded.__code__.co_freevars, inner, strict=True))
    original = cells["function"].cell_contents

    def stub(*_: object, **__: object) -> None:
        raise Reached

    cells["function"].cell_contents = stub
    try:
        guarded(space, subject)
    except Reached:
        return "reached"
    except Refused:
        return "refused"
    except InputError as error:
        return f"unknown: {error}"
    finally:
        cells["function"].cell_contents = original
    raise AssertionError(f"{name} did nothing.")


class Rated:
    """A collection of ratings as a guard sees it."""

    def __init__(self, study: str) -> None:
        self.study = study

    def fact(self, name: str) -> str:
        assert name == "study"
        return self.study


def subject_of(kind: str | None, lab: tuple[Workspace, str, str, str], unknown: str = "") -> object:
    _, study, run, kept = lab
    given = {"study": study, "run": run, "slice": kept, "collection": study, None: study}[kind]
    return Rated(unknown or given) if kind == "collection" else unknown or given


@pytest.mark.parametrize("name", sorted(GUARDS))
@pytest.mark.parametrize("role", [*ROLES, None, "local"])
def test_a_role_reaches_what_it_may_and_nothing_else(lab, name, role):
    guard = GUARDS[name]
    person = LOCAL if role == "local" else Person(f"{role or 'stranger'}@x")
    space = lab[0].acting_as(person)
    outcome = called(name, space, subject_of(guard.subject, lab))
    if role == "local":
        assert outcome == "reached"
    elif guard.needed is None:
        assert outcome == "refused"
    elif role is None:  # As with an id that does not exist, letter by letter.
        unknown = called(name, space, subject_of(guard.subject, lab, "ffffffffffff"))
        known = subject_of(guard.subject, lab)
        mine = known.study if isinstance(known, Rated) else known
        assert outcome.startswith("unknown: There is no ")
        assert outcome.replace(str(mine), "ID") == unknown.replace("ffffffffffff", "ID")
    else:
        assert outcome == ("reached" if includes(role, guard.needed) else "refused")


def test_lists_have_what_a_person_may_see(lab):
    space, study, run, _ = lab
    for name, sees in (("owner@x", True), ("viewer@x", True), ("stranger@x", False)):
        mine = space.acting_as(Person(name))
        assert [one.id for one in studies.list_studies(mine)] == [study] * sees
        assert [one.id for one in store.list_runs(mine)] == [run] * sees
        assert [one.id for one in store.list_runs(mine, study)] == [run] * sees
        assert (studies.find_study(mine, {}) == study) == sees
        assert studies.list_broken_studies(mine) == store.list_broken_runs(mine) == []
        assert ("There is no run" in store.why_not_open(mine, run, study, "y")) == (not sees)
    with space.transaction() as connection:
        connection.execute("UPDATE run SET config = 'torn' WHERE id = ?", (run,))
    try:
        assert store.list_broken_runs(space.acting_as(Person("stranger@x"))) == []
        assert len(store.list_broken_runs(space.acting_as(Person("viewer@x")))) == 1
    finally:
        with space.transaction() as connection:
            connection.execute(
                "UPDATE run SET config = ? WHERE id = ?",
                (__import__("json").dumps(QUICK.to_dict()), run),
            )


def test_folders_are_found_by_those_who_may_see_them(lab):
    space, study, run, _ = lab
    viewer, stranger = (space.acting_as(Person(name)) for name in ("viewer@x", "stranger@x"))
    assert viewer.study_folder(study) == space.study_folder(study)
    assert viewer.run_folder(run) == space.run_folder(run)
    for place in (stranger.study_folder, stranger.run_folder):
        for identifier in (study, run, "../x", "ffffffffffff", ""):
            with pytest.raises(InputError, match="There is no"):
                place(identifier)


def test_a_deleted_study_is_named_to_its_members_only(tmp_path):
    space = Workspace(tmp_path).acting_as(Person("anna@x"))
    study = studies.add_study(space, synthetic_additive(samples=60))
    studies.delete_study(space, study)
    with pytest.raises(InputError, match="This study was deleted"):
        studies.get_study(space, study)
    with pytest.raises(InputError, match="There is no study"):
        studies.get_study(space.acting_as(Person("bert@x")), study)


def test_a_study_is_shared_by_its_owners_and_keeps_one(tmp_path):
    space = Workspace(tmp_path)
    anna, bert = (space.acting_as(Person(f"{name}@x")) for name in ("anna", "bert"))
    study = studies.add_study(anna, synthetic_additive(samples=60))
    share(anna, study, " BERT@x ", "editor")
    assert own_role(bert, study) == "editor"
    assert [(m.person, m.role) for m in members_of(bert, study)] == [
        ("anna@x", "owner"), ("bert@x", "editor"),
    ]  # fmt: skip
    with pytest.raises(Refused, match="needs the role owner, and yours in this study is editor"):
        share(bert, study, "carl@x", "viewer")
    for last in (
        lambda: unshare(anna, study, "anna@x"),
        lambda: share(anna, study, "anna@x", "viewer"),
    ):
        with pytest.raises(InputError, match="A study needs an owner"):
            last()
    assert own_role(anna, study) == "owner"
    for wrong in ("", "*", "two words", "x" * 300, "a\nb"):
        with pytest.raises(InputError, match="not the name of a person"):
            share(anna, study, wrong, "viewer")
    with pytest.raises(InputError, match="no role 'admin'"):
        share(anna, study, "carl@x", typing.cast(typing.Any, "admin"))
    unshare(anna, study, "bert@x")
    with pytest.raises(InputError, match="There is no study"):
        own_role(bert, study)
    logged = [(e.person, e.action, e.subject) for e in audit_of(anna, study)]
    assert logged[0] == ("anna@x", "unshare", "bert@x")
    assert ("bert@x", "refused: share", "") in logged
    assert logged[-1] == ("anna@x", "add_study", "")


def test_nobody_becomes_the_machine_s_own_person():
    for name in ("", " ", "*", "Anna@x"):
        with pytest.raises(InputError):
            Person(name)
    assert checked_name(" Anna@X ") == "anna@x"
    assert LOCAL.is_local
    assert not Person("local").is_local


def test_what_the_program_made_is_seen_by_all_and_changed_by_nobody(tmp_path):
    space = Workspace(tmp_path).acting_as(Person("anna@x"))
    study = own_studies.ensure_synthetic_study(space)
    assert own_role(space.acting_as(Person("bert@x")), study) == "viewer"
    with pytest.raises(Refused):
        studies.rename_study(space, study, "mine")
    assert members_of(space, study) == []


def test_recordings_are_played_from_folders_that_the_operator_lists(tmp_path, monkeypatch):
    space = Workspace(tmp_path / "home")
    anna = space.acting_as(Person("anna@x"))
    study = studies.add_study(anna, synthetic_additive(samples=60))
    other = studies.add_study(space, synthetic_additive(samples=60))
    listed = tmp_path / "clips" / "of_anna"
    listed.mkdir(parents=True)
    monkeypatch.setenv("SMURF_RECORDINGS", str(tmp_path / "clips"))
    (tmp_path / "clips" / "link").symlink_to(tmp_path / "home")
    studies.set_media(anna, study, MediaSettings(str(listed)))
    for folder in (space.study_folder(other), tmp_path, tmp_path / "clips" / "link"):
        with pytest.raises(InputError, match="lists in SMURF_RECORDINGS"):
            studies.set_media(anna, study, MediaSettings(str(folder)))
        studies.set_media(space, study, MediaSettings(str(folder)))  # the machine's own person


def test_quotas_refuse_in_one_sentence_and_spare_the_machine_s_own_person(tmp_path, monkeypatch):
    space = Workspace(tmp_path)
    anna = space.acting_as(Person("anna@x"))
    study = studies.add_study(anna, synthetic_additive(samples=60))
    monkeypatch.setenv("SMURF_QUEUE_RUNS", "2")
    run, _ = (store.create_run(anna, study, QUICK) for _ in range(2))
    with pytest.raises(InputError, match="2 of your runs wait or train, and 2 is the limit"):
        store.create_run(anna, study, QUICK)
    store.request_cancel(anna, run)
    store.create_run(anna, study, QUICK)
    with pytest.raises(InputError, match="is the limit"):
        store.resume_run(anna, run)
    store.create_run(space, study, QUICK)
    with space.connect() as connection:
        used = disk_used(connection, anna.person, space.root)
    assert used >= sum(
        f.stat().st_size for f in space.study_folder(study).rglob("*") if f.is_file()
    )
    monkeypatch.setenv("SMURF_DISK_GB", str(used / 1e9))
    with pytest.raises(InputError, match="is the limit for one person: delete some"):
        studies.add_study(anna, synthetic_additive(samples=60))
    studies.add_study(space.acting_as(Person("bert@x")), synthetic_additive(samples=60))
    monkeypatch.setenv("SMURF_DISK_GB", "much")
    with pytest.raises(InputError, match="SMURF_DISK_GB is 'much'"):
        Quota.from_environment()


def test_persons_take_turns_and_one_person_s_runs_keep_their_order():
    assert next_of(["", "", ""], {"": 5.0}) == 0
    assert next_of(["a", "a", "b"], {}) == 0
    assert next_of(["a", "a", "b"], {"a": 1.0}) == 2
    assert next_of(["a", "b", "c"], {"a": 3.0, "b": 1.0, "c": 2.0}) == 1


def test_the_worker_takes_runs_of_persons_in_turn(tmp_path):
    space = Workspace(tmp_path)
    expected = []
    for name, count in (("anna@x", 3), ("bert@x", 1)):
        mine = space.acting_as(Person(name))
        study = studies.add_study(mine, synthetic_additive(samples=60))
        for k in range(count):
            store.create_run(mine, study, replace(QUICK, seed=k), name=f"{name} {k}")
    for _ in range(4):
        run = store.claim(space)
        expected.append(run.name)
        with space.connect() as connection:
            connection.execute("UPDATE run SET status = 'finished' WHERE id = ?", (run.id,))
    assert expected == ["anna@x 0", "bert@x 0", "anna@x 1", "anna@x 2"]


def test_a_fuzzed_call_never_leaks(tmp_path: Path):
    tried = try_calls(2_000, make_world(tmp_path), seed=1)
    assert tried.leaks == []
    assert tried.reached > 50  # What is allowed works.
    assert tried.denied > 1_000


def test_the_fuzzed_calls_find_a_store_that_asks_for_nothing(tmp_path: Path, monkeypatch):
    world = make_world(tmp_path)
    monkeypatch.setattr("smurf_core.people.roles.role_in", lambda *_: "viewer")
    leaks = try_calls(200, world, seed=2).leaks
    assert any("SECRET" in leak for leak in leaks)


def test_a_store_of_version_4_belongs_to_the_machine_s_own_person(tmp_path):
    with zipfile.ZipFile(STORES / "version_4.zip") as file:
        file.extractall(tmp_path)
    space = Workspace(tmp_path)
    anna = space.acting_as(Person("anna@x"))
    assert studies.list_studies(anna) == store.list_runs(anna) == []
    (study,) = studies.list_studies(space)
    (run,) = store.list_runs(space)
    share(space, study.id, "anna@x", "owner")
    assert store.get_run(anna, run.id).name == "waiting"
    assert [one.name for one in slices.list_slices(anna, study.id)] == ["ten"]
    claimed = store.claim(space)
    assert claimed is not None
    assert claimed.id == run.id
