"""Official splits: the words for them in cells and in file names."""

from __future__ import annotations

import re
from dataclasses import dataclass

SPLIT_WORDS = {
    "train": "train", "training": "train", "trn": "train",
    "valid": "validation", "validation": "validation", "val": "validation", "dev": "validation",
    "devel": "validation", "development": "validation",
    "test": "test", "testing": "test", "tst": "test", "eval": "test",
}  # fmt: skip
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class SplitName:
    """A name without its word for a split: `audio_train_v2` is (`audio_v2`, `train`)."""

    group: str
    split: str  # "" if the name has no such word


def split_of_name(name: str) -> SplitName:
    """The split in a file's name, and the rest of the name."""
    pieces = re.split(r"([_\-. ]+)", name)
    for position, piece in enumerate(pieces):
        if piece.lower() in SPLIT_WORDS and len(pieces) > 1:
            rest = pieces[: max(position - 1, 0)] + pieces[position + (1 if position else 2) :]
            return SplitName("".join(rest), SPLIT_WORDS[piece.lower()])
    split = SPLIT_WORDS.get(name.lower(), "")
    return SplitName("table" if split else name, split)
