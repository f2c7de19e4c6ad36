"""The simulated study in a workspace, and as files that are imported like a researcher's."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from smurf_core.data.generated.simulated import simulated_affect
from smurf_core.data.importing.assembly import assemble
from smurf_core.data.importing.mapping import read_mapping
from smurf_core.data.media import find_clip, media_coverage
from smurf_core.data.readers.registry import find_sources
from smurf_core.errors import InputError
from smurf_core.runs import studies
from smurf_core.runs.simulated import add_simulated_study, write_simulated_files


def test_the_study_is_made_once_with_its_clips(home):
    first = add_simulated_study(home, samples=60, persons=6)
    assert add_simulated_study(home, samples=60, persons=6) == first
    assert studies.get_study(home, first).origin == "simulated"
    data = studies.load_study(home, first)
    settings = studies.media_of(home, first)
    np.testing.assert_array_equal(media_coverage(settings, data), data.present[:, 0])
    clip = find_clip(settings, data, data.sample_ids[data.present[:, 0]][0])
    assert clip.path.is_relative_to(home.study_folder(first))
    assert clip.end == data.samples["end"].dropna().iloc[0]


def test_its_files_are_imported_as_the_same_study(tmp_path):
    folder = tmp_path / "files"
    written = write_simulated_files(folder, samples=60, persons=6)
    assert [path.name for path in written] == [
        "audio.csv", "clips", "labels.csv", "raters", "study.yaml", "text.csv", "vision.csv",
    ]  # fmt: skip
    sources = find_sources([folder])
    guessed = assemble(sources)
    given = read_mapping(folder / "study.yaml")
    assert replace(guessed.mapping, name=given.name, media_folder="clips", task=given.task) == given
    read = guessed.dataset
    made = simulated_affect(samples=60, persons=6)
    assert set(read.modalities) == set(made.modalities)
    rows = read.positions(made.sample_ids)
    for name, features in made.features.items():
        assert set(read.features[name].names) <= set(features.names)
        same = [features.names.index(column) for column in read.features[name].names]
        np.testing.assert_array_equal(read.features[name].values[rows], features.values[:, same])
    np.testing.assert_allclose(read.target[rows], made.target, atol=1e-3)
    np.testing.assert_array_equal(read.persons[rows], made.persons)
    np.testing.assert_array_equal(read.folds.test[:, rows], made.folds.test)
    for shown, rating in read.judgments.items():
        np.testing.assert_allclose(rating[rows], made.judgments[shown], atol=1e-3)
    assert len(read.judgments) == 6
    for modality, levels in made.informativeness.items():
        np.testing.assert_array_equal(read.informativeness[modality][rows], levels)


def test_every_rater_is_in_the_files_and_no_true_factor(tmp_path):
    write_simulated_files(tmp_path / "files", samples=60, persons=6)
    single = pd.read_csv(tmp_path / "files" / "raters" / "ratings.csv", index_col="sample_id")
    labels = pd.read_csv(tmp_path / "files" / "labels.csv", index_col="sample_id")
    assert {f"valence_ATV_rater{k}" for k in (1, 2, 3)} <= set(single)
    for shown in ("A", "T", "V", "AT", "AV", "TV"):
        mean = single[[f"valence_{shown}_rater{k}" for k in (1, 2, 3)]].mean(axis=1)
        np.testing.assert_allclose(labels[f"valence_{shown}"], mean, atol=1e-3)
    everything = " ".join([*single, *labels])
    assert "u_audio" not in everything
    assert "r_audio" not in everything
    with pytest.raises(InputError, match="exists: name a new folder"):
        write_simulated_files(tmp_path / "files")
