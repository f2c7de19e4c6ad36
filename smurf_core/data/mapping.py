"""Which column of which file plays which role in a study: what a user decides, saved with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from smurf_core.data.dataset import Task
from smurf_core.errors import InputError

TaskChoice = Literal["auto"] | Task
_MAX_BYTES = 1024**2
_TASKS = ("auto", *get_args(Task))


@dataclass(frozen=True)
class StudyMapping:
    """Roles of columns, by name. Empty: nothing plays this role.

    A modality is a list of what holds its features: a file or sheet (all its numbers that play no
    other role), a column, or the start of columns' names with a star, as `EDA_*`. A judgment is a
    column with the modalities that its raters saw. `fold` numbers the folds that test each
    sample; `split` names an official split in its cells.
    """

    name: str = ""
    task: TaskChoice = "auto"
    id: str = ""
    target: str = ""
    person: str = ""
    fold: str = ""
    split: str = ""
    transcript: str = ""
    modalities: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    judgments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # How frames become samples: `confidence` that a tracked frame needs, `frames` a sample needs.
    reading: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.task not in _TASKS:
            raise InputError(f"No task {self.task!r}; there are {', '.join(_TASKS)}.")

    @property
    def role_columns(self) -> dict[str, str]:
        """Columns that play a role other than feature: what the role is called → column."""
        roles = ("id", "target", "person", "fold", "split", "transcript")
        single = {role: getattr(self, role) for role in roles if getattr(self, role)}
        return {**single, **{f"judgment {column}": column for column in self.judgments}}

    def to_dict(self) -> dict[str, Any]:
        """Plain data for YAML or JSON, without empty roles; `from_dict` reads it back."""
        plain = {key: value for key, value in asdict(self).items() if value not in ("", {})}
        for key in ("modalities", "judgments"):
            if key in plain:
                plain[key] = {name: list(items) for name, items in plain[key].items()}
        return plain

    @classmethod
    def from_dict(cls, data: object) -> StudyMapping:
        """The mapping that `to_dict` wrote, or that a user wrote by hand."""
        known = [f.name for f in fields(cls)]
        if not isinstance(data, dict):
            raise InputError(f"A study mapping is a list of settings: {', '.join(known)}.")
        unknown = [str(key) for key in data if key not in known]
        if unknown:
            settings = ", ".join(known)
            raise InputError(
                f"No setting {', '.join(unknown)} in a study mapping, only {settings}."
            )
        given: dict[str, Any] = {}
        for key, value in data.items():
            if key in ("modalities", "judgments"):
                given[key] = _lists(key, value)
            elif key == "reading":
                given[key] = _numbers(key, value)
            elif isinstance(value, str | int | float):
                given[key] = str(value)
            else:
                raise InputError(f"Setting {key!r} of a study mapping needs one name.")
        return cls(**given)


def _lists(key: str, value: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise InputError(f"Setting {key!r} of a study mapping needs names with lists.")
    lists: dict[str, tuple[str, ...]] = {}
    for name, items in value.items():
        several = items if isinstance(items, list | tuple) else [items]
        if not several or not all(isinstance(item, str | int) for item in several):
            raise InputError(f"{key}, {str(name)!r}: name one or more files or columns.")
        lists[str(name)] = tuple(str(item) for item in several)
    return lists


def _numbers(key: str, value: object) -> dict[str, float]:
    if not isinstance(value, dict) or not all(type(v) in (int, float) for v in value.values()):
        raise InputError(f"Setting {key!r} of a study mapping needs names with numbers.")
    return {str(name): number for name, number in value.items()}


def read_mapping(path: Path) -> StudyMapping:
    """A mapping from a YAML file (`study.yaml`)."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(f"{path.name} is larger than any study mapping.")
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path.name} cannot be opened: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{path.name} is not a YAML file of settings.") from error
    return StudyMapping.from_dict(data)


def write_mapping(mapping: StudyMapping, path: Path) -> None:
    """Write a mapping as YAML, to be read by `read_mapping` and by people."""
    text = yaml.safe_dump(mapping.to_dict(), sort_keys=False, allow_unicode=True)
    path.write_text(text, encoding="utf-8")
