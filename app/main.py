"""SMURF Studio's entry point: `streamlit run app/main.py`."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # `streamlit run` puts app/ on the path, not its parent folder.
    sys.path.insert(0, str(ROOT))

import streamlit as st  # noqa: E402

from app.answers import keep_answers  # noqa: E402
from app.state.navigation import HEADINGS, navigation  # noqa: E402
from app.state.people import admitted, sign_out_button  # noqa: E402
from app.widgets.page_title import page_title  # noqa: E402

keep_answers()
st.set_page_config(
    page_title="SMURF Studio", page_icon=str(ROOT / "app" / "icon.png"), layout="wide"
)
if not admitted():
    st.stop()
page = navigation()
page_title(HEADINGS.get(page.title, ""))  # "": a link of an earlier version, which leads elsewhere.

# At the first page of a server this takes half a second, in which the title is there already.
from app.state.address import address_of  # noqa: E402
from app.state.selection import settle_selection  # noqa: E402
from app.widgets.checklist import checklist  # noqa: E402
from app.widgets.messages import show_callback_error, show_errors, tried_twice  # noqa: E402
from app.widgets.sidebar import choose_study_and_run  # noqa: E402

# Among the errors: a store that cannot be opened, and what a page does not catch.
with address_of(page.url_path), show_errors():
    with st.container():  # Keeps the place of what is below it.
        with tried_twice():
            choose_study_and_run()
            settle_selection()
            checklist(page.url_path)
        show_callback_error()
    page.run()
with st.sidebar:  # Also on a page that ends early.
    sign_out_button()
