"""Shares without the most influential samples: the closed form against computing them anew."""

import numpy as np
import pytest

from smurf_core.contributions import Contributions
from smurf_core.data.dataset import Features, MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.evaluation.influence import influence_bound, influence_path, share_influence
from smurf_core.evaluation.redundancy import share_intervals, variance_shares
from smurf_core.explained import Explained, explained
from smurf_core.terms import pairwise_terms


def some_explained(random, n: int, classes: int, folds: int = 3) -> Explained:
    """Contributions of two modalities with heavy tails, folds of unequal size."""
    one = Features(np.zeros((n, 1), np.float32), ("x",))
    names = tuple(f"c{c}" for c in range(classes)) if classes > 1 else ()
    target = random.integers(classes, size=n) if names else random.normal(size=n)
    dataset = MultimodalDataset(
        name="d",
        task="classification" if names else "regression",
        features={"A": one, "B": one},
        sample_ids=np.array([f"s{i}" for i in range(n)]),
        target=target if names else target.astype(np.float32),
        target_name="y",
        class_names=names,
    )
    contributions = Contributions(
        values=random.standard_t(3, size=(n, 4, classes)).astype(np.float32),
        terms=pairwise_terms(("A", "B")),
        baseline=np.zeros((n, classes), np.float32),
        modalities=("A", "B"),
        outputs=dataset.outputs,
        sample_ids=dataset.sample_ids,
        folds=np.sort(random.integers(folds, size=n)).astype(np.int64),
    )
    return explained(contributions, dataset)


def shares_of(found: Explained, keep: np.ndarray, output: str) -> np.ndarray:
    table = variance_shares(found.contributions.select(keep))
    return table.loc[table["output"] == output, "share"].to_numpy()


@pytest.mark.parametrize(("classes", "output"), [(1, "y"), (3, "all"), (3, "c1")])
def test_each_sample_left_out_is_the_one_that_moves_a_share_most(random, classes, output):
    found = some_explained(random, 40, classes)
    intervals = share_intervals(found, draws=50)
    influence = share_influence(found, intervals, output=output, count=4)
    by_modality = np.array([[1, 1, 0, 0], [0, 0, 1, 1]])
    start = by_modality @ shares_of(found, np.ones(40, bool), output)
    left = np.ones(40, dtype=bool)
    for step in range(4):
        moved = {}
        for i in np.flatnonzero(left):
            keep = left.copy()
            keep[i] = False
            moved[i] = np.abs(by_modality @ shares_of(found, keep, output) - start).max()
        worst = max(moved, key=moved.__getitem__)
        assert influence.sample_ids[step] == f"s{worst}"
        left[worst] = False
        path = influence.path[influence.path["left_out"] == step + 1]["share"]
        np.testing.assert_allclose(path, by_modality @ shares_of(found, left, output), atol=1e-9)
    np.testing.assert_allclose(
        influence.terms["share_without"], shares_of(found, left, output), atol=1e-9
    )
    again = share_intervals(found.select(left), draws=50).totals
    mine = again[(again["output"] == output) & (again["kind"] == "both") & (again["order"] == 1)]
    np.testing.assert_allclose(influence.sources["ci_low_without"], mine["ci_low"])
    np.testing.assert_allclose(influence.sources["share"], start, atol=1e-9)


def test_a_fold_of_one_sample_has_nothing_to_leave_out(random):
    found = some_explained(random, 12, 1, folds=1)
    folds = np.array([0] * 9 + [1, 2, 2])
    contributions = found.contributions
    changed = Contributions(
        contributions.values, contributions.terms, contributions.baseline, ("A", "B"), ("y",),
        contributions.sample_ids, folds,
    )  # fmt: skip
    found = explained(changed, found.dataset)
    influence = share_influence(found, share_intervals(found, draws=20), count=9)
    left = ~np.isin(found.sample_ids, influence.sample_ids)
    expected = shares_of(found, left, "y")
    np.testing.assert_allclose(influence.terms["share_without"], expected, atol=1e-9)


def test_half_a_percent_is_left_out_and_at_least_one(random):
    for n, count in ((40, 1), (400, 2)):
        found = some_explained(random, n, 1)
        assert len(share_influence(found, share_intervals(found, draws=20)).sample_ids) == count


def test_what_cannot_be_left_out_is_refused(random):
    found = some_explained(random, 10, 1)
    intervals = share_intervals(found, draws=20)
    with pytest.raises(InputError, match="Of 10 samples, 1 to 9 can be left out, not 10"):
        share_influence(found, intervals, count=10)
    with pytest.raises(InputError, match="No output 'z'; there are y"):
        share_influence(found, intervals, output="z")


@pytest.mark.parametrize(("classes", "output"), [(1, "y"), (3, "all"), (3, "c1")])
def test_no_share_moves_further_than_the_bound(random, classes, output):
    for count in (1, 3, 8):
        found = some_explained(random, 120, classes)
        most = influence_bound(found, output, count)
        assert 0 < influence_path(found, output, count).largest_change <= most


def test_where_a_fold_may_lose_all_its_samples_there_is_no_bound(random):
    found = some_explained(random, 40, 1)
    smallest = int(np.bincount(found.contributions.folds).min())
    assert influence_bound(found, count=smallest) == np.inf
    assert influence_bound(found, count=smallest - 1) > 0


def test_the_bound_is_close_for_many_samples(random):
    found = some_explained(random, 5_000, 1)
    change = influence_path(found).largest_change
    assert change <= influence_bound(found) <= 2 * change
