"""Roles and features of the inputs that people bring, with the right values of their README."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GroupKFold, StratifiedKFold, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from smurf_core.data.importing.assembly import Assembly, assemble, guess_mapping
from smurf_core.data.importing.mapping import StudyMapping
from smurf_core.data.readers.registry import find_sources
from smurf_core.errors import InputError

IMPORTS = Path(__file__).parents[5] / "shared/data/imports"
pytestmark = pytest.mark.skipif(
    not IMPORTS.exists(), reason="The shared folder of inputs that people bring is absent."
)


def by_command(case: str, **known: object) -> Assembly:
    """What `smurf check` reads."""
    sources = find_sources([IMPORTS / case])
    return assemble(sources, guess_mapping(sources, StudyMapping(**known)))


def by_form(case: str, **known: object) -> Assembly:
    """What the form imports if its proposal is confirmed, through the text of a study.yaml."""
    sources = find_sources([IMPORTS / case])
    guess = guess_mapping(sources, StudyMapping(**known), is_proposal=True)
    return assemble(sources, StudyMapping.from_dict(guess.to_dict()))


@pytest.fixture(params=[by_command, by_form], ids=["command", "form"])
def read(request):
    return request.param


def counts(assembly: Assembly) -> dict[str, int]:
    return {name: len(f.names) for name, f in assembly.dataset.features.items()}


def said(assembly: Assembly) -> str:
    return " ".join(str(problem) for problem in assembly.problems)


def matrix(assembly: Assembly) -> np.ndarray:
    blocks = [f.values for f in assembly.dataset.features.values()]
    return np.concatenate(blocks, axis=1)


def accuracy(assembly: Assembly) -> float:
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    return cross_val_score(model, matrix(assembly), assembly.dataset.target, cv=folds).mean()


@pytest.mark.parametrize("case", ["01_r_write_csv", "02_unnamed_0", "03_numeric_ids_other_name"])
def test_row_numbers_and_ids_are_no_features(case, read):
    assembly = read(case)
    assert counts(assembly) == {"acoustic": 4, "facial": 3}
    # The features are noise, and the rows are sorted by class: chance is 0.33. With the row
    # number, accuracy was 0.867. Three standard errors of 60 draws are 0.18.
    assert accuracy(assembly) < 0.52


def test_an_id_that_repeats_is_the_participant(read):
    assembly = read("05_id_is_participant")
    persons = assembly.dataset.persons
    assert len(assembly.dataset) == 120
    assert np.unique(persons, return_counts=True)[1].tolist() == [10] * 12
    # The features hold identity only: r is 0.67 if folds mix persons, and below 0 otherwise.
    target, model = assembly.dataset.target, Ridge(100)
    predicted = cross_val_predict(model, matrix(assembly), target, groups=persons, cv=GroupKFold(5))
    assert np.corrcoef(predicted, target)[0, 1] < 0
    assert "column 'ID'" in said(assembly)


def test_one_row_per_rater_becomes_one_sample_per_clip(read):
    assembly = read("06_one_row_per_rater")
    table = pd.read_csv(IMPORTS / "06_one_row_per_rater/ratings.csv")
    means = table.groupby("clip")["arousal"].mean()
    data = assembly.dataset
    assert len(data) == 30
    np.testing.assert_allclose(data.target, means[data.sample_ids], rtol=1e-6)
    (ratings,) = data.ratings.values()
    wide = table.pivot_table("arousal", "rater", "clip")[data.sample_ids]
    np.testing.assert_allclose(ratings, wide, rtol=1e-6)
    assert counts(assembly) == {"audio": 4, "video": 4}
    assert "120 rows of 4 raters" in said(assembly)


@pytest.mark.parametrize("case", ["07_group_is_condition", "07b_group_five_conditions"])
def test_a_condition_is_not_the_person(case, read):
    assembly = read(case)
    assert len(np.unique(assembly.dataset.persons)) == 12
    assert "column 'group': it looks like a group and is not used" in said(assembly)
    off = read(case, switched_off=frozenset({"person"}))
    assert off.dataset.persons is None
    assert "No person" not in said(off)


def test_the_split_and_speakers_of_msp_podcast_are_read(read):
    assembly = read("09b_msp_split_and_speaker")
    folds = assembly.dataset.folds
    assert [int(own.sum()) for own in (folds.training, folds.validation, folds.test)] == [
        30,
        10,
        20,
    ]
    assert len(np.unique(assembly.dataset.persons)) == 12
    assert "Test1, Test2 are all test samples" in said(assembly)


def test_class_codes_written_as_floats_are_classes(read):
    assembly = read("17_class_codes_as_floats")
    assert (assembly.dataset.task, assembly.dataset.class_names) == (
        "classification", ("0", "1", "2"),
    )  # fmt: skip
    assert "3 different whole numbers" in said(assembly)
    assert read("17_class_codes_as_floats", task="regression").dataset.task == "regression"


def test_a_mode_of_speech_and_song_is_no_split(read):
    assembly = read("18_mode_speech_song")
    assert assembly.dataset.folds is None
    assert len(np.unique(assembly.dataset.persons)) == 12
    assert "its cells are speech, song" in said(assembly)


def test_codes_of_the_target_and_of_persons_are_no_features(read):
    assembly = read("24_target_code_among_features")
    assert counts(assembly) == {"face": 4, "speech": 4}
    assert "emotion_id (each value stands for one value of 'emotion')" in said(assembly)
    assert "actor_no (a person)" in said(assembly)
    # Chance is 0.33; accuracy was 0.780 with the code.
    assert accuracy(assembly) < 0.52


def test_a_label_in_each_table_is_one_label_and_the_rest_are_features(read):
    assembly = read("25_label_in_each_table")
    assert counts(assembly) == {"audio": 4, "video": 4}
    labels = pd.read_csv(IMPORTS / "25_label_in_each_table/audio.csv").set_index("id")["label"]
    names = np.array(assembly.dataset.class_names)[assembly.dataset.target]
    assert names.tolist() == labels[assembly.dataset.sample_ids].tolist()


def test_cells_of_text_among_numbers_are_not_lost_silently(read):
    problems = [p for p in read("28_text_column_mostly_numbers").problems if p.column == "age"]
    assert [(p.severity, p.row) for p in problems] == [("warning", 4)]
    assert "'60+'" in str(problems[0])


def test_a_class_called_na_is_reported(read):
    assembly = read("42_class_NA_for_no_agreement")
    assert np.bincount(assembly.dataset.target).tolist() == [15, 15, 15]
    assert "15 of 60 samples have no target" in said(assembly)


def test_classes_that_differ_by_case_only_are_warned_of(read):
    warned = [p for p in read("46_class_spellings").problems if p.severity == "warning"]
    text = " ".join(str(p) for p in warned)
    assert "'HAPPY', 'Happy', 'happy' differ only in case" in text
    assert "'Sad', 'sad' differ only in case" in text


@pytest.mark.parametrize("name", ["a", "b", "c", "d"])
def test_words_for_splits_are_splits(name, read):
    folds = read(f"47_split_words/{name}.csv").dataset.folds
    assert [int(own.sum()) for own in (folds.training, folds.validation, folds.test)] == [
        30,
        15,
        15,
    ]


def test_a_split_without_words_is_reported(read):
    assembly = read("47_split_words/e.csv")
    assert assembly.dataset.folds is None
    assert "column 'partition': it looks like a split and is not used" in said(assembly)
    assembly = read("47_split_words/f.csv")
    assert int(assembly.dataset.folds.test.sum()) == 15
    assert "15 of 60 samples have no split" in said(assembly)


def test_files_with_other_words_for_one_split_are_one_study(read):
    assembly = read("47_split_words")
    assert counts(assembly) == {"audio": 18, "video": 18}
    assert len(assembly.dataset) == 60
    folds = assembly.dataset.folds
    assert [int(own.sum()) for own in (folds.training, folds.validation, folds.test)] == [
        30,
        15,
        15,
    ]


def test_labels_without_ids_are_matched_with_clips_by_position_on_request(read):
    with pytest.raises(InputError, match="at least 2 modalities are needed, and clip was found"):
        read("63_npy_per_clip_same_length")
    parts = {"mean": ("mean_*",), "sd": ("sd_*",)}
    with pytest.raises(InputError, match="--match position"):
        read("63_npy_per_clip_same_length", modalities=parts)
    data = read("63_npy_per_clip_same_length", modalities=parts, match="position").dataset
    labels = pd.read_csv(IMPORTS / "63_npy_per_clip_same_length/labels.csv")
    clips = [np.load(p) for p in sorted((IMPORTS / "63_npy_per_clip_same_length").glob("*.npy"))]
    np.testing.assert_allclose(data.target, labels["valence"], rtol=1e-6)
    np.testing.assert_allclose(
        data.features["mean"].values, np.stack([clip.mean(axis=0) for clip in clips]), rtol=1e-4
    )


def test_a_numeric_video_id_is_the_group_and_no_feature(read):
    assembly = read("56_numeric_video_id")
    assert counts(assembly) == {"audio": 3, "video": 3}
    assert np.unique(assembly.dataset.persons, return_counts=True)[1].tolist() == [20] * 10


def test_a_number_with_words_is_the_number(read):
    assembly = read("58_likert_labels", task="regression")
    cells = pd.read_csv(IMPORTS / "58_likert_labels/study.csv")["arousal"].str.extract(r"^(\d+)")
    np.testing.assert_array_equal(assembly.dataset.target, cells[0].astype(float))


def test_words_of_a_scale_are_ordered(read):
    words = ["strongly disagree", "disagree", "neither", "agree", "strongly agree"]
    assert read("58b_likert_words").dataset.class_names == tuple(words)
    assembly = read("58b_likert_words", task="regression")
    cells = pd.read_csv(IMPORTS / "58b_likert_words/study.csv")["rating"]
    np.testing.assert_array_equal(assembly.dataset.target, cells.map(words.index) + 1)


@pytest.mark.parametrize(
    ("case", "features"),
    [
        ("30_line_ends/cr_only.csv", {"audio": 3, "video": 3}),
        ("30_line_ends/mixed.csv", {"audio": 3, "video": 3}),
        (
            "34_dtypes",
            {"big": 6, "bool": 4, "f16": 6, "fortran": 6, "i8": 5, "u8": 4, "withinf": 6},
        ),
        ("35_parquet_types/study.parquet", {"audio": 2, "video": 2}),
        ("37_weka_arff", {"audio": 2, "video": 2}),
    ],
)
def test_what_is_read_right_stays_so(case, features, read):
    assembly = read(case)
    assert counts(assembly) == features
    assert len(assembly.dataset) == (30 if case == "37_weka_arff" else 60)
    assert "No person was found" in said(assembly)
