"""The colours of all figures."""

from __future__ import annotations

# Petroff's ten, as in .streamlit/config.toml.
PALETTE = (
    "#3f90da", "#ffa90e", "#bd1f01", "#832db6", "#94a4a2",
    "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip
NEUTRAL = "#8a929b"
PALE = 0.35  # the opacity of what is no finding


def modality_colours(modalities: tuple[str, ...]) -> dict[str, str]:
    """A colour for each modality, by position; from the eleventh on, colours repeat."""
    return {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(modalities)}


def text_on(colour: str) -> str:
    """Black or white, whichever is easier to read on a colour (`#rrggbb`)."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#111111" if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else "#ffffff"
