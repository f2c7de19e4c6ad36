"""Reads files of new samples with the features that a model needs. No target is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.data.dataset import Features, NewSamples
from smurf_core.data.importing.keys import single_keys
from smurf_core.data.importing.mapping import StudyMapping
from smurf_core.data.importing.matching import row_ids
from smurf_core.data.importing.near_ids import respelled
from smurf_core.data.importing.tables import bad_cell_problem, read_tables
from smurf_core.data.problems import Problem, listing, refuse_errors
from smurf_core.data.readers.frames import ReadingOptions
from smurf_core.data.readers.interface import Table
from smurf_core.data.readers.registry import study_reader
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError


def read_new_samples(
    sources: Sequence[SourceFile],
    features: Mapping[str, tuple[str, ...]],
    mapping: StudyMapping,
) -> NewSamples:
    """Read samples that a model was not trained on, from files like those of its study.

    Parameters
    ----------
    sources
        Files in any format that an import reads.
    features
        Modality → names of the features that the model needs. They are found by these names.
    mapping
        The roles of the study's columns: `id` and `person` are used for the new files.

    Returns
    -------
    NewSamples
        Features in the model's order; NaN if a file lacks one. `problems` describe what is missing.

    Raises
    ------
    InputError
        If no feature of the model is in the files, a cell contains text, or ids repeat.
    """
    if len(sources) == 1 and study_reader(sources[0]) is not None:
        return _of_study(sources[0], features, mapping)
    tables = read_tables(
        sources, id_column=mapping.id, options=ReadingOptions.from_dict(mapping.reading)
    )
    problems = [problem for table in tables for problem in table.problems]
    columns = {name: _columns(tables, name, needed) for name, needed in features.items()}
    if not any(columns.values()):
        first = next(iter(features.values()))
        files = listing(table.name for table in tables)
        raise InputError(
            f"{files}: none of the features that the model needs is in these files "
            f"({listing(first)}); "
            "give files with the columns that the study was imported from."
        )
    used = [table for table in tables if any(table.name in found for found in columns.values())]
    ids = _ids(used, mapping, problems)
    everyone = pd.Index(list(dict.fromkeys(i for index in ids.values() for i in index)))
    blocks = {}
    for modality, needed in features.items():
        values = np.full((len(everyone), len(needed)), np.nan, dtype=np.float32)
        for table in used:
            own = columns[modality].get(table.name, {})
            refuse_errors(
                bad_cell_problem(c, table.bad_cells[c])
                for c in own.values()
                if c in table.bad_cells
            )
            rows = everyone.get_indexer(ids[table.name])
            for feature, column in own.items():
                cells = pd.to_numeric(table.frame[column], errors="coerce").to_numpy(dtype=float)
                values[rows, needed.index(feature)] = cells
        values[~np.isfinite(values)] = np.nan
        problems += _missing(modality, needed, values)
        blocks[modality] = Features(values, needed)
    return NewSamples(
        features=blocks,
        sample_ids=everyone.to_numpy().astype(np.str_),
        persons=_persons(tables, mapping.person, everyone, ids),
        problems=tuple(problems),
    )


def aligned(
    features: Mapping[str, Features], needed: Mapping[str, tuple[str, ...]]
) -> tuple[dict[str, npt.NDArray[np.float32]], tuple[Problem, ...]]:
    """Features [n, d] in a model's order, found by name; missing ones are NaN and reported."""
    n = len(next(iter(features.values())).values)
    found, problems = {}, []
    for modality, names in needed.items():
        values = np.full((n, len(names)), np.nan, dtype=np.float32)
        given = features.get(modality)
        if given is not None:
            place = {name: d for d, name in enumerate(given.names)}
            for d, name in enumerate(names):
                if name in place:
                    values[:, d] = given.values[:, place[name]]
        problems += _missing(modality, names, values)
        found[modality] = values
    return found, tuple(problems)


def _of_study(
    source: SourceFile, features: Mapping[str, tuple[str, ...]], mapping: StudyMapping
) -> NewSamples:
    """Use the features of a file that is a whole study; its target is ignored."""
    reader = study_reader(source)
    if reader is None:
        raise InputError(f"{source.name} is not a whole study.")
    # Any target can be chosen: only features and persons are used.
    target = mapping.target or reader.targets(source)[0]
    dataset = reader.read(source, target=target).dataset
    values, problems = aligned(dataset.features, features)
    return NewSamples(
        features={name: Features(values[name], names) for name, names in features.items()},
        sample_ids=dataset.sample_ids,
        persons=dataset.persons,
        problems=problems,
    )


def _columns(
    tables: Sequence[Table], modality: str, needed: tuple[str, ...]
) -> dict[str, dict[str, str]]:
    """Table → feature → column. If several tables have a feature, the fullest column is used.

    A feature that several files of a modality had was named FILE_COLUMN at import.
    """
    found: dict[str, dict[str, str]] = {}
    for table in tables:
        stem = table.name.rpartition(".")[0] or table.name
        own = {}
        for feature in needed:
            for column in (feature, feature.removeprefix(f"{stem}_")):
                if column in table.frame.columns:
                    own[feature] = column
                    break
        if own:
            found[table.name] = own
    # A name such as "mean" may be in the tables of several modalities.
    ranked = sorted(found, key=lambda name: (modality not in name, -len(found[name])))
    taken: dict[str, dict[str, str]] = {}
    seen: set[str] = set()
    for name in ranked:
        own = {feature: column for feature, column in found[name].items() if feature not in seen}
        if own:
            taken[name] = own
            seen |= set(own)
    return taken


def _ids(
    tables: Sequence[Table], mapping: StudyMapping, problems: list[Problem]
) -> dict[str, pd.Index[str]]:
    """Ids of each table's rows, matched as at import; row numbers if no table names its samples."""
    columns = {column for table in tables for column in table.columns}
    if not set(mapping.id_columns) <= columns:
        mapping = replace(mapping, id="")
    matched = row_ids(tables, tables[0], mapping)
    problems += [p for p in matched.problems if len(tables) > 1]
    if not matched.columns(tables[0].name):
        numbers = pd.Index([f"row {k + 1}" for k in range(len(tables[0].frame))])
        return {table.name: numbers for table in tables}
    return matched.of_table


def _persons(
    tables: Sequence[Table],
    column: str,
    everyone: pd.Index[str],
    ids: Mapping[str, pd.Index[str]],
) -> npt.NDArray[np.str_] | None:
    """The person of each sample, if a table names it for all samples."""
    for table in tables:
        if not column or column not in table.frame.columns:
            continue
        index = ids.get(table.name)
        if index is None:
            named = [key for key in single_keys(table) if key.is_named]
            if not named:
                continue
            index = respelled(everyone, named[0].ids, table.name).ids
        cells = pd.Series(table.text(column).to_numpy(), index=index)
        persons = cells[~cells.index.duplicated()].reindex(everyone)
        if persons.notna().all():
            return persons.to_numpy().astype(np.str_)
    return None


def _missing(
    modality: str, needed: tuple[str, ...], values: npt.NDArray[np.float32]
) -> list[Problem]:
    is_empty = np.isnan(values).all(axis=0)
    if is_empty.all():
        message = f"No file contains modality {modality!r}."
        return [Problem("warning", message, remedy="It counts as absent for all samples.")]
    if not is_empty.any():
        return []
    names = listing(np.array(needed)[is_empty])
    message = f"Modality {modality!r}: {is_empty.sum()} of {len(needed)} features are missing "
    remedy = "The training samples' means are used."
    return [Problem("warning", f"{message}({names}).", remedy=remedy)]
