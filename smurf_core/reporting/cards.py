"""Makes the cards of a run's samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy  # whose parts load when used, after the first paint

from smurf_core.errors import InputError
from smurf_core.evaluation.gate import Gate, gate
from smurf_core.evaluation.outlying import outlying_samples
from smurf_core.evaluation.samples import transcript_column
from smurf_core.evaluation.typical import (
    compare_sides,
    half_widths,
    identified_prediction,
    prediction_unit,
)
from smurf_core.evaluation.verdicts import GOOD, verdicts
from smurf_core.explained import Explained
from smurf_core.fold_label import fold_label
from smurf_core.reporting.card_sentence import card_sentence
from smurf_core.reporting.numbers import digits_for, plain
from smurf_core.reporting.sample_card import Part, Relation, Row, SampleCard, Shared
from smurf_core.results import RunResult
from smurf_core.terms import Term, spoken

Array = npt.NDArray[np.float64]
_DIGITS = 3  # significant ones, of the run's largest deviation from its mean prediction


@dataclass(frozen=True)
class CardSource:
    """What the cards of a run are read from, gathered once; `card_source` makes it."""

    explained: Explained
    gate: Gate
    verdicts: Mapping[tuple[int, str, str], str]
    marks: pd.DataFrame  # sample_id → modality, mark of `outlying_samples`
    half_widths: Array | None
    values: Array
    prediction: Array
    units: tuple[float, ...]
    digits: int
    positions: pd.Index[str]


def card_source(
    result: RunResult,
    explained: Explained,
    *,
    verdict_table: pd.DataFrame | None = None,
    outlying: pd.DataFrame | None = None,
    opened: Gate | None = None,
) -> CardSource:
    """Gather what the cards of a run are read from.

    Parameters
    ----------
    result, explained
        The run and all of its explained samples.
    verdict_table, outlying, opened
        `verdicts`, `outlying_samples` and `gate` of them, where they are known already.

    Examples
    --------
    >>> import smurf_core as smurf
    >>> data = smurf.datasets.synthetic_additive(samples=80)
    >>> run = smurf.train(data, max_epochs=2, restarts=1)
    >>> source = card_source(run, smurf.evaluate.explained(run, data))
    >>> card = sample_card(source, "s03")
    >>> [row.name for row in card.rows]
    ['A', 'B', 'C']
    """
    if verdict_table is None:
        verdict_table = verdicts(result, explained)
    if outlying is None:
        outlying = outlying_samples(result, explained)
    contributions = explained.contributions
    prediction = identified_prediction(contributions)
    keys = zip(
        verdict_table["order"], verdict_table["modality"], verdict_table["shared_with"], strict=True
    )
    return CardSource(
        explained=explained,
        gate=gate(explained) if opened is None else opened,
        verdicts=dict(zip(keys, verdict_table["verdict"], strict=True)),
        marks=outlying.set_index("sample_id")[["modality", "mark"]],
        half_widths=half_widths(result, explained),
        values=contributions.identified_terms(),
        prediction=prediction,
        units=tuple(
            prediction_unit(prediction[:, c], contributions.folds)
            for c in range(prediction.shape[1])
        ),
        digits=_digits(prediction),
        positions=pd.Index(contributions.sample_ids),
    )


def sample_card(source: CardSource, sample_id: str, output: str | None = None) -> SampleCard:
    """The card of one sample.

    Parameters
    ----------
    source
        What `card_source` returns.
    sample_id
        A sample that the run explains.
    output
        The class whose logit is taken apart; the predicted one where it is not given.

    Returns
    -------
    SampleCard

    Raises
    ------
    InputError
        If no fold tested the sample, or there is no such class.
    """
    explained = source.explained
    contributions, dataset = explained.contributions, explained.dataset
    row = int(source.positions.get_indexer(pd.Index([sample_id]))[0])
    if row < 0:
        raise InputError(
            f"No fold of this run tests {sample_id!r}, so no model can explain it fairly: choose "
            "another sample."
        )
    place = int(explained.positions[row])
    if output is not None and output not in contributions.outputs:
        raise InputError(f"No output {output!r}; there are {', '.join(contributions.outputs)}.")
    logits = contributions.select(np.array([row])).prediction()[0].astype(np.float64)
    c = int(logits.argmax()) if output is None else contributions.outputs.index(output)
    rows = _rows(source, row, place, c)
    mark = source.marks.loc[sample_id]
    digits = source.digits
    if dataset.task == "classification":
        chances = scipy.special.softmax(logits)
        best = int(logits.argmax())
        target = dataset.class_names[int(explained.target[row])]
        prediction = f"{dataset.class_names[best]} ({chances[best]:.0%})"
        probabilities = dict(zip(dataset.class_names, map(float, chances), strict=True))
        scores = dict(zip(dataset.class_names, map(float, logits), strict=True))
    else:
        target = plain(float(explained.target[row]), digits)
        prediction = plain(float(logits[0]), digits)
        probabilities, scores = {}, {}
    words = transcript_column(dataset)
    said = dataset.samples[words].iloc[place] if words else ""
    value = float(source.prediction[row, c])
    return SampleCard(
        sample_id=sample_id,
        person="" if explained.persons is None else str(explained.persons[row]),
        fold=int(fold_label(contributions.folds[row])),
        transcript=said if isinstance(said, str) else "",
        target=target,
        prediction=prediction,
        output=contributions.outputs[c],
        value=value,
        baseline=value - float(source.values[row, :, c].sum()),
        probabilities=probabilities,
        logits=scores,
        judgments={
            spoken([name for name in dataset.modalities if name in shown]): float(ratings[place])
            for shown, ratings in dataset.judgments.items()
            if isfinite(ratings[place])
        },
        outside=str(mark["mark"]),
        rows=rows,
        sentence=card_sentence(
            rows,
            source.gate,
            digits=digits,
            unit=source.units[c],
            output=contributions.outputs[c] if contributions.is_classification else "",
            far=str(mark["modality"]) if mark["mark"] else "",
        ),
        digits=digits,
    )


def _rows(source: CardSource, row: int, place: int, c: int) -> tuple[Row, ...]:
    contributions, dataset = source.explained.contributions, source.explained.dataset
    mark = source.marks.iloc[row]
    absent = {
        name for name in contributions.modalities if not dataset.features[name].present[place]
    }

    def part(term: Term) -> Part | None:
        if absent & set(term.source):
            return None
        t = contributions.position(term)
        width = np.nan if source.half_widths is None else source.half_widths[row, t, c]
        value = float(source.values[row, t, c])
        return Part(term, value, float(width), source.verdicts[term.names])

    found = []
    for order in contributions.orders:
        for who in contributions.sources(order):
            unique = Term.unique(who)
            own = [t for t in contributions.terms if t.source == who and not t.is_unique]
            judged = dataset.judgments.get(frozenset(who)) if order == 1 else None
            found.append(
                Row(
                    source=who,
                    is_recorded=not absent & set(who),
                    outside=str(mark["mark"]) if mark["modality"] in who and order == 1 else "",
                    judged=float("nan") if judged is None else float(judged[place]),
                    alone=part(unique) if unique in contributions.terms else None,
                    shared=tuple(
                        _shared(mine, [part(term.seen_from(s)) for s in term.others], source, c)
                        for term in own
                        if (mine := part(term)) is not None
                    ),
                )
            )
    return tuple(found)


def _shared(own: Part, others: list[Part | None], source: CardSource, c: int) -> Shared:
    sides = [own, *(other for other in others if other is not None)]
    relation: Relation
    found = None
    if len(sides) > 1:
        # In the model's order, as the lists of typical samples compare them.
        ordered = sorted(sides, key=lambda side: own.term.sharers.index(side.term.source))
        said = np.array([[side.value for side in ordered]])
        widths = np.array([[side.half_width for side in ordered]])
        known = source.half_widths is not None
        found = compare_sides(said, widths if known else None)
    members = [own.term.seen_from(sharer) for sharer in own.term.sharers]
    if not all(source.verdicts[term.names] in GOOD for term in members):
        relation = "not separated"
    elif found is None or (len(sides) <= len(others) and not found.apart[0]):
        relation = "not recorded"
    elif found.agree[0]:
        relation = "agree"
    elif found.apart[0]:
        relation = "unexpected"
    else:
        relation = "unclear" if found.unclear[0] else "differ"
    values = [side.value for side in sides]
    score = abs(own.value)
    if relation == "agree":
        score = min(map(abs, values))
    elif relation == "unexpected" and found is not None:
        score = abs(found.said[0, found.first[0]] - found.said[0, found.second[0]])
    return Shared(own, tuple(others), relation, score / source.units[c])


def _digits(prediction: Array) -> int:
    """Digits after the point that give the largest deviation three significant ones."""
    away = float(np.abs(prediction - prediction.mean(axis=0)).max()) if len(prediction) else 0.0
    return digits_for(away, _DIGITS)
