"""What one account of a run allows: made by hand, without any training."""

from dataclasses import replace

import numpy as np
import pytest

from smurf_core.evaluation.judgments import human_agreement, with_verdicts
from smurf_core.evaluation.redundancy import share_intervals
from smurf_core.evaluation.stability import stability
from smurf_core.evaluation.typical import typical_samples
from smurf_core.evaluation.verdicts import good_terms, unique_verdict, verdicts
from smurf_core.explained import explained
from smurf_core.reporting.statements import account, gate_of, leader_of
from smurf_core.reporting.two_runs import side_by_side
from smurf_core.terms import Term
from tests.smurf_core.evaluation.conftest import make_dataset, make_result

N = 200


def parts() -> np.ndarray:
    """Contributions [n, i, j, 1]: A alone is large; A and B share something at unequal sizes."""
    values = np.random.default_rng(0).normal(size=(N, 3, 3, 1)).astype(np.float32)
    values[:, 0, 0] *= 9
    values[:, 1, 0] = values[:, 0, 1]
    values[:, 0, 1] *= 5
    values[:, 2, 0] = values[:, 0, 2]
    return values


@pytest.fixture(scope="module")
def studied():
    """Data whose target is nearly the sum of these parts, and two runs: of them, and of noise."""
    values = parts()
    noise = np.random.default_rng(1).normal(size=(N, 3, 3, 1)).astype(np.float32)
    target = values.sum(axis=(1, 2, 3)) + np.random.default_rng(2).normal(size=N)
    data = make_dataset(target)
    baseline = np.zeros(1, np.float32)
    good, bad = (make_result(data, lambda _, v=v: (v, baseline)) for v in (values, noise))
    return data, good, bad


def accounted(result, data):
    found = explained(result, data)
    return account(result, found), found.contributions


def test_runs_without_refits_have_verdicts_of_folds_and_of_sizes(studied):
    data, good, _ = studied
    table = verdicts(good, explained(good, data)).set_index(["modality", "shared_with"])
    assert table["reliability"].isna().all()
    before = stability(good).set_index(["modality", "shared_with"])["verdict"]
    # r of the two sides is 1, so the folds' verdict is good. Concordance: 2 · 5 / (25 + 1) = 0.38.
    assert before["A", "B"] == "stable"
    assert table.loc[("A", "B"), "agreement"] == pytest.approx(10 / 26, abs=0.01)
    assert table.loc[("A", "B"), "verdict"] == "not separated"
    assert table.loc[("A", "C"), "verdict"] == before["A", "C"]
    sentences = " ".join(account(good, explained(good, data)).sentences)
    assert "odels of other persons" not in sentences
    assert "A, shared with B" in sentences.partition("Do not rely on")[2]


def test_only_findings_are_listed_as_typical_and_judged(studied):
    data, good, bad = studied
    found = explained(good, data)
    table = verdicts(good, found)
    findings = good_terms(table, found.contributions)
    assert Term.unique(("A",)) in findings
    assert not [term for term in findings if {("A",), ("B",)} == set(term.sharers)]
    listed = typical_samples(found, "redundant", count=900, terms=findings)
    everything = typical_samples(found, "redundant", count=900)
    assert {"A", "B"} <= set(everything["modality"]) | set(everything["shared_with"])
    assert "B" not in set(listed["modality"]) | set(listed["shared_with"])
    assert unique_verdict(table, found.contributions, ("A",)) == "stable"
    assert unique_verdict(table, found.contributions, ("A", "B")) == "not separated"
    assert good_terms(verdicts(bad, explained(bad, data)), found.contributions) == frozenset()


def test_two_runs_are_compared_as_far_as_both_predict(studied):
    data, good, bad = studied
    both = side_by_side(accounted(good, data), accounted(good, data))
    assert both.sentences == ()
    assert both.agreement["r"].to_numpy() == pytest.approx(np.ones(len(both.agreement)))
    one = side_by_side(accounted(good, data), accounted(bad, data))
    assert len(one.sentences) == 1
    assert one.sentences[0].startswith("Run B: There is nothing to explain")
    assert one.agreement["first_share"].sum() == pytest.approx(1)
    assert one.agreement[["second_share", "r"]].isna().all(axis=None)
    assert set(one.agreement["second_verdict"]) == {""}
    neither = side_by_side(accounted(bad, data), accounted(bad, data))
    assert len(neither.sentences) == 2
    assert neither.agreement.empty


def test_a_part_of_a_run_that_predicts_nothing_is_closed_even_if_it_is_predicted(studied):
    data, _, bad = studied
    found = explained(bad, data)
    x, y = found.contributions.prediction()[:, 0], found.target
    lucky = found.select((x - x.mean()) * (y - y.mean()) > 0)
    assert len(lucky) > 60
    assert not gate_of(bad, lucky).is_open
    assert account(bad, lucky).shares is None
    assert account(bad, lucky).sentences[0].startswith("There is nothing to explain")


def test_a_leader_whose_contributions_are_no_findings_is_not_named_to_other_runs(studied):
    data, good, bad = studied
    found = explained(good, data)
    intervals, table = share_intervals(found), verdicts(good, found)
    assert leader_of(good, found, intervals, table).name == "A"
    doubtful = table.assign(verdict="unstable")
    assert leader_of(good, found, intervals, doubtful) is None
    assert leader_of(bad, explained(bad, data)) is None
    said = " ".join(
        account(
            good, found, intervals=intervals, verdict_table=doubtful,
            others={"SMURF": leader_of(good, found, intervals, table)},
        ).sentences
    )  # fmt: skip
    assert "otherwise" not in said


def test_judgments_have_the_verdict_on_the_learned_contribution(studied):
    data, good, _ = studied
    rating = np.random.default_rng(4).normal(size=N).astype(np.float32)
    judged = replace(data, judgments={frozenset("BC"): rating, frozenset("C"): rating})
    found = explained(good, judged)
    table = with_verdicts(human_agreement(found), found, verdicts(good, found))
    assert table.set_index("modality")["verdict"].to_dict() == {
        "A": "stable", "A+B": "not separated",
    }  # fmt: skip
