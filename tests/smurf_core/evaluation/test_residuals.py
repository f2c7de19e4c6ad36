from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy

from smurf_core.errors import InputError
from smurf_core.evaluation.gate import gate
from smurf_core.evaluation.residuals import residuals_by_person, residuals_over_range
from smurf_core.explained import explained
from smurf_core.reporting.error_sentences import person_sentence, range_sentence
from tests.smurf_core.evaluation.conftest import make_dataset, predicts


def of(target, prediction, persons=None):
    data = make_dataset(target, persons)
    return explained(predicts(data, prediction), data)


def test_medians_of_persons_have_the_interval_of_a_sign_test(random):
    persons = np.repeat(["p1", "p2", "p3"], [20, 7, 4])
    target = random.normal(size=31)
    prediction = target + random.normal(size=31) + 3 * (persons == "p2")
    table = residuals_by_person(of(target, prediction, persons)).set_index("person")
    for person in ("p1", "p2"):
        own = (prediction.astype(np.float32) - target.astype(np.float32))[persons == person]
        plain = scipy.stats.quantile_test(own.astype(float), p=0.5).confidence_interval(0.95)
        assert table.loc[person, "median"] == pytest.approx(np.median(own), abs=1e-5)
        assert table.loc[person, "ci_low"] == pytest.approx(plain.low, abs=1e-5)
        assert table.loc[person, "ci_high"] == pytest.approx(plain.high, abs=1e-5)
    # Of four samples, the median may lie outside of all of them with a probability of 1/8.
    assert np.isnan(table.loc["p3", "ci_low"])
    assert table.index[0] == "p2"
    assert table["typical_error"].is_monotonic_decreasing


def test_parts_of_the_range_are_those_of_a_plain_grouping(random):
    target = random.normal(size=160).astype(np.float32)
    prediction = 0.5 * target + random.normal(size=160).astype(np.float32)
    table = residuals_over_range(of(target, prediction), bins=4)
    parts = pd.qcut(target, 4, labels=False)
    plain = pd.DataFrame({"part": parts, "error": prediction - target}).groupby("part")["error"]
    np.testing.assert_allclose(table["mean"], plain.mean(), atol=1e-5)
    assert table["n"].tolist() == plain.size().tolist()
    half = scipy.stats.t.ppf(0.975, 39) * plain.std() / np.sqrt(40)
    np.testing.assert_allclose((table["ci_high"] - table["ci_low"]) / 2, half, rtol=1e-4)


def test_equal_targets_stay_together_and_parts_have_enough_samples(random):
    target = np.repeat([1.0, 2, 3], [50, 3, 27])
    table = residuals_over_range(of(target, random.normal(size=80)))
    assert table["n"].sum() == 80
    assert (table["low"].iloc[1:].to_numpy() > table["high"].iloc[:-1].to_numpy()).all()
    assert len(residuals_over_range(of(target[:9], random.normal(size=9)))) == 1


def test_predictions_are_said_to_be_pulled_to_the_middle_only_where_intervals_show_it(random):
    target = random.normal(size=400)
    weak = of(target, 0.3 * target + 0.3 * random.normal(size=400))
    said = range_sentence(gate(weak), residuals_over_range(weak))
    assert said.startswith("Predictions are pulled to the middle: of the lowest targets")
    exact = of(target, target + 0.3 * random.normal(size=400))
    assert range_sentence(gate(exact), residuals_over_range(exact)) == ""
    # Where the model predicts nothing there is nothing to say.
    noise = of(target, 0.1 * random.normal(size=400))
    assert range_sentence(gate(noise), residuals_over_range(noise)) == ""


def test_persons_are_said_to_be_off_only_if_more_are_than_by_chance(random):
    persons = np.repeat(np.arange(30), 20)
    target = random.normal(size=600)
    alike = of(target, target + 0.5 * random.normal(size=600), persons)
    assert person_sentence(gate(alike), residuals_by_person(alike)) == ""
    own = 0.6 * random.normal(size=30)[persons]
    apart = of(target, target + own + 0.5 * random.normal(size=600), persons)
    table = residuals_by_person(apart)
    said = person_sentence(gate(apart), table)
    high, low = (table["ci_low"] > 0).sum(), (table["ci_high"] < 0).sum()
    assert f"{high} are predicted too high and {low} too low" in said


def test_what_has_no_residuals_is_refused(random):
    classes = of(random.integers(0, 2, 40), random.normal(size=(40, 2)))
    with pytest.raises(InputError, match="there are no residuals"):
        residuals_over_range(classes)
    numbers = of(random.normal(size=40), random.normal(size=40))
    nobody = replace(numbers, persons=None)
    with pytest.raises(InputError, match="has no persons"):
        residuals_by_person(nobody)
