"""Arrow streams, openSMILE as Parquet, and tables with audformat's index."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from smurf_core.data.importing.assembly import assemble, guess_mapping
from smurf_core.data.importing.mapping import StudyMapping
from smurf_core.data.readers.registry import find_sources, read, reader_title
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError

SHARED = Path(os.environ.get("SMURF_TEST_DATA", Path(__file__).parents[4] / "shared/data"))
IMPORTS = SHARED / "imports"
needs_imports = pytest.mark.skipif(
    not IMPORTS.is_dir(), reason="the shared folder data/imports is not beside this checkout"
)
NUMBERS = np.random.default_rng(0).normal(size=(6, 3))


def only(path, **options):
    (table,) = read(SourceFile(path.name, path), **options)
    return table


def stream(path, table, rows=2):
    with pa.ipc.new_stream(path, table.schema) as file:
        for batch in table.to_batches(max_chunksize=rows):
            file.write_batch(batch)


def test_arrow_stream_is_read_back_equal(tmp_path):
    frame = pd.DataFrame(NUMBERS, columns=["a", "b", "c"]).assign(id=list("uvwxyz"))
    stream(tmp_path / "data-00000-of-00001.arrow", pa.Table.from_pandas(frame))
    table = only(tmp_path / "data-00000-of-00001.arrow")
    pd.testing.assert_frame_equal(table.frame, frame)
    assert len(only(tmp_path / "data-00000-of-00001.arrow", rows=2).frame) == 2


def test_cut_off_and_changed_streams_are_read_or_refused(tmp_path):
    path = tmp_path / "a.arrow"
    frame = pd.DataFrame(NUMBERS).assign(id=list("uvwxyz")).rename(columns=str)
    stream(path, pa.Table.from_pandas(frame))
    content, random = path.read_bytes(), np.random.default_rng(0)
    refused = 0
    for _ in range(150):
        changed = bytearray(content)
        changed = changed[: random.integers(20, len(content))]
        path.write_bytes(bytes(changed))
        try:
            only(path)
        except InputError:
            refused += 1
    assert refused > 50


def test_column_of_objects_does_not_block_the_rest(tmp_path):
    table = pa.table(
        {"id": ["u", "v"], "x": [1.0, 2.0], "audio": [{"bytes": b"1"}, {"bytes": b"2"}]}
    )
    pq.write_table(table, tmp_path / "a.parquet")
    read_table = only(tmp_path / "a.parquet")
    assert list(read_table.frame.columns) == ["id", "x"]
    assert "each cell of audio contains struct<bytes: binary>" in str(read_table.problems[0])
    pq.write_table(table.select(["audio"]), tmp_path / "b.parquet")
    with pytest.raises(InputError, match="column 'audio': each cell contains struct"):
        only(tmp_path / "b.parquet")


def segments(*paths):
    """The index of audformat: file, start, end."""
    return pd.MultiIndex.from_arrays(
        [
            list(paths),
            pd.to_timedelta([1.5 * k for k in range(len(paths))], unit="s"),
            pd.to_timedelta([1.5 * k + 1.25 for k in range(len(paths))], unit="s"),
        ],
        names=["file", "start", "end"],
    )


FEATURES = ["F0semitone_sma3nz_amean", "loudness_sma3_amean", "jitterLocal_sma3nz_amean"]


def test_opensmile_parquet_is_read_as_its_csv(tmp_path):
    index = segments("a/u.wav", "a/v.wav", "a/w.wav", "a/x.wav", "a/y.wav", "a/z.wav")
    features = pd.DataFrame(NUMBERS, index=index, columns=FEATURES)
    features.to_csv(tmp_path / "a.csv")
    features.to_parquet(tmp_path / "a.parquet")
    from_csv, from_parquet = only(tmp_path / "a.csv"), only(tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(from_parquet.frame, from_csv.frame)
    assert from_parquet.frame["sample_id"].tolist() == list("uvwxyz")
    assert from_parquet.modality == "audio"
    assert reader_title(SourceFile("a.parquet", tmp_path / "a.parquet")) == "openSMILE"


def test_segments_match_whatever_their_order(tmp_path):
    index = segments(*["talk.wav"] * 6)
    features = pd.DataFrame(NUMBERS, index=index, columns=FEATURES)
    labels = pd.DataFrame({"valence": NUMBERS[:, 0], "speaker": list("aabbcc")}, index=index)
    features.iloc[[3, 0, 5, 1, 4, 2]].to_parquet(tmp_path / "audio.parquet")
    labels.to_csv(tmp_path / "db.emotion.csv")
    audio, emotion = only(tmp_path / "audio.parquet"), only(tmp_path / "db.emotion.csv")
    assert emotion.modality == ""
    assert emotion.frame["sample_id"][1] == "talk[1.5-2.75]"
    joined = emotion.frame.merge(audio.frame, on="sample_id")
    np.testing.assert_allclose(joined["valence"], joined[FEATURES[0]])
    assert len(joined) == 6


def test_clips_of_one_name_in_different_folders_keep_their_folders(tmp_path):
    index = segments("/data/s1/c1.wav", "/data/s1/c2.wav", "/data/s2/c1.wav")
    pd.DataFrame(NUMBERS[:3], index=index, columns=FEATURES).to_csv(tmp_path / "a.csv")
    assert only(tmp_path / "a.csv").frame["sample_id"].tolist() == [
        "s1/c1.wav", "s1/c2.wav", "s2/c1.wav",
    ]  # fmt: skip


def r(a, b):
    return float(np.corrcoef(a, b)[0, 1])


@needs_imports
@pytest.mark.parametrize("case", ["15_opensmile_parquet", "52_opensmile_same_name_in_folders"])
def test_opensmile_of_the_imports_matches_all_clips(case):
    sources = find_sources([IMPORTS / case])
    assembly = assemble(sources, guess_mapping(sources))
    assert [join.matched for join in assembly.joins] == [60] * 3
    dataset = assembly.dataset
    path = next(s.path for s in sources if s.stem == "egemaps")
    table = pd.read_parquet(path).reset_index() if path.suffix == ".parquet" else pd.read_csv(path)
    labels = pd.read_csv(IMPORTS / case / "labels.csv")
    if case.startswith("15"):
        table["file"] = table["file"].map(lambda name: Path(name).stem)
    merged = labels.merge(table, on="file")
    first = next(c for c in table.columns if c not in ("file", "start", "end"))
    audio = dataset.features[next(name for name in dataset.modalities if name != "face")]
    assert r(audio.values[:, 0], dataset.target) == pytest.approx(
        r(merged[first], merged["valence"]), abs=1e-6
    )


@needs_imports
@pytest.mark.parametrize("name", ["data-00000-of-00001.arrow", "with_audio_struct.parquet"])
def test_tables_of_hugging_face_are_read(name):
    (source,) = (s for s in find_sources([IMPORTS / "36_hf_arrow_stream"]) if s.name == name)
    known = StudyMapping(
        target="label", modalities={"audio": ("audio_emb_*",), "text": ("text_emb_*",)}
    )
    assembly = assemble([source], guess_mapping([source], known))
    if name.endswith("arrow"):
        with pa.memory_map(str(source.path)) as file:
            frame = pa.ipc.open_stream(file).read_pandas()
    else:
        frame = pd.read_parquet(source.path)
    np.testing.assert_allclose(
        assembly.dataset.features["audio"].values, np.stack(frame["audio_emb"]), rtol=1e-6
    )
    assert assembly.dataset.sample_ids.tolist() == frame["id"].tolist()
