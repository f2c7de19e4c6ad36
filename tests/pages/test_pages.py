"""Every page without data, with data, and after each thing that a user can do on it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from smurf_core.data.generated.synthetic import synthetic_additive, synthetic_interactions
from smurf_core.data.importing.mapping import StudyMapping, mapping_text
from smurf_core.runs import store, studies
from tests.broken_files import BROKEN_FILES, good_table
from tests.pages.conftest import FAST, facts, trained

PAGES = (
    "study", "data", "train", "overview", "redundancy", "samples", "judgments", "missing",
    "what_if", "compare", "verify", "report",
)  # fmt: skip
# These need a finished run.
EXPLORING = ("overview", "redundancy", "samples", "missing", "what_if", "verify", "report")


def text(page) -> str:
    shown = [*page.markdown, *page.info, *page.success, *page.error, *page.subheader, *page.title]
    return "\n".join(element.value for element in shown)


@pytest.mark.parametrize("name", PAGES)
def test_a_new_workspace_opens_on_the_synthetic_study(open_page, home, name):
    page = open_page(name)
    assert not page.error
    assert [study.id for study in studies.list_studies(home)] == ["synthetic"]
    if name in EXPLORING:
        assert "no finished run yet" in text(page)
    if name == "compare":
        assert "Two finished runs" in text(page)
    if name == "judgments":
        assert "no human judgments" in text(page)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("task", ["regression", "classification"])
def test_every_page_opens_on_a_trained_study(open_page, trained_home, name, task):
    study = next(s for s in studies.list_studies(trained_home) if s.task == task)
    page = open_page(name, study=study.id)
    assert not page.error
    assert page.selectbox(key="study").value == study.id
    assert "None" not in text(page)
    assert "nan" not in text(page).split()


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("state", ["two", "five", "interactions", "judged", "absent", "subsets"])
def test_every_page_opens_in_every_state(open_page, home, name, state):
    random = np.random.default_rng(0)
    if state == "interactions":
        study = trained(home, synthetic_interactions(samples=80), "mro_smurf")
    elif state == "subsets":
        data = synthetic_additive(samples=80, task="classification")
        study = trained(home, data, "mro_smurf_subsets", "e_hgr")
    else:
        count = {"two": 2, "five": 5}.get(state, 3)
        data = synthetic_additive(samples=80, modalities=count)
        if state == "judged":
            ratings = {
                frozenset(shown): (data.target + random.normal(size=80)).astype(np.float32)
                for shown in ("AB", "C")
            }
            levels = {"A": random.integers(-1, 3, size=80)}
            people = np.repeat([f"p{i}" for i in range(16)], 5)
            data = replace(data, judgments=ratings, informativeness=levels, groups=people)
        if state == "absent":
            values = data.features["B"].values.copy()
            values[:20] = np.nan
            features = {**data.features, "B": replace(data.features["B"], values=values)}
            data = replace(data, features=features, factors={})
        study = trained(home, data, "late_fusion", "smurf")
    page = open_page(name, study=study)
    assert not page.error


def test_switching_a_modality_off_changes_the_scores(open_page, trained_home):
    page = open_page("missing")
    before = text(page)
    page.toggle(key=next(t.key for t in page.toggle if t.key.startswith("has_A"))).set_value(
        False
    ).run()
    assert not page.exception
    assert text(page) != before
    for toggle in ("has_B", "has_C"):
        page.toggle(key=next(t.key for t in page.toggle if t.key.startswith(toggle))).set_value(
            False
        ).run()
    assert "At least one modality" in text(page)


def test_the_address_names_study_and_run(open_page, trained_home):
    study = studies.list_studies(trained_home)[0]
    older = store.list_runs(trained_home, study.id)[-1]
    page = open_page("overview", study=study.id, run=older.id)
    assert page.selectbox(key="run").value == older.id
    assert "Late fusion" in text(page)
    page = open_page("overview", study="gone", run="gone")  # An old link still opens something.
    assert page.selectbox(key="study").value == study.id


def test_studies_of_one_name_stay_apart(open_page, home):
    data = synthetic_additive(samples=80)
    made = [studies.add_study(home, data) for _ in range(3)]
    for study in made:
        page = open_page("study", study=study)
        assert page.selectbox(key="study").value == study
    assert len(set(page.selectbox(key="study").options)) == 4


def test_the_breakdown_adds_up_to_the_prediction_shown(open_page, trained_home):
    page = open_page("samples")
    (table,) = page.table
    values = [float(cell.replace("−", "-")) for cell in table.value.iloc[:, 0]]
    assert len(values) == 1 + 9 + 1
    assert sum(values[:-1]) == pytest.approx(values[-1], abs=0.0005 * len(values))
    shown = float(facts(page)["Prediction"].replace("−", "-"))
    assert shown == pytest.approx(values[-1], abs=0.0011)


def test_samples_are_found_ordered_and_linked(open_page, trained_home):
    page = open_page("samples")
    page.text_input(key="find").set_value("s07").run()
    assert page.dataframe[0].value["sample_id"].str.contains("s07").all()
    page.text_input(key="find").set_value("nothing of the kind").run()
    assert "No sample fits" in text(page)
    page.text_input(key="find").set_value("").run()
    page.selectbox(key="order").set_value("size of error").run()
    errors = page.dataframe[0].value["error"].abs()
    assert errors.is_monotonic_decreasing
    page = open_page("samples", sample="s42")
    assert "Sample s42" in text(page)


@pytest.mark.parametrize("finding", ["unique", "redundant", "unexpected"])
@pytest.mark.parametrize("task", ["regression", "classification"])
def test_typical_samples_are_listed_highest_first(open_page, trained_home, finding, task):
    study = next(s for s in studies.list_studies(trained_home) if s.task == task)
    page = open_page("samples", study=study.id)
    page.session_state["samples_list"] = finding
    page.run()
    assert not page.exception
    shown = page.dataframe[0].value
    assert shown["score"].is_monotonic_decreasing
    assert f"Sample {shown['sample_id'].iloc[0]}" in text(page)


def test_wrong_samples_are_shown_alone_and_any_class_is_explained(open_page, trained_home):
    study = next(s for s in studies.list_studies(trained_home) if s.task == "classification")
    page = open_page("samples", study=study.id)
    page.session_state["show_only"] = "wrong"
    page.run()
    shown = page.dataframe[0].value
    assert (shown["target"] != shown["prediction"]).all()
    before = page.table[0].value.iloc[-1, 0]
    explain = next(box for box in page.selectbox if box.label == "Explain the class")
    explain.set_value((explain.value + 1) % 3).run()
    assert not page.exception
    assert page.table[0].value.iloc[-1, 0] != before


def test_files_are_uploaded_checked_and_imported(open_page, home):
    page = open_page("study")
    content = good_table(60).to_csv(index=False).encode()
    page.file_uploader[0].upload("my study.csv", content).run()
    assert page.selectbox(key=_key(page, "target_")).value == "label"
    page.button(key="import").click().run()
    assert not page.exception
    study = studies.list_studies(home)[0]
    assert (study.name, study.modalities) == ("my study", ("audio", "video"))
    assert "was imported" in text(page)
    assert not list((home.root / "uploads").iterdir())


def _key(page, start: str) -> str:
    return next(box.key for box in page.selectbox if box.key and box.key.startswith(start))


@pytest.mark.parametrize(
    "case", [case for case in BROKEN_FILES if not case.is_read], ids=lambda case: case.name
)
def test_broken_uploads_are_told_in_a_sentence(open_page, home, case, tmp_path):
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


def test_a_study_is_renamed_deleted_and_brought_back(open_page, trained_home):
    page = open_page("study")
    study = page.selectbox(key="study").value
    page.text_input(key=f"rename_{study}").set_value("Renamed").run()
    page.button(key="rename").click().run()
    assert studies.get_study(trained_home, study).name == "Renamed"
    page.button(key="delete").click().run()
    assert study not in {s.id for s in studies.list_studies(trained_home)}
    assert "Renamed was deleted" in text(page)
    page.button(key="undo").click().run()
    assert study in {s.id for s in studies.list_studies(trained_home)}
    assert page.selectbox(key="study").value == study


def test_a_run_is_annotated_deleted_and_brought_back(open_page, trained_home):
    page = open_page("train")
    study = page.selectbox(key="study").value
    newest = store.list_runs(trained_home, study)[0]
    page.text_area(key=f"note_{newest.id}").set_value("a *note*").run()
    page.button(key=f"save_{newest.id}").click().run()
    assert store.get_run(trained_home, newest.id).note == "a *note*"
    assert "a \\*note\\*" in text(page)
    page.button(key=f"delete_{newest.id}").click().run()
    assert newest.id not in {run.id for run in store.list_runs(trained_home)}
    page.button(key="undo_run").click().run()
    assert newest.id in {run.id for run in store.list_runs(trained_home)}


def test_bad_grids_are_told_and_cannot_be_started(open_page, home):
    page = open_page("train")
    page.selectbox(key="preset").set_value("custom").run()
    page.text_input(key="grid_layers").set_value("wide").run()
    assert "write widths as 20" in page.error[0].value
    assert page.button(key="start").disabled


def test_text_of_users_is_never_markup(open_page, home):
    data = synthetic_additive(samples=80)
    study = trained(home, data, "smurf")
    studies.rename_study(home, study, "<b>[x](http://evil)</b> **bold** $x$ :red[y]")
    for name in PAGES:
        page = open_page(name, study=study)
        shown = "\n".join(element.value for element in (*page.markdown, *page.info, *page.success))
        assert "[x](http" not in shown
        assert "**bold**" not in shown


def test_a_failed_run_says_why_and_can_be_resumed(open_page, home):
    study = studies.ensure_synthetic_study(home)
    run_id = store.create_run(home, study, FAST, jobs=1)
    store.request_cancel(home, run_id)
    page = open_page("train")
    assert "cancelled" in text(page)
    assert page.button(key=f"resume_{run_id}")


def test_the_simulated_study_is_made_by_a_button_and_marked_on_every_page(open_page, home):
    page = open_page("study")
    page.button(key="simulate").click().run()
    assert not page.exception
    (study,) = (s for s in studies.list_studies(home) if s.origin == "simulated")
    assert page.selectbox(key="study").value == study.id
    for name in PAGES:
        assert ":orange-badge[:material/science: Simulated]" in text(
            open_page(name, study=study.id)
        )


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


def test_a_study_is_told_where_its_recordings_lie(open_page, home, tmp_path):
    data = synthetic_additive(samples=80)
    study = studies.add_study(home, data)
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / f"{data.sample_ids[3]}.wav").write_bytes(b"RIFF")
    page = open_page("study", study=study)
    page.text_input(key=f"media_folder_{study}").set_value("/no/such/folder").run()
    assert "There is no folder" in page.error[0].value
    page.text_input(key=f"media_folder_{study}").set_value(str(tmp_path / "clips")).run()
    page.button(key="save_media").click().run()
    assert not page.exception
    assert "1 of 80 samples have a recording" in text(page).replace("\\", "")
    assert studies.media_of(home, study).folder == str(tmp_path / "clips")


def test_the_data_page_describes_features_and_the_chosen_one(open_page, trained_home):
    page = open_page("data")
    tables = [frame.value for frame in page.dataframe]
    modalities = next(t for t in tables if "near_duplicates" in t)
    assert modalities["modality"].tolist() == ["A", "B", "C"]
    features = next(t for t in tables if "median" in t)
    data = studies.load_study(trained_home, page.selectbox(key="study").value)
    assert features["feature"].tolist() == list(data.features["A"].names)
