"""The roles of files and columns in a study, as a user decides them; saved with the study."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Literal, get_args

import pandas as pd
import yaml

from smurf_core.data.column_names import ROLE_NAMES, plain_name
from smurf_core.data.dataset import Task
from smurf_core.data.media import MediaSettings, suggested_media
from smurf_core.data.problems import listing
from smurf_core.data.readers.frames import ReadingOptions
from smurf_core.data.readers.registry import find_sources
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError

TaskChoice = Literal["auto"] | Task
_MAX_BYTES = 1024**2
_TASKS = ("auto", *get_args(Task))
MATCHES = ("", "position")
KEY_SIGN = " + "  # between the columns of a key


# What a file may contain; a table that contains several things is `mixed`.
FileRole = Literal[
    "mixed", "modality", "labels", "transcript", "judgments", "informativeness", "media", "ids",
    "ignore",
]  # fmt: skip
FILE_ROLES: tuple[FileRole, ...] = get_args(FileRole)
COLUMN_ROLES = (
    "id", "target", "person", "fold", "split", "transcript", "start", "end", "media",
)  # fmt: skip
# Roles that are guessed if a mapping leaves them open, and that can be switched off.
GUESSED_ROLES = (*COLUMN_ROLES, "judgments", "informativeness")
_LISTS = ("targets", "samples")  # settings that are names
_NAMES = ("files", "informativeness")  # settings: name → name
_NAME_LISTS = ("modalities", "judgments", "raters", "outputs")  # settings: name → names


@dataclass(frozen=True)
class StudyMapping:
    """Roles of files and columns, by name. An empty role has no column.

    An empty role may still be guessed (`guess_mapping`), unless `switched_off` names it. In a
    `study.yaml`, an empty value such as `person: ''` switches a role off.

    `files` defines what a file (or sheet, such as `book.xlsx:Sheet1`) contains; ignored files are
    not read. A modality is a list of sources of features: a file or sheet (all its numbers that
    have no other role), a column, or the start of columns' names with a star, such as `EDA_*`. A
    judgment is a column with the modalities that its raters saw; `raters` are columns of single
    raters with what they saw, and their mean is the judgment if none is named; informativeness is a
    modality with the column of its ratings. `fold` numbers the folds that test each sample; `split`
    names an official split in its cells. `start` and `end` are seconds of a recording, `media` a
    column of file names in `media_folder`, and `recording` one file there for all samples.
    `outputs` are the columns with what a late-fusion model that was trained elsewhere outputs for
    each modality: one for regression, one per class for classification.
    `targets` are further targets beside `target`; a run predicts one of them. `task` is that of
    each. In a `study.yaml`, `target` may also be a list: the first one and the further ones.
    `samples` are columns without a role that are stored with the samples (none named: all).

    `id` may name several columns that together name a sample, as a list or as `a + b`. Tables are
    matched by it. With `match: position`, tables without ids are matched by the order of rows.
    """

    name: str = ""
    task: TaskChoice = "auto"
    files: Mapping[str, str] = field(default_factory=dict)
    id: str = ""
    target: str = ""
    targets: tuple[str, ...] = ()
    person: str = ""
    fold: str = ""
    split: str = ""
    transcript: str = ""
    start: str = ""
    end: str = ""
    media: str = ""
    media_folder: str = ""
    recording: str = ""
    modalities: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    judgments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    raters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # How frames become samples: the least `confidence` of a frame, and the fewest `frames` per
    # sample; and the `decimal` sign of files that leave it open.
    reading: Mapping[str, float | str] = field(default_factory=dict)
    informativeness: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    samples: tuple[str, ...] = ()
    match: str = ""  # "position" if rows of tables without ids are in the same order
    switched_off: frozenset[str] = frozenset()  # roles that are empty and are not guessed
    # Roles that were guessed from the first rows and are judged again by all rows.
    guessed: frozenset[str] = field(default=frozenset(), compare=False)

    def __post_init__(self) -> None:
        further = tuple(name for name in dict.fromkeys(self.targets) if name != self.target)
        object.__setattr__(self, "targets", further)
        empty = frozenset(role for role in self.switched_off if not getattr(self, role))
        object.__setattr__(self, "switched_off", empty)
        if self.match not in MATCHES:
            raise InputError(f"No way to match {self.match!r}; there is only position.")
        if self.task not in _TASKS:
            raise InputError(f"No task {self.task!r}; there are {', '.join(_TASKS)}.")
        for file, role in self.files.items():
            if role not in FILE_ROLES:
                raise InputError(
                    f"{file}: no role {role!r} for a file; there are {', '.join(FILE_ROLES)}."
                )
        seen: dict[frozenset[str], str] = {}
        for column, shown in self.judgments.items():
            same = seen.setdefault(frozenset(shown), column)
            if same != column:
                raise InputError(
                    f"Judgments {same!r} and {column!r} are both from raters who saw "
                    f"{' and '.join(shown)}: keep one of them."
                )

    @cached_property
    def role_columns(self) -> dict[str, str]:
        """Columns with a role other than feature: name of the role → column."""
        single = {role: getattr(self, role) for role in COLUMN_ROLES if getattr(self, role)}
        single.pop("id", None)
        return {
            **{f"id{f' {k}' if k > 1 else ''}": c for k, c in enumerate(self.id_columns, start=1)},
            **single,
            **{f"target {k}": column for k, column in enumerate(self.targets, start=2)},
            **{f"judgment {column}": column for column in self.judgments},
            **{f"rater {column}": column for column in self.raters},
            **{f"informativeness of {name}": c for name, c in self.informativeness.items()},
            **{f"output {column}": column for own in self.outputs.values() for column in own},
        }

    @property
    def id_columns(self) -> tuple[str, ...]:
        """The columns that together name a sample; several if the id is `a + b`."""
        return tuple(part for part in self.id.split(KEY_SIGN) if part)

    def is_open(self, role: str) -> bool:
        """True if the role is empty and not switched off."""
        return not getattr(self, role) and role not in self.switched_off

    def is_switched_off(self, column: str) -> bool:
        """True if a column has the name of a role that is switched off: it is not a feature."""
        if not self.switched_off:
            return False
        names = {name for role in self.switched_off for name in ROLE_NAMES.get(role, ())}
        return plain_name(column) in names

    def role_of(self, table: str, files: tuple[str, ...] = ()) -> str:
        """The role of a table, looked up by its name, its file's name, or its parts' names."""
        # Tables are named after their file, without the folders that a mapping may name.
        roles = {PurePosixPath(name).name: role for name, role in self.files.items()}
        names = (table, table.rpartition(":")[0], *files)
        return next((roles[name] for name in names if name in roles), "")

    def to_dict(self) -> dict[str, Any]:
        """Plain data for YAML or JSON; `from_dict` reads it back.

        Empty roles are left out, except those that are switched off.
        """
        plain = {
            key: value
            for key, value in asdict(self).items()
            if key in self.switched_off
            or (key not in ("switched_off", "guessed") and value not in ("", {}, ()))
        }
        if len(self.id_columns) > 1:
            plain["id"] = list(self.id_columns)
        for key in _NAME_LISTS:
            if key in plain:
                plain[key] = {name: list(items) for name, items in plain[key].items()}
        plain |= {key: list(plain[key]) for key in _LISTS if key in plain}
        return plain

    @classmethod
    def from_dict(cls, data: object) -> StudyMapping:
        """The mapping from data that `to_dict` or a user wrote."""
        known = [f.name for f in fields(cls) if f.name not in ("switched_off", "guessed")]
        if not isinstance(data, dict):
            raise InputError(f"A study mapping is a list of settings: {', '.join(known)}.")
        unknown = [str(key) for key in data if key not in known]
        if unknown:
            settings = ", ".join(known)
            raise InputError(
                f"No setting {', '.join(unknown)} in a study mapping, only {settings}."
            )
        off = {key for key in GUESSED_ROLES if key in data and data[key] in ("", None, {})}
        given: dict[str, Any] = {"switched_off": frozenset(off)}
        for key, value in data.items():
            if key in off:
                continue
            if key in _NAME_LISTS:
                given[key] = _lists(key, value)
            elif key == "reading":
                given[key] = _reading(key, value)
            elif key in _NAMES:
                given[key] = {name: _one(key, items) for name, items in _lists(key, value).items()}
            elif key in _LISTS:
                given[key] = (*given.get(key, ()), *_lists(key, {key: value})[key])
            elif isinstance(value, str | int | float):
                given[key] = str(value)
            elif key == "id" and isinstance(value, list | tuple):
                given[key] = KEY_SIGN.join(_lists(key, {key: value})[key])
            elif key == "target" and isinstance(value, list | tuple):
                first, *others = _lists(key, {key: value})[key]
                given |= {key: first, "targets": (*others, *given.get("targets", ()))}
            else:
                raise InputError(f"Setting {key!r} of a study mapping needs one name.")
        return cls(**given)


def several_targets(names: Sequence[str], remedy: str, file: str = "") -> InputError:
    """The error for several possible targets: none is left out silently."""
    where = f"{file}: " if file else ""
    return InputError(
        f"{where}there are {len(names)} targets ({listing(names, 6)}), and none was chosen: "
        f"{remedy}."
    )


def _one(key: str, items: tuple[str, ...]) -> str:
    if len(items) != 1:
        raise InputError(f"Setting {key!r} of a study mapping needs one name for each.")
    return items[0]


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


def _reading(key: str, value: object) -> dict[str, float | str]:
    if not isinstance(value, dict) or not all(type(v) in (int, float, str) for v in value.values()):
        raise InputError(f"Setting {key!r} of a study mapping needs names with numbers or a sign.")
    given = {str(name): option for name, option in value.items()}
    ReadingOptions.from_dict(given)
    return given


class _EachKeyOnce(yaml.SafeLoader):
    """The safe loader with an error for repeated keys, of which it would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        given: dict[str, list[str]] = defaultdict(list)
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                given[key.value].append(value.value if isinstance(value, yaml.ScalarNode) else "…")
        for name, values in given.items():
            if len(values) > 1:
                raise InputError(
                    f"The study mapping gives {name[:80]!r} {len(values)} times "
                    f"({listing([value[:80] for value in values], 6)}): keep one of them."
                )
        return super().construct_mapping(node, deep)


def read_mapping(path: Path, name: str = "") -> StudyMapping:
    """Read a mapping from a YAML file (`study.yaml`), which messages refer to as `name`."""
    name = name or path.name
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(f"{name} is too large for a study mapping.")
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=_EachKeyOnce)  # noqa: S506 — safe
    except OSError as error:
        raise InputError(f"{name} cannot be opened: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{name} is not a YAML file of settings.") from error
    return StudyMapping.from_dict(data)


def write_mapping(mapping: StudyMapping, path: Path) -> None:
    """Write a mapping as YAML, for `read_mapping` and for people."""
    path.write_text(mapping_text(mapping), encoding="utf-8")


def mapping_text(mapping: StudyMapping) -> str:
    """A mapping as the text of a `study.yaml`."""
    return yaml.safe_dump(mapping.to_dict(), sort_keys=False, allow_unicode=True)


def mapped_sources(mapping: StudyMapping, folder: Path) -> tuple[SourceFile, ...]:
    """The files that a mapping names, which must be in the folder of its `study.yaml`.

    A mapping that names none refers to all data files there. Ignored files are left out.
    """
    if not mapping.files:
        return find_sources([folder])
    paths: dict[Path, None] = {}
    for name, role in mapping.files.items():
        if role != "ignore":
            paths[_inside(folder, name)] = None
    if not paths:
        raise InputError("The study mapping ignores all its files.")
    return tuple(SourceFile(path.name, path) for path in paths)


def media_settings(
    mapping: StudyMapping, folder: Path | None, samples: pd.DataFrame
) -> MediaSettings | None:
    """The folder of recordings that a mapping names: an absolute path, or one within `folder`.

    An uploaded mapping has no folder (None): only an absolute path is accepted, because any other
    one would be a folder of the server.
    """
    if not mapping.media_folder:
        return None
    if folder is None and not Path(mapping.media_folder).is_absolute():
        raise InputError(
            f"The folder of recordings {mapping.media_folder[:80]!r} is not a whole path: give its "
            "full path on the server, or leave it empty and choose it later on Study."
        )
    path = ((folder or Path()) / mapping.media_folder).resolve()
    return replace(suggested_media(str(path), samples), recording=mapping.recording)


def _inside(folder: Path, name: str) -> Path:
    """A file in a folder by its path there, or the file of a sheet `book.xlsx:Sheet1`."""
    windows = PureWindowsPath(name.rpartition(":")[0] or name)
    parts = (*PurePosixPath(name).parts, *windows.parts)
    if PurePosixPath(name).is_absolute() or windows.drive or windows.root or ".." in parts:
        raise InputError(f"File {name[:80]!r}: name it by its path within the mapping's folder.")
    for candidate in (name, name.rpartition(":")[0]):
        try:
            if not candidate or not (folder / candidate).is_file():
                continue
            path = (folder / candidate).resolve(strict=True)
        except (OSError, ValueError, RuntimeError) as error:
            raise InputError(f"File {name[:80]!r} is not a valid file name.") from error
        if not path.is_relative_to(folder.resolve()):
            raise InputError(f"File {name[:80]!r} is a link that leads out of its folder.")
        return folder / candidate
    raise InputError(f"There is no file {name[:80]!r} in the folder of the study mapping.")
