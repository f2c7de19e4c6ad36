"""Data: what is described of a study."""

from smurf_core.runs import studies


def test_the_data_page_describes_features_and_the_chosen_one(open_page, trained_home):
    page = open_page("data")
    tables = [frame.value for frame in page.dataframe]
    modalities = next(t for t in tables if "near_duplicates" in t)
    assert modalities["modality"].tolist() == ["A", "B", "C"]
    features = next(t for t in tables if "median" in t)
    data = studies.load_study(trained_home, page.selectbox(key="study").value)
    assert features["feature"].tolist() == list(data.features["A"].names)
