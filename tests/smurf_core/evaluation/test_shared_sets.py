"""Evaluations of contributions that three modalities share, and of sets that data select."""

from dataclasses import replace

import numpy as np
import pytest

from smurf_core.contributions import Contributions
from smurf_core.evaluation.complete import tables_of_run
from smurf_core.evaluation.judgments import unique_pairs
from smurf_core.evaluation.missing import recovered_predictions, remaining_terms
from smurf_core.evaluation.redundancy import pair_table, variance_shares
from smurf_core.evaluation.stability import stability
from smurf_core.evaluation.two_runs import term_agreement
from smurf_core.evaluation.typical import typical_samples
from smurf_core.evaluation.verification import factor_matrix, recovery
from smurf_core.explained import explained
from smurf_core.statistics.folds import centred_within
from smurf_core.terms import Term
from tests.shared_sets import SIZES, exclusive_run
from tests.smurf_core.evaluation.conftest import explain

A, B, C = ("A",), ("B",), ("C",)
TRIPLE = tuple(Term(source, (A, B, C)) for source in (A, B, C))


def of_triple(said) -> Contributions:
    """Contributions [n, 3] of a set of three alone, beside unique ones that are zero."""
    said = np.asarray(said, dtype=np.float32)
    n = len(said)
    values = np.concatenate([np.zeros((n, 3)), said], axis=1)[:, :, None].astype(np.float32)
    return Contributions(
        values=values,
        terms=(*(Term.unique(s) for s in (A, B, C)), *TRIPLE),
        baseline=np.zeros((n, 1), dtype=np.float32),
        modalities=("A", "B", "C"),
        outputs=("y",),
        sample_ids=np.array([f"s{i}" for i in range(n)]),
        folds=np.zeros(n, dtype=np.int64),
    )


def test_a_set_of_three_is_typical_where_all_agree_and_unexpected_by_its_extremes():
    found = of_triple([[2, 1.5, 1], [2, 1.5, -1], [0.5, 2, 0.4], [-1, -1, -1]])
    unit = found.prediction()[:, 0].std()
    shown = explain(found)
    alike = typical_samples(shown, "redundant").set_index("sample_id")
    # All of one sign, the smallest at least half of the largest: the smallest is the score.
    assert alike["score"].to_dict() == pytest.approx({"s0": 1 / unit, "s3": 1 / unit})
    apart = typical_samples(shown, "unexpected").set_index("sample_id")
    assert apart["score"].to_dict() == pytest.approx({"s1": 3 / unit, "s2": 1.6 / unit})
    first, second = apart.loc["s1"], apart.loc["s2"]
    assert [first["modality"], first["shared_with"]] == ["A", "B&C"]
    assert [first["other_modality"], first["other"]] == ["C", -1]
    assert [second["modality"], second["other_modality"]] == ["B", "C"]


def test_pair_table_has_a_row_per_two_members_of_a_set():
    random = np.random.default_rng(0)
    found = of_triple(random.normal(size=(40, 3)))
    table = pair_table(found)
    assert table["sharers"].tolist() == ["A&B&C"] * 3
    assert table["size"].tolist() == [3] * 3
    said = found.values[:, 3:, 0]
    wanted = [np.corrcoef(said[:, i], said[:, j])[0, 1] for i, j in ((0, 1), (0, 2), (1, 2))]
    assert table["r"].to_numpy() == pytest.approx(wanted, abs=1e-6)
    assert table["left_first"].isna().all()  # The unique contributions do not vary.


@pytest.mark.parametrize("family", SIZES)
def test_every_table_of_a_solved_run_is_made(family):
    result, dataset = exclusive_run(family)
    tables = tables_of_run(result, explained(result, dataset), count=5)
    assert tables["sharing"].equals(result.sharing)
    terms = tables["verdicts"][["modality", "shared_with"]]
    assert list(terms.itertuples(index=False, name=None)) == [
        names[1:] for names in result.contributions().term_names()
    ]
    assert ("recovery" in tables) == (family != "noise")  # There the target has no factors.


def test_all_members_of_a_set_must_agree_to_be_separated():
    result, _ = exclusive_run("pair_and_triple")
    found = stability(result).set_index(["modality", "shared_with"])["verdict"]
    assert (found == "stable").all()
    at = result.contributions().position(TRIPLE[2])
    folds = []
    for fold in result.fold_results:
        values = fold.member.values.copy()
        values[:, at] *= -1  # C says the opposite of what A and B say.
        member = replace(fold.member, values=values)
        folds.append(replace(fold, members=(member,)))
    broken = stability(replace(result, fold_results=tuple(folds)))
    broken = broken.set_index(["modality", "shared_with"])["verdict"]
    triple = [("A", "B&C"), ("B", "A&C"), ("C", "A&B")]
    assert broken[triple].tolist() == ["not separated"] * 3
    assert (broken.drop(triple) == "stable").all()


def test_what_a_member_of_three_says_remains_without_the_others():
    result, _ = exclusive_run("pair_and_triple")
    found = result.contributions()
    remaining = remaining_terms(found, ("A", "C"))
    names = [names[1:] for names, kept in zip(found.term_names(), remaining, strict=True) if kept]
    assert names == [("A", "A"), ("A", "B"), ("A", "B&C"), ("C", "C"), ("C", "A&B")]
    # Against ordinary least squares on the same terms.
    one, training = result.fold_contributions(0), result.folds.training[0]
    x = np.column_stack([np.ones(len(one)), one.values[:, remaining, 0]]).astype(np.float64)
    y = one.prediction()[:, 0].astype(np.float64)
    weights, *_ = np.linalg.lstsq(x[training], y[training], rcond=None)
    recovered = recovered_predictions(one, ("A", "C"), training)[:, 0]
    assert recovered == pytest.approx(x @ weights, abs=1e-5)


def test_an_absent_modality_contributes_nothing_to_any_set():
    result, dataset = exclusive_run("pair_and_triple")
    features = {name: f.values.copy() for name, f in dataset.features.items()}
    features["C"][:10] = np.nan
    found = result.fold_results[0].model.contributions(features)
    assert not found.values[:10][:, found.where(lambda term: term.source == C)].any()
    assert found.values[:10][:, found.position(TRIPLE[0])].all()


def test_what_is_unique_to_a_group_contains_what_is_shared_within_it():
    result, dataset = exclusive_run("pair_and_triple")
    rating = np.zeros(len(dataset), dtype=np.float32)
    judged = replace(dataset, judgments={frozenset("C"): rating, frozenset("AB"): rating})
    found = explained(result, judged)
    values = found.contributions.values[:, :, 0].astype(np.float64)
    names = [names[1:] for names in found.contributions.term_names()]
    c, ab = unique_pairs(found)  # single modalities come first
    inside = [names.index(n) for n in (("A", "A"), ("A", "B"), ("B", "B"), ("B", "A"))]
    assert ab.learned == pytest.approx(values[:, inside].sum(axis=1))
    assert c.learned == pytest.approx(values[:, names.index(("C", "C"))])
    four = judged.features | {"D": judged.features["C"]}  # All of A, B and C, shown D alone.
    group = replace(judged, features=four, judgments={frozenset("D"): rating})
    (everything,) = unique_pairs(explained(result, group))
    assert everything.learned == pytest.approx(values.sum(axis=1))


def test_factors_of_any_set_are_compared_with_what_each_member_sees():
    result, dataset = exclusive_run("pair_and_triple")
    found = explained(result, dataset)
    table = recovery(found).set_index(["modality", "shared_with"])
    assert table["factor"].to_dict() == {
        ("A", "A"): "u_A", ("A", "B"): "r_AB|A", ("A", "B&C"): "r_ABC|A",
        ("B", "B"): "u_B", ("B", "A"): "r_AB|B", ("B", "A&C"): "r_ABC|B",
        ("C", "C"): "u_C", ("C", "A&B"): "r_ABC|C",
    }  # fmt: skip
    contributions = found.contributions
    terms = centred_within(contributions.values.astype(float), contributions.folds)
    truth, at = dataset.factors["r_ABC|C"], contributions.position(TRIPLE[2])
    wanted = [
        np.corrcoef(truth[contributions.folds == f], terms[contributions.folds == f, at, 0])[0, 1]
        for f in range(5)
    ]
    assert table.loc[("C", "A&B"), "r"] == pytest.approx(np.mean(wanted), abs=1e-6)
    assert table["r"].min() > 0.8
    assert len(factor_matrix(found)) == len(dataset.factors) * len(contributions.terms)


def test_what_is_shared_with_a_hidden_modality_belongs_to_those_that_are_visible():
    result, dataset = exclusive_run("pair_and_triple")
    found = result.contributions()
    seen = found.where(lambda term: term.sharers in ((A,), (B,), (A, B)))
    visible = replace(
        found,
        values=found.values[:, seen],
        terms=tuple(term for term, kept in zip(found.terms, seen, strict=True) if kept),
        modalities=("A", "B"),
    )
    features = {name: dataset.features[name] for name in "AB"}
    data = replace(dataset, features=features, factors=dict(dataset.factors))
    table = recovery(explained(visible, data)).set_index(["modality", "shared_with"])
    assert table.loc[("A", "B"), "factor"] == "r_AB|A + r_ABC|A"


def test_two_runs_are_compared_on_the_terms_that_both_have():
    first = exclusive_run("pair_and_triple")[0].contributions()
    kept = [t for t, term in enumerate(first.terms) if len(term.sharers) < 3]
    terms = tuple(first.terms[t] for t in kept)
    table = term_agreement(first, replace(first, values=first.values[:, kept], terms=terms))
    assert [*zip(table["modality"], table["shared_with"], strict=True)] == [
        ("A", "A"), ("A", "B"), ("B", "B"), ("B", "A"), ("C", "C"),
    ]  # fmt: skip
    assert variance_shares(first)["share"].sum() == pytest.approx(1)
