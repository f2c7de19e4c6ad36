"""Terms: who makes a contribution, and with whom it is shared. One codec for names in files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

# Who makes a contribution: one modality, or several for an interaction (MRO-SMURF).
Source = tuple[str, ...]
Kind = Literal["unique", "redundant"]
_JOINER, _SHARERS, _ESCAPE = "+", "&", "\\"


@dataclass(frozen=True)
class Term:
    """One part of a prediction: what `source` contributes as a member of `sharers`.

    Parameters
    ----------
    source
        The modalities that are read: one, or several for an interaction of order 2 and more.
    sharers
        The sources that share the contribution, `source` among them, in the model's order. The
        source alone: a unique contribution (ŷ_I of eq. 10). Two: a pairwise redundant one (ŷ_IJ).

    Examples
    --------
    >>> term = Term.shared(("audio",), ("video",))
    >>> term.kind, term.others
    ('redundant', (('video',),))
    >>> Term.unique(("audio",)).names
    (1, 'audio', 'audio')
    """

    source: Source
    sharers: tuple[Source, ...]

    def __post_init__(self) -> None:
        if self.source not in self.sharers:
            raise ValueError(f"{self.source} is not among those who share it: {self.sharers}.")
        if len({len(sharer) for sharer in self.sharers}) > 1:
            raise ValueError(f"Sources of different orders share nothing: {self.sharers}.")

    @classmethod
    def unique(cls, source: Source) -> Term:
        """What only `source` contributes."""
        return cls(source, (source,))

    @classmethod
    def shared(cls, source: Source, *others: Source) -> Term:
        """What `source` contributes of what it shares with `others`."""
        return cls(source, (source, *others))

    @property
    def order(self) -> int:
        """Number of modalities that are read together: 1, or more for an interaction."""
        return len(self.source)

    @property
    def is_unique(self) -> bool:
        """True if nobody shares the contribution."""
        return len(self.sharers) == 1

    @property
    def kind(self) -> Kind:
        """`unique` or `redundant`."""
        return "unique" if self.is_unique else "redundant"

    @property
    def others(self) -> tuple[Source, ...]:
        """The sources that it is shared with; none for a unique contribution."""
        return tuple(sharer for sharer in self.sharers if sharer != self.source)

    @property
    def names(self) -> tuple[int, str, str]:
        """Order, source and partners as tables write them; both are equal for a unique term.

        Several partners are joined by `&`, as in `B&C`; `read_sharers` reads them back.
        """
        source = subset_name(self.source)
        others = [subset_name(other) for other in self.others]
        return self.order, source, joined_sharers(others) if others else source

    def seen_from(self, other: Source) -> Term:
        """The same shared part as `other` contributes it: ŷ_JI for ŷ_IJ."""
        return Term(other, self.sharers)

    def to_data(self) -> dict[str, Any]:
        """Plain data for JSON; `from_data` reads it back."""
        return {"source": list(self.source), "sharers": [list(s) for s in self.sharers]}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Term:
        """The term that `to_data` wrote."""
        return cls(tuple(data["source"]), tuple(tuple(s) for s in data["sharers"]))


def modality_subsets(modalities: Sequence[str], order: int) -> tuple[Source, ...]:
    """All subsets of `order` modalities, in lexicographic order of the modalities' positions.

    Examples
    --------
    >>> modality_subsets(("A", "B", "C"), 2)
    (('A', 'B'), ('A', 'C'), ('B', 'C'))
    """
    return tuple(combinations(modalities, order))


def pairwise_terms(
    modalities: Sequence[str], *, orders: int = 1, redundant: bool = True
) -> tuple[Term, ...]:
    """The terms of the published models (eq. 10-11 and 20-26).

    Parameters
    ----------
    modalities
        Names, in the data set's order.
    orders
        1 for late fusion and SMURF; the number of modalities for MRO-SMURF.
    redundant
        False for late fusion, which has unique contributions only.

    Returns
    -------
    tuple of Term
        Order by order, source by source; a source's terms in the order of those it shares with,
        its unique contribution at its own place.
    """
    found = []
    for order in range(1, orders + 1):
        sources = modality_subsets(modalities, order)
        for i, source in enumerate(sources):
            if not redundant:
                found.append(Term.unique(source))
                continue
            for j, other in enumerate(sources):
                sharers = {i: source, j: other}
                found.append(Term(source, tuple(sharers[k] for k in sorted(sharers))))
    return tuple(found)


def subset_name(subset: Iterable[str]) -> str:
    """A subset of modalities as text: one name as it is, several joined by a plus sign.

    A plus sign or backslash in one of several names is written after a backslash, so that
    `read_subset` finds the names again.

    Examples
    --------
    >>> subset_name(("A", "B")), subset_name(("A+B",)), subset_name(("A+B", "C"))
    ('A+B', 'A+B', 'A\\\\+B+C')
    """
    return _joined(tuple(subset), _JOINER)


def read_subset(text: str, size: int) -> Source:
    """The names that `subset_name` wrote of a subset of `size` modalities.

    Raises
    ------
    ValueError
        If the text does not hold `size` names.
    """
    if size == 1:
        return (text,)
    names = _split(text, _JOINER)
    if len(names) != size:
        raise ValueError(f"{text!r} holds {len(names)} names, not {size}.")
    return names


def joined_sharers(names: Sequence[str]) -> str:
    """Names of sources that share something, as one text: `B&C`. `read_sharers` reads it back."""
    return _SHARERS.join(_escaped(name, _SHARERS) for name in names)


def read_sharers(text: str) -> tuple[str, ...]:
    """The names that `joined_sharers` wrote.

    Examples
    --------
    >>> read_sharers("B&C"), read_sharers(joined_sharers(["R&B"]))
    (('B', 'C'), ('R&B',))
    """
    return _split(text, _SHARERS)


def spoken(names: Sequence[str]) -> str:
    """Names as a sentence lists them.

    Examples
    --------
    >>> spoken(["A"]), spoken(["A", "B"]), spoken(["A", "B", "C"])
    ('A', 'A and B', 'A, B and C')
    """
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def capital(text: str) -> str:
    """A text as the start of a sentence; a first word with capitals of its own stays as it is.

    Examples
    --------
    >>> capital("audio alone"), capital("eGeMAPS alone")
    ('Audio alone', 'eGeMAPS alone')
    """
    return text[:1].upper() + text[1:] if text.split()[0].islower() else text


def partner_label(shared_with: str) -> str:
    """The column `shared_with` of a shared contribution as figures and pages write it.

    Examples
    --------
    >>> partner_label("B&C")
    'B and C'
    """
    return spoken(read_sharers(shared_with))


def _joined(texts: Sequence[str], joiner: str) -> str:
    if len(texts) == 1:
        return texts[0]
    return joiner.join(_escaped(text, joiner) for text in texts)


def _escaped(text: str, joiner: str) -> str:
    return text.replace(_ESCAPE, _ESCAPE * 2).replace(joiner, _ESCAPE + joiner)


def _split(text: str, joiner: str) -> tuple[str, ...]:
    names, escaped = [""], False
    for character in text:
        if escaped:
            names[-1] += character
            escaped = False
        elif character == _ESCAPE:
            escaped = True
        elif character == joiner:
            names.append("")
        else:
            names[-1] += character
    return tuple(names)
