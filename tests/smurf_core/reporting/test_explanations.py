import pytest

from smurf_core.evaluation.metrics import METRICS
from smurf_core.evaluation.verdicts import RELIABILITY
from smurf_core.reporting.explanations import explain, explained_terms


@pytest.mark.parametrize("metric", [name for metrics in METRICS.values() for name in metrics])
def test_every_metric_is_explained(metric):
    assert len(explain(metric)) > 40


def test_explanations_are_short_sentences_and_equations_are_code():
    for term in explained_terms():
        text = explain(term)
        assert text.count("`") in (0, 2), term
        assert text[-1] in ".)`", term
        assert len(text) < 600, term


def test_several_terms_follow_each_other():
    assert explain("r", "ccc") == f"{explain('r')}\n\n---\n\n{explain('ccc')}"


def test_a_term_that_is_not_there_is_an_error():
    with pytest.raises(KeyError):
        explain("nothing of the kind")


def test_the_help_on_verdicts_has_the_thresholds_that_are_used():
    """It said 0.7 after the threshold had become 0.75."""
    assert f"reliability ≥ {RELIABILITY:g}," in explain("verdict")
    assert f"From {RELIABILITY:g}, and" in explain("reliability")
