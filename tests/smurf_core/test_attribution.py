"""Attributions of features add up to the contribution that they explain."""

from dataclasses import replace

import numpy as np
import pytest

from smurf_core.attribution import AttributionProcess, attribute
from smurf_core.errors import InputError
from smurf_core.evaluation.feature_groups import feature_groups, group_attributions
from smurf_core.fitted import Layer
from smurf_core.processes import worker
from smurf_core.runs import store, studies
from smurf_core.terms import Term
from tests.smurf_core.trained import small_run

ALONE = Term.unique(("A",))


def with_towers(result, fold, towers):
    """The same run, of which one fold's model has other networks."""
    folds = list(result.fold_results)
    member = folds[fold].member
    member = replace(member, model=replace(member.model, towers=towers))
    folds[fold] = replace(folds[fold], members=(member,), chosen=0)
    return replace(result, fold_results=tuple(folds))


@pytest.mark.parametrize(
    ("model", "task", "how", "absent"),
    [
        ("smurf", "regression", "training_fold", False),
        ("smurf", "classification", "training_fold", True),
        ("smurf", "regression", "within_person", True),
        ("late_fusion", "regression", "none", True),
        ("mro_smurf", "regression", "training_fold", False),
    ],
)
def test_attributions_add_up_to_the_stored_contribution_less_its_baseline(model, task, how, absent):
    result, dataset = small_run(model, task, how, absent)
    stored, output = result.contributions(), int(task == "classification")
    for term in (ALONE, Term(("C",), (("B",), ("C",)))):
        if model == "late_fusion" and not term.is_unique:
            with pytest.raises(InputError, match="no contribution of 'C', shared with 'B'"):
                attribute(result, dataset, "s17", term)
            continue
        found = attribute(result, dataset, "s17", term, output=output)
        value = stored.of(term)[17, output]
        assert found.contribution == pytest.approx(value, abs=1e-6)
        total = found.contribution - found.at_average
        assert sum(found.attributions) == pytest.approx(total, abs=0.005 * max(1, abs(total)))
        assert np.abs(found.attributions).max() > 0
        assert found.table()["attribution"].sum() == pytest.approx(total - found.gap)


@pytest.mark.parametrize("model", ["mro_smurf", "mro_smurf_subsets"])
def test_an_interactions_attributions_add_up_over_the_features_of_all_its_modalities(model):
    result, dataset = small_run(model, "classification")
    stored = result.contributions()
    for term in (
        Term.unique(("A", "B")),
        Term.shared(("A", "C"), ("B", "C")),
        Term.unique(("A", "B", "C")),
    ):
        found = attribute(result, dataset, "s17", term, output=2)
        value = stored.of(term)[17, 2]
        assert found.contribution == pytest.approx(value, abs=1e-6)
        total = found.contribution - found.at_average
        assert sum(found.attributions) == pytest.approx(total, abs=0.005 * max(1, abs(total)))
        names = term.source
        assert len(found.features) == sum(dataset.features[n].values.shape[1] for n in names)
        for name in names:
            own = [a for f, a in zip(found.features, found.attributions, strict=True)
                   if f.startswith(f"{name}: ")]  # fmt: skip
            assert np.abs(own).max() > 0
    with pytest.raises(InputError, match="no contribution"):
        attribute(result, dataset, "s17", Term.unique(("A+B",)))


def test_two_factors_share_their_product_evenly():
    """Along a path from zero, a product of two linear functions is half the one's and half the
    other's."""
    result, dataset = small_run("mro_smurf")
    fold = result.fold_results[int(result.folds.tested_by()[17])]
    random = np.random.default_rng(0)
    width = {name: dataset.features[name].values.shape[1] for name in "AB"}
    nothing = {name: Layer(np.zeros((3, width[name]), np.float32), np.zeros(3)) for name in "AB"}
    product = random.normal(size=(3, width["A"] * width["B"])).astype(np.float32)
    towers = {
        **fold.model.towers,
        ("A",): (nothing["A"],),
        ("B",): (nothing["B"],),
        ("A", "B"): (Layer(product, random.normal(size=3)),),
    }
    changed = with_towers(result, fold.fold, towers)
    found = attribute(changed, dataset, "s17", Term.shared(("A", "B"), ("B", "C")))
    scaler = fold.model.scaler
    scaled = {n: scaler.scaled(n, dataset.features[n].values[17]) for n in "AB"}
    read = product[2].reshape(width["A"], width["B"])
    half = scaler.target_sd / 2
    of_a = half * scaled["A"] * (read @ scaled["B"])
    of_b = half * scaled["B"] * (scaled["A"] @ read)
    np.testing.assert_allclose(found.attributions, [*of_a, *of_b], rtol=1e-3, atol=1e-4)


def test_a_linear_towers_attributions_are_weight_times_distance_from_the_mean():
    result, dataset = small_run("smurf")
    fold = result.fold_results[int(result.folds.tested_by()[17])]
    weight = np.random.default_rng(0).normal(size=(3, dataset.features["A"].values.shape[1]))
    towers = {**fold.model.towers, ("A",): (Layer(weight.astype(np.float32), np.zeros(3)),)}
    changed = with_towers(result, fold.fold, towers)
    found = attribute(changed, dataset, "s17", Term.shared(("A",), ("B",)))
    scaler = fold.model.scaler
    expected = weight[1] * scaler.scaled("A", dataset.features["A"].values[17]) * scaler.target_sd
    np.testing.assert_allclose(found.attributions, expected, rtol=1e-4, atol=1e-5)


def test_a_process_of_its_own_answers_and_says_what_is_wrong(home):
    from tests.studio import FAST

    _, dataset = small_run("smurf")
    study = studies.add_study(home, dataset)
    run_id = store.create_run(home, study, FAST, jobs=1)
    worker.work(home)
    process = AttributionProcess(home)
    try:
        found = process.attribute(run_id, "s17", ALONE)
        assert abs(found.gap) < 0.005 * max(1, abs(found.contribution))
        assert found.features == dataset.features["A"].names
        with pytest.raises(InputError, match="no contributions"):
            process.attribute(run_id, "nobody", ALONE)
        shared = Term.shared(("A",), ("B",))
        assert process.attribute(run_id, "s17", shared).term == shared
    finally:
        process.close()


@pytest.mark.parametrize(
    ("modality", "name", "group"),
    [
        ("video", "AU12_r_mean", "action units"),
        ("vision", "vision_au_4", "action units"),
        ("audio", "F0semitoneFrom27.5Hz_sma3nz_amean", "pitch"),
        ("audio", "F1frequency_sma3nz_amean", "formants"),
        ("audio", "loudness_sma3_amean", "energy"),
        ("audio", "mfcc1_sma3_amean", "cepstrum (MFCC)"),
        ("audio", "jitterLocal_sma3nz_amean", "jitter and shimmer"),
        ("vision", "vision_Max_Blink_Duration", "blinks"),
        ("vision", "Mean_Microsac_Ampl", "saccades"),
        ("video", "pose_Rx", "head pose"),
        ("ecg", "ecg_Rmssd", "heart rate variability"),
        ("ecg", "ecg_Bpm", "heart rate"),
        ("ECG", "ECG_HRV_SDNN", "heart rate variability"),
        ("EMG", "EMG_RMS", "muscle activity"),
        ("eda", "Mean", "skin conductance level"),
        ("A", "A_3", "A features"),
        ("ecg", "ecg_MaxRR", "heart rate"),
        ("ecg", "ecg_Mean", "ecg features"),
        ("audio", "x12", "audio features"),
        ("body", "shoulder_angle_1", "shoulder"),
    ],
)
def test_a_features_group_is_guessed_from_its_name(modality, name, group):
    assert feature_groups(modality, (name,)) == (group,)


def test_groups_add_up_to_their_features():
    result, dataset = small_run("smurf")
    table = attribute(result, dataset, "s17", ALONE).table()
    table["group"] = ["a", "b"] * (len(table) // 2) + ["a"] * (len(table) % 2)
    grouped = group_attributions(table)
    assert grouped["attribution"].sum() == pytest.approx(table["attribution"].sum())
    assert grouped["features"].sum() == len(table)
    assert grouped["attribution"].abs().is_monotonic_decreasing
