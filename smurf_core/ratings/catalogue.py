"""The collections of a study: made, listed, found by a rater's link, deleted."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from smurf_core.durable import flush, partial_name, remove_folder
from smurf_core.errors import InputError
from smurf_core.people.guard import guarded, machine_only
from smurf_core.ratings.database import transaction
from smurf_core.ratings.design import Design, check_design, design_text
from smurf_core.ratings.store import Collection
from smurf_core.ratings.tables import counts
from smurf_core.runs.disk import said_in_words
from smurf_core.runs.studies import get_study, load_study
from smurf_core.runs.workspace import Workspace, is_id, new_id

UNKNOWN_LINK = "This link is not valid: ask the person who sent it for another one."


@dataclass(frozen=True)
class CollectionInfo:
    """A collection in lists."""

    id: str
    study_id: str
    title: str
    created: float  # seconds since 1970, UTC
    version: int  # of its design
    raters: int  # who began and did not withdraw
    answers: int  # of clips, practice and checks not counted
    items: int  # answers that the plan needs
    is_open: bool
    is_simulated: bool


@guarded("editor")
def create_collection(
    workspace: Workspace,
    study_id: str,
    design: Design,
    *,
    clips: Sequence[str] | None = None,
    is_simulated: bool = False,
) -> Collection:
    """Begin a collection of ratings of a study; raises `InputError` if the design does not fit.

    `clips` replaces the design's choice. `is_simulated` marks ratings that a program makes.
    """
    from smurf_core.ratings.clips import chosen_clips  # What reads runs: raters' server needs none.

    get_study(workspace, study_id)
    chosen = chosen_clips(workspace, study_id, design) if clips is None else tuple(clips)
    check_design(design, load_study(workspace, study_id), chosen)
    folder = _root(workspace, study_id) / new_id()
    partial = partial_name(folder)  # Lists show a collection when it is whole.
    facts = {
        "study": study_id,
        "created": repr(time.time()),
        "is_open": "1",
        "is_simulated": str(int(is_simulated)),
    }
    with said_in_words(workspace.root):
        try:
            partial.mkdir(parents=True)
            with transaction(partial / "ratings.sqlite") as connection:
                connection.executemany("INSERT INTO fact VALUES (?, ?)", facts.items())
                connection.execute(
                    "INSERT INTO design VALUES (1, ?, ?, ?, ?)",
                    (design.fingerprint, design_text(design), json.dumps(chosen), time.time()),
                )
            flush(partial)
            os.rename(partial, folder)
            flush(folder.parent)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return Collection(folder)


@guarded("editor", audited=False)
def open_collection(workspace: Workspace, study_id: str, collection_id: str) -> Collection:
    """One collection of a study; raises `InputError` if there is none."""
    if is_id(collection_id):
        folder = _root(workspace, study_id) / collection_id
        if (folder / "ratings.sqlite").is_file():
            return Collection(folder)
    raise InputError(
        f"There is no collection {collection_id[:40]!r} of ratings in this study; choose one from "
        "the list."
    )


@guarded("viewer")
def list_collections(workspace: Workspace, study_id: str) -> list[CollectionInfo]:
    """A study's collections, newest first."""
    found = [collection_info(Collection(path.parent)) for path in _files(workspace, study_id)]
    return sorted(found, key=lambda info: info.created, reverse=True)


def collection_info(collection: Collection) -> CollectionInfo:
    """What lists show of a collection."""
    version = collection.design_version()
    raters, answers = counts(collection)
    return CollectionInfo(
        id=collection.id,
        study_id=collection.fact("study"),
        title=version.design.title,
        created=float(collection.fact("created")),
        version=version.number,
        raters=raters,
        answers=answers,
        items=version.plan.items,
        is_open=collection.is_open,
        is_simulated=collection.is_simulated,
    )


@machine_only
def collection_of(workspace: Workspace, token: str) -> Collection:
    """The collection of a rater's link; raises `InputError` for every link that is not valid.

    A token names its collection, and is looked up in that collection alone. Nothing says whether
    the collection or the rater is unknown.
    """
    collection_id, _, secret = token.partition("-")
    if is_id(collection_id) and secret:
        for path in (workspace.root / "studies").glob(f"*/ratings/{collection_id}/ratings.sqlite"):
            collection = Collection(path.parent)
            if collection.knows(token):
                return collection
    raise InputError(UNKNOWN_LINK)


@guarded("owner")
def delete_collection(workspace: Workspace, study_id: str, collection_id: str) -> None:
    """Remove a collection with all answers and identities, for good."""
    with said_in_words(workspace.root):
        remove_folder(open_collection(workspace, study_id, collection_id).folder)


def _root(workspace: Workspace, study_id: str) -> Path:
    return workspace.study_folder(study_id) / "ratings"


def _files(workspace: Workspace, study_id: str) -> list[Path]:
    return [p for p in _root(workspace, study_id).glob("*/ratings.sqlite") if is_id(p.parent.name)]
