from dataclasses import replace

import numpy as np
import pytest

from smurf_core.contributions import Contributions
from smurf_core.evaluation.redundancy import (
    ALL_MODALITIES,
    pair_table,
    redundancy_by_group,
    share_intervals,
    variance_shares,
)
from tests.smurf_core.by_hand import square, square_contributions
from tests.smurf_core.evaluation.conftest import explain


def random_contributions(
    outputs: int, orders: int = 1, folds: int = 3, n: int = 60
) -> Contributions:
    random = np.random.default_rng(1)
    m = 3
    scales = random.uniform(0.2, 2, size=(1, m, m, 1))
    shared = random.normal(size=(n, 1, 1, outputs))
    values = scales * (random.normal(size=(n, m, m, outputs)) + shared)
    return square_contributions(
        values=values.astype(np.float32),
        baseline=np.zeros((n, outputs), dtype=np.float32),
        modalities=("A", "B", "C"),
        outputs=tuple(f"y{c}" for c in range(outputs)),
        sample_ids=np.array([f"s{i}" for i in range(n)]),
        folds=np.arange(n) % folds,
        interactions={
            2: random.normal(size=(n, 3, 3, outputs)).astype(np.float32),
        }
        if orders > 1
        else {},
    )


@pytest.mark.parametrize("orders", [1, 2])
@pytest.mark.parametrize("outputs", [1, 4])
def test_shares_add_up_to_one(outputs, orders):
    table = variance_shares(random_contributions(outputs, orders))
    assert table.groupby("output")["share"].sum().to_numpy() == pytest.approx(1, abs=1e-9)
    assert set(table["output"]) == ({"y0"} if outputs == 1 else {"all", "y0", "y1", "y2", "y3"})


def test_share_is_the_regression_slope_of_the_term_on_the_prediction():
    found = random_contributions(1, folds=1)
    table = variance_shares(found)
    prediction = found.prediction()[:, 0].astype(float)
    for i, a in enumerate("ABC"):
        for j, b in enumerate("ABC"):
            slope = np.polyfit(prediction, square(found)[:, i, j, 0].astype(float), 1)[0]
            row = table[(table["modality"] == a) & (table["shared_with"] == b)].iloc[0]
            assert row["share"] == pytest.approx(slope, abs=1e-6)
            assert row["sd"] == pytest.approx(square(found)[:, i, j, 0].std(), rel=1e-5)
            assert row["kind"] == ("unique" if a == b else "redundant")


def test_what_all_classes_have_in_common_counts_for_nothing():
    found = random_contributions(4)
    common = np.random.default_rng(2).normal(size=(60, 9, 1)).astype(np.float32)
    shifted = replace(found, values=found.values + 5 * common)
    a, b = variance_shares(found), variance_shares(shifted)
    np.testing.assert_allclose(a["share"], b["share"], atol=1e-5)


def test_a_constant_prediction_has_no_shares():
    found = random_contributions(1)
    nothing = replace(found, **{"values": np.zeros_like(found.values)})
    assert variance_shares(nothing)["share"].isna().all()


def persons_of(found: Contributions, size: int = 4) -> np.ndarray:
    """Some persons whose samples several folds test, and some whose one fold does."""
    return np.array([f"p{i // size}" for i in range(len(found))])


def test_intervals_are_those_of_a_bootstrap_over_rows_of_persons():
    found = random_contributions(1)
    persons = persons_of(found, 3)
    intervals = share_intervals(explain(found, persons), draws=2_000)
    names, rows = np.unique(persons), {p: np.flatnonzero(persons == p) for p in np.unique(persons)}
    random = np.random.default_rng(7)
    slopes = []
    for _ in range(1_500):
        picked = np.concatenate([rows[p] for p in random.choice(names, len(names))])
        terms = found.values[picked, :, 0].astype(float)
        folds = found.folds[picked]
        for fold in np.unique(folds):
            terms[folds == fold] -= terms[folds == fold].mean(axis=0)
        total = terms.sum(axis=1)
        slopes.append(terms.T @ total / (total @ total))
    low, high = np.quantile(slopes, [0.025, 0.975], axis=0)
    width = high - low
    # Monte Carlo error of a 2.5% quantile of 1,500 and 2,000 draws: under a tenth of the width.
    assert (np.abs(intervals.terms["ci_low"] - low) < 0.1 * width).all()
    assert (np.abs(intervals.terms["ci_high"] - high) < 0.1 * width).all()
    totals = intervals.totals.set_index(["modality", "kind"])
    assert totals.loc[(ALL_MODALITIES, "both"), ["share", "ci_low", "ci_high"]].tolist() == (
        pytest.approx([1, 1, 1])
    )
    unique = np.quantile(np.array(slopes)[:, [0, 4, 8]].sum(axis=1), [0.025, 0.975])
    shown = totals.loc[(ALL_MODALITIES, "unique"), ["ci_low", "ci_high"]].to_numpy(dtype=float)
    np.testing.assert_allclose(shown, unique, atol=0.1 * np.ptp(unique))


def test_equal_seeds_give_equal_intervals_and_one_person_gives_none():
    found = random_contributions(1)
    one, other = (share_intervals(explain(found), draws=50, seed=4) for _ in range(2))
    assert one.terms.equals(other.terms)
    assert one.persons == len(found)
    alone = share_intervals(explain(found, np.full(len(found), "p")), draws=50)
    assert alone.terms["ci_low"].isna().all()
    assert alone.terms["share"].notna().all()


@pytest.mark.parametrize("outputs", [1, 3])
def test_pairs_are_correlations_within_folds_in_every_order(outputs):
    found = random_contributions(outputs, orders=2)
    table = pair_table(found)
    assert table.groupby(["order", "output"]).size().tolist() == [3] * 2 * outputs
    terms = found.values.astype(float)
    if outputs > 1:
        terms -= terms.mean(axis=2, keepdims=True)
    for fold in range(3):
        terms[found.folds == fold] -= terms[found.folds == fold].mean(axis=0)
    names = list(found.term_names())
    for row in table.to_dict("records"):
        one, other = row["modality"], row["shared_with"]
        c = found.outputs.index(row["output"])
        get = {key: terms[:, names.index((row["order"], *key)), c] for key in (
            (one, one), (one, other), (other, one), (other, other))}  # fmt: skip
        assert row["r"] == pytest.approx(np.corrcoef(get[one, other], get[other, one])[0, 1])
        left = np.corrcoef(get[one, one], get[one, other])[0, 1]
        assert row["left_first"] == pytest.approx(left)
        left = np.corrcoef(get[other, other], get[other, one])[0, 1]
        assert row["left_second"] == pytest.approx(left)
        total = terms[:, :, c].sum(axis=1)
        both = (get[one, other] + get[other, one]) @ total / (total @ total)
        assert row["share"] == pytest.approx(both)


def test_groups_are_looked_at_one_by_one_and_small_ones_named():
    found = random_contributions(1, n=140)
    labels = np.array(["a"] * 40 + ["b"] * 50 + ["c"] * 10 + ["d"] * 36 + [""] * 4)
    target = found.prediction()[:, 0].copy()
    # d is not predicted: its share was shown as if it were.
    target[labels == "d"] = np.random.default_rng(1).normal(size=36)
    grouped = redundancy_by_group(replace(explain(found), target=target), labels)
    assert grouped.left_out == ("c",)
    assert grouped.not_predicted == ("d",)
    assert grouped.sizes.to_dict() == {"a": 40, "b": 50, "c": 10, "d": 36}
    alone = variance_shares(found.select(labels == "b"))["share"]
    shown = grouped.shares[grouped.shares["level"] == "b"]["share"]
    np.testing.assert_allclose(shown, alone)
    assert set(grouped.pairs["level"]) == {"a", "b"}
    assert grouped.pairs[grouped.pairs["level"] == "a"]["n"].tolist() == [40] * 3
