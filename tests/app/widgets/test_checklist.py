"""First steps: they follow the study and the user, and end."""

from dataclasses import replace

from app.widgets.checklist import CHECKLIST
from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.runs import studies
from tests.studio import text

LAST = ("samples", "missing", "report")


def steps(page) -> list[str]:
    return [link.proto.label for link in page.sidebar.get("page_link")]


def test_pages_that_were_read_are_ticked_and_stay_so_until_all_are(open_page, trained_home):
    assert "First steps: 1 of 6 done" in text(open_page("study"))
    assert "First steps: 2 of 6 done" in text(open_page("findings"))
    for name in LAST:
        open_page(name)
    page = open_page("data")  # Another session: the workspace remembers.
    assert "First steps: 5 of 6 done" in text(page)
    assert "Compare with the true factors" in steps(page)
    page = open_page("verify")
    assert "First steps" not in text(page)
    assert trained_home.has_seen(CHECKLIST)


def test_it_is_dismissed_for_good(open_page, home):
    page = open_page("train")
    page.button(key="dismiss_checklist").click().run()
    assert "First steps" not in text(page)
    assert "First steps" not in text(open_page("findings"))


def test_recorded_data_is_never_said_to_have_true_factors(open_page, home):
    data = replace(synthetic_additive(samples=80), origin="recorded", factors={})
    page = open_page("findings", study=studies.add_study(home, data))
    assert "First steps: 0 of 5 done" in text(page)  # Nothing was found yet.
    assert "true" not in " ".join([*steps(page), text(page.sidebar)])
