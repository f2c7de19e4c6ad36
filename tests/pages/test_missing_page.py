"""Missing modalities: switches and Table 5."""

import numpy as np
import pytest

from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.evaluation.gate import gate
from smurf_core.evaluation.missing import subset_predictions
from smurf_core.evaluation.modality_losses import modality_losses
from smurf_core.explained import explained
from smurf_core.reporting.loss_sentences import loss_sentences
from smurf_core.reporting.numbers import plain
from smurf_core.runs import studies
from tests.studio import facts, figure, numbers, opened_tab, plain_text, result_of


def _switch(page, name, value):
    key = next(toggle.key for toggle in page.toggle if toggle.key.startswith(f"has_{name}"))
    page.toggle(key=key).set_value(value).run()
    assert not page.exception


def test_the_modality_that_is_missed_most_is_off_first_and_the_sentence_is_the_tables(
    open_page, home, grouped
):
    page = open_page("missing", study=grouped.study_id)
    result = result_of(home, grouped)
    shown = explained(result, studies.load_study(home, grouped.study_id))
    losses, opened = modality_losses(subset_predictions(result), shown), gate(shown)
    assert opened.is_open
    (said, *others) = loss_sentences(losses, opened)
    assert said in plain_text(page)
    assert all(sentence in plain_text(page) for sentence in others)
    bars = figure(page, "losses")["data"][0]
    np.testing.assert_allclose(numbers(bars["x"]), losses["without"])
    first = losses["modality"].iloc[0]
    off = [t.key for t in page.toggle if t.key.startswith("has_") and not t.value]
    assert off == [f"has_{first}_{grouped.study_id}"]
    # The score of the switches, of the bars, and of Overview is one.
    without, full = losses.loc[0, ["without", "full"]]
    assert facts(page)["Pearson's r"] == f"{plain(without)} (all {plain(full)})"
    assert f"r is {plain(full, 2)} [" in plain_text(open_page("overview", study=grouped.study_id))


def test_switching_all_modalities_off_leaves_a_sentence(open_page, trained_home):
    page = open_page("missing")
    before = plain_text(page)
    for name in "ABC":
        _switch(page, name, value=False)
    assert plain_text(page) != before
    assert "At least one modality" in plain_text(page)


@pytest.mark.parametrize("reconstructed", [True, False])
def test_a_switch_shows_the_metric_the_sample_and_who_suffers(
    open_page, home, grouped, reconstructed
):
    page = open_page("missing", study=grouped.study_id)
    page.session_state["sample"] = "s07"
    for name in "ABC":
        page.toggle(key=f"has_{name}_{grouped.study_id}").set_value(name != "B")
    page.toggle(key="reconstructed").set_value(reconstructed).run()
    assert not page.exception
    result = result_of(home, grouped)
    predictions = subset_predictions(result)
    remaining = predictions.of(("A", "C"), reconstructed=reconstructed)[:, 0]
    # The study's target is what was trained on: synthetic data of the same seed.
    target = synthetic_additive(samples=80).target
    mae = np.abs(remaining - target).mean()
    assert facts(page)["Mean absolute error"].startswith(f"{mae:.3f} (all ")
    at = list(result.sample_ids).index("s07")
    shown = f"{remaining[at]:.3f} (all {predictions.full[at, 0]:.3f})".replace("-", "−")
    assert facts(page)["Prediction"] == shown
    listed = next(t.value for t in page.dataframe if "worse" in t.value)
    assert (
        listed["sample_id"].iloc[0]
        == result.sample_ids[np.abs(remaining - predictions.full[:, 0]).argmax()]
    )
    drawn = figure(page, "missing_scatter")["data"][0]
    np.testing.assert_allclose(numbers(drawn["y"]), remaining, rtol=1e-6)


def test_every_finished_run_stands_in_table_5(open_page, trained_home):
    page = open_page("missing")
    opened_tab(page, "missing_tab", "Every subset")
    wide = next(t.value for t in page.dataframe if "Available" in t.value)
    assert wide["Available"].tolist() == ["A", "B", "C", "A+B", "A+C", "B+C", "A+B+C"]
    assert len(wide.columns) == 3  # Late fusion and SMURF.
    opened_tab(page, "missing_tab", "Sensors that fail")
    curve = next(t.value for t in page.dataframe if "draws" in t.value)
    assert len(curve) == 3 * 11
