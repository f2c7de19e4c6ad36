"""A collection as tidy files, with codebook, design and an R script. Who raters are stays out."""

from __future__ import annotations

import time
from pathlib import Path

import pandas as pd

from smurf_core.errors import InputError
from smurf_core.ratings.agreement import agreement_table
from smurf_core.ratings.answers import all_fields
from smurf_core.ratings.design import Design, design_text
from smurf_core.ratings.quality import rater_quality
from smurf_core.ratings.store import Collection
from smurf_core.ratings.tables import act_table, answer_table, rater_table
from smurf_core.ratings.traces.account import trace_account
from smurf_core.ratings.traces.collected import has_traces, trace_sets, trace_table
from smurf_core.ratings.use import comparable_answers
from smurf_core.runs.exporting import write_folder
from smurf_core.runs.table_files import FORMATS, table_bytes

_R_SCRIPT = "analysis.R"
_COLUMNS = {
    "rater": "number of the rater; who it is is not part of an export",
    "version": "version of the design that the rater had",
    "position": "place in the rater's list, from 1",
    "kind": "clip; practice, repeat and attention do not count",
    "clip": "sample id of the study",
    "condition": "how the clip was shown",
    "modalities": "modalities that the condition shows, joined by +",
    "scale": "name of the scale",
    "key": "field of the answer: the scale, its intensity, or one modality's level",
    "measure": "nominal, ordinal or interval",
    "value": "the answer; the code where it is a word",
    "label": "the word of a code, or empty",
    "wanted": "attention: the answer that was asked for",
    "excluded": "True if the rater was excluded (see acts)",
    "seconds": "from the end of the first play to the answer",
    "plays": "how often the clip was played",
    "saved": "time of saving, UTC, ISO 8601",
    "origin": "people, or simulated: made by a program",
}
_OTHER_COLUMNS = {
    "clips": "agreement: clips with a rating",
    "shared": "agreement: clips with two ratings or more",
    "raters": "agreement: raters",
    "ratings": "agreement: ratings",
    "per_clip": "agreement: mean number of ratings of a clip",
    "icc_single": "agreement: ICC(2,1), of single ratings; _low and _high are its 95% interval",
    "icc": "agreement: ICC(2,k), of mean ratings; _low and _high are its 95% interval",
    "alpha": "agreement: Krippendorff's alpha; _low and _high are its 95% interval",
    "status": "raters: invited, rating, finished, left, excluded or withdrew",
    "answered": "raters: answers to all kinds of items",
    "items": "raters: length of the list",
    "longest_run": "raters: most equal answers in a row",
    "spread": "raters: standard deviation of the answers, over that of the usual rater",
    "pace": "raters: time per answer, over that of the usual rater",
    "attention_failed": "raters: failed checks",
    "attention_asked": "raters: checks that were answered",
    "repeats": "raters: clips that were rated a second time",
    "repeat_difference": "raters: mean difference of a repeat, as a share of the scale",
    "drift": "raters: change over the list against other raters, as a share of the scale",
    "drift_p": "raters: p of the drift",
    "agreement": "raters: correlation with the mean of the other raters",
    "marks": "raters: what looks careless, in words; nobody is excluded by it",
    "time": "acts: UTC, ISO 8601; in traces, see there",
    "what": "acts: what was done",
    "why": "acts: the reason that was given",
}
_TRACE_COLUMNS = {
    "take": "traces: number of the play of the clip, from 1",
    "counts": "traces: True for the newest complete play by a rater who counts",
    "length": "traces: length of the clip, in seconds",
    "time": "traces: time of the player, in seconds from the clip's start",
    "lag": "lags: seconds after the average rater",
    "r": "lags: correlation with the mean of the other raters at this lag",
    "p": "lags: of surrogates with random phases, corrected by Holm",
    "reach": "lags: the longest lag that could be found, in seconds",
    "verdict": "lags: lag, bound (cannot be said), no agreement, still or alone",
}


def export_ratings(
    collection: Collection, folder: Path, format: str = "csv", *, with_identities: bool = False
) -> list[Path]:
    """Write a collection to a new folder and return the files that were written.

    `ratings` has one row per number that a rater gave, `agreement` and `raters` are those of
    `agreement_table` and `rater_quality`, `acts` what was done (exclusions with reasons), `traces`
    has one row per sample of a trace and `lags` the lag of each rater (with a continuous scale),
    `codebook` describes columns and values, `design.yaml` the newest design, with older versions
    beside it. With CSV, `analysis.R` computes means and agreement again. Names and contacts are
    written to `identities` only `with_identities`.

    Raises `InputError` for an unknown format, or if the folder exists.
    """
    if format not in FORMATS:
        raise InputError(f"No format {format!r}; there are {', '.join(FORMATS)}.")
    if folder.exists():
        raise InputError(f"{folder} exists; name a new folder.")
    versions = collection.design_versions()
    newest = versions[-1].design
    tables = {
        "ratings": ratings_table(collection),
        "agreement": agreement_table(newest, comparable_answers(collection)),
        "raters": _raters(collection, newest),
        "acts": _with_times(act_table(collection), "time"),
        "codebook": codebook(newest, collection.is_simulated),
    }
    if any(has_traces(version.design) for version in versions):
        tables["traces"] = traces_table(collection)
        tables["lags"] = lags_table(collection)
    if with_identities:
        tables["identities"] = collection.identities()
    files = {f"{name}.{format}": table_bytes(table, format) for name, table in tables.items()}
    files["design.yaml"] = design_text(newest).encode()
    for version in versions[:-1]:
        files[f"design_version_{version.number}.yaml"] = design_text(version.design).encode()
    if format == "csv":
        files[_R_SCRIPT] = Path(__file__).with_name(_R_SCRIPT).read_bytes()
    return write_folder(folder, files)


def ratings_table(collection: Collection) -> pd.DataFrame:
    """`answer_table` for other programs: words of codes, times as text, positions from 1."""
    table = _with_times(answer_table(collection), "saved")
    choices = {
        (version.number, key): field.choices
        for version in collection.design_versions()
        for key, field in all_fields(version.design).items()
    }
    words = [
        choices[version, key][int(value)] if choices[version, key] else ""
        for version, key, value in zip(table["version"], table["key"], table["value"], strict=True)
    ]
    origin = "simulated" if collection.is_simulated else "people"
    table = table.assign(position=table["position"] + 1, label=words, origin=origin)
    return table[list(_COLUMNS)]


def traces_table(collection: Collection) -> pd.DataFrame:
    """`trace_table` for other programs: times of saving as text, positions from 1."""
    table = _with_times(trace_table(collection), "saved")
    origin = "simulated" if collection.is_simulated else "people"
    return table.assign(position=table["position"] + 1, origin=origin)


def lags_table(collection: Collection) -> pd.DataFrame:
    """Lags of the raters of each continuous scale (`trace_lags`), with the scale's name."""
    columns = ["scale", "rater", "clips", "lag", "r", "p", "reach", "verdict"]
    accounts = [trace_account(traces) for traces in trace_sets(collection)]
    parts = [
        found.lags.assign(scale=found.traces.scale.name)
        for found in accounts
        if found.lags is not None
    ]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def codebook(design: Design, is_simulated: bool) -> pd.DataFrame:
    """Columns of all tables, then every field: name, what, low, high, values."""
    rows: list[tuple[str, str, float | None, float | None, str]] = [
        (name, what, None, None, "") for name, what in (_COLUMNS | _OTHER_COLUMNS).items()
    ]
    for key, field in all_fields(design).items():
        scale = field.scale
        values = "; ".join(f"{code} = {word}" for code, word in enumerate(field.choices))
        if scale.is_numeric:
            values = " … ".join(scale.labels)
        what = f"{scale.kind}, {field.measure}: {scale.question}"
        what += f" ({field.modality})" if field.modality else ""
        what += f" Measures {scale.measures}." if scale.measures else ""
        rows.append((f"key {key}", what, field.low, field.high, values))
    for scale in design.scales:
        if scale.is_continuous:
            what = f"continuous, in traces: {scale.question}"
            rows.append((f"scale {scale.name}", what, scale.low, scale.high,
                         " … ".join(scale.labels)))  # fmt: skip
    if has_traces(design):
        rows += [(name, what, None, None, "") for name, what in _TRACE_COLUMNS.items()]
    for condition in design.conditions:
        shown = ", ".join(condition.modalities)
        rows.append((f"condition {condition.name}", f"{condition.form}: {shown}", None, None, ""))
    if is_simulated:
        rows.append(("origin", "All ratings were made by a program.", None, None, "simulated"))
    return pd.DataFrame(rows, columns=["name", "what", "low", "high", "values"])


def _raters(collection: Collection, design: Design) -> pd.DataFrame:
    table = rater_table(collection)
    quality = rater_quality(design, comparable_answers(collection))
    if quality.empty:
        return table
    return table.merge(quality.drop(columns=["excluded", "answers"]), on="rater", how="left")


def _with_times(table: pd.DataFrame, column: str) -> pd.DataFrame:
    moments = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t)) for t in table[column]]
    return table.assign(**{column: pd.Series(moments, index=table.index, dtype="str")})
