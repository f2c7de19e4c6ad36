"""Overview: shares, of all samples and of a slice, and a pinned run beside them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.evaluation.redundancy import variance_shares
from smurf_core.explained import explained
from smurf_core.reporting.statements import statements
from smurf_core.runs import slices, store
from smurf_core.runs.studies import load_study
from tests.studio import facts, figure, numbers, plain_text, result_of, trained


@pytest.fixture
def grouped(home):
    """A study whose people come in two groups, with a SMURF run; its run."""
    data = synthetic_additive(samples=80)
    sex = pd.DataFrame({"sex": np.repeat(["f", "m"], 40)}, index=data.sample_ids)
    people = np.repeat([f"p{i}" for i in range(16)], 5)
    trained(home, replace(data, persons=people, samples=sex), "smurf")
    return store.list_runs(home)[0]


def test_the_overview_draws_the_shares_and_says_them(open_page, home, grouped):
    page = open_page("overview", study=grouped.study_id)
    shares = variance_shares(result_of(home, grouped).contributions())
    bars = figure(page, "shares")["data"][0]
    np.testing.assert_allclose(np.sort(numbers(bars["x"])), np.sort(shares["share"]), rtol=1e-9)
    result = result_of(home, grouped)
    found = explained(result, load_study(home, grouped.study_id))
    for sentence in statements(result, found):
        assert sentence in plain_text(page)
    assert "intervals over 16 persons" in plain_text(page)


def test_the_overview_of_a_slice_is_of_its_samples_alone(open_page, home, grouped):
    ids = [f"s{i:02d}" for i in range(50)]
    kept = slices.add_slice(home, grouped.study_id, "some", ids, origin="a table")
    page = open_page("overview", study=grouped.study_id, slice=kept)
    found = result_of(home, grouped).contributions()
    mine = variance_shares(found.select(np.isin(found.sample_ids, ids)))
    bars = figure(page, "shares")["data"][0]
    np.testing.assert_allclose(np.sort(numbers(bars["x"])), np.sort(mine["share"]), rtol=1e-9)
    assert facts(page)["Samples"] == "50"


def test_a_pinned_run_is_shown_next_to_the_next_one_on_the_overview(open_page, home):
    study = trained(home, synthetic_additive(samples=120), "smurf", "mro_smurf")
    first, second = sorted(
        store.list_runs(home, study), key=lambda run: run.config.model, reverse=True
    )
    page = open_page("overview", study=study, run=first.id)
    before = facts(page)
    assert len(before) == 4
    shares = page.dataframe[0].value.set_index("contribution")
    assert "pinned" not in shares
    page.button(key="pin_run").click().run()
    page.selectbox(key="run").set_value(second.id).run()
    assert not page.exception
    after = facts(page)
    for name, value in before.items():
        assert after[name].endswith(f"(pinned {value})")
    table = page.dataframe[0].value.set_index("contribution")
    common = [name for name in table.index if name in shares.index]
    assert len(common) == 9
    for name in common:
        assert table.loc[name, "pinned"].replace("−", "-") == f"{shares.loc[name, 'share']:.2%}"
    page.button(key="pin_run").click().run()
    page.selectbox(key="run").set_value(first.id).run()
    table = page.dataframe[0].value.set_index("contribution")
    assert set(table["pinned"].drop(common)) <= {"–"}
