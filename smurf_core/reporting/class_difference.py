"""What moves one sample from one class to another, gated as the sample's card is."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

import pandas as pd

from smurf_core.contributions import Contributions
from smurf_core.evaluation.class_difference import class_difference, two_likeliest
from smurf_core.reporting.cards import CardSource
from smurf_core.reporting.numbers import plain, signed
from smurf_core.reporting.sample_card import Part

_NAMED = 2  # contributions of each direction in a sentence


@dataclass(frozen=True)
class DifferenceCard:
    """Each contribution to the logit of `first` minus that to the logit of `second`.

    Parameters
    ----------
    first, second
        The classes: a positive part moves the sample towards `first`.
    parts
        One per contribution. Refits know the spread of each class, not what two classes have in
        common: half of a part's interval is the sum of both classes', which is the largest that it
        can be (and exact for two classes).
    contributions
        The same as contributions of one output, with their baseline.
    is_open
        True if the run predicts, so that there is something to explain.
    digits
        After the point.
    """

    first: str
    second: str
    parts: tuple[Part, ...]
    contributions: Contributions
    is_open: bool
    digits: int

    @property
    def total(self) -> float:
        """The logit of `first` minus the logit of `second`: baseline plus all parts."""
        return float(self.contributions.prediction()[0, 0])

    @property
    def doubtful(self) -> tuple[str, ...]:
        """Labels of the parts whose verdict is not good."""
        return tuple(part.label for part in self.parts if not part.is_good)

    @property
    def sentence(self) -> str:
        """How much more probable the first class is, and what moves it towards each class."""
        likelier, other = (
            (self.first, self.second) if self.total >= 0 else (self.second, self.first)
        )
        odds = exp(min(abs(self.total), 700.0))
        times = f"{plain(odds, 1)} times" if odds < 1_000 else "more than 1,000 times"
        said = (
            f"{likelier} is {times} as probable as {other} (logits differ by "
            f"{signed(self.total, self.digits)})."
        )
        if not self.is_open:
            return said
        toward = self._named(self.first, +1), self._named(self.second, -1)
        if not any(toward):
            return f"{said} No contribution is clear enough to say what moves it."
        return " ".join([said, *filter(None, toward)])

    def _named(self, name: str, sign: int) -> str:
        clear = [p for p in self.parts if p.is_good and p.is_clear and sign * p.value > 0]
        largest = sorted(clear, key=lambda part: -abs(part.value))[:_NAMED]
        if not largest:
            return ""
        return f"Towards {name}: " + ", ".join(
            f"{part.label} ({signed(part.value, self.digits)})" for part in largest
        ) + "."  # fmt: skip

    def table(self) -> pd.DataFrame:
        """One row per contribution: contribution, difference, half_width, verdict."""
        return pd.DataFrame(
            {
                "contribution": [part.label for part in self.parts],
                "difference": [part.value for part in self.parts],
                "half_width": [part.half_width for part in self.parts],
                "verdict": [part.verdict for part in self.parts],
            }
        )


def difference_card(
    source: CardSource, sample_id: str, first: str | None = None, second: str | None = None
) -> DifferenceCard:
    """What moves a sample from one class to another.

    Parameters
    ----------
    source
        What `card_source` returns, of a run that predicts classes.
    sample_id
        A sample that the run explains.
    first, second
        The classes; where not given, the most probable one and the next.

    Raises
    ------
    InputError
        If the sample or a class is not there.
    """
    contributions = source.explained.contributions
    own = contributions.sample_ids == sample_id
    likely = two_likeliest(contributions, own)
    first = first or next(name for name in likely if name != second)
    second = second or next(name for name in likely if name != first)
    difference = class_difference(contributions, own, first, second)
    row = int(own.argmax())
    a, b = (contributions.outputs.index(name) for name in (first, second))
    parts = tuple(
        Part(
            term,
            float(difference.values[0, t, 0]),
            float("nan")
            if source.half_widths is None
            else float(source.half_widths[row, t, a] + source.half_widths[row, t, b]),
            source.verdicts[term.names],
        )
        for t, term in enumerate(contributions.terms)
    )
    return DifferenceCard(first, second, parts, difference, source.gate.is_open, source.digits)
