"""Pieces of work that write to a workspace, each of which can be carried out again.

`act` does what a user or the worker does; `again` is what they do after a fault. Both are called
with a function that notes each step whose end a user was shown.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from smurf_core.configuration import Grid, RunConfig
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.data.generated.simulated import simulated_affect
from smurf_core.data.importing.assembly import Assembly, assemble, guess_mapping
from smurf_core.data.media import MediaSettings, suggested_media
from smurf_core.data.readers.registry import find_sources
from smurf_core.model_kinds import ModelKind
from smurf_core.processes import worker
from smurf_core.ratings.catalogue import (
    collection_of,
    create_collection,
    delete_collection,
    list_collections,
)
from smurf_core.ratings.defaults import default_design
from smurf_core.ratings.export import export_ratings
from smurf_core.ratings.store import Collection
from smurf_core.ratings.use import use_ratings
from smurf_core.reporting.bundle import report_of
from smurf_core.reporting.findings import find
from smurf_core.reporting.key_findings import KeyFinding, findings_first
from smurf_core.runs import archive, slices, store, studies
from smurf_core.runs.demo import ensure_demo
from smurf_core.runs.exporting import export_run, write_folder
from smurf_core.runs.files import RunFiles
from smurf_core.runs.forgetting import finish_forgetting, forget
from smurf_core.runs.new_samples import delete_predictions, list_predictions, save_predictions
from smurf_core.runs.wording import edit_finding, tick_finding
from smurf_core.runs.workspace import Workspace
from tests.broken_files import good_table

STORES = Path(__file__).resolve().parents[1] / "stores"
Shown = Callable[[], None]
Work = Callable[[Workspace, Shown], None]


@dataclass(frozen=True)
class Scenario:
    """One piece of work: what is there before, what is done, and what is done after a fault."""

    name: str
    act: Work
    prepare: Callable[[Workspace], None] = lambda _: None
    is_filled: bool = True  # `filled` is there before; else an empty workspace
    again: Work | None = None  # None: the same once more
    may_repeat: bool = False  # a study that was taken up after a cut may be there beside another
    leaves_nothing: bool = False  # what was removed is not in `lost+found` either


@cache
def data() -> MultimodalDataset:
    return replace(simulated_affect(samples=24, persons=8), folds=None, factors={})


def config(model: ModelKind) -> RunConfig:
    grid = Grid((2e-2,), ((),) if model == "exclusive" else ((2,),), (0.0,), (0.5,))
    return replace(
        RunConfig.from_preset("quick", model), preset="custom", grid=grid, max_epochs=2,
        restarts=1, fold_count=3,
    )  # fmt: skip


TOKENS: list[str] = []
CLIPS = 6


def filled(workspace: Workspace) -> None:
    """A study with clips, slices, ratings, a finished run and its words; and another study."""
    study = studies.add_study(workspace, data())
    folder = workspace.study_folder(study) / "media"
    folder.mkdir()
    for name in data().samples["media"].tolist()[:CLIPS]:
        (folder / str(name)).write_bytes(b"RIFF")
    studies.set_media(workspace, study, suggested_media(str(folder), data().samples))
    store.create_run(workspace, study, config("late_fusion"), name="kept", jobs=1)
    other = studies.add_study(workspace, replace(data(), name="other"))
    store.create_run(workspace, other, config("late_fusion"), name="of the other", jobs=1)
    worker.work(workspace)
    slices.add_slice(workspace, study, "first", data().sample_ids[:5], origin="a table")
    design = replace(
        default_design(data()), clips_per_rater=2, raters_per_cell=1, attention=0, repeats=0
    )
    made = create_collection(workspace, study, design, clips=data().sample_ids[:4].tolist())
    TOKENS[:] = [made.invite(name=f"rater {i}", contact=f"{i}@example.org").token for i in (0, 1)]
    _rate(made, TOKENS[0], 2, lambda: None)
    finding = _findings(workspace, _run(workspace).id)[0]
    edit_finding(workspace, _run(workspace).id, finding, "In my own words.")


def _study(workspace: Workspace, name: str = "") -> str:
    wanted = name or data().name
    return next(s.id for s in studies.list_studies(workspace) if s.name == wanted)


def _run(workspace: Workspace, name: str = "kept") -> store.RunInfo:
    return next(run for run in store.list_runs(workspace) if run.name == name)


def _collection(workspace: Workspace) -> Collection:
    return collection_of(workspace, TOKENS[1])


def _rate(collection: Collection, token: str, count: int, shown: Shown) -> None:
    state = collection.consent(token)
    shown()
    for _ in range(count):
        if state.next is not None:
            item = collection.item(token, state.next)
            values = {f.key: f.high for f in item.fields}
            collection.save(token, item.position, item.clip, values, seconds=2.0, plays=1)
            shown()
            state = collection.state(token)


@cache  # Of the run that `filled` trains; reading writes nothing.
def _findings(workspace: Workspace, run_id: str) -> tuple[KeyFinding, ...]:
    result = RunFiles.of(workspace, run_id).read_result()
    return tuple(findings_first(find({run_id: result}, {run_id: "kept"}, data(), reference=run_id)))


# Studies


def _first_start(workspace: Workspace, shown: Shown) -> None:
    ensure_demo(workspace)
    shown()


@cache  # Reading writes nothing.
def _assembled(folder: Path) -> Assembly:
    files = find_sources([folder])
    return assemble(files, guess_mapping(files, is_proposal=True))


def _import(workspace: Workspace, shown: Shown) -> None:
    assembly = _assembled(workspace.root.parent / "in")
    known = studies.find_study(workspace, assembly.provenance())
    study = known or studies.add_study(
        workspace, assembly.dataset, problems=assembly.problems, provenance=assembly.provenance()
    )
    shown()
    studies.set_media(workspace, study, MediaSettings(str(workspace.root.parent / "in" / "clips")))
    shown()


def _files_to_import(workspace: Workspace) -> None:
    (workspace.root.parent / "in" / "clips").mkdir(parents=True)
    good_table(12).to_csv(workspace.root.parent / "in" / "table.csv", index=False)


def _slices(workspace: Workspace, shown: Shown) -> None:
    known = {s.name: s.id for s in slices.list_slices(workspace, _study(workspace))}
    ids = data().sample_ids[3:9]
    if "mine" not in known and "renamed" not in known:
        slices.add_slice(workspace, _study(workspace), "mine", ids, origin="a table")
        shown()
        known = {s.name: s.id for s in slices.list_slices(workspace, _study(workspace))}
    if "mine" in known:
        slices.rename_slice(workspace, known["mine"], "renamed")
        shown()
    if "first" in known:
        slices.delete_slice(workspace, known["first"])
        shown()


# Runs


def _queued(model: ModelKind) -> Callable[[Workspace], None]:
    def prepare(workspace: Workspace) -> None:
        store.create_run(workspace, _study(workspace), config(model), name="new", jobs=1)

    return prepare


def _train(workspace: Workspace, shown: Shown) -> None:
    worker.work(workspace)
    if _run(workspace, "new").is_finished:
        shown()


def _train_again(workspace: Workspace, shown: Shown) -> None:
    run = _run(workspace, "new")
    if run.status in ("crashed", "failed", "cancelled"):
        store.resume_run(workspace, run.id)
    worker.work(workspace)


def _half(workspace: Workspace) -> None:
    """A run that was stopped after some of its units and a fold."""
    _queued("smurf")(workspace)
    worker.work(workspace)
    run = _run(workspace, "new")
    folder = workspace.run_folder(run.id)
    for path in [*sorted((folder / "units").glob("*"))[::2], folder / "result.json",
                 *folder.glob("fold_1*"), *folder.glob("fold_2*")]:  # fmt: skip
        path.unlink(missing_ok=True)
    with workspace.connect() as connection:
        connection.execute("UPDATE run SET status = 'crashed' WHERE id = ?", (run.id,))


def _resume(workspace: Workspace, shown: Shown) -> None:
    _train_again(workspace, shown)
    if _run(workspace, "new").is_finished:
        shown()


def _manage(workspace: Workspace, shown: Shown) -> None:
    if [run for run in store.list_runs(workspace) if run.name == "kept"]:
        store.annotate_run(workspace, _run(workspace).id, "a note")
        shown()
        store.rename_run(workspace, _run(workspace).id, "renamed")
        shown()
    if "queued" not in {run.name for run in store.list_runs(workspace)}:
        store.create_run(workspace, _study(workspace), config("smurf"), name="queued")
        shown()


def _word(workspace: Workspace, shown: Shown) -> None:
    run = _run(workspace).id
    for finding in _findings(workspace, run)[:2]:
        edit_finding(workspace, run, finding, f"My words for {finding.name}.")
        shown()
        tick_finding(workspace, run, finding.name, in_report=False)
        shown()


def _predict(workspace: Workspace, shown: Shown) -> None:
    run = _run(workspace).id
    old = [saved for saved in list_predictions(workspace, run) if saved.name == "old.csv"]
    if not [saved for saved in list_predictions(workspace, run) if saved.name == "new.csv"]:
        found = RunFiles.of(workspace, run).read_result().predict(data())
        save_predictions(workspace, run, ["new.csv"], found)
        shown()
    for saved in old:
        delete_predictions(workspace, run, saved.id)
        shown()


def _predicted(workspace: Workspace) -> None:
    found = RunFiles.of(workspace, _run(workspace).id).read_result().predict(data())
    save_predictions(workspace, _run(workspace).id, ["old.csv"], found)


# Ratings


def _rating(workspace: Workspace, shown: Shown) -> None:
    collection = _collection(workspace)
    _rate(collection, TOKENS[1], 2, shown)
    changed = collection.item(TOKENS[1], 0)
    low = {f.key: f.low for f in changed.fields}
    collection.save(TOKENS[1], 0, changed.clip, low, revision=2)
    shown()


def _new_collection(workspace: Workspace, shown: Shown) -> None:
    study = _study(workspace, "other")
    if not list_collections(workspace, study):
        design = replace(default_design(data()), title="second", attention=0, repeats=0,
                         clips_per_rater=2)  # fmt: skip
        create_collection(workspace, study, design, clips=data().sample_ids[:3].tolist())
        shown()
    for info in list_collections(workspace, _study(workspace)):
        delete_collection(workspace, _study(workspace), info.id)
        shown()


def _withdraw(workspace: Workspace, shown: Shown) -> None:
    study = _study(workspace)
    collection = Collection(next(workspace.study_folder(study).glob("ratings/*")))
    if collection.knows(TOKENS[0]):
        collection.withdraw(TOKENS[0])
    shown()


def _use(workspace: Workspace, shown: Shown) -> None:
    use_ratings(workspace, _collection(workspace))
    shown()


# What leaves the workspace


def _out(workspace: Workspace, name: str) -> Path:
    return workspace.root.parent / "out" / name


def _export(workspace: Workspace, shown: Shown) -> None:
    for folder, write in {
        _out(workspace, "run"): lambda f: export_run(workspace, _run(workspace).id, f, "csv"),
        _out(workspace, "ratings"): lambda f: export_ratings(_collection(workspace), f),
    }.items():
        if not folder.exists():
            write(folder)
        shown()


@cache
def _report_of(run_id: str) -> dict[str, bytes]:
    return {}


def _report(workspace: Workspace, shown: Shown) -> None:
    made = _report_of(_run(workspace).id)
    if not made:
        made |= report_of(workspace, _run(workspace))
    if not _out(workspace, "report").exists():
        write_folder(_out(workspace, "report"), made)
    shown()


def _with_out(workspace: Workspace) -> None:
    _out(workspace, "").mkdir()


def _back_up(workspace: Workspace, shown: Shown) -> None:
    if not _out(workspace, "backup.zip").exists():
        archive.back_up(workspace, _out(workspace, "backup.zip"))
    shown()


def _backed_up(workspace: Workspace) -> None:
    """A backup of a filled workspace, and a workspace in its place that has other content."""
    _with_out(workspace)
    _back_up(workspace, lambda: None)
    store.rename_run(workspace, _run(workspace).id, "renamed since")


def _restore(workspace: Workspace, shown: Shown) -> None:
    names = {run.name for run in store.list_runs(workspace)}
    if "kept" not in names:
        archive.restore(_out(workspace, "backup.zip"), workspace, force=True)
    shown()


# Removal


def _delete_run(workspace: Workspace, shown: Shown) -> None:
    for run in store.list_runs(workspace):
        if run.name == "kept":
            store.delete_run(workspace, run.id)
            shown()
    store.purge_runs(workspace, older_than=-1)
    shown()


def _delete_study(workspace: Workspace, shown: Shown) -> None:
    for study in studies.list_studies(workspace):
        if study.name == data().name:
            studies.delete_study(workspace, study.id)
            shown()
    studies.purge_studies(workspace, older_than=-1)
    studies.recover_studies(workspace, older_than=-1)
    shown()


def _forget(*, delete_runs: bool) -> Work:
    def act(workspace: Workspace, shown: Shown) -> None:
        finish_forgetting(workspace)
        persons = data().persons
        assert persons is not None
        if studies.get_study(workspace, _study(workspace)).samples == len(data()):
            forget(workspace, _study(workspace), persons=[persons[0]], delete_runs=delete_runs)
        shown()

    return act


# Migrations


def _stored(version: int) -> Callable[[Workspace], None]:
    def prepare(workspace: Workspace) -> None:
        with zipfile.ZipFile(STORES / f"version_{version}.zip") as file:
            file.extractall(workspace.root)

    return prepare


def _open(workspace: Workspace, shown: Shown) -> None:
    studies.list_studies(workspace)
    shown()


SCENARIOS = (
    Scenario("first start", _first_start, is_filled=False),
    Scenario("import of files", _import, _files_to_import, may_repeat=True),
    Scenario("training, exclusive", _train, _queued("exclusive"), again=_train_again),
    Scenario("training, SMURF", _train, _queued("smurf"), again=_train_again),
    Scenario("resuming a run", _resume, _half),
    Scenario("run: note, name, queue", _manage),
    Scenario("findings: words, ticks", _word),
    Scenario("slices", _slices),
    Scenario("new samples", _predict, _predicted),
    Scenario("ratings: answers", _rating),
    Scenario("ratings: new, deleted", _new_collection),
    Scenario("ratings: withdrawal", _withdraw),
    Scenario("ratings: use", _use),
    Scenario("exports", _export, _with_out),
    Scenario("report", _report, _with_out),
    Scenario("backup", _back_up, _with_out),
    Scenario("restoring a backup", _restore, _backed_up),
    Scenario("deleting a run", _delete_run),
    Scenario("deleting a study", _delete_study),
    Scenario("forgetting a person", _forget(delete_runs=False), leaves_nothing=True),
    Scenario("forgetting, with runs", _forget(delete_runs=True), leaves_nothing=True),
    *(Scenario(f"migration of version {n}", _open, _stored(n), is_filled=False) for n in (1, 2, 3)),
)


def small_demo(**_: object) -> MultimodalDataset:
    """In place of the demo's data: few samples, so that a start has few steps."""
    return simulated_affect(samples=12, persons=6)
