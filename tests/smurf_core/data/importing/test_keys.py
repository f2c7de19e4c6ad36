"""Keys: which columns name the samples, and what happens where nothing does."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smurf_core.cli.roles import Roles, chosen_data
from smurf_core.data.importing.assembly import assemble, guess_mapping
from smurf_core.data.importing.mapping import StudyMapping, mapping_text, read_mapping
from smurf_core.data.readers.registry import find_sources
from smurf_core.errors import InputError
from tests.smurf_core.data.importing import random_joins

IMPORTS = Path(__file__).parents[5] / "shared" / "data" / "imports"
SHARED = pytest.mark.skipif(not IMPORTS.is_dir(), reason=f"{IMPORTS} is not here.")
DRAWS = int(os.environ.get("SMURF_TEST_DRAWS", "60"))


def by_command_line(folder: Path, **options):
    chosen = chosen_data([str(folder)], Roles(**options))
    return assemble(chosen.sources, chosen.mapping)


def by_form(folder: Path, **options):
    """As the form does: a proposal, read back from the choices that the user confirms."""
    sources = find_sources([folder])
    known = StudyMapping(**{name: values[0] for name, values in options.items()})
    guess = guess_mapping(sources, known, is_proposal=True)
    return assemble(sources, StudyMapping.from_dict(guess.to_dict()))


BOTH_WAYS = pytest.mark.parametrize("way", [by_command_line, by_form])


def correlation(data, modality):
    return float(np.corrcoef(data.features[modality].values[:, 0], data.target)[0, 1])


def reported(assembly):
    return " ".join(str(problem) for problem in assembly.problems)


# Folder → matches per file, and r of each modality's first feature with the target.
CASES = {
    "03_numeric_ids_other_name": (60, {}),
    "04_participant_trial": (96, {"audio": 0.924, "video": 0.939}),
    "10_nineteen_digit_ids": (60, {}),
    "10b_nineteen_digit_ids_shuffled": (60, {"text": 0.940}),
    "11_dotted_ids": (60, {}),
    "11b_dotted_ids_shuffled": (60, {"audio": 0.926}),
    "23_own_counter_id": (60, {"audio": 0.930}),
    "26_leading_zeros_lost_in_one_file": (130, {}),
    "27_ids_1_2_3a": (60, {}),
    "29_case_of_ids_and_classes": (60, {}),
    "50_sims_label_layout": (60, {}),
    "52_opensmile_same_name_in_folders": (60, {}),
}


@SHARED
@BOTH_WAYS
@pytest.mark.parametrize("case", CASES)
def test_all_rows_of_a_case_match_on_the_key_that_a_person_would_use(case, way):
    rows, expected = CASES[case]
    assembly = way(IMPORTS / case)
    assert [join.matched for join in assembly.joins] == [rows] * len(assembly.joins)
    assert len(assembly.dataset) == rows
    for modality, r in expected.items():
        assert correlation(assembly.dataset, modality) == pytest.approx(r, abs=0.0006)


@SHARED
@BOTH_WAYS
def test_ids_by_which_tables_were_joined_are_no_features(way):
    data = way(IMPORTS / "03_numeric_ids_other_name").dataset
    assert {name: len(f.names) for name, f in data.features.items()} == {"acoustic": 4, "facial": 3}
    data = way(IMPORTS / "04_participant_trial").dataset
    assert data.features["audio"].names == ("pitch0", "pitch1", "pitch2")
    data = way(IMPORTS / "23_own_counter_id").dataset
    assert data.features["audio"].names == ("f0", "f1", "f2")


@SHARED
@BOTH_WAYS
@pytest.mark.parametrize(
    ("case", "first", "rows"),
    [("05_id_is_participant", "ID", 120), ("56_numeric_video_id", "video_id", 200)],
)
def test_an_id_that_repeats_is_a_part_of_the_key_and_no_feature(case, first, rows, way):
    assembly = way(IMPORTS / case)
    assert assembly.mapping.id_columns[0] == first
    assert len(assembly.dataset) == rows
    names = [name for f in assembly.dataset.features.values() for name in f.names]
    assert first not in names


@SHARED
@BOTH_WAYS
def test_suffixes_of_media_are_ignored_and_that_is_reported(way):
    assembly = way(IMPORTS / "09_wav_suffix", target=["EmoVal"])
    assert [join.matched for join in assembly.joins] == [60, 60, 60]
    assert "'clip000' is 'clip000.wav'" in reported(assembly)
    assert "without regard to suffixes of files" in reported(assembly)


@SHARED
def test_evidence_names_the_key_the_near_matches_and_the_keys_that_were_not_chosen():
    evidence = by_command_line(IMPORTS / "23_own_counter_id").evidence
    assert {key.columns for key in evidence.keys} == {("filename",)}
    assert [key.columns for key in evidence.refused] == [("id",)]
    near = by_command_line(IMPORTS / "26_leading_zeros_lost_in_one_file").evidence.near
    assert [(n.table, n.differences, n.count) for n in near] == [
        ("audio.csv", ("leading zeros",), 99)
    ]
    assert near[0].examples[0] == ("1", "001")


@SHARED
def test_a_key_that_is_named_and_under_which_other_columns_disagree_is_refused():
    with pytest.raises(InputError, match=r"labels.csv, column 'filename', row 1: it is 'clip000'"):
        by_command_line(IMPORTS / "23_own_counter_id", id=["id"])


def table(rows, **columns):
    return pd.DataFrame({name: np.asarray(values)[rows] for name, values in columns.items()})


@pytest.fixture
def study(tmp_path):
    """Writes labels, audio and video of 20 samples, each in an order of its own."""
    random = np.random.default_rng(0)
    n = 20
    values = {"valence": random.normal(size=n).round(3), "rated": ["yes", "no"] * (n // 2)}
    features = {name: random.normal(size=n).round(3) for name in ("a0", "a1", "v0", "v1")}

    def write(keys=None, *, shared=None, same_order=False, **own):
        keys, shared = keys or {}, shared or {}
        for name, columns in (("labels", ["valence", "rated"]), ("audio", ["a0", "a1"]),
                              ("video", ["v0", "v1"])):  # fmt: skip
            rows = np.arange(n) if same_order else random.permutation(n)
            held = {**values, **features}
            made = table(rows, **keys, **shared, **{c: held[c] for c in columns})
            made = own.get(name, lambda made: made)(made)
            made.to_csv(tmp_path / f"{name}.csv", index=False)
        return tmp_path

    return write


def test_tables_without_ids_are_matched_by_position_only_on_request(study):
    folder = study(same_order=True)
    with pytest.raises(InputError, match=r"--match position, or match: position in a study.yaml"):
        by_command_line(folder)
    assembly = by_command_line(folder, match="position")
    assert assembly.evidence.by_position == ("labels.csv", "audio.csv", "video.csv")
    assert "matched by their position" in reported(assembly)
    audio = pd.read_csv(folder / "audio.csv")
    np.testing.assert_array_equal(
        assembly.dataset.features["audio"].values, audio[["a0", "a1"]].to_numpy(np.float32)
    )


def test_position_is_refused_where_a_shared_column_is_in_another_order(study):
    folder = study(shared={"duration": np.linspace(1, 3, 20).round(3)})
    with pytest.raises(InputError, match=r"column 'duration', row 1: it is .* for the same sample"):
        by_command_line(folder, match="position")


def test_position_is_refused_where_ids_differ(study):
    folder = study(
        {"clip": [f"c{k:02d}" for k in range(20)]},
        audio=lambda made: made.assign(clip=[f"x{k}" for k in range(20)]),
    )
    with pytest.raises(InputError, match="no sample id in common"):
        by_command_line(folder)
    with pytest.raises(InputError, match="column 'clip'"):
        by_command_line(folder, match="position", id=[""])


def test_a_table_without_ids_takes_those_of_the_labels_by_position_on_request(study):
    folder = study({"clip": [f"c{k:02d}" for k in range(20)]}, same_order=True,
                   video=lambda made: made.drop(columns="clip"))  # fmt: skip
    with pytest.raises(InputError, match=r"video.csv: there is no column 'clip' to match samples"):
        by_command_line(folder)
    assembly = by_command_line(folder, match="position")
    assert assembly.evidence.by_position == ("video.csv",)
    assert assembly.dataset.sample_ids[0] == "c00"


def test_shared_columns_that_agree_are_listed_whatever_their_precision(study):
    folder = study(
        {"clip": [f"c{k:02d}" for k in range(20)]},
        shared={"duration": np.linspace(1, 3, 20) / 7, "gender": ["f", "m"] * 10},
        audio=lambda made: made.assign(duration=made["duration"].round(2),
                                       gender=made["gender"].str.upper() + " "),
    )  # fmt: skip
    shared = by_command_line(folder).evidence.shared
    assert {(s.column, s.first, s.second, s.rows) for s in shared} >= {
        ("duration", "labels.csv", "audio.csv", 20), ("gender", "labels.csv", "audio.csv", 20),
        ("duration", "audio.csv", "video.csv", 20),
    }  # fmt: skip


def test_a_shared_column_that_disagrees_in_one_row_is_refused_with_both_values(study):
    def spoil(made):
        made.loc[made["clip"] == "c07", "gender"] = "x"
        return made

    folder = study({"clip": [f"c{k:02d}" for k in range(20)]},
                   shared={"gender": ["f", "m"] * 10}, audio=spoil)  # fmt: skip
    with pytest.raises(InputError, match=r"'gender', row \d+: it is 'm', but 'x' in audio.csv"):
        by_command_line(folder)


def test_features_of_two_modalities_may_have_the_same_name(study):
    folder = study({"clip": [f"c{k:02d}" for k in range(20)]},
                   audio=lambda made: made.rename(columns={"a0": "mean"}),
                   video=lambda made: made.rename(columns={"v0": "mean"}))  # fmt: skip
    assert by_command_line(folder).dataset.features["video"].names == ("mean", "v1")


def test_a_key_of_several_columns_is_read_from_a_list_and_written_back(tmp_path):
    (tmp_path / "study.yaml").write_text("id: [participant, trial]\ntarget: y\n")
    mapping = read_mapping(tmp_path / "study.yaml")
    assert mapping.id_columns == ("participant", "trial")
    assert "- participant\n- trial" in mapping_text(mapping)
    assert StudyMapping.from_dict(mapping.to_dict()) == mapping
    assert StudyMapping.from_dict({"id": "participant + trial"}).id == mapping.id
    assert Roles(id=["participant", "trial"]).applied_to(StudyMapping()).id == mapping.id
    with pytest.raises(InputError, match="there is only position"):
        StudyMapping(match="order")


def test_ids_of_labels_and_features_may_be_one_column_there_and_two_here(study):
    pairs = {"dialogue": np.repeat(np.arange(5), 4), "utterance_id": np.tile(np.arange(4), 5)}

    def joined(made):
        ids = made["dialogue"].astype(str) + "-" + made["utterance_id"].astype(str)
        return made.drop(columns=list(pairs)).assign(file="dia" + ids.str[:0] + ids)

    folder = study(pairs, audio=lambda made: joined(made).assign(
        file=lambda t: t["file"].str.removeprefix("dia")))  # fmt: skip
    assembly = by_command_line(folder)
    assert [join.matched for join in assembly.joins] == [20, 20, 20]
    assert set(assembly.mapping.id_columns) == set(pairs)


def test_keys_are_judged_by_all_rows_and_not_by_the_first(tmp_path):
    """A column that repeats only below the first 200 rows is no key."""
    random = np.random.default_rng(0)
    n = 260
    clip = [f"clip{k:03d}" for k in range(n)]
    item = [*range(250), *range(10)]
    for name, columns in (("labels", ["valence"]), ("audio", ["a0"]), ("video", ["v0"])):
        rows = random.permutation(n)
        made = table(np.arange(n), item=item, source=clip,
                     **{c: random.normal(size=n) for c in columns})  # fmt: skip
        (made if name == "labels" else made.iloc[rows]).to_csv(
            tmp_path / f"{name}.csv", index=False
        )
    assembly = assemble(find_sources([tmp_path]))
    assert assembly.mapping.id == "source"
    assert [join.matched for join in assembly.joins] == [n, n, n]


def test_random_studies_are_joined_as_pandas_joins_them_on_the_true_key_or_refused(tmp_path):
    """`SMURF_TEST_DRAWS=20000` draws that many."""
    found = {}
    for seed in range(DRAWS):
        made = random_joins.draw(seed)
        found[seed] = (random_joins.outcome(made, tmp_path), made.about)
    wrong = {seed: what for seed, what in found.items() if what[0].startswith("wrong")}
    assert not wrong
    joined = sum(what == "joined" for what, _ in found.values())
    assert joined > 0.7 * DRAWS  # A refusal of everything would also be never wrong.


def test_ids_that_other_columns_contradict_are_refused_and_not_avoided_by_those(tmp_path):
    """Seed 14341: under the ids, comments disagree; joined by the comments, rows were wrong."""
    made = random_joins.draw(14341)
    assert made.must_be_refused
    assert random_joins.outcome(made, tmp_path).startswith("refused: labels.csv, column 'comment'")


@pytest.mark.parametrize("seed", [6924, 14403])
def test_row_counters_that_comments_contradict_are_not_replaced_by_the_comments(tmp_path, seed):
    made = random_joins.draw(seed)
    assert made.must_be_refused
    assert random_joins.outcome(made, tmp_path).startswith("refused: labels.csv, column 'comment'")


@pytest.mark.parametrize("seed", [2044, 2046, 11189])
def test_ids_as_7_wav_are_compared_with_7_under_a_counter(tmp_path, seed):
    made = random_joins.draw(seed)
    assert not made.must_be_refused
    assert random_joins.outcome(made, tmp_path) == "joined"


@BOTH_WAYS
@pytest.mark.parametrize("words", ["dia{}_utt{}", "S{:02}T{:03}", "Ses{}-turn{}.wav"])
@pytest.mark.parametrize("is_other", [False, True], ids=["label table", "feature table"])
def test_two_columns_are_the_numbers_of_another_tables_ids(tmp_path, way, words, is_other):
    random = np.random.default_rng(0)
    rows = pd.DataFrame(
        [(dialogue, turn) for dialogue in range(8) for turn in range(10 + dialogue)],
        columns=["Dialogue_ID", "Utterance_ID"],
    )
    joined = pd.DataFrame({"clip": [words.format(*row) for row in rows.to_numpy()]})
    target = random.normal(size=len(rows))
    (with_target, with_features) = (rows, joined) if is_other else (joined, rows)
    labels = with_target.assign(valence=target).sample(frac=1, random_state=1)
    labels.to_csv(tmp_path / "labels.csv", index=False)
    features = {}
    for name in ("audio", "video"):
        table = with_features.assign(f1=target + random.normal(size=len(rows)))
        features[name] = table.assign(f2=random.normal(size=len(rows)))
        features[name].sample(frac=1, random_state=2).to_csv(tmp_path / f"{name}.csv", index=False)
    assembly = way(tmp_path)
    assert [join.matched for join in assembly.joins] == [len(rows)] * 3
    for name, table in features.items():
        assert assembly.dataset.features[name].names == ("f1", "f2")
        expected = float(np.corrcoef(table["f1"], target)[0, 1])
        assert correlation(assembly.dataset, name) == pytest.approx(expected, abs=1e-6)
