"""A sample's recording, played from its start to its end."""

from __future__ import annotations

import math

import streamlit as st

from app.state.session import workspace
from app.widgets.messages import show_errors
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.data.media import Clip, cut_wave, find_clip
from smurf_core.runs.studies import StudyInfo, media_of


def show_media(
    study: StudyInfo,
    dataset: MultimodalDataset,
    sample_id: str,
    *,
    width: int = 480,
    autoplay: bool = False,
) -> tuple[float, float | None] | None:
    """Play a sample's recording, a video `width` pixels wide; nothing without recordings.

    Returns the clip's start and end in the player's seconds (None: the player's end).
    """
    with show_errors():
        settings = media_of(workspace(), study.id)
        if settings is None:
            return None
        clip = find_clip(settings, dataset, sample_id)
        if clip is None:
            st.markdown("This sample has no recording in the study's folder.")
            return None
        cut = cut_wave(clip)
        if cut is not None:
            name = f"Recording of sample {sample_id}"
            st.audio(cut, format="audio/wav", alt=name, autoplay=autoplay)
            return 0.0, None
        # Players take whole seconds: they play the seconds around the utterance.
        play = st.video if clip.kind == "video" else st.audio
        play(
            clip.path,
            format=clip.media_type,
            start_time=math.floor(clip.start),
            end_time=None if clip.end is None else math.ceil(clip.end),
            width=width if clip.kind == "video" else "stretch",
            alt=f"Recording of sample {sample_id}",
            autoplay=autoplay,
        )
        if clip.start or clip.end is not None:
            end = "its end" if clip.end is None else f"{clip.end:.2f} s"
            st.markdown(f":small[The utterance lasts from {clip.start:.2f} s to {end}.]")
        return clip.start, clip.end


def show_recording(clip: Clip, *, width: int = 480) -> None:
    """Play the whole recording that a clip is a part of, a video `width` pixels wide."""
    play = st.video if clip.kind == "video" else st.audio
    play(
        clip.path,
        format=clip.media_type,
        width=width if clip.kind == "video" else "stretch",
        alt=f"Recording {clip.path.name}",
    )
