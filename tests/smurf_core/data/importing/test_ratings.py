import pandas as pd
import pytest

from smurf_core.data.importing.ratings import (
    guess_informativeness,
    guess_judgments,
    informativeness_codes,
    rating_column,
    shown_modalities,
    whole_ratings,
)
from smurf_core.errors import InputError

TRIMODAL = ("audio", "text", "video")
PERCEPTION = ["T", "A", "V", "TA", "VA", "TV", "TAF", "TAV"]


@pytest.mark.parametrize(
    ("column", "modalities", "shown"),
    [
        ("TA", TRIMODAL, ("audio", "text")),
        ("VA", TRIMODAL, ("audio", "video")),
        ("TAF", TRIMODAL, ("audio", "text")),
        ("TAV", TRIMODAL, TRIMODAL),
        ("val_y_AV", TRIMODAL, ("audio", "video")),
        ("label_T", TRIMODAL, ("text",)),
        ("LA", ("acoustic", "language", "vision"), ("acoustic", "language")),
        ("TV", ("acoustic", "language", "vision"), ("language", "vision")),
        ("valence audio+video", TRIMODAL, ("audio", "video")),
        ("valence_acoustic_language", TRIMODAL, ("audio", "text")),
        ("GV", ("gaze", "video"), ("gaze", "video")),
        ("A", ("egemaps_audio", "openface"), ("egemaps_audio",)),
        ("AA", TRIMODAL, ()),
        ("ID", TRIMODAL, ()),
        ("F", TRIMODAL, ()),
        ("start", TRIMODAL, ()),
        ("V", ("face", "video"), ()),
    ],
)
def test_name_of_a_column_says_what_its_raters_saw(column, modalities, shown):
    assert shown_modalities(column, modalities) == shown


def test_full_audio_and_filtered_audio_are_distinguished():
    filtered, full = (rating_column(name, TRIMODAL) for name in ("TA", "TAF"))
    assert filtered.shown == full.shown
    assert (filtered.qualifier, full.qualifier) == ("", "F")


def test_judgments_of_the_perception_study_are_its_six_subsets_with_filtered_audio():
    found = guess_judgments(PERCEPTION, TRIMODAL, "TAV")
    assert found == {
        "T": ("text",), "A": ("audio",), "V": ("video",), "TA": ("audio", "text"),
        "VA": ("audio", "video"), "TV": ("text", "video"),
    }  # fmt: skip


def test_judgments_share_the_targets_stem():
    columns = ["val_y_A", "val_y_V", "val_y_AV", "int_y_A", "label_T"]
    found = guess_judgments(columns, ("audio", "video"), "val_y_AV")
    assert found == {"val_y_A": ("audio",), "val_y_V": ("video",)}
    assert guess_judgments(columns, TRIMODAL, "label") == {"label_T": ("text",)}


def test_rating_of_everything_is_found_beside_ratings_of_some():
    assert whole_ratings(PERCEPTION, TRIMODAL) == ("TAV",)
    assert whole_ratings(["val_AV", "TAV"], ("audio", "video")) == ()


def test_levels_of_informativeness_are_words_or_numbers():
    words = pd.Series(["No", "relevant", " sufficient", None])
    assert informativeness_codes(words, where="x").tolist() == [0, 1, 2, -1]
    assert informativeness_codes(pd.Series([0.0, 2.0, float("nan")]), where="x").tolist() == [
        0, 2, -1,
    ]  # fmt: skip
    with pytest.raises(InputError, match=r"^t.csv, column 'i': 'much' is not a level"):
        informativeness_codes(pd.Series(["much"]), where="t.csv, column 'i'")


def test_columns_of_informativeness_name_their_modality():
    columns = ["audio_informativeness", "informativeness_text", "informativeness_x", "audio_1"]
    assert guess_informativeness(columns, TRIMODAL) == {
        "audio": "audio_informativeness", "text": "informativeness_text",
    }  # fmt: skip
