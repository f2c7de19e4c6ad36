"""Human judgments: the sentence, the table of agreement, and where people and model differ."""

import numpy as np

from smurf_core.evaluation.judgments import human_agreement, unique_pairs, with_verdicts
from smurf_core.evaluation.verdicts import verdicts
from smurf_core.explained import explained
from smurf_core.reporting.judgment_sentence import judgment_sentence
from smurf_core.runs import store, studies
from tests.studio import opened_tab, plain_text, result_of


def test_the_page_says_where_people_agree_and_lists_where_they_do_not(open_page, judged, home):
    page = open_page("judgments")
    result = result_of(home, store.list_runs(home, judged)[0])
    shown = explained(result, studies.load_study(home, judged))
    table = with_verdicts(human_agreement(shown), shown, verdicts(result, shown))
    assert judgment_sentence(table, result.modalities) in plain_text(page)
    opened_tab(page, "judgments_tab", "Where they differ")
    listed = next(d.value for d in page.dataframe if "human" in d.value)
    pair = unique_pairs(shown)[0]
    ratio = [(v - v.mean()) / v.std() for v in (pair.learned, pair.human)]
    worst = np.abs(ratio[0] - ratio[1]).argmax()
    assert listed["sample_id"].iloc[0] == pair.sample_ids[worst]
    assert f"The verdict on what C says alone is “{table['verdict'].iloc[0]}”" in plain_text(page)


def test_every_judged_modality_is_in_the_table_with_stars(open_page, judged):
    page = open_page("judgments")
    opened_tab(page, "judgments_tab", "All modalities")
    table = next(d.value for d in page.dataframe if "Unique to" in d.value)
    assert table["Unique to"].tolist() == ["C", "A and B"]
    assert table["n"].tolist() == [80, 50]
    assert table["r"].str.match(r"−?\d\.\d{3}\*{0,3}$").all()
    assert table["Raters"].tolist() == [3, 0]
    assert table["Ceiling of r"].str.match(r"–|[01]\.\d{3}$").all()
    assert table["r, calibrated"].str.match(r"–|−?\d\.\d{3}\*{0,3}$").all()
    opened_tab(page, "judgments_tab", "People against model")
    page.segmented_control(key="judgments_ratings").set_value("Calibrated").run()
    assert not page.exception
    page.segmented_control(key="judgments_ratings").set_value("As published").run()
    page.selectbox(key="judgments_colour").set_value("scene").run()
    assert not page.exception
    page.selectbox(key="judgments_colour").set_value("size of error").run()
    assert not page.exception
