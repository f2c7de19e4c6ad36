import numpy as np
import pytest

from smurf_core.contributions import Contributions
from smurf_core.evaluation.redundancy import variance_shares


def random_contributions(outputs: int, orders: int = 1, folds: int = 3) -> Contributions:
    random = np.random.default_rng(1)
    n, m = 60, 3
    scales = random.uniform(0.2, 2, size=(1, m, m, 1))
    shared = random.normal(size=(n, 1, 1, outputs))
    values = scales * (random.normal(size=(n, m, m, outputs)) + shared)
    return Contributions(
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
            slope = np.polyfit(prediction, found.values[:, i, j, 0].astype(float), 1)[0]
            row = table[(table["modality"] == a) & (table["shared_with"] == b)].iloc[0]
            assert row["share"] == pytest.approx(slope, abs=1e-6)
            assert row["sd"] == pytest.approx(found.values[:, i, j, 0].std(), rel=1e-5)
            assert row["kind"] == ("unique" if a == b else "redundant")


def test_what_all_classes_have_in_common_counts_for_nothing():
    found = random_contributions(4)
    common = np.random.default_rng(2).normal(size=(60, 3, 3, 1)).astype(np.float32)
    shifted = Contributions(**{**vars(found), "values": found.values + 5 * common})
    a, b = variance_shares(found), variance_shares(shifted)
    np.testing.assert_allclose(a["share"], b["share"], atol=1e-5)


def test_a_constant_prediction_has_no_shares():
    found = random_contributions(1)
    nothing = Contributions(**{**vars(found), "values": np.zeros_like(found.values)})
    assert variance_shares(nothing)["share"].isna().all()
