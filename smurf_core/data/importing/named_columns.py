"""Checks that the columns which a mapping names are there, before tables are joined."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from smurf_core.data.importing.features import why_no_feature
from smurf_core.data.importing.mapping import StudyMapping
from smurf_core.data.importing.tables import is_number
from smurf_core.data.problems import listing
from smurf_core.data.readers.interface import Table
from smurf_core.errors import InputError


def check_columns(tables: Sequence[Table], mapping: StudyMapping) -> None:
    """Raise an error if a column of the mapping is missing, or if there is nothing to learn."""
    columns = [column for table in tables for column in table.columns]
    files = listing(table.name for table in tables)
    kept = {f"samples ({column})": column for column in mapping.samples}
    for role, column in {**mapping.role_columns, **kept}.items():
        if column not in columns:
            near = get_close_matches(column, columns, n=1) or columns[:5]
            raise InputError(
                f"{files}: there is no column {column!r} for the role of {role}; there is "
                f"{listing(near, 5)}."
            )
    if "target" in mapping.switched_off:
        raise InputError(f"{files}: a study needs a target: name its column.")
    if not mapping.target:
        raise InputError(
            f"{files}: no column has a usual name of a target ({listing(columns, 6)}); say which "
            "one is."
        )
    if len(mapping.modalities) < 2:
        found = listing(mapping.modalities) or "none"
        raise InputError(
            f"{files}: at least 2 modalities are needed, and {found} was found; give columns "
            "prefixes such as audio_ and video_, give one file per modality, or say which "
            f"columns belong to which.{_left_out(tables, mapping)}"
        )


def _left_out(tables: Sequence[Table], mapping: StudyMapping) -> str:
    """The columns of numbers that are no features, and why."""
    roles = set(mapping.role_columns.values())
    reasons = [
        f"{column} ({why})"
        for table in tables
        for column in table.columns
        if column not in roles
        and is_number(table.frame[column])
        and (why := why_no_feature(table, column, mapping))
    ]
    return f" No features are: {listing(reasons, 4)}." if reasons else ""
