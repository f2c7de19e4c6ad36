"""Reads the tables of a study, with classes, folds and raters in the form that a join needs."""

from __future__ import annotations

from collections.abc import Sequence

from smurf_core.data.importing.fold_columns import with_fold_columns, with_stacked_folds
from smurf_core.data.importing.raters import with_rows_per_sample
from smurf_core.data.importing.tables import Progress, read_tables
from smurf_core.data.importing.target_columns import with_class_columns
from smurf_core.data.readers.frames import ReadingOptions
from smurf_core.data.readers.interface import PREVIEW_ROWS, Table
from smurf_core.data.sources import SourceFile

# Files up to this total size are read whole to guess roles: persons, folds and counters show in
# all rows.
_WHOLE_BYTES = 4 * 1024**2


def read_study_tables(
    sources: Sequence[SourceFile],
    *,
    is_preview: bool = False,
    id_column: str = "",
    options: ReadingOptions | None = None,
    progress: Progress | None = None,
) -> tuple[Table, ...]:
    """The tables of a study, or for a preview of large files their first rows.

    Files of one fold each become one table, numbered columns of folds one column, columns that
    mark one class each one column of classes, and one row per rater one row per sample.
    """
    size = sum(source.path.stat().st_size for source in sources)
    tables = read_tables(
        sources,
        rows=PREVIEW_ROWS if is_preview and size > _WHOLE_BYTES else None,
        id_column=id_column,
        options=options,
        progress=progress,
    )
    stacked = with_fold_columns(with_stacked_folds(tables))
    return tuple(with_rows_per_sample(with_class_columns(stacked)))
