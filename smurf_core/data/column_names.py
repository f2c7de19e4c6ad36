"""Usual names of columns, used by readers and to guess the columns' roles."""

from __future__ import annotations

import re

# Names as `plain_name` writes them; the first that a table has is taken.
ID_NAMES = (
    "sampleid", "id", "sample", "uttid", "utteranceid", "segmentid", "segment", "clipid", "clip",
    "instanceid", "instance", "trialid", "trial", "filename", "file", "itemid", "item", "videoid",
    "video", "key", "name", "index", "ids", "keys", "sampleids", "filenames",
    "utterance", "turn",
)  # fmt: skip
PERSON_NAMES = (
    "person", "personid", "subject", "subjectid", "speaker", "speakerid", "participant",
    "participantid", "actor", "actorid", "pid", "user", "userid", "group", "groups",
)  # fmt: skip
FOLD_NAMES = ("testfold", "fold", "cvfold", "folds")
SPLIT_NAMES = ("split", "partition", "set", "subset", "mode")
TARGET_NAMES = (
    "target", "label", "labels", "y", "quadrant", "emotion", "affect", "class", "sentiment",
    "valence", "arousal", "dominance", "rating", "score", "stress", "pain", "mood", "intended",
)  # fmt: skip
TRANSCRIPT_NAMES = ("transcript", "transcription", "text", "rawtext", "utterance", "sentence")
START_NAMES = ("start", "starttime", "begin", "onset", "metabegin", "startsec", "starts")
END_NAMES = ("end", "endtime", "offset", "metaend", "endsec", "ends")
# Numbers that describe a sample but are not features.
DESCRIPTION_NAMES = (
    *START_NAMES, *END_NAMES, "duration", "time", "timestamp", "frame", "frametime", "faceid",
    "confidence", "success",
)  # fmt: skip
# Usual names of the columns of each role.
ROLE_NAMES: dict[str, tuple[str, ...]] = {
    "id": ID_NAMES,
    "target": TARGET_NAMES,
    "person": PERSON_NAMES,
    "fold": FOLD_NAMES,
    "split": SPLIT_NAMES,
    "transcript": TRANSCRIPT_NAMES,
    "start": START_NAMES,
    "end": END_NAMES,
}


def plain_name(column: str) -> str:
    """A column's name in the form used in the lists above: lower case, without separators."""
    return re.sub(r"[_\-. ]", "", column).lower()
