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
# Further words in cells, which are too short or too common in the names of files.
_CELL_WORDS = {
    **SPLIT_WORDS, "tr": "train", "learn": "train", "learning": "train", "vali": "validation",
    "vld": "validation", "validate": "validation", "tuning": "validation", "dv": "validation",
    "evaluation": "test", "te": "test", "ts": "test", "holdout": "test", "heldout": "test",
    "validierung": "validation", "entraînement": "train", "entrainement": "train",
    "apprentissage": "train", "entrenamiento": "train", "validación": "validation",
    "prueba": "test", "addestramento": "train", "训练": "train", "训练集": "train",
    "验证": "validation", "验证集": "validation", "测试": "test", "测试集": "test",
}  # fmt: skip
SPLITS = ("train", "validation", "test")
# Words that can occur next to the word for a split: `train set`, `Test data`.
_BESIDE = ("set", "data", "dataset", "split", "partition", "samples", "fold", "part", "public",
           "private")  # fmt: skip


def split_of_cell(cell: str) -> str:
    """The split that a cell names; empty if it names none.

    Examples: `Train`, `train set`, `Test1`, `test_2`, `DEV`, `testing data`.
    """
    # `PublicTest` is two words.
    words = re.findall(r"[^\W\d_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", cell).lower())
    if len(words) == 1 and words[0] not in _CELL_WORDS:  # `trainset`, `testdata`
        ending = next((w for w in _BESIDE if words[0].endswith(w)), "")
        words = [words[0].removesuffix(ending)]
    named = {_CELL_WORDS[word] for word in words if word in _CELL_WORDS}
    others = [word for word in words if word not in _CELL_WORDS and word not in _BESIDE]
    return named.pop() if len(named) == 1 and not others else ""


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
