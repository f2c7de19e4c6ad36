"""Train: the form, and what can be done with runs."""

import numpy as np

from app.sections.train import live_run
from smurf_core.configuration import preset_grid
from smurf_core.data.dataset import Features, MultimodalDataset
from smurf_core.processes import launcher
from smurf_core.runs import own_studies, store, studies
from tests.studio import FAST, text, undo


def test_bad_grids_are_reported_and_cannot_be_started(open_page, home):
    page = open_page("train")
    page.selectbox(key="preset").set_value("custom").run()
    page.text_input(key="grid_layers").set_value("wide").run()
    assert "write widths as 20" in page.error[0].value
    assert page.button(key=f"start_{page.selectbox(key='study').value}").disabled


def test_one_click_queues_what_the_paper_compares(open_page, home, monkeypatch):
    # The runs stay in the queue: what training does is tested elsewhere.
    for place in (launcher, live_run):
        monkeypatch.setattr(place, "launch", lambda _: None)
    page = open_page("train")
    study = page.selectbox(key="study").value
    page.number_input(key="seed").set_value(7)
    page.button(key=f"start_paper_{study}").click().run()
    assert not page.exception
    runs = store.list_runs(home, study)
    assert [run.config.model for run in runs] == ["smurf", "smurf_no_aux", "e_hgr", "late_fusion"]
    assert {run.config.seed for run in runs} == {7}
    for run in runs:
        assert run.config.grid == preset_grid("quick", run.config.model)


def test_principal_components_are_offered_where_features_exceed_samples(
    open_page, home, monkeypatch
):
    for place in (launcher, live_run):
        monkeypatch.setattr(place, "launch", lambda _: None)
    random = np.random.default_rng(0)
    values = {"text": random.normal(size=(40, 300)), "audio": random.normal(size=(40, 3))}
    wide = MultimodalDataset(
        name="wide", task="regression", sample_ids=np.array([f"s{k}" for k in range(40)]),
        features={
            name: Features(x.astype(np.float32), tuple(f"{name}{d}" for d in range(x.shape[1])))
            for name, x in values.items()
        },
        target=random.normal(size=40).astype(np.float32), target_name="y",
    )  # fmt: skip
    study = studies.add_study(home, wide)
    page = open_page("train", study=study)
    offer = "text has 300 features and the study 40 samples"
    assert offer not in text(page)  # The exclusive kind takes leading components anyway.
    page.selectbox(key="model").set_value("smurf").run()
    assert offer in text(page)
    page.number_input(key="components").set_value(20).run()
    assert offer not in text(page)
    page.button(key=f"start_{study}").click().run()
    assert not page.exception
    (run,) = store.list_runs(home, study)
    assert run.config.components == 20
    page.selectbox(key="model").set_value("mro_smurf").run()
    page.selectbox(key="preset").set_value("custom").run()
    page.text_input(key="grid_layers").set_value("linear").run()
    assert "multiplies features" in page.error[0].value
    assert page.button(key=f"start_{study}").disabled


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
    undo(page, "undo_run").click().run()
    assert newest.id in {run.id for run in store.list_runs(trained_home)}


def test_a_failed_run_says_why_and_can_be_resumed(open_page, home):
    study = own_studies.ensure_synthetic_study(home)
    run_id = store.create_run(home, study, FAST, jobs=1)
    store.request_cancel(home, run_id)
    page = open_page("train")
    assert "cancelled" in text(page)
    assert page.button(key=f"resume_{run_id}")


def test_a_study_with_outputs_of_a_given_model_is_only_explained(open_page, home):
    random = np.random.default_rng(0)
    features = {
        name: Features(random.normal(size=(40, 3)).astype(np.float32), ("a", "b", "output"))
        for name in ("audio", "video")
    }
    dataset = MultimodalDataset(
        name="given",
        task="regression",
        features=features,
        sample_ids=np.arange(40).astype(np.str_),
        target=random.normal(size=40).astype(np.float32),
        target_name="rating",
        given_outputs=dict.fromkeys(features, ("output",)),
    )
    page = open_page("train", study=studies.add_study(home, dataset))
    assert page.selectbox(key="model").options == ["Given model, explained (extension)"]
    assert not page.error
