"""The sign-basin demonstration with live restarts, started from the page."""

from __future__ import annotations

import streamlit as st

from app.widgets.downloads import download_view
from app.widgets.figures import FIGURE_CONFIG
from app.widgets.messages import escaped, facts
from smurf_core.plot.basins import basin_scatter
from smurf_core.processes.live_basins import LiveBasins
from smurf_core.reporting.explanations import explain
from smurf_core.reporting.numbers import plain

_KEY = "live_basins"
RIGHT = 0.9  # as smurf_core.experiments.basins says, which imports torch


def basins() -> None:
    """Start, watch and stop many starts of one configuration on synthetic data."""
    st.subheader("Reversed signs, live", help=explain("objective", "recovery"))
    st.markdown(
        "A pair may end with both signs reversed while the unique contributions compensate for "
        "it. This model predicts as well as the right one: no score shows the error, but the "
        "objective does. Train one configuration from many starts on *synthetic* data and see "
        "where they end, with the usual initial output weights and with small ones (the default "
        "here)."
    )
    live: LiveBasins | None = st.session_state.get(_KEY)
    is_running = live is not None and live.state == "running"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        modalities = st.selectbox(
            "Modalities", [3, 2], key="basin_modalities", disabled=is_running, width=140,
            help="2 is the paper's bimodal setting: A and B of three.",
        )  # fmt: skip
        starts = st.number_input(
            "Starts of each kind", 2, 40, 10, step=2, key="basin_starts", disabled=is_running,
            width=160,
        )  # fmt: skip
        st.button(
            "Start", key="start_basins", type="primary", icon=":material/play_arrow:",
            disabled=is_running, on_click=_start, args=(modalities, int(starts)),
        )  # fmt: skip
        st.button(
            "Stop", key="stop_basins", icon=":material/stop:", disabled=not is_running,
            on_click=_stop,
        )  # fmt: skip
    if live is not None:
        st.fragment(_watch, run_every=1.0 if is_running else None)(is_running)


def _start(modalities: int, starts: int) -> None:
    st.session_state[_KEY] = LiveBasins(modalities=modalities, starts=starts)


def _stop() -> None:
    st.session_state[_KEY].stop()


def _watch(was_running: bool) -> None:
    live: LiveBasins = st.session_state[_KEY]
    state, rows = live.state, live.rows()
    if was_running and state != "running":
        st.rerun()  # The whole page once, so that the buttons show the end.
    if state == "failed":
        st.error(escaped(f"The demonstration ended early: {live.error()}"))
    words = {
        "running": "training" if len(rows) else "starting (torch is loaded in its own process)",
        "finished": "finished",
        "stopped": "stopped; the starts finished by then are shown",
        "failed": "ended early",
    }
    st.progress(len(rows) / live.total, text=f"{len(rows)} of {live.total} starts, {words[state]}")
    if rows.empty:
        return
    rows["is_right"] = rows["recovery"] >= RIGHT
    facts(
        {
            f"Right basin, weights at {scale:g}": f"{part['is_right'].sum()} of {len(part)}"
            for scale, part in rows.groupby("output_scale")
        }
        | {"Lowest r of a prediction": plain(rows["prediction_r"].min(), 4)}
    )
    st.plotly_chart(basin_scatter(rows, RIGHT), key="basin_scatter", config=FIGURE_CONFIG)
    st.markdown(
        "One point per start. Above the dashed line, the true factors were found; points below it "
        "predict equally well, but their objective is higher: choose restarts by the objective."
    )
    if state != "running":
        download_view(rows, "basins")
