"""Columns that a mapping needs, and what an error says about those that cannot be features."""

import pandas as pd
import pytest

from smurf_core.data.importing.assembly import assemble
from smurf_core.data.importing.guessing import guess_mapping
from smurf_core.data.readers.registry import find_sources
from smurf_core.errors import InputError


def test_without_modalities_the_error_names_columns_that_only_count_rows(tmp_path):
    pd.DataFrame({
        "id": [f"c{k}" for k in range(20)], "audio_1": range(20), "video_1": range(1, 21),
        "label": [(k * 7 % 20) / 3 for k in range(20)],
    }).to_csv(tmp_path / "study.csv", index=False)  # fmt: skip
    sources = find_sources([tmp_path])
    with pytest.raises(InputError) as error:
        assemble(sources, guess_mapping(sources))
    assert "at least 2 modalities are needed" in str(error.value)
    assert "audio_1 (counts the rows), video_1 (counts the rows)" in str(error.value)


def test_a_numbered_feature_of_a_modality_is_no_recording(tmp_path):
    pd.DataFrame({
        "sample_id": list("abcdefghijkl"), "audio_1": [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8],
        "video_1": [2, 7, 1, 8, 2, 8, 1, 8, 2, 8, 4, 5], "label": [k / 7 for k in range(12)],
    }).to_csv(tmp_path / "study.csv", index=False)  # fmt: skip
    mapping = guess_mapping(find_sources([tmp_path]))
    assert mapping.person == ""
    assert mapping.modalities == {"audio": ("audio_*",), "video": ("video_*",)}
