"""What a rater's page shows of an item: no sample id, and nothing that a condition hides."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from smurf_core.ratings.answers import INTENSITY, AnswerField, scale_fields
from smurf_core.ratings.defaults import channel_of
from smurf_core.ratings.design import Condition, Design, Scale
from smurf_core.ratings.interface import interface_texts
from smurf_core.ratings.stimuli import Stimuli
from smurf_core.ratings.store import Collection, ItemView, RaterState
from smurf_core.ratings.traces.chunks import RATE

# Texts of these are for designs, not for the page.
_NOT_SENT = ("default_", "language")


def opening(collection: Collection, state: RaterState, *, is_simulated: bool) -> dict[str, Any]:
    """What the page starts with: texts, the design's words for raters, and where the rater is.

    `is_simulated` if a program made the clips: raters are to know.
    """
    design = collection.design_version(state.version).design
    texts = interface_texts(design.language)
    return {
        "language": design.language,
        "texts": {k: v for k, v in texts.items() if not k.startswith(_NOT_SENT)},
        "title": design.title,
        "instructions": design.instructions,
        "consent": design.consent,
        "is_open": collection.is_open,
        "is_simulated": is_simulated,
        "state": where(state),
    }


def where(state: RaterState) -> dict[str, Any]:
    """A rater's place in the list."""
    return {
        "has_consented": state.has_consented,
        "answered": state.answered,
        "total": state.total,
        "next": state.next,
    }


def clip_mark(token: str, clip: str) -> str:
    """What the page knows a clip by: a sample id may give away what it shows."""
    return hashlib.sha256(f"{token}/{clip}".encode()).hexdigest()[:16]


def shown_item(token: str, item: ItemView, design: Design, stimuli: Stimuli) -> dict[str, Any]:
    """An item as JSON; repeats and checks look as all other clips do."""
    condition = design.condition(item.condition)
    shown = condition.presentation
    texts = interface_texts(design.language)
    media = "video" if shown.picture else "audio" if shown.sound != "none" else None
    return {
        "position": item.position,
        "total": item.total,
        "is_practice": item.kind == "practice",
        "clip": clip_mark(token, item.clip),
        "media": media,
        "words": stimuli.words(item.clip) if shown.words else None,
        "fields": [_field(field, texts) for field in item.fields],
        "trace": None if item.traced is None else _trace(item.traced, has_trace=item.has_trace),
        "request": _request(item, texts),
        "answer": item.answer,
        "revision": 0 if item.revision is None else item.revision + 1,
    }


def previewed(scale: Scale, conditions: Iterable[Condition], language: str) -> dict[str, Any]:
    """A question as JSON of an item: in the condition, of those that ask it, that shows most."""
    asked = [c.modalities for c in conditions if scale.is_asked_in(c.name)]
    most: tuple[str, ...] = max(asked, key=len) if asked else ()
    fields = scale_fields(scale, most)
    texts = interface_texts(language)
    return {
        "fields": [_field(field, texts) for field in fields],
        "trace": _trace(scale, has_trace=False) if scale.is_continuous else None,
    }


def _trace(scale: Scale, *, has_trace: bool) -> dict[str, Any]:
    """The slider that is moved while the clip plays."""
    return {
        "question": scale.question, "low": scale.low, "high": scale.high,
        "labels": list(scale.labels), "is_complete": has_trace, "rate": RATE,
    }  # fmt: skip


def _field(field: AnswerField, texts: Mapping[str, str]) -> dict[str, Any]:
    scale = field.scale
    is_intensity = field.key.endswith(f"/{INTENSITY}")
    question = texts["intensity_question"] if is_intensity else scale.question
    if field.modality:
        channel = channel_of(field.modality)
        name = field.modality if channel is None else texts[f"channel_{channel}"]
        question = f"{question} {name[:1].upper()}{name[1:]}"
    return {
        "key": field.key,
        "question": question,
        "kind": "slider" if not field.steps else "sam" if scale.kind == "sam" else "steps",
        "low": field.low,
        "high": field.high,
        "values": list(field.steps),
        "labels": _labels(field, texts),
        "dimension": scale.dimension if scale.kind == "sam" else None,
        "unanswered": texts["unanswered"],
    }


def _labels(field: AnswerField, texts: Mapping[str, str]) -> list[str]:
    """One label per value, or those of the two ends."""
    if field.modality:
        return [texts[f"informative_{choice}"] for choice in field.choices]
    if field.choices:
        return list(field.choices)
    if field.key.endswith(f"/{INTENSITY}"):
        return [texts["intensity_low"], texts["intensity_high"]]
    return list(field.scale.labels)


def _request(item: ItemView, texts: Mapping[str, str]) -> str | None:
    """The sentence of an attention item."""
    if item.wanted is None:
        return None
    field = item.fields[0]
    labels = _labels(field, texts)
    answer = labels[0] if item.wanted[field.key] == field.low else labels[-1]
    return texts["attention"].format(answer=answer)
