"""Missing modalities: switches and Table 5."""

import numpy as np
import pytest

from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.evaluation.missing import subset_predictions
from tests.studio import facts, figure, numbers, plain_text, result_of


def test_switching_a_modality_off_changes_the_scores(open_page, trained_home):
    page = open_page("missing")
    before = plain_text(page)
    page.toggle(key=next(t.key for t in page.toggle if t.key.startswith("has_A"))).set_value(
        False
    ).run()
    assert not page.exception
    assert plain_text(page) != before
    for toggle in ("has_B", "has_C"):
        page.toggle(key=next(t.key for t in page.toggle if t.key.startswith(toggle))).set_value(
            False
        ).run()
    assert "At least one modality" in plain_text(page)


@pytest.mark.parametrize("reconstructed", [True, False])
def test_a_switch_shows_the_metric_the_sample_and_who_suffers(
    open_page, home, grouped, reconstructed
):
    page = open_page("missing", study=grouped.study_id)
    page.session_state["sample"] = "s07"
    page.toggle(key=f"has_B_{grouped.study_id}").set_value(False)
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
    wide = next(t.value for t in page.dataframe if "Available" in t.value)
    assert wide["Available"].tolist() == ["A", "B", "C", "A+B", "A+C", "B+C", "A+B+C"]
    assert len(wide.columns) == 3  # Late fusion and SMURF.
    curve = next(t.value for t in page.dataframe if "draws" in t.value)
    assert len(curve) == 3 * 11
