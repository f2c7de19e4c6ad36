"""The time of a player on the page, which Streamlit's own players do not report.

A component without anything to see: its script listens to the player in a container with a key,
and says in which utterance it is, and that it has ended. It asks nothing of any server.
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
            "seek": seek, "play": play, "plays_on": plays_on,
        },
        height=1,
        on_moment_change=lambda: heard("moment", on_moment),
        on_ended_change=lambda: heard("ended", on_end),
    )  # fmt: skip
