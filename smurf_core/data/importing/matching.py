"""Matches rows of tables to samples: by a key, or by position where a user asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from smurf_core.data.column_names import ID_NAMES, plain_name
from smurf_core.data.importing.evidence import (
    JoinEvidence,
    RefusedKey,
    SharedColumn,
    TableKey,
)
from smurf_core.data.importing.keys import (
    Candidates,
    Key,
    check_unique,
    is_likeness,
    names_samples,
    rank,
    repeating_ids,
    shared_rows,
)
from smurf_core.data.importing.mapping import StudyMapping
from smurf_core.data.importing.near_ids import NUMBERS, NearMatches, hint, respelled
from smurf_core.data.importing.positions import check_sizes, numbered, split_sizes
from smurf_core.data.importing.shared_columns import shared_columns
from smurf_core.data.problems import Problem, Severity, listing, refuse_errors
from smurf_core.data.readers.interface import Table
from smurf_core.errors import InputError

_LISTED = 1_000  # unmatched samples that are listed by id
_TRIED = 6  # keys that are compared by what agrees under them


@dataclass(frozen=True)
class TableJoin:
    """How a table's rows match those with the target, with the first unmatched ids."""

    table: str
    rows: int
    matched: int
    absent: int  # samples without a row in this table
    extra: int  # rows without a sample
    absent_ids: tuple[str, ...]
    extra_ids: tuple[str, ...]


@dataclass(frozen=True)
class RowIds:
    """The sample ids of each table's rows, by the table's name, and the problems found."""

    of_table: dict[str, pd.Index[str]]
    problems: tuple[Problem, ...]
    id: str = ""  # the key, as a mapping names it
    evidence: JoinEvidence = field(default_factory=JoinEvidence)

    # Columns of each table that have names of ids and another value in each row.
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def columns(self, table: str) -> tuple[str, ...]:
        """The columns that name the samples in a table."""
        return next((key.columns for key in self.evidence.keys if key.table == table), ())

    def joins(self, base: Table, tables: Sequence[Table]) -> tuple[TableJoin, ...]:
        """How the rows of each table match those of the table with the target."""
        expected = self.of_table[base.name]
        joins = []
        for table in tables:
            own = self.of_table[table.name]
            absent = expected.difference(own, sort=False)
            extra = own.difference(expected, sort=False)
            joins.append(
                TableJoin(
                    table=table.name,
                    rows=len(own),
                    matched=len(own) - len(extra),
                    absent=len(absent),
                    extra=len(extra),
                    absent_ids=tuple(absent[:_LISTED]),
                    extra_ids=tuple(extra[:_LISTED]),
                )
            )
        return tuple(joins)


def row_ids(tables: Sequence[Table], base: Table, mapping: StudyMapping) -> RowIds:
    """Sample ids of each table's rows, all in the spelling of `base`, the table with the target.

    A key that the mapping leaves open, or that was guessed, is chosen by all rows of all tables.
    Raises `InputError` if rows cannot be matched, or if other columns disagree.
    """
    return _Matcher(tables, base, mapping).row_ids()


class _Matcher:
    """Chooses keys, matches the rows, and checks what else the tables share."""

    def __init__(self, tables: Sequence[Table], base: Table, mapping: StudyMapping) -> None:
        self.base, self.mapping = base, mapping
        self.others = [table for table in tables if table is not base]
        self.tables = [base, *self.others]
        roles = {c for role, c in mapping.role_columns.items() if not role.startswith("id")}
        self.roles = roles
        # Parts of a key may also be persons or recordings, but no target and no fold.
        self.besides = {mapping.target, *mapping.targets, mapping.fold, mapping.split,
                        mapping.transcript, *mapping.judgments, *mapping.raters,
                        *mapping.informativeness.values()} - {""}  # fmt: skip
        self.candidates = {t.name: Candidates(t, frozenset(self.besides)) for t in self.tables}
        self.problems: list[Problem] = []
        self.keys: dict[str, Key] = {}
        self.ids: dict[str, pd.Index[str]] = {}
        self.near: list[NearMatches] = []
        self.refused: list[RefusedKey] = []
        self.by_position: list[str] = []

    def row_ids(self) -> RowIds:
        """The ids, after all checks."""
        is_open = not self.mapping.id or "id" in self.mapping.guessed
        if is_open and "id" not in self.mapping.switched_off:
            self._choose()
        elif self.mapping.id:
            self._use_named()
        self._match()
        self._match_by_position()
        agreeing, wrong = shared_columns(
            self.tables,
            self.ids,
            candidates=self.candidates,
            keys={name: key.columns for name, key in self.keys.items()},
            roles=self.roles,
        )
        refuse_errors(wrong)
        self.problems += wrong
        self._report_counters(agreeing)
        main = self.keys.get(self.base.name)
        keys = tuple(
            TableKey(t.name, self.keys[t.name].columns if t.name in self.keys else ())
            for t in self.tables
        )
        evidence = JoinEvidence(
            keys=keys,
            why=self._why(main),
            by_position=tuple(self.by_position),
            near=tuple(self.near),
            shared=agreeing,
            refused=tuple(self.refused),
        )
        return RowIds(
            self.ids,
            tuple(self.problems),
            main.title if main else "",
            evidence,
            {n: tuple(k.columns[0] for k in own.named) for n, own in self.candidates.items()},
        )

    # Keys

    def _choose(self) -> None:
        """The key under which most tables match, and under which what they share agrees."""
        own = self.candidates[self.base.name]
        candidates = [*own.singles, *self._joined_as_in(self.others, self.base), *own.joint]
        if not self.others:
            candidates = [key for key in candidates if key.is_named]
            if candidates:
                self.keys = {self.base.name: min(candidates, key=lambda key: rank([key]))}
            return
        matched = {key: self._keys_like(key) for key in candidates}
        most = max((len(found) for found in matched.values()), default=1)
        if most < 2:
            return
        ranked = sorted(
            (key for key, found in matched.items() if len(found) == most),
            key=lambda key: (
                is_likeness(matched[key]),
                rank(list(matched[key].values())),
                -shared_rows(matched[key]),
            ),
        )
        sound = [key for key in ranked[:_TRIED] if not self._contradictions(matched[key])]
        chosen = (sound or ranked)[0]
        named = [key for key in ranked if all(own.is_named for own in matched[key].values())]
        if named and (chosen not in named or names_samples(matched[ranked[0]])):
            # Ids by name and by value: what disagrees under them is refused, and not avoided by
            # another key, such as comments, which would join other rows.
            chosen = named[0]
        for key in ranked:
            if key.columns != chosen.columns:
                self.refused.append(RefusedKey(key.columns, self._why_not(key, chosen, sound)))
        self._refuse_ambiguous(chosen, matched)
        self.keys = matched[chosen]
        for table in self.others:
            if table.name not in self.keys:
                self._bridge(table, [key for key in candidates if key is not chosen])

    def _refuse_ambiguous(self, chosen: Key, matched: Mapping[Key, dict[str, Key]]) -> None:
        """Raise an error if a counter and another column may both be another table's ids."""
        if not chosen.is_counter:
            return
        for key, found in matched.items():
            if key is chosen or key.is_counter or not key.is_named or len(key.columns) > 1:
                continue
            for table in self.others:
                own, other = matched[chosen].get(table.name), found.get(table.name)
                if own and other and own.columns == other.columns and not own.is_counter:
                    raise InputError(
                        f"{self.base.name}: {chosen.title!r}, which counts its rows, and "
                        f"{key.title!r} may both be {own.title!r} of {table.name}: name the right "
                        "one as sample id, or remove the other."
                    )

    def _joined_as_in(self, others: Sequence[Table], table: Table) -> list[Key]:
        """Columns of a table, joined as in the ids of others."""
        return [
            key
            for other in others
            for single in self.candidates[other.name].singles
            for key in self.candidates[table.name].joined_like(single)
        ]

    def _keys_like(self, key: Key) -> dict[str, Key]:
        """The tables that have this key, with the columns that it has there."""
        found = {table.name: self.candidates[table.name].like(key) for table in self.others}
        return {self.base.name: key, **{name: own for name, own in found.items() if own}}

    def _contradictions(self, keys: dict[str, Key]) -> bool:
        tables = [table for table in self.tables if table.name in keys]
        ids = {
            name: respelled(keys[self.base.name].ids, key.ids, name).ids
            for name, key in keys.items()
        }
        columns = {name: key.columns for name, key in keys.items()}
        found = shared_columns(
            tables, ids, candidates=self.candidates, keys=columns, roles=self.roles
        )
        return bool(found[1])

    def _bridge(self, table: Table, candidates: Sequence[Key]) -> None:
        """Match a table without the chosen key by another key of the table with the target."""
        for key in sorted(candidates, key=lambda key: rank([key])):
            own = self.candidates[table.name].like(key)
            if own is None:
                continue
            spelled = respelled(key.ids, own.ids, table.name)
            place = key.ids.get_indexer(spelled.ids)
            main = self.keys[self.base.name].ids
            ids = [main[int(p)] if p >= 0 else text for p, text in zip(place, own.ids, strict=True)]
            self.keys[table.name] = own
            self.ids[table.name] = pd.Index(ids, dtype="str")
            self._report_near(spelled.near)
            return

    def _why_not(self, key: Key, chosen: Key, sound: Sequence[Key]) -> str:
        if key not in sound and chosen in sound:
            return "other columns disagree under it"
        return "it counts the rows of a file" if key.is_counter else "another key is more likely"

    def _use_named(self) -> None:
        """The key that the user names, and in other tables the columns with the same values."""
        given = self.mapping.id_columns
        held = [t for t in self.tables if all(c in t.frame.columns for c in given)]
        if not held:
            return
        first = Key(held[0], given)
        check_unique(first)
        elsewhere = [table for table in self.tables if table not in held]
        joined = self._joined_as_in(elsewhere, held[0]) if len(given) > 1 else []
        first = next((key for key in joined if set(key.columns) == set(given)), first)
        self.keys[held[0].name] = first
        for table in self.tables:
            if table is held[0]:
                continue
            if table in held:
                self.keys[table.name] = replace(first, table=table)
                check_unique(self.keys[table.name])
                continue
            own = self.candidates[table.name].like(first) or self._only_id(table)
            if own is not None:
                self.keys[table.name] = own

    def _only_id(self, table: Table) -> Key | None:
        named = self.candidates[table.name].named
        return named[0] if len(named) == 1 else None

    # Rows

    def _match(self) -> None:
        """The ids of all tables with a key, in the spelling of the table with the target."""
        base = self.keys.get(self.base.name)
        for table in self.tables:
            key = self.keys.get(table.name)
            if key is None or table.name in self.ids:
                continue
            self.ids[table.name] = key.ids
            if base is None or table is self.base:
                continue
            for doubt in (key.doubt, base.doubt):
                if doubt:
                    remedy = "Name the sample id, or join the columns in the file."
                    self.problems.append(Problem("warning", doubt, table.name, remedy=remedy))
            spelled = respelled(base.ids, key.ids, table.name)
            self.ids[table.name] = spelled.ids
            self._report_near(spelled.near)
            self._check_common(table, base, key)
            if key.columns != base.columns:
                columns = " and ".join(map(repr, base.columns))
                message = f"there is no column {columns}."
                if all(c in table.frame.columns for c in base.columns):
                    message = f"column {columns} does not name the same samples."
                names = " and ".join(repr(column) for column in key.columns)
                remedy = f"Samples were matched by {names}."
                self.problems.append(Problem("note", message, table.name, remedy=remedy))

    def _report_near(self, near: NearMatches) -> None:
        if not near.count:
            return
        self.near.append(near)
        examples = listing((f"{a!r} is {b!r}" for a, b in near.examples), 2)
        message = f"{near.count} ids differ from those of {self.base.name} ({examples})."
        remedy = f"They were matched without regard to {' and '.join(near.differences)}."
        severity: Severity = "warning" if NUMBERS in near.differences else "note"
        self.problems.append(Problem(severity, message, near.table, remedy=remedy))

    def _report_counters(self, agreeing: Sequence[SharedColumn]) -> None:
        """Warn if the ids of all tables only count their rows, and nothing else is in common."""
        keys = [self.keys.get(table.name) for table in self.tables]
        is_asked = self.mapping.id and "id" not in self.mapping.guessed
        if is_asked or agreeing or not all(key and key.is_counter for key in keys):
            return
        if not self.others:
            return
        column = self.keys[self.base.name].title
        message = "in every file, the sample ids count its rows, and no other column is shared."
        remedy = "Rows were matched by this number: check that it is not each file's own count."
        self.problems.append(Problem("warning", message, self.base.name, column, remedy=remedy))

    def _check_common(self, table: Table, base: Key, key: Key) -> None:
        if self.ids[table.name].isin(base.ids).any():
            return
        advice = hint(base.ids, key.ids)
        raise InputError(
            f"{table.name} and {self.base.name} have no sample id in common (such as "
            f"{key.ids[0]!r} and {base.ids[0]!r})"
            f"{f': {advice}' if advice else '.'}"
        )

    def _match_by_position(self) -> None:
        """Match tables without a key by position if that is asked for; otherwise an error."""
        without = [table for table in self.tables if table.name not in self.keys]
        if not without:
            return
        if len(self.tables) == 1:
            self._number_only()
            return
        for table in without:
            self._refuse_bad_ids(table)
        expected = split_sizes(self.base)
        if not self.keys:
            for table in without:
                check_sizes(table, self.base, expected)
        if self.mapping.match != "position":
            raise self._no_key(without)
        if self.base in without:
            named = [key for key in self.candidates[self.base.name].singles if key.is_named]
            if named and "id" not in self.mapping.switched_off:
                self.keys[self.base.name] = min(named, key=lambda key: rank([key]))
                self.ids[self.base.name] = self.keys[self.base.name].ids
            else:
                keyed = next((t for t in self.others if t.name in self.keys), self.base)
                check_sizes(self.base, keyed, split_sizes(keyed))
                self.ids.setdefault(keyed.name, numbered(keyed))
                self.ids[self.base.name] = self._ids_by_position(self.base, keyed)
        for table in without:
            if table is not self.base:
                check_sizes(table, self.base, expected)
                self.ids[table.name] = self._ids_by_position(table, self.base)
        self.by_position = [table.name for table in without]
        message = f"no column names the samples in {listing(self.by_position)}."
        remedy = "Rows of different files were matched by their position, as was asked for."
        self.problems.append(Problem("warning", message, remedy=remedy))

    def _ids_by_position(self, table: Table, other: Table) -> pd.Index[str]:
        """The ids of another table, for the rows of the same split."""
        places = pd.Series(self.ids[other.name].to_numpy(), index=numbered(other))
        return pd.Index(places.reindex(numbered(table)), dtype="str")

    def _number_only(self) -> None:
        """Number the rows of the only table, which has no ids."""
        self._refuse_bad_ids(self.base)
        self.ids[self.base.name] = numbered(self.base)
        groups = repeating_ids([self.base])
        message = "no column names the samples."
        if groups:
            message = f"no column names the samples: {listing(map(repr, groups))} repeats."
        self.problems.append(Problem("note", message, self.base.name, remedy="Rows were numbered."))

    def _refuse_bad_ids(self, table: Table) -> None:
        """Raise an error for a column that is meant as ids, of which few repeat or are missing."""
        if "id" in self.mapping.switched_off:
            return
        for column in table.columns:
            if column in self.besides or plain_name(column) not in ID_NAMES:
                continue
            key = Key(table, (column,))
            cells = table.frame[column]
            is_point = pd.api.types.is_float_dtype(cells) and (cells.dropna() % 1 != 0).any()
            if is_point and column not in table.texts:
                continue
            if key.ids.nunique() >= 0.9 * len(key.ids):
                check_unique(key)

    def _no_key(self, without: Sequence[Table]) -> InputError:
        """The error for tables without a key: what was looked for, and what to do."""
        here = [key for key in self._singles(self.base) if key.is_named]
        table = next((table for table in without if table is not self.base), without[0])
        for key in here:
            for own in self._singles(table):
                if own.columns == key.columns or (own.is_named and own.is_text and key.is_text):
                    advice = hint(key.ids, own.ids) or "give both the same sample ids."
                    return InputError(
                        f"{table.name} and {self.base.name} have no sample id in common (such as "
                        f"{own.ids[0]!r} and {key.ids[0]!r}): {advice}"
                    )
        named = here or [k for t in self.others for k in self._singles(t) if k.is_named]
        if named:
            where = f"{table.name if here else self.base.name}: there is no column"
            what = f"{where} {named[0].title!r} to match samples by"
        else:
            what = f"No column names the samples in {listing(t.name for t in without)}"
        return InputError(
            f"{what}; add sample ids to every file, or, if the rows of all files are in the same "
            "order, ask for it: --match position, or match: position in a study.yaml."
        )

    def _singles(self, table: Table) -> list[Key]:
        return self.candidates[table.name].singles

    def _why(self, key: Key | None) -> str:
        if key is None:
            return ""
        if self.mapping.id and "id" not in self.mapping.guessed:
            return "you named it"
        return "its values name the samples in " + (
            "all files" if len(self.keys) == len(self.tables) else f"{len(self.keys)} files"
        )
