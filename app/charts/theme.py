"""Colours and numbers, the same in every figure."""

from __future__ import annotations

from smurf_core.reporting.numbers import mean_and_spread, percent, plain, signed

__all__ = [
    "NEUTRAL", "PALETTE", "mean_and_spread", "modality_colours", "percent", "plain", "signed",
    "term_label", "text_on",
]  # fmt: skip

# Petroff's ten, as in .streamlit/config.toml.
PALETTE = (
    "#3f90da", "#ffa90e", "#bd1f01", "#832db6", "#94a4a2",
    "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip
NEUTRAL = "#8a929b"


def modality_colours(modalities: tuple[str, ...]) -> dict[str, str]:
    """A colour for every modality, by its position; from the eleventh on they repeat."""
    return {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(modalities)}


def term_label(modality: str, shared_with: str) -> str:
    """How a contribution is called in figures and tables."""
    return (
        f"{modality} alone" if modality == shared_with else f"{modality}, shared with {shared_with}"
    )


def text_on(colour: str) -> str:
    """Black or white, whichever is read more easily on a colour (`#rrggbb`)."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#111111" if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else "#ffffff"
