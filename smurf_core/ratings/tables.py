"""Tables of a collection: answers, raters, progress, and what was done."""

from __future__ import annotations

import hashlib
import json
import sqlite3

import pandas as pd

from smurf_core.ratings.answers import all_fields
from smurf_core.ratings.database import connected
from smurf_core.ratings.rows import VALID, version_of, wanted_answer
from smurf_core.ratings.store import Collection


def act_table(collection: Collection) -> pd.DataFrame:
    """What was done, in order: time (seconds since 1970, UTC), what, rater, why."""
    with connected(collection.path) as connection:
        rows = connection.execute("SELECT time, what, rater, why FROM act ORDER BY id")
        found = [tuple(row) for row in rows]
    return pd.DataFrame(found, columns=["time", "what", "rater", "why"]).astype({"rater": "Int64"})


def counts(collection: Collection) -> tuple[int, int]:
    """Raters who began and did not withdraw, and answers to clips by those who count."""
    with connected(collection.path) as connection:
        (raters,) = connection.execute(
            "SELECT count(*) FROM rater WHERE consented IS NOT NULL AND withdrawn IS NULL"
        ).fetchone()
        (answers,) = connection.execute(
            "SELECT count(*) FROM answer JOIN item USING (rater, position) JOIN rater"  # noqa: S608
            f" ON rater.id = answer.rater WHERE kind = 'clip' AND {VALID}"
        ).fetchone()
    return raters, answers


def stamp(collection: Collection) -> str:
    """A text that changes whenever an answer, a rater or the design does."""
    with connected(collection.path) as connection:
        parts = connection.execute(
            "SELECT (SELECT count(*) FROM answer), (SELECT max(saved) FROM answer),"
            " (SELECT sum(revision) FROM answer), (SELECT count(*) FROM act),"
            " (SELECT count(*) FROM trace), (SELECT max(saved) FROM trace),"
            " (SELECT count(*) FROM rater), (SELECT count(*) FROM item),"
            " (SELECT max(created) FROM design)"
        ).fetchone()
    return hashlib.sha256(repr(tuple(parts)).encode()).hexdigest()[:16]


def rater_table(collection: Collection) -> pd.DataFrame:
    """One row per rater: rater, status, answered, items, seconds (median), version.

    Status: invited, rating, finished, left, excluded or withdrew.
    """
    with connected(collection.path) as connection:
        rows = connection.execute(
            "SELECT rater.*, count(item.position) AS items, count(answer.position) AS answered"
            " FROM rater LEFT JOIN item ON item.rater = rater.id"
            " LEFT JOIN answer ON answer.rater = rater.id AND answer.position = item.position"
            " GROUP BY rater.id ORDER BY rater.id"
        ).fetchall()
    found = [(r["id"], _status(r), r["answered"], r["items"], r["version"]) for r in rows]
    names = ["rater", "status", "answered", "items", "version"]
    return pd.DataFrame(found, columns=names).astype({"version": "Int64"})


def answer_table(collection: Collection) -> pd.DataFrame:
    """One row per number that a rater gave, in the order of raters and positions.

    Columns: rater, version, position, kind, clip, condition, modalities (joined by +), scale,
    key (of the answer's field), measure, value, wanted (of attention items), excluded, seconds,
    plays, saved. Withdrawn raters have none; excluded ones are marked.
    """
    versions = {v.number: v.design for v in collection.design_versions()}
    fields = {number: all_fields(design) for number, design in versions.items()}
    with connected(collection.path) as connection:
        rows = connection.execute(
            "SELECT answer.*, kind, clip, condition, wanted, version, excluded FROM answer"
            " JOIN item USING (rater, position) JOIN rater ON rater.id = answer.rater"
            " ORDER BY answer.rater, answer.position"
        ).fetchall()
    found = []
    for row in rows:
        design = versions[row["version"]]
        modalities = "+".join(design.condition(row["condition"]).modalities)
        wanted = wanted_answer(design, row["condition"], row["wanted"]) or {}
        for key, value in json.loads(row["answers"]).items():
            field = fields[row["version"]][key]
            found.append(
                (
                    row["rater"], row["version"], row["position"], row["kind"], row["clip"],
                    row["condition"], modalities, field.scale.name, key, field.measure, value,
                    wanted.get(key), row["excluded"] is not None, row["seconds"], row["plays"],
                    row["saved"],
                )
            )  # fmt: skip
    columns = [
        "rater", "version", "position", "kind", "clip", "condition", "modalities", "scale",
        "key", "measure", "value", "wanted", "excluded", "seconds", "plays", "saved",
    ]  # fmt: skip
    table = pd.DataFrame(found, columns=columns)
    return table.astype({"wanted": float, "seconds": float, "plays": "Int64", "value": float})


def progress_table(collection: Collection) -> pd.DataFrame:
    """One row per clip × condition of the newest design: clip, condition, needed, rated, open.

    `rated` counts answers of raters who are not excluded; `open` what nobody is to rate yet.
    """
    with connected(collection.path) as connection:
        version = version_of(connection)
        rows = connection.execute(
            "SELECT clip, condition, count(answer.position) AS rated, count(*) AS given"  # noqa: S608
            " FROM item JOIN rater ON rater.id = item.rater LEFT JOIN answer"
            " USING (rater, position)"
            f" WHERE kind = 'clip' AND version = ? AND {VALID} GROUP BY clip, condition",
            (version.number,),
        ).fetchall()
    counts = {(r["clip"], r["condition"]): (r["rated"], r["given"]) for r in rows}
    needed = version.design.raters_per_cell
    found = []
    for clip in version.clips:
        for condition in version.plan.conditions:
            rated, given = counts.get((clip, condition), (0, 0))
            found.append((clip, condition, needed, rated, max(needed - given, 0)))
    return pd.DataFrame(found, columns=["clip", "condition", "needed", "rated", "open"])


def _status(row: sqlite3.Row) -> str:
    for column, status in (("withdrawn", "withdrew"), ("excluded", "excluded")):
        if row[column] is not None:
            return status
    if row["consented"] is None:
        return "invited"
    if row["answered"] == row["items"] and row["left"] is None:
        return "finished"
    return "rating" if row["left"] is None else "left"
