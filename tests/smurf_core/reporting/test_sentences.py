"""What may be said of shares: tables made by hand, so that each sentence has a known reason."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from smurf_core.evaluation.gate import Gate
from smurf_core.reporting.sentences import Leader, leader, nothing_to_explain, overview_sentences

OPEN = Gate("r", 0.5, 0.4, 0.6, 0.0, 200, 40)
CLASSES = replace(OPEN, metric="balanced_accuracy", chance=0.25)


def terms(*rows):
    """Rows of (modality, shared with, share, verdict), with intervals of ± 0.05."""
    table = pd.DataFrame(rows, columns=["modality", "shared_with", "share", "verdict"])
    table["order"] = [1 + name.count("+") for name in table["modality"]]
    table["kind"] = np.where(table["modality"] == table["shared_with"], "unique", "redundant")
    return table.assign(
        sd=np.sqrt(table["share"].abs()), ci_low=table["share"] - 0.05,
        ci_high=table["share"] + 0.05,
    )  # fmt: skip


def totals(table, half=0.05):
    """Shares of modalities, and of what is unique and redundant, with intervals of ± `half`."""
    by_modality = table.groupby(["order", "modality"])["share"].sum()
    rows = [(order, name, "both", share) for (order, name), share in by_modality.items()]
    rows += [
        (0, "", kind, table.loc[table["kind"] == kind, "share"].sum())
        for kind in ("unique", "redundant")
    ]
    found = pd.DataFrame(rows, columns=["order", "modality", "kind", "share"])
    return found.assign(ci_low=found["share"] - half, ci_high=found["share"] + half)


def say(table, half=0.05, gate=OPEN, **more):
    shares = table.drop(columns="verdict")
    return list(overview_sentences(totals(table, half), shares, table, gate, **more).values())


A_LEADS = terms(
    ("A", "A", 0.50, "reliable"),
    ("A", "B", 0.15, "reliable"),
    ("B", "A", 0.15, "reliable"),
    ("B", "B", 0.20, "reliable"),
)


def test_a_leader_above_one_half_carries_most():
    assert say(A_LEADS) == [
        "A carries most of the prediction: 65% [60, 70] of its variance.",
        "Over all modalities, 70% [65, 75] of the variance is unique to one of them and "
        "30% [25, 35] shared: more, if modalities see what they share through unequal noise.",
        "Every contribution that is large enough is reliable: models of other persons are likely "
        "to agree on it.",
    ]
    assert say(A_LEADS, output="sad")[0].startswith("A carries most of the prediction of sad:")


def test_no_total_is_stated_where_unique_contributions_correlate_with_other_modalities():
    said = say(A_LEADS, unique_known=0.27)
    assert said[1] == (
        "How much is shared over all modalities cannot be said: unique contributions correlate "
        "with what other modalities know (mean r = 0.27), and data do not say whether this part is "
        "shared or only correlated. What members of a set agree on: A, shared with B 15% [10, 20], "
        "B, shared with A 15% [10, 20]."
    )
    assert say(A_LEADS, unique_known=0.1) == say(A_LEADS)


@pytest.mark.parametrize("shares", [(0.45, 0.30, 0.25), (0.53, 0.30, 0.17)])
def test_most_is_not_said_unless_the_whole_interval_is_above_one_half(shares):
    table = terms(*((m, m, share, "reliable") for m, share in zip("ABC", shares, strict=True)))
    first = say(table)[0]
    assert "most" not in first
    assert first.startswith("A carries the largest part of the prediction: ")
    assert first.endswith("of its variance, before B with 30% [25, 35].")


def test_there_is_no_winner_between_equals():
    table = terms(
        ("A", "A", 0.44, "reliable"), ("B", "B", 0.41, "reliable"), ("C", "C", 0.15, "reliable")
    )
    assert leader(totals(table)) is None
    assert say(table)[0] == (
        "No modality leads in the prediction: the intervals of A 44% [39, 49] and B 41% [36, 46] "
        "of its variance overlap."
    )


@pytest.mark.parametrize("seed", range(100))
def test_who_leads_is_never_more_than_the_intervals_allow(seed):
    random = np.random.default_rng(seed)
    shares = random.dirichlet(np.ones(4))
    table = terms(*((m, m, share, "reliable") for m, share in zip("ABCD", shares, strict=True)))
    half = random.uniform(0.01, 0.3)
    first = say(table, half)[0]
    largest, second = np.sort(shares)[::-1][:2]
    assert ("most" in first) == (largest - half > max(0.5, second + half))
    assert ("carries" in first) == (largest - half > second + half)


def test_without_intervals_no_modality_leads():
    first = say(A_LEADS, np.nan)[0]
    assert first == (
        "Shares of the prediction: A 65%, B 35%. Without intervals, no modality can be said to "
        "lead."
    )


def test_a_leader_whose_contributions_are_not_reliable_is_no_finding():
    table = A_LEADS.assign(verdict=["too uncertain", "reliable", "reliable", "reliable"])
    first, _, caution = say(table)
    assert first == (
        "Which modality carries how much of the prediction cannot be said: the contributions of "
        "A, the largest (65% [60, 70]), are not reliable."
    )
    assert caution == "Do not rely on A alone: models of other persons may disagree on it."


@pytest.mark.parametrize("verdict", ["sides disagree", "not separated", "known to others"])
def test_nothing_is_said_to_be_shared_where_the_sides_disagree(verdict):
    table = A_LEADS.assign(verdict=["reliable", verdict, verdict, "reliable"])
    shared, caution = say(table)[1:3]
    assert shared == (
        "How much is shared over all modalities cannot be said: no modalities agree reliably on "
        "what they should share."
    )
    assert "30%" not in " ".join(say(table))
    assert caution.startswith("Do not rely on A, shared with B; B, shared with A: ")


def test_only_the_pair_that_agrees_is_named():
    pair = ("B", "C", 0.1, "reliable"), ("C", "B", 0.1, "reliable")
    odd = ("A", "B", 0.1, "sides disagree"), ("B", "A", 0.1, "sides disagree")
    shared = say(terms(("A", "A", 0.6, "reliable"), *odd, *pair))[1]
    assert shared == (
        "How much is shared over all modalities cannot be said; what can: B, shared with C "
        "10% [5, 15], C, shared with B 10% [5, 15]."
    )


def test_late_fusion_is_not_said_to_share():
    table = terms(
        ("A", "A", 0.8, "stable"), ("B", "B", 0.2, "stable"),
        ("A", "B", 0.0, "too small to tell"), ("B", "A", 0.0, "too small to tell"),
    )  # fmt: skip
    sentences = say(table)
    assert sentences[1] == "This model does not separate what modalities share."
    assert not any("redundant" in sentence or "%" in sentence for sentence in sentences[1:])
    assert sentences[-1].startswith("Restarts and folds agree")


def test_exclusive_contributions_without_sets_share_nothing():
    table = terms(("A", "A", 0.8, "reliable"), ("B", "B", 0.2, "reliable"))
    assert say(table)[1].startswith("No modalities share anything that they agree on")


def test_interactions_and_what_works_against_the_rest_are_named():
    table = terms(("A+B", "A+B", 0.9, "stable"), ("A", "A", 0.3, "stable"),
                  ("B", "B", -0.2, "stable"))  # fmt: skip
    first = say(table)[0]
    assert first.startswith("What A and B say only together carries most of the prediction: 90%")
    assert first.endswith("; B works against the rest (below zero).")


def test_verdicts_of_restarts_are_warned_of():
    table = A_LEADS.assign(verdict=["not separated", "stable", "unstable", "too small to tell"])
    caution = say(table)[2]
    assert "Do not rely on B, shared with A: restarts or folds disagree on it." in caution
    assert "Do not rely on A alone: unique and redundant parts of it move together" in caution
    assert say(A_LEADS.assign(verdict="too small to tell"))[2] == (
        "Every contribution is too small to tell anything about it."
    )


def test_a_constant_prediction_has_no_shares():
    assert say(A_LEADS.assign(share=np.nan)) == [
        "There is nothing to divide: the prediction is the same for every sample shown."
    ]


def test_a_closed_gate_leaves_one_sentence_with_the_interval():
    closed = replace(CLASSES, value=0.26, ci_low=0.21, ci_high=0.31)
    assert say(A_LEADS, gate=closed) == [
        "There is nothing to explain: on held-out samples, balanced accuracy is 0.26 [0.21, 0.31], "
        "not reliably above chance (0.25). What moves these predictions may be noise."
    ]
    assert nothing_to_explain(CLASSES) == ""


@pytest.mark.parametrize(("samples", "persons", "said"), [
    (11, 11, "to explain anything: 11, at least"), (200, 2, "anything: 200 of 2 persons, at least"),
])  # fmt: skip
def test_few_samples_or_persons_leave_one_sentence(samples, persons, said):
    nan = float("nan")
    few = Gate("r", nan, nan, nan, 0.0, samples, persons)
    (sentence,) = say(A_LEADS, gate=few)
    assert sentence.startswith("There are too few held-out samples")
    assert said in sentence
    assert not re.search(r"%|carries|nan", sentence)


def test_other_models_that_say_otherwise_are_named():
    others = {
        "SMURF": Leader(1, "B", 0.7, True), "Late fusion": Leader(1, "A", 0.9, True), "MRO": None,
    }  # fmt: skip
    assert say(A_LEADS, others=others)[-1] == (
        "Other models of this study say otherwise: SMURF names B (70%)."
    )
    assert len(say(A_LEADS, others={"Late fusion": others["Late fusion"]})) == 3


def test_shares_that_rest_on_single_samples_are_no_finding():
    influence = "Shares depend on single samples: without s7 (one of 200 samples), …"
    assert say(A_LEADS, influence=influence, others={"SMURF": Leader(1, "B", 0.7, True)}) == [
        "Which modality carries how much of the prediction cannot be said.",
        influence,
        "Every contribution that is large enough is reliable: models of other persons are likely "
        "to agree on it.",
    ]


def test_further_sentences_come_last_and_empty_ones_are_left_out():
    assert say(A_LEADS, further={"nothing": "", "more": "One more."})[3:] == ["One more."]
