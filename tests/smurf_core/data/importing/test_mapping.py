"""What a study.yaml says: every role there and back, and its files beside it, nowhere else."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smurf_core.data.importing.assembly import assemble, guess_mapping
from smurf_core.data.importing.mapping import (
    StudyMapping,
    mapped_sources,
    read_mapping,
    write_mapping,
)
from smurf_core.data.readers.registry import find_sources
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError

IDS = [f"u{i}" for i in range(20)]
RANDOM = np.random.default_rng(1)


def features(prefix: str, ids=IDS) -> pd.DataFrame:
    values = RANDOM.normal(size=(len(ids), 3)).round(4)
    return pd.DataFrame(values, columns=[f"{prefix}{j}" for j in range(3)]).assign(id=ids)


@pytest.fixture
def folder(tmp_path) -> Path:
    """Three tables of features, labels, texts, ratings, informativeness; they differ in rows."""
    folder = tmp_path / "files"
    folder.mkdir()
    features("f").to_csv(folder / "audio.csv", index=False)
    features("e", [*IDS[2:], "stray"]).to_csv(folder / "text.csv", index=False)
    features("v").to_csv(folder / "video.csv", index=False)
    values = RANDOM.normal(size=20).round(3)
    pd.DataFrame(
        {
            "id": IDS, "speaker": [f"p{i // 4}" for i in range(20)], "valence": values,
            "onset": np.arange(20) * 1.5, "offset": np.arange(20) * 1.5 + 1,
            "clip": [f"{name}.wav" for name in IDS],
        }
    ).to_csv(folder / "labels.csv", index=False)  # fmt: skip
    pd.DataFrame({"id": IDS, "words": ["so it was"] * 20, "unused": 1.5}).to_csv(
        folder / "transcripts.csv", index=False
    )
    pd.DataFrame({"id": IDS[:10], "heard": values[:10], "all_but_face": values[:10] / 2}).to_csv(
        folder / "ratings.csv", index=False
    )
    pd.DataFrame({"id": IDS, "how_much_text": ["no", "relevant", "sufficient", None] * 5}).to_csv(
        folder / "levels.csv", index=False
    )
    (folder / "notes.csv").write_text("id,valence\nu1,99\n")
    return folder


def features_and_labels(folder: Path) -> tuple[SourceFile, ...]:
    """The files from which alone all roles that matter can be guessed."""
    names = ("audio.csv", "text.csv", "video.csv", "labels.csv")
    return find_sources(folder / name for name in names)


MAPPING = StudyMapping(
    name="Everything",
    task="regression",
    files={
        "audio.csv": "modality", "text.csv": "modality", "video.csv": "modality",
        "labels.csv": "labels", "transcripts.csv": "transcript", "ratings.csv": "judgments",
        "levels.csv": "informativeness", "notes.csv": "ignore",
    },
    id="id", target="valence", person="speaker", transcript="words", start="onset", end="offset",
    media="clip",
    modalities={"audio": ("audio.csv",), "text": ("text.csv",), "video": ("video.csv",)},
    judgments={"heard": ("audio",), "all_but_face": ("audio", "text")},
    informativeness={"text": "how_much_text"},
    samples=("unused",),
)  # fmt: skip


def test_a_mapping_is_read_back_from_yaml_as_it_was(tmp_path):
    write_mapping(MAPPING, tmp_path / "study.yaml")
    assert read_mapping(tmp_path / "study.yaml") == MAPPING


def test_every_role_reaches_the_data_set(folder):
    assembly = assemble(mapped_sources(MAPPING, folder), MAPPING)
    data = assembly.dataset
    labels = pd.read_csv(folder / "labels.csv")
    np.testing.assert_array_equal(data.target, labels["valence"].to_numpy(np.float32))
    assert list(data.samples.columns) == ["transcript", "start", "end", "media", "unused"]
    np.testing.assert_array_equal(data.samples["start"], labels["onset"])
    assert data.samples["media"].iloc[3] == "u3.wav"
    heard = data.judgments[frozenset({"audio"})]
    np.testing.assert_array_equal(heard[:10], labels["valence"][:10].to_numpy(np.float32))
    assert np.isnan(heard[10:]).all()
    assert frozenset({"audio", "text"}) in data.judgments
    assert data.informativeness["text"].tolist() == [0, 1, 2, -1] * 5
    assert data.present.sum(axis=0).tolist() == [20, 18, 20]


def test_single_raters_columns_give_their_mean_as_judgment(folder):
    labels = pd.read_csv(folder / "labels.csv")
    for rater, shift in (("first", -1.0), ("second", 2.0)):
        labels[rater] = labels["valence"] + shift
    labels.loc[3, "second"] = np.nan
    labels.to_csv(folder / "labels.csv", index=False)
    mapping = replace(MAPPING, judgments={}, raters={"first": ("text",), "second": ("text",)})
    write_mapping(mapping, folder / "study.yaml")
    mapping = read_mapping(folder / "study.yaml")
    data = assemble(mapped_sources(mapping, folder), mapping).dataset
    ratings = data.ratings[frozenset({"text"})]
    assert ratings.shape == (2, len(data))
    expected = labels["valence"].to_numpy() + 0.5
    expected[3] -= 1.5
    np.testing.assert_allclose(data.judgments[frozenset({"text"})], expected, rtol=1e-6)


def test_joins_list_what_does_not_match_in_both_directions(folder):
    joins = {join.table: join for join in assemble(mapped_sources(MAPPING, folder), MAPPING).joins}
    text = joins["text.csv"]
    assert (text.rows, text.matched, text.absent, text.extra) == (19, 18, 2, 1)
    assert (text.absent_ids, text.extra_ids) == (("u0", "u1"), ("stray",))
    assert joins["ratings.csv"].absent == 10
    assert "notes.csv" not in joins


def test_roles_of_files_and_columns_are_guessed(folder):
    (folder / "notes.csv").unlink()
    guess = guess_mapping(find_sources([folder]))
    assert (guess.id, guess.person, guess.target) == ("id", "speaker", "valence")
    assert (guess.start, guess.end, guess.media) == ("onset", "offset", "clip")
    assert guess.files["audio.csv"] == "modality"
    assert guess.files["labels.csv"] == "labels"
    known = StudyMapping(files={"ratings.csv": "judgments", "levels.csv": "informativeness",
                                "transcripts.csv": "transcript"})  # fmt: skip
    guess = guess_mapping(find_sources([folder]), known)
    assert guess.modalities == MAPPING.modalities


@pytest.mark.parametrize(
    "name",
    ["../secret.csv", "/etc/passwd", "sub/../../secret.csv", "C:\\secret.csv", "..\\secret.csv",
     "gone.csv", "a\0.csv", "~/secret.csv", "x" * 5000],
)  # fmt: skip
def test_a_mapping_names_files_in_its_own_folder_only(folder, name):
    (folder.parent / "secret.csv").write_text("id\n1\n")
    with pytest.raises(InputError) as caught:
        mapped_sources(StudyMapping(files={name: "labels"}), folder)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(sys.platform == "win32", reason="Links need rights there.")
def test_a_link_out_of_the_folder_is_refused(folder):
    (folder.parent / "secret.csv").write_text("id\n1\n")
    os.symlink(folder.parent / "secret.csv", folder / "linked.csv")
    with pytest.raises(InputError, match="leads out"):
        mapped_sources(StudyMapping(files={"linked.csv": "labels"}), folder)


def test_two_ratings_of_the_same_modalities_are_refused():
    with pytest.raises(InputError, match="keep one of them"):
        StudyMapping(judgments={"TA": ("text", "audio"), "TAF": ("audio", "text")})


def test_tables_match_although_each_calls_its_ids_otherwise(folder):
    text = pd.read_csv(folder / "text.csv").rename(columns={"id": "sentence_of"})
    text.to_csv(folder / "text.csv", index=False)
    video = pd.read_csv(folder / "video.csv").rename(columns={"id": "utterance"})
    video.to_csv(folder / "video.csv", index=False)
    assembly = assemble(mapped_sources(MAPPING, folder), MAPPING)
    assert assembly.dataset.present.sum(axis=0).tolist() == [20, 18, 20]
    shown = " ".join(str(problem) for problem in assembly.problems)
    assert "Samples were matched by 'sentence_of'" in shown
    assert "Samples were matched by 'utterance'" in shown


def test_an_empty_role_of_a_mapping_is_not_guessed_and_written_back(folder):
    (folder / "study.yaml").write_text("person: ''\ntranscript:\ninformativeness: {}\n")
    known = read_mapping(folder / "study.yaml")
    assert known.switched_off == {"person", "transcript", "informativeness"}
    sources = features_and_labels(folder)
    guess = guess_mapping(sources, known)
    assert (guess.person, guess.id, guess.target) == ("", "id", "valence")
    assert assemble(sources, guess).dataset.persons is None
    write_mapping(guess, folder / "again.yaml")
    assert "person: ''" in (folder / "again.yaml").read_text()
    assert guess_mapping(sources, read_mapping(folder / "again.yaml")) == guess
    assert guess_mapping(sources).person == "speaker"


def test_a_role_that_is_named_is_no_longer_switched_off():
    mapping = StudyMapping(switched_off=frozenset({"person", "fold"}))
    assert replace(mapping, person="speaker").switched_off == {"fold"}


def test_columns_of_a_role_that_is_switched_off_are_not_features(folder):
    audio = pd.read_csv(folder / "audio.csv").assign(subject=range(20), fold=[0, 1, 2, 3] * 5)
    audio.to_csv(folder / "audio.csv", index=False)
    labels = pd.read_csv(folder / "labels.csv").drop(columns="speaker")
    labels.to_csv(folder / "labels.csv", index=False)
    sources = features_and_labels(folder)
    known = StudyMapping(switched_off=frozenset({"person", "fold"}))
    data = assemble(sources, guess_mapping(sources, known)).dataset
    assert data.persons is None
    assert data.folds is None
    assert data.features["audio"].names == ("f0", "f1", "f2")
    assert "subject" in data.samples


def test_a_split_that_files_make_can_be_switched_off(folder):
    for part, rows in (("train", slice(0, 12)), ("valid", slice(12, 16)), ("test", slice(16, 20))):
        for name in ("audio", "video", "labels"):
            table = pd.read_csv(folder / f"{name}.csv").iloc[rows]
            table.to_csv(folder / f"{name}_{part}.csv", index=False)
    sources = find_sources(sorted(folder.glob("*_*.csv")))
    assert len(assemble(sources).dataset.folds) == 1
    known = StudyMapping(switched_off=frozenset({"split"}))
    assert assemble(sources, guess_mapping(sources, known)).dataset.folds is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        # The safe loader of YAML silently keeps the last of these.
        ("target: valence\ntarget: arousal\n", "'target' 2 times (valence, arousal): keep one"),
        ("modalities: {a: [x], a: [y]}\n", "'a' 2 times"),
    ],
)
def test_a_second_target_of_a_mapping_is_an_error_that_names_both(tmp_path, text, words):
    (tmp_path / "study.yaml").write_text(text)
    with pytest.raises(InputError) as caught:
        read_mapping(tmp_path / "study.yaml")
    assert words in str(caught.value)


def test_a_mapping_may_have_several_targets(tmp_path):
    (tmp_path / "study.yaml").write_text("target: [valence, arousal, valence]\n")
    mapping = read_mapping(tmp_path / "study.yaml")
    assert (mapping.target, mapping.targets) == ("valence", ("arousal",))
    assert StudyMapping.from_dict(mapping.to_dict()) == mapping


def test_several_possible_targets_are_an_error_unless_a_user_confirms_the_guess(folder):
    labels = pd.read_csv(folder / "labels.csv")
    labels.assign(arousal=labels["valence"] * 2).to_csv(folder / "labels.csv", index=False)
    sources = features_and_labels(folder)
    with pytest.raises(InputError, match=r"2 targets \(valence, arousal\), .*name the one"):
        guess_mapping(sources)
    with pytest.raises(InputError, match=r"2 targets \(valence, arousal\)"):
        assemble(sources)
    assert guess_mapping(sources, is_proposal=True).target == "valence"
    assert guess_mapping(sources, StudyMapping(target="arousal")).target == "arousal"


def test_several_targets_by_ratings_or_by_single_columns_are_an_error(tmp_path):
    table = features("audio_").join(features("video_").drop(columns="id"))
    rated = table.assign(val_AV=0.5, val_A=0.5, aro_AV=0.1, aro_V=0.2, aro_AVF=0.2)
    rated.to_csv(tmp_path / "study.csv", index=False)
    with pytest.raises(InputError, match=r"study.csv: .*2 targets \(val_AV, aro_AV\)"):
        guess_mapping(find_sources([tmp_path]))
    table.to_csv(tmp_path / "study.csv", index=False)
    for name in ("anger", "joy"):
        pd.DataFrame({"id": IDS, name: range(20)}).to_csv(tmp_path / f"{name}.csv", index=False)
    with pytest.raises(InputError, match=r"2 targets \(anger, joy\)"):
        guess_mapping(find_sources([tmp_path]))
    # Words that do not repeat are not classes.
    pd.DataFrame({"id": IDS, "anger": [f"take {i}" for i in range(20)]}).to_csv(
        tmp_path / "anger.csv", index=False
    )
    assert guess_mapping(find_sources([tmp_path])).target == "joy"


def test_a_feature_called_y_is_no_second_target(tmp_path):
    table = features("audio_").join(features("video_").drop(columns="id"))
    table.assign(label=["a", "b"] * 10, y=0.5).to_csv(tmp_path / "study.csv", index=False)
    assert guess_mapping(find_sources([tmp_path])).target == "label"
