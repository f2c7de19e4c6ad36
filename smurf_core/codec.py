"""Converts settings to plain data and back, by the type hints of their dataclass. Imports no torch.

A class whose settings are stored is a frozen dataclass that calls `check` when it is made.
`to_plain` writes its settings as data for JSON, `from_plain` reads them. Both reject wrong values
with an `InputError` of one sentence.

Hints may be made of `str`, `int`, `float`, `bool`, `None`, `Literal` of texts, unions,
`tuple[T, ...]`, `Mapping[str, T]` and dataclasses of these. A field with
`metadata={"choices": …}` takes one of these choices, like a field with a `Literal`.

Data contain the number of their layout; data without a number have layout 1. If the fields of a
class change, one function is added to its `UPGRADES: ClassVar[Upgrades]`: the first function
converts layout 1 to layout 2, and so on.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from smurf_core.errors import InputError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    T = TypeVar("T", bound=DataclassInstance)

Upgrades = tuple[Callable[[dict[str, Any]], dict[str, Any]], ...]

# The key of the layout's number, beside the fields of the outermost dataclass.
VERSION = "version"
_SHOWN = 80  # characters of a wrong value
_WORDS: dict[type, tuple[str, str]] = {
    str: ("text", "texts"),
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    bool: ("true or false", "true or false"),
    types.NoneType: ("nothing", "nothing"),
}


def check(settings: DataclassInstance) -> None:
    """Check the values of a dataclass that is being made; for its `__post_init__`.

    Lists become tuples and whole numbers floats where the hints say so, so that settings made in
    Python equal those read from a file.

    Raises
    ------
    InputError
        If a value does not fit its field's hint or choices. Names the field and what it accepts.
    """
    for name, hint in _hints(type(settings)).items():
        object.__setattr__(settings, name, _fitting(hint, getattr(settings, name), name))


def to_plain(settings: DataclassInstance) -> dict[str, Any]:
    """Settings as data for JSON, which `from_plain` reads back.

    Returns
    -------
    dict
        All fields by name, and `version`, the number of their layout.
    """
    return {VERSION: _layout(type(settings)), **_plain_fields(settings)}


def from_plain(cls: type[T], data: object, what: str) -> T:
    """The settings that `to_plain` wrote, in the current layout or an older one.

    Parameters
    ----------
    cls
        The class of the settings.
    data
        Plain data, as JSON gives them.
    what
        Their name in an error message, such as *The run's configuration*.

    Raises
    ------
    InputError
        If a field is missing or unknown, a value does not fit its field, or the layout is newer
        than this version of the program.
    """
    if not isinstance(data, Mapping):
        raise InputError(f"{what} must be names with values, got {_shown(data)}.")
    plain = dict(data)
    version = plain.pop(VERSION, 1)
    newest = _layout(cls)
    if type(version) is not int or not 1 <= version <= newest:
        raise InputError(
            f"{what} has layout {_shown(version)}, and this version of SMURF Studio reads layouts "
            f"up to {newest}: update SMURF Studio."
        )
    try:
        for upgrade in _upgrades(cls)[version - 1 :]:
            plain = upgrade(plain)
    except KeyError as error:
        raise InputError(f"{what}, of layout {version}, lacks {error}.") from error
    return _made(cls, plain, what)


def _upgrades(cls: type) -> Upgrades:
    found: Upgrades = getattr(cls, "UPGRADES", ())
    return found


def _layout(cls: type) -> int:
    return len(_upgrades(cls)) + 1


class _OneOf:
    """A hint for a fixed set of values; a collection that grows later is read when it is needed."""

    def __init__(self, choices: Collection[Any]) -> None:
        self.choices = choices


@cache
def _hints(cls: type[DataclassInstance]) -> dict[str, Any]:
    """What each field accepts: its hint, or its choices."""
    hints = get_type_hints(cls)
    return {
        f.name: _OneOf(f.metadata["choices"]) if "choices" in f.metadata else hints[f.name]
        for f in fields(cls)
    }


def _made(cls: type[T], plain: Mapping[str, Any], what: str, where: str = "") -> T:
    hints = _hints(cls)
    unknown = [repr(name)[:_SHOWN] for name in plain if name not in hints]
    missing = [repr(name) for name in hints if name not in plain]
    wrong = [f"has no field {_joined(unknown, 'or')}"] if unknown else []
    wrong += [f"lacks {_joined(missing, 'and')}"] if missing else []
    if wrong:
        raise InputError(f"{what} {' and '.join(wrong)}; its fields are {_joined(hints, 'and')}.")
    return cls(**{n: _fitting(hint, plain[n], f"{n}{where}") for n, hint in hints.items()})


def _fitting(hint: Any, value: Any, where: str) -> Any:
    """A value converted to its hint; raises an error for a value that does not fit."""
    parts = get_args(hint)
    if isinstance(hint, _OneOf) or get_origin(hint) is Literal:
        if isinstance(value, str) and value in _choices(hint):
            return str(value)
    elif get_origin(hint) in (Union, types.UnionType):
        for part in parts:
            try:
                return _fitting(part, value, where)
            except InputError:
                pass
    elif get_origin(hint) is tuple:
        if isinstance(value, list | tuple):
            item = f"item {{}} of {where}"
            return tuple(_fitting(parts[0], v, item.format(i)) for i, v in enumerate(value, 1))
    elif get_origin(hint) is Mapping:
        if isinstance(value, Mapping) and all(isinstance(name, str) for name in value):
            return {
                name: _fitting(parts[1], v, f"{name!r} of {where}") for name, v in value.items()
            }
    elif isinstance(hint, type) and is_dataclass(hint):
        if isinstance(value, hint):
            return value
        if isinstance(value, Mapping):
            return _made(hint, value, where, f" of {where}")
    elif _is_plain(hint, value):
        return None if hint is types.NoneType else hint(value)
    raise InputError(f"{where} must be {_described(hint)}, got {_shown(value)}.")


def _is_plain(kind: type, value: Any) -> bool:
    """True if a value is a text, number, truth value or nothing, as its hint says."""
    if isinstance(value, bool) or kind is bool:
        return kind is bool and isinstance(value, bool)
    if kind is int:
        return isinstance(value, Integral)
    if kind is float:
        try:
            return isinstance(value, Real) and math.isfinite(value)
        except OverflowError:  # a whole number that is larger than any float
            return False
    return isinstance(value, kind)


def _choices(hint: Any) -> Collection[Any]:
    return hint.choices if isinstance(hint, _OneOf) else get_args(hint)


def _described(hint: Any, *, several: bool = False) -> str:
    """What a hint accepts, in words."""
    parts = get_args(hint)
    if isinstance(hint, _OneOf) or get_origin(hint) is Literal:
        return _joined(_choices(hint), "or")
    if get_origin(hint) in (Union, types.UnionType):
        return " or ".join(_described(part, several=several) for part in parts)
    if get_origin(hint) is tuple:
        return f"{'lists' if several else 'a list'} of {_described(parts[0], several=True)}"
    if get_origin(hint) is Mapping or is_dataclass(hint):
        return "names with values"
    one, more = _WORDS[hint]
    return more if several else one


def _plain_fields(settings: DataclassInstance) -> dict[str, Any]:
    return {f.name: _plain(getattr(settings, f.name)) for f in fields(settings)}


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return _plain_fields(value)
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _joined(names: Iterable[Any], word: str) -> str:
    """`a, b and c`."""
    *first, last = map(str, names)
    return f"{', '.join(first)} {word} {last}" if first else last


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
