"""The time of a player on the page, which Streamlit's own players do not report.

A component without anything to see: its script listens to the player in a container with a key,
says in which utterance it is, and that it has ended, and moves a line over a figure. It asks
nothing of any server.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

_SCRIPT = """
export default function ({ parentElement, data, setTriggerValue }) {
  const kept = parentElement.smurf ?? (parentElement.smurf = { seek: null });
  kept.data = data;
  kept.at = data.at;
  const hear = (media) => {
    media.addEventListener("timeupdate", () => {
      const starts = kept.data.starts;
      if (!starts || media.paused || media.seeking) return;
      const at = starts.findLastIndex((start) => start <= media.currentTime + 0.05);
      if (at >= 0 && at !== kept.at) {
        kept.at = at;
        setTriggerValue("moment", at);
      }
    });
    media.addEventListener("ended", () => {
      if (kept.data.plays_on) setTriggerValue("ended", kept.data.at);
    });
  };
  // A line over the figure: utterance `at` has the place from at + 0.5 to at + 1.5 on its axis.
  const draw = () => {
    const { starts, spans, figure } = kept.data;
    const media = kept.media;
    const plot = document.querySelector(`.st-key-${figure} .js-plotly-plot`);
    const span = spans[starts ? kept.at : 0];
    if (!media || !span || !plot?._fullLayout?.xaxis) return;
    const end = span[1] ?? media.duration;
    const share = (media.currentTime - span[0]) / (end - span[0]);
    if (!kept.line?.isConnected || kept.line.parentElement !== plot) {
      kept.line?.remove();
      kept.line = document.createElement("div");
      kept.line.className = "smurf-moment";
      kept.line.style.cssText =
        "position:absolute;width:2px;background:#d6249f;pointer-events:none;z-index:5";
      plot.style.position = "relative";
      plot.append(kept.line);
    }
    const { xaxis, _size, height } = plot._fullLayout;
    const at = xaxis._offset + xaxis.l2p(kept.at + 0.5 + Math.min(1, Math.max(0, share)));
    kept.line.style.left = `${at - 1}px`;
    kept.line.style.top = `${_size.t}px`;
    kept.line.style.height = `${height - _size.t - _size.b}px`;
    kept.line.hidden = !(share >= 0) || (media.paused && media.currentTime <= span[0]);
  };
  const follow = () => {
    draw();
    if (kept.media && !kept.media.paused && kept.media.isConnected) requestAnimationFrame(follow);
  };
  const attach = (tries) => {
    const where = `.st-key-${data.container}`;
    const media = document.querySelector(`${where} audio, ${where} video`);
    if (!media) {
      if (tries > 0) setTimeout(() => attach(tries - 1), 100);
      return;
    }
    if (kept.media !== media) {
      kept.media = media;
      hear(media);
      media.addEventListener("playing", follow);
      media.addEventListener("seeked", draw);
      follow();
    }
    if (data.starts && data.seek !== kept.seek) {
      kept.seek = data.seek;
      media.currentTime = data.starts[data.at];
      if (data.play) media.play().catch(() => {});
    }
  };
  attach(50);
}
"""
_player_time = st.components.v2.component("smurf_player_time", js=_SCRIPT)


def player_time(
    container: str,
    at: int,
    *,
    starts: Sequence[float] | None,
    seek: str,
    play: bool,
    plays_on: bool,
    figure: str,
    spans: Sequence[tuple[float, float | None]],
    on_moment: Callable[[int], None],
    on_end: Callable[[int], None],
) -> None:
    """Follow the player in the container with a key, and move it.

    Parameters
    ----------
    container
        The container's key.
    at
        The utterance that is open, from 0.
    starts
        Of every utterance in one recording, in seconds and in order; None if each utterance has a
        recording of its own.
    seek, play
        With every new text of `seek`, the player goes to the utterance that is open, and plays it
        if `play` is set.
    plays_on
        Report when the player has ended.
    figure, spans
        The key of the container of a Plotly figure, over which a line shows the player's time:
        utterance i, from 0, is drawn from i + 0.5 to i + 1.5. Starts and ends of the utterances in
        the player's seconds, None for its end; without `starts`, of the open one alone.
    on_moment, on_end
        Called with the utterance in which the player is now, and with the one that has ended.
    """
    key = f"{container}_time"

    def heard(name: str, act: Callable[[int], None]) -> None:
        value = getattr(st.session_state.get(key), name, None)
        if value is not None:
            act(int(value))

    _player_time(
        key=key,
        data={
            "container": container, "at": at, "starts": None if starts is None else list(starts),
            "seek": seek, "play": play, "plays_on": plays_on, "figure": figure,
            "spans": [list(span) for span in spans],
        },
        height=1,
        on_moment_change=lambda: heard("moment", on_moment),
        on_ended_change=lambda: heard("ended", on_end),
    )  # fmt: skip
