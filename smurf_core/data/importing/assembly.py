"""Makes one data set from files and a mapping, and records all changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pandas as pd

from smurf_core.data.dataset import MultimodalDataset
from smurf_core.data.folds import fold_problems
from smurf_core.data.importing.evidence import JoinEvidence
from smurf_core.data.importing.guessing import guess_mapping
from smurf_core.data.importing.join_view import join_sentences
from smurf_core.data.importing.joining import join
from smurf_core.data.importing.mapping import StudyMapping
from smurf_core.data.importing.matching import TableJoin
from smurf_core.data.importing.recoding import read_study_tables
from smurf_core.data.importing.tables import Progress
from smurf_core.data.importing.whole_targets import read_whole_study
from smurf_core.data.problems import Problem, listing, refuse_errors
from smurf_core.data.readers.frames import ReadingOptions
from smurf_core.data.readers.id_lists import id_lists
from smurf_core.data.readers.interface import Table
from smurf_core.data.readers.registry import reader_title, whole_study
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError

__all__ = ["Assembly", "Provenance", "SourceFile", "StudyMapping", "assemble", "guess_mapping"]

# Progress after reading and after joining.
_READING, _JOINED = 0.6, 0.95


_JOIN_COUNTS = ("table", "rows", "matched", "absent", "extra")


@dataclass(frozen=True)
class Provenance:
    """Where data came from: a file, identified by its checksum, and how it was read."""

    name: str
    sha256: str
    bytes: int
    reader: str
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Assembly:
    """A data set, the problems and changes of the import, and the files it was made of."""

    dataset: MultimodalDataset
    problems: tuple[Problem, ...]
    mapping: StudyMapping
    sources: tuple[Provenance, ...]
    joins: tuple[TableJoin, ...] = ()  # None for a file that is a whole study
    evidence: JoinEvidence = field(default_factory=JoinEvidence)
    # Some rows of all tables as they stand together; empty for a whole study.
    joined_rows: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def join_sentences(self) -> tuple[str, ...]:
        """How the samples of the tables were identified, for people."""
        return join_sentences(self.evidence, self.joins)

    def provenance(self) -> dict[str, Any]:
        """Plain data for JSON: the files and the mapping that make the same data set again."""
        return {
            "sources": [asdict(source) for source in self.sources],
            "mapping": self.mapping.to_dict(),
            "joins": [{name: getattr(join, name) for name in _JOIN_COUNTS} for join in self.joins],
        }


def assemble(
    sources: Sequence[SourceFile],
    mapping: StudyMapping | None = None,
    *,
    progress: Progress | None = None,
    unread: Sequence[Problem] = (),
) -> Assembly:
    """Read files, join them by sample id, check and clean them.

    Without a mapping, a guess is used. `progress` receives the share of the work that is done and
    the next step. `unread` are files of the same folders that are left out, for the list of
    problems. Raises `InputError` if the data cannot be used, in one sentence that names file,
    column and row.
    """
    mapping = mapping or guess_mapping(sources)
    sources = [source for source in sources if mapping.role_of(source.name) != "ignore"]
    if not sources:
        raise InputError("No file was given.")
    reader = whole_study(sources)
    if reader is not None:
        study = read_whole_study(reader, sources[0], mapping.target, mapping.targets)
        dataset = _as_asked(study.dataset, mapping, sources[0])
        problems = (*study.problems, *fold_problems(dataset))
        refuse_errors(problems)
        origins = tuple(_provenance(source, reader.title, {}) for source in sources)
        return Assembly(dataset, problems, mapping, origins)
    report = progress or (lambda share, what: None)
    tables = read_study_tables(
        sources,
        id_column=mapping.id,
        options=ReadingOptions.from_dict(mapping.reading),
        progress=lambda share, what: report(_READING * share, what),
    )
    report(_READING, "Joining and cleaning")
    joined = join(tables, mapping)
    report(_JOINED, "Noting where it came from")
    options = _options_by_file(tables)
    lists = {source.name for source in id_lists(sources).values()}
    origins = tuple(
        _provenance(
            source,
            "ids" if source.name in lists else reader_title(source),
            dict(options.get(source.name, {})),
        )
        for source in sources
    )
    report(1.0, "Imported")
    notes = (*(str(problem) for problem in unread), *joined.dataset.notes)
    return Assembly(
        replace(joined.dataset, notes=notes),
        (*unread, *joined.problems),
        joined.mapping,
        origins,
        joined.joins,
        joined.evidence,
        joined.rows,
    )


def _as_asked(
    dataset: MultimodalDataset, mapping: StudyMapping, source: SourceFile
) -> MultimodalDataset:
    """A whole study, whose file defines its roles, without the roles that are switched off."""
    named = [role for role in mapping.role_columns if not role.startswith("target")]
    if named:
        raise InputError(
            f"{source.name} is a whole study and defines its roles itself: {listing(named)} cannot "
            "be named, only switched off."
        )
    off = mapping.switched_off
    return replace(
        dataset,
        name=mapping.name or dataset.name,
        persons=None if "person" in off else dataset.persons,
        folds=None if off & {"fold", "split"} else dataset.folds,
        samples=dataset.samples.drop(columns=[c for c in dataset.samples.columns if c in off]),
        judgments={} if "judgments" in off else dataset.judgments,
        ratings={} if "judgments" in off else dataset.ratings,
        informativeness={} if "informativeness" in off else dataset.informativeness,
    )


def _options_by_file(tables: Sequence[Table]) -> dict[str, Mapping[str, str]]:
    """How each file was read: the options of the table that it became or is part of."""
    options: dict[str, Mapping[str, str]] = {}
    for table in tables:
        files = (table.name.partition(":")[0], *(file for file, _ in table.parts), *table.origins)
        options |= dict.fromkeys(files, table.options)
    return options


def _provenance(source: SourceFile, reader: str, options: dict[str, str]) -> Provenance:
    size = source.path.stat().st_size
    return Provenance(source.name, source.checksum(), size, reader, tuple(options.items()))
