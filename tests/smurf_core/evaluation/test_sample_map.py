import numpy as np
import pytest
from sklearn.decomposition import PCA

from smurf_core.errors import InputError
from smurf_core.evaluation.redundancy import centred_terms
from smurf_core.evaluation.sample_map import sample_map
from smurf_core.explained import explained
from smurf_core.reporting.shape_sentences import axis_title, map_sentence, no_map
from tests.smurf_core.trained import small_run


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_the_map_is_that_of_an_independent_principal_component_analysis(task):
    result, data = small_run("smurf", task)
    shown = explained(result, data)
    used = shown.contributions.terms[:5]
    found = sample_map(shown, used)
    values = centred_terms(shown.contributions)[:, :5].reshape(len(shown), -1)
    plain = PCA(2, svd_solver="full").fit(values)
    np.testing.assert_allclose(found.shares, plain.explained_variance_ratio_, rtol=1e-6)
    np.testing.assert_allclose(np.abs(found.positions), np.abs(plain.transform(values)), atol=1e-6)
    for k, name in enumerate(("first", "second")):
        weights = found.loadings[name].to_numpy()
        np.testing.assert_allclose(np.abs(weights), np.abs(plain.components_[k]), atol=1e-6)
        assert weights[np.abs(weights).argmax()] > 0
        largest = found.loadings.iloc[np.abs(weights).argmax()]
        title = axis_title(found, k)
        assert title.startswith(f"{found.shares[k]:.0%} of variance: {largest['contribution']}")
        assert ("class_" in title) == (task == "classification")
    assert "of the 5 contributions" in map_sentence(found)


def test_a_map_of_one_contribution_is_refused_and_said():
    result, data = small_run("smurf")
    shown = explained(result, data)
    with pytest.raises(InputError, match="at least 2 contributions"):
        sample_map(shown, shown.contributions.terms[:1])
    assert "only one has" in no_map(1)
    assert "none has" in no_map(0)
    assert no_map(2) == ""
