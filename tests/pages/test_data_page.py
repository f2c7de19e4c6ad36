"""Data: what is described of a study."""

from smurf_core.runs import studies
from smurf_core.runs.forgetting import forget
from tests.studio import facts


def test_the_data_page_describes_features_and_the_chosen_one(open_page, trained_home):
    page = open_page("data")
    tables = [frame.value for frame in page.dataframe]
    modalities = next(t for t in tables if "near_duplicates" in t)
    assert modalities["modality"].tolist() == ["A", "B", "C"]
    features = next(t for t in tables if "median" in t)
    data = studies.load_study(trained_home, page.selectbox(key="study").value)
    assert features["feature"].tolist() == list(data.features["A"].names)


def test_forgotten_samples_are_gone_from_an_app_that_runs(open_page, trained_home):
    page = open_page("data")
    study = page.selectbox(key="study").value
    assert facts(page)["Samples"] == "80"
    forget(trained_home, study, samples=["s00", "s01"])
    assert facts(open_page("data", study=study))["Samples"] == "78"
    found = open_page("samples", study=study)
    assert not found.error
    listed = next(frame.value for frame in found.dataframe if "sample_id" in frame.value)
    assert "s00" not in set(listed["sample_id"])
    assert len(listed) == 78
