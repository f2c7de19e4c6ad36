"""One sample's card: what people and each modality say of it, alone and with others (Table 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Literal

import pandas as pd

from smurf_core.evaluation.verdicts import GOOD
from smurf_core.reporting.numbers import plain, signed, term_label
from smurf_core.terms import Source, Term, subset_name

Relation = Literal["agree", "unexpected", "differ", "unclear", "not recorded", "not separated"]
_RELATIONS: dict[Relation, str] = {
    "agree": "agree",
    "unexpected": "unexpected",
    "differ": "differ in size",
    "unclear": "unclear",
    "not recorded": "not recorded",
    "not separated": "verdict not good",
}


@dataclass(frozen=True)
class Part:
    """One contribution of a sample; `half_width` of its 95% interval is NaN without refits."""

    term: Term
    value: float
    half_width: float
    verdict: str

    @property
    def label(self) -> str:
        """As figures and tables name it: `A, shared with B and C`."""
        return term_label(*self.term.names[1:])

    @property
    def is_good(self) -> bool:
        """True if the verdict allows to rely on it."""
        return self.verdict in GOOD

    @property
    def is_clear(self) -> bool:
        """True if its interval excludes zero, or if it has none."""
        return isnan(self.half_width) or abs(self.value) > self.half_width


@dataclass(frozen=True)
class Shared:
    """What a source says of something shared, and what the other sides say.

    `relation`: all sides `agree`; they are `unexpected` (opposite, or one is small), where the
    intervals leave no doubt, and `unclear` where they do; they `differ` in size otherwise. A side
    was `not recorded`; or the verdict on a side is not good: `not separated`.
    """

    own: Part
    others: tuple[Part | None, ...]  # None: was not recorded
    relation: Relation
    score: float  # in standard deviations of the predictions, as in `typical_samples`

    @property
    def relation_text(self) -> str:
        """The relation as pages and figures write it."""
        return _RELATIONS[self.relation]

    @property
    def partners(self) -> tuple[Source, ...]:
        """The other sides."""
        return self.own.term.others


@dataclass(frozen=True)
class Row:
    """A modality (or an interaction) on a sample's card."""

    source: Source
    is_recorded: bool
    outside: str  # how far outside the training data, as in `outlying_samples`; empty if not
    judged: float  # people's judgment from this modality alone; NaN without
    alone: Part | None  # None: was not recorded
    shared: tuple[Shared, ...]

    @property
    def name(self) -> str:
        """Its name as tables write it."""
        return subset_name(self.source)


@dataclass(frozen=True)
class SampleCard:
    """All that is known of one sample of a run, as the pages, figures and reports show it.

    Numbers are in the target's unit. For classes they are logits of the class `output`, less the
    mean over the classes; `probabilities` are what the model says of each class.
    """

    sample_id: str
    person: str
    fold: int  # from 1
    transcript: str
    target: str
    prediction: str  # a number, or the most probable class with its probability
    output: str
    value: float  # the prediction, or the logit
    baseline: float
    probabilities: Mapping[str, float]  # class → probability; empty for regression
    logits: Mapping[str, float]  # as the model gives them
    judgments: Mapping[str, float]  # modalities shown → people's judgment
    outside: str
    rows: tuple[Row, ...]
    sentence: str
    digits: int  # after the point, in every number of the card

    def written(self, part: Part | None) -> str:
        """A part with its interval; a dash where the modality was not recorded."""
        if part is None:
            return "–"
        width = "" if isnan(part.half_width) else f" ± {plain(part.half_width, self.digits)}"
        return f"{signed(part.value, self.digits)}{width}"

    def written_value(self, part: Part | None) -> str:
        """A part without its interval; a dash where the modality was not recorded."""
        return "–" if part is None else signed(part.value, self.digits)

    def parts(self) -> list[Part]:
        """All recorded parts, row by row."""
        own = [[row.alone, *(shared.own for shared in row.shared)] for row in self.rows]
        return [part for parts in own for part in parts if part is not None]

    def table(self) -> pd.DataFrame:
        """One row per part: modality, people, order, shared_with, value, half_width, verdict,
        relation, other (the largest other side) and other_modality.

        The values of the parts and the baseline add up to `value`.
        """
        rows = []
        for row in self.rows:
            parts = [] if row.alone is None else [(row.alone, None)]
            for part, shared in [*parts, *((s.own, s) for s in row.shared)]:
                side = largest([] if shared is None else [o for o in shared.others if o])
                order, modality, shared_with = part.term.names
                rows.append(
                    {
                        "order": order,
                        "modality": modality,
                        "people": row.judged,
                        "shared_with": shared_with,
                        "value": part.value,
                        "half_width": part.half_width,
                        "verdict": part.verdict,
                        "relation": "" if shared is None else shared.relation,
                        "other": float("nan") if side is None else side.value,
                        "other_modality": "" if side is None else side.term.names[1],
                    }
                )
        return pd.DataFrame(rows)


def largest(parts: Sequence[Part]) -> Part | None:
    """The part with the largest absolute value; None of none."""
    return max(parts, key=lambda part: abs(part.value), default=None)
