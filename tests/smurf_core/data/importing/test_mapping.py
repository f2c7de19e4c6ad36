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
from smurf_core.data.sources import find_sources
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
    with pytest.raises(InputError) as told:
        mapped_sources(StudyMapping(files={name: "labels"}), folder)
    assert "\n" not in str(told.value)


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
    told = " ".join(str(problem) for problem in assembly.problems)
    assert "Samples were matched by 'sentence_of'" in told
    assert "Samples were matched by 'utterance'" in told
