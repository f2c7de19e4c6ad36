"""Samples with the most alike pattern of contributions."""

import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity, euclidean_distances

from smurf_core.errors import InputError
from smurf_core.evaluation.neighbours import similar_samples
from tests.smurf_core.by_hand import square_contributions


def contributions(n=40, outputs=1):
    random = np.random.default_rng(3)
    values = random.normal(size=(n, 3, 3, outputs)) * random.uniform(0.1, 9, size=(1, 3, 3, 1))
    values[:, 0, 1] = 0  # a term without spread
    return square_contributions(
        values=values.astype(np.float32),
        baseline=np.zeros((n, outputs), dtype=np.float32),
        modalities=("A", "B", "C"),
        outputs=tuple(f"y{c}" for c in range(outputs)),
        sample_ids=np.array([f"s{i}" for i in range(n)]),
        folds=np.zeros(n, dtype=int),
    )


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("measure", ["cosine", "euclidean"])
def test_neighbours_are_those_that_another_library_finds(measure, outputs):
    found = contributions(outputs=outputs)
    terms = found.values.astype(float)
    if outputs > 1:
        terms -= terms.mean(axis=2, keepdims=True)
    terms = terms.reshape(40, -1)
    terms = terms / np.where(terms.std(axis=0) > 0, terms.std(axis=0), 1)
    compare = cosine_similarity if measure == "cosine" else euclidean_distances
    score = compare(terms)[7]
    order = np.argsort(-score if measure == "cosine" else score, kind="stable")
    order = order[order != 7][:5]
    table = similar_samples(found, "s7", measure=measure, count=5)
    assert table["sample_id"].tolist() == [f"s{i}" for i in order]
    np.testing.assert_allclose(table.iloc[:, 1], score[order], atol=1e-9)


def test_a_sample_is_no_neighbour_of_its_own_and_must_exist():
    assert len(similar_samples(contributions(6), "s2", count=50)) == 5
    with pytest.raises(InputError, match="no contributions"):
        similar_samples(contributions(), "s99")
