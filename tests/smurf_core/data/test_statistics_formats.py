"""SPSS, Stata, R and MATLAB: what the original libraries write is read back equal."""

import gzip
import os
import shutil
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pyreadstat
import pytest
import rdata
import scipy.io

from smurf_core.data.importing.assembly import assemble, guess_mapping
from smurf_core.data.readers.registry import find_sources, read
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError

SHARED = Path(os.environ.get("SMURF_TEST_DATA", Path(__file__).parents[4] / "shared/data"))
IMPORTS = SHARED / "imports"
needs_imports = pytest.mark.skipif(
    not IMPORTS.is_dir(), reason="the shared folder data/imports is not beside this checkout"
)
IDS = [f"c{k}" for k in range(6)]
NUMBERS = np.random.default_rng(0).normal(size=(6, 3))


def tables(path, **options):
    return read(SourceFile(path.name, path), **options)


def said(table):
    return " ".join(str(problem) for problem in table.problems)


# SPSS and Stata


def coded(size=4):
    return pd.DataFrame(
        {
            "clip": IDS[:size],
            "emotion": [1.0, 2.0, 1.0, 9.0],
            "age": [20.0, 99.0, 31.5, 98.5],
            "scale": [1.0, 5.0, 3.0, np.nan],
        }
    )


@pytest.mark.parametrize(("suffix", "compressed"), [("sav", False), ("zsav", True)])
def test_spss_labels_become_classes_and_missing_codes_missing(suffix, compressed, tmp_path):
    path = tmp_path / f"labels.{suffix}"
    pyreadstat.write_sav(
        coded(),
        path,
        compress=compressed,
        variable_value_labels={
            "emotion": {1: "happy", 2: "sad", 9: "not coded"},
            "scale": {1: "not at all", 5: "very"},
        },
        missing_ranges={"emotion": [9], "age": [{"lo": 98, "hi": 99}]},
    )
    (table,) = tables(path)
    assert table.frame["clip"].tolist() == IDS[:4]
    assert table.frame["emotion"].tolist()[:3] == ["happy", "sad", "happy"]
    assert pd.isna(table.frame["emotion"][3])
    np.testing.assert_array_equal(table.frame["age"], [20, np.nan, 31.5, np.nan])
    # A scale with names at its ends stays a number.
    assert table.frame["scale"].tolist()[:3] == [1, 5, 3]
    assert "3 cells of emotion, age contain codes that the file declares as missing" in said(table)
    assert "all values of emotion have labels" in said(table)
    (preview,) = tables(path, rows=2)
    assert preview.frame["emotion"].tolist() == ["happy", "sad"]


def test_labels_of_an_spss_scale_stay_numbers(tmp_path):
    labels = {"emotion": {1: "low", 2: "mid", 9: "high"}}
    pyreadstat.write_sav(
        coded(), tmp_path / "a.sav", variable_value_labels=labels,
        variable_measure={"emotion": "scale"},
    )  # fmt: skip
    (table,) = tables(tmp_path / "a.sav")
    assert table.frame["emotion"].tolist() == [1, 2, 1, 9]


def test_stata_letters_are_missing_and_labels_classes(tmp_path):
    frame = coded().assign(emotion=[1, 2, 1, "a"])
    pyreadstat.write_dta(
        frame, tmp_path / "a.dta",
        variable_value_labels={"emotion": {1: "happy", 2: "sad", "a": "not coded"}},
        missing_user_values={"emotion": ["a"]},
    )  # fmt: skip
    (table,) = tables(tmp_path / "a.dta")
    assert table.frame["emotion"].tolist()[:3] == ["happy", "sad", "happy"]
    assert pd.isna(table.frame["emotion"][3])
    assert "1 cells of emotion contain codes" in said(table)


@pytest.mark.parametrize("version", [114, 117, 118, 119])
def test_stata_files_of_each_version_are_read_back_equal(version, tmp_path):
    frame = pd.DataFrame(NUMBERS, columns=["a", "b", "c"]).assign(
        clip=IDS, emotion=pd.Categorical(["calm", "tense"] * 3)
    )
    frame.to_stata(tmp_path / "a.dta", version=version, write_index=False)
    (table,) = tables(tmp_path / "a.dta")
    np.testing.assert_array_equal(table.frame[["a", "b", "c"]], NUMBERS)
    assert table.frame["clip"].tolist() == IDS
    assert table.frame["emotion"].tolist() == ["calm", "tense"] * 3


@needs_imports
def test_spss_labels_beside_csv_features_join(tmp_path):
    features = IMPORTS / "43_sav_labels"
    for name in ("audio.csv", "video.csv"):
        shutil.copy(features / name, tmp_path / name)
    clips = pd.read_csv(features / "audio.csv")["clip"]
    labels = pd.DataFrame({"clip": clips, "emotion": np.arange(len(clips)) % 2 + 1.0})
    pyreadstat.write_sav(
        labels, tmp_path / "labels.sav", variable_value_labels={"emotion": {1: "calm", 2: "tense"}}
    )
    assembly = assemble(find_sources([tmp_path]))
    assert assembly.dataset.class_names == ("calm", "tense")
    assert [join.matched for join in assembly.joins] == [60, 60, 60]
    assert assembly.dataset.class_names[assembly.dataset.target[1]] == "tense"


@needs_imports
def test_a_file_that_is_spss_only_in_its_first_line_is_refused_by_its_name():
    # Case 43 is a header of SPSS and random bytes: there is nothing to read.
    with pytest.raises(InputError, match=r"labels\.sav is damaged or not a file of SPSS"):
        assemble(find_sources([IMPORTS / "43_sav_labels"]))


# R


PLAIN = pd.StringDtype("python")  # The only text of pandas 3 that rdata 1.1 writes.


def test_r_data_frame_by_rdata_is_read_back_equal(tmp_path):
    frame = pd.DataFrame(NUMBERS, columns=["a", "b", "c"]).assign(
        clip=pd.array(IDS, dtype=PLAIN),
        emotion=pd.Categorical(np.array(["calm", "tense"] * 3, object)),
    )
    rdata.write_rds(tmp_path / "a.rds", frame)
    (table,) = tables(tmp_path / "a.rds")
    np.testing.assert_array_equal(table.frame[["a", "b", "c"]], NUMBERS)
    assert table.frame["clip"].tolist() == IDS
    assert table.frame["emotion"].tolist() == ["calm", "tense"] * 3
    (preview,) = tables(tmp_path / "a.rds", rows=2)
    assert len(preview.frame) == 2


R_WORKSPACE = """
d <- data.frame(clip = c("c1", "c2", "c3"), emotion = factor(c("happy", NA, "sad")),
  x = c(1.5, NA, -2), k = c(1L, 2L, NA), ok = c(TRUE, FALSE, NA),
  when = as.Date("2020-01-02") + 0:2, stringsAsFactors = FALSE)
m <- matrix(1:6 / 10, 3, dimnames = list(c("c1", "c2", "c3"), c("a", "b")))
f <- function(x) x + 1
fit <- lm(dist ~ speed, cars)
save(d, m, f, file = "all.rda")
saveRDS(d, "xz.rds", compress = "xz"); saveRDS(d, "bz.rds", compress = "bzip2")
saveRDS(d, "text.rds", ascii = TRUE); saveRDS(m, "m.rds"); saveRDS(f, "f.rds")
saveRDS(1:3000000000, "endless.rds")
"""


@pytest.fixture(scope="module")
def from_r(tmp_path_factory):
    if shutil.which("Rscript") is None:
        pytest.skip("Rscript is not installed")
    folder = tmp_path_factory.mktemp("r")
    subprocess.run(["Rscript", "-e", R_WORKSPACE], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("name", ["xz.rds", "bz.rds", "text.rds", "all.rda"])
def test_frames_that_r_itself_saves_are_read(name, from_r):
    table = tables(from_r / name)[0]
    assert table.frame["clip"].tolist() == ["c1", "c2", "c3"]
    assert table.frame["emotion"].isna().tolist() == [False, True, False]
    np.testing.assert_array_equal(table.frame["x"], [1.5, np.nan, -2])
    assert table.frame["k"].tolist()[:2] == [1, 2]
    assert table.frame["k"].isna().tolist() == [False, False, True]
    assert table.frame["when"].tolist() == ["2020-01-02", "2020-01-03", "2020-01-04"]


def test_a_workspace_of_r_gives_its_tables_and_names_what_it_leaves_out(from_r):
    frame, matrix = tables(from_r / "all.rda")
    assert (frame.name, matrix.name) == ("all.rda:d", "all.rda:m")
    assert "f contain no table" in said(frame)
    assert matrix.frame["sample_id"].tolist() == ["c1", "c2", "c3"]
    assert matrix.frame["b"].tolist() == [0.4, 0.5, 0.6]


@pytest.mark.parametrize("name", ["f.rds", "endless.rds"])
def test_what_is_no_table_in_r_is_refused(name, from_r):
    with pytest.raises(InputError, match=name):
        tables(from_r / name)


# MATLAB


def cells(items):
    made = np.empty(len(items), dtype=object)
    made[:] = items
    return made


@pytest.mark.parametrize("compressed", [False, True])
def test_matlab_matrix_with_names_and_ids_is_read_back_equal(compressed, tmp_path):
    scipy.io.savemat(
        tmp_path / "physio.mat",
        {"ids": cells(IDS), "X": NUMBERS, "fs": 100.0, "X_names": cells(["p", "q", "r"])},
        do_compression=compressed,
    )
    (table,) = tables(tmp_path / "physio.mat")
    assert list(table.frame.columns) == ["ids", "p", "q", "r"]
    assert table.frame["ids"].tolist() == IDS
    np.testing.assert_array_equal(table.frame[["p", "q", "r"]], NUMBERS)
    (preview,) = tables(tmp_path / "physio.mat", rows=2)
    assert preview.frame["ids"].tolist() == IDS[:2]


def test_matlab_structure_with_a_column_per_sample_is_turned(tmp_path):
    scipy.io.savemat(
        tmp_path / "a.mat", {"data": {"x": NUMBERS.T, "clip": cells(IDS), "y": np.arange(6)}}
    )
    (table,) = tables(tmp_path / "a.mat")
    np.testing.assert_array_equal(table.frame[["x_0", "x_1", "x_2"]], NUMBERS)
    assert table.frame["y"].tolist() == list(range(6))
    assert "one column per sample" in said(table)


@pytest.mark.parametrize("kind", ["u1", "i2", "u4", "i8", "f4", "f8", "?"])
def test_matlab_numbers_of_each_class_are_read_back_equal(kind, tmp_path):
    values = (np.arange(12) % 5).reshape(6, 2).astype(kind)
    scipy.io.savemat(tmp_path / "a.mat", {"x": values})
    (table,) = tables(tmp_path / "a.mat")
    np.testing.assert_array_equal(table.frame.to_numpy(dtype=float), values.astype(float))


def test_matlab_sequences_and_sparse_matrices_and_rows_of_text_are_read(tmp_path):
    sequences = [np.full((2 + k, 2), k + 1.0) for k in range(6)]
    sparse = scipy.sparse.csc_matrix(np.eye(6))
    names = np.array(["é1 ", "b2 ", "c33", "d", "e", "f"])
    scipy.io.savemat(tmp_path / "a.mat", {"s": cells(sequences), "e": sparse, "clip": names})
    (table,) = tables(tmp_path / "a.mat")
    assert table.frame["s_mean_1"].tolist() == [1, 2, 3, 4, 5, 6]
    np.testing.assert_array_equal(table.frame[[f"e_{k}" for k in range(6)]], np.eye(6))
    assert table.frame["clip"].tolist() == ["é1", "b2", "c33", "d", "e", "f"]


def hdf5_matlab(path):
    """A file as MATLAB's save -v7.3 lays it out: columns first, cells as references."""
    with h5py.File(path, "w", userblock_size=512) as file:
        made = file.create_dataset("X", data=NUMBERS.T)
        made.attrs["MATLAB_class"] = np.bytes_("double")
        references = file.create_group("#refs#")
        ids = file.create_dataset("ids", (6, 1), dtype=h5py.ref_dtype)
        ids.attrs["MATLAB_class"] = np.bytes_("cell")
        for row, name in enumerate(IDS):
            letters = np.array([[ord(letter)] for letter in name], dtype=np.uint16)
            text = references.create_dataset(f"r{row}", data=letters)
            text.attrs["MATLAB_class"] = np.bytes_("char")
            ids[row, 0] = text.ref
        struct = file.create_group("rating")
        struct.attrs["MATLAB_class"] = np.bytes_("struct")
        values = struct.create_dataset("valence", data=np.arange(6.0)[None])
        values.attrs["MATLAB_class"] = np.bytes_("double")
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\0\2IM")


def test_matlab_73_is_read_like_the_older_format(tmp_path):
    hdf5_matlab(tmp_path / "a.mat")
    (table,) = tables(tmp_path / "a.mat")
    assert table.frame["ids"].tolist() == IDS
    np.testing.assert_array_equal(table.frame[["X_0", "X_1", "X_2"]], NUMBERS)
    assert table.frame["rating_valence"].tolist() == list(range(6))


@needs_imports
def test_folder_with_a_matlab_file_gives_every_modality():
    sources = find_sources([IMPORTS / "13_mat_beside_csv"])
    assembly = assemble(sources, guess_mapping(sources))
    widths = {m: f.values.shape[1] for m, f in assembly.dataset.features.items()}
    assert widths == {"audio": 4, "eda": 3, "hrv": 3, "physio": 5, "video": 3}
    assert [join.matched for join in assembly.joins] == [60] * 6
    held = scipy.io.loadmat(IMPORTS / "13_mat_beside_csv" / "physio.mat", squeeze_me=True)
    ids = [str(name) for name in held["ids"]]
    order = [ids.index(name) for name in assembly.dataset.sample_ids]
    np.testing.assert_allclose(
        assembly.dataset.features["physio"].values, held["X"][order], rtol=1e-6
    )


# Broken bytes


def written(folder):
    """One good file of each format."""
    frame = pd.DataFrame({"clip": IDS, "emotion": [1.0, 2.0] * 3, "x": NUMBERS[:, 0]})
    pyreadstat.write_sav(frame, folder / "a.sav")
    pyreadstat.write_sav(frame, folder / "a.zsav", compress=True)
    frame.to_stata(folder / "new.dta", version=118)
    frame.to_stata(folder / "old.dta", version=114)
    rdata.write_rds(folder / "a.rds", frame.astype({"clip": PLAIN}))
    (folder / "plain.rds").write_bytes(gzip.decompress((folder / "a.rds").read_bytes()))
    scipy.io.savemat(folder / "plain.mat", {"ids": cells(IDS), "s": {"x": NUMBERS}})
    scipy.io.savemat(folder / "packed.mat", {"ids": cells(IDS), "x": NUMBERS}, do_compression=True)
    hdf5_matlab(folder / "new.mat")
    return sorted(folder.iterdir())


def test_cut_off_and_changed_files_are_read_or_refused_with_a_sentence(tmp_path):
    random = np.random.default_rng(1)
    refused: list[str] = []
    for path in written(tmp_path):
        content = path.read_bytes()
        # The library for SPSS and Stata runs in a process of its own, which takes a second.
        for _ in range(3 if path.suffix in (".sav", ".zsav", ".dta") else 150):
            changed = bytearray(content)
            if random.random() < 0.3:
                changed = changed[: random.integers(1, len(content))]
            else:
                for place in random.integers(0, len(content), random.integers(1, 9)):
                    changed[place] = random.integers(256)
            path.write_bytes(bytes(changed))
            try:
                tables(path)
            except InputError as error:
                refused.append(str(error))
    assert len(refused) > 300
    assert [message for message in refused if "\n" in message or len(message) > 400] == []


def test_a_file_that_ends_the_library_s_process_is_refused(tmp_path, monkeypatch):
    """Damaged files made pyreadstat 1.3.7 read beyond its memory, which ended the app."""
    monkeypatch.setattr("sys.executable", shutil.which("false") or "/bin/false")
    pyreadstat.write_sav(coded(), tmp_path / "a.sav")
    with pytest.raises(InputError, match=r"a\.sav is damaged or not a file of SPSS"):
        tables(tmp_path / "a.sav")


def test_what_unpacks_to_more_than_the_limit_is_refused(tmp_path, monkeypatch):
    for module in ("matlab_binary", "r_data"):
        monkeypatch.setattr(f"smurf_core.data.readers.{module}.MAX_UNPACKED_BYTES", 100_000)
    scipy.io.savemat(tmp_path / "a.mat", {"x": np.zeros((500, 100))}, do_compression=True)
    rdata.write_rds(tmp_path / "a.rds", pd.DataFrame({"x": np.zeros(50_000)}))
    for name in ("a.mat", "a.rds"):
        with pytest.raises(InputError, match="would unpack to more than"):
            tables(tmp_path / name)
