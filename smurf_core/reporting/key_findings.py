"""At most five findings of a run: what a reader sees first, on the page, in reports, in a terminal.

Each is composed of what the gate, the verdicts and the evaluation tables say, and of no other
numbers. Where there is nothing to explain, this is the only finding.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

import numpy as np
import pandas as pd

from smurf_core.evaluation.redundancy import ALL_MODALITIES
from smurf_core.evaluation.verdicts import GOOD
from smurf_core.reporting.belief import reason_in_words
from smurf_core.reporting.evidence import Evidence, evidence_in
from smurf_core.reporting.findings import Findings
from smurf_core.reporting.judgment_sentence import is_agreed, judgment_sentence, single_rows
from smurf_core.reporting.numbers import bounds, percent, plain, signed
from smurf_core.reporting.sentences import by_source, chance_text, is_supported, leader, score_text
from smurf_core.reporting.sharing import sharing_sentence
from smurf_core.reporting.statements import Account
from smurf_core.reporting.witness import MEANING, has_none, witness_sentences
from smurf_core.terms import read_subset, spoken

MOST = 5
FindingName = Literal["nothing", "prediction", "leader", "sharing", "witness", "people", "samples"]
Unit = Literal["score", "share", "r", "contribution"]
_QUESTIONS: dict[FindingName, str] = {
    "nothing": "Is there anything to explain?",
    "prediction": "Does it predict at all?",
    "leader": "Who carries the prediction?",
    "sharing": "What do modalities share?",
    "witness": "Does a second method agree?",
    "people": "Do people agree?",
    "samples": "Which sample stands out?",
}
_WITNESS = (
    "The second method is linear late fusion of each subset of modalities, in the same folds; it "
    "knows nothing of this model."
)
_NAMED = 4  # reasons that are written out


@dataclass(frozen=True)
class KeyNumber:
    """One number of a finding; bounds are NaN where there is no interval."""

    what: str
    value: float
    low: float
    high: float
    n: int  # samples
    is_good: bool = True  # False: it is no finding, and drawn pale

    def text(self, unit: Unit) -> str:
        """The number with its interval: `0.62 [0.55, 0.68]`, `41% [36, 47]`."""
        if unit == "share":
            within = bounds(100 * self.low, 100 * self.high, 0)
            return f"{percent(self.value)}{within}"
        if unit == "contribution":
            return signed(self.value)
        return f"{plain(self.value, 2)}{bounds(self.low, self.high)}"


@dataclass(frozen=True)
class KeyFinding:
    """One hedged statement with what it rests on."""

    name: FindingName
    sentence: str
    unit: Unit
    numbers: tuple[KeyNumber, ...]
    belief: tuple[str, ...]  # can I believe it? Reasons in sentences
    page: str  # of the app, where its figure is
    figure: str  # of a report, by its file name; empty where there is none
    reference: float = 0.0  # what no effect would be
    persons: int = 0
    samples: int = 0  # where no number is known

    @property
    def question(self) -> str:
        """The question that the finding answers."""
        return _QUESTIONS[self.name]

    @property
    def n(self) -> int:
        """Samples behind it, at most."""
        return max((number.n for number in self.numbers), default=self.samples)

    @property
    def counted(self) -> str:
        """The samples and persons behind it: `600 samples of 30 persons`."""
        several = self.persons not in (0, self.n)
        of = f" of {self.persons:,} persons" if several else ""
        return f"{self.n:,} sample{'' if self.n == 1 else 's'}{of}"


def findings_first(found: Findings) -> tuple[KeyFinding, ...]:
    """`key_findings` of a report's results."""
    return tuple(key_findings(found.account, lambda: evidence_in(found)))


def key_findings(account: Account, gather: Callable[[], Evidence]) -> Iterator[KeyFinding]:
    """At most five findings of a run, the most basic first, each as soon as it is known.

    Parameters
    ----------
    account
        What may be said of the samples shown.
    gather
        Returns what else is known of them; asked only where the gate is open.

    Yields
    ------
    KeyFinding
        Exactly one, `nothing`, where the gate is closed. Otherwise: does it predict, who carries
        the prediction, what is shared, what the second witness says; then human judgments, or
        without them the sample that stands out.
    """
    return islice(_findings(account, gather), MOST)


def _findings(account: Account, gather: Callable[[], Evidence]) -> Iterator[KeyFinding]:
    if account.shares is None:
        yield _nothing(account)
        return
    yield _prediction(account)
    known = gather()
    yield _leader(account, known)
    for ask in (_sharing, _witness, _people, _samples):
        if (answer := ask(account, known)) is not None:
            yield answer


def findings_table(findings: tuple[KeyFinding, ...]) -> pd.DataFrame:
    """One row per number: finding, sentence, what, value, low, high, n, is_good, unit, reference.

    A finding without numbers has one row, with NaN.
    """
    nothing = (KeyNumber("", np.nan, np.nan, np.nan, 0, is_good=False),)
    return pd.DataFrame(
        [
            {
                "finding": finding.name, "sentence": finding.sentence, "what": number.what,
                "value": number.value, "low": number.low, "high": number.high, "n": number.n,
                "is_good": number.is_good, "unit": finding.unit, "reference": finding.reference,
            }
            for finding in findings
            for number in finding.numbers or nothing
        ]
    )  # fmt: skip


def _score(account: Account) -> KeyNumber:
    gate = account.gate
    what = "r" if gate.metric == "r" else "Balanced accuracy"
    return KeyNumber(what, gate.value, gate.ci_low, gate.ci_high, gate.samples, gate.is_open)


def _nothing(account: Account) -> KeyFinding:
    gate = account.gate
    rest = [said for subject, said in account.said.items() if subject != "closed"]
    return KeyFinding(
        "nothing", account.closed, "score", (_score(account),) if gate.has_enough else (),
        tuple(rest), "overview", "performance", gate.chance, gate.persons, gate.samples,
    )  # fmt: skip


def _prediction(account: Account) -> KeyFinding:
    gate = account.gate
    score = f"{score_text(gate)}, above chance ({chance_text(gate)})"
    said = [f"Held-out samples are predicted: {score}."]
    said += [account.said[name] for name in ("fidelity", "baseline") if name in account.said]
    of = "samples" if gate.persons == gate.samples else "persons"
    belief = (
        "Each sample was predicted by a model that was not trained on it.",
        f"The whole 95% interval, over {gate.persons:,} {of}, is above chance.",
    )
    return KeyFinding(
        "prediction", " ".join(said), "score", (_score(account),), belief, "overview",
        "performance", gate.chance, gate.persons,
    )  # fmt: skip


def _leader(account: Account, known: Evidence) -> KeyFinding:
    shares = account.shares
    assert shares is not None  # noqa: S101 — the gate is open
    rows, first = by_source(shares.totals), leader(shares.totals)
    is_named = first is not None and is_supported(shares.terms, first) and not shares.influence
    numbers = tuple(
        KeyNumber(
            spoken(read_subset(row["modality"], row["order"])), row["share"], row["ci_low"],
            row["ci_high"], account.gate.samples, is_named,
        )
        for row in rows.to_dict("records")
    )  # fmt: skip
    table = known.verdicts
    if first is not None:
        mine = table[(table["order"] == first.order) & (table["modality"] == first.name)]
    else:
        mine = table[table["modality"] == table["shared_with"]]
    subjects = ("leader", "influence")
    sentence = " ".join(account.said[name] for name in subjects if name in account.said)
    belief = [account.said[name] for name in ("otherwise",) if name in account.said]
    return KeyFinding(
        "leader", sentence, "share", numbers, (*_reasons(mine), *belief), "overview",
        "shares_of_variance", 0.0, account.gate.persons,
    )  # fmt: skip


def _sharing(account: Account, known: Evidence) -> KeyFinding | None:
    shares = account.shares
    if shares is None or not (shares.terms["kind"] == "redundant").any():
        return None
    n, sets = account.gate.samples, known.sharing
    said = [] if sets.empty else [sharing_sentence(sets)]
    said += [account.said["shared"]] if "shared" in account.said else []
    if not said:
        return None
    table = known.verdicts
    shared = table[table["modality"] != table["shared_with"]]
    shared = shared[shared["size"] > 0]
    if sets.empty:
        numbers = _pairs(known.pairs, shared, n)
    else:
        numbers = tuple(
            KeyNumber(
                spoken(read_subset(row["sharers"], row["size"])), row["agreement"], np.nan, np.nan,
                n, bool(row["is_there"]),
            )
            for row in sets.to_dict("records")
        )  # fmt: skip
    return KeyFinding(
        "sharing", " ".join(said), "r", numbers, _reasons(shared), "redundancy",
        "redundancy" if sets.empty else "sharing", 0.0, account.gate.persons,
    )  # fmt: skip


def _pairs(pairs: pd.DataFrame, verdicts: pd.DataFrame, n: int) -> tuple[KeyNumber, ...]:
    """How far the two sides of each pair agree (r), of the first output."""
    if pairs.empty:
        return ()
    pairs = pairs[pairs["output"] == pairs["output"].iloc[0]].dropna(subset=["r"])
    good = {frozenset((i, j)) for i, j, verdict in
            verdicts[["modality", "shared_with", "verdict"]].itertuples(index=False)
            if verdict in GOOD}  # fmt: skip
    return tuple(
        KeyNumber(
            f"{row['modality']} and {row['shared_with']}", row["r"], np.nan, np.nan, n,
            frozenset((row["modality"], row["shared_with"])) in good,
        )
        for row in pairs.to_dict("records")
    )  # fmt: skip


def _witness(account: Account, known: Evidence) -> KeyFinding | None:
    found, comparable = known.witness(), known.comparable
    if found is None:
        return None
    first, *more = witness_sentences(comparable, found)
    said = " ".join((first, *more[:1])).removesuffix(MEANING).rstrip()
    meaning = (MEANING,) if more and more[0].endswith(MEANING) else ()
    rows = [] if comparable is None else comparable.to_dict("records")
    model = next(
        (row for row in rows if row["modality"] == ALL_MODALITIES and row["kind"] == "redundant"),
        None,
    )
    n, numbers = account.gate.samples, []
    if found.predicts:
        row = found.common
        numbers.append(
            KeyNumber("second method: common", row["share"], row["share_low"], row["share_high"], n)
        )
        if model is not None:
            is_measured = not has_none(model)
            low, high = (model["ci_low"], model["ci_high"]) if is_measured else (np.nan, np.nan)
            numbers.append(KeyNumber("model: shared", model["share"], low, high, n, is_measured))
    belief = (_WITNESS, *meaning, *more[1:])
    return KeyFinding(
        "witness", said, "share", tuple(numbers), belief, "redundancy", "", 0.0,
        account.gate.persons,
    )  # fmt: skip


def _people(account: Account, known: Evidence) -> KeyFinding | None:
    """What is unique, for people and for the model, with the ratings on the target's scale."""
    table = known.agreement()
    if table.empty:
        return None
    single = set(known.verdicts.loc[known.verdicts["order"] == 1, "modality"])
    rows = single_rows(table, single)  # Others are on the page.
    numbers = tuple(
        KeyNumber(
            row["modality"], row["r_calibrated"], row["ci_low_calibrated"],
            row["ci_high_calibrated"], row["n"], is_agreed(row),
        )
        for row in rows
    )  # fmt: skip
    sentence = judgment_sentence(table, single)
    return KeyFinding(
        "people", sentence, "r", numbers, tuple(map(_why_people, rows)), "judgments",
        "human_unique_1", 0.0, max(int(row["persons"]) for row in rows),
    )  # fmt: skip


def _why_people(row: Mapping[Hashable, Any]) -> str:
    ceiling = row["ceiling"]
    most = "" if np.isnan(ceiling) else f"; raters differ, so r can be {plain(ceiling, 2)} at most"
    return (
        f"{row['modality']}: the verdict on its contribution is {row['verdict']}; {row['n']:,} "
        f"judged samples, {row['missing']:,} not judged{most}."
    )


def _samples(account: Account, known: Evidence) -> KeyFinding | None:
    table = known.standing_out()
    table = table[table["mark"].fillna("") == ""] if len(table) else table
    if table.empty:
        return None
    row = table.iloc[0]
    what = f"the prediction of {row['output']}" if known.is_class else "its prediction"
    number = KeyNumber(f"{row['modality']} alone", float(row["contribution"]), np.nan, np.nan, 1)
    verdicts = known.verdicts
    mine = verdicts[
        (verdicts["modality"] == row["modality"]) & (verdicts["shared_with"] == row["modality"])
    ]
    return KeyFinding(
        "samples",
        f"By what only one modality says, sample {row['sample_id']} stands out most: "
        f"{row['modality']} alone moves {what} by {number.text('contribution')}, "
        f"{plain(float(row['score']), 1)} standard deviations of the predictions.",
        "contribution",
        (number,),
        (*_reasons(mine), "A single sample has no interval, and one example shows no rule."),
        "samples",
        "",
    )


def _reasons(table: pd.DataFrame) -> tuple[str, ...]:
    """The verdicts' reasons, the largest contributions first."""
    rows = table.sort_values("size", ascending=False, kind="stable").to_dict("records")
    more = len(rows) - _NAMED
    said = [reason_in_words(row) for row in rows[:_NAMED]]
    return (*said, f"{more} smaller contributions are in the table.") if more > 0 else tuple(said)
