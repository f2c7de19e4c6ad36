"""Study: uploads, synthetic and simulated studies, recordings, and the list of studies."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from app.sections.study import study_list
from app.state import session
from app.widgets import waiting
from smurf_core.data.generated.simulated import simulated_affect
from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.data.importing.mapping import StudyMapping, mapping_text
from smurf_core.errors import InputError
from smurf_core.runs import demo, studies
from tests.broken_files import BROKEN_FILES, good_table
from tests.studio import text, undo


def test_files_are_uploaded_checked_and_imported(open_page, home):
    page = open_page("study")
    content = good_table(60).to_csv(index=False).encode()
    page.file_uploader[0].upload("my study.csv", content).run()
    assert page.selectbox(key=_key(page, "target_")).value == "label"
    assert "5 folds will be made of whole persons: the 15 of 'person'" in text(page).replace(
        "\\", ""
    )
    page.button(key="import").click().run()
    assert not page.exception
    study = studies.list_studies(home)[0]
    assert (study.name, study.modalities) == ("my study", ("audio", "video"))
    assert "was imported" in text(page)
    assert not list((home.root / "uploads").iterdir())


def _key(page, start: str) -> str:
    return next(box.key for box in page.selectbox if box.key and box.key.startswith(start))


@pytest.mark.parametrize(
    "where", ["finished_runs", "list_broken_studies", "targets_of", "get_study"]
)
def test_a_file_stays_although_what_is_above_it_fails_once(open_page, home, monkeypatch, where):
    """Somebody else deletes a study while this page reads it: one run of the page has an error."""
    studies.add_study(home, synthetic_additive(samples=60))
    page = open_page("study")
    page.file_uploader[0].upload("mine.csv", good_table(60).to_csv(index=False).encode()).run()
    assert page.button(key="import")
    place = {"finished_runs": study_list, "list_broken_studies": studies}
    owner = place.get(where, session)
    plain, failures = getattr(owner, where), iter([InputError("It was deleted meanwhile.")])

    def once_gone(*args, **named):
        for error in failures:
            raise error
        return plain(*args, **named)

    monkeypatch.setattr(owner, where, once_gone)
    page.run()
    assert not page.exception
    assert next(failures, None) is None
    page.run()
    assert not page.error
    page.button(key="import").click().run()
    assert not page.exception
    assert "mine" in {study.name for study in studies.list_studies(home)}


@pytest.mark.parametrize(
    "case", [case for case in BROKEN_FILES if not case.is_read], ids=lambda case: case.name
)
def test_broken_uploads_are_reported_in_a_sentence(open_page, home, case, tmp_path):
    (tmp_path / "broken").mkdir()
    page = open_page("study")
    before = [study.id for study in studies.list_studies(home)]
    uploader = page.file_uploader[0]
    for path in case.make(tmp_path / "broken"):
        uploader = uploader.upload(path.name, path.read_bytes())
    uploader.run()
    if not page.error:
        page.button(key="import").click().run()
    assert not page.exception
    (error,) = page.error
    assert "\n" not in error.value
    assert [study.id for study in studies.list_studies(home)] == before


def test_several_files_get_roles_ticks_and_a_report_before_the_import(open_page, home, tmp_path):
    ids = [f"u{i:02d}" for i in range(60)]
    random = np.random.default_rng(0)
    valence = random.normal(size=60).round(3)

    def table(columns: dict, index=ids) -> bytes:
        return pd.DataFrame({"id": index, **columns}).to_csv(index=False).encode()

    upload = {
        "audio.csv": table({f"f{j}": random.normal(size=60) for j in range(3)}),
        "text.csv": table({f"e{j}": random.normal(size=60) for j in range(3)},
                          [*ids[2:], "stray", "other"]),
        "labels.csv": table({"valence": valence, "speaker": [f"p{i // 4}" for i in range(60)]}),
        "ratings.csv": table({"T": valence, "A": valence}),
        "old_labels.csv": table({"valence": -valence}),
    }  # fmt: skip
    page = open_page("study")
    box = page.file_uploader[0]
    for name, content in upload.items():
        box = box.upload(name, content)
    box.run()
    by_label = {box.label: box for box in page.selectbox}
    assert by_label["Role of audio.csv"].value == "modality"
    assert by_label["Role of ratings.csv"].value == "judgments"
    by_label["Role of old_labels.csv"].set_value("ignore").run()
    assert not page.error
    assert "Rows are matched by 'id' in labels.csv, audio.csv, text.csv and ratings.csv." in text(
        page
    ).replace("\\", "")
    together = next(d.value for d in page.dataframe if ("", "sample id") in d.value)
    assert together["", "sample id"].tolist()[-2:] == ["u00", "u01"]  # text.csv lacks them
    assert together["text.csv", "e0"].tolist()[-2:] == ["", ""]
    joins = next(d.value for d in page.dataframe if "Match a sample" in d.value)
    joins = joins.set_index("File")
    assert "old_labels.csv" not in joins.index
    assert joins.loc["text.csv"].tolist() == [60, 58, 2, 2]
    unmatched = next(d.value for d in page.dataframe if "Sample id" in d.value)
    assert unmatched["Sample id"].tolist() == ["u00", "u01", "stray", "other"]
    page.button(key="import").click().run()
    assert not page.exception
    study = studies.list_studies(home)[0]
    data = studies.load_study(home, study.id)
    np.testing.assert_allclose(data.target, valence.astype(np.float32))
    assert set(data.judgments) == {frozenset({"text"}), frozenset({"audio"})}
    mapping = StudyMapping.from_dict(studies.provenance(home, study.id)["mapping"])
    assert mapping.files["old_labels.csv"] == "ignore"

    # The mapping, dropped again with the files, says the same without a click.
    page = open_page("study")
    box = page.file_uploader[0]
    for name, content in upload.items():
        box = box.upload(name, content)
    named = mapping_text(replace(mapping, name="Again"))
    box.upload("study.yaml", named.encode()).run()
    assert not page.error
    page.button(key="import").click().run()
    again = studies.list_studies(home)[0]
    assert again.name == "Again"
    found = studies.provenance(home, again.id)["mapping"]
    assert found == {**mapping.to_dict(), "name": "Again"}


def test_outputs_of_a_model_from_elsewhere_are_named_in_the_form(open_page, home):
    random = np.random.default_rng(0)
    table = pd.DataFrame({"clip": [f"c{k:03d}" for k in range(60)]})
    for modality in ("audio", "video"):
        for k in range(3):
            table[f"{modality}_{k}"] = random.normal(size=60)
    table["out_a"], table["out_v"] = table["audio_0"] * 2, table["video_1"] - table["video_2"]
    table["valence"] = table["out_a"] + table["out_v"] + random.normal(size=60)
    page = open_page("study")
    page.file_uploader[0].upload("study.csv", table.to_csv(index=False).encode()).run()

    def outputs(modality):
        return next(m for m in page.multiselect if m.label == f"Outputs for {modality}")

    outputs("audio").set_value(["out_a"]).run()
    assert "video has none" in page.error[0].value.replace("\\", "")
    outputs("video").set_value(["out_v"]).run()
    assert not page.error
    page.button(key="import").click().run()
    assert not page.exception
    dataset = studies.load_study(home, studies.list_studies(home)[0].id)
    assert dataset.given_outputs == {"audio": ("output out_a",), "video": ("output out_v",)}
    assert dataset.features["audio"].names == (
        "audio_0", "audio_1", "audio_2", "output out_a",
    )  # fmt: skip
    np.testing.assert_allclose(
        dataset.output_values()[:, :, 0],
        table[["out_a", "out_v"]].to_numpy(),
        rtol=1e-5,
        atol=1e-6,
    )


def test_a_person_that_is_taken_back_is_not_guessed_again_from_the_study_yaml(open_page, home):
    content = good_table(60).to_csv(index=False).encode()
    page = open_page("study")
    page.file_uploader[0].upload("study.csv", content).run()
    person = next(box for box in page.selectbox if box.label == "Person")
    assert person.value == "person"
    person.set_value("").run()
    page.button(key="import").click().run()
    assert not page.exception
    (study,) = (s for s in studies.list_studies(home) if s.origin == "recorded")
    assert studies.load_study(home, study.id).persons is None
    mapping = studies.provenance(home, study.id)["mapping"]
    assert mapping["person"] == ""
    assert "fold" not in mapping  # Nothing was guessed, so nothing was taken back.

    page = open_page("study")
    text = mapping_text(StudyMapping.from_dict(mapping))
    page.file_uploader[0].upload("study.csv", content).upload("study.yaml", text.encode()).run()
    assert next(box for box in page.selectbox if box.label == "Person").value == ""


@pytest.mark.parametrize("folder", [".", "app", "../..", "clips"])
def test_an_uploaded_study_yaml_reveals_no_folder_of_the_server(open_page, home, folder):
    content = good_table(60).to_csv(index=False).encode()
    page = open_page("study")
    mapping = f"media_folder: {folder!r}\n".encode()
    page.file_uploader[0].upload("study.csv", content).upload("study.yaml", mapping).run()
    page.button(key="import").click().run()
    assert not page.exception
    said = text(page).replace("\\", "")
    assert "is not a whole path" in said
    for secret in (str(Path.cwd()), str(home.root), str(Path.home())):
        assert secret not in said
    assert not [s for s in studies.list_studies(home) if s.origin == "recorded"]


def test_the_form_proposes_roles_by_cells_and_reports_what_is_not_used(open_page, home):
    fold = np.arange(60) % 5
    table = good_table(60).rename(columns={"person": "Proband"})
    table = table.assign(**{f"fold_{k}": (fold == k).astype(int) for k in range(5)}, group=fold % 2)
    table["audio_no"] = np.arange(60)
    page = open_page("study")
    page.file_uploader[0].upload("study.csv", table.to_csv(index=False).encode()).run()
    assert page.selectbox(key=_key(page, "person_")).value == "Proband"
    assert page.selectbox(key=_key(page, "fold_")).value == "fold_*"
    assert "5 folds of the data in 'fold_*'" in text(page).replace("\\", "")
    page.button(key="import").click().run()
    assert not page.exception
    data = studies.load_study(home, studies.list_studies(home)[0].id)
    np.testing.assert_array_equal(data.folds.test.argmax(axis=0), fold)
    assert data.features["audio"].names == ("audio_pitch", "audio_energy", "audio_rate")
    notes = " ".join(data.notes)
    assert "audio_no (counts the rows)" in notes
    assert "column 'group': it looks like a group and is not used" in notes


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_synthetic_studies_are_made_and_called_so(open_page, home, kind):
    page = open_page("study")
    box = page.selectbox(key="synthetic_kind")
    box.set_value(box.options[kind]).run()
    page.number_input(key="synthetic_samples").set_value(100).run()
    page.button(key="synthesise").click().run()
    assert not page.exception
    study = studies.list_studies(home)[0]
    assert (study.origin, study.samples) == ("synthetic", 100)
    assert "This data is synthetic" in text(page)


def test_the_demo_is_made_by_a_button_and_marked_as_simulated(open_page, home, monkeypatch):
    monkeypatch.setattr(demo, "simulated_affect", lambda **_: simulated_affect(samples=60))
    monkeypatch.setattr(waiting, "launch", lambda _: None)  # Nothing is trained for this test.
    page = open_page("study")
    page.button(key="explore_demo").click().run()
    assert not page.exception
    assert page.selectbox(key="study").value == "demo"
    assert "The first model of this study" in page.get("progress")[0].proto.text
    for name in ("data", "samples"):
        assert ":orange-badge[:material/science: Simulated]" in text(open_page(name, study="demo"))


def test_a_first_start_opens_the_demo_and_shows_its_training(open_page, home, monkeypatch):
    monkeypatch.setattr(demo, "simulated_affect", lambda **_: simulated_affect(samples=60))
    monkeypatch.setattr(waiting, "launch", lambda _: None)
    studies.delete_study(home, "synthetic")
    page = open_page("study")
    assert [study.id for study in studies.list_studies(home)] == ["demo"]
    assert page.selectbox(key="study").value == "demo"
    assert "starts in a moment" in page.get("progress")[0].proto.text
    page.button(key="open_synthetic").click().run()
    assert not page.exception
    assert page.selectbox(key="study").value == "synthetic"


def test_the_folder_of_a_studys_recordings_can_be_set(open_page, home, tmp_path):
    data = synthetic_additive(samples=80)
    study = studies.add_study(home, data)
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / f"{data.sample_ids[3]}.wav").write_bytes(b"RIFF")
    page = open_page("study", study=study)
    page.text_input(key=f"media_folder_{study}").set_value("/no/such/folder").run()
    assert "There is no folder" in page.error[0].value
    page.text_input(key=f"media_folder_{study}").set_value(str(tmp_path / "clips")).run()
    page.button(key=f"save_media_{study}").click().run()
    assert not page.exception
    assert "1 of 80 samples have a recording" in text(page).replace("\\", "")
    assert studies.media_of(home, study).folder == str(tmp_path / "clips")


def test_a_study_is_renamed_deleted_and_brought_back(open_page, trained_home):
    page = open_page("study")
    study = page.selectbox(key="study").value
    page.text_input(key=f"rename_{study}").set_value("Renamed").run()
    page.button(key=f"rename_now_{study}").click().run()
    assert studies.get_study(trained_home, study).name == "Renamed"
    page.button(key=f"delete_{study}").click().run()
    assert study not in {s.id for s in studies.list_studies(trained_home)}
    assert "Renamed was deleted" in text(page)
    undo(page, "undo").click().run()
    assert study in {s.id for s in studies.list_studies(trained_home)}
    assert page.selectbox(key="study").value == study


def test_decimal_sign_is_asked_where_a_file_leaves_it_open(open_page, home):
    rows = [f"c{i}\t{i + 1},{100 + 7 * i}\t{i + 3},{200 + 7 * i}\t{i % 7}" for i in range(20)]
    content = "\n".join(["clip\taudio_a\tvideo_a\tscore", *rows]).encode()
    page = open_page("study")
    page.file_uploader[0].upload("study.tsv", content).run()
    assert "'1,100' may be 1100 or" in page.error[0].value
    (choice,) = [radio for radio in page.radio if radio.label == "Decimal sign"]
    choice.set_value(",").run()
    assert not page.exception
    assert not page.error
    assert page.selectbox(key=_key(page, "target_")).value == "score"
