"""Raters: their links, and the server that shows them their page."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.state.callbacks import callback
from app.state.session import workspace
from app.widgets.downloads import download_view
from app.widgets.messages import escaped, show_errors
from smurf_core.processes import rater_server
from smurf_core.ratings.store import Collection
from smurf_core.ratings.tables import rater_table


def raters_tab(collection: Collection) -> None:
    """Start the server, invite raters, and show where each of them is."""
    if collection.is_simulated:
        st.info("Simulated raters made this collection. Begin another one to invite people.")
        _table(collection)
        return
    with show_errors():
        _server()
        _invite(collection)
    _table(collection)
    is_open = collection.is_open
    st.button(
        "Close the collection" if is_open else "Open the collection again",
        key=f"close_{collection.id}", on_click=callback(collection.set_open), args=(not is_open,),
    )  # fmt: skip


def _server() -> None:
    found = rater_server.running(workspace())
    if found is not None:
        left, right = st.columns([5, 1], vertical_alignment="center")
        left.success(escaped(f"Raters reach their page at {found.url}, and nothing of the studio."))
        if workspace().person.is_local:  # It serves all studies of a shared server.
            right.button("Stop", key="stop_server", on_click=rater_server.stop, args=(workspace(),))
        return
    left, middle, right = st.columns([1, 3, 1], vertical_alignment="bottom")
    port = left.number_input("Port", 1, 65_535, rater_server.DEFAULT_PORT, key="server_port")
    url = middle.text_input(
        "Address for raters", placeholder=f"http://127.0.0.1:{port}", key="server_url",
        help="Of a proxy with HTTPS, such as https://raters.example.org. Without one, the page is "
        "reachable from this machine only.",
    )  # fmt: skip
    if right.button("Start the page", type="primary", key="start_server"):
        with st.spinner("Starting…"):
            rater_server.start(workspace(), port=int(port), url=url)
        st.rerun()


def _invite(collection: Collection) -> None:
    plan = collection.design_version().plan
    needed = max(1, plan.slots - len(rater_table(collection)))
    left, right = st.columns([1, 3], vertical_alignment="bottom")
    count = left.number_input("Raters to invite", 1, 500, needed, key=f"invite_{collection.id}")
    key = f"links_{collection.id}"
    if right.button("Make links", key=f"make_links_{collection.id}"):
        found = rater_server.running(workspace())
        made = [collection.invite() for _ in range(int(count))]
        address = f"http://127.0.0.1:{rater_server.DEFAULT_PORT}" if found is None else found.url
        st.session_state[key] = pd.DataFrame(
            {"Rater": [i.rater for i in made], "Link": [f"{address}/r/{i.token}" for i in made]}
        )
    if key in st.session_state:
        links = st.session_state[key]
        st.warning("Save these links now: only their hashes are stored, and they are shown once.")
        st.dataframe(links, hide_index=True, width="stretch", key="links")
        download_view(links, "links")


def _table(collection: Collection) -> None:
    table = rater_table(collection)
    if table.empty:
        st.markdown("Nobody has been invited yet.")
        return
    shown = table.rename(
        columns={"rater": "Rater", "status": "Status", "answered": "Answered", "items": "Items"}
    )
    st.dataframe(
        shown[["Rater", "Status", "Answered", "Items"]], hide_index=True, width="stretch",
        key="rater_table", height="content" if len(shown) < 12 else 420,
    )  # fmt: skip
