"""Scaling learns from the training fold, or from each person, and from nothing else."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from smurf_core.configuration import RunConfig
from smurf_core.data.dataset import Features, MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.scaling import fit_scaler, standardise, standardised_target


@pytest.fixture
def dataset() -> MultimodalDataset:
    random = np.random.default_rng(0)
    values = (random.normal(size=(8, 2)) * 5 + 3).astype(np.float32)
    values[:, 1] = 7
    gaps = values.copy()
    gaps[2] = np.nan
    return MultimodalDataset(
        name="d",
        task="regression",
        features={"A": Features(values, ("x", "constant")), "B": Features(gaps, ("x", "c"))},
        sample_ids=np.array(list("abcdefgh")),
        target=random.normal(size=8).astype(np.float32),
        target_name="y",
        persons=np.array(list("ppppqqqq")),
    )


TRAINING = np.array([True] * 6 + [False] * 2)


def test_training_samples_get_mean_zero_and_spread_one(dataset: MultimodalDataset) -> None:
    scaler = fit_scaler(dataset, TRAINING, "training_fold")
    inputs = standardise(dataset, scaler, "training_fold")
    assert_allclose(inputs["A"][TRAINING, 0].mean(), 0, atol=1e-6)
    assert_allclose(inputs["A"][TRAINING, 0].std(), 1, atol=1e-5)
    assert_allclose(inputs["A"][:, 1], 0)
    target = standardised_target(dataset, scaler)
    assert_allclose([target[TRAINING].mean(), target[TRAINING].std()], [0, 1], atol=1e-5)


def test_test_samples_do_not_move_the_scale(dataset: MultimodalDataset) -> None:
    values = dataset.features["A"].values.copy()
    values[~TRAINING] *= 100
    changed = {**dataset.features, "A": Features(values, dataset.features["A"].names)}
    other = fit_scaler(replace(dataset, features=changed), TRAINING, "training_fold")
    same = fit_scaler(dataset, TRAINING, "training_fold")
    assert_allclose(other.feature_means["A"], same.feature_means["A"])


def test_absent_modalities_become_zero_and_teach_no_scale(dataset: MultimodalDataset) -> None:
    scaler = fit_scaler(dataset, TRAINING, "training_fold")
    assert_allclose(standardise(dataset, scaler, "training_fold")["B"][2], 0)
    rows = [0, 1, 3, 4, 5]
    assert_allclose(
        scaler.feature_means["B"][0], dataset.features["B"].values[rows, 0].mean(), rtol=1e-6
    )


def test_within_person_every_person_gets_mean_zero_and_spread_one(
    dataset: MultimodalDataset,
) -> None:
    scaler = fit_scaler(dataset, TRAINING, "within_person")
    x = standardise(dataset, scaler, "within_person")["A"][:, 0]
    for rows in (slice(0, 4), slice(4, 8)):
        assert_allclose([x[rows].mean(), x[rows].std()], [0, 1], atol=1e-5)


def test_within_person_needs_persons(dataset: MultimodalDataset) -> None:
    with pytest.raises(InputError, match="name the column"):
        fit_scaler(replace(dataset, persons=None), TRAINING, "within_person")


def test_none_leaves_everything_as_it_is(dataset: MultimodalDataset) -> None:
    scaler = fit_scaler(dataset, TRAINING, "none", target_too=False)
    inputs = standardise(dataset, scaler, "none")
    assert_allclose(inputs["A"], dataset.features["A"].values)
    assert_allclose(standardised_target(dataset, scaler), dataset.target)


def test_the_normalised_losses_standardise_the_target_whatever_happens_to_features(
    dataset: MultimodalDataset,
) -> None:
    paper, ours = (
        RunConfig(model=model, standardisation="none").standardises_target  # type: ignore[arg-type]
        for model in ("smurf", "smurf_normalised")
    )
    assert (paper, ours) == (False, True)
    assert RunConfig(model="smurf").standardises_target
    scaler = fit_scaler(dataset, TRAINING, "none", target_too=ours)
    assert_allclose(standardise(dataset, scaler, "none")["A"], dataset.features["A"].values)
    target = standardised_target(dataset, scaler)
    assert_allclose([target[TRAINING].mean(), target[TRAINING].std()], [0, 1], atol=1e-5)


def test_inputs_are_clipped_and_the_range_of_the_training_samples_is_not(dataset) -> None:
    values = dataset.features["A"].values.copy()
    values[:, 0] = [0, 0, 0, 0, 0, 6, -90, 90]
    far = replace(dataset, features={**dataset.features, "A": Features(values, ("x", "c"))})
    scaler = fit_scaler(far, TRAINING, "training_fold", clip=2)
    # Training mean 1, sd √5: 0 → −0.447, 6 → 2.236; ±90 are about 40 sd out.
    inputs = standardise(far, scaler, "training_fold")["A"][:, 0]
    assert_allclose(inputs, [*[-1 / 5**0.5] * 5, 2, -2, 2], rtol=1e-6)
    assert_allclose(scaler.input_highs["A"][0], 5**0.5, rtol=1e-6)
    assert_allclose(scaler.input_means["A"][0], inputs[:6].mean(), atol=1e-6)
    assert_allclose(scaler.standardised("A", values)[6, 0], -91 / 5**0.5, rtol=1e-6)
    gap = np.full((1, 2), np.nan, dtype=np.float32)
    assert np.isnan(scaler.scaled("A", gap)).all()


def test_within_persons_inputs_are_clipped_after_the_persons_own_mean(dataset) -> None:
    values = dataset.features["A"].values.copy()
    values[:, 0] = [100, 100, 100, 104, 0, 0, 0, 4]
    far = replace(dataset, features={**dataset.features, "A": Features(values, ("x", "c"))})
    scaler = fit_scaler(far, TRAINING, "within_person", clip=1.5)
    # Both persons: mean 1 above their lowest, sd √3; 3 / √3 = 1.73 is clipped.
    inputs = standardise(far, scaler, "within_person")["A"][:, 0]
    assert_allclose(inputs, [*[-1 / 3**0.5] * 3, 1.5] * 2, rtol=1e-6)


def test_features_that_are_not_standardised_are_not_clipped(dataset) -> None:
    scaler = fit_scaler(dataset, TRAINING, "none", clip=0.1)
    assert scaler.clip is None
    assert_allclose(standardise(dataset, scaler, "none")["A"], dataset.features["A"].values)


def test_a_constant_target_is_refused(dataset: MultimodalDataset) -> None:
    flat = replace(dataset, target=np.ones(8, dtype=np.float32))
    with pytest.raises(InputError, match="nothing to predict"):
        fit_scaler(flat, TRAINING, "training_fold")
