"""The field's own formats: files by the real tool where it can be had, else laid out as it does."""

import json
import pickle
import sys
import types
import wave
import zipfile

import h5py
import numpy as np
import pandas as pd
import pytest

from smurf_core.data.importing.assembly import StudyMapping, assemble
from smurf_core.data.importing.tables import read_tables
from smurf_core.data.readers.frames import ReadingOptions
from smurf_core.data.readers.pooling import pool
from smurf_core.data.readers.registry import find_sources
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError


def tables_of(*paths, **options):
    return read_tables(find_sources(paths), **options)


def reported(problems):
    return " ".join(str(problem) for problem in problems)


# openSMILE


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """A tone of 3 s whose pitch rises, as a WAV file."""
    path = tmp_path_factory.mktemp("tone") / "clip_a.wav"
    time = np.arange(48_000) / 16_000
    samples = (8000 * np.sin(2 * np.pi * (150 + 20 * time) * time)).astype(np.int16)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(samples.tobytes())
    return path


def test_functionals_by_opensmile_are_read_back_equal(recording, tmp_path):
    opensmile = pytest.importorskip("opensmile", reason="opensmile is not installed")
    features = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02).process_file(str(recording))
    features.to_csv(tmp_path / "audio.csv")
    (table,) = tables_of(tmp_path / "audio.csv")
    assert table.modality == "audio"
    assert table.frame["sample_id"].tolist() == ["clip_a"]
    np.testing.assert_allclose(table.frame[features.columns], features.to_numpy(), rtol=1e-6)


def test_descriptors_by_opensmile_are_summarised(recording, tmp_path):
    opensmile = pytest.importorskip("opensmile", reason="opensmile is not installed")
    smile = opensmile.Smile(
        opensmile.FeatureSet.eGeMAPSv02, feature_level=opensmile.FeatureLevel.LowLevelDescriptors
    )
    frames = smile.process_file(str(recording))
    frames.to_csv(tmp_path / "audio.csv")
    (table,) = tables_of(tmp_path / "audio.csv")
    assert table.frame["sample_id"].tolist() == ["clip_a"]
    loudness = frames["Loudness_sma3"]
    assert table.frame["Loudness_sma3_mean"][0] == pytest.approx(loudness.mean(), rel=1e-5)
    assert table.frame["Loudness_sma3_sd"][0] == pytest.approx(loudness.std(ddof=0), rel=1e-5)
    assert table.frame["Loudness_sma3_p90"][0] == pytest.approx(loudness.quantile(0.9), rel=1e-5)


SMILE_HEADER = "name;frameTime;pitch;loudness\n"


def test_functionals_of_the_command_line_tool_are_rows_of_named_clips(tmp_path):
    (tmp_path / "a.csv").write_text(SMILE_HEADER + "'x/u1.wav';0.0;1.5;2\n'x/u2.wav';0.0;2.5;3\n")
    (table,) = tables_of(tmp_path / "a.csv")
    assert table.frame["sample_id"].tolist() == ["u1", "u2"]
    assert list(table.frame.columns) == ["sample_id", "pitch", "loudness"]
    assert table.options["delimiter"] == "semicolon"


def test_functionals_in_a_file_per_clip_become_one_table_named_after_the_files(tmp_path):
    for name, pitch in (("u1", 1.0), ("u2", 2.0), ("u3", 4.0)):
        (tmp_path / f"{name}.csv").write_text(SMILE_HEADER + f"'unknown';0.0;{pitch};2\n")
    (table,) = tables_of(tmp_path)
    assert table.frame["sample_id"].tolist() == ["u1", "u2", "u3"]
    assert table.frame["pitch"].tolist() == [1, 2, 4]
    assert table.parts == (("u1.csv", 1), ("u2.csv", 1), ("u3.csv", 1))


def test_descriptors_of_the_command_line_tool_are_summarised_a_clip(tmp_path):
    rows = [f"'{clip}';{0.01 * k};{start + 2 * 0.01 * k};1"
            for clip, start in (("u1", 5), ("u2", 7)) for k in range(50)]  # fmt: skip
    (tmp_path / "a.csv").write_text(SMILE_HEADER + "\n".join(rows))
    (table,) = tables_of(tmp_path / "a.csv")
    assert table.frame["sample_id"].tolist() == ["u1", "u2"]
    # Means of 0 … 0.98 in steps of 0.02 above 5 and 7; the slope is 2 a second.
    np.testing.assert_allclose(table.frame["pitch_mean"], [5.49, 7.49])
    np.testing.assert_allclose(table.frame["pitch_slope"], [2, 2])


def test_arff_of_opensmile_is_read_with_its_class(tmp_path):
    (tmp_path / "a.arff").write_text(
        "% made by hand\n@relation openSMILE\n@attribute name string\n"
        "@attribute frameTime numeric\n"
        "@attribute pitch numeric\n@attribute class {calm,tense}\n@data\n\n"
        "'u1',0.0,1.5e+0,calm\n'u2',0.0,?,tense\n"
    )
    (table,) = tables_of(tmp_path / "a.arff")
    assert table.frame["sample_id"].tolist() == ["u1", "u2"]
    assert table.frame["class"].tolist() == ["calm", "tense"]
    np.testing.assert_array_equal(table.frame["pitch"], [1.5, np.nan])


@pytest.mark.parametrize(
    "text",
    [
        "File,Start,End,pitch\nu1,0,1,1.5\nu2,0,1,2.5\n",
        "Name;FrameTime;pitch\nu1;0;1.5\nu2;0;2.5\n",
    ],
)
def test_columns_in_other_letters_are_a_plain_table(tmp_path, text):
    (tmp_path / "a.csv").write_text(text)
    (table,) = tables_of(tmp_path / "a.csv")
    assert table.frame.iloc[:, 0].tolist() == ["u1", "u2"]
    assert table.frame["pitch"].tolist() == [1.5, 2.5]


def test_a_table_that_lost_its_column_of_files_is_refused_in_a_sentence(tmp_path):
    """The names stand again below, in other words, so the table begins there."""
    rows = [f"u{k}.wav,0 days,0 days 00:00:01,{k}.5,{k}" for k in range(12)]
    above = ["file,start,end,pitch,loudness,jitter,shimmer", "clip,from,to,pitch,loudness"]
    (tmp_path / "a.csv").write_text("\n".join([*above, *rows]))
    with pytest.raises(InputError, match=r"^a\.csv begins with openSMILE's columns, but its table"):
        tables_of(tmp_path / "a.csv")


# OpenFace


def openface(path, rows, separator=","):
    """A file as FeatureExtraction writes it; older versions have a blank after every comma."""
    names = ["frame", "timestamp", "confidence", "success", "gaze_0_x", "x_0", "AU12_r", "AU12_c"]
    lines = [separator.join(names)] + [separator.join(f"{v:g}" for v in row) for row in rows]
    path.write_text("\n".join(lines) + "\n")


def frames(seconds, rate=10, **override):
    """AU12 rises by 0.5 a second; it is on in the second half."""
    rows = []
    for k in range(int(seconds * rate)):
        t = k / rate
        rows.append([k + 1, t, 0.98, 1, 0.1, 500, 0.5 * t, float(t >= seconds / 2)])
    return rows


@pytest.mark.parametrize("separator", [",", ", "])
def test_openface_frames_become_statistics(separator, tmp_path):
    openface(tmp_path / "u1.csv", frames(4), separator)
    (table,) = tables_of(tmp_path / "u1.csv")
    row = table.frame.iloc[0]
    values = 0.05 * np.arange(40)
    assert row["sample_id"] == "u1"
    assert row["AU12_r_mean"] == pytest.approx(values.mean())
    assert row["AU12_r_sd"] == pytest.approx(values.std())
    assert row["AU12_r_p90"] == pytest.approx(np.quantile(values, 0.9))
    assert row["AU12_r_slope"] == pytest.approx(0.5)
    assert row["AU12_c_share"] == 0.5
    assert "x_0_mean" not in table.frame
    assert "1 columns of single landmarks" in reported(table.problems)


def test_frames_that_were_not_tracked_are_left_out_and_counted(tmp_path):
    rows = frames(4)
    for k in range(10):  # half of the first second failed, half is doubtful
        rows[k][3 if k < 5 else 2] = 0 if k < 5 else 0.7
        rows[k][6] = 99
    openface(tmp_path / "u1.csv", rows)
    (table,) = tables_of(tmp_path / "u1.csv")
    assert table.frame["AU12_r_mean"][0] == pytest.approx(0.05 * np.arange(10, 40).mean())
    assert "10 of 40 frames were not tracked well enough" in reported(table.problems)
    (table,) = tables_of(tmp_path / "u1.csv", options=ReadingOptions(confidence=0.6))
    assert "5 of 40 frames" in reported(table.problems)
    assert table.options["confidence"] == "0.6"
    (table,) = tables_of(tmp_path / "u1.csv", options=ReadingOptions(frames=31))
    assert np.isnan(table.frame["AU12_r_mean"][0])
    assert "1 of 1 samples have no frame that counts (u1)" in reported(table.problems)


def test_most_frequent_face_is_used(tmp_path):
    names = "frame,face_id,timestamp,confidence,success,AU12_r"
    rows = [f"{k},{int(k % 3 == 0)},{k / 10},0.9,1,{9 if k % 3 == 0 else 1}" for k in range(30)]
    (tmp_path / "u1.csv").write_text("\n".join([names, *rows]))
    (table,) = tables_of(tmp_path / "u1.csv")
    assert table.frame["AU12_r_mean"][0] == 1


def test_long_recording_is_cut_by_the_table_with_start_and_end(tmp_path):
    openface(tmp_path / "session.csv", frames(8))
    pd.DataFrame(
        {"id": ["a", "b", "c"], "start": [0.0, 2.0, 9.0], "end": [2.0, 4.0, 9.5],
         "label": [1.0, 2.0, 3.0]}
    ).to_csv(tmp_path / "labels.csv", index=False)  # fmt: skip
    labels, video = tables_of(tmp_path)
    assert list(labels.frame.columns) == ["id", "start", "end", "label"]
    assert video.frame["id"].tolist() == ["a", "b", "c"]
    steps = 0.05 * np.arange(80)
    expected = [steps[:20].mean(), steps[20:40].mean(), np.nan]
    np.testing.assert_allclose(video.frame["AU12_r_mean"], expected)
    assert "1 of 3 samples have no frame that counts (c)" in reported(video.problems)
    assert video.options["samples"] == "cut by labels.csv"


def test_recordings_are_cut_where_the_table_names_them_and_samples_get_ids(tmp_path):
    for name in ("s1", "s2"):
        openface(tmp_path / f"{name}.csv", frames(4))
    pd.DataFrame(
        {"recording": ["s1.mp4", "s1.mp4", "s2.mp4"], "start": [0.0, 2.0, 1.0],
         "end": [2.0, 4.0, 2.0], "label": [1.0, 2.0, 3.0]}
    ).to_csv(tmp_path / "labels.csv", index=False)  # fmt: skip
    labels, video = tables_of(tmp_path)
    assert labels.frame["sample_id"].tolist() == ["s1[0]", "s1[1]", "s2[0]"]
    assert video.frame["sample_id"].tolist() == ["s1[0]", "s1[1]", "s2[0]"]
    np.testing.assert_allclose(video.frame["AU12_c_share"], [0, 1, 0])


def test_clips_of_one_utterance_each_are_not_cut_by_times_of_the_long_recording(tmp_path):
    for name in ("a", "b"):
        openface(tmp_path / f"{name}.csv", frames(2))
    pd.DataFrame({"id": ["a", "b"], "start": [100.0, 102.0], "end": [102.0, 104.0]}).to_csv(
        tmp_path / "labels.csv", index=False
    )
    _, video = tables_of(tmp_path)
    np.testing.assert_allclose(video.frame["AU12_c_share"], [0.5, 0.5])
    assert "start and end are outside of 2 recordings" in reported(video.problems)


def test_end_before_the_start_is_refused_with_its_row(tmp_path):
    openface(tmp_path / "session.csv", frames(8))
    (tmp_path / "labels.csv").write_text("id,start,end\na,0,1\nb,3,2\n")
    with pytest.raises(InputError, match=r"labels.csv, columns 'start' and 'end', row 2"):
        tables_of(tmp_path)


# Vectors with a list of ids


def test_array_takes_its_ids_from_the_list_of_its_name(tmp_path):
    np.save(tmp_path / "text.npy", np.array([[1.0, 2.0], [3.0, 4.0]], dtype=np.float32))
    (tmp_path / "text_ids.txt").write_text("id\nu1\nu2\n")
    (table,) = tables_of(tmp_path)
    assert table.frame["sample_id"].tolist() == ["u1", "u2"]
    assert table.frame["1"].tolist() == [2, 4]
    assert table.options == {"ids": "text_ids.txt"}
    (preview,) = tables_of(tmp_path, rows=1)
    assert preview.frame["sample_id"].tolist() == ["u1"]


def test_list_of_ids_of_another_length_is_refused(tmp_path):
    np.save(tmp_path / "text.npy", np.eye(3))
    (tmp_path / "text_ids.txt").write_text("u1\nu2\n")
    with pytest.raises(InputError, match=r"text_ids.txt contains 2 ids, but text.npy has 3 rows"):
        tables_of(tmp_path)


def test_vectors_in_parquet_become_columns(tmp_path):
    vectors = [np.array([1.0, 2.0, 3.0], dtype=np.float32), np.array([4.0, 5.0, 6.0])]
    pd.DataFrame({"id": ["u1", "u2"], "embedding": vectors}).to_parquet(tmp_path / "text.parquet")
    (table,) = tables_of(tmp_path / "text.parquet")
    assert list(table.frame.columns) == ["id", "embedding_0", "embedding_1", "embedding_2"]
    assert table.frame["embedding_2"].tolist() == [3, 6]


# CMU Multimodal SDK


def csd(path, root, data, names=None):
    """A computational sequence as the SDK lays it out (`mmdatasdk.computational_sequence`)."""
    with h5py.File(path, "w") as file:
        for recording, (features, intervals) in data.items():
            file[f"{root}/data/{recording}/features"] = features
            file[f"{root}/data/{recording}/intervals"] = np.array(intervals, dtype=np.float32)
        metadata = {"root name": root, "dimension names": names, "version": "1.0"}
        for key, value in metadata.items():
            file[f"{root}/metadata/{key}"] = [json.dumps(value).encode()]


def test_sequences_are_aligned_to_labels_by_the_seconds_they_share(tmp_path):
    csd(tmp_path / "labels.csd", "Opinion Segment Labels",
        {"v1": (np.array([[2.0], [-1.0]], np.float32), [[0, 2], [2, 4]]),
         "v2": (np.array([[3.0]], np.float32), [[1, 2]])})  # fmt: skip
    csd(tmp_path / "audio.csd", "COVAREP",
        {"v1": (np.array([[1, -np.inf], [4, 2], [7, 4]], np.float32), [[0, 1], [1, 2.5], [2.5, 4]]),
         "v2": (np.array([[5, 6]], np.float32), [[0, 9]])}, ["f0", "vuv"])  # fmt: skip
    words = np.array([[b"good"], [b"sp"], [b"day"]])
    csd(tmp_path / "words.csd", "words",
        {"v1": (words, [[0, 1], [1, 2], [2, 3]]), "v2": (words[:1], [[1, 2]])})  # fmt: skip
    labels, audio, text = tables_of(tmp_path / "labels.csd", tmp_path / "audio.csd",
                                    tmp_path / "words.csd")  # fmt: skip
    assert labels.frame["sample_id"].tolist() == ["v1[0]", "v1[1]", "v2[0]"]
    assert labels.frame["label"].tolist() == [2, -1, 3]
    assert audio.frame["sample_id"].tolist() == ["v1[0]", "v1[1]", "v2[0]"]
    # v1[0] shares 1 s with the first row and 1 s with the second; v1[1] 0.5 s and 1.5 s.
    np.testing.assert_allclose(audio.frame["f0_mean"], [2.5, (0.5 * 4 + 1.5 * 7) / 2, 5])
    np.testing.assert_allclose(audio.frame["vuv_mean"], [2, 3.5, 6])
    assert audio.modality == "covarep"
    assert text.frame["transcript"].tolist() == ["good", "day", "good"]


def test_labels_with_named_dimensions_keep_their_names(tmp_path):
    values = np.zeros((1, 2), np.float32)
    csd(tmp_path / "l.csd", "All Labels", {"v": (values, [[0, 1]])}, ["sentiment", "happy"])
    (table,) = tables_of(tmp_path / "l.csd")
    assert list(table.frame.columns)[-2:] == ["sentiment", "happy"]


def test_a_name_that_claims_to_be_longer_than_its_file_needs_no_memory(tmp_path):
    path = tmp_path / "l.csd"
    csd(path, "All Labels", {"v": (np.zeros((1, 2), np.float32), [[0, 1]])})
    with h5py.File(path, "r+") as file:
        del file["All Labels/metadata/dimension names"]
        file["All Labels/metadata/dimension names"] = '["sentiment", "happy"]'
        place = file["All Labels/metadata/dimension names"].id.get_offset()
    assert tables_of(path)[0].frame.columns[-1] == "happy"
    content = bytearray(path.read_bytes())
    content[place : place + 4] = (0x7FFFFFF0).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"^l\.csd is damaged: write or download it again\.$"):
        tables_of(path)


# MMSA


def mmsa(n, seed, *, suffix=""):
    random = np.random.default_rng(seed)
    audio = random.normal(size=(n, 6, 3)).astype(np.float32)
    lengths = [1 + k % 6 for k in range(n)]
    for k, length in enumerate(lengths):
        audio[k, length:] = 0
    audio[0, 0, 0] = -np.inf
    return {
        "raw_text": np.array([f"words {k}" for k in range(n)], dtype=object),
        "audio": audio,
        "vision": random.normal(size=(n, 4, 2)),
        "text": random.normal(size=(n, 5, 8)).astype(np.float32),
        "id": [f"video{k // 2}$_${k}" for k in range(n)],
        "audio_lengths": lengths,
        "vision_lengths": [4] * n,
        "annotations": ["Negative", "Positive"] * (n // 2),
        "classification_labels": np.arange(n) % 2,
        "regression_labels": random.normal(size=n).astype(np.float32),
        "regression_labels_T": random.normal(size=n).astype(np.float32),
        "regression_labels_A": random.normal(size=n).astype(np.float32),
        "regression_labels_V": random.normal(size=n).astype(np.float32),
    }


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_mmsa_pickle_becomes_a_study_with_its_split_texts_and_judgments(protocol, tmp_path):
    parts = {"train": mmsa(20, 0), "valid": mmsa(10, 1), "test": mmsa(12, 2)}
    (tmp_path / "unaligned_50.pkl").write_bytes(pickle.dumps(parts, protocol=protocol))
    (table,) = tables_of(tmp_path / "unaligned_50.pkl")
    first = parts["train"]
    np.testing.assert_allclose(
        table.frame.loc[5, ["audio_mean_0", "audio_mean_1"]].to_numpy(float),
        first["audio"][5, :6, :2].mean(axis=0, dtype=float),
        rtol=1e-6,
    )
    np.testing.assert_allclose(
        table.frame.loc[7, "vision_sd_1"], first["vision"][7, :, 1].std(), rtol=1e-6
    )
    assert np.isnan(table.frame.loc[0, "audio_mean_0"])  # its only step held -inf


def test_mmsa_splits_become_roles_and_unimodal_labels_judgments(tmp_path):
    parts = {"train": mmsa(20, 0), "valid": mmsa(10, 1), "test": mmsa(12, 2)}
    for name, part in parts.items():
        part["id"] = [f"{name}{text}" for text in part["id"]]
    (tmp_path / "simsv2.pkl").write_bytes(pickle.dumps(parts))
    data = assemble(find_sources([tmp_path / "simsv2.pkl"])).dataset
    assert data.modalities == ("audio", "text", "vision")
    roles = (data.folds.training, data.folds.validation, data.folds.test)
    assert [int(role.sum()) for role in roles] == [20, 10, 12]
    assert set(data.judgments) == {frozenset({m}) for m in data.modalities}
    assert data.samples["transcript"].iloc[0] == "words 0"
    assert data.target_name == "label"


def test_mmsa_splits_of_other_names_are_read_and_what_is_no_split_is_named(tmp_path):
    parts = {"test": mmsa(6, 2), "train": mmsa(20, 0), "dev": mmsa(10, 1), "meta": {"by": "us"}}
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(parts))
    (table,) = tables_of(tmp_path / "a.pkl")
    assert table.frame["split"].tolist() == ["train"] * 20 + ["dev"] * 10 + ["test"] * 6
    (said,) = (str(problem) for problem in table.problems if problem.severity == "warning")
    assert "meta is no split. It was left out" in said


def test_mmsa_without_any_split_is_refused(tmp_path):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"testers": {"id": ["train"]}}))
    with pytest.raises(InputError, match="it has none of the keys train, valid and test"):
        tables_of(tmp_path / "a.pkl")


def test_zeros_within_a_samples_length_are_values_and_padding_may_lie_in_front():
    steps = np.zeros((2, 4, 1))
    steps[0, :3, 0] = [3, 0, 3]
    steps[1, 2:, 0] = [4, 8]
    pooled = pool(steps, lengths=np.array([3, 2]))
    np.testing.assert_allclose(pooled.mean[:, 0], [2, 6])
    np.testing.assert_allclose(pool(steps).mean[:, 0], [3, 6])  # zeros alone are padding there


# The authors' caches


@pytest.fixture
def loaders(monkeypatch):
    """The class whose objects the authors' caches hold, under the name that it has there."""
    module = types.ModuleType("python_tools.ml.data_loader")
    module.DataLoader = type("DataLoader", (), {"__module__": module.__name__})
    for name in ("python_tools", "python_tools.ml"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module.DataLoader


@pytest.fixture
def cache(loaders, tmp_path):
    """Writes a cache of some targets, in which every partition is another person."""
    prefixes = ("acoustic", "ecg", "eda", "language", "mocap", "vision")
    random = np.random.default_rng(0)
    names = np.array([f"{prefix}_{k}" for prefix in prefixes for k in range(2)])

    def loader(person):
        made = loaders()
        x = random.normal(size=(12, len(names))).astype(np.float32)
        y = random.normal(size=(12, 1)).astype(np.float32)
        made.iterator = [{"x": [x], "y": [y], "meta_id": [np.full((12, 1), person)]}]
        made.properties = {"x_names": names, "y_names": np.array(["arousal"])}
        return made

    def write(*targets: str):
        partitions = {"training": loader(1), "validation": loader(2), "test": loader(3)}
        content = pickle.dumps({target: {0: partitions} for target in targets}, protocol=2)
        with zipfile.ZipFile(tmp_path / "recola.pickle", "w") as archive:
            archive.writestr("recola/data.pkl", content)
        return find_sources([tmp_path / "recola.pickle"])

    return write


def test_caches_of_every_data_set_give_a_modality_for_each_prefix(cache):
    data = assemble(cache("arousal")).dataset
    assert data.modalities == ("acoustic", "ecg", "eda", "language", "mocap", "vision")
    assert (len(data), sorted(set(data.persons))) == (36, ["p1", "p2", "p3"])


def test_a_cache_of_several_targets_wants_one_to_be_named(cache):
    sources = cache("arousal", "valence")
    with pytest.raises(InputError, match=r"2 targets \(arousal, valence\), .*name the one"):
        assemble(sources)
    data = assemble(sources, StudyMapping(target="valence")).dataset
    assert data.target_name == "valence"


def test_roles_of_a_whole_study_can_be_switched_off_and_not_named(cache):
    sources = cache("arousal")
    off = StudyMapping(switched_off=frozenset({"person", "fold"}))
    data = assemble(sources, off).dataset
    assert data.persons is None
    assert data.folds is None
    with pytest.raises(InputError, match="defines its roles itself: person cannot be named"):
        assemble(sources, StudyMapping(person="speaker"))


# Together


def test_openface_opensmile_embeddings_and_labels_become_a_study(tmp_path):
    random = np.random.default_rng(0)
    ids = [f"u{k:02d}" for k in range(20)]
    for name in ids:
        rows = frames(2)
        for row in rows:
            row[6] += random.normal()
        openface(tmp_path / f"{name}.csv", rows)
    lines = [f"'{name}';0.0;{random.normal():.4f};{random.normal():.4f}" for name in ids]
    (tmp_path / "voice.csv").write_text(SMILE_HEADER + "\n".join(lines))
    np.savez(tmp_path / "text.npz", ids=np.array(ids), embeddings=random.normal(size=(20, 4)))
    pd.DataFrame({"id": ids, "person": [f"p{k // 4}" for k in range(20)],
                  "valence": random.normal(size=20).round(3)}).to_csv(
        tmp_path / "labels.csv", index=False)  # fmt: skip
    assembly = assemble(find_sources([tmp_path]))
    assert assembly.dataset.modalities == ("audio", "text", "video")
    assert len(assembly.dataset) == 20
    readers = {source.name: source.reader for source in assembly.sources}
    assert readers["u00.csv"] == "OpenFace"
    assert (readers["voice.csv"], readers["text.npz"]) == ("openSMILE", "NPZ")
    options = {source.name: dict(source.options) for source in assembly.sources}
    assert options["u07.csv"]["confidence"] == "0.8"
    kept = StudyMapping.from_dict({**assembly.mapping.to_dict(), "reading": {"confidence": 0.5}})
    assert assemble(find_sources([tmp_path]), kept).provenance()["mapping"]["reading"] == {
        "confidence": 0.5
    }


def test_option_for_reading_that_there_is_not_is_refused():
    with pytest.raises(InputError, match="No option 'speed' for reading"):
        ReadingOptions.from_dict({"speed": 2})
    with pytest.raises(InputError, match="between 0 and 1"):
        ReadingOptions.from_dict({"confidence": 80})


def test_equal_ratings_in_two_files_are_named_after_what_differs_in_the_names(tmp_path):
    for what in ("valence", "arousal"):
        columns = {mark: np.arange(4) / 7 for mark in ("T", "A", "TA", "TAV")}
        pd.DataFrame({"file": list("abcd"), **columns}).to_csv(
            tmp_path / f"study_{what}.csv", index=False
        )
    arousal, valence = tables_of(tmp_path)
    assert list(valence.frame.columns) == [
        "file", "valence_T", "valence_A", "valence_TA", "valence_TAV",
    ]  # fmt: skip
    assert "They were renamed arousal_T" in reported(arousal.problems)


def test_source_is_recognised_by_content_whatever_it_is_called(tmp_path):
    openface(tmp_path / "x", frames(1))
    (table,) = read_tables([SourceFile("u1", tmp_path / "x")])
    assert table.modality == "video"
