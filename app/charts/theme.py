"""Colours and numbers, the same in every figure."""

from __future__ import annotations

from math import isnan

# Petroff's ten, as in .streamlit/config.toml.
PALETTE = (
    "#3f90da", "#ffa90e", "#bd1f01", "#832db6", "#94a4a2",
    "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip
NEUTRAL = "#8a929b"
MINUS = "−"


def modality_colours(modalities: tuple[str, ...]) -> dict[str, str]:
    """A colour for every modality, by its position; from the eleventh on they repeat."""
    return {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(modalities)}


def signed(value: float, digits: int = 3) -> str:
    """A number with its sign, as contributions are written: +0.120, −0.035."""
    text = f"{abs(value):.{digits}f}"
    if float(text) == 0:
        return text
    return f"{'+' if value > 0 else MINUS}{text}"


def plain(value: float, digits: int = 3) -> str:
    """A number with a real minus, and none before zero; a dash where there is no number."""
    if isnan(value):
        return "–"
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", MINUS)


def mean_and_spread(mean: float, sd: float) -> str:
    """A mean over folds with its standard deviation, as the paper's tables write it."""
    if isnan(mean):
        return "not defined"
    return plain(mean) if isnan(sd) else f"{plain(mean)} ± {sd:.3f}"


def term_label(modality: str, shared_with: str) -> str:
    """How a contribution is called in figures and tables."""
    return (
        f"{modality} alone" if modality == shared_with else f"{modality}, shared with {shared_with}"
    )


def text_on(colour: str) -> str:
    """Black or white, whichever is read more easily on a colour (`#rrggbb`)."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#111111" if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else "#ffffff"
