"""What if: only what reads the changed modality moves."""

import numpy as np
import pytest

from smurf_core.data.generated.synthetic import synthetic_additive, synthetic_interactions
from smurf_core.reporting.numbers import signed
from smurf_core.runs import store, studies
from smurf_core.what_if import suggested_change
from tests.studio import plain_text, result_of, text, trained, with_a_far_sample


def change(page):
    """The control that chooses the modality."""
    return next(g for g in page.get("button_group") if (g.key or "").startswith("change_")
                and g.key != "change_way")  # fmt: skip


def key(elements, start: str):
    return next(e for e in elements if e.key and e.key.startswith(start))


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_only_the_changed_modalitys_parts_move(open_page, trained_home, task):
    study = next(s for s in studies.list_studies(trained_home) if s.task == task)
    page = open_page("samples", tab="What if", study=study.id, sample="s12")
    # It opens with the change that moves the prediction most.
    run = store.list_runs(trained_home, study.id)[0]
    result, data = result_of(trained_home, run), studies.load_study(trained_home, study.id)
    own = result.contributions().select(np.array([12]))
    output = int(own.prediction()[0].argmax())
    best = suggested_change(result, data, "s12", output=output)
    moved = page.table[0].value["Change"]
    assert moved["Prediction"] == signed(best.moved)
    assert f"by {signed(best.moved)}." in plain_text(page)
    others = tuple(name for name in "ABC" if name != best.modality)
    assert (moved[moved.index.str.startswith(others)] == "").all()
    for slider in page.slider:  # back to what was recorded
        recorded = float(slider.label.split("recorded ")[1][:-1].replace("−", "-"))
        slider.set_value(min(max(recorded, slider.min), slider.max))
    page.run()
    assert not page.exception
    change(page).set_value("A").run()
    page.session_state["change_way"] = "Take another sample's"
    page.run()
    donor = key(page.text_input, "donor_")
    donor.set_value("s33").run()
    assert not page.exception
    moved = page.table[0].value["Change"]
    assert (moved[moved.index.str.startswith(("B", "C"))] == "").all()
    assert moved["A alone"] != ""
    key(page.text_input, "donor_").set_value("nobody").run()
    assert "There is no sample" in text(page)


def test_a_changed_sample_far_from_the_training_data_is_marked(open_page, home):
    data = synthetic_additive(samples=80)
    trained(home, with_a_far_sample(data), "smurf")
    result = result_of(home, store.list_runs(home)[0])
    # Where the model was trained on s33, it is part of what is usual.
    tested_by = result.folds.tested_by()
    sample = next(i for i in np.flatnonzero(tested_by == tested_by[33]) if i != 33)
    page = open_page("samples", tab="What if", sample=data.sample_ids[sample])
    assert not [each for each in page.warning if "lies far" in each.value]
    page.session_state["change_way"] = "Take another sample's"
    page.run()
    key(page.text_input, "donor_").set_value("s33").run()
    (warning,) = (each for each in page.warning if "lies far" in each.value)
    assert warning.value.startswith("The changed sample lies far from the training data")


def test_interactions_that_read_the_changed_modality_move_too(open_page, home):
    trained(home, synthetic_interactions(samples=80), "mro_smurf")
    page = open_page("samples", tab="What if")
    page.session_state["change_way"] = "Take another sample's"
    page.run()
    change(page).set_value("A").run()
    moved = page.table[0].value["Change"]
    moved = moved[moved != ""].index
    assert {part.split(",")[0].removesuffix(" alone") for part in moved} == {
        "A", "A+B", "A+C", "A+B+C", "Prediction",
    }  # fmt: skip
