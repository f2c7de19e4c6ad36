"""Tabs do not come and go with the selection, and nothing above them moves them.

A browser makes anew what has another place among its neighbours, with the figure inside.
"""

import pytest

from smurf_core.runs import studies
from smurf_core.runs.slices import remember_selection
from tests.studio import opened_tab, plain_text

PAGES = ("judgments", "redundancy", "missing", "overview")


def places(page) -> list[tuple[str, list[str]]]:
    """The children of the page's body: their kinds, and the titles of tabs."""
    return [
        (child.type, [tab.label for tab in child.children.values()] if is_tabs(child) else [])
        for child in page.main.children.values()
    ]


def is_tabs(child) -> bool:
    return child.type == "tab_container"


@pytest.mark.parametrize("name", PAGES)
def test_a_selection_of_one_sample_leaves_tabs_in_their_place(open_page, judged, home, name):
    one = studies.load_study(home, judged).sample_ids[:1]
    chosen = remember_selection(home, judged, one, origin="a test")
    before = places(open_page(name, study=judged))
    after = places(open_page(name, study=judged, slice=chosen))
    assert any(titles for _, titles in before)
    assert [(k, titles) for k, (_, titles) in enumerate(before) if titles] == [
        (k, titles) for k, (_, titles) in enumerate(after) if titles
    ]


def test_a_tab_without_anything_to_show_refers_to_the_notice(open_page, judged, home):
    one = studies.load_study(home, judged).sample_ids[:1]
    chosen = remember_selection(home, judged, one, origin="a test")
    page = open_page("judgments", study=judged, slice=chosen)
    opened_tab(page, "judgments_tab", "All modalities")
    assert "the reason is above" in plain_text(page)
    assert "Pearson" not in plain_text(page)
