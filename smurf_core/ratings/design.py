"""The design of a collection of ratings: which clips, shown how, rated on which scales.

A design is a YAML file that people can read, change and use again. `read_design` checks it, with
one sentence per error. Once collection has begun, a design is known by its `fingerprint`: a design
that was changed is a new version (`smurf_core.ratings.store`).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

import yaml

from smurf_core.codec import check, from_plain, to_plain
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.data.problems import listing
from smurf_core.durable import write_whole
from smurf_core.errors import InputError
from smurf_core.ratings.interface import interface_texts

Form = Literal[
    "words",
    "voice",
    "filtered_voice",
    "muted_video",
    "face_and_words",
    "face_and_filtered_voice",
    "all",
]
Channel = Literal["words", "voice", "face"]
Sound = Literal["none", "full", "filtered"]
ScaleKind = Literal["slider", "likert", "sam", "categories", "informativeness", "continuous"]
Dimension = Literal["valence", "arousal", "dominance"]
ClipSource = Literal["all", "slice", "stratified"]
Stratum = Literal["prediction", "disagreement", "unexpected"]

FILTER_HZ = 400.0  # Below it, speech keeps its melody and loses its words.
SAM_STEPS = (5, 9)
MOST_STEPS = 11
_NAME = re.compile(r"[^\W\d_]\w{0,39}")
_MAX_BYTES = 1_000_000
_THE_DESIGN = "The design of the ratings"


@dataclass(frozen=True)
class Presentation:
    """What a rater gets of a clip in one form."""

    picture: bool
    sound: Sound
    words: bool  # the transcript
    channels: frozenset[Channel]  # what a rater can judge from it


FORMS: Mapping[Form, Presentation] = {
    "words": Presentation(False, "none", True, frozenset({"words"})),
    "voice": Presentation(False, "full", False, frozenset({"words", "voice"})),
    "filtered_voice": Presentation(False, "filtered", False, frozenset({"voice"})),
    "muted_video": Presentation(True, "none", False, frozenset({"face"})),
    "face_and_words": Presentation(True, "none", True, frozenset({"face", "words"})),
    "face_and_filtered_voice": Presentation(True, "filtered", False, frozenset({"face", "voice"})),
    "all": Presentation(True, "full", False, frozenset({"face", "words", "voice"})),
}


@dataclass(frozen=True)
class ClipChoice:
    """Which samples of the study are rated.

    `all`; the samples of a `slice` (its id); or a `stratified` draw of `count` samples: equally
    many from each of `strata` equal parts of a run's samples, ordered by `by`
    (`smurf_core.ratings.clips`).
    """

    source: ClipSource = "all"
    slice: str = ""
    run: str = ""
    by: Stratum = "prediction"
    count: int = 60
    strata: int = 5

    def __post_init__(self) -> None:
        check(self)
        if self.source == "slice" and not self.slice:
            raise InputError("clips: a slice was chosen and none is named; give its id as slice.")
        if self.source == "stratified":
            if not self.run:
                raise InputError("clips: a stratified draw needs a run; give its id as run.")
            if not 1 <= self.strata <= self.count:
                raise InputError(
                    f"clips: {self.count} clips cannot be drawn from {self.strata} strata; strata "
                    "must be 1 or more, and count at least as many."
                )


@dataclass(frozen=True)
class Condition:
    """One way in which clips are shown: the form, and the modalities that it shows."""

    name: str  # unique; a column of the export
    form: Form
    modalities: tuple[str, ...]  # of the data set

    def __post_init__(self) -> None:
        check(self)
        _check_name(self.name, "condition")
        if not self.modalities or len(set(self.modalities)) != len(self.modalities):
            raise InputError(
                f"Condition {self.name!r} must show at least one modality, and each once; got "
                f"{listing(self.modalities, 6) or 'none'}."
            )

    @property
    def presentation(self) -> Presentation:
        """Picture, sound and words of the condition's form."""
        return FORMS[self.form]


@dataclass(frozen=True)
class Scale:
    """One question. Numbers are in the unit of what it measures, from `low` to `high`.

    `labels` are the two ends (slider, sam, continuous), the two ends or every step (likert), or the
    categories. A continuous scale is a slider that raters move while the clip plays.
    """

    name: str  # unique; a column of the export
    kind: ScaleKind
    question: str
    measures: str = ""  # the study's target that it rates, if any
    low: float = 0.0
    high: float = 1.0
    steps: int = 7  # likert: 2 to 11; sam: 5 or 9
    labels: tuple[str, ...] = ()
    dimension: Dimension = "valence"  # sam: which pictures
    intensity: bool = False  # categories: also ask how strongly, from 0 to 1
    conditions: tuple[str, ...] = ()  # in which it is asked; none: in all

    def __post_init__(self) -> None:
        check(self)
        _check_name(self.name, "scale")
        where = f"Scale {self.name!r}"
        if not self.question.strip():
            raise InputError(f"{where} has no question; write what raters are asked.")
        if self.is_numeric and not self.low < self.high:
            raise InputError(
                f"{where} goes from {self.low:g} to {self.high:g}; low must be below high."
            )
        if self.kind == "likert" and not 2 <= self.steps <= MOST_STEPS:
            raise InputError(f"{where} has {self.steps} steps; a Likert scale has 2 to 11.")
        if self.kind == "sam" and self.steps not in SAM_STEPS:
            raise InputError(f"{where} has {self.steps} steps; a SAM scale has 5 or 9.")
        wanted = {
            "slider": {2}, "sam": {2}, "continuous": {2}, "likert": {2, self.steps},
            "informativeness": {0},
        }  # fmt: skip
        if self.kind in wanted and len(self.labels) not in wanted[self.kind]:
            number = " or ".join(str(n) for n in sorted(wanted[self.kind]))
            raise InputError(
                f"{where} has {len(self.labels)} labels; a scale of kind {self.kind} needs "
                f"{number}."
            )
        if self.kind == "categories" and len(self.labels) < 2:
            raise InputError(f"{where} needs two categories or more; name them as labels.")
        if len(set(self.labels)) != len(self.labels) or not all(n.strip() for n in self.labels):
            raise InputError(f"{where} has labels that are empty or equal; each must differ.")

    @property
    def is_numeric(self) -> bool:
        """True for a slider, Likert, SAM or continuous scale: numbers from low to high."""
        return self.kind in ("slider", "likert", "sam", "continuous")

    @property
    def is_continuous(self) -> bool:
        """True if raters give a trace over the clip, and not one answer to it."""
        return self.kind == "continuous"

    @property
    def values(self) -> tuple[float, ...]:
        """The answers that can be given on a Likert or SAM scale, lowest first; else none."""
        if self.kind not in ("likert", "sam"):
            return ()
        width = (self.high - self.low) / (self.steps - 1)
        return tuple(self.low + step * width for step in range(self.steps))

    def is_asked_in(self, condition: str) -> bool:
        """True if raters in this condition get the question."""
        return not self.conditions or condition in self.conditions


@dataclass(frozen=True)
class Design:
    """Everything that determines a collection of ratings, but its raters."""

    title: str
    conditions: tuple[Condition, ...]
    scales: tuple[Scale, ...]
    instructions: str
    consent: str
    language: str = "en"  # of the rater's page; the texts here are in it
    clips: ClipChoice = field(default_factory=ClipChoice)
    raters_per_cell: int = 3  # of every clip in every condition
    clips_per_rater: int = 30
    practice: tuple[str, ...] = ()  # samples shown first, whose answers do not count
    attention: int = 1  # items per rater that ask for a certain answer
    repeats: int = 3  # clips per rater that are shown a second time, in the same condition
    filter_hz: float = FILTER_HZ  # cut-off of the filtered voice
    seed: int = 0

    def __post_init__(self) -> None:
        check(self)
        interface_texts(self.language)
        for what, text in (("title", self.title), ("consent text", self.consent)):
            if not text.strip():
                raise InputError(f"{_THE_DESIGN} has no {what}; write one.")
        for what, names in (
            ("condition", [c.name for c in self.conditions]),
            ("scale", [s.name for s in self.scales]),
        ):
            if not names:
                raise InputError(f"{_THE_DESIGN} has no {what}; add one.")
            if twice := _twice(names):
                raise InputError(f"{_THE_DESIGN} has {what} {twice!r} twice; rename one of them.")
        known = [c.name for c in self.conditions]
        for scale in self.scales:
            if wrong := [name for name in scale.conditions if name not in known]:
                raise InputError(
                    f"Scale {scale.name!r} is asked in condition {wrong[0]!r}, which is not one of "
                    f"{listing(known, 8)}."
                )
        for condition in self.conditions:
            self._check_asked(condition)
        for what, least in (
            ("raters_per_cell", 1), ("clips_per_rater", 1), ("attention", 0), ("repeats", 0),
            ("seed", 0),
        ):  # fmt: skip
            if getattr(self, what) < least:
                raise InputError(f"{what} is {getattr(self, what)}; it must be {least} or more.")
        if twice := _twice(self.practice):
            raise InputError(f"Practice names sample {twice!r} twice; name it once.")
        if not 50 <= self.filter_hz <= 2_000:
            raise InputError(
                f"filter_hz is {self.filter_hz:g}; the cut-off must be between 50 and 2000 Hz."
            )

    def _check_asked(self, condition: Condition) -> None:
        """Some scale is asked, and at most one trace of something that plays."""
        name = condition.name
        asked = [scale for scale in self.scales if scale.is_asked_in(name)]
        if not asked:
            raise InputError(f"No scale is asked in condition {name!r}; add one or remove it.")
        traced = [scale for scale in asked if scale.is_continuous]
        for scale in traced:
            if len(scale.conditions or self.conditions) != 1:
                raise InputError(
                    f"Scale {scale.name!r} is continuous and must be asked in one condition; name "
                    "it as conditions."
                )
        if len(traced) > 1:
            raise InputError(
                f"Condition {name!r} has {len(traced)} continuous scales; raters can move one "
                "slider while a clip plays, so keep one."
            )
        shown = condition.presentation
        if traced and not shown.picture and shown.sound == "none":
            raise InputError(
                f"Scale {traced[0].name!r} is continuous, and condition {name!r} plays nothing; "
                "ask it where raters hear or see the clip."
            )
        if len(traced) == len(asked) and self.attention:
            raise InputError(
                f"Condition {name!r} has a continuous scale only, which cannot be used for checks; "
                "set attention to 0 or add another scale."
            )

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the design's content: equal designs give the same string everywhere."""
        plain = json.dumps(to_plain(self), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(plain.encode()).hexdigest()

    def condition(self, name: str) -> Condition:
        """A condition by its name; raises `InputError` if there is none."""
        for condition in self.conditions:
            if condition.name == name:
                return condition
        known = listing([c.name for c in self.conditions], 8)
        raise InputError(f"There is no condition {name!r}; the design has {known}.")

    def scale(self, name: str) -> Scale:
        """A scale by its name; raises `InputError` if there is none."""
        for scale in self.scales:
            if scale.name == name:
                return scale
        known = listing([s.name for s in self.scales], 8)
        raise InputError(f"There is no scale {name!r}; the design has {known}.")


def check_design(design: Design, dataset: MultimodalDataset, clips: Iterable[str]) -> None:
    """Raise `InputError` if a design does not fit a study's data, or the clips to rate."""
    clips = list(clips)
    for condition in design.conditions:
        if wrong := [m for m in condition.modalities if m not in dataset.modalities]:
            raise InputError(
                f"Condition {condition.name!r} shows {wrong[0]!r}, which is not a modality of "
                f"{dataset.name!r} ({listing(dataset.modalities, 8)})."
            )
    for scale in design.scales:
        if scale.measures and scale.measures not in dataset.target_names:
            raise InputError(
                f"Scale {scale.name!r} measures {scale.measures!r}, which is not a target of "
                f"{dataset.name!r} ({listing(dataset.target_names, 8)})."
            )
        is_classes = dataset.task == "classification" and scale.measures == dataset.target_name
        if is_classes and scale.labels != dataset.class_names:
            raise InputError(
                f"Scale {scale.name!r} measures {scale.measures!r}, so its labels must be the "
                f"classes: {listing(dataset.class_names, 12)}."
            )
    known = set(dataset.sample_ids.tolist())
    for what, names in (("Practice names", design.practice), ("The clips contain", clips)):
        if wrong := [name for name in names if name not in known]:
            raise InputError(
                f"{what} sample {wrong[0]!r}, which is not in {dataset.name!r}; use its sample ids."
            )
    if not clips:
        raise InputError("There is no clip to rate: choose others in the design.")
    if both := [name for name in design.practice if name in set(clips)]:
        raise InputError(
            f"Sample {both[0]!r} is a practice item and also a clip to rate; remove it from one."
        )


def parse_design(text: str, name: str = "The design") -> Design:
    """A design from the text of a YAML file, which errors refer to as `name`.

    Fields that have a default may be left out. Raises `InputError` with one sentence.
    """
    try:
        data = yaml.load(text, Loader=_EachKeyOnce)  # noqa: S506 — safe
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" (line {mark.line + 1})" if mark is not None else ""
        raise InputError(f"{name} is not a YAML file of settings{line}.") from error
    return from_plain(Design, _with_defaults(Design, data), name)


def read_design(path: Path) -> Design:
    """Read a design from a YAML file; raises `InputError` with one sentence."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(f"{path.name} is too large for a design.")
        return parse_design(path.read_text(encoding="utf-8"), path.name)
    except OSError as error:
        raise InputError(f"{path.name} cannot be opened: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is not a YAML file of settings.") from error


def design_text(design: Design) -> str:
    """A design as the text of a YAML file, which `parse_design` reads back to an equal design."""
    return yaml.safe_dump(to_plain(design), sort_keys=False, allow_unicode=True, width=100)


def write_design(design: Design, path: Path) -> None:
    """Write a design as YAML; the file is complete or absent, also after a kill."""
    write_whole(path, lambda partial: partial.write_text(design_text(design), encoding="utf-8"))


class _EachKeyOnce(yaml.SafeLoader):
    """The safe loader with an error for repeated keys, of which it would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        if twice := _twice([k.value for k, _ in node.value if isinstance(k, yaml.ScalarNode)]):
            raise InputError(
                f"The design gives {twice[:80]!r} twice (line {node.start_mark.line + 1} or "
                "below): keep one of them."
            )
        return super().construct_mapping(node, deep)


def _with_defaults(hint: Any, data: Any) -> Any:
    """Plain data in which fields that were left out have their default."""
    if get_args(hint) and isinstance(data, list):
        return [_with_defaults(get_args(hint)[0], item) for item in data]
    if not (isinstance(hint, type) and is_dataclass(hint) and isinstance(data, dict)):
        return data
    hints = get_type_hints(hint)
    whole = {n: _with_defaults(hints[n], v) if n in hints else v for n, v in data.items()}
    for one in fields(hint):
        if one.name not in whole and one.default is not MISSING:
            whole[one.name] = one.default
        elif one.name not in whole and one.default_factory is not MISSING:
            whole[one.name] = one.default_factory()
    return whole


def _check_name(name: str, what: str) -> None:
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{name[:60]!r} cannot name a {what}: use letters, digits and _, a letter first, at "
            "most 40."
        )


def _twice(names: Iterable[str]) -> str | None:
    """The first name that was there before, or None."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
