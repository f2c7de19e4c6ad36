"""α of every scale, against the package krippendorff, published examples and pairs one by one."""

import krippendorff
import numpy as np
import pytest

from smurf_core.errors import InputError
from smurf_core.statistics.krippendorff import alpha_interval, alpha_intervals, krippendorff_alpha

NAN = np.nan
SCALES = ("nominal", "ordinal", "interval", "ratio")
# Krippendorff's own example of four coders (2011, section C to E).
FOUR_CODERS = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
)


def with_gaps(random, values, share=0.3):
    values = values.astype(float)
    values[random.random(values.shape) < share] = NAN
    return values


@pytest.mark.parametrize(
    ("scale", "expected"),
    [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)],
)
def test_the_published_example_comes_out(scale, expected):
    assert krippendorff_alpha(FOUR_CODERS, scale) == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("kind", ["five levels", "continuous"])
def test_alpha_is_that_of_the_package(random, scale, kind):
    truth = random.normal(size=40)
    ratings = 10 + truth + random.normal(size=(5, 40))
    if kind == "five levels":
        ratings = np.digitize(ratings, [8.5, 9.5, 10.5, 11.5])
    ratings = with_gaps(random, ratings)
    expected = krippendorff.alpha(ratings, level_of_measurement=scale)
    assert krippendorff_alpha(ratings, scale) == pytest.approx(expected, abs=1e-10)


def test_many_values_are_compared_block_by_block(random, monkeypatch):
    ratings = with_gaps(random, 5 + random.random((3, 50)))
    whole = krippendorff_alpha(ratings, "ratio")
    monkeypatch.setattr("smurf_core.statistics.krippendorff._BLOCK", 7)
    assert krippendorff_alpha(ratings, "ratio") == pytest.approx(whole)


def test_ratings_that_say_nothing_have_no_alpha():
    assert np.isnan(krippendorff_alpha(np.ones((3, 4))))
    assert np.isnan(krippendorff_alpha(np.array([[1.0, 2, 3]])))
    assert np.isnan(krippendorff_alpha(np.full((2, 3), NAN)))


def test_wrong_scales_and_negative_ratios_are_refused():
    with pytest.raises(InputError, match="No scale 'circular'; there are nominal, ordinal"):
        krippendorff_alpha(np.ones((2, 2)), "circular")
    with pytest.raises(InputError, match="cannot be negative"):
        krippendorff_alpha(np.array([[-1.0, 2], [1, 2]]), "ratio")


@pytest.mark.parametrize("scale", SCALES)
def test_the_interval_is_that_of_units_drawn_and_the_packages_alpha(random, scale):
    ratings = with_gaps(random, np.digitize(random.normal(size=30) + random.normal(size=(4, 30)),
                                            [-1, 0, 1]) + 1, 0.2)  # fmt: skip
    ratings = ratings[:, np.isfinite(ratings).sum(axis=0) >= 2]
    units = ratings.shape[1]
    drawn = [
        krippendorff.alpha(ratings[:, random.integers(units, size=units)],
                           level_of_measurement=scale)
        for _ in range(1_000)
    ]  # fmt: skip
    expected = np.quantile(drawn, [0.025, 0.975])
    found = alpha_interval(ratings, scale, draws=2_000)
    assert found.alpha == pytest.approx(krippendorff.alpha(ratings, level_of_measurement=scale))
    # Monte Carlo error of a 2.5% quantile of 1,000 draws: about a twentieth of the width.
    np.testing.assert_allclose(
        [found.low, found.high], expected, atol=0.12 * (expected[1] - expected[0])
    )


def test_whole_persons_are_drawn_where_they_are_known(random):
    """Ten units of each of eight persons: what persons have in common makes α less certain."""
    persons = np.repeat(np.arange(8), 10)
    truth = 2 * random.normal(size=8)[persons] + 0.2 * random.normal(size=80)
    ratings = truth + random.normal(size=(3, 80))
    drawn = []
    for _ in range(1_000):
        rows = np.concatenate([np.flatnonzero(persons == p) for p in random.integers(8, size=8)])
        drawn.append(krippendorff.alpha(ratings[:, rows], level_of_measurement="interval"))
    expected = np.quantile(drawn, [0.025, 0.975])
    found = alpha_interval(ratings, persons=persons, draws=2_000)
    width = expected[1] - expected[0]
    np.testing.assert_allclose([found.low, found.high], expected, atol=0.12 * width)
    by_unit = alpha_interval(ratings, draws=500)
    assert by_unit.high - by_unit.low < 0.7 * width


def test_equal_seeds_give_equal_intervals_and_one_person_none(random):
    ratings = random.normal(size=(3, 20))
    one, other = (alpha_interval(ratings, draws=50, seed=4) for _ in range(2))
    assert one == other
    alone = alpha_interval(ratings, persons=np.zeros(20), draws=50)
    assert alone.alpha == one.alpha
    assert np.isnan([alone.low, alone.high]).all()


def test_several_ratings_have_the_intervals_of_each_alone(random):
    few = random.normal(size=(3, 20))
    few[1:, :5] = NAN  # fewer persons are drawn
    several = [random.normal(size=(3, 20)), few, np.ones((3, 20)), few + 1]
    who = np.repeat(np.arange(10), 2)
    together = alpha_intervals(several, persons=who, draws=100)
    alone = [alpha_interval(ratings, persons=who, draws=100) for ratings in several]
    np.testing.assert_array_equal(
        [(found.alpha, found.low, found.high) for found in together],
        [(found.alpha, found.low, found.high) for found in alone],
    )


def test_draws_without_any_difference_are_left_out():
    """One unit differs: more than a third of the draws miss it and have no α."""
    ratings = np.ones((2, 6))
    ratings[:, 0] = (1, 2)
    found = alpha_interval(ratings, draws=200)
    assert np.isfinite([found.low, found.high]).all()


@pytest.mark.slow
def test_intervals_hold_the_true_alpha(random):
    """Three raters whose ratings have as much in common as not: α = 0.5."""
    hits, repetitions = 0, 500
    for repetition in range(repetitions):
        ratings = random.normal(size=100) + random.normal(size=(3, 100))
        found = alpha_interval(ratings, draws=500, seed=repetition)
        hits += found.low <= 0.5 <= found.high
    assert 0.92 <= hits / repetitions <= 0.97
