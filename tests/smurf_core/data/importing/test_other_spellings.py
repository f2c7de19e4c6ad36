"""Ids that name the same samples in other words, counters from any number, marks of splits."""

import h5py
import numpy as np
import pandas as pd
import pytest

from smurf_core.data.importing.assembly import assemble, guess_mapping
from smurf_core.data.importing.mapping import StudyMapping
from smurf_core.data.importing.near_ids import only_numbers, without_words
from smurf_core.data.readers.registry import find_sources
from smurf_core.errors import InputError

N = 24


@pytest.fixture
def truth():
    """One row per sample: its number, target and features."""
    random = np.random.default_rng(3)
    table = pd.DataFrame({"number": np.arange(N) + 1, "valence": random.permutation(N) + 0.5})
    for name in ("pitch", "energy", "smile", "nod"):
        table[name] = random.normal(size=N).round(3)
    return table


def shuffled(table, seed):
    return table.sample(frac=1, random_state=seed)


def write(folder, truth, labels, audio, video):
    """Three files in different orders: the given columns of ids beside targets and features."""
    for name, ids, columns in (
        ("labels", labels, ["valence"]),
        ("audio", audio, ["pitch", "energy"]),
        ("video", video, ["smile", "nod"]),
    ):
        table = pd.concat([pd.DataFrame(ids), truth[columns]], axis=1)
        shuffled(table, len(name) + 1).to_csv(folder / f"{name}.csv", index=False)


def imported(folder, **known):
    sources = find_sources([folder])
    return assemble(sources, guess_mapping(sources, StudyMapping(**known)))


def said(assembly):
    return " ".join(str(problem) for problem in assembly.problems)


def check(assembly, truth):
    """Each sample has the features of its own row, and no others."""
    data = assembly.dataset
    own = {name: f.values[:, k] for f in data.features.values() for k, name in enumerate(f.names)}
    assert set(own) == {"pitch", "energy", "smile", "nod"}
    rows = truth.set_index("valence").loc[data.target.astype(float)]
    assert len(data) == len(truth)
    for name, values in own.items():
        np.testing.assert_allclose(values, rows[name], rtol=1e-5)


def test_what_all_ids_have_in_common_is_left_out():
    bare = without_words(["a_b_audio", "a_c_audio"])
    assert (list(bare.texts.values()), bare.words) == (["b", "c"], ("a", "audio"))
    assert without_words(["clip_1", "clip_2"]).texts == {}
    assert not bare.fits(without_words(["x_b", "x_c"]))
    found = only_numbers(["P01_T2.wav", "P03_T4.wav"])
    assert (list(found.texts.values()), found.words) == (["1_2", "3_4"], ("p", "t", ""))
    assert only_numbers(["s2_clip1", "s2_clip3"]).words == ("sclip", "")
    assert only_numbers(["a1", "b2"]).texts == {}


@pytest.mark.parametrize(
    ("labels", "audio", "severity"),
    [("clip_{:03d}.mp4", "{}", "warning"), ("clip{:02d}", "clip{:02d}_audio", "note"),
     ("sub-{:02d}_run-1", "sub{}", "warning")],
)  # fmt: skip
def test_words_around_numbers_may_differ(labels, audio, severity, truth, tmp_path):
    names = [labels.format(k) for k in truth["number"]]
    write(tmp_path, truth, {"clip": names}, {"clip": [audio.format(k) for k in truth["number"]]},
          {"clip": names})  # fmt: skip
    assembly = imported(tmp_path)
    check(assembly, truth)
    found = [p for p in assembly.problems if "ids differ from those of labels.csv" in str(p)]
    assert [problem.severity for problem in found] == [severity]


def test_numbers_between_other_words_are_no_match(truth, tmp_path):
    clips = [f"clip_{k}" for k in truth["number"]]
    write(tmp_path, truth, {"id": clips}, {"id": [f"song_{k}" for k in truth["number"]]},
          {"id": clips})  # fmt: skip
    with pytest.raises(InputError, match="no sample id in common"):
        imported(tmp_path)


@pytest.mark.parametrize(
    ("form", "said_too"),
    [("P{:02d}_T{}", ""), ("T{1}_P{0:02d}", ""), ("{}_{}", "another order")],
)
def test_one_column_may_have_what_are_two_in_any_order(form, said_too, truth, tmp_path):
    participant, trial = (truth["number"] - 1) // 5 + 1, (truth["number"] - 1) % 5 + 1
    pairs = {"participant": [f"P{k:02d}" for k in participant], "trial": trial}
    if said_too:
        pairs["participant"] = participant
    ids = [form.format(p, t) for p, t in zip(participant, trial, strict=True)]
    write(tmp_path, truth, pairs, {"id": ids}, pairs)
    assembly = imported(tmp_path)
    check(assembly, truth)
    assert ("another order" in said(assembly)) == bool(said_too)


@pytest.mark.parametrize(("first", "step"), [(100, 1), (0, 10), (1001, 1)])
@pytest.mark.parametrize("name", ["id", "nr", "X", "Unnamed: 0"])
def test_a_count_of_rows_from_any_number_is_no_id(name, first, step, truth, tmp_path):
    names = [f"rec{k}" for k in truth["number"]]
    write(tmp_path, truth, *[{"Datei": names}] * 3)
    for path in tmp_path.glob("*.csv"):
        table = pd.read_csv(path)
        table.insert(0, name, first + step * np.arange(N))
        table.to_csv(path, index=False)
    check(imported(tmp_path), truth)


def test_ids_that_only_count_rows_are_warned_of(truth, tmp_path):
    for name, columns in (("labels", ["valence"]), ("audio", ["pitch", "energy"]),
                          ("video", ["smile", "nod"])):  # fmt: skip
        table = truth[columns]
        table.insert(0, "id", 100 + np.arange(N))
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    assert "the sample ids count its rows" in said(imported(tmp_path))


def test_places_in_an_experiment_may_differ_and_other_columns_may_not(truth, tmp_path):
    names = {"clip": [f"c{k:02d}" for k in truth["number"]]}
    random = np.random.default_rng(0)
    write(tmp_path, truth, *({**names, "order": random.permutation(N)} for _ in range(3)))
    assembly = imported(tmp_path)
    check(assembly, truth)
    assert "a place in a sequence, which may differ" in said(assembly)
    write(tmp_path, truth, *({**names, "person": random.permutation(N)} for _ in range(3)))
    with pytest.raises(InputError, match="for the same sample"):
        imported(tmp_path)


def test_codes_and_words_for_the_same_splits_agree(truth, tmp_path):
    names = [f"c{k:02d}" for k in truth["number"]]
    place = truth["number"] % 3
    words = {"clip": names, "partition": place.map({0: "Training", 1: "devel", 2: "test set"})}
    write(tmp_path, truth, words, {"clip": names, "partition": place},
          {"clip": names, "partition": place.map({0: "train", 1: "dev", 2: "Test"})})  # fmt: skip
    assembly = imported(tmp_path)
    check(assembly, truth)
    assert int(assembly.dataset.folds.test.sum()) == int((place == 2).sum())


@pytest.mark.parametrize("marks", [("fold1", "fold2"), ("is_test",), ("train", "val", "test")])
def test_marks_of_splits_are_read(marks, truth, tmp_path):
    names, place = [f"c{k:02d}" for k in truth["number"]], truth["number"] % 3
    ids = {"clip": names}
    own = {mark: (place == 2 - k).astype(int) for k, mark in enumerate(reversed(marks))}
    if len(marks) == 2:
        own[marks[0]] = 1 - own[marks[1]]
    write(tmp_path, truth, {**ids, **own}, ids, ids)
    assembly = imported(tmp_path)
    check(assembly, truth)
    folds, rows = assembly.dataset.folds, truth.set_index("valence")["number"]
    tested = rows.loc[assembly.dataset.target.astype(float)].to_numpy() % 3 == 2
    assert len(folds.test) == (2 if len(marks) == 2 else 1)
    np.testing.assert_array_equal(folds.test[-1], tested)
    assert folds.validation.any(axis=1).all()
    assert folds.training.any(axis=1).all()


@pytest.mark.parametrize("part", ["{}_train", "{}_fold1"])
def test_files_may_number_their_samples_from_the_start_again(part, truth, tmp_path):
    parts = {"{}_train": ["train", "dev", "test"], "{}_fold1": ["fold1", "fold2", "fold3"]}[part]
    third = (truth["number"] - 1) // (N // 3)
    local = truth.assign(id=(truth["number"] - 1) % (N // 3))
    for k, word in enumerate(parts):
        for seed, (name, columns) in enumerate(
            (("labels", ["valence"]), ("audio", ["pitch", "energy"]), ("video", ["smile", "nod"]))
        ):
            table = shuffled(local[third == k], seed)[["id", *columns]]
            table.to_csv(tmp_path / f"{name}_{word}.csv", index=False)
    assembly = imported(tmp_path)
    check(assembly, truth)
    assert assembly.dataset.persons is None
    rows = truth.set_index("valence")["number"].loc[assembly.dataset.target.astype(float)]
    np.testing.assert_array_equal(assembly.dataset.folds.test[-1], (rows - 1) // (N // 3) == 2)


def test_decimal_commas_and_exponents_in_ids_stay_apart(truth, tmp_path):
    dotted = [f"{(k - 1) // 12 + 1},{(k - 1) % 12 + 1}" for k in truth["number"]]
    points = [text.replace(",", ".") for text in dotted]
    write(tmp_path, truth, {"id": points}, {"id": points}, {"id": points})
    audio = pd.read_csv(tmp_path / "audio.csv", dtype={"id": str})
    audio["id"] = audio["id"].str.replace(".", ",")
    audio.to_csv(tmp_path / "audio.csv", sep=";", decimal=",", index=False)
    check(imported(tmp_path), truth)
    powers = {"id": [f"{(k - 1) % 6 + 1}e{(k - 1) // 6 + 1}" for k in truth["number"]]}
    write(tmp_path, truth, powers, powers, powers)
    check(imported(tmp_path), truth)


def test_dotted_ids_stay_text_in_spss(truth, tmp_path):
    import pyreadstat

    dotted = {"id": [f"{(k - 1) // 12 + 1}.{(k - 1) % 12 + 1}" for k in truth["number"]]}
    write(tmp_path, truth, dotted, dotted, dotted)
    labels = pd.read_csv(tmp_path / "labels.csv", dtype={"id": str})
    (tmp_path / "labels.csv").unlink()
    pyreadstat.write_sav(labels, str(tmp_path / "labels.sav"))
    check(imported(tmp_path), truth)


def test_keys_of_arrays_match_without_zeros_and_suffixes(truth, tmp_path):
    ids = {"id": [f"{k:03d}" for k in truth["number"]]}
    write(tmp_path, truth, ids, ids, ids)
    (tmp_path / "video.csv").unlink()
    with h5py.File(tmp_path / "video.h5", "w") as file:
        for k, row in zip(truth["number"], truth[["smile", "nod"]].to_numpy(), strict=True):
            file[f"{k}.mp4"] = row
    data = imported(tmp_path).dataset
    rows = truth.set_index("valence").loc[data.target.astype(float)]
    np.testing.assert_allclose(data.features["video"].values, rows[["smile", "nod"]], rtol=1e-5)


def test_hidden_sheets_are_left_out_and_named(truth, tmp_path):
    from openpyxl import load_workbook

    names = {"clip": [f"c{k:02d}" for k in truth["number"]]}
    write(tmp_path, truth, names, names, names)
    audio = pd.read_csv(tmp_path / "audio.csv")
    (tmp_path / "audio.csv").unlink()
    with pd.ExcelWriter(tmp_path / "audio.xlsx") as book:
        audio.to_excel(book, sheet_name="data", index=False)
        audio.assign(pitch=0.0).to_excel(book, sheet_name="old", index=False)
    book = load_workbook(tmp_path / "audio.xlsx")
    book["old"].sheet_state = "hidden"
    book.save(tmp_path / "audio.xlsx")
    assembly = imported(tmp_path)
    check(assembly, truth)
    assert "1 sheets are hidden (old)" in said(assembly)


def test_numbers_in_text_of_typed_formats_are_read(truth, tmp_path):
    names = {"clip": [f"c{k:02d}" for k in truth["number"]]}
    write(tmp_path, truth, names, names, names)
    audio = pd.read_csv(tmp_path / "audio.csv")
    (tmp_path / "audio.csv").unlink()
    audio["pitch"] = [f"[{value}]" for value in audio["pitch"]]
    audio["energy"] = [f"{value} %".replace(".", ",") for value in audio["energy"]]
    audio.to_parquet(tmp_path / "audio.parquet", index=True)  # with pandas' own row index
    check(imported(tmp_path), truth)


def test_a_column_is_a_feature_once_although_two_files_have_its_prefix(truth, tmp_path):
    names = pd.DataFrame({"clip": [f"c{k:02d}" for k in truth["number"]]})
    for k, (a, v) in enumerate((("pitch", "smile"), ("energy", "nod"))):
        table = names.assign(**{f"audio_{a}": truth[a], f"video_{v}": truth[v]})
        table = table.assign(valence=truth["valence"]) if not k else table
        shuffled(table, k).to_csv(tmp_path / f"part{k}.csv", index=False)
    features = imported(tmp_path).dataset.features
    assert {m: f.names for m, f in features.items()} == {
        "audio": ("audio_pitch", "audio_energy"), "video": ("video_smile", "video_nod"),
    }  # fmt: skip


def test_what_never_changes_within_a_person_is_left_out(truth, tmp_path):
    names = {"clip": [f"c{k:02d}" for k in truth["number"]]}
    person = truth["number"] % 6
    write(tmp_path, truth, {**names, "person": person}, {**names, "age": 20 + person**2}, names)
    assembly = imported(tmp_path)
    assert "age" not in assembly.dataset.features["audio"].names
    assert "age is the same in all samples of a person" in said(assembly)


def test_a_list_of_labels_is_matched_by_position_on_request(truth, tmp_path):
    truth[["valence"]].to_csv(tmp_path / "labels.csv", index=False)
    truth[["pitch", "energy"]].to_csv(tmp_path / "audio.csv", index=False)
    truth[["smile", "nod"]].to_csv(tmp_path / "video.csv", index=False)
    with pytest.raises(InputError, match="--match position"):
        imported(tmp_path)
    check(imported(tmp_path, match="position"), truth)


def test_a_header_of_one_name_above_row_names_is_read(truth, tmp_path):
    names = [f"clip{k:02d}" for k in truth["number"]]
    write(tmp_path, truth, {"clip": names}, {"clip": names}, {"clip": names})
    labels = pd.read_csv(tmp_path / "labels.csv").set_index("clip")
    (tmp_path / "labels.csv").unlink()
    labels.to_csv(tmp_path / "labels.txt", sep=";", decimal=",", index_label=False)
    check(imported(tmp_path), truth)
