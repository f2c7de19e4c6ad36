"""What may be said of a run: the gate, the verdicts, and sentences on data that says nothing."""

from dataclasses import replace

import numpy as np
import pytest

from smurf_core.configuration import Grid, RunConfig
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.data.folds import with_made_folds
from smurf_core.data.generated.families import simulate
from smurf_core.evaluation import verdicts as verdict_module
from smurf_core.evaluation.gate import gate
from smurf_core.evaluation.verdicts import verdicts
from smurf_core.explained import explained
from smurf_core.reporting.findings import find, report_tables
from smurf_core.reporting.model_card import model_card
from smurf_core.reporting.statements import statements
from smurf_core.statistics.interval_of_means import interval_of_means
from smurf_core.training.run import train_run

CLAIMS = ("carries", "of its variance", "is unique to one of them")
SMALL = Grid((0.01,), ((4,),), (0.0,), (0.25,))


def trained(data: MultimodalDataset, kind: str, **changes):
    settings = {"refits": 40, **changes}
    if kind != "exclusive":
        settings |= {"grid": SMALL, "max_epochs": 40, "restarts": 2}
    return train_run(data, RunConfig.from_preset("quick", kind, **settings))


def shuffled_within_persons() -> MultimodalDataset:
    """Classes of 26 persons, each person's own in random order."""
    data = simulate("unequal_classes", samples=312)
    random = np.random.default_rng(0)
    persons = np.array([f"p{k % 26:02d}" for k in range(312)])
    target = data.target.copy()
    for person in np.unique(persons):
        target[persons == person] = random.permutation(target[persons == person])
    data = replace(data, persons=persons, folds=None, target=target)
    return with_made_folds(data, count=5, seed=0)


@pytest.mark.parametrize("kind", ["exclusive", "smurf_normalised"])
def test_nothing_is_claimed_of_shuffled_labels(kind):
    data = shuffled_within_persons()
    result = trained(data, kind)
    found = explained(result, data)
    assert not gate(found).is_open
    assert (verdicts(result, found)["verdict"] == "nothing to explain").all()
    said = statements(result, found)
    assert said[0].startswith("There is nothing to explain: on held-out samples, balanced accuracy")
    everything = find({"run": result}, {"run": "Run"}, data, reference="run")
    card = model_card("run", result, data, everything)
    texts = [*said, *everything.sentences, card]
    assert not [text for text in texts for claim in CLAIMS if claim in text]
    names = {table.name for table in report_tables(everything, data)}
    assert "table_2_performance" in names
    assert not [name for name in names if "shares" in name or "examples" in name]


@pytest.mark.parametrize("kind", ["exclusive", "late_fusion"])
def test_eleven_clips_are_too_few(kind):
    data = simulate("two", samples=11, folds=3)
    result = trained(data, kind, fold_count=3)
    said = statements(result, explained(result, data))
    assert said[0].startswith(
        "There are too few held-out samples to explain anything: 11, at least"
    )
    assert not [text for text in said for claim in CLAIMS if claim in text]


def test_a_target_of_noise_opens_the_gate_in_about_one_of_forty_studies():
    random = np.random.default_rng(1)
    data = simulate("noise", samples=200)
    found = explained(trained(data, "exclusive", refits=0), data)
    opened = 0
    for _ in range(400):
        target = random.standard_normal(200).astype(np.float32)
        opened += gate(replace(found, target=target)).is_open
    assert 2 <= opened <= 20  # 2.5% of 400 are 10


def test_signal_opens_it_and_contributions_are_reliable(monkeypatch):
    data = simulate("pair_and_triple", samples=300)
    result = trained(data, "exclusive")
    found = explained(result, data)
    opened = gate(found)
    assert opened.is_open
    assert 0.7 < opened.ci_low < opened.value < opened.ci_high < 0.9
    table = verdicts(result, found)
    assert (table["verdict"] == "reliable").all()
    assert table["known_to_others"].max() < 0.1
    assert table.loc[table["kind"] == "redundant", "agreement"].min() > 0.8
    # Of many samples, a part says the same.
    monkeypatch.setattr(verdict_module, "_MOST", 200)
    drawn = verdicts(result, found)
    assert (drawn["known_to_others"] != table["known_to_others"]).any()
    np.testing.assert_allclose(drawn["known_to_others"], table["known_to_others"], atol=0.1)
    assert drawn["verdict"].tolist() == table["verdict"].tolist()


def test_each_verdict_has_its_reason():
    data = simulate("pair_and_triple", samples=300)
    result = trained(data, "exclusive")
    found = explained(result, data)
    contributions = found.contributions
    at = next(t for t, term in enumerate(contributions.terms) if len(term.sharers) == 2)

    def asked(values, reliability=None):
        changed = replace(found, contributions=replace(contributions, values=values))
        refits = result.refits
        if reliability is not None:
            refits = replace(refits, reliability=reliability)
        return verdicts(replace(result, refits=refits), changed)["verdict"][at]

    values = contributions.values
    assert asked(values) == "reliable"
    small = values.copy()
    small[:, at] *= 0.01
    assert asked(small) == "too small"
    assert asked(values, np.full(len(contributions.terms), 0.5)) == "too uncertain"
    other = values.copy()
    other[:, at] = np.random.default_rng(0).permutation(other[:, at])
    assert asked(other) == "sides disagree"
    known = values.copy()
    outsider = data.features["C"].values[data.positions(contributions.sample_ids), 0]
    for t, term in enumerate(contributions.terms):
        if term.sharers == contributions.terms[at].sharers:
            known[:, t, 0] = 0.5 * (outsider - outsider.mean())
    assert asked(known) == "known to others"


def test_an_interval_of_means_has_the_coverage_it_claims():
    random = np.random.default_rng(0)
    inside = 0
    for _ in range(400):
        persons = np.repeat(np.arange(20), 10)
        groups = random.integers(3, size=200)
        chance = random.uniform(0.3, 0.9, 20)[persons]
        low, high = interval_of_means((random.random(200) < chance).astype(float), groups, persons)
        inside += low <= 0.6 <= high
    assert 0.9 <= inside / 400 <= 0.98
