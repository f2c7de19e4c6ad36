from dataclasses import replace

import numpy as np
import pytest

from smurf_core.evaluation.redundancy import variance_shares
from smurf_core.plot.contributions import (
    breakdown,
    change_steps,
    contribution_matrices,
    variance_bars,
    waterfall,
)
from smurf_core.plot.theme import PALETTE, text_on
from smurf_core.reporting.numbers import mean_and_spread, plain, signed
from tests.smurf_core.by_hand import square, square_contributions


def contributions(m: int = 3, outputs: int = 1, orders: int = 1, fusion: bool = False):
    random = np.random.default_rng(0)
    values = random.normal(size=(8, m, m, outputs)).astype(np.float32)
    pairs = m * (m - 1) // 2
    found = square_contributions(
        values=values,
        baseline=random.normal(size=(8, outputs)).astype(np.float32),
        modalities=tuple("ABCDE"[:m]),
        outputs=tuple(f"y{c}" for c in range(outputs)),
        sample_ids=np.array([f"s{i}" for i in range(8)]),
        folds=np.zeros(8, dtype=int),
        interactions={2: random.normal(size=(8, pairs, pairs, outputs)).astype(np.float32)}
        if orders > 1
        else {},
    )
    if not fusion:
        return found
    unique = found.where(lambda term: term.is_unique)
    terms = tuple(term for term in found.terms if term.is_unique)
    return replace(found, values=found.values[:, unique], terms=terms)


@pytest.mark.parametrize("orders", [1, 2])
@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("m", [2, 3, 5])
def test_parts_add_up_to_the_prediction(m, outputs, orders):
    found = contributions(m, outputs, orders)
    for row in (0, 7):
        for output in range(outputs):
            parts = breakdown(found, row, output)
            assert parts["kind"].iloc[0] == "baseline"
            assert parts["value"].iloc[-1] == pytest.approx(parts["value"].iloc[:-1].sum())
            assert parts["value"].iloc[-1] == pytest.approx(
                found.prediction()[row, output], abs=1e-5
            )
            assert not parts["part"].duplicated().any()
            steps = parts.iloc[:-1]
            np.testing.assert_allclose(steps["start"].iloc[1:], steps["end"].iloc[:-1])


def test_a_part_is_the_contribution_that_its_name_says():
    parts = breakdown(contributions(), 2, 0).set_index("part")["value"]
    values = square(contributions())[2, :, :, 0]
    assert parts["B alone"] == pytest.approx(values[1, 1])
    assert parts["A, shared with C"] == pytest.approx(values[0, 2])
    assert parts["C, shared with A"] == pytest.approx(values[2, 0])


def test_late_fusion_shows_no_redundant_parts():
    parts = breakdown(contributions(fusion=True), 0, 0)
    assert parts["kind"].tolist() == ["baseline", "unique", "unique", "unique", "prediction"]


def test_waterfall_draws_every_part_where_it_starts():
    parts = breakdown(contributions(), 0, 0)
    figure = waterfall(parts, ("A", "B", "C"), "y")
    (bars,) = figure.data
    base = np.asarray(bars.base, dtype=float)
    np.testing.assert_allclose(base, parts["start"])
    np.testing.assert_allclose(base + np.asarray(bars.x, dtype=float), parts["end"])
    hatched = [shape == "/" for shape in bars.marker.pattern.shape]
    assert hatched == (parts["kind"] == "redundant").tolist()
    assert bars.marker.color[1] == PALETTE[0]
    low, high = figure.layout.xaxis.range
    assert low < parts[["start", "end"]].min().min()
    assert high > parts[["start", "end"]].max().max()


def test_bars_hold_every_share():
    shares = variance_shares(contributions(orders=2))
    figure = variance_bars(shares, ("A", "B", "C"))
    assert sum(bar.x[0] for bar in figure.data) == pytest.approx(1)
    assert {bar.y[0] for bar in figure.data} == {"A", "B", "C", "A+B", "A+C", "B+C"}


@pytest.mark.parametrize(
    ("value", "shown"), [(0.12, "+0.120"), (-0.0351, "−0.035"), (0.0001, "0.000"), (-1e-9, "0.000")]
)
def test_contributions_are_written_with_their_sign(value, shown):
    assert signed(value) == shown


def test_numbers_are_written_as_in_the_paper():
    assert plain(-1.5) == "−1.500"
    assert mean_and_spread(0.608, 0.041) == "0.608 ± 0.041"
    assert mean_and_spread(0.608, float("nan")) == "0.608"
    assert mean_and_spread(float("nan"), float("nan")) == "not defined"


@pytest.mark.parametrize("colour", PALETTE)
def test_text_on_every_colour_has_contrast(colour):
    def luminance(text: str) -> float:
        parts = [int(text[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(colour), luminance(text_on(colour))), reverse=True)
    assert (high + 0.05) / (low + 0.05) >= 3


def test_change_steps_lead_from_one_prediction_to_the_other():
    before = breakdown(contributions(), 0, 0)
    after = breakdown(contributions(), 0, 0)
    after.loc[after["part"] == "B alone", "value"] += 0.5
    after.loc[after.index[-1], "value"] += 0.5
    steps = change_steps(before, after)
    assert steps["part"].tolist() == ["Before", "B alone", "After"]
    assert steps["end"].tolist()[1:] == pytest.approx([after["value"].iloc[-1]] * 2)
    assert change_steps(before, before)["part"].tolist() == ["Before", "After"]


def test_matrices_hold_each_orders_contributions_of_one_sample():
    found = contributions(orders=2)
    matrices = contribution_matrices(found, 3, 0)
    assert matrices[1].loc["A", "C"] == square(found)[3, 0, 2, 0]
    assert matrices[2].loc["A+C", "B+C"] == square(found, 2)[3, 1, 2, 0]
