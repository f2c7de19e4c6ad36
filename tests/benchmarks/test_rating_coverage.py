"""The measurement of how often intervals of r contain the truth, which docs/ratings.md prints."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.rating_coverage import (
    EACH,
    Cell,
    designed,
    drawn_clips,
    found_r,
    on_disk,
    part,
    population,
    ratings_of,
    show,
    true_r,
)
from smurf_core.evaluation.judgments import human_agreement
from smurf_core.explained import explained
from smurf_core.ratings.assignment import Plan
from smurf_core.ratings.simulate import RaterTraits, SimulatedRater

# Equal raters who add the same to everything, and say exactly what they perceive.
EXACT = RaterTraits(bias=0, scale_use=0, noise=0, fatigue=0, lag=0)


@pytest.fixture(scope="module")
def people():
    return population(persons=40)


def raters_of(plan, traits, seed=3):
    return [
        SimulatedRater.drawn(traits, np.random.default_rng([seed, k])) for k in range(plan.slots)
    ]


def test_found_r_is_that_of_human_agreement(people):
    cell = Cell(10, 6, 2, 60, RaterTraits(bias=0.5))
    clips = drawn_clips(people, cell, np.random.default_rng(0))
    assert len(set(clips)) == 60
    assert len(set(clips // EACH)) == 10
    plan = Plan.of(designed(people, cell, 3), people.data.sample_ids[clips].tolist())
    raters = raters_of(plan, cell.traits)
    given = ratings_of(people, "audio_and_text", clips, plan, raters, cell.traits)
    assert (np.isfinite(given).sum(axis=0) == 2).all()
    given = given[np.isfinite(given).any(axis=1)]
    shown = frozenset({"audio", "text"})
    data = replace(
        part(people.data, clips), judgments={shown: np.nanmean(given, axis=0).astype(np.float32)},
        ratings={shown: given.astype(np.float32)},
    )  # fmt: skip
    own = people.contributions.select(data.sample_ids)
    row = human_agreement(explained(own, data)).iloc[0]
    published, calibrated = found_r(people.rated("audio_and_text", clips, given, pooled=False))
    assert published == pytest.approx(row[["r", "ci_low", "ci_high"]].tolist(), abs=1e-5)
    expected = row[["r_calibrated", "ci_low_calibrated", "ci_high_calibrated"]].tolist()
    assert calibrated == pytest.approx(expected, abs=1e-5)


def test_the_truth_of_exact_raters_is_r_with_what_nobody_else_shows(people):
    pair = people.pairs["audio_and_text"]
    there = np.isfinite(pair.human)
    says = people.says[[c.name for c in people.design.conditions].index("audio_and_text")]
    left = people.data.target - np.clip(says, -3, 3)
    expected = np.corrcoef(pair.learned[there], left[there])[0, 1]
    cell = Cell(10, 6, 2, 30, EXACT)
    exact = [SimulatedRater.drawn(EXACT, np.random.default_rng(k)) for k in range(5)]
    assert true_r(people, cell, "audio_and_text", exact, 0)[0] == pytest.approx(expected, abs=1e-6)
    # What raters differ in lowers it.
    biased = [replace(rater, bias=3.0 * k) for k, rater in enumerate(exact)]
    assert true_r(people, cell, "audio_and_text", biased, 0)[0] < expected - 0.1


def test_the_way_through_a_collection_has_the_same_ratings(people):
    cell = Cell(5, 2, 2, 30, EXACT)
    clips = drawn_clips(people, cell, np.random.default_rng(0))
    plan = Plan.of(designed(people, cell, 3), people.data.sample_ids[clips].tolist())
    condition = people.design.conditions[0]
    given = ratings_of(people, condition.name, clips, plan, raters_of(plan, EXACT), EXACT)
    pair = on_disk(people, cell, condition, clips, 3)
    np.testing.assert_allclose(
        np.nanmean(pair.ratings, axis=0), np.nanmean(given, axis=0), atol=1e-5
    )


def test_a_row_has_the_truth_both_coverages_and_how_often_r_was_calibrated(people):
    cells = show(people, Cell(8, 6, 1, 30, RaterTraits()), 3).split(" | ")
    assert len(cells) == 11
    assert all(0 <= float(cells[k].rstrip("%")) <= 100 for k in (3, 4, 8, 9, 10))
