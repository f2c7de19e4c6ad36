"""Findings ask only for what they need: of a large study, each evaluation takes seconds."""

import numpy as np
import pytest

from smurf_core.evaluation.redundancy import share_intervals
from smurf_core.evaluation.verdicts import verdicts
from smurf_core.explained import explained
from smurf_core.reporting.evidence import evidence_of
from smurf_core.reporting.key_findings import key_findings
from smurf_core.reporting.statements import account
from tests.smurf_core.evaluation.conftest import make_dataset, make_result

N = 200


def never():
    raise AssertionError("This was not asked for.")


def run_of(size):
    """Contributions of three modalities that predict a target, or noise where `size` is 0."""
    random = np.random.default_rng(0)
    values = random.normal(size=(N, 3, 3, 1)).astype(np.float32)
    data = make_dataset(size * values.sum(axis=(1, 2, 3)) + random.normal(size=N))
    result = make_result(data, lambda _: (values, np.zeros(1, np.float32)))
    return result, explained(result, data)


def test_where_there_is_nothing_to_explain_nothing_else_is_computed():
    result, shown = run_of(0)
    (only,) = key_findings(account(result, shown), never)
    assert only.name == "nothing"


def test_a_finding_is_there_before_what_the_next_ones_need():
    result, shown = run_of(1)
    intervals, table = share_intervals(shown), verdicts(result, shown)
    found = key_findings(
        account(result, shown),
        lambda: evidence_of(result, shown, intervals, table, witness=never),
    )
    names = [next(found).name, next(found).name]
    assert names == ["prediction", "leader"]
    with pytest.raises(AssertionError, match="not asked for"):
        list(found)


def test_what_is_kept_already_is_taken():
    result, shown = run_of(1)
    intervals, table = share_intervals(shown), verdicts(result, shown)
    known = evidence_of(result, shown, intervals, table)
    kept = evidence_of(result, shown, intervals, table, witness=known.witness)
    said = account(result, shown)
    assert list(key_findings(said, lambda: kept)) == list(key_findings(said, lambda: known))
