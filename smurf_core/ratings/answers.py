"""What an item asks, and whether an answer fits: one number per asked field."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from smurf_core.data.dataset import INFORMATIVENESS_LEVELS
from smurf_core.data.problems import listing
from smurf_core.errors import InputError
from smurf_core.ratings.design import Design, Scale

Measure = Literal["nominal", "ordinal", "interval"]
ItemKind = Literal["practice", "clip", "repeat", "attention"]
INTENSITY = "intensity"
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class AnswerField:
    """One number that raters give: a scale's, its intensity, or one modality's level."""

    key: str  # `rating`, `emotion/intensity`, `informative/audio`
    scale: Scale
    measure: Measure
    low: float
    high: float
    choices: tuple[str, ...] = ()  # the words of codes 0, 1, …; empty for numbers
    modality: str = ""  # informativeness: of which modality

    @property
    def steps(self) -> tuple[float, ...]:
        """The only numbers that can be given; empty if any from low to high can."""
        if self.choices:
            return tuple(float(code) for code in range(len(self.choices)))
        return self.scale.values


def answer_fields(design: Design, condition: str) -> tuple[AnswerField, ...]:
    """What raters answer in a condition, in the order of the scales.

    Informativeness has one field per modality that the condition shows, categories with intensity
    have two fields, continuous scales none (`traced_scale`), all others one.
    """
    shown = design.condition(condition).modalities
    asked = (scale for scale in design.scales if scale.is_asked_in(condition))
    return tuple(field for scale in asked for field in scale_fields(scale, shown))


def scale_fields(scale: Scale, shown: Iterable[str]) -> list[AnswerField]:
    """What raters answer on one scale where these modalities are shown."""
    if scale.is_continuous:
        return []
    if scale.kind == "informativeness":
        top = float(len(INFORMATIVENESS_LEVELS) - 1)
        return [
            AnswerField(
                f"{scale.name}/{modality}", scale, "ordinal", 0.0, top, INFORMATIVENESS_LEVELS,
                modality,
            )
            for modality in shown
        ]  # fmt: skip
    if scale.kind == "categories":
        top = float(len(scale.labels) - 1)
        found = [AnswerField(scale.name, scale, "nominal", 0.0, top, scale.labels)]
        if scale.intensity:
            key = f"{scale.name}/{INTENSITY}"
            found.append(AnswerField(key, scale, "interval", 0.0, 1.0))
        return found
    measure: Measure = "interval" if scale.kind == "slider" else "ordinal"
    return [AnswerField(scale.name, scale, measure, scale.low, scale.high)]


def all_fields(design: Design) -> dict[str, AnswerField]:
    """Key → field, over all conditions, in the order in which they first occur."""
    return {
        field.key: field
        for condition in design.conditions
        for field in answer_fields(design, condition.name)
    }


def item_fields(design: Design, condition: str, kind: ItemKind) -> tuple[AnswerField, ...]:
    """What an item asks: of an attention item, the first field of its condition only."""
    fields = answer_fields(design, condition)
    return fields[:1] if kind == "attention" else fields


def traced_scale(design: Design, condition: str, kind: ItemKind) -> Scale | None:
    """The continuous scale of an item, which raters move while the clip plays; None if none."""
    if kind == "attention":
        return None
    asked = (s for s in design.scales if s.is_continuous and s.is_asked_in(condition))
    return next(asked, None)


def checked_answer(fields: Iterable[AnswerField], values: Mapping[str, object]) -> dict[str, float]:
    """An answer as numbers: a value per asked field, codes for words.

    Parameters
    ----------
    fields : iterable of AnswerField
        What is asked.
    values : mapping of str to number or str
        Key of a field → a number, or one of the field's `choices`.

    Raises
    ------
    InputError
        If a field is missing or unknown, or a value does not fit its scale.
    """
    wanted = {field.key: field for field in fields}
    if missing := [key for key in wanted if key not in values]:
        raise InputError(f"The answer to {missing[0]!r} is missing.")
    if unknown := [key for key in values if key not in wanted]:
        raise InputError(
            f"{str(unknown[0])[:80]!r} is not asked here; asked are {listing(wanted, 8)}."
        )
    return {key: _number(field, values[key]) for key, field in wanted.items()}


def _number(field: AnswerField, value: object) -> float:
    if isinstance(value, str) and value in field.choices:
        return float(field.choices.index(value))
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        number = float(value)
        near = [s for s in field.steps if abs(s - number) <= _TOLERANCE * (field.high - field.low)]
        if near:
            return near[0]
        if not field.steps and field.low <= number <= field.high:
            return number
    if field.choices:
        what = f"one of {listing(field.choices, 12)}"
    else:
        what = f"a number from {field.low:g} to {field.high:g}"
        what += f" in {len(field.steps)} steps" if field.steps else ""
    raise InputError(f"The answer to {field.key!r} must be {what}, got {str(value)[:80]!r}.")
