import numpy as np
import pytest

from smurf_core.errors import InputError
from smurf_core.evaluation.typical import typical_samples
from tests.smurf_core.evaluation.conftest import make_dataset, make_result


@pytest.fixture
def contributions():
    n = 40
    random = np.random.default_rng(0)
    data = make_dataset(random.normal(size=n), modalities=2)
    values = random.normal(scale=0.01, size=(n, 2, 2, 1)).astype(np.float32)
    values[3, 0, 0] = -5  # A alone
    values[5, 0, 1], values[5, 1, 0] = 3, 2.5  # both say the same
    values[7, 0, 1], values[7, 1, 0] = 4, -4  # opposite
    values[9, 1, 0] = 2  # one side only
    return make_result(data, lambda _: (values, np.zeros(1, np.float32))).contributions()


def test_each_list_starts_with_the_sample_that_was_made_for_it(contributions):
    unique = typical_samples(contributions, "unique").iloc[0]
    assert (unique["sample_id"], unique["modality"]) == ("s0003", "A")
    assert unique["contribution"] == pytest.approx(-5)
    redundant = typical_samples(contributions, "redundant").iloc[0]
    assert (redundant["sample_id"], redundant["contribution"], redundant["other"]) == (
        "s0005", 3, 2.5,
    )  # fmt: skip
    unexpected = typical_samples(contributions, "unexpected")
    assert unexpected["sample_id"].tolist()[:2] == ["s0007", "s0009"]
    assert "s0005" not in set(unexpected["sample_id"])


def test_scores_fall_and_end_where_nothing_is_found(contributions):
    for finding in ("unique", "redundant", "unexpected"):
        table = typical_samples(contributions, finding, count=15)
        assert table["score"].is_monotonic_decreasing
        assert (table["score"] > 0).all()
        assert len(table) <= 15


def test_unknown_outputs_are_reported(contributions):
    with pytest.raises(InputError, match="No output 'joy'"):
        typical_samples(contributions, "unique", output="joy")
