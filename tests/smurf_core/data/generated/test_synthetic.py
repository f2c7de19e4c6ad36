import numpy as np
import pytest

from smurf_core.data.generated.synthetic import (
    synthetic_additive,
    synthetic_interactions,
    synthetic_noisy,
)
from smurf_core.errors import InputError


def test_trimodal_target_is_the_sum_of_all_factors():
    data = synthetic_additive(samples=40)
    u_a, u_b, u_c, r_ab, r_ac, r_bc = (
        data.factors[name].astype(float) for name in ("u_A", "u_B", "u_C", "r_AB", "r_AC", "r_BC")
    )
    np.testing.assert_allclose(data.target, u_a + u_b + u_c + r_ab + r_ac + r_bc, rtol=1e-6)


def test_trimodal_modalities_hold_the_factors_of_equations_17_to_19():
    data = synthetic_additive(samples=40)
    assert {name: features.names for name, features in data.features.items()} == {
        "A": ("u_A", "r_AB", "r_AC"),
        "B": ("u_B", "r_AB", "r_BC"),
        "C": ("u_C", "r_AC", "r_BC"),
    }
    for features in data.features.values():
        for column, name in enumerate(features.names):
            np.testing.assert_array_equal(features.values[:, column], data.factors[name])


def test_factors_are_independent_standard_normal():
    data = synthetic_additive(samples=5000)
    drawn = np.stack(list(data.factors.values()))
    # Standard errors at 5,000 samples: 0.014 of a mean, 0.02 of a variance, 0.014 of a covariance.
    np.testing.assert_allclose(np.cov(drawn), np.eye(6), atol=0.08)
    np.testing.assert_allclose(drawn.mean(axis=1), 0, atol=0.06)


def test_bimodal_setting_hides_a_modality_and_keeps_the_target():
    whole, bimodal = (synthetic_additive(samples=40, visible=v) for v in (None, ("A", "B")))
    assert bimodal.modalities == ("A", "B")
    np.testing.assert_array_equal(bimodal.target, whole.target)
    np.testing.assert_array_equal(bimodal.factors["u_C"], whole.factors["u_C"])
    np.testing.assert_array_equal(bimodal.folds.test, whole.folds.test)


def test_a_factor_of_scale_zero_says_nothing_and_is_still_held():
    plain, scaled = (
        synthetic_additive(samples=40, scales=scales)
        for scales in (None, {"r_AB": 0.0, "u_C": 2.0})
    )
    np.testing.assert_array_equal(scaled.features["A"].values, plain.features["A"].values)
    assert not scaled.factors["r_AB"].any()
    np.testing.assert_allclose(scaled.factors["u_C"], 2 * plain.factors["u_C"])
    total = sum(values.astype(float) for values in scaled.factors.values())
    np.testing.assert_allclose(scaled.target, total, rtol=1e-5, atol=1e-6)
    with pytest.raises(InputError, match="No factor r_AZ"):
        synthetic_additive(samples=40, scales={"r_AZ": 1.0})


def test_five_modalities_have_five_unique_and_ten_shared_factors():
    data = synthetic_additive(samples=40, modalities=5)
    assert len(data.factors) == 15
    assert data.features["E"].names == ("u_E", "r_AE", "r_BE", "r_CE", "r_DE")


def test_class_labels_follow_the_softmax_of_the_summed_factors():
    data = synthetic_additive(samples=20_000, modalities=2, task="classification")
    logits = np.stack(
        [
            sum(data.factors[f"{part}[{name}]"] for part in ("u_A", "u_B", "r_AB"))
            for name in data.class_names
        ],
        axis=1,
    )
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    for code in range(3):
        # Drawn labels are unbiased: within a band of probability, the share equals its mean.
        likely = probabilities[:, code] > 0.5
        share = (data.target[likely] == code).mean()
        assert share == pytest.approx(probabilities[likely, code].mean(), abs=0.02)


def test_equal_seeds_give_equal_data_and_others_do_not():
    first, again, other = (synthetic_additive(samples=40, seed=s).fingerprint for s in (1, 1, 2))
    assert first == again != other


def test_default_folds_test_every_sample_once():
    folds = synthetic_additive(samples=43).folds
    assert len(folds) == 5
    np.testing.assert_array_equal(folds.test.sum(axis=0), 1)
    assert sorted(folds.test.sum(axis=1)) == [8, 8, 9, 9, 9]


def test_authors_protocol_uses_all_samples_in_all_roles():
    folds = synthetic_additive(samples=40, folds="same").folds
    assert len(folds) == 1
    assert folds.training.all()
    assert folds.validation.all()
    assert folds.test.all()


def test_interactions_multiply_as_in_equation_32():
    data = synthetic_interactions(samples=40)
    f = data.factors
    expected = [f["u_A"][n] * f["u_B"][n] + f["u_C"][n] * f["r_AB"][n] for n in range(40)]
    np.testing.assert_allclose(data.target, expected, rtol=1e-6)
    assert [features.names for features in data.features.values()] == [
        ("u_A", "r_AB"), ("u_B", "r_AB"), ("u_C",),
    ]  # fmt: skip


def test_it_is_called_synthetic():
    for data in (synthetic_additive(samples=20), synthetic_interactions(samples=20)):
        assert data.origin == "synthetic"
        assert "Synthetic" in data.name


def test_impossible_requests_are_refused():
    with pytest.raises(InputError, match="2 to 26 modalities, got 1"):
        synthetic_additive(modalities=1)
    with pytest.raises(InputError, match="of A, B, C, got A, D"):
        synthetic_additive(visible=("A", "D"))
    with pytest.raises(InputError, match="at least 10 samples, got 3"):
        synthetic_interactions(samples=3)


def test_noisy_sides_are_what_the_best_prediction_makes_of_noisy_views():
    data = synthetic_noisy(samples=20_000)
    factors = {name: values.astype(float) for name, values in data.factors.items()}
    best = [name for name in factors if name.startswith("u_") or "|" in name]
    # Least squares on what modalities see: the derived factors as they are, with weights of one.
    # A weight times its factor's sd has a standard error of about 0.01.
    held = np.stack([factors[name] for name in best], axis=1)
    weights, *_ = np.linalg.lstsq(held, data.target.astype(float), rcond=None)
    np.testing.assert_allclose(weights * held.std(axis=0), held.std(axis=0), atol=0.03)
    for (first, noise), (second, other) in (
        (("A", 0.3), ("B", 0.6)), (("A", 0.3), ("C", 0.9)), (("B", 0.6), ("C", 0.9)),
    ):  # fmt: skip
        shared = f"r_{first}{second}"
        sides = [factors[f"{shared}|{name}"] for name in (first, second)]
        expected = 1 / np.sqrt((1 + noise**2) * (1 + other**2))
        assert np.corrcoef(*sides)[0, 1] == pytest.approx(expected, abs=0.02)
        assert np.corrcoef(factors[shared], sides[0])[0, 1] == pytest.approx(
            1 / np.sqrt(1 + noise**2), abs=0.02
        )


def test_noisy_features_are_a_bent_rotation_of_what_a_modality_sees():
    data = synthetic_noisy(samples=2_000)
    for name, partners in (("A", ("AB", "AC")), ("B", ("AB", "BC")), ("C", ("AC", "BC"))):
        bent = data.features[name].values.astype(float)
        # z + z³ / 3 = x has one real root.
        z = np.array([np.roots([1 / 3, 0, 1, -x]) for x in bent[:50].ravel()])
        z = z[np.abs(z.imag) < 1e-6].real.reshape(50, 3)
        seen = np.stack(
            [data.factors[f"u_{name}"], *(data.factors[f"r_{p}|{name}"] for p in partners)], axis=1
        )[:50].astype(float)
        _, left, *_ = np.linalg.lstsq(z, seen, rcond=None)
        np.testing.assert_allclose(left, 0, atol=1e-8)
