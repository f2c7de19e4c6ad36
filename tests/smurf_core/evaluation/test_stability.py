import numpy as np
import pytest

from smurf_core.evaluation.redundancy import pair_table
from smurf_core.evaluation.stability import stability
from tests.smurf_core.by_hand import square
from tests.smurf_core.evaluation.conftest import make_dataset, make_result


def run(random, *, restarts=3, outputs=1, folds=4):
    """A agrees with itself, its share with B is turned in some models, B alone is nothing."""
    n = 120
    target = random.integers(0, outputs, size=n) if outputs > 1 else random.normal(size=n)
    data = make_dataset(target, modalities=2, folds=folds)
    common = random.normal(size=(n, 2, 2, outputs))

    def member(key):
        noise = np.random.default_rng(key)
        values = common + 0.1 * noise.normal(size=common.shape)
        values[:, 0, 1] *= noise.choice([-1, 1])
        values[:, 1, 1] *= 0.01
        return values.astype(np.float32), np.zeros(outputs, np.float32)

    return make_result(data, member, restarts=restarts)


@pytest.mark.parametrize("outputs", [1, 3])
def test_verdicts_are_what_was_made(random, outputs):
    table = stability(run(random, outputs=outputs)).set_index(["modality", "shared_with"])
    assert table.loc[("A", "A"), "verdict"] == "stable"
    assert table.loc[("A", "B"), "verdict"] == "unstable"
    assert table.loc[("B", "B"), "verdict"] == "too small to tell"
    assert table.loc[("A", "A"), "sign_agreement"] > 0.9
    assert table["pairs"].iloc[0] == 4 * 3 + 6


@pytest.mark.parametrize("fault", ["none", "unique is redundant", "sides disagree"])
def test_what_agrees_but_is_no_factorisation_is_reported(random, fault):
    # Every model says the same, so restarts and folds agree perfectly, whatever they agree on.
    alone, shared, other = random.normal(size=(3, 200))
    values = np.zeros((200, 2, 2, 1), np.float32)
    values[:, 0, 0, 0] = shared + 0.1 * alone if fault == "unique is redundant" else alone
    values[:, 0, 1, 0] = shared
    values[:, 1, 0, 0] = -shared if fault == "sides disagree" else shared
    values[:, 1, 1, 0] = other
    data = make_dataset(random.normal(size=200), modalities=2)
    result = make_result(data, lambda _: (values, np.zeros(1, np.float32)), restarts=2)
    table = stability(result)
    found = {name for name, rows in table.groupby(["modality", "shared_with"])
             if rows["verdict"].iloc[0] == "not separated"}  # fmt: skip
    assert (
        found
        == {
            "none": set(),
            "unique is redundant": {("A", "A"), ("A", "B")},
            "sides disagree": {("A", "B"), ("B", "A")},
        }[fault]
    )
    assert set(table["verdict"]) <= {"stable", "not separated"}


def test_agreement_is_the_median_of_plain_correlations(random):
    result = run(random)
    table = stability(result).set_index(["modality", "shared_with"])
    per_pair = []
    for fold in range(4):
        test = result.folds.test[fold]
        for a, b in ((0, 1), (0, 2), (1, 2)):
            one, other = (square(result.fold_contributions(fold, k))[test, 0, 0, 0] for k in (a, b))
            per_pair.append(np.corrcoef(one, other)[0, 1])
    assert table.loc[("A", "A"), "restart_r"] == pytest.approx(np.median(per_pair), abs=1e-6)
    assert table.loc[("A", "A"), "restart_r_lowest"] == pytest.approx(min(per_pair), abs=1e-6)


def test_one_model_alone_says_nothing(random):
    data = make_dataset(random.normal(size=30), modalities=2)
    values = random.normal(size=(30, 2, 2, 1)).astype(np.float32)
    result = make_result(data, lambda _: (values, np.zeros(1, np.float32)))
    table = stability(result)
    assert table["restart_r"].isna().all()
    assert (table["fold_r"] > 0.999).all()  # Folds of the same model agree.


def test_pairs_are_correlated_within_folds(random):
    contributions = run(random, restarts=1).contributions()
    (row,) = pair_table(contributions).to_dict("records")
    one, other = (square(contributions)[:, i, 1 - i, 0] for i in (0, 1))
    for fold in range(4):
        rows = contributions.folds == fold
        one[rows] -= one[rows].mean()
        other[rows] -= other[rows].mean()
    assert row["r"] == pytest.approx(np.corrcoef(one, other)[0, 1], abs=1e-5)
    assert row["covariance"] == pytest.approx((one * other).mean(), abs=1e-5)
