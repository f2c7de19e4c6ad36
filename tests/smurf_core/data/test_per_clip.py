"""One file per sample, and files whose keys are samples."""

import os
import shutil
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from smurf_core.data.importing.assembly import assemble, guess_mapping
from smurf_core.data.importing.tables import read_tables
from smurf_core.data.readers.registry import find_sources
from smurf_core.errors import InputError

SHARED = Path(os.environ.get("SMURF_TEST_DATA", Path(__file__).parents[4] / "shared/data"))
IMPORTS = SHARED / "imports"
needs_imports = pytest.mark.skipif(
    not IMPORTS.is_dir(), reason="the shared folder data/imports is not beside this checkout"
)
RANDOM = np.random.default_rng(0)
CLIPS = {f"c{k}": RANDOM.normal(size=(5 + k, 3)) for k in range(12)}


def labels(folder, **more):
    pd.DataFrame({"clip": list(CLIPS), "valence": RANDOM.normal(size=12)} | more).to_csv(
        folder / "labels.csv", index=False
    )


def table_of(folder, name, **options):
    (found,) = (t for t in read_tables(find_sources([folder]), **options) if t.name == name)
    return found


def test_arrays_of_frames_are_pooled_under_their_files_names(tmp_path):
    labels(tmp_path)
    for name, frames in CLIPS.items():
        np.save(tmp_path / f"{name}.npy", frames)
    table = table_of(tmp_path, "c.npy")
    assert table.frame["sample_id"].tolist() == sorted(CLIPS)
    first = table.frame.set_index("sample_id").loc["c3"]
    np.testing.assert_allclose(first[["mean_0", "mean_1", "mean_2"]].to_numpy(float),
                               CLIPS["c3"].mean(axis=0), rtol=1e-6)  # fmt: skip
    np.testing.assert_allclose(first[["sd_0", "sd_1", "sd_2"]].to_numpy(float),
                               CLIPS["c3"].std(axis=0), rtol=1e-6)  # fmt: skip
    assert len(table_of(tmp_path, "c.npy", rows=4).frame) == 4


def test_files_with_the_modality_in_their_names_are_a_table_of_each(tmp_path):
    labels(tmp_path)
    for name, frames in CLIPS.items():
        np.save(tmp_path / f"{name}_audio.npy", frames.mean(axis=0))
        np.save(tmp_path / f"{name}_face.npy", frames[0])
    assembly = assemble(find_sources([tmp_path]))
    assert assembly.dataset.modalities == ("audio", "face")
    at = assembly.dataset.sample_ids.tolist().index("c7")
    np.testing.assert_allclose(
        assembly.dataset.features["face"].values[at], CLIPS["c7"][0], rtol=1e-6
    )


def test_files_of_numbers_that_name_no_sample_stay_tables(tmp_path):
    for name in ("audio", "face", "text"):
        np.save(tmp_path / f"{name}.npy", RANDOM.normal(size=(12, 3)))
    for layer in range(6):
        np.save(tmp_path / f"layer{layer}.npy", RANDOM.normal(size=(12, 4)))
    names = [table.name for table in read_tables(find_sources([tmp_path]))]
    assert names == ["audio.npy", "face.npy", "text.npy", *(f"layer{k}.npy" for k in range(6))]


def test_files_of_rows_that_have_their_own_ids_stay_tables(tmp_path):
    """One file per person with one row per trial is no file per sample."""
    for person in range(6):
        pd.DataFrame({"trial": range(4), "audio_x": range(4)}).to_csv(
            tmp_path / f"p{person}.csv", index=False
        )
    assert len(read_tables(find_sources([tmp_path]))) == 6


def test_keys_of_archives_that_are_no_ids_stay_columns(tmp_path):
    np.savez(tmp_path / "a.npz", **{f"f{k}": RANDOM.normal(size=12) for k in range(6)})
    labels(tmp_path)
    assert list(table_of(tmp_path, "a.npz").frame.columns) == [f"f{k}" for k in range(6)]


@pytest.mark.parametrize("is_grouped", [False, True])
def test_keys_of_hdf5_are_ids(is_grouped, tmp_path):
    labels(tmp_path)
    with h5py.File(tmp_path / "bert.h5", "w") as file:
        for name, frames in CLIPS.items():
            file[f"{name}/embedding" if is_grouped else name] = frames[0]
    table = table_of(tmp_path, "bert.h5").frame.set_index("sample_id")
    np.testing.assert_array_equal(table.loc["c5"], CLIPS["c5"][0])


def test_arrays_of_unequal_width_are_refused_by_name(tmp_path):
    labels(tmp_path)
    arrays = {name: frames[0] for name, frames in CLIPS.items()}
    np.savez(tmp_path / "a.npz", **arrays | {"c4": np.ones(7)})
    with pytest.raises(InputError, match=r"a\.npz: its 12 arrays need one vector per sample"):
        read_tables(find_sources([tmp_path]))


def merged(case, features):
    """Pooled by numpy, and merged by pandas on the name."""
    found = pd.read_csv(IMPORTS / case / "labels.csv")
    rows = np.stack([features(IMPORTS / case, clip) for clip in found["clip"]])
    return found, rows


def npy(folder, clip):
    frames = np.load(folder / f"{clip}.npy")
    return np.concatenate([frames.mean(axis=0), frames.std(axis=0)])


@needs_imports
def test_case_14_of_arrays_per_clip():
    sources = find_sources([IMPORTS / "14_npy_per_clip"])
    dataset = assemble(sources, guess_mapping(sources)).dataset
    found, rows = merged("14_npy_per_clip", npy)
    assert dataset.sample_ids.tolist() == found["clip"].tolist()
    np.testing.assert_allclose(dataset.features["clip"].values, rows, rtol=1e-5)
    np.testing.assert_allclose(dataset.target, found["valence"], rtol=1e-6)


@needs_imports
def test_case_40_of_frames_per_clip():
    dataset = assemble(find_sources([IMPORTS / "40_csv_of_frames_per_clip"])).dataset
    found, rows = merged(
        "40_csv_of_frames_per_clip",
        lambda folder, clip: pd.read_csv(folder / f"{clip}.csv").drop(columns="time").mean(),
    )
    assert dataset.sample_ids.tolist() == found["clip"].tolist()
    features = dataset.features["clip"]
    means = [k for k, name in enumerate(features.names) if name.endswith("_mean")]
    np.testing.assert_allclose(features.values[:, means], rows, rtol=1e-5)


@needs_imports
def test_case_54_of_keys_that_are_clips():
    dataset = assemble(find_sources([IMPORTS / "54_arrays_keyed_by_clip"])).dataset
    archive = np.load(IMPORTS / "54_arrays_keyed_by_clip" / "wav2vec.npz")
    found, rows = merged("54_arrays_keyed_by_clip", lambda folder, clip: archive[clip])
    order = [found["clip"].tolist().index(name) for name in dataset.sample_ids]
    np.testing.assert_allclose(dataset.features["wav2vec"].values, rows[order], rtol=1e-6)
    np.testing.assert_allclose(dataset.target, found["valence"][order], rtol=1e-6)


@needs_imports
def test_case_63_of_arrays_of_equal_length_is_read_by_name(tmp_path):
    for path in (IMPORTS / "63_npy_per_clip_same_length").glob("*.npy"):
        shutil.copy(path, tmp_path)
    (table,) = read_tables(find_sources([tmp_path]))
    assert table.frame["sample_id"].tolist() == [f"clip{k:03d}" for k in range(14)]
    np.testing.assert_allclose(
        table.frame.loc[3].iloc[1:].to_numpy(float), npy(tmp_path, "clip003"), rtol=1e-5
    )
