"""The pickers of study and run, and the address."""

from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.runs import store, studies
from tests.studio import text


def test_the_address_names_study_and_run(open_page, trained_home):
    study = studies.list_studies(trained_home)[0]
    older = store.list_runs(trained_home, study.id)[-1]
    page = open_page("overview", study=study.id, run=older.id)
    assert page.selectbox(key="run").value == older.id
    assert "Late fusion" in text(page)
    page = open_page("overview", study="gone")  # An old link opens nothing else.
    assert page.selectbox(key="study").value is None
    assert "There is no study 'gone'" in page.error[0].value.replace("\\", "")


def test_studies_of_one_name_stay_apart(open_page, home):
    data = synthetic_additive(samples=80)
    made = [studies.add_study(home, data) for _ in range(3)]
    for study in made:
        page = open_page("study", study=study)
        assert page.selectbox(key="study").value == study
    assert len(set(page.selectbox(key="study").options)) == 4
