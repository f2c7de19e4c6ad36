"""A late-fusion model that was trained elsewhere, explained from its outputs of each modality."""

from dataclasses import replace

import numpy as np
import pytest

from smurf_core.configuration import RunConfig
from smurf_core.data.dataset import Features, MultimodalDataset
from smurf_core.data.storage import read_dataset, write_dataset
from smurf_core.errors import InputError
from smurf_core.evaluation.fidelity import fidelity
from smurf_core.explained import explained
from smurf_core.reporting.statements import statements
from smurf_core.training.run import train_run

MODALITIES = ("audio", "face", "text")
# Factor → the modalities that see it.
SEEN_BY = {"a": (0,), "f": (1,), "t": (2,), "af": (0, 1), "all": (0, 1, 2)}


def given_model(classes: int, n: int = 500, seed: int = 0) -> tuple[MultimodalDataset, dict]:
    """A study with the outputs of a linear late-fusion model, and the factors behind them."""
    random = np.random.default_rng(seed)
    count = max(classes, 1)
    factors = {name: random.normal(size=(n, count)) for name in SEEN_BY}
    features, outputs = {}, []
    for i, modality in enumerate(MODALITIES):
        mine = [name for name, seen in SEEN_BY.items() if i in seen]
        seen = np.concatenate([factors[name] for name in mine], axis=1)
        values = seen @ random.normal(size=(seen.shape[1], 12)) + 0.3 * random.normal(size=(n, 12))
        wanted = sum(factors[name] / len(SEEN_BY[name]) for name in mine)
        output = values @ np.linalg.lstsq(values, wanted, rcond=None)[0]
        outputs.append(output)
        names = (*(f"{modality}_{k}" for k in range(12)), *(f"out_{k}" for k in range(count)))
        joined = np.concatenate([values, output], axis=1).astype(np.float32)
        features[modality] = Features(joined, names)
    total = sum(outputs)
    if classes:
        target = (total + random.gumbel(size=total.shape)).argmax(axis=1).astype(np.int64)
    else:
        target = (total[:, 0] + random.normal(size=n)).astype(np.float32)
    dataset = MultimodalDataset(
        name="given",
        task="classification" if classes else "regression",
        features=features,
        sample_ids=np.arange(n).astype(np.str_),
        target=target,
        target_name="rating",
        class_names=("calm", "sad", "tense")[:classes],
        persons=(np.arange(n) // 20).astype(np.str_),
        given_outputs={m: tuple(f"out_{k}" for k in range(count)) for m in MODALITIES},
    )
    return dataset, factors


CONFIG = RunConfig.from_preset("quick", "explained", clip=None, refits=20)


@pytest.fixture(scope="module", params=[0, 3], ids=["regression", "classes"])
def solved(request):
    dataset, factors = given_model(request.param)
    return dataset, factors, train_run(dataset, CONFIG)


def test_contributions_add_up_to_the_given_predictions(solved):
    dataset, _, result = solved
    followed = fidelity(explained(result, dataset))
    assert followed.r_squared > 0.999


def test_each_modality_keeps_its_own_output(solved):
    dataset, _, result = solved
    contributions = result.contributions()
    outputs = dataset.output_values()
    for i, modality in enumerate(MODALITIES):
        mine = [k for k, term in enumerate(contributions.terms) if term.source == (modality,)]
        found = contributions.values[:, mine].sum(axis=1)
        for fold in np.unique(contributions.folds):
            rows = contributions.folds == fold
            left = (found - outputs[:, i])[rows]
            # They differ by a constant per fold: contributions are centred.
            assert np.std(left, axis=0).max() < 0.02 * outputs[:, i].std()


def test_only_the_sets_that_share_are_kept_and_factors_are_recovered(solved):
    _, factors, result = solved
    there = result.sharing.loc[result.sharing["is_there"], "sharers"].tolist()
    assert there == ["audio+face", "audio+face+text"]
    contributions = result.contributions()
    for k, term in enumerate(contributions.terms):
        name = {1: term.source[0][0], 2: "af", 3: "all"}[len(term.sharers)]
        r = np.corrcoef(contributions.values[:, k].ravel(), factors[name].ravel())[0, 1]
        assert r > 0.85, (term, r)


def test_the_sentences_say_how_closely_the_model_is_followed(solved):
    dataset, _, result = solved
    found = statements(result, explained(result, dataset))
    assert any("add up to the predictions of the given model: R² = 1.000" in s for s in found)


def test_nothing_is_said_about_a_model_that_is_not_followed(solved):
    dataset, _, result = solved
    random = np.random.default_rng(1)
    other = {
        name: replace(f, values=random.normal(size=f.values.shape).astype(np.float32))
        for name, f in dataset.features.items()
    }
    found = statements(result, explained(result, replace(dataset, features=other)))
    assert len(found) == 1
    assert "do not add up" in found[0]


def test_a_study_with_outputs_is_stored_with_them(tmp_path):
    dataset, _ = given_model(3, n=30)
    write_dataset(dataset, tmp_path / "study")
    assert read_dataset(tmp_path / "study").given_outputs == dataset.given_outputs
    assert dataset.fingerprint != replace(dataset, given_outputs={}).fingerprint


def test_outputs_are_never_features_of_another_kind():
    dataset, _ = given_model(0, n=120)
    with pytest.raises(InputError, match="contains the outputs of a given model"):
        train_run(dataset, RunConfig.from_preset("quick", "late_fusion"))
    with pytest.raises(InputError, match="has no outputs of a given model"):
        train_run(replace(dataset, given_outputs={}), CONFIG)
    with pytest.raises(InputError, match="leave out the principal components"):
        train_run(dataset, replace(CONFIG, components=3))


def test_every_modality_needs_its_outputs():
    dataset, _ = given_model(3, n=30)
    with pytest.raises(InputError, match="needed for every modality"):
        replace(dataset, given_outputs={"audio": dataset.given_outputs["audio"]})
    with pytest.raises(InputError, match=r"'audio' has 1 outputs .* where 3 are needed"):
        replace(dataset, given_outputs={**dataset.given_outputs, "audio": ("out_0",)})
