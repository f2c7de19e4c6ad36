"""Joins tables by sample id into one data set, as a mapping defines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.data.cleaning import clean_features
from smurf_core.data.dataset import Features, Folds, MultimodalDataset
from smurf_core.data.folds import fold_problems
from smurf_core.data.importing.evidence import JoinEvidence
from smurf_core.data.importing.features import why_no_feature
from smurf_core.data.importing.further_targets import Encoded, encoded, without_all_giveaways
from smurf_core.data.importing.giveaways import target_codes
from smurf_core.data.importing.given_outputs import joined_outputs
from smurf_core.data.importing.guessing import known_role
from smurf_core.data.importing.join_view import joined_rows
from smurf_core.data.importing.mapping import StudyMapping
from smurf_core.data.importing.matching import TableJoin, row_ids
from smurf_core.data.importing.named_columns import check_columns
from smurf_core.data.importing.protocols import read_folds
from smurf_core.data.importing.ratings import informativeness_codes, mean_rating
from smurf_core.data.importing.role_notes import role_problems, spelled_alike
from smurf_core.data.importing.tables import (
    SPLIT_COLUMN,
    bad_cell_problem,
    is_number,
    numbers_at,
)
from smurf_core.data.importing.targets import encode_target, has_target
from smurf_core.data.problems import Problem, listing, refuse_errors
from smurf_core.data.readers.interface import Table
from smurf_core.errors import InputError

_CARRIED_ROLES = ("transcript", "start", "end", "media")  # names of columns stored with the samples
_MAX_CARRIED = 100  # columns without a role that are stored with the samples


@dataclass(frozen=True)
class Joined:
    """A data set, the problems and changes of the import, and how the tables matched."""

    dataset: MultimodalDataset
    problems: tuple[Problem, ...]
    joins: tuple[TableJoin, ...]
    mapping: StudyMapping  # with the key that was chosen
    evidence: JoinEvidence
    rows: pd.DataFrame  # some rows of all tables as they stand together


def join(tables: Sequence[Table], mapping: StudyMapping) -> Joined:
    """Join tables to the one with the target; raises `InputError` if they cannot be used."""
    return _Joiner(tables, mapping).joined()


class _Joiner:
    """Joins tables by sample id to the table with the target, step by step."""

    def __init__(self, tables: Sequence[Table], mapping: StudyMapping) -> None:
        # Labels come first: a column that several tables have is taken from there.
        self.tables = sorted(
            (t for t in tables if known_role(t, mapping) != "ignore"),
            key=lambda table: known_role(table, mapping) not in ("labels", "mixed"),
        )
        self.mapping = mapping
        self.problems: list[Problem] = [p for table in tables for p in table.problems]
        self._columns: dict[tuple[str, str], list[str]] = {}
        check_columns(self.tables, mapping)
        self.base = self._table_with(mapping.target)
        self.rows = row_ids(self.tables, self.base, mapping)
        is_named = mapping.id and "id" not in mapping.guessed
        chosen = mapping.id if is_named else self.rows.id
        self.mapping = replace(mapping, id=chosen, guessed=mapping.guessed - {"id"})
        self.ids = self.rows.of_table
        self.problems += self.rows.problems

    def joined(self) -> Joined:
        """The data set, cleaned and checked."""
        mapping, base = self.mapping, self.base
        values = base.frame[mapping.target]
        rows = np.flatnonzero(has_target(values))
        if mapping.target not in base.bad_cells:
            self._note_dropped(len(values) - len(rows), "have no target")
        blocks = {name: self._block(name, self.ids[base.name][rows]) for name in mapping.modalities}
        is_recorded = np.zeros(len(rows), dtype=bool)
        for block in blocks.values():
            is_recorded |= ~np.isnan(block.values).all(axis=1)
        self._note_dropped(int((~is_recorded).sum()), "are in no table of features")
        rows = rows[is_recorded]
        target = encode_target(base, mapping.target, values.iloc[rows], mapping.task)
        self.problems += target.problems
        ids = self.ids[base.name][rows]
        persons = self._persons(rows, ids)
        folds = self._folds(rows, ids, persons)
        if not is_recorded.all():
            blocks = {n: Features(b.values[is_recorded], b.names) for n, b in blocks.items()}
        further = self._further_targets(ids)
        checks = without_all_giveaways(
            blocks, target, further, persons=persons, rows=rows, named=mapping.modalities,
            files={name: listing(self._files_of(name)) for name in blocks},
        )  # fmt: skip
        self.problems += [p for checked in checks.values() for p in checked.problems]
        blocks = {name: checked.features for name, checked in checks.items()}
        del checks  # Each modality is let go of as soon as it is cleaned.
        features = self._features(blocks, folds)
        samples = self._samples(ids)
        ratings = self._ratings(ids)
        judgments = {
            shown: mean_rating(given)
            for shown, given in ratings.items()
            if shown != set(mapping.modalities)  # raters of everything rate the target itself
        } | {
            frozenset(shown): self._numbers(column, ids)
            for column, shown in mapping.judgments.items()
        }
        informativeness = {
            modality: informativeness_codes(
                self._aligned(column, ids),
                where=f"{self._table_with(column).name}, column {column!r}",
            )
            for modality, column in mapping.informativeness.items()
        }
        with_outputs = joined_outputs(
            features, self._outputs(ids), classes=target.class_names, where=self.base.name
        )
        lost = {m for shown in judgments for m in shown} | set(informativeness)
        lost -= set(features)
        if lost:
            raise InputError(
                f"Ratings name {listing(sorted(lost))}, which is no modality of this study; there "
                f"are {listing(features, 8)}."
            )
        dataset = MultimodalDataset(
            name=mapping.name or "Study",
            task=target.task,
            features=with_outputs.features,
            sample_ids=ids.to_numpy().astype(np.str_),
            target=target.values,
            target_name=mapping.target,
            class_names=target.class_names,
            persons=persons,
            folds=folds,
            samples=samples,
            judgments=judgments,
            ratings=ratings,
            informativeness=informativeness,
            given_outputs=with_outputs.names,
            further_targets={name: one.stored for name, one in further.items()},
        )
        codes = target_codes(samples, target)
        self.problems += role_problems(self.tables, mapping, self._featured(), codes=codes)
        problems = (*self.problems, *fold_problems(dataset))
        refuse_errors(problems)
        notes = tuple(str(problem) for problem in problems)
        return Joined(
            replace(dataset, notes=notes),
            problems,
            self.rows.joins(base, self.tables),
            self.mapping,
            self.rows.evidence,
            joined_rows(self.tables, base, self.rows, self.mapping),
        )

    def _table_with(self, column: str) -> Table:
        return next(table for table in self.tables if column in table.frame.columns)

    def _note_dropped(self, count: int, why: str) -> None:
        total = len(self.base.frame)
        if count == total:
            raise InputError(f"{self.base.name}: all {total} samples {why}.")
        if count:
            message = f"{count} of {total} samples {why}."
            self.problems.append(
                Problem("warning", message, self.base.name, remedy="They were left out.")
            )

    def _block(self, modality: str, ids: pd.Index[str]) -> Features:
        """A modality's columns, aligned with the samples, not yet cleaned."""
        parts: list[npt.NDArray[np.float32]] = []
        names: list[str] = []
        taken: set[tuple[str, str]] = set()  # items may mean the same columns
        for item in self.mapping.modalities[modality]:
            found = [(t, c) for t in self.tables if (c := self._columns_of(t, item))]
            fresh = [(t, [c for c in own if (t.name, c) not in taken]) for t, own in found]
            taken |= {(t.name, c) for t, own in fresh for c in own}
            if not found:
                raise InputError(
                    f"Modality {modality!r}: no file, column or start of a column is called "
                    f"{item!r}; there are {listing(table.name for table in self.tables)}."
                )
            for table, columns in fresh:
                if not columns:
                    continue
                kept = self._number_columns(table, columns, modality)
                place = self._places(table, ids, modality)
                parts.append(numbers_at(table, kept, place))
                stem = table.name.rpartition(".")[0] or table.name
                names += [f"{stem}_{c}" if c in names else c for c in kept]
        whole = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        return Features(whole, tuple(names))

    @property
    def _taken(self) -> set[str]:
        return set(self.mapping.role_columns.values())

    def _columns_of(self, table: Table, item: str) -> list[str]:
        """Columns of a table that an item of a modality means: all, one, or those with a prefix."""
        key = (table.name, item)
        if key not in self._columns:
            self._columns[key] = self._looked_up(table, item)
        return self._columns[key]

    def _looked_up(self, table: Table, item: str) -> list[str]:
        taken = self._taken
        columns = [c for c in table.columns if c not in taken and c != SPLIT_COLUMN]
        is_table = item in (table.name, table.name.rpartition(".")[0])
        start = "" if is_table else item.removesuffix("*")
        if not is_table and item in columns:
            return [item]
        wanted = [c for c in columns if is_table or (start and c.startswith(start))]
        names = self._names(table)
        return [c for c in wanted if c not in names and not why_no_feature(table, c, self.mapping)]

    def _featured(self) -> set[str]:
        """Columns of numbers that a modality uses."""
        return {
            column
            for items in self.mapping.modalities.values()
            for item in items
            for table in self.tables
            for column in self._columns_of(table, item)
            if column in table.numbers
        }

    def _names(self, table: Table) -> set[str]:
        """The columns that name the samples of a table: they are not features."""
        return {*self.rows.columns(table.name), *self.rows.names[table.name]}

    def _number_columns(self, table: Table, columns: list[str], modality: str) -> list[str]:
        """The columns of numbers; raises an error for mixed cells, and notes columns of text."""
        refuse_errors(
            bad_cell_problem(c, table.bad_cells[c]) for c in columns if c in table.bad_cells
        )
        kept = [column for column in columns if column in table.numbers]
        texts = [column for column in columns if column not in table.numbers]
        if not kept:
            first = table.frame[columns[0]].dropna().astype("str")
            cell = first.iloc[0] if len(first) else ""
            raise InputError(
                f"{table.name}, column {columns[0]!r}: modality {modality!r} needs numbers, and "
                f"this contains text (such as {cell[:40]!r})."
            )
        if texts:
            message = f"{len(texts)} columns of text ({listing(texts)})."
            remedy = f"They are not features of modality {modality!r}."
            self.problems.append(Problem("note", message, table.name, remedy=remedy))
        return kept

    def _places(self, table: Table, ids: pd.Index[str], modality: str) -> npt.NDArray[np.intp]:
        """The row of each sample in a table, −1 if it has none; notes how many do not match."""
        own = self.ids[table.name]
        place = own.get_indexer(ids)
        if table is self.base:
            return place
        if (place < 0).all():
            raise InputError(
                f"{table.name} and {self.base.name} have no sample id in common (such as "
                f"{own[0]!r} and {ids[0]!r})."
            )
        absent = ids[place < 0]
        if len(absent):
            message = (
                f"{len(absent)} of {len(ids)} samples are not in this file ({listing(absent)})."
            )
            remedy = f"Modality {modality!r} is absent for them."
            self.problems.append(Problem("warning", message, table.name, remedy=remedy))
        extra = own.difference(self.ids[self.base.name], sort=False)
        if len(extra):
            message = f"{len(extra)} samples have no row in {self.base.name} ({listing(extra)})."
            remedy = "They were left out."
            self.problems.append(Problem("warning", message, table.name, remedy=remedy))
        return place

    def _further_targets(self, ids: pd.Index[str]) -> dict[str, Encoded]:
        found = {
            column: encoded(
                self._table_with(column), column, self._aligned(column, ids), self.mapping.task
            )
            for column in self.mapping.targets
        }
        self.problems += [problem for one in found.values() for problem in one.problems]
        return found

    def _features(self, blocks: dict[str, Features], folds: Folds | None) -> dict[str, Features]:
        """Cleaned features of each modality that occurs in the training samples of all folds."""
        features: dict[str, Features] = {}
        for name in list(blocks):
            block = blocks.pop(name)
            file = listing(self._files_of(name))
            clean = clean_features(block.values, block.names, modality=name, file=file)
            present = clean.features.present
            if folds is not None and not (folds.training & present).any(axis=1).all():
                message = f"Modality {name!r}: at least one fold has no training sample with it."
                remedy = "The modality was left out, because that fold cannot learn from it."
                self.problems.append(Problem("warning", message, file, remedy=remedy))
                continue
            self.problems += clean.problems
            features[name] = clean.features
        if len(features) < 2:
            raise InputError(
                f"{self.base.name}: at least 2 modalities need training samples, and only "
                f"{listing(features) or 'none'} has any."
            )
        return features

    def _files_of(self, modality: str) -> list[str]:
        items = self.mapping.modalities[modality]
        return [
            table.name
            for table in self.tables
            if any(self._columns_of(table, item) for item in items)
        ]

    def _aligned(self, column: str, ids: pd.Index[str]) -> pd.Series[Any]:
        """A column from the table that has it, in the order of the samples."""
        table = self.base if column in self.base.frame.columns else self._table_with(column)
        if column in table.bad_cells:
            raise InputError(str(bad_cell_problem(column, table.bad_cells[column])))
        values = table.frame[column].set_axis(self.ids[table.name])
        return values.reindex(ids)

    def _aligned_text(self, column: str, ids: pd.Index[str]) -> pd.Series[str]:
        """A column of names in the order of the samples, as it was written."""
        table = self.base if column in self.base.frame.columns else self._table_with(column)
        texts = table.text(column)
        named = int((texts.notna() & table.frame[column].isna() & (texts == "NA")).sum())
        if named:
            message = (
                f"'NA' in {named} cells was taken as a name, like {texts[texts != 'NA'].iloc[0]!r}."
            )
            remedy = "Leave these cells empty if they mean that the value is missing."
            self.problems.append(Problem("warning", message, table.name, column, remedy=remedy))
        return texts.set_axis(self.ids[table.name]).reindex(ids)

    def _ratings(self, ids: pd.Index[str]) -> dict[frozenset[str], npt.NDArray[np.float32]]:
        """Ratings [raters, n] for each subset of modalities that single raters saw."""
        columns: dict[frozenset[str], list[npt.NDArray[np.float32]]] = {}
        for column, shown in self.mapping.raters.items():
            columns.setdefault(frozenset(shown), []).append(self._numbers(column, ids))
        return {shown: np.stack(given) for shown, given in columns.items()}

    def _outputs(self, ids: pd.Index[str]) -> dict[str, pd.DataFrame]:
        """What a given model outputs for each modality, [n, columns]."""
        return {
            modality: pd.DataFrame({column: self._numbers(column, ids) for column in columns})
            for modality, columns in self.mapping.outputs.items()
        }

    def _numbers(self, column: str, ids: pd.Index[str]) -> npt.NDArray[np.float32]:
        values = self._aligned(column, ids)
        if not is_number(values):
            raise InputError(
                f"{self._table_with(column).name}, column {column!r}: this role needs numbers, and "
                "the column contains text."
            )
        return values.to_numpy(dtype=np.float32, na_value=np.nan)

    def _persons(
        self, rows: npt.NDArray[np.intp], ids: pd.Index[str]
    ) -> npt.NDArray[np.str_] | None:
        column = self.mapping.person
        if not column:
            return None
        persons = self._aligned_text(column, ids)
        missing = np.flatnonzero(persons.isna())
        if len(missing):
            file, row = self.base.where(int(rows[missing[0]]))
            raise InputError(
                f"{file}, column {column!r}, row {row}: the person is missing for {len(missing)} "
                "samples; fill it in, or leave persons out."
            )
        self.problems += spelled_alike(persons.unique().tolist(), self.base.name, column)
        return persons.to_numpy().astype(np.str_)

    def _folds(
        self,
        rows: npt.NDArray[np.intp],
        ids: pd.Index[str],
        persons: npt.NDArray[np.str_] | None,
    ) -> Folds | None:
        """Folds from a column of test folds or of an official split; None if there is neither."""
        mapping = self.mapping
        has_files = any(SPLIT_COLUMN in table.frame and table.parts for table in self.tables)
        is_split = has_files and "split" not in mapping.switched_off
        split = mapping.split or (SPLIT_COLUMN if is_split else "")
        column = mapping.fold or split
        if not column:
            return None
        read = read_folds(
            self._aligned_text(column, ids),
            is_split=not mapping.fold,
            persons=persons,
            where=[self.base.where(int(row)) for row in rows],
            column=column,
        )
        self.problems += read.problems
        return read.folds

    def _samples(self, ids: pd.Index[str]) -> pd.DataFrame:
        """Columns without a role that are stored with the samples: texts, times, other ratings."""
        mapping = self.mapping
        featured = self._featured()
        kept = {getattr(mapping, role): role for role in _CARRIED_ROLES if getattr(mapping, role)}
        used = featured | (self._taken - set(kept))
        others = dict.fromkeys(
            column
            for table in (self.base, *self.tables)
            for column in table.columns
            if column not in used
            and column not in (*kept, *kept.values())
            and (not mapping.samples or column in mapping.samples)
        )
        numbers = {c for c in others if is_number(self._table_with(c).frame[c])}
        if len(others) > _MAX_CARRIED and numbers:
            message = (
                f"{len(numbers)} columns of numbers have no role ({listing(sorted(numbers))})."
            )
            self.problems.append(Problem("note", message, remedy="They were left out."))
            others = {c: None for c in others if c not in numbers}
        carried = {role: self._carried(column, ids) for column, role in kept.items()}
        carried |= {column: self._carried(column, ids) for column in list(others)[:_MAX_CARRIED]}
        return pd.DataFrame(carried, index=pd.Index(ids, name="sample_id"))

    def _carried(self, column: str, ids: pd.Index[str]) -> pd.Series[Any]:
        table = self._table_with(column)
        has_text = column in table.bad_cells and column in table.texts
        cells = table.texts[column] if has_text else table.frame[column]
        return cells.set_axis(self.ids[table.name]).reindex(ids)
