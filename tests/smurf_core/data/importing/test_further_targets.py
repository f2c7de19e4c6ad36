"""Several targets of one study: valence, arousal with gaps, and a mood in classes."""

import numpy as np
import pandas as pd
import pytest

from smurf_core.data.importing.assembly import assemble, guess_mapping
from smurf_core.data.importing.mapping import StudyMapping
from smurf_core.data.readers.registry import find_sources
from smurf_core.errors import InputError

N = 40


@pytest.fixture
def read(tmp_path):
    """Imports a table with these targets; a column of features is a code of `mood`."""
    random = np.random.default_rng(0)
    numbers = {name: random.normal(size=N).round(3) for name in
               ("audio_a", "audio_b", "video_a", "video_b")}  # fmt: skip
    table = pd.DataFrame({
        "clip": [f"c{k:02d}" for k in range(N)],
        "person": [f"p{k // 4}" for k in range(N)],
        "test_fold": np.arange(N) // 4 % 5,
        "valence": random.normal(size=N).round(3),
        "arousal": np.where(np.arange(N) < 5, np.nan, random.normal(size=N).round(3)),
        "mood": np.array(["calm", "tense"])[random.integers(0, 2, N)],
        **numbers,
    })  # fmt: skip
    table["audio_mark"] = (table["mood"] == "tense").astype(int) + 3
    table.to_csv(tmp_path / "study.csv", index=False)

    def made(*targets):
        sources = find_sources([tmp_path])
        known = StudyMapping(target=targets[0], targets=targets[1:])
        return assemble(sources, guess_mapping(sources, known))

    return made


def test_a_further_target_gives_the_data_set_that_an_import_of_it_alone_gives(read):
    everything = read("valence", "arousal", "mood").dataset
    for name in ("arousal", "mood"):
        alone, chosen = read(name).dataset, everything.with_target(name)
        assert (chosen.task, chosen.class_names) == (alone.task, alone.class_names)
        np.testing.assert_array_equal(chosen.target, alone.target)
        np.testing.assert_array_equal(chosen.sample_ids, alone.sample_ids)
        np.testing.assert_array_equal(chosen.persons, alone.persons)
        np.testing.assert_array_equal(chosen.folds.test, alone.folds.test)
    assert everything.with_target("mood").fingerprint == read("mood").dataset.fingerprint
    assert everything.with_target("valence") is everything


def test_samples_without_a_further_target_are_left_out_where_it_is_predicted(read):
    assembly = read("valence", "arousal")
    assert len(assembly.dataset) == N
    assert "5 of 40 samples have no value of this target" in " ".join(map(str, assembly.problems))
    arousal = assembly.dataset.with_target("arousal")
    assert arousal.sample_ids.tolist() == [f"c{k:02d}" for k in range(5, N)]
    assert arousal.samples.index.tolist() == arousal.sample_ids.tolist()


def test_no_target_and_no_code_of_one_is_a_feature(read):
    assembly = read("valence", "arousal", "mood")
    assert assembly.dataset.features["audio"].names == ("audio_a", "audio_b")
    problems = " ".join(map(str, assembly.problems))
    assert "audio_mark gives away the target 'mood'" in problems


def test_an_unknown_target_is_named_with_those_that_exist(read):
    with pytest.raises(InputError, match="no target 'joy', only valence, arousal"):
        read("valence", "arousal").dataset.with_target("joy")
