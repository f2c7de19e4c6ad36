"""The pages: their order, names and icons."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import streamlit as st
from streamlit.navigation.page import StreamlitPage

PageName = Literal[
    "study", "data", "train", "ratings", "findings", "overview", "redundancy", "samples",
    "timeline", "judgments", "missing", "new_samples",
    "compare", "verify", "report",
]  # fmt: skip
_FIRST: PageName = "study"
_PAGES = Path(__file__).resolve().parents[2] / "pages"
# Section → page → its name in the navigation and icon.
_SECTIONS: dict[str, dict[PageName, tuple[str, str]]] = {
    "Prepare": {
        "study": ("Study", ":material/folder_open:"),
        "data": ("Data", ":material/table_chart:"),
        "train": ("Train", ":material/model_training:"),
        "ratings": ("Ratings", ":material/hearing:"),
    },
    "Explore": {
        "findings": ("Findings", ":material/lightbulb:"),
        "overview": ("Overview", ":material/donut_small:"),
        "redundancy": ("Redundancy", ":material/join_inner:"),
        "samples": ("Samples", ":material/manage_search:"),
        "timeline": ("Timeline", ":material/timeline:"),
        "judgments": ("Human judgments", ":material/groups:"),
        "missing": ("Missing modalities", ":material/toggle_off:"),
        "new_samples": ("New samples", ":material/upload_file:"),
    },
    "Check": {
        "compare": ("Compare", ":material/balance:"),
        "verify": ("Verify", ":material/verified:"),
    },
    "Export": {
        "report": ("Report", ":material/docs:"),
    },
}
# Page → the question that it answers: its title.
QUESTIONS: dict[PageName, str] = {
    "study": "Which study?",
    "data": "Is this data fit to be factorised?",
    "train": "Which models should be trained?",
    "ratings": "What do people hear, see and read?",
    "findings": "What did this run find?",
    "overview": "What carries the prediction?",
    "redundancy": "Who says the same as whom?",
    "samples": "What is one prediction made of?",
    "timeline": "What moves a session?",
    "judgments": "Do people and model agree?",
    "missing": "What if a modality is missing?",
    "new_samples": "What about new samples?",
    "compare": "Which model is better?",
    "verify": "Are known contributions found?",
    "report": "What goes into the report?",
}
# A page's name in the navigation → its title.
HEADINGS = {
    name: QUESTIONS[page] for pages in _SECTIONS.values() for page, (name, _) in pages.items()
}


def page_path(name: PageName) -> str:
    """The file of a page, for `st.switch_page` and `st.page_link`."""
    return str(_PAGES / f"{name}.py")


def navigation() -> StreamlitPage:
    """Show the navigation and return the page that the user is on."""
    sections = {
        section: [_page(name, title, icon) for name, (title, icon) in pages.items()]
        for section, pages in _SECTIONS.items()
    }
    # The first page has the address `/`; links to `/study` also lead to it.
    sections["Prepare"].append(
        st.Page(_to_first, title="Study", url_path=_FIRST, visibility="hidden")
    )
    # What if was a page of its own: links to it lead to the tab of Samples.
    sections["Explore"].append(
        st.Page(_to_what_if, title="What if", url_path="what_if", visibility="hidden")
    )
    return st.navigation(sections, expanded=True)  # Otherwise some of the pages are hidden.


def _page(name: PageName, title: str, icon: str) -> StreamlitPage:
    is_first = name == _FIRST
    path = (
        "first" if is_first else name
    )  # Streamlit requires one, although the first page is at `/`.
    return st.Page(page_path(name), title=title, icon=icon, url_path=path, default=is_first)


def _to_first() -> None:
    st.switch_page(page_path(_FIRST), query_params=st.query_params)


def _to_what_if() -> None:
    query = {**st.query_params.to_dict(), "tab": "What if"}
    st.session_state["samples_tab"] = query["tab"]
    st.switch_page(page_path("samples"), query_params=query)
