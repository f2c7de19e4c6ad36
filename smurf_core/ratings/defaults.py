"""A design to start from, made from a study's modalities and target."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping

from smurf_core.data.dataset import MultimodalDataset
from smurf_core.data.problems import listing
from smurf_core.errors import InputError
from smurf_core.ratings.design import FORMS, Channel, Condition, Design, Form, Scale
from smurf_core.ratings.interface import interface_texts

EVERYTHING = "everything"  # the condition that shows all modalities
_CHANNEL_WORDS: Mapping[Channel, tuple[str, ...]] = {
    "words": ("text", "word", "language", "transcript", "lexical", "linguistic", "bert"),
    "voice": ("audio", "voice", "acoustic", "speech", "vocal", "sound", "prosod", "paralinguistic"),
    "face": ("vision", "visual", "video", "face", "facial", "gaze", "openface"),
}


def channel_of(modality: str) -> Channel | None:
    """The channel by which people get a modality, guessed from its name; None for a sensor's."""
    for channel, words in _CHANNEL_WORDS.items():
        if any(word in modality.lower() for word in words):
            return channel
    return None


def shown_modalities(form: Form, modalities: Iterable[str]) -> tuple[str, ...]:
    """The modalities that a form shows, by their names' channels, in their order."""
    return tuple(m for m in modalities if channel_of(m) in FORMS[form].channels)


def default_design(
    dataset: MultimodalDataset, *, language: str = "en", forms: Collection[Form] = tuple(FORMS)
) -> Design:
    """A design for a study: all modalities but one, each in its turn, and all of them.

    `forms` are those that the study's recordings and transcripts can be shown in
    (`smurf_core.ratings.stimuli.Stimuli.forms`). If they leave fewer than two of these conditions,
    the design has one condition per form.

    A target that is a number is rated on a slider over its range, classes as categories; raters
    who get everything also say how informative each modality is. Practice, attention and repeat
    items are set. Raises `InputError` if no two modalities can be seen, heard or read by their
    names' channels, or no form shows one of them.
    """
    if reason := why_not_ratable(dataset, forms):
        raise InputError(reason)
    people = _people(dataset)
    conditions = _conditions(people, forms)
    texts = interface_texts(language)
    question = texts["default_question"].format(target=dataset.target_name)
    if dataset.task == "regression":
        low, high = _round_range(float(dataset.target.min()), float(dataset.target.max()))
        main = Scale(
            "rating", "slider", question, dataset.target_name, low, high,
            labels=(texts["end_low"], texts["end_high"]),
        )  # fmt: skip
    else:
        main = Scale(
            "rating", "categories", question, dataset.target_name, labels=dataset.class_names
        )
    most = max(conditions, key=lambda condition: len(condition.modalities))
    informative = Scale(
        "informative", "informativeness", texts["default_informativeness"],
        conditions=(most.name,) if len(most.modalities) > 1 else (),
    )  # fmt: skip
    return Design(
        title=dataset.name,
        conditions=conditions,
        scales=(main, informative) if informative.conditions else (main,),
        instructions=texts["default_instructions"],
        consent=texts["default_consent"],
        language=language,
        clips_per_rater=min(30, len(dataset)),
    )


def why_not_ratable(dataset: MultimodalDataset, forms: Collection[Form] = tuple(FORMS)) -> str:
    """Why people cannot rate a study by modality, in a sentence; empty if they can.

    `forms` are those that its recordings and transcripts can be shown in.
    """
    people = _people(dataset)
    if len(people) < 2:
        which = f"Only {listing(people, 4)}" if people else "No modality"
        return (
            f"{which} of {dataset.name!r} can be seen, heard or read by its name; rename "
            "modalities, such as audio, text and vision."
        )
    if not form_conditions(dataset, forms):
        return (
            "Neither recordings nor transcripts of this study are known, so nothing can be shown "
            "to raters: name the folder of recordings on Study."
        )
    return ""


def form_conditions(dataset: MultimodalDataset, forms: Collection[Form]) -> tuple[Condition, ...]:
    """A condition for each form that shows some modality of a study, under different names."""
    people = _people(dataset)
    found = [(form, shown_modalities(form, people)) for form in FORMS if form in forms]
    return tuple(Condition(form, form, shown) for form, shown in found if shown)


def _people(dataset: MultimodalDataset) -> tuple[str, ...]:
    """The modalities that people can see, hear or read."""
    return tuple(m for m in dataset.modalities if channel_of(m) is not None)


def _conditions(people: tuple[str, ...], forms: Collection[Form]) -> tuple[Condition, ...]:
    """All but one and all of the modalities, where a form shows exactly these."""
    shown_by = {shown_modalities(form, people): form for form in FORMS if form in forms}
    shown_by.pop((), None)
    without = [tuple(m for m in people if m != left_out) for left_out in people]
    wanted = [names for names in shown_by if names in without or names == people]
    return tuple(
        Condition(EVERYTHING if shown == people else "_and_".join(_plain(shown)), form, shown)
        for shown, form in shown_by.items()
        if shown in wanted or len(wanted) < 2
    )


def _plain(names: Iterable[str]) -> list[str]:
    """Names of modalities as parts of a condition's name."""
    return [re.sub(r"\W+", "_", name).strip("_") or "modality" for name in names]


def _round_range(low: float, high: float) -> tuple[float, float]:
    """The range of a target, to whole numbers where it is wide enough for that."""
    return (low, high) if high - low < 2 else (float(math.floor(low)), float(math.ceil(high)))
