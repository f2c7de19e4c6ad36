"""From recordings to features: the real tools on small recordings that the tests make."""

import ast
import wave
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smurf_core.data.generated.simulated import simulated_affect, write_clips
from smurf_core.errors import InputError
from smurf_core.extraction.running import extract
from smurf_core.extraction.store import FeatureStore, Tool
from smurf_core.extraction.utterances import (
    Columns,
    Utterance,
    texts_of_folder,
    texts_of_table,
    utterances_of_folder,
    utterances_of_table,
)

ROOT = Path(__file__).resolve().parents[3]
PITCH = "F0semitoneFrom27.5Hz_sma3nz_amean"


def write_tone(path, *pitches, rate=16_000, seconds=0.5, channels=1):
    """A recording of tones, one after another, each with falling harmonics."""
    time = np.arange(round(seconds * rate)) / rate
    tones = [
        sum(np.sin(2 * np.pi * k * hertz * time) / k for k in range(1, 9)) for hertz in pitches
    ]
    sound = np.repeat(0.3 * np.concatenate(tones)[:, None], channels, axis=1)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((sound * 32_767 / 2).astype("<i2").tobytes())


class Loudness:
    """An extractor without any package: the bytes of a file that are not zero."""

    batch_size = 2
    names = ("size",)

    def __init__(self, **options):
        self.tool = Tool("loudness", "1", options)
        self.calls = []

    def features(self, utterances):
        self.calls += [utterance.sample_id for utterance in utterances]
        return [
            InputError(f"{u.path.name} is empty: record it again.")
            if not u.path.stat().st_size
            else np.array([float(u.path.stat().st_size)])
            for u in utterances
        ]


def test_failures_are_listed_and_the_rest_goes_on(tmp_path):
    for name, content in (("a", b"12"), ("b", b""), ("c", b"123")):
        (tmp_path / f"{name}.wav").write_bytes(content)
    utterances = [
        *utterances_of_folder(tmp_path, (".wav",)), Utterance("gone", tmp_path / "gone.wav")
    ]  # fmt: skip
    reported = []
    found = extract(
        utterances,
        Loudness(),
        FeatureStore(tmp_path / "kept"),
        on_progress=lambda done, total: reported.append((done, total)),
    )
    assert found.features.to_dict("list") == {"sample_id": ["a", "c"], "size": [2.0, 3.0]}
    assert found.failures.to_dict("list") == {
        "sample_id": ["b", "gone"],
        "file": ["b.wav", "gone.wav"],
        "problem": [
            "b.wav is empty: record it again.",
            "gone.wav cannot be opened: No such file or directory.",
        ],
    }
    assert reported[-1] == (4, 4)


def test_an_interrupted_extraction_goes_on_where_it_was(tmp_path):
    for name in "abcd":
        (tmp_path / f"{name}.wav").write_bytes(name.encode())
    utterances = utterances_of_folder(tmp_path, (".wav",))
    store = FeatureStore(tmp_path / "kept")
    first = Loudness()

    def stop(done, total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract(utterances, first, store, on_progress=stop)
    second = Loudness()
    assert extract(utterances, second, store).reused == 2
    assert (first.calls, second.calls) == (["a", "b"], ["c", "d"])


def test_what_is_kept_depends_on_content_cut_and_options_and_not_on_names(tmp_path):
    store = FeatureStore(tmp_path / "kept")
    (tmp_path / "a.wav").write_bytes(b"same")
    (tmp_path / "b.wav").write_bytes(b"same")
    extract([Utterance("a", tmp_path / "a.wav")], Loudness(), store)

    def is_kept(utterance, **options):
        return extract([utterance], Loudness(**options), store).reused == 1

    assert is_kept(Utterance("other", tmp_path / "b.wav"))
    assert not is_kept(Utterance("a", tmp_path / "a.wav", 0.0, 1.0))
    assert not is_kept(Utterance("a", tmp_path / "a.wav"), window=2)
    (tmp_path / "a.wav").write_bytes(b"changed")
    assert not is_kept(Utterance("a", tmp_path / "a.wav"))


def test_a_table_cuts_utterances_and_never_leaves_its_folder(tmp_path):
    (tmp_path / "talk.wav").write_bytes(b"1")
    table = tmp_path / "utterances.csv"
    rows = {"utt_id": ["u1", "u2"], "file": ["talk.wav"] * 2, "start": [0, 1.5], "end": [1.5, 2]}
    pd.DataFrame(rows).to_csv(table, index=False)
    assert utterances_of_table(table, (".wav",)) == (
        Utterance("u1", (tmp_path / "talk.wav").resolve(), 0.0, 1.5),
        Utterance("u2", (tmp_path / "talk.wav").resolve(), 1.5, 2.0),
    )
    pd.DataFrame({"id": ["talk"], "person": "p"}).to_csv(table, index=False)
    assert utterances_of_table(table, (".wav",))[0].path == (tmp_path / "talk.wav").resolve()
    for name in ("../talk.wav", "/etc/passwd", "a/../../b.wav"):
        pd.DataFrame({"id": ["x"], "file": [name]}).to_csv(table, index=False)
        with pytest.raises(InputError, match="leads out of the folder"):
            utterances_of_table(table, (".wav",), columns=Columns(file="file"))
    with pytest.raises(InputError, match="no column 'wave'; there are id, file"):
        utterances_of_table(table, (".wav",), columns=Columns(file="wave"))
    pd.DataFrame({"id": ["x", "x"], "person": "p"}).to_csv(table, index=False)
    with pytest.raises(InputError, match=r"no column of unique sample ids"):
        utterances_of_table(table, (".wav",))


def test_texts_come_from_a_table_or_a_folder(tmp_path):
    pd.DataFrame({"id": [1, 2, 3], "transcript": ["one", None, " three "]}).to_csv(
        tmp_path / "t.csv", index=False
    )
    assert texts_of_table(tmp_path / "t.csv") == (
        Utterance("1", text="one"), Utterance("3", text="three"),
    )  # fmt: skip
    (tmp_path / "a.txt").write_text("one\n", encoding="utf-8")
    assert texts_of_folder(tmp_path) == (Utterance("a", text="one"),)
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"b\.txt is not text in UTF-8"):
        texts_of_folder(tmp_path)


def test_opensmile_hears_the_pitch_of_each_utterance_of_a_recording(tmp_path):
    pytest.importorskip("opensmile", reason="needs the extra [extract]")
    from smurf_core.extraction.audio import EgemapsExtractor

    write_tone(tmp_path / "talk.wav", 110, 220, channels=2)
    write_tone(tmp_path / "short.wav", 110, seconds=0.05)
    (tmp_path / "broken.wav").write_bytes(b"RIFF, or so it says")
    talk = tmp_path / "talk.wav"
    found = extract(
        [
            Utterance("low", talk, 0.0, 0.5),
            Utterance("high", talk, 0.5, 1.0),
            Utterance("late", talk, 0.5, 9.0),
            Utterance("short", tmp_path / "short.wav"),
            Utterance("broken", tmp_path / "broken.wav"),
        ],
        EgemapsExtractor(),
        FeatureStore(tmp_path / "kept"),
    )
    assert found.features.shape == (2, 89)
    # 110 Hz is two octaves above 27.5 Hz, 220 Hz three.
    np.testing.assert_allclose(found.features[PITCH], [24, 36], atol=0.2)
    late, short, broken = found.failures["problem"]
    assert "talk.wav is 1.00 s long but should be cut from 0.5 to 9 s" in late
    assert "too short to measure a voice" in short
    assert "broken.wav cannot be read as sound" in broken


def test_opensmile_hears_in_simulated_clips_what_their_features_say(tmp_path):
    pytest.importorskip("opensmile", reason="needs the extra [extract]")
    from smurf_core.extraction.audio import AUDIO_SUFFIXES, EgemapsExtractor

    data = simulated_affect(samples=20, persons=5)
    write_clips(data, tmp_path / "clips")
    found = extract(
        utterances_of_folder(tmp_path / "clips", AUDIO_SUFFIXES),
        EgemapsExtractor(),
        FeatureStore(tmp_path / "kept"),
    )
    heard = found.features.set_index("sample_id").loc[data.sample_ids[data.present[:, 0]]]
    audio = data.features["audio"]
    for name in (PITCH, "loudness_sma3_amean"):
        said = audio.values[data.present[:, 0], audio.names.index(name)]
        assert np.corrcoef(heard[name], said)[0, 1] > 0.9


@pytest.mark.filterwarnings("default")  # Warnings of other projects about one another.
def test_texts_become_the_embeddings_of_a_local_model(tiny_model, tmp_path):
    from smurf_core.extraction.text import SentenceEmbedder

    embedder = SentenceEmbedder(str(tiny_model))
    texts = {"a": "so nice", "b": "not good", "c": "so nice"}
    store = FeatureStore(tmp_path / "kept")
    found = extract([Utterance(k, text=t) for k, t in texts.items()], embedder, store)
    assert list(found.features) == ["sample_id", *(f"embedding_{d:02d}" for d in range(16))]
    vectors = found.features.set_index("sample_id")
    np.testing.assert_allclose(vectors.loc["a"], vectors.loc["c"], atol=1e-6)
    assert not np.allclose(vectors.loc["a"], vectors.loc["b"], atol=1e-3)
    # The mean of the words' vectors, as pooling says, by the transformer alone.
    import torch
    from transformers import AutoModel, AutoTokenizer

    words = AutoTokenizer.from_pretrained(tiny_model)("not good", return_tensors="pt")
    with torch.no_grad():
        alone = (
            AutoModel.from_pretrained(tiny_model).eval()(**words).last_hidden_state[0].mean(dim=0)
        )
    np.testing.assert_allclose(vectors.loc["b"], alone.numpy(), atol=1e-5)
    assert extract([Utterance("z", text="not good")], embedder, store).reused == 1


@pytest.mark.filterwarnings("default")
def test_a_model_that_is_not_there_is_reported_in_a_sentence(tmp_path):
    pytest.importorskip("sentence_transformers", reason="needs the extra [extract]")
    from smurf_core.extraction.text import SentenceEmbedder

    with pytest.raises(InputError, match="is not on this machine: add --download to fetch it"):
        SentenceEmbedder("sentence-transformers/no-such-model")
    with pytest.raises(InputError, match="is not a folder of a sentence-transformers model"):
        SentenceEmbedder(str(tmp_path))


def test_a_missing_package_is_reported_in_a_sentence():
    from smurf_core.extraction.packages import needed_package

    with pytest.raises(InputError, match=r"needs the package no_such_package.*\[extract\]"):
        needed_package("no_such_package")


def test_the_app_never_imports_extraction():
    for place in ("app", "pages"):
        for path in (ROOT / place).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            names = [
                name
                for node in ast.walk(ast.parse(text))
                if isinstance(node, ast.Import | ast.ImportFrom)
                for name in [getattr(node, "module", "") or "", *(a.name for a in node.names)]
            ]
            assert not [name for name in names if name.startswith("smurf_core.extraction")]
