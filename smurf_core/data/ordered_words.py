"""Words of rating scales in their order, such as never, rarely, sometimes, often, always."""

from __future__ import annotations

from collections.abc import Iterable

# Scales from low to high; words at the same place mean the same.
_SCALES: tuple[tuple[str, ...], ...] = (
    ("strongly disagree|completely disagree|totally disagree|disagree strongly", "disagree",
     "somewhat disagree|slightly disagree|rather disagree|disagree somewhat",
     "neither|neutral|undecided|neither agree nor disagree|neither disagree nor agree|not sure",
     "somewhat agree|slightly agree|rather agree|agree somewhat", "agree",
     "strongly agree|completely agree|totally agree|agree strongly"),
    ("not at all|none|no|not", "very slightly", "slightly|a little|a bit|a little bit|barely",
     "somewhat|moderately|partly|to some extent|medium", "quite|quite a bit|fairly|mostly|rather",
     "very|very much|a lot|strongly|considerably", "extremely|completely|totally"),
    ("never", "almost never|hardly ever", "rarely|seldom", "sometimes|occasionally",
     "often|frequently|usually", "very often|almost always|mostly", "always"),
    ("very low|lowest", "low", "medium low|rather low", "medium|moderate|mid|middle|average",
     "medium high|rather high", "high", "very high|highest"),
    ("very negative|highly negative|strongly negative|extremely negative", "negative",
     "slightly negative|weakly negative|somewhat negative|weak negative", "neutral|mixed",
     "slightly positive|weakly positive|somewhat positive|weak positive", "positive",
     "very positive|highly positive|strongly positive|extremely positive"),
    ("very unpleasant", "unpleasant", "slightly unpleasant", "neutral", "slightly pleasant",
     "pleasant", "very pleasant"),
    ("none|no|absent|minimal", "mild|light", "moderate", "moderately severe", "severe|strong",
     "very severe|extreme"),
    ("very poor|terrible|very bad", "poor|bad", "fair|ok|okay|average", "good",
     "very good", "excellent"),
    ("trifft gar nicht zu|trifft überhaupt nicht zu|stimme gar nicht zu|stimme überhaupt nicht zu",
     "trifft nicht zu|stimme nicht zu", "trifft eher nicht zu|stimme eher nicht zu",
     "teils teils|weder noch|neutral", "trifft eher zu|stimme eher zu",
     "trifft zu|stimme zu", "trifft voll zu|trifft völlig zu|stimme voll zu|stimme völlig zu"),
    ("nie", "selten", "manchmal|gelegentlich", "oft|häufig", "immer"),
    ("jamais", "rarement", "parfois|quelquefois", "souvent", "toujours"),
    ("nunca", "raramente|rara vez", "a veces|às vezes", "a menudo|frequentemente",
     "siempre|sempre"),
)  # fmt: skip
_FEWEST = 3  # two words are classes


def ordered_words(words: Iterable[str]) -> tuple[str, ...] | None:
    """The words in the order of the rating scale that they belong to; None if there is none."""
    given = list(dict.fromkeys(words))
    if len(given) < _FEWEST:
        return None
    for scale in _SCALES:
        places = {name: place for place, names in enumerate(scale) for name in names.split("|")}
        own = {word: places.get(_plain(word)) for word in given}
        if None not in own.values() and len(set(own.values())) == len(given):
            return tuple(sorted(given, key=lambda word: own[word] or 0))
    return None


def _plain(word: str) -> str:
    return " ".join(word.casefold().replace("_", " ").replace("-", " ").split()).strip(" .")
