"""Options for the roles of files and columns, the same for every command that reads files."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import typer

from smurf_core.cli.options import choice
from smurf_core.cli.progress import Shares
from smurf_core.data.importing.assembly import Assembly, assemble
from smurf_core.data.importing.guessing import guess_mapping
from smurf_core.data.importing.mapping import (
    KEY_SIGN,
    MATCHES,
    StudyMapping,
    TaskChoice,
    mapped_sources,
    read_mapping,
)
from smurf_core.data.problems import Problem
from smurf_core.data.readers.folders import naming_unread
from smurf_core.data.readers.registry import find_sources, unread
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError

_PANEL = "Roles of columns (guessed where not given; '' means none)"
_TASKS = tuple(name for part in get_args(TaskChoice) for name in get_args(part) or (part,))


def _column(help: str, *names: str) -> Any:
    return typer.Option(*names, help=help, metavar="COLUMN", rich_help_panel=_PANEL)


@dataclass(frozen=True)
class Roles:
    """The user's options for roles. `None`: not given; an empty text: no column has this role.

    Every option can be repeated on a command line, so that a second name is an error and does not
    silently replace the first.
    """

    mapping: Annotated[
        Path | None, typer.Option(help="YAML file with the roles of columns; no role is guessed.")
    ] = None
    name: Annotated[str, typer.Option(help="Name of the study.")] = ""
    task: Annotated[str, choice(_TASKS, "What is predicted.")] = "auto"
    target: Annotated[
        list[str] | None,
        _column(
            "Column to predict; repeat it for several targets. Of an imported study: one of its "
            "targets."
        ),
    ] = None
    id: Annotated[
        list[str] | None,
        _column("Sample ids, the same in every table; repeat it for a key of several columns."),
    ] = None
    match: Annotated[
        str,
        choice(
            MATCHES,
            "How tables without ids are matched: position, if you know that their rows "
            "are in the same order.",
        ),
    ] = ""
    person: Annotated[list[str] | None, _column("Person of each sample.")] = None
    fold: Annotated[list[str] | None, _column("Number of each sample's test fold.")] = None
    split: Annotated[
        list[str] | None, _column("Column with the words train, validation, test.")
    ] = None
    transcript: Annotated[list[str] | None, _column("Transcript of each sample.")] = None
    start: Annotated[list[str] | None, _column("Start in a recording, in seconds.")] = None
    end: Annotated[list[str] | None, _column("End in a recording, in seconds.")] = None
    media: Annotated[list[str] | None, _column("Recording of each sample.", "--media-column")] = (
        None
    )
    modality: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=FILE, NAME=COLUMN,COLUMN or NAME=START*; repeat for each modality.",
            rich_help_panel=_PANEL,
        ),
    ] = None
    judgment: Annotated[
        list[str] | None,
        typer.Option(
            help="COLUMN=MODALITY,MODALITY: ratings by people who saw only these modalities; "
            "repeat for each column.",
            rich_help_panel=_PANEL,
        ),
    ] = None
    informativeness: Annotated[
        list[str] | None,
        typer.Option(
            help="MODALITY=COLUMN: how informative people found it; repeat for each modality.",
            rich_help_panel=_PANEL,
        ),
    ] = None

    output: Annotated[
        list[str] | None,
        typer.Option(
            help="MODALITY=COLUMN,COLUMN: what a late-fusion model that you trained elsewhere "
            "outputs for it, one column per class; repeat for each modality (`smurf explain`).",
            rich_help_panel=_PANEL,
        ),
    ] = None
    decimal: Annotated[
        str,
        choice(("auto", ".", ","), "Decimal sign of files whose cells do not show it."),
    ] = "auto"

    @property
    def are_given(self) -> bool:
        """True if any option was given."""
        return self != Roles()

    def applied_to(self, known: StudyMapping) -> StudyMapping:
        """A mapping in which these options take precedence."""
        given: dict[str, Any] = {}
        for role in _COLUMNS:
            values = getattr(self, role)
            if values and role == "target":
                first, *others = dict.fromkeys(value.strip() for value in values)
                given |= {"target": first, "targets": tuple(others)}
            elif values and role == "id":
                given[role] = KEY_SIGN.join(dict.fromkeys(value.strip() for value in values))
            elif values:
                given[role] = _only(role, values)
        if self.match:
            given["match"] = self.match
        if self.name:
            given["name"] = self.name
        if self.task != "auto":
            given["task"] = self.task
        if self.decimal != "auto":
            given["reading"] = {**known.reading, "decimal": self.decimal}
        if self.modality:
            given["modalities"] = _lists("modality", self.modality, "NAME=COLUMN,COLUMN")
        if self.judgment:
            given["judgments"] = (
                {}
                if self.judgment == [""]
                else _lists("judgment", self.judgment, "COLUMN=MODALITY,MODALITY")
            )
        if self.informativeness:
            given["informativeness"] = (
                {}
                if self.informativeness == [""]
                else {
                    modality: _only("informativeness", columns)
                    for modality, columns in _lists(
                        "informativeness", self.informativeness, "MODALITY=COLUMN"
                    ).items()
                }
            )
        if self.output:
            given["outputs"] = _lists("output", self.output, "MODALITY=COLUMN,COLUMN")
        off = {role for role, value in given.items() if not value and role != "targets"}
        return replace(known, **given, switched_off=known.switched_off | off)


# Options for one column each, with the names of the mapping's roles.
_COLUMNS = ("target", "id", "person", "fold", "split", "transcript", "start", "end", "media")


def _only(role: str, values: Sequence[str]) -> str:
    """The single value of an option."""
    names = list(dict.fromkeys(values))
    if len(names) > 1:
        raise InputError(f"--{role} was given {len(names)} times ({', '.join(names)}): keep one.")
    return names[0].strip()


def _lists(option: str, texts: Sequence[str], form: str) -> dict[str, tuple[str, ...]]:
    """Parse all `NAME=ITEM,ITEM` values of an option."""
    found: dict[str, tuple[str, ...]] = {}
    for text in texts:
        name, _, items = (part.strip() for part in text.partition("="))
        if not name or not items:
            start = " or NAME=START*" if option == "modality" else ""
            raise InputError(f"--{option} {text!r}: write {form}{start}.")
        if name in found:
            raise InputError(f"--{option} {name}=… was given twice: join its parts by commas.")
        found[name] = tuple(item.strip() for item in items.split(","))
    return found


def with_roles(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of `Roles`; it receives them as its parameter `roles`."""
    own = inspect.signature(command, eval_str=True)
    hints = get_type_hints(Roles, include_extras=True)
    options = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=hints[field.name],
        )
        for field in fields(Roles)
    ]

    @functools.wraps(command)
    def wrapper(**given: Any) -> None:
        roles = Roles(**{option.name: given.pop(option.name) for option in options})
        command(**given, roles=roles)

    others = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for name, parameter in own.parameters.items()
        if name != "roles"
    ]
    signature = own.replace(parameters=[*others, *options])
    wrapper.__signature__ = signature  # type: ignore[attr-defined]
    wrapper.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()}
    return wrapper


@dataclass(frozen=True)
class Chosen:
    """Files, their roles, the folder that a `study.yaml` is in, and what is left out."""

    sources: tuple[SourceFile, ...]
    mapping: StudyMapping
    folder: Path
    unread: tuple[Problem, ...] = ()

    def assembled(self, mapping: StudyMapping | None = None) -> Assembly:
        """The data set of these files, with this mapping in place of the first one."""
        with naming_unread(self.unread), Shares() as report:
            return assemble(
                self.sources, mapping or self.mapping, unread=self.unread, progress=report
            )


def chosen_data(names: Sequence[str], roles: Roles) -> Chosen:
    """Files and their roles: from a `study.yaml` alone, from --mapping, or guessed.

    Options take precedence over files. Roles that a `study.yaml` does not name are guessed; with
    --mapping they are not.
    """
    paths = [Path(name) for name in names]
    if len(paths) == 1 and paths[0].suffix.lower() in (".yaml", ".yml"):
        if roles.mapping:
            raise InputError(f"{paths[0]} is already a mapping: leave --mapping out.")
        known = read_mapping(paths[0])
        sources = mapped_sources(known, paths[0].parent)
        mapping = guess_mapping(sources, roles.applied_to(known))
        others = () if known.files else unread([paths[0].parent])
        left_out = tuple(problem for problem in others if problem.file != paths[0].name)
        return Chosen(sources, mapping, paths[0].parent, left_out)
    sources, left_out = find_sources(paths), unread(paths)
    if roles.mapping:
        return Chosen(sources, roles.applied_to(read_mapping(roles.mapping)), Path(), left_out)
    with naming_unread(left_out):
        mapping = guess_mapping(sources, roles.applied_to(StudyMapping()))
    return Chosen(sources, mapping, Path(), left_out)
