"""A run solved again at once: against folds that never had the samples."""

from dataclasses import replace

import numpy as np
import pytest

from smurf_core.configuration import RunConfig
from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.errors import InputError
from smurf_core.evaluation.gate import gate
from smurf_core.evaluation.redundancy import share_intervals, variance_shares
from smurf_core.evaluation.verdicts import verdicts
from smurf_core.exclusive.fold import FoldProblem
from smurf_core.exclusive.problem import Weighing
from smurf_core.exclusive.solved_again import solvable_run
from smurf_core.explained import explained
from smurf_core.reporting.again_sentences import (
    again_sentences,
    solved_again_title,
    with_shares_again,
)
from smurf_core.reporting.shares import output_shares
from smurf_core.training.run import train_run

CONFIG = RunConfig.from_preset("quick", "exclusive", device="cpu", refits=20)


@pytest.fixture(scope="module", params=["regression", "classification"])
def solved(request):
    data = synthetic_additive(samples=150, task=request.param)
    data = replace(data, persons=np.repeat([f"p{i:02}" for i in range(15)], 10))
    result = train_run(data, CONFIG)
    return data, result, solvable_run(result, data)


def test_where_nothing_changes_contributions_are_the_runs(solved):
    _, result, ready = solved
    again = ready.again()
    own = result.contributions()  # Classes are solved by steps, from the run's solution on.
    np.testing.assert_allclose(again.values, own.values, atol=5e-6)
    np.testing.assert_allclose(again.baseline, own.baseline, atol=5e-6)


@pytest.mark.parametrize("weight", [None, 2.0])
def test_samples_that_are_left_out_train_nothing_and_are_not_explained(solved, weight):
    data, result, ready = solved
    left_out = np.isin(data.persons, ["p03", "p07"])
    again = ready.again(left_out, weight)
    own = result.contributions()
    is_kept = dict(zip(data.sample_ids.tolist(), ~left_out, strict=True))
    assert again.sample_ids.tolist() == [n for n in own.sample_ids.tolist() if is_kept[n]]
    for fold in ready.folds:  # Solved with a training mask in place of weights.
        problem: FoldProblem = replace(fold.problem, training=fold.problem.training & ~left_out)
        lam = Weighing(fold.weight if weight is None else weight)
        plain = problem.solve(fold.sets, fold.ridge, lam)
        samples = ready.tested[fold.rows]
        kept = ~left_out[samples]
        rows = np.isin(again.sample_ids, own.sample_ids[fold.rows])
        moved = plain.contributions(problem.source) - fold.base.contributions(problem.source)
        for t, term in enumerate(fold.terms):
            expected = own.values[fold.rows, own.terms.index(term)]
            expected = expected + moved[samples, t] * fold.target_sd
            found = again.values[rows, again.terms.index(term)]
            np.testing.assert_allclose(found, expected[kept], atol=2e-5)


def test_another_weight_changes_every_fold(solved):
    _, result, ready = solved
    changed = np.abs(ready.again(weight=10.0).values - result.contributions().values)
    for k in range(len(result.folds)):
        assert changed[result.contributions().folds == k].max() > 1e-3


def test_what_cannot_be_solved_again_is_refused(solved):
    data, _, ready = solved
    with pytest.raises(InputError, match="would keep less than half of its training samples"):
        ready.again(np.isin(data.persons, [f"p{i:02}" for i in range(9)]))
    with pytest.raises(InputError, match="λ must be a number of 0 or more"):
        ready.again(weight=-1.0)
    trained = RunConfig.from_preset("quick", "late_fusion", device="cpu", max_epochs=2)
    with pytest.raises(InputError, match="is trained and not solved"):
        solvable_run(train_run(data, trained), data)


def sentences_of(data, result, again, left_out):
    shown = explained(result, data)
    output = "all" if data.task == "classification" else data.outputs[0]
    shares = output_shares(
        result, shown, share_intervals(shown, result.refits), verdicts(result, shown), output=output
    )
    terms, totals = with_shares_again(shares.terms, shares.totals, variance_shares(again), output)
    title = solved_again_title(left_out, 10 * len(left_out), None)
    after = gate(explained(again, data))
    return again_sentences(title, terms, gate(shown), after), terms, totals


def test_sentences_name_only_what_leaves_its_interval(solved):
    data, result, ready = solved
    said, terms, totals = sentences_of(
        data, result, ready.again(np.isin(data.persons, ["p03"])), ["p03"]
    )
    assert said[0].startswith("Solved again without p03 (10 samples): ")
    both = totals[totals["kind"] == "both"]
    assert both.loc[both["order"] == 0, "share_without"].isna().all()
    assert float(both["share_without"].sum()) == pytest.approx(1, abs=1e-6)
    assert len(said) == 2
    outside = terms["share_without"].sub(terms["share"]).abs() > 1
    far = again_sentences(
        "λ 3 in every fold", terms.assign(share_without=5.0), *gates(data, result)
    )
    assert not outside.any()
    good = terms["verdict"].eq("reliable")
    assert ("Outside of its interval of the run: " in far[1]) == good.any()
    if good.any():
        assert "500%" in far[1]


def gates(data, result):
    found = gate(explained(result, data))
    return found, found


def test_if_nothing_is_predicted_any_more_only_this_is_said(solved):
    data, result, ready = solved
    again = ready.again()
    noise = np.random.default_rng(0).permutation(len(again.values))
    said, _, _ = sentences_of(data, result, replace(again, values=again.values[noise]), ["p03"])
    assert len(said) == 1
    assert "There is nothing to explain" in said[0]
