"""Names of modalities, from the names of tables and columns."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from smurf_core.data.column_names import DESCRIPTION_NAMES, name_words, plain_name
from smurf_core.data.readers.interface import Table

MODALITY_PREFIXES = (
    "audio", "acoustic", "voice", "speech", "prosody", "video", "vision", "visual", "face",
    "facial", "gaze", "eye", "eyes", "text", "language", "lexical", "linguistic", "verbal", "ecg",
    "hrv", "eda", "gsr", "emg", "rr", "resp", "rsp", "respiration", "bvp", "ppg", "eeg", "temp",
    "skt", "acc", "imu", "mocap", "pose", "body", "head", "hand", "gesture", "physio",
)  # fmt: skip
# Words in the names of files that contain features of one modality.
_FEATURE_WORDS = (
    *MODALITY_PREFIXES, "mfcc", "egemaps", "opensmile", "compare", "openface", "au", "aus", "bert",
    "roberta", "glove", "wav2vec", "hubert", "features", "feats", "feat", "embeddings",
    "transcripts", "words",
)  # fmt: skip
_LABEL_WORDS = (
    "label", "labels", "target", "targets", "annotation", "annotations", "meta", "metadata",
    "rating", "ratings", "info", "demographics", "participants", "subjects", "persons", "split",
    "splits", "folds", "consensus", "gold", "judgments",
)  # fmt: skip
_NAME_ENDINGS = re.compile(r"[_\-. ]?(emb|embeddings?|feats?|features?)$", re.IGNORECASE)
_FEWEST_NUMBERED = 3  # columns such as f0, f1, f2 that show that a table contains features


def modality_name(table: Table) -> str:
    """The name of the modality of a table of features: from its format, columns or name."""
    columns = [c for c in table.columns if c in table.numbers]
    known = known_prefixes(c for c in columns if plain_name(c) not in DESCRIPTION_NAMES)
    if table.modality:
        return table.modality
    if len(known) == 1 and len(*known.values()) >= len(columns) - 1:
        return next(iter(known))
    stem = _stem(table)
    return _NAME_ENDINGS.sub("", stem) or stem


def looks_like_features(table: Table, columns: Iterable[str], *, is_repeated: bool) -> bool:
    """True if a table with the target also contains features, judged by its name and columns.

    `columns` are the numbers that can be features; `is_repeated` is true if other tables contain
    the target too.
    """
    words = set(name_words(_stem(table)))
    if words & set(_LABEL_WORDS):
        return False
    stems: dict[str, int] = defaultdict(int)
    for column in columns:
        if re.search(r"\d+$", column):
            stems[re.sub(r"\d+$", "", column)] += 1
    is_numbered = max(stems.values(), default=0) >= _FEWEST_NUMBERED
    return bool(words & set(_FEATURE_WORDS)) or is_numbered or is_repeated


def prefix_groups(columns: Iterable[str]) -> dict[str, list[str]]:
    """Columns by their name's start up to the first separator; those without one are left out."""
    groups: dict[str, list[str]] = defaultdict(list)
    for column in columns:
        groups[_prefix(column)].append(column)
    groups.pop("", None)
    return groups


def known_prefixes(columns: Iterable[str]) -> dict[str, list[str]]:
    """Columns by starts of names that are usual names of modalities."""
    groups = prefix_groups(columns)
    # Next to action units, pose and gaze come from the same tool and the same face.
    is_face = any(re.fullmatch(r"AU\d\d", prefix) for prefix in groups)
    apart = set(MODALITY_PREFIXES) - ({"pose", "gaze"} if is_face else set())
    return {prefix: group for prefix, group in groups.items() if prefix.lower() in apart}


def column_pattern(prefix: str, columns: list[str]) -> str:
    """The common start of columns' names, with a star: the prefix and its separator."""
    separators = {column[len(prefix)] for column in columns}
    return f"{prefix}{separators.pop() if len(separators) == 1 else ''}*"


def _prefix(column: str) -> str:
    """The name up to its first separator; empty if there is none."""
    match = re.match(r"(.+?)[_\-.:]", column)
    return match.group(1) if match else ""


def _stem(table: Table) -> str:
    sheet = table.name.rpartition(":")[2]
    return sheet if ":" in table.name else table.name.rpartition(".")[0] or table.name
