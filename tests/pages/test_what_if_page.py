"""What if: only what reads the changed modality moves."""

import numpy as np
import pytest

from smurf_core.data.generated.synthetic import synthetic_additive, synthetic_interactions
from smurf_core.runs import store, studies
from tests.studio import result_of, text, trained, with_a_far_sample


def key(elements, start: str):
    return next(e for e in elements if e.key and e.key.startswith(start))


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_only_the_changed_modalitys_parts_move(open_page, trained_home, task):
    study = next(s for s in studies.list_studies(trained_home) if s.task == task)
    page = open_page("what_if", study=study.id, sample="s12")
    assert (page.table[0].value["Change"] == "").all()
    slider = page.slider[0]
    slider.set_value(slider.min if slider.value > (slider.min + slider.max) / 2 else slider.max)
    page.run()
    assert not page.exception
    moved = page.table[0].value["Change"]
    assert (moved[moved.index.str.startswith(("B", "C"))] == "").all()
    assert (moved[["A alone", "A, shared with B", "A, shared with C", "Prediction"]] != "").any()
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
    page = open_page("what_if", sample=data.sample_ids[sample])
    assert not [each for each in page.warning if "lies far" in each.value]
    page.session_state["change_way"] = "Take another sample's"
    page.run()
    key(page.text_input, "donor_").set_value("s33").run()
    (warning,) = (each for each in page.warning if "lies far" in each.value)
    assert warning.value.startswith("The changed sample lies far from the training data")


def test_interactions_that_read_the_changed_modality_move_too(open_page, home):
    trained(home, synthetic_interactions(samples=80), "mro_smurf")
    page = open_page("what_if")
    page.session_state["change_way"] = "Take another sample's"
    page.run()
    moved = page.table[0].value["Change"]
    moved = moved[moved != ""].index
    assert {part.split(",")[0].removesuffix(" alone") for part in moved} == {
        "A", "A+B", "A+C", "A+B+C", "Prediction",
    }  # fmt: skip
