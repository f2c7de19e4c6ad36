"""Bent relations: followed where validation samples show them, and nothing changes elsewhere."""

from dataclasses import replace

import numpy as np
import pytest

from smurf_core.configuration import RunConfig
from smurf_core.data.generated.families import FAMILIES, simulate
from smurf_core.data.generated.family import Family
from smurf_core.evaluation.verdicts import verdicts
from smurf_core.exclusive import bent
from smurf_core.exclusive.bent import Functions, extended
from smurf_core.exclusive.sources import moments, rotated
from smurf_core.experiments.verdicts import recoveries
from smurf_core.explained import explained
from smurf_core.fitted import FittedModel, Layer
from smurf_core.training.run import train_run

CONFIG = RunConfig.from_preset("quick", "exclusive", refits=20, clip=5.0, device="cpu")
# As `bent_absolute`, with fewer features.
ABSOLUTE = replace(FAMILIES["bent_absolute"], features=8)


@pytest.fixture(scope="module")
def followed():
    dataset = simulate(ABSOLUTE, samples=700, seed=0)
    return dataset, train_run(dataset, CONFIG)


def never(monkeypatch):
    monkeypatch.setattr(bent, "ERRORS", np.inf)


def always(monkeypatch):
    for name in ("GAIN", "ERRORS", "ERRORS_AFTER"):
        monkeypatch.setattr(bent, name, -1.0)


def judged(dataset, result):
    found = explained(result, dataset)
    table = verdicts(result, found)
    table["recovery"] = recoveries(found.contributions, dataset)
    return table


def test_nothing_that_is_called_reliable_on_a_bent_study_is_wrong(followed):
    dataset, result = followed
    table = judged(dataset, result)
    assert {t.others for t in result.contributions().terms} > {()}
    there = set(result.sharing["sharers"][result.sharing["is_there"]])
    assert there == {"A+C", "B+C"}
    good = table[table["verdict"] == "reliable"]
    assert len(good) >= 4
    assert good["recovery"].min() >= 0.8


def test_a_run_that_follows_does_not_call_its_inputs_features_alone(followed):
    _, result = followed
    for fold in result.fold_results:
        # C sees |g| of what it shares with A and with B: they can say it by functions.
        shown = fold.member.solved_setting()
        assert shown.startswith("features, bent functions of A and B, ridge ")


def test_without_functions_the_verdict_says_that_lines_are_not_enough(followed, monkeypatch):
    never(monkeypatch)
    dataset, _ = followed
    result = train_run(dataset, CONFIG)
    assert not result.fold_results[0].model.reads_features
    table = judged(dataset, result)
    # C says |g|, and A knows it: r with what is unique to C is 0.5, and refits agree on it.
    wrong = table[table["recovery"] < 0.8]
    assert len(wrong) > 0
    assert (wrong["reliability"] > 0.9).all()
    assert set(wrong["verdict"]) <= {"known to others", "bent"}
    cube = simulate(replace(FAMILIES["bent"], features=20), samples=700, seed=0)
    table = judged(cube, train_run(cube, CONFIG))
    of_c = table[(table["modality"] == "C") & (table["kind"] == "redundant")]
    assert (of_c["verdict"] == "bent").all()


@pytest.mark.parametrize("name", ["pairs", "triple", "noise", "three_classes"])
def test_a_study_without_bent_relations_is_left_as_it_is(name, monkeypatch):
    dataset = simulate(name, samples=300, seed=3)
    config = replace(CONFIG, refits=0)
    result = train_run(dataset, config)
    assert not result.fold_results[0].model.reads_features
    never(monkeypatch)
    alone = train_run(dataset, config)
    np.testing.assert_array_equal(result.contributions().values, alone.contributions().values)
    assert not result.fold_results[0].candidates["hidden_layers"].str.contains("bent").any()


def test_units_say_nothing_of_noise():
    random = np.random.default_rng(0)
    clear = 0
    for _ in range(20):
        x, aims = random.standard_normal((300, 8)), random.standard_t(4, (300, 5))
        part = random.permutation(300) % 5
        found = bent.bends(x, aims + x[:, :5], x[:, :1], part, None)
        clear += int((found.gain > 0).sum())
    assert clear == 0


def test_lines_that_miss_other_persons_are_no_sign_of_a_bend():
    """Units that miss them by less gained R² of 5 on VREED: they were wrong as well."""
    random = np.random.default_rng(2)
    persons = np.repeat(np.arange(12), 10)
    clear = 0
    for _ in range(100):
        x = np.clip(random.standard_t(1.5, (120, 24)), -5, 5)
        x += 2 * random.standard_normal((12, 24))[persons]
        aims = random.standard_normal((12, 3))[persons] + 0.5 * random.standard_normal((120, 3))
        found = bent.bends(x, aims, aims[:, :1], persons % 3, persons)
        clear += int((found.gain > 0).sum())
    assert clear <= 2  # of 300


def test_signs_that_decompositions_leave_open_change_no_function(monkeypatch):
    """They depend on rounding, and the functions of VREED's runs did."""
    random = np.random.default_rng(0)
    x = random.standard_normal((200, 6))
    aims = np.stack([np.abs(x[:, 0] + x[:, 1]) + x[:, 2], x[:, 3] - x[:, 4] ** 2], axis=1)
    training = np.arange(200) < 150

    def mixed():
        fit = bent._fitted(x, aims, aims[:, :1], training, ~training, refined=True)
        return np.maximum(x @ fit.weight.T + fit.bias, 0) @ fit.mixing[: len(fit.bias)]

    before, found = mixed(), bent._leading
    monkeypatch.setattr(bent, "_leading", lambda *given: -found(*given))
    turning = bent._turning
    monkeypatch.setattr(bent, "_turning", lambda *given: -turning(*given))
    np.testing.assert_allclose(mixed(), before, atol=1e-9)


def test_units_find_what_lines_cannot():
    random = np.random.default_rng(0)
    x = random.standard_normal((600, 6))
    aims = np.stack([np.abs(x[:, 0] + x[:, 1]), x[:, 2]], axis=1)
    found = bent.bends(x, aims, aims[:, :1], random.permutation(600) % 5, None)
    assert found.gain[0] > 0.7  # of a relation without noise
    assert found.gain[1] == 0
    assert found.helps[0]


def test_persons_count_once():
    random = np.random.default_rng(0)
    x = np.repeat(random.standard_normal((12, 2)), 50, axis=0)
    aims = np.abs(x[:, :1])
    persons = np.repeat(np.arange(12), 50).astype(str)
    part = np.repeat(np.arange(12) % 4, 50)
    # 12 persons are too few to say so, and 600 samples of theirs are not more.
    as_persons = bent.bends(x, aims, aims, part, persons)
    gains = {
        "persons": as_persons.gain[0],
        "samples": bent.bends(x, aims, aims, part, None).gain[0],
    }
    assert gains["persons"] <= gains["samples"]


def test_each_folds_model_gives_the_runs_contributions(followed, tmp_path):
    dataset, result = followed
    found = result.contributions()
    values = {name: features.values for name, features in dataset.features.items()}
    for k, fold in enumerate(result.fold_results):
        model = fold.model
        assert model.reads_features
        assert model.towers["A",][0].weight.shape[0] > 1
        rows = np.flatnonzero(found.folds == k)
        everything = model.contributions(values)
        np.testing.assert_array_equal(everything.values[rows], found.values[rows])
        means = everything.values[result.folds.training[k]].astype(float).mean(axis=0)
        np.testing.assert_allclose(means, 0, atol=5e-6)
        model.save(tmp_path / "model.safetensors")
        again = FittedModel.load(tmp_path / "model.safetensors")
        np.testing.assert_array_equal(again.contributions(values).values, everything.values)


def test_equal_seeds_give_equal_numbers(followed):
    dataset, result = followed
    again = train_run(dataset, CONFIG)
    np.testing.assert_array_equal(again.contributions().values, result.contributions().values)


def test_functions_serve_classes_and_absent_modalities(monkeypatch):
    always(monkeypatch)
    dataset = simulate(
        Family("", 2, {"A": 1.0, "B": 1.0, "AB": 1.0}, classes=(0.5, 0.3, 0.2)), samples=300
    )
    features = dict(dataset.features)
    gaps = features["B"].values.copy()
    gaps[::7] = np.nan
    features["B"] = replace(features["B"], values=gaps)
    dataset = replace(dataset, features=features)
    result = train_run(dataset, replace(CONFIG, refits=5))
    found = result.contributions()
    of_b = [t for t, term in enumerate(found.terms) if term.source == ("B",)]
    assert (found.values[::7][:, of_b] == 0).all()
    assert np.isfinite(found.values).all()
    assert np.isfinite(result.refits.spread).all()


def small(random, width, functions, beyond):
    layer = Layer(
        random.standard_normal((5, width)).astype(np.float32), np.zeros(5, dtype=np.float32)
    )
    return Functions(
        layer,
        random.standard_normal((5 + width, functions)),
        random.standard_normal((5 + width, beyond)),
    )


def test_what_is_known_counts_for_exclusion_and_only_there():
    random = np.random.default_rng(0)
    inputs = {name: random.standard_normal((80, d)) for name, d in (("A", 3), ("B", 4))}
    inputs["B"][:, 0] += np.abs(inputs["A"][:, 0])
    everyone, present = np.ones(80, dtype=bool), np.ones((80, 2), dtype=bool)
    source = rotated(inputs, present, everyone)
    functions = [small(random, 3, 1, 2), None]
    more = extended(source, inputs, functions, everyone)
    assert more.widths == (4, 4)
    # By hand: canonical correlations of B's inputs with all that A knows, functions included.
    x = inputs["A"].astype(np.float32)
    read = np.concatenate([np.maximum(x @ functions[0].layer.weight.T, 0), x], axis=1)
    read = (read - read.mean(axis=0)).astype(float)
    known = np.concatenate(
        [x - x.mean(axis=0), read @ functions[0].mixing, read @ functions[0].beyond], axis=1
    )
    b = inputs["B"] - inputs["B"].mean(axis=0)
    theta = random.standard_normal(4)
    said = b @ theta
    left, right = np.linalg.qr(b)[0], np.linalg.qr(known)[0]
    turned, r, _ = np.linalg.svd(left.T @ right)
    parts = (left @ turned[:, : len(r)]).T @ said
    q = known.shape[1]
    wanted = (parts**2 * np.maximum(r**2 - q / 80, 0)).sum() / (1 - q / 80) / 80
    weights = np.linalg.lstsq(more.values["B"], said, rcond=None)[0]
    form = moments(more, np.ones((1, 80))).derivable[1, 0][0]
    assert weights @ form @ weights == pytest.approx(wanted, rel=1e-4)
    # Some rows, and bases that refer to units and features.
    np.testing.assert_allclose(more.values["A"], read @ more.bases["A"], atol=1e-5)
    assert more.rows(np.arange(10)).beyond["A"].shape == (10, 2)
