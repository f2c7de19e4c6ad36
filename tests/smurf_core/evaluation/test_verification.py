from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from smurf_core.contributions import Contributions
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.data.generated.synthetic import synthetic_additive, synthetic_interactions
from smurf_core.errors import InputError
from smurf_core.evaluation.verification import factor_matrix, mean_recovery, recovery
from smurf_core.explained import explained
from tests.smurf_core.by_hand import square, square_contributions


def contributions_of(
    dataset: MultimodalDataset,
    values: np.ndarray,
    interactions: dict[int, np.ndarray] | None = None,
) -> Contributions:
    n, c = len(dataset), len(dataset.outputs)
    assert dataset.folds is not None
    return square_contributions(
        values=values.astype(np.float32),
        baseline=np.zeros((n, c), dtype=np.float32),
        modalities=dataset.modalities,
        outputs=dataset.outputs,
        sample_ids=dataset.sample_ids,
        folds=dataset.folds.tested_by(),
        interactions={k: v.astype(np.float32) for k, v in (interactions or {}).items()},
    )


def noisy_additive(dataset: MultimodalDataset, noise: float) -> Contributions:
    """What a good model would say: each unique factor whole, each shared one by halves."""
    random = np.random.default_rng(1)
    m, c = len(dataset.modalities), len(dataset.outputs)
    columns = [""] if c == 1 else [f"[{name}]" for name in dataset.outputs]
    values = noise * random.standard_normal((len(dataset), m, m, c))
    for (i, a), (j, b) in product(enumerate(dataset.modalities), repeat=2):
        key = f"u_{a}" if i == j else f"r_{min(a, b)}{max(a, b)}"
        for k, column in enumerate(columns):
            values[:, i, j, k] += dataset.factors[key + column] / (1 if i == j else 2)
    return contributions_of(dataset, values)


def within_folds(x: np.ndarray, y: np.ndarray, folds: np.ndarray) -> float:
    return float(
        np.mean([np.corrcoef(x[folds == f], y[folds == f])[0, 1] for f in np.unique(folds)])
    )


@pytest.mark.parametrize("modalities", [3, 4, 5])
def test_perfect_contributions_recover_every_factor(modalities: int) -> None:
    dataset = synthetic_additive(samples=200, modalities=modalities)
    table = recovery(explained(noisy_additive(dataset, 0.0), dataset))
    assert len(table) == modalities**2
    np.testing.assert_allclose(table["r"], 1, atol=1e-6)
    named = table.set_index(["modality", "shared_with"])["factor"]
    assert named["A", "A"] == "u_A"
    assert named["C", "A"] == named["A", "C"] == "r_AC"


def test_correlations_equal_a_loop_over_folds() -> None:
    dataset = synthetic_additive(samples=300)
    learned = noisy_additive(dataset, 0.7)
    table = recovery(explained(learned, dataset)).set_index(["modality", "shared_with"])
    expected = within_folds(
        dataset.factors["r_BC"], learned.redundant("C", "B")[:, 0], learned.folds
    )
    assert table.loc[("C", "B"), "r"] == pytest.approx(expected, abs=1e-6)
    assert mean_recovery(explained(learned, dataset)) == pytest.approx(table["r"].mean())


def test_what_only_a_visible_modality_holds_is_its_own() -> None:
    dataset = synthetic_additive(samples=100, visible=("A", "B"))
    own = {m: dataset.factors[f"u_{m}"] + dataset.factors[f"r_{m}C"] for m in "AB"}
    shared = dataset.factors["r_AB"]
    values = np.stack([own["A"], shared, shared, own["B"]], axis=1).reshape(-1, 2, 2, 1)
    table = recovery(explained(contributions_of(dataset, values), dataset))
    assert table["factor"].tolist() == ["u_A + r_AC", "r_AB", "r_AB", "u_B + r_BC"]
    np.testing.assert_allclose(table["r"], 1, atol=1e-6)


def test_classes_are_compared_after_centring_over_the_classes() -> None:
    dataset = synthetic_additive(samples=200, task="classification")
    learned = noisy_additive(dataset, 0.0)
    # What all classes have in common leaves probabilities as they are, so it must not matter.
    shift = np.random.default_rng(2).standard_normal((200, 3, 3, 1)) * 10
    shifted = contributions_of(dataset, square(learned) + shift)
    table = recovery(explained(shifted, dataset))
    assert len(table) == 3 * 3 * 3
    np.testing.assert_allclose(table["r"], 1, atol=1e-5)
    truth = np.stack([dataset.factors[f"u_A[class_{k}]"] for k in (1, 2, 3)], axis=1)
    other = learned.unique("B")
    centred = [a - a.mean(axis=1, keepdims=True) for a in (truth, other)]
    matrix = factor_matrix(explained(shifted, dataset)).set_index(
        ["factor", "modality", "shared_with", "output"]
    )["r"]
    expected = within_folds(centred[0][:, 2], centred[1][:, 2], learned.folds)
    assert matrix["u_A", "B", "B", "class_3"] == pytest.approx(expected, abs=1e-5)


def test_the_matrix_holds_every_factor_and_every_contribution() -> None:
    dataset = synthetic_additive(samples=200, visible=("A", "B"))
    random = np.random.default_rng(0)
    learned = contributions_of(dataset, random.standard_normal((200, 2, 2, 1)))
    matrix = factor_matrix(explained(learned, dataset))
    assert len(matrix) == 6 * 4
    for row in matrix.itertuples():
        i, j = "AB".index(row.modality), "AB".index(row.shared_with)
        expected = within_folds(
            dataset.factors[row.factor], square(learned)[:, i, j, 0], learned.folds
        )
        assert row.r == pytest.approx(expected, abs=1e-6)


def test_a_model_without_redundant_heads_found_nothing_redundant() -> None:
    dataset = synthetic_additive(samples=100)
    values = np.zeros((100, 3, 3, 1))
    for i, m in enumerate("ABC"):
        values[:, i, i, 0] = dataset.factors[f"u_{m}"]
    assert mean_recovery(explained(contributions_of(dataset, values), dataset)) == pytest.approx(
        3 / 9
    )


def test_interactions_are_compared_with_products() -> None:
    dataset = synthetic_interactions(samples=200)
    # Pairs in order: A+B, A+C, B+C.
    pairs = np.zeros((200, 3, 3, 1))
    pairs[:, 0, 0, 0] = -dataset.factors["u_A*u_B"]
    pairs[:, 1, 2, 0] = pairs[:, 2, 1, 0] = dataset.factors["u_C*r_AB"] / 2
    learned = contributions_of(dataset, np.zeros((200, 3, 3, 1)), {2: pairs})
    table = recovery(explained(learned, dataset)).set_index(["modality", "shared_with"])
    assert len(table) == 9
    assert table.loc[("A+B", "A+B"), ["factor", "order"]].tolist() == ["u_A*u_B", 2]
    assert table.loc[("A+B", "A+B"), "r"] == pytest.approx(-1, abs=1e-6)
    for pair in (("A+C", "B+C"), ("B+C", "A+C")):
        assert table.loc[pair, "factor"] == "u_C*r_AB"
        assert table.loc[pair, "r"] == pytest.approx(1, abs=1e-6)
    assert (table["factor"] == "0").sum() == 6
    assert table["r"].notna().sum() == 3
    assert mean_recovery(explained(learned, dataset)) == pytest.approx(1 / 3, abs=1e-6)


def test_a_model_without_interactions_learns_what_it_lacks() -> None:
    dataset = synthetic_interactions(samples=50)
    learned = contributions_of(dataset, np.zeros((50, 3, 3, 1)))
    with pytest.raises(InputError, match="MRO-SMURF"):
        recovery(explained(learned, dataset))


def test_recorded_data_have_nothing_to_verify() -> None:
    dataset = synthetic_additive(samples=50)
    learned = noisy_additive(dataset, 0.0)
    with pytest.raises(InputError, match="only synthetic data"):
        recovery(explained(learned, replace(dataset, factors={})))


def test_some_samples_are_aligned_by_their_ids() -> None:
    dataset = synthetic_additive(samples=300)
    some = noisy_additive(dataset, 0.0).select(np.arange(0, 300, 3)[::-1])
    assert mean_recovery(explained(some, dataset)) == pytest.approx(1, abs=1e-6)
