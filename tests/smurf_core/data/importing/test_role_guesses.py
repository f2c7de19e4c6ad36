"""Guesses of roles that are tested on cells, on tables made here with other names and words."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smurf_core.data.importing.assembly import Assembly, assemble, guess_mapping
from smurf_core.data.importing.fold_origin import fold_sentence
from smurf_core.data.importing.mapping import StudyMapping
from smurf_core.data.importing.raters import with_rows_per_sample
from smurf_core.data.readers.interface import Table
from smurf_core.data.readers.registry import find_sources
from smurf_core.errors import InputError

N, PERSONS = 60, 12
PERSON = np.arange(N) // 5


def study(**columns: object) -> pd.DataFrame:
    """60 samples of 12 persons with noise as features, and more columns."""
    random = np.random.default_rng(3)
    noise = {f"{m}_{j}": random.normal(size=N).round(4) for m in ("audio", "video") for j in "012"}
    target = {} if "valence" in columns else {"valence": random.normal(size=N).round(3)}
    return pd.DataFrame({"clip": [f"c{i:03d}" for i in range(N)], **columns, **target, **noise})


def read(folder: Path, table: pd.DataFrame, **known: object) -> Assembly:
    table.to_csv(folder / "study.csv", index=False)
    sources = find_sources([folder / "study.csv"])
    return assemble(sources, guess_mapping(sources, StudyMapping(**known)))


def said(assembly: Assembly) -> str:
    return " ".join(str(problem) for problem in assembly.problems)


def names(assembly: Assembly) -> list[str]:
    return [name for f in assembly.dataset.features.values() for name in f.names]


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("Proband", lambda k: k + 1), ("VP_Nr", lambda k: 100 + k), ("sujet", lambda k: f"S{k:02}"),
        ("SpkrID", lambda k: k), ("actor_no", lambda k: k + 1), ("participantID", lambda k: k * 7),
        ("subject_code", lambda k: f"sub-{k:02d}"), ("Speaker.Id", lambda k: f"spk{k}"),
        ("PID", lambda k: f"P{k}"), ("Versuchsperson", lambda k: float(k)), ("user", lambda k: k),
        ("participante", lambda k: f"p{k}"), ("subj", lambda k: k), ("ID", lambda k: k + 1),
        ("dialogue_id", lambda k: k), ("family", lambda k: f"f{k}"), ("被试", lambda k: k),
        ("Nr", lambda k: k + 1), ("code", lambda k: f"AB{k}"), ("subNum", lambda k: k),
    ],
)  # fmt: skip
def test_a_column_of_persons_is_recognised_by_name_and_cells(tmp_path, column, name):
    person: Callable[[int], object] = name
    assembly = read(tmp_path, study(**{column: [person(k) for k in PERSON]}))
    assert assembly.mapping.person == column
    assert np.unique(assembly.dataset.persons, return_counts=True)[1].tolist() == [5] * PERSONS
    assert len(names(assembly)) == 6
    assert f"of whole persons: the 12 of '{column}'" in fold_sentence(
        assembly.dataset, assembly.mapping
    )


@pytest.mark.parametrize(
    ("column", "cells", "why"),
    [
        ("group", ["a", "b"] * 30, "it has 2 different values, as a condition has"),
        ("Gruppe", list("abcd") * 15, "it has 4 different values, as a condition has"),
        ("subject", [f"s{i}" for i in range(N)], "it differs in every row"),
        ("speaker_id", [1, 2] * 30, "it has 2 different values, too few for folds"),
    ],
)
def test_what_looks_like_a_person_and_is_none_is_reported(tmp_path, column, cells, why):
    assembly = read(tmp_path, study(**{column: cells}))
    assert assembly.dataset.persons is None
    assert f"column '{column}': it looks like" in said(assembly)
    assert why in said(assembly)
    assert "No person was found: folds may share persons." in said(assembly)


def test_a_person_is_switched_off_by_an_empty_name(tmp_path):
    table = study(subj=PERSON)
    off = StudyMapping.from_dict({"person": ""})
    table.to_csv(tmp_path / "study.csv", index=False)
    sources = find_sources([tmp_path])
    assembly = assemble(sources, guess_mapping(sources, off))
    assert assembly.dataset.persons is None
    assert "No person" not in said(assembly)


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("Split_Set", ("Train", "Development", "Test1")),
        ("set", ("train set", "val set", "test set")),
        ("partition", ("TRAINING", "Devel", "TESTING")), ("usage", ("trn", "dev", "tst")),
        ("which_part", ("train_data", "validation_data", "test_2")),
        ("mode", ("train", "valid", "test")),
        ("subset", ("trainset", "devset", "testset")), ("split", ("Train ", " val", "TEST")),
    ],
)  # fmt: skip
def test_words_for_splits_are_recognised_in_cells(tmp_path, column, words):
    assembly = read(tmp_path, study(**{column: np.repeat(words, [30, 15, 15])}))
    folds = assembly.dataset.folds
    assert [int(own.sum()) for own in (folds.training, folds.validation, folds.test)] == [
        30,
        15,
        15,
    ]
    assert f"official split of the data in '{column}': 30 training, 15 validation" in (
        fold_sentence(assembly.dataset, assembly.mapping)
    )


@pytest.mark.parametrize("words", [("speech", "song"), ("acted", "real", "posed"), (0, 1, 2)])
def test_other_words_are_no_split_and_this_is_reported(tmp_path, words):
    assembly = read(tmp_path, study(partition=np.resize(words, N)))
    assert assembly.dataset.folds is None
    assert "column 'partition': it looks like a split and is not used" in said(assembly)


@pytest.mark.parametrize("kind", ["words", "test is 1", "training is 1"])
def test_columns_of_folds_are_read(tmp_path, kind):
    fold = np.arange(N) % 5
    is_test = fold[:, None] == np.arange(5)
    if kind == "words":
        is_dev = (fold[:, None] + 1) % 5 == np.arange(5)
        cells = np.where(is_test, "test", np.where(is_dev, "dev", "train"))
    else:
        cells = (is_test == (kind == "test is 1")).astype(int)
    assembly = read(tmp_path, study(**{f"fold_{k}": cells[:, k] for k in range(5)}))
    np.testing.assert_array_equal(assembly.dataset.folds.test, is_test.T)
    assert assembly.mapping.fold == "fold_*"
    assert names(assembly) == [f"{m}_{j}" for m in ("audio", "video") for j in "012"]
    if kind == "words":
        np.testing.assert_array_equal(assembly.dataset.folds.validation, is_dev.T)


def test_files_of_one_fold_each_are_folds(tmp_path):
    table = study()
    for fold in range(5):
        table[np.arange(N) % 5 == fold].to_csv(tmp_path / f"study_fold{fold}.csv", index=False)
    sources = find_sources([tmp_path])
    data = assemble(sources, guess_mapping(sources)).dataset
    assert len(data.folds) == 5
    number = np.array([int(name[1:]) for name in data.sample_ids])
    np.testing.assert_array_equal(data.folds.test.argmax(axis=0), number % 5)


def test_columns_that_mark_classes_are_one_target(tmp_path):
    classes = np.array(["angry", "calm", "happy"])[np.arange(N) % 3]
    for start, name in (("emotion_", "emotion"), ("", "class")):
        marks = {f"{start}{c}": (classes == c).astype(int) for c in np.unique(classes)}
        table = study(valence=0).drop(columns="valence").assign(**marks)
        data = read(tmp_path, table).dataset
        assert (data.target_name, data.class_names) == (name, ("angry", "calm", "happy"))
        assert (np.array(data.class_names)[data.target] == classes).all()


def test_several_targets_are_offered(tmp_path):
    table = study(arousal_mean=np.arange(N) * 0.5).rename(columns={"valence": "valence_mean"})
    with pytest.raises(InputError, match=r"2 targets \(arousal_mean, valence_mean\)"):
        read(tmp_path, table)
    assembly = read(tmp_path, table, target="valence_mean")
    assert assembly.dataset.target_name == "valence_mean"


@pytest.mark.parametrize("name", ["Unnamed: 0", "X", "rownames", "audio_no", "index", "audio_n"])
def test_row_numbers_are_no_features(tmp_path, name):
    assembly = read(tmp_path, study(**{name: np.arange(N)}))
    assert len(names(assembly)) == 6
    assert name in said(assembly)
    if name in ("Unnamed: 0", "rownames"):
        # Saved before rows were left out, or shuffled afterwards.
        filtered = np.sort(np.random.default_rng(0).choice(500, N, replace=False))
        for numbers in (filtered, np.random.default_rng(1).permutation(N)):
            assert len(names(read(tmp_path, study(**{name: numbers})))) == 6


def test_ranks_are_features(tmp_path):
    random = np.random.default_rng(0)
    ranks = {f"audio_rank{k}": random.permutation(N) + 1 for k in "ab"}
    assert {"audio_ranka", "audio_rankb"} <= set(names(read(tmp_path, study(**ranks))))


def test_codes_of_the_target_are_no_features_although_a_modality_contains_them(tmp_path):
    classes = np.array(["angry", "calm", "happy"])[np.arange(N) % 3]
    code = np.array([7, 3, 5])[np.arange(N) % 3]
    table = study(emotion=classes, audio_state=code, valence=0).drop(columns="valence")
    assembly = read(tmp_path, table)
    assert "audio_state" not in names(assembly)
    assert "audio_state gives away the target" in said(assembly)
    kept = read(tmp_path, table, modalities={"audio": ("audio_state", "audio_0"),
                                             "video": ("video_*",)})  # fmt: skip
    assert "audio_state" in names(kept)
    assert "audio_state gives away the target" in said(kept)


def test_numbers_and_ages_of_persons_are_no_features(tmp_path):
    random = np.random.default_rng(0)
    order = random.permutation(PERSONS)
    age = random.choice(np.arange(18, 70), PERSONS, replace=False)
    table = study(speaker=[f"s{k}" for k in PERSON], audio_who=order[PERSON], audio_age=age[PERSON])
    assembly = read(tmp_path, table)
    assert "audio_who" not in names(assembly)
    assert "audio_who numbers the persons" in said(assembly)
    assert "audio_age" not in names(assembly)
    assert "audio_age is the same in all samples of a person. Left out" in said(assembly)
    modalities = {"audio": ("audio_age", "audio_0"), "video": ("video_*",)}
    assert "audio_age" in names(read(tmp_path, table, modalities=modalities))


def test_a_modality_of_facts_about_persons_alone_keeps_them(tmp_path):
    random = np.random.default_rng(0)
    age, traits = random.choice(np.arange(18, 70), PERSONS, replace=False), random.random(PERSONS)
    table = study(
        speaker=[f"s{k}" for k in PERSON], life_age=age[PERSON], life_trait=traits[PERSON]
    )
    modalities = {"audio": ("audio_*",), "life": ("life_*",)}
    assembly = read(tmp_path, table, modalities=modalities)
    assert {"life_age", "life_trait"} <= set(names(assembly))
    assert "the same in all samples of a person. It was kept" in said(assembly)


def test_near_copies_of_the_target_and_the_row_order_are_warned_of(tmp_path):
    random = np.random.default_rng(0)
    valence = random.normal(size=N)
    table = study(
        valence=valence, audio_copy=valence * 3 + random.normal(size=N) / 20,
        video_time=np.arange(N) * 1.7 + random.normal(size=N), audio_same=valence,
    )  # fmt: skip
    warned = [str(p) for p in read(tmp_path, table).problems if p.severity == "warning"]
    assert any("audio_copy almost gives away the target" in text for text in warned)
    assert any("video_time follows the order of the rows" in text for text in warned)
    assert any("audio_same gives away the target" in text for text in warned)
    assert len(warned) == 3


def test_a_rating_of_the_target_is_a_judgment_and_no_feature(tmp_path):
    random = np.random.default_rng(0)
    rated = {f"{m}_valence": random.normal(size=N) for m in ("audio", "video")}
    assembly = read(tmp_path, study(**rated, text_arousal=random.normal(size=N)))
    judgments = assembly.dataset.judgments
    assert set(judgments) == {frozenset({"audio"}), frozenset({"video"})}
    np.testing.assert_allclose(judgments[frozenset({"audio"})], rated["audio_valence"], rtol=1e-4)
    assert len(names(assembly)) == 6
    assert "text_arousal (a rating)" in said(assembly)


@pytest.mark.parametrize("rater", ["annotator", "worker_id", "participant", "Coder"])
def test_rows_of_raters_are_averaged_whatever_they_are_called(tmp_path, rater):
    table = study(valence=0).drop(columns="valence")
    long = table.loc[np.repeat(np.arange(N), 3)].reset_index(drop=True)
    long[rater] = [f"w{k}" for k in np.tile([0, 1, 2], N)]
    long["valence"] = np.random.default_rng(0).normal(size=3 * N).round(3)
    assembly = read(tmp_path, long)
    means = long.groupby("clip")["valence"].mean()
    np.testing.assert_allclose(assembly.dataset.target, means[assembly.dataset.sample_ids], 1e-5)
    assert [own.shape for own in assembly.dataset.ratings.values()] == [(3, N)]
    assert "180 rows of 3 raters" in said(assembly)


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["1 = not at all", "2", "3", "4", "5 = extremely"], [1, 2, 3, 4, 5]),
        (["1 (never)", "2", "3", "4 (always)", "2"], [1, 2, 3, 4, 2]),
        (["not at all (0)", "1", "2", "very much (3)", "1"], [0, 1, 2, 3, 1]),
        (["1: never", "2: rarely", "3: sometimes", "4: often", "5: always"], [1, 2, 3, 4, 5]),
    ],
)
def test_numbers_with_words_beside_them_are_numbers(tmp_path, cells, numbers):
    data = read(tmp_path, study(valence=np.resize(cells, N)), task="regression").dataset
    np.testing.assert_array_equal(data.target, np.resize(numbers, N))


def test_numbered_classes_stay_classes(tmp_path):
    cells = np.resize(["1 - angry", "2 - calm", "3 - happy"], N)
    data = read(tmp_path, study(valence=cells)).dataset
    assert data.class_names == ("1 - angry", "2 - calm", "3 - happy")


def test_of_words_of_raters_the_most_frequent_one_is_kept(tmp_path):
    table = study(valence=0).drop(columns="valence")
    long = table.loc[np.repeat(np.arange(N), 3)].reset_index(drop=True)
    long["rater"] = np.tile(["a", "b", "c"], N)
    long["emotion"] = [
        w for i in range(N) for w in (["calm", "angry", "angry"], ["calm"] * 3)[i % 2]
    ]
    data = read(tmp_path, long).dataset
    assert np.array(data.class_names)[data.target].tolist() == ["angry", "calm"] * (N // 2)


def test_a_measured_feature_does_not_name_the_samples_that_raters_rate():
    """`audio` may name a recording; `audio_1` is one feature of many."""
    clips = [f"c{k}" for k in range(6)]
    frame = pd.DataFrame(
        {
            "audio_1": np.repeat([0.5, 0.25, 1.5, -0.5, 2.5, 0.75], 3),
            "clip": np.repeat(clips, 3),
            "rater": ["r1", "r2", "r3"] * 6,
            "arousal": np.arange(18) % 7,
        }
    )
    (table,) = with_rows_per_sample([Table("t.csv", frame)])
    assert table.frame["clip"].tolist() == clips
    assert "6 samples ('clip')" in table.problems[0].message


@pytest.mark.parametrize("clips", [[f"c{k}" for k in range(6)], [1.1, 1.2, 1.3, 2.1, 2.2, 2.3]])
def test_a_clip_is_what_raters_rate_whatever_its_ids_and_a_feature_look_like(clips):
    """Ids such as 1.1 look like measurements, and whole numbers of a feature like ids."""
    frame = pd.DataFrame(
        {
            "audio_1": np.repeat([5, 5, 2, 2, 9, 9], 2),
            "clip": np.repeat(clips, 2),
            "rater": ["r1", "r2", "r3", "r4"] * 3,
            "arousal": np.arange(12) % 7,
        }
    )
    (table,) = with_rows_per_sample([Table("t.csv", frame)])
    assert table.frame["clip"].tolist() == clips
    assert table.frame["arousal"].tolist() == [0.5, 2.5, 4.5, 3.0, 1.5, 3.5]


def test_rows_whose_features_differ_are_not_those_of_raters():
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(18, 200)), columns=[f"f_{k}" for k in range(200)])
    frame.insert(0, "clip", np.repeat([f"c{k}" for k in range(6)], 3))
    frame.insert(1, "rater", ["r1", "r2", "r3"] * 6)
    (table,) = with_rows_per_sample([Table("t.csv", frame)])
    assert table.frame is frame
