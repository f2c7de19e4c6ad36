"""What a page's controls show is part of its address: a copied one shows the same."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.runs import store
from tests.studio import trained

# Page, what leads to the control, its kind, its key, its name in the address, what is chosen.
CONTROLS = [
    ("study", {}, None, "study_tab", "tab", "Upload"),
    ("data", {}, "selectbox", "features_of_{study}", "modality", "B"),
    ("judgments", {}, "selectbox", "judgments_colour", "colour", "group"),
    ("redundancy", {"tab": "By group"}, "button_group", "redundancy_shown", "shown",
     "Share of variance"),
    ("samples", {"tab": "Details"}, "button_group", "alike_by", "alike", "euclidean"),
    ("compare", {"tab": "Sample by sample"}, "button_group", "compare_shown", "shown", "Errors"),
    ("compare", {"tab": "Sample by sample"}, "selectbox", "compare_colour", "colour", "group"),
    ("compare", {"tab": "Learning curves"}, "button_group", "curves_of", "curves", "Search"),
]  # fmt: skip


@pytest.fixture
def study(home):
    """Two models of a study with persons, groups and judgments."""
    data = synthetic_additive(samples=80)
    columns = pd.DataFrame({"group": np.repeat(["f", "m"], 40)}, index=data.sample_ids)
    judgments = {frozenset(shown): data.target + 0.5 for shown in ("AB", "C")}
    people = np.repeat([f"p{i}" for i in range(16)], 5)
    data = replace(data, persons=people, samples=columns, judgments=judgments)
    return trained(home, data, "late_fusion", "smurf")


@pytest.mark.parametrize(("name", "query", "kind", "key", "said", "value"), CONTROLS)
def test_a_control_is_in_the_address_and_an_address_sets_it(
    open_page, study, name, query, kind, key, said, value
):
    key = key.format(study=study)
    if kind is not None:
        page = open_page(name, study=study, **query)
        assert said not in page.query_params
        getattr(page, kind)(key=key).set_value(value).run()
        assert page.query_params[said] == value
    copied = open_page(name, study=study, **query, **{said: value})
    assert copied.session_state[key] == value
    assert copied.query_params[said] == value
    unknown = open_page(name, study=study, **query, **{said: "no such thing"})
    assert unknown.session_state[key] not in (value, "no such thing")
    assert not unknown.exception


def test_the_columns_of_a_report_are_in_the_address(open_page, home, study):
    newest, first = store.list_runs(home, study)
    page = open_page("report", study=study)
    page.multiselect(key=f"reported_{newest.id}").set_value([newest.id]).run()
    assert page.query_params["runs"] == newest.id
    copied = open_page("report", study=study, run=newest.id, runs=first.id)
    assert copied.session_state[f"reported_{newest.id}"] == [first.id]


def test_the_runs_of_a_trade_off_are_in_the_address(open_page, home, study):
    query = {"study": study, "tab": "What factorising costs"}
    page = open_page("compare", **query)
    (chosen,) = [m for m in page.multiselect if str(m.key).startswith("swept_")]
    assert len(chosen.value) == 1  # Late fusion has no λ.
    chosen.set_value([]).run()
    assert page.query_params["swept"] == ""
    copied = open_page("compare", **query, swept="")
    assert copied.session_state[str(chosen.key)] == []


def test_the_class_of_the_true_factors_is_in_the_address(open_page, home):
    study = trained(home, synthetic_additive(samples=80, task="classification"), "smurf")
    (run,) = store.list_runs(home, study)
    key = f"verify_class_{run.id}"
    page = open_page("verify", study=study)
    other = page.selectbox(key=key).options[1]
    page.selectbox(key=key).set_value(other).run()
    assert page.query_params["class"] == other
    assert open_page("verify", study=study, **{"class": other}).session_state[key] == other
