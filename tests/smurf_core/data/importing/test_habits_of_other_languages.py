"""Files as people of other languages and programs write them, made here with known values."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smurf_core.data.importing.assembly import Assembly, assemble
from smurf_core.data.importing.keys import is_id_name
from smurf_core.data.readers.registry import find_sources

N = 60
PERSON = np.arange(N) // 10


def tables(target: str = "valence", **key: object) -> dict[str, pd.DataFrame]:
    """Labels and two modalities; the first feature of each is the target, or its negative."""
    random = np.random.default_rng(5)
    values = random.normal(size=N).round(4)
    noise = random.normal(size=(N, 2)).round(4)
    key = key or {"id": [f"k{k}" for k in range(N)]}
    return {
        "labels": pd.DataFrame({**key, target: values}),
        "audio": pd.DataFrame({**key, "f0": values + noise[:, 0] / 5, "f1": noise[:, 1]}),
        "video": pd.DataFrame({**key, "g0": -values - noise[:, 1] / 5, "g1": noise[:, 0]}),
    }


def read(folder: Path, made: dict[str, pd.DataFrame], **written: object) -> Assembly:
    """The study of these tables, each written with its rows in another order."""
    for place, (name, table) in enumerate(made.items()):
        shuffled = table.sample(frac=1, random_state=place)
        shuffled.to_csv(folder / f"{name}.csv", index=False, **written)
    return assemble(find_sources([folder]))


def assert_right(assembly: Assembly) -> None:
    """All samples are there, beside their own features, and no other column is a feature."""
    data = assembly.dataset
    assert len(data) == N
    assert {name: f.names for name, f in data.features.items()} == {
        "audio": ("f0", "f1"), "video": ("g0", "g1"),
    }  # fmt: skip
    if data.task == "regression":
        first = [f.values[:, 0] for f in data.features.values()]
        assert np.corrcoef(data.target, first[0])[0, 1] > 0.9
        assert np.corrcoef(data.target, first[1])[0, 1] < -0.9


def said(assembly: Assembly) -> str:
    return " ".join(str(problem) for problem in assembly.problems)


@pytest.mark.parametrize(
    ("person", "place"),
    [("VP", "Durchgang"), ("sujet", "essai"), ("sujeto", "ensayo"), ("被试", "试次")],
)
def test_keys_of_two_columns_have_names_in_other_languages(tmp_path, person, place):
    key = {person: PERSON + 1, place: np.tile(np.arange(10), 6)}
    assembly = read(tmp_path, tables(**key))
    assert_right(assembly)
    assert assembly.mapping.person == person


def test_a_place_in_a_sequence_is_no_feature_in_german(tmp_path):
    made = tables()
    made["audio"]["Durchgang"] = np.tile(np.arange(1, 11), 6)
    assert_right(read(tmp_path, made))
    assert is_id_name("Durchgang")


@pytest.mark.parametrize("target", ["效价", "Erregung", "Éveil", "valencia"])
def test_targets_have_names_in_other_languages(tmp_path, target):
    made = tables(target)
    made["labels"]["Größe"] = 170.5 + PERSON
    assembly = read(tmp_path, made)
    assert_right(assembly)
    assert assembly.mapping.target == target


def test_chinese_text_in_gbk_keeps_its_names(tmp_path):
    made = tables("情绪", 编号=[f"样本{k}" for k in range(N)])
    assembly = read(tmp_path, made, encoding="gbk")
    assert_right(assembly)
    assert assembly.mapping.target == "情绪"
    assert "GBK" in said(assembly)


def test_western_accents_are_not_taken_for_chinese(tmp_path):
    made = tables(séquence=[f"é{k}" for k in range(N)])
    assembly = read(tmp_path, made, encoding="cp1252")
    assert_right(assembly)
    assert assembly.mapping.id == "séquence"


@pytest.mark.parametrize("ids", [lambda k: f"{1 + k % 28:02d}.{1 + k // 28:02d}.2020",
                                 lambda k: f"k{k}"])  # fmt: skip
def test_decimal_commas_are_not_the_delimiter_of_two_columns(tmp_path, ids):
    made = tables(Datum=[ids(k) for k in range(N)])
    assert_right(read(tmp_path, made, sep=";", decimal=","))


@pytest.mark.parametrize(
    ("name", "start"), [("emotion_{}", "emotion"), ("{}", "class")]
)  # fmt: skip
def test_true_and_false_mark_classes_as_one_and_zero_do(tmp_path, name, start):
    made = tables()
    classes = np.digitize(made["labels"].pop("valence"), [-0.5, 0.5])
    for code, word in enumerate(("happy", "sad", "angry")):
        made["labels"][name.format(word)] = classes == code
    assembly = read(tmp_path, made)
    assert_right(assembly)
    data = assembly.dataset
    assert assembly.mapping.target == start
    words = np.array(["happy", "sad", "angry"])[classes]
    expected = pd.Series(words, index=made["labels"]["id"])[data.sample_ids]
    assert np.array(data.class_names)[data.target].tolist() == expected.tolist()


@pytest.mark.parametrize(
    "words",
    [("Training", "Validierung", "Test"), ("entraînement", "validation", "test"),
     ("训练集", "验证集", "测试集")],
)  # fmt: skip
def test_splits_have_words_in_other_languages(tmp_path, words):
    made = tables()
    made["labels"]["Aufteilung"] = np.repeat(words, [30, 10, 20])
    assembly = read(tmp_path, made)
    assert_right(assembly)
    assert int(assembly.dataset.folds.test.sum()) == 20


@pytest.mark.parametrize("word", ["#NV", "#WERT!", "fehlt", "#VALEUR!", "缺失"])
def test_words_for_missing_in_other_languages(tmp_path, word):
    made = tables()
    made["audio"]["f1"] = made["audio"]["f1"].astype("object")
    made["audio"].loc[[3, 9], "f1"] = word
    assembly = read(tmp_path, made)
    assert_right(assembly)
    assert "2 missing values" in said(assembly)


@pytest.mark.parametrize(("code", "place"), [(999, "target"), (-99, "target"), (-99, "feature"),
                                             (-9, "classes")])  # fmt: skip
def test_codes_for_missing_are_reported(tmp_path, code, place):
    made = tables()
    if place == "classes":
        made["labels"]["valence"] = np.arange(N) % 5 + 1
    if place == "feature":
        made["audio"]["f1"] = made["audio"]["f1"].abs()
    table, column = ("audio", "f1") if place == "feature" else ("labels", "valence")
    made[table].loc[::9, column] = code
    warnings = [str(p) for p in read(tmp_path, made).problems if p.severity == "warning"]
    assert any(str(code) in warning and "missing" in warning for warning in warnings)
