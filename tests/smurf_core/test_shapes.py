"""How a feature moves contributions: curves, their intervals, and what may be said of them."""

from dataclasses import replace

import numpy as np
import pytest

from smurf_core.configuration import RunConfig
from smurf_core.data.generated.families import FAMILIES, simulate
from smurf_core.errors import InputError
from smurf_core.exclusive.redone import refitted_folds
from smurf_core.refits import TEMPER, WIDENING, critical
from smurf_core.reporting.shape_sentences import moved_sentence, shape_sentence
from smurf_core.shapes import feature_rises, shape_table, shapes
from smurf_core.training.run import train_run
from tests.smurf_core.trained import small_run

CONFIG = RunConfig.from_preset("quick", "exclusive", refits=10, clip=5.0, device="cpu")
DEEP = replace(
    CONFIG, preset="custom", max_epochs=15,
    grid=replace(CONFIG.grid, hidden_layers=((10,),), auxiliary_weights=(1.0,)),
)  # fmt: skip
CLASSES = replace(FAMILIES["three_classes"], modalities=2, weights={"A": 1, "B": 1, "AB": 1})


@pytest.fixture(scope="module", params=["lines", "classes", "hidden layers", "bent"])
def solved(request):
    """A run that is solved, its data with persons, and its refits."""
    family = {"classes": CLASSES, "bent": "bent_absolute"}.get(request.param, "pairs")
    data = simulate(family, samples=200, seed=0)
    data = replace(data, persons=np.array([f"p{i % 25}" for i in range(200)]), folds=None)
    result = train_run(data, DEEP if request.param == "hidden layers" else CONFIG)
    return result, data, refitted_folds(result, data, draws=10)


def plain_curve(result, data, term, feature, values, output):
    """Every tested sample, one by one value, by the model of its fold."""
    (modality,) = term.source
    tested_by = result.folds.tested_by()
    total = np.zeros(len(values))
    for k, fold in enumerate(result.fold_results):
        rows = tested_by == k
        for g, value in enumerate(values):
            features = {name: f.values[rows].copy() for name, f in data.features.items()}
            features[modality][:, data.features[modality].names.index(feature)] = value
            found = fold.model.contributions(features)
            total[g] += found.identified_terms()[:, found.position(term), output].sum()
    return total / (tested_by >= 0).sum()


def test_a_curve_is_the_mean_of_samples_that_are_moved_one_value_at_a_time(solved):
    result, data, _ = solved
    feature = data.features["A"].names[1]
    output = len(result.outputs) - 1
    for shape in shapes(result, data, "A", feature, output=output):
        plain = plain_curve(result, data, shape.term, feature, shape.values, output)
        np.testing.assert_allclose(shape.curve, plain, atol=2e-5)
        assert shape.rise == pytest.approx(plain[-1] - plain[0], abs=4e-5)
        assert not shape.has_interval
        assert (shape.moved, shape.samples) == (200, 200)
        low, high = np.quantile(data.features["A"].values[:, 1], [0.05, 0.95])
        assert shape.values[[0, -1]] == pytest.approx([low, high], rel=1e-6)


def test_refits_made_again_are_those_of_the_training(solved):
    """The spread of each sample's contributions, which the run stores, comes out again."""
    result, data, refitted = solved
    found = result.contributions()
    member = result.fold_results[0].member
    follows = member.model.reads_features and not member.configuration.hidden_layers
    for k, fold in enumerate(result.fold_results):
        rows = found.folds == k
        inputs = fold.model.inputs({n: f.values for n, f in data.features.items()})
        for term in found.terms:
            (name,) = term.source
            units = fold.model.last_hidden((name,), inputs).astype(np.float64)[rows]
            said = refitted[k].values(name, units, term)
            # Functions that follow bent relations are taken from the weights of outputs.
            if follows:
                assert np.corrcoef(said.T, found.of(term)[rows].T)[0, 1] > 0.95
            else:
                np.testing.assert_allclose(said, found.of(term)[rows], atol=1e-4)
            drawn = refitted[k].deviations(name, units, term)
            shrunk = refitted[k].shrunk(name, units, term)
            if len(result.outputs) > 1:
                drawn = drawn - drawn.mean(axis=-1, keepdims=True)
                shrunk = shrunk - shrunk.mean(axis=-1, keepdims=True)
            spread = WIDENING * np.sqrt(drawn.var(axis=0, ddof=1) / TEMPER**2 + shrunk**2)
            stored = result.refits.spread[rows, found.position(term)]
            if follows:
                assert np.median(spread / stored) == pytest.approx(1, abs=0.1)
            else:
                np.testing.assert_allclose(spread, stored, rtol=1e-3, atol=1e-5)


def test_the_band_is_the_spread_of_curves_that_are_refitted_one_by_one(solved):
    result, data, refitted = solved
    feature, tested_by = data.features["A"].names[0], result.folds.tested_by()
    shape = shapes(result, data, "A", feature, refitted=refitted)[0]
    lines, bias = np.zeros((10, len(shape.values))), np.zeros(len(shape.values))
    for k, fold in enumerate(result.fold_results):
        rows = tested_by == k
        for g, value in enumerate(shape.values):
            features = {name: f.values[rows].copy() for name, f in data.features.items()}
            features["A"][:, 0] = value
            units = fold.model.last_hidden(("A",), fold.model.inputs(features)).astype(float)
            drawn = refitted[k].deviations("A", units, shape.term)
            shrunk = refitted[k].shrunk("A", units, shape.term)
            if len(result.outputs) > 1:
                drawn = drawn - drawn.mean(axis=-1, keepdims=True)
                shrunk = shrunk - shrunk.mean(axis=-1, keepdims=True)
            lines[:, g] += drawn[..., 0].sum(axis=1) / 200
            bias[g] += shrunk[:, 0].sum() / 200
    spread = WIDENING * np.sqrt(lines.var(axis=0, ddof=1) / TEMPER**2 + bias**2)
    np.testing.assert_allclose(shape.half_width, critical(25) * spread, rtol=1e-3)
    assert shape.rise_half_width_of_all > shape.rise_half_width > 0
    table = shape_table([shape])
    np.testing.assert_allclose(table["ci_high"] - table["ci_low"], 2 * shape.half_width)


def test_features_are_ordered_by_how_far_they_move_a_contribution(solved):
    result, data, _ = solved
    table = feature_rises(result, data, "A")
    rises = []
    for feature in table["feature"]:
        found = [shape.rise for shape in shapes(result, data, "A", feature)]
        rises.append(max(np.abs(found)))
    # The order is computed from 100 samples.
    assert np.corrcoef(table["rise"].abs(), rises)[0, 1] > 0.95
    assert table["rise"].abs().is_monotonic_decreasing


def test_what_is_said_follows_the_interval_and_the_verdict(solved):
    result, data, refitted = solved
    first = str(feature_rises(result, data, "A")["feature"][0])
    shape = shapes(result, data, "A", first, refitted=refitted)[0]
    clear = replace(shape, rise=1.0, rise_half_width=0.2, rise_half_width_of_all=0.3)
    said = shape_sentence(clear, "reliable")
    assert said.startswith(f"A alone rises by 1.00 [0.80, 1.20] as {first} goes from ")
    assert "falls" in shape_sentence(replace(clear, rise=-1.0), "reliable")
    unclear = replace(clear, rise_half_width_of_all=1.1)
    assert "cannot be said" in shape_sentence(unclear, "reliable")
    assert shape_sentence(clear, "bent") == (
        "A alone: no curve, because the verdict on this contribution is “bent”."
    )
    nothing = replace(clear, rise_half_width=np.nan)
    assert "has no refits" in shape_sentence(nothing, "stable")
    assert "all 200 samples" in moved_sentence((shape,))
    assert "120 of 200" in moved_sentence((replace(shape, moved=120),))


def test_on_a_target_of_noise_no_feature_is_clear():
    clear, looked = 0, 0
    for seed in range(3):
        data = simulate("pairs", samples=200, seed=seed)
        noise = np.random.default_rng(seed).standard_normal(200).astype(np.float32)
        data = replace(data, target=noise, factors={})
        result = train_run(data, CONFIG)
        refitted = refitted_folds(result, data)
        for modality in data.modalities:
            for feature in data.features[modality].names:
                found = shapes(result, data, modality, feature, refitted=refitted)
                looked += len(found)
                clear += sum(shape.is_clear for shape in found)
    assert looked > 40
    assert clear <= 0.05 * looked


def test_features_within_persons_are_moved_on_each_persons_own_scale():
    result, data = small_run("smurf", standardisation="within_person", absent=True)
    feature = data.features["B"].names[0]
    (shape, *_) = shapes(result, data, "B", feature)
    tested_by, there = result.folds.tested_by(), data.features["B"].present
    total, value = 0.0, shape.values[3]
    for row in np.flatnonzero(there & (tested_by >= 0)):
        person = data.persons == data.persons[row]
        own = data.features["B"].values[person & there].astype(np.float64)
        moved = data.features["B"].values[row].astype(np.float64)
        moved[0] = value
        model = result.fold_results[tested_by[row]].model
        scaled = model.scaler.scaled("B", ((moved - own.mean(axis=0)) / own.std(axis=0))[None])
        raw = model.raw(("B",), {"B": scaled.astype(np.float32)})[0]
        mine = [term for term in model.terms if term.source == ("B",)]
        total += raw[mine.index(shape.term)] * model.scaler.target_sd
    assert shape.curve[3] == pytest.approx(total / shape.samples, abs=1e-4)
    assert shape.samples == there.sum()


def test_what_has_no_curve_is_refused():
    result, data = small_run("smurf")
    feature = data.features["A"].names[0]
    with pytest.raises(InputError, match="No modality 'D'"):
        shapes(result, data, "D", feature)
    with pytest.raises(InputError, match="'A' has no feature 'x'"):
        shapes(result, data, "A", "x")
    with pytest.raises(InputError, match="has no refits"):
        refitted_folds(result, data)
    values = data.features["A"].values.copy()
    values[:, 0] = 1
    same = replace(
        data, features={**data.features, "A": replace(data.features["A"], values=values)}
    )
    with pytest.raises(InputError, match="hardly varies"):
        shapes(result, same, "A", feature)
