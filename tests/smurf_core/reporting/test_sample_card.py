"""A sample's card: its numbers are the library's, and its sentence claims no more than they do."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from smurf_core.errors import InputError
from smurf_core.evaluation.gate import Gate
from smurf_core.evaluation.typical import half_widths, typical_samples
from smurf_core.evaluation.verdicts import good_terms, verdicts
from smurf_core.explained import explained
from smurf_core.plot.cards import card_gallery
from smurf_core.plot.contributions import breakdown
from smurf_core.plot.report_figures import ReportFigure, image_files
from smurf_core.refits import Refits, critical
from smurf_core.reporting.cards import card_source, sample_card
from smurf_core.reporting.numbers import signed
from tests.smurf_core.evaluation.conftest import make_dataset, make_result
from tests.smurf_core.trained import small_run

N = 60
OPEN = Gate("r", 0.8, 0.7, 0.9, 0.0, N, N)
CLOSED = replace(OPEN, value=0.05, ci_low=-0.1, ci_high=0.2)


@pytest.mark.parametrize("model", ["late_fusion", "smurf", "mro_smurf", "exclusive"])
@pytest.mark.parametrize("task", ["regression", "classification"])
@pytest.mark.parametrize("absent", [False, True])
def test_the_cards_numbers_are_the_runs(model, task, absent):
    if task == "classification" and (absent or model == "mro_smurf"):
        pytest.skip("The same code: see the other cases.")
    result, data = small_run(model, task, absent=absent)
    found = explained(result, data)
    source = card_source(result, found)
    widths = half_widths(result, found)
    for row in (0, 1, 44):
        sample = str(found.sample_ids[row])
        card = sample_card(source, sample)
        table = card.table()
        c = found.contributions.outputs.index(card.output)
        values = found.contributions.identified_terms()
        there = {t.names: values[row, k, c] for k, t in enumerate(found.contributions.terms)}
        shown = {
            (order, modality, other): value
            for order, modality, other, value in table[
                ["order", "modality", "shared_with", "value"]
            ].itertuples(index=False)
        }
        assert shown == {name: there[name] for name in shown}
        assert all(there[name] == 0 for name in set(there) - set(shown))  # not recorded
        assert card.baseline + table["value"].sum() == pytest.approx(card.value, abs=1e-5)
        if task == "regression":
            parts = breakdown(found.contributions.select(np.array([row])), 0, 0)
            assert card.value == pytest.approx(parts["value"].iloc[-1], abs=1e-5)
        else:
            assert sum(card.probabilities.values()) == pytest.approx(1)
            assert card.prediction == f"{card.output} ({card.probabilities[card.output]:.0%})"
            assert card.logits[card.output] == max(card.logits.values())
        assert table["half_width"].isna().all() == (widths is None)
        is_absent = absent and row % 4 == 0
        for part in card.rows:
            assert part.is_recorded != ("B" in part.source and is_absent)
            assert (part.alone is None) <= (not part.is_recorded)


@pytest.fixture
def run():
    """A run made by hand on three modalities, with intervals, transcripts and judgments."""
    random = np.random.default_rng(0)
    data = make_dataset(random.normal(size=N))
    values = random.normal(scale=0.01, size=(N, 3, 3, 1)).astype(np.float32)
    values[3, 0, 0] = -5  # A alone
    values[5, 0, 1], values[5, 1, 0] = 3, 2.5  # A and B say the same
    values[7, 0, 1], values[7, 1, 0] = 4, -0.01  # B does not say what A lets expect
    values[11, 1], values[11, 0, 1] = 0, 6  # B was not recorded
    values[13, 0, 0], values[13, 2, 0], values[13, 0, 2] = 5, 2, -1  # unexpected beside larger ones
    features = {name: replace(f, values=f.values.copy()) for name, f in data.features.items()}
    features["B"].values[11] = np.nan
    result = make_result(data, lambda _: (values, np.zeros(1, np.float32)))
    spread = np.full(result.contributions().values.shape, 0.1, np.float32)
    refits = Refits(np.zeros((2, 9, 1), np.float32), spread, np.ones(9), N)
    words = pd.DataFrame({"transcript": [f"word {i}" for i in range(N)]}, index=data.sample_ids)
    judged = {frozenset("A"): np.linspace(-1, 1, N).astype(np.float32)}
    data = replace(data, features=features, samples=words, judgments=judged)
    return replace(result, refits=refits), data


def cards_of(run, verdict="reliable", opened=OPEN, **outlying):
    result, data = run
    found = explained(result, data)
    table = verdicts(result, found).assign(verdict=verdict)
    marks = pd.DataFrame({"sample_id": found.sample_ids, "modality": "A", "mark": ""})
    for sample, mark in outlying.items():
        marks.loc[marks["sample_id"] == sample, "mark"] = mark
    return card_source(result, found, verdict_table=table, outlying=marks, opened=opened)


def test_the_sentence_says_what_stands_out(run):
    source = cards_of(run)
    said = {k: sample_card(source, f"s{k:04d}").sentence for k in (3, 5, 7, 11, 13)}
    assert said == {
        3: "A alone moves this prediction by −5.00.",
        5: "A and B say the same: +3.00 and +2.50.",
        7: "From A, one would expect B to say +4.00; B says −0.01.",
        11: "From A, one would expect B to say +6.00; B was not recorded.",
        13: "From C, one would expect A to say +2.00; A says −1.00.",
    }
    assert sample_card(source, "s0020").sentence == (
        "No modality says anything clear of this sample: every contribution with a good verdict "
        "is small or may be zero."
    )


def test_the_sentence_says_nothing_that_gate_and_verdicts_do_not_allow(run):
    nothing = "What each modality contributes to this prediction cannot be said"
    closed = sample_card(cards_of(run, opened=CLOSED), "s0007").sentence
    assert closed.startswith(f"{nothing}. There is nothing to explain: on held-out samples, r is")
    doubtful = cards_of(run, verdict="too uncertain")
    card = sample_card(doubtful, "s0007")
    assert card.sentence == f"{nothing}: no contribution that was recorded has a good verdict."
    assert {s.relation for row in card.rows for s in row.shared} == {"not separated"}
    far = sample_card(cards_of(run, s0003="A: 35 sd"), "s0003")
    assert far.sentence == f"{nothing}: A lies far outside the training data."
    assert [row.outside for row in far.rows] == ["A: 35 sd", "", ""]


def test_the_card_says_what_people_said_and_what_was_not_recorded(run):
    card = sample_card(cards_of(run), "s0011")
    a, b, _ = card.rows
    assert card.transcript == "word 11"
    assert a.judged == pytest.approx(np.linspace(-1, 1, N)[11])
    assert card.judgments == {"A": pytest.approx(a.judged)}
    assert np.isnan(b.judged)
    assert not b.is_recorded
    assert b.alone is None
    assert b.shared == ()
    assert next(shared.relation for shared in a.shared) == "not recorded"
    half = critical(N) * 0.1
    assert card.written(a.alone) == f"{signed(a.alone.value, 2)} ± {half:.2f}"
    assert card.written(b.alone) == "–"


def test_cards_and_lists_agree_on_what_is_unexpected(run):
    result, data = run
    found = explained(result, data)
    source = cards_of(run)
    good = good_terms(verdicts(result, found).assign(verdict="reliable"), found.contributions)
    widths = half_widths(result, found)
    for finding, relation in (
        ("redundant", "agree"), ("unexpected", "unexpected"), ("not_recorded", "not recorded"),
    ):  # fmt: skip
        listed = typical_samples(found, finding, count=9_999, terms=good, half_widths=widths)
        scores = {
            (card.sample_id, *sorted((row.name, *(p[0] for p in shared.partners)))): shared.score
            for card in (sample_card(source, str(sample)) for sample in found.sample_ids)
            for row in card.rows
            for shared in row.shared
            if shared.relation == relation
        }
        expected = {
            (row.sample_id, *sorted((row.modality, row.other_modality))): row.score
            for row in listed.itertuples()
        }
        assert expected
        assert scores == pytest.approx(expected)


def test_a_sample_that_no_fold_tested_has_no_card(run):
    with pytest.raises(InputError, match="No fold of this run tests 'nobody'"):
        sample_card(cards_of(run), "nobody")
    with pytest.raises(InputError, match="No output 'joy'"):
        sample_card(cards_of(run), "s0001", "joy")


def test_the_gallery_draws_the_cards_numbers(run):
    source = cards_of(run, s0003="A: 35 sd")
    cards = [sample_card(source, f"s{k:04d}") for k in range(3, 13)]
    drawn = card_gallery(cards, ("A", "B", "C"))
    assert len(drawn.data) == len(drawn.layout.annotations) == 9
    for card, bars, note in zip(cards, drawn.data, drawn.layout.annotations, strict=False):
        values = {part.label: (part.value, part.half_width) for part in card.parts()}
        shown = {y: (x, w) for y, x, w in zip(bars.y, bars.x, bars.error_x.array, strict=True)}
        assert shown == {label: values[label] for label in shown}
        assert max(map(abs, bars.x)) == max(abs(value) for value, _ in values.values())
        words = note.text.replace("<br>", " ").replace("<i>", "").replace("</i>", "")
        assert card.sentence[:60] in words
    pale = card_gallery([sample_card(cards_of(run, verdict="bent"), "s0005")], ("A", "B", "C"))
    assert set(pale.data[0].marker.opacity) == {0.35}


def test_the_gallery_is_saved_as_image(run):
    cards = [sample_card(cards_of(run), "s0007")]
    drawn = ReportFigure("Examples", "", card_gallery(cards, ("A", "B", "C")))
    try:
        files = image_files({"examples": drawn})
    except InputError:
        pytest.skip("No Chromium here: install it to save figures.")
    assert files["examples.png"].startswith(b"\x89PNG")
    assert "one would expect B to say" in files["examples.svg"].decode()
