"""Groups of features, guessed from their names: pitch, energy, action units, gaze and others."""

from __future__ import annotations

import re

import pandas as pd

# The first pattern that matches a name is used, so more specific ones come first. Names are those
# of OpenFace, openSMILE (eGeMAPS), COVAREP, librosa, LIWC, NeuroKit, and of VREED and WESAD.
_PATTERNS: tuple[tuple[str, str], ...] = (
    ("action units", r"(?<![a-z])au_?\d+"),
    ("blinks", r"blink"),
    ("pupil", r"pupil"),
    ("saccades", r"saccade|microsac"),
    ("fixations", r"fixation"),
    ("gaze", r"gaze|(?<![a-z])eye"),
    ("head pose", r"(?<![a-z])(pose|head)"),
    ("facial landmarks", r"landmark|lmk|(?<![a-z])p_(rx|ry|rz|tx|ty|scale)"),
    ("smile", r"smil"),
    ("heart rate", r"heart.?rate(?!.?var)|(?<![a-z])(hr|bpm|ecg_rate|ibi)(?![a-z])"),
    ("heart rate", r"(mean|median|max|min)_?(rr|nn)"),  # of intervals between beats
    ("heart rate variability", r"hrv|rmssd|sdnn|sdsd|pnn\d+|lf.?hf|(?<![a-z])(v?lf|hf)(?![a-z])"),
    ("skin conductance responses", r"(?<![a-z])scr|phasic|peak.*eda|eda.*peak"),
    ("skin conductance level", r"(?<![a-z])scl|tonic|(?<![a-z])(eda|gsr)"),
    ("respiration", r"respir|breath|(?<![a-z])(rr|rsp|rvt)(?![a-z])"),
    ("muscle activity", r"(?<![a-z])emg"),
    ("temperature", r"(?<![a-z])temp(erature)?(?![a-z])"),
    ("jitter and shimmer", r"jitter|shimmer"),
    ("voice quality", r"hnr|(?<![a-z])(naq|qoq|h1.?h2|h1.?a3|psp|mdq|peakslope|creak)"),
    ("formants", r"formant|(?<![a-z])f[1-5](?=freq|band|amp)"),
    ("cepstrum (MFCC)", r"mfcc|mcep"),
    ("pitch", r"pitch|(?<![a-z])f0|fundamental|semitone"),
    ("energy", r"energy|loudness|intensity|(?<![a-z])rms|volume|equivalentsound"),
    ("spectrum", r"spectr|alpha.?ratio|hammarberg|slope\d|centroid|rolloff|flux|zcr|zero.?cross"),
    ("timing and pauses", r"pause|duration|speech.?rate|silence|voiced|segment.?length|segments"),
    ("sentiment words", r"posemo|negemo|sentiment|polarity|(?<![a-z])(affect|anger|sad)(?![a-z])"),
    ("word categories", r"liwc|pronoun|(?<![a-z])(noun|verb|adverb|negate|cogmech)(?![a-z])"),
    ("embedding", r"embed|bert|glove|word2vec|wav2vec|hubert|clip(?![a-z])"),
)  # fmt: skip

# Names of statistics, which do not show what they were computed from.
_STATISTICS = frozenset(
    [
        "mean", "median", "min", "max", "minimum", "maximum", "sd", "std", "stddev", "variance",
        "var", "range", "ratio", "skew", "skewness", "kurtosis", "mode", "sum", "number", "num",
        "of", "percentile", "iqr", "quartile", "first", "last",
    ]
)  # fmt: skip


def feature_groups(modality: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """The group of each feature of a modality, in the order of the features.

    Known groups have their usual names. Any other feature is grouped by the first word of its name,
    after the modality's name is removed. Features that are only numbered form one group, named
    after the modality.
    """
    return tuple(_group(modality, name) for name in names)


def group_attributions(table: pd.DataFrame) -> pd.DataFrame:
    """Sum attributions over the features of each group, largest absolute sum first.

    `table` has columns group, feature, attribution. Returns group, attribution, features (their
    number). The total is that of the features' attributions.
    """
    grouped = table.groupby("group", sort=False).agg(
        attribution=("attribution", "sum"), features=("feature", "size")
    )
    order = grouped["attribution"].abs().sort_values(ascending=False, kind="stable").index
    return grouped.loc[order].reset_index()


def _group(modality: str, name: str) -> str:
    lower = name.lower()
    own = _words(modality.lower())
    # The modality's name as a prefix carries no information: `ecg_` in `ecg_SDNN`.
    words = _words(lower)
    if len(words) > 1 and words[: len(own)] == own:
        words = words[len(own) :]
    rest = "_".join(words)
    for text in (lower, f"{modality.lower()}_{rest}"):
        for group, pattern in _PATTERNS:
            if re.search(pattern, text):
                return group
    letters = [word for word in words if not word.isdigit() and word not in _STATISTICS]
    first = re.sub(r"\d+$", "", letters[0]) if letters else ""
    return first if len(first) > 1 else f"{modality} features"


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[^a-z0-9]+", text) if word]
