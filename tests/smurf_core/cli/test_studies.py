import numpy as np
import pytest
import yaml

from smurf_core.runs import own_studies, store, studies
from tests.broken_files import BROKEN_FILES, good_table


def test_files_are_described(smurf, workspace, table):
    ended = smurf("check", table)
    assert (ended.code, ended.error) == (0, "")
    assert ended.out == (
        "study: 60 samples, 15 persons, 2 classes of label; features: audio 3, video 2\n"
        "  folds: 5 folds will be made of whole persons: the 15 of 'person'\n"
    )
    assert studies.list_studies(workspace) == []


def test_a_check_says_which_folds_will_be_used_and_who_decided_them(smurf, tmp_path):
    words = np.repeat(["Train", "Development", "Test1"], [30, 15, 15])
    table = good_table(60).drop(columns="person").assign(Split_Set=words)
    table.to_csv(tmp_path / "study.csv", index=False)
    shown = smurf("check", tmp_path / "study.csv").out
    assert "folds: the official split of the data in 'Split_Set': 30 training, 15 val" in shown
    shown = smurf("check", tmp_path / "study.csv", "--split", "").out
    assert "folds: 5 folds will be made of single samples, because no person is known" in shown
    assert "No person was found: folds may share persons." in shown
    assert "No person" not in smurf("check", tmp_path / "study.csv", "--person", "").out


def test_a_check_says_how_files_are_joined(smurf, tmp_path):
    table = good_table(60)
    labels, audio = ["sample_id", "person", "label"], ["audio_pitch", "audio_energy", "audio_rate"]
    table[labels].to_csv(tmp_path / "labels.csv", index=False)
    table[["sample_id", *audio]][::-1].to_csv(tmp_path / "audio.csv", index=False)
    table.drop(columns=["person", "label", *audio])[5:].to_csv(tmp_path / "video.csv", index=False)
    shown = smurf("check", tmp_path).out
    assert "  join: audio.csv: all 60 rows match a sample.\n" in shown
    assert "  join: video.csv: all 55 rows match a sample; samples without a row: " in shown


def test_the_same_files_are_imported_once(trained):
    again = trained("import", trained.table)
    assert again.out == trained.imported.out
    known = {study.id for study in studies.list_studies(trained.workspace)}
    assert known == {trained.study}
    assert trained.study in trained("studies").out


def test_options_give_columns_their_roles(smurf, table, tmp_path):
    roles = (
        "--target", "audio_rate", "--modality", "voice=audio_pitch,audio_energy",
        "--modality", "face=video_*",
    )  # fmt: skip
    ended = smurf("check", table, *roles, "--write", tmp_path / "study.yaml")
    assert ended.code == 0
    assert "regression of audio_rate; features: voice 2, face 2" in ended.out
    # The same from a file, and the same in `import`.
    assert smurf("check", table, "--mapping", tmp_path / "study.yaml").out == ended.out
    assert smurf("check", tmp_path / "study.yaml").out == ended.out
    imported = smurf("import", table, *roles)
    assert imported.out.startswith(ended.out)
    assert smurf("import", tmp_path / "study.yaml").out == imported.out


def test_judgments_and_informativeness_are_options(smurf, workspace, tmp_path):
    rated = good_table(60).assign(label=np.linspace(0, 1, 60), heard=0.5, level="relevant")
    rated.to_csv(tmp_path / "study.csv", index=False)
    ended = smurf(
        "import", tmp_path / "study.csv", "--judgment", "heard=audio",
        "--informativeness", "video=level",
    )  # fmt: skip
    assert ended.code == 0, ended.error
    data = studies.load_study(workspace, ended.out.split()[-1])
    assert set(data.judgments) == {frozenset({"audio"})}
    assert set(data.informativeness) == {"video"}


@pytest.mark.parametrize("command", ["check", "import"])
def test_empty_means_that_a_guessed_role_is_switched_off(smurf, workspace, tmp_path, command):
    good_table(60).assign(
        test_fold=np.arange(60) // 4 % 5, transcript="so it was", label_A=0.5
    ).to_csv(tmp_path / "study.csv", index=False)
    guessed = smurf(command, tmp_path / "study.csv").out
    assert "15 persons" in guessed
    off = ("--person", "", "--fold", "", "--transcript", "", "--judgment", "")
    ended = smurf(command, tmp_path / "study.csv", *off)
    assert ended.code == 0, ended.error
    assert "persons" not in ended.out
    assert "features: audio 3, video 2" in ended.out
    if command == "import":
        kept = studies.load_study(workspace, ended.out.split()[-1])
        assert (kept.persons, kept.folds, dict(kept.judgments)) == (None, None, {})
        first = studies.load_study(workspace, guessed.split()[-1])
        assert first.folds is not None
        assert len(first.judgments) == 1
        assert smurf(command, tmp_path / "study.csv", *off).out == ended.out


def test_a_role_that_is_switched_off_stays_so_in_the_written_file(smurf, table, tmp_path):
    ended = smurf("check", table, "--person", "", "--write", tmp_path / "study.yaml")
    assert yaml.safe_load((tmp_path / "study.yaml").read_text())["person"] == ""
    assert smurf("check", tmp_path / "study.yaml").out == ended.out
    named = smurf("check", tmp_path / "study.yaml", "--person", "person")
    assert "15 persons" in named.out


@pytest.mark.parametrize("command", ["check", "import", "train"])
def test_a_second_target_is_never_left_out_silently(smurf, workspace, tmp_path, command):
    two = good_table(60).assign(valence=np.linspace(-1, 1, 60), arousal=np.linspace(1, -1, 60))
    two.drop(columns="label").to_csv(tmp_path / "study.csv", index=False)
    table = tmp_path / "study.csv"
    ended = smurf(command, table)
    assert ended.code == 2
    assert "there are 2 targets (valence, arousal), and none was chosen" in ended.error
    assert ended.error.count("\n") == 1
    ended = smurf(command, table, "--person", "person", "--person", "sample_id")
    assert ended.code == 2
    assert "--person was given 2 times (person, sample_id): keep one." in ended.error
    ended = smurf(command, table, "--modality", "a=audio_*", "--modality", "a=video_*")
    assert ended.code == 2
    assert "--modality a=… was given twice" in ended.error
    assert [study.id for study in studies.list_studies(workspace) if study.name == "study"] == []


def test_a_study_may_have_several_targets(smurf, workspace, tmp_path):
    two = good_table(60).assign(valence=np.linspace(-1, 1, 60), arousal=np.linspace(1, -1, 60))
    two.to_csv(tmp_path / "study.csv", index=False)
    named = [part for name in ("valence", "arousal", "label") for part in ("--target", name)]
    shown = smurf("check", tmp_path / "study.csv", *named, "--write", tmp_path / "study.yaml").out
    assert "regression of valence, regression of arousal, 2 classes of label; features" in shown
    study = smurf("import", tmp_path / "study.yaml").out.split()[-1]
    assert studies.load_study(workspace, study).target_names == ("valence", "arousal", "label")


def test_ratings_are_of_the_target_that_is_named(smurf, tmp_path):
    table = good_table(60).rename(columns={"label": "valence"})
    table["valence"] = np.linspace(-1, 1, 60)
    table["arousal"] = np.linspace(1, -1, 60)
    table = table.assign(valence_A=0.5, arousal_A=0.25)
    table.to_csv(tmp_path / "study.csv", index=False)
    written = tmp_path / "roles.yaml"
    for target in ("valence", "arousal"):
        ended = smurf("check", tmp_path / "study.csv", "--target", target, "--write", written)
        assert (ended.code, ended.error) == (0, "")
        assert list(yaml.safe_load(written.read_text())["judgments"]) == [f"{target}_A"]


@pytest.mark.parametrize(
    "case", [case for case in BROKEN_FILES if not case.is_read], ids=lambda case: case.name
)
def test_broken_files_end_with_code_2_and_leave_studies_alone(smurf, workspace, case, tmp_path):
    (tmp_path / "broken").mkdir()
    before = own_studies.ensure_synthetic_study(workspace)
    ended = smurf("train", *case.make(tmp_path / "broken"))
    assert ended.code == 2
    assert ended.error.startswith("Error: ")
    assert ended.error.count("\n") == 1
    assert all(word in ended.error for word in case.words)
    assert "Traceback" not in ended.out + ended.error
    assert [study.id for study in studies.list_studies(workspace)] == [before]
    assert store.list_runs(workspace) == []


def test_a_simulated_study_is_made_and_its_files_can_be_checked(smurf, workspace, tmp_path):
    ended = smurf("simulate-study", "--samples", 60, "--persons", 6)
    assert ended.code == 0
    (study,) = studies.list_studies(workspace)
    assert ended.out.startswith(f"{study.id}: simulated")
    assert study.origin == "simulated"
    ended = smurf("simulate-study", "--samples", 60, "--persons", 6, "--files", tmp_path / "files")
    assert ended.code == 0
    assert "labels.csv" in ended.out
    ended = smurf("check", tmp_path / "files" / "study.yaml")
    assert (ended.code, ended.error) == (0, "")
    assert "60 samples, 6 persons" in ended.out
    ended = smurf("simulate-study", "--persons", 2)
    assert ended.code == 2
    assert "at least 5 persons" in ended.error


def test_a_study_is_imported_as_its_yaml_says(smurf, workspace, table, tmp_path):
    mapping = tmp_path / "study.yaml"
    mapping.write_text(
        "name: By hand\nfiles: {study.csv: mixed}\ntarget: label\nid: sample_id\n"
        "modalities: {voice: ['audio_*'], face: ['video_*']}\nmedia_folder: clips\n"
    )
    ended = smurf("import", mapping)
    assert ended.code == 2
    assert "There is no folder" in ended.error
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "s01.wav").write_bytes(b"RIFF")
    for _ in range(2):  # The second time it is found again.
        ended = smurf("import", mapping)
        assert (ended.code, ended.error) == (0, "")
    assert "1 of 60 samples have a recording" in ended.out
    (study,) = studies.list_studies(workspace)
    assert ended.out.split()[-1] == study.id
    assert (study.name, study.modalities) == ("By hand", ("voice", "face"))
    assert studies.media_of(workspace, study.id).folder == str(tmp_path / "clips")
    mapping.write_text("files: {../study.csv: mixed}\n")
    ended = smurf("import", mapping)
    assert ended.code == 2
    assert "within the mapping's folder" in ended.error


def test_files_are_imported_with_guessed_roles_under_a_name(smurf, workspace, table):
    ended = smurf("import", table, "--name", "Guessed")
    assert ended.code == 0
    assert studies.get_study(workspace, ended.out.split()[-1]).name == "Guessed"
