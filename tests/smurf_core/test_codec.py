"""Settings as plain data and back, on small classes made here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
import pytest

from smurf_core.codec import Upgrades, check, from_plain, to_plain
from smurf_core.errors import InputError


@dataclass(frozen=True)
class Point:
    x: float
    y: float = 0.0

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Drawing:
    name: str
    colour: Literal["red", "blue"]
    points: tuple[Point, ...]
    widths: tuple[tuple[int, ...], ...] = ()
    limit: int | None = None
    is_filled: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    style: str = field(default="thin", metadata={"choices": ("thin", "thick")})

    def __post_init__(self) -> None:
        check(self)


FULL = Drawing(
    "one", "blue", (Point(1.5, 2.0), Point(3.0)), ((1, 2), ()), 4, True, {"a": "b"}, "thick"
)  # fmt: skip


def refused(changes: dict[str, object]) -> str:
    with pytest.raises(InputError) as error:
        from_plain(Drawing, {**to_plain(FULL), **changes}, "The drawing")
    return str(error.value)


def test_settings_survive_json() -> None:
    assert from_plain(Drawing, json.loads(json.dumps(to_plain(FULL))), "The drawing") == FULL


def test_plain_data_name_their_layout_and_data_without_one_are_of_the_first() -> None:
    plain = to_plain(FULL)
    assert plain.pop("version") == 1
    assert from_plain(Drawing, plain, "The drawing") == FULL


def test_every_unknown_and_missing_field_is_named_in_one_sentence() -> None:
    plain = to_plain(FULL)
    del plain["colour"], plain["style"]
    with pytest.raises(InputError) as error:
        from_plain(Drawing, {**plain, "speed": 1, "size": 2}, "The drawing")
    assert str(error.value) == (
        "The drawing has no field 'speed' or 'size' and lacks 'colour' and 'style'; its fields are "
        "name, colour, points, widths, limit, is_filled, labels and style."
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"colour": "green"}, "colour must be red or blue, got 'green'."),
        ({"colour": ["red"]}, "colour must be red or blue, got ['red']."),
        ({"style": "wavy"}, "style must be thin or thick, got 'wavy'."),
        ({"name": 3}, "name must be text, got 3."),
        ({"limit": 1.5}, "limit must be a whole number or nothing, got 1.5."),
        ({"limit": True}, "limit must be a whole number or nothing, got True."),
        ({"is_filled": 1}, "is_filled must be true or false, got 1."),
        ({"widths": [[1, "2"]]}, "item 2 of item 1 of widths must be a whole number, got '2'."),
        ({"widths": "12"}, "widths must be a list of lists of whole numbers, got '12'."),
        ({"labels": {"a": 1}}, "'a' of labels must be text, got 1."),
        ({"points": [{"x": 1}]}, "item 1 of points lacks 'y'; its fields are x and y."),
        ({"points": [{"x": "1", "y": 0}]}, "x of item 1 of points must be a number, got '1'."),
        ({"points": [3]}, "item 1 of points must be names with values, got 3."),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_its_field_is_refused(changes, sentence) -> None:
    assert refused(changes) == sentence


@pytest.mark.parametrize("data", [None, [], "text", 3])
def test_what_is_no_settings_at_all_is_refused(data: object) -> None:
    with pytest.raises(InputError, match=r"^The drawing must be names with values, got "):
        from_plain(Drawing, data, "The drawing")


def test_settings_made_in_python_are_checked_and_equal_those_that_are_read() -> None:
    with pytest.raises(InputError, match="colour must be red or blue, got 'green'"):
        Drawing("one", "green", ())
    made = Drawing(
        "one", "red", [Point(np.float32(0.5), 1)], [[np.int64(3)]], limit=np.int64(2)
    )  # fmt: skip
    assert from_plain(Drawing, json.loads(json.dumps(to_plain(made))), "The drawing") == made
    assert hash(made.points) == hash((Point(0.5, 1.0),))


def test_a_long_value_is_shortened_in_the_message() -> None:
    assert len(refused({"name": ["x" * 10_000]})) < 150


@dataclass(frozen=True)
class Renamed:
    length: float
    unit: str

    UPGRADES: ClassVar[Upgrades] = (
        lambda old: {"length": old["size"]},
        lambda old: {**old, "unit": "m"},
    )


@pytest.mark.parametrize(
    "data",
    [
        {"size": 2},
        {"version": 1, "size": 2},
        {"version": 2, "length": 2},
        {"version": 3, "length": 2, "unit": "m"},
    ],
)
def test_older_layouts_are_brought_to_the_newest(data: dict[str, object]) -> None:
    assert from_plain(Renamed, data, "The length") == Renamed(2.0, "m")
    assert to_plain(Renamed(2.0, "m"))["version"] == 3


def test_data_of_an_older_layout_that_lack_a_field_are_refused() -> None:
    with pytest.raises(InputError, match="The length, of layout 1, lacks 'size'"):
        from_plain(Renamed, {"length": 2}, "The length")


@pytest.mark.parametrize("value", [None, True, float("nan"), float("inf")])
def test_a_number_must_be_finite(value: object) -> None:
    with pytest.raises(InputError, match=f"x must be a number, got {value}"):
        Point(value)


def test_a_whole_number_larger_than_any_float_is_refused() -> None:
    with pytest.raises(InputError, match="x must be a number, got 1000"):
        Point(10**400)


@pytest.mark.parametrize("version", [4, 0, "1", None, True])
def test_a_layout_that_this_version_does_not_know_is_refused(version: object) -> None:
    with pytest.raises(InputError, match="reads layouts up to 3: update SMURF Studio"):
        from_plain(Renamed, {"version": version, "length": 2, "unit": "m"}, "The length")
