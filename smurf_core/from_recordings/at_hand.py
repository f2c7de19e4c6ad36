"""Which tools of extraction are on this machine; nothing is loaded to find out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from smurf_core.extraction.features import Kind
from smurf_core.extraction.packages import INSTALL
from smurf_core.extraction.text import DEFAULT_MODEL
from smurf_core.extraction.video import OPENFACE_VARIABLE, PROGRAM, openface_program

_PACKAGES: Mapping[Kind, tuple[str, ...]] = {
    "audio": ("opensmile", "soundfile"), "text": ("sentence_transformers",), "video": (),
}  # fmt: skip
__all__ = ["DEFAULT_MODEL", "KINDS", "Kind", "has_packages", "why_not"]
KINDS: tuple[Kind, ...] = ("audio", "text", "video")


def why_not(kind: Kind, model: str = DEFAULT_MODEL) -> str:
    """Why features of a kind cannot be extracted here, as a sentence; empty if they can."""
    if kind == "video":
        if openface_program(os.environ.get(OPENFACE_VARIABLE, "")):
            return ""
        return (
            f"OpenFace is not installed: its program {PROGRAM} must be on PATH of the server, or "
            f"in the folder that {OPENFACE_VARIABLE} names."
        )
    if absent := _absent(kind):
        return (
            f"The package {absent[0]} is not installed: run {INSTALL} in the folder of SMURF "
            "Studio."
        )
    if kind == "text" and not _is_at_hand(model):
        return (
            f"The model {model!r} is not on this machine, and the app downloads none: name the "
            "folder of a sentence-transformers model, or fetch it once with `smurf extract text "
            "--download`."
        )
    return ""


def has_packages(kind: Kind) -> bool:
    """True if the Python packages that a kind of features needs are installed."""
    return not _absent(kind)


def _absent(kind: Kind) -> list[str]:
    return [name for name in _PACKAGES[kind] if find_spec(name) is None]


def _is_at_hand(model: str) -> bool:
    """True if a model is a folder, or in the cache of the hub."""
    if Path(model).is_absolute():
        return (Path(model) / "config.json").is_file()
    names = [model] if "/" in model else [f"sentence-transformers/{model}", model]
    return any(
        next((folder / f"models--{name.replace('/', '--')}" / "snapshots").glob("*/*"), None)
        for folder in _caches()
        for name in names
    )


def _caches() -> list[Path]:
    """Where Hugging Face's libraries keep models, by their environment variables."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "huggingface"
    home = Path(os.environ.get("HF_HOME") or home)
    hub = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE") or home / "hub"
    own = os.environ.get("SENTENCE_TRANSFORMERS_HOME")
    return [Path(hub), *([Path(own)] if own else [])]
