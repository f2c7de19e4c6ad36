"""Predicted power and widths against studies that other code makes, rates and evaluates."""

import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks.rating_power import realised
from smurf_core.errors import InputError
from smurf_core.ratings.power import (
    Expected,
    Size,
    ceiling,
    drawn_study,
    hours_per_rater,
    power_table,
    predicted,
    rated_cells,
    share_table,
    smallest,
    smallest_share,
)
from smurf_core.statistics.intraclass import intraclass
from smurf_core.statistics.reliability import difference_ceiling

# Studies that are simulated for one number; more make the tests sharper.
DRAWS = int(os.environ.get("SMURF_POWER_DRAWS", "100"))
GUESS = Expected()
SMALL = Size(clips=60, persons=12, raters_per_cell=3, conditions=3, clips_per_rater=20)


def test_drawn_ratings_have_the_expected_agreement_and_shares():
    size = replace(SMALL, clips=1_500, persons=500, clips_per_rater=300, raters_per_cell=6)
    learned, target, ratings, persons = drawn_study(GUESS, size, np.random.default_rng(0))
    assert intraclass(ratings, draws=2).single == pytest.approx(GUESS.icc, abs=0.03)
    human = target - np.nanmean(ratings, axis=0)
    best = ceiling(GUESS, 6)
    assert difference_ceiling(human, ratings) == pytest.approx(best, abs=0.05)
    assert np.corrcoef(learned, human)[0, 1] == pytest.approx(GUESS.r * best, abs=0.04)
    assert target.var() == pytest.approx(1, abs=0.1)
    assert len(np.unique(persons)) == 500


def test_every_clip_has_its_raters():
    cells = rated_cells(SMALL)
    assert (cells.sum(axis=0) == 3).all()
    assert cells.any(axis=1).all()


def test_what_grows_with_size_grows():
    table = power_table(GUESS, SMALL, clips=(24, 96), raters_per_cell=(1, 6), draws=40).set_index(
        ["clips", "raters_per_cell"]
    )
    for clips in (24, 96):
        assert table.loc[(clips, 6), "ceiling"] > table.loc[(clips, 1), "ceiling"]
        assert table.loc[(clips, 6), "power"] > table.loc[(clips, 1), "power"]
    for raters in (1, 6):
        assert table.loc[(96, raters), "width"] < table.loc[(24, raters), "width"]
        assert table.loc[(96, raters), "power"] > table.loc[(24, raters), "power"]
    assert table.loc[(96, 6), "raters"] == 5 * 3 * 6
    assert table.loc[(96, 6), "hours"] == pytest.approx(96 * 3 * 6 * 13 / 3_600)


def test_without_a_relation_power_is_the_error_rate():
    found = predicted(replace(GUESS, r=0.0), SMALL, draws=2 * DRAWS)
    assert found["power"] < 0.05 + 3 * np.sqrt(0.05 * 0.95 / (2 * DRAWS))
    assert abs(found["r"]) < 0.05


def test_predicted_power_is_that_of_the_evaluation():
    size = Size(clips=60, persons=12, raters_per_cell=2, conditions=3, clips_per_rater=20)
    expected = Expected(icc=0.35, r=0.55)
    power, width = realised(expected, size, DRAWS // 2)
    found = predicted(expected, size, draws=DRAWS)
    assert abs(found["power"] - power) < 3 * np.sqrt(0.25 / (DRAWS // 2) + 0.25 / DRAWS)
    assert found["width"] == pytest.approx(width, abs=0.03)


def test_the_smallest_size_is_the_one_with_the_fewest_hours():
    table = power_table(GUESS, SMALL, clips=(24, 60, 120), draws=60)
    at = smallest(table, width=float(table["width"].iloc[1]) + 1e-9)
    assert table["clips"].iloc[at] == 60
    with pytest.raises(InputError, match="None of these sizes is large enough"):
        smallest(table, width=0.01)
    with pytest.raises(InputError, match="None of these sizes is large enough"):
        smallest(table.assign(power=0.5), power=0.8)


def test_a_larger_share_is_found_more_often_and_the_smallest_one_is_named():
    size = replace(SMALL, clips=120, persons=24)
    table = share_table(GUESS, size, shares=(0.4, 0.02, 0.1), draws=DRAWS)
    assert table["unique"].tolist() == [0.02, 0.1, 0.4]
    assert table["power"].is_monotonic_increasing
    assert table["ceiling"].is_monotonic_increasing
    alone = predicted(replace(GUESS, unique=0.4), size, draws=DRAWS)
    assert table.iloc[2].drop("unique").to_dict() == alone.to_dict()
    assert smallest_share(table, table["power"][1] - 0.3) == 0.1
    with pytest.raises(InputError, match="finds none of these shares"):
        smallest_share(table, 1.01)


def test_a_share_that_is_found_by_luck_between_missed_ones_is_not_the_smallest():
    table = pd.DataFrame({"unique": [0.1, 0.2, 0.3, 0.4], "power": [0.9, 0.7, 0.85, 0.9],
                          "power_error": 0.01})  # fmt: skip
    assert smallest_share(table, 0.8) == 0.3


def test_hours_count_clip_and_answer():
    assert hours_per_rater(SMALL, clip_seconds=10, answer_seconds=8) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Expected(icc=0.0), "icc is 0; it must be from 0.01 to 1"),
        (lambda: Expected(unique=1.5), "unique is 1.5; it must be from 0.01 to 0.99"),
        (lambda: Size(clips=10, persons=20, raters_per_cell=1), "10 clips cannot show 20 persons"),
        (lambda: Size(clips=10, persons=5, raters_per_cell=0), "raters_per_cell is 0"),
    ],
)
def test_what_cannot_be_is_an_error(make, sentence):
    with pytest.raises(InputError, match=sentence):
        make()
