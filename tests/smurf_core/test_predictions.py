"""Predictions of samples that a run has not seen, from arrays, data sets and files."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from smurf_core.data.dataset import Features, NewSamples
from smurf_core.data.importing.mapping import StudyMapping
from smurf_core.data.importing.new_samples import read_new_samples
from smurf_core.data.readers.registry import find_sources
from smurf_core.errors import InputError
from smurf_core.fitted import FittedModel
from smurf_core.model_kinds import kinds_for
from smurf_core.training.run import train_run
from tests.smurf_core.trained import small_run


def some(dataset, rows):
    """Rows of a data set as new samples."""
    return NewSamples(
        features={n: Features(f.values[rows], f.names) for n, f in dataset.features.items()},
        sample_ids=dataset.sample_ids[rows],
        persons=dataset.persons[rows],
    )


@pytest.mark.parametrize("model", kinds_for(explains_outputs=False))
@pytest.mark.parametrize("task", ["regression", "classification"])
def test_a_folds_model_gives_its_test_samples_their_stored_contributions(model, task):
    result, dataset = small_run(model, task)
    for fold in range(len(result.folds)):
        rows = np.flatnonzero(result.folds.test[fold])
        found = result.predict(some(dataset, rows), fold=fold).contributions
        stored = result.contributions().select(np.isin(result.sample_ids, found.sample_ids))
        assert found.terms == stored.terms
        np.testing.assert_allclose(found.values, stored.values, atol=2e-5)
        np.testing.assert_allclose(found.prediction(), stored.prediction(), atol=2e-5)


def test_an_absent_modality_of_the_data_stays_absent():
    result, dataset = small_run("smurf", absent=True)
    found = result.predict(dataset)
    is_absent = ~dataset.features["B"].present
    assert is_absent.any()
    np.testing.assert_array_equal(found.absent[:, 1], is_absent)
    of_b = found.contributions.where(lambda term: term.source == ("B",))
    assert (found.contributions.values[is_absent][:, of_b] == 0).all()
    assert found.to_frame()["absent"].unique().tolist() == ["B", ""]


def test_within_persons_all_samples_of_a_person_give_the_stored_contributions():
    result, dataset = small_run("smurf", "regression", "within_person", True)
    fold = 0
    people = np.unique(dataset.persons[result.folds.test[fold]])
    rows = np.flatnonzero(np.isin(dataset.persons, people))
    found = result.predict(some(dataset, rows), fold=fold).contributions
    stored = result.fold_contributions(fold).select(rows)
    np.testing.assert_allclose(found.values, stored.values, atol=2e-5)
    with pytest.raises(InputError, match="name the person"):
        result.predict(replace(some(dataset, rows), persons=None))
    alone = result.predict(some(dataset, rows[:1]))
    assert "only one sample" in str(alone.problems[-1])


def test_the_run_is_the_mean_of_its_folds_models_and_says_how_far_they_differ():
    result, dataset = small_run("smurf")
    new = some(dataset, np.arange(7))
    each = [result.predict(new, fold=f).contributions for f in range(len(result.folds))]
    found = result.predict(new)
    values = np.stack([c.values for c in each])
    np.testing.assert_allclose(found.contributions.values, values.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(found.spread, values.std(axis=0, ddof=1), atol=1e-6)
    predictions = np.stack([c.prediction() for c in each])
    np.testing.assert_allclose(
        found.contributions.prediction(), predictions.mean(axis=0), atol=1e-5
    )
    table = found.to_frame()
    np.testing.assert_allclose(table["spread"], predictions.std(axis=0, ddof=1)[:, 0], atol=1e-5)
    assert np.isnan(result.predict(new, fold=0).spread).all()


def test_what_is_missing_or_outside_is_said_of_each_sample():
    result, dataset = small_run("smurf")
    new = some(dataset, np.arange(4))
    values = {name: f.values.copy() for name, f in new.features.items()}
    values["A"][0, 1] = np.nan
    values["B"][1, 2] = 1e4
    values["C"][2] = np.nan
    new = replace(new, features={n: Features(values[n], f.names) for n, f in new.features.items()})
    table = result.predict(new).to_frame()
    assert table["missing"].tolist() == [1, 0, 0, 0]
    assert table["outside"].tolist()[1] == 1
    assert table["outside_features"].iloc[1] == f"B: {dataset.features['B'].names[2]}"
    assert table["absent"].tolist() == ["", "", "C", ""]
    # What is missing counts as the training samples' mean.
    model = result.fold_results[0].model
    mean = model.scaler.feature_means["A"][1]
    values["A"][0, 1] = mean
    filled = model.contributions(values)
    gaps = model.contributions({n: f.values for n, f in new.features.items()})
    np.testing.assert_allclose(gaps.values[0], filled.values[0], atol=1e-5)


def test_features_are_found_by_name_in_any_order():
    result, dataset = small_run("smurf")
    new = some(dataset, np.arange(9))
    shuffled = {
        name: Features(f.values[:, ::-1].copy(), f.names[::-1]) for name, f in new.features.items()
    }
    found = result.predict(replace(new, features=dict(reversed(shuffled.items()))))
    expected = result.predict(new)
    np.testing.assert_array_equal(found.contributions.values, expected.contributions.values)
    with pytest.raises(InputError, match="contain none of the features"):
        result.predict(
            replace(new, features={"A": Features(np.zeros((9, 1), np.float32), ("other",))})
        )


@pytest.mark.parametrize("model", ["smurf", "mro_smurf", "mro_smurf_subsets", "late_fusion"])
def test_a_model_is_read_back_from_one_file_equal_to_the_last_bit(model, tmp_path):
    result, dataset = small_run(model, "classification")
    fitted = result.fold_results[1].model
    fitted.save(tmp_path / "model.safetensors")
    again = FittedModel.load(tmp_path / "model.safetensors")
    features = {name: f.values for name, f in dataset.features.items()}
    before, after = fitted.contributions(features), again.contributions(features)
    np.testing.assert_array_equal(before.values, after.values)
    assert before.terms == after.terms
    assert again.features == fitted.features
    assert again.description() == fitted.description()


def test_a_file_that_is_no_model_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "x").write_bytes(b"\x80\x04nothing")
    with pytest.raises(InputError, match="no model of SMURF Studio"):
        FittedModel.load(tmp_path / "x")
    with pytest.raises(InputError, match="There is no file"):
        FittedModel.load(tmp_path / "y")


def test_modalities_may_be_called_anything(tmp_path):
    """Once, `audio+video` was taken for an interaction, and two towers shared one weight's name."""
    result, dataset = small_run("mro_smurf")
    names = {"A": "x", "B": "y/0", "C": "x+y/0"}
    renamed = replace(
        dataset, features={names[n]: f for n, f in dataset.features.items()}, factors={}
    )
    found = train_run(renamed, result.config)
    np.testing.assert_array_equal(found.contributions().values, result.contributions().values)
    model = found.fold_results[0].model
    model.save(tmp_path / "m")
    again = FittedModel.load(tmp_path / "m")
    features = {name: f.values for name, f in renamed.features.items()}
    np.testing.assert_array_equal(
        again.contributions(features).values, model.contributions(features).values
    )


def write(folder, dataset, rows, *, ids=True, target=True):
    folder.mkdir()
    for name, features in dataset.features.items():
        table = pd.DataFrame(features.values[rows], columns=list(features.names))
        if ids:
            table.insert(0, "sample_id", dataset.sample_ids[rows])
        table.to_csv(folder / f"{name}.csv", index=False)
    if target:
        pd.DataFrame(
            {"sample_id": dataset.sample_ids[rows], "person": dataset.persons[rows]}
        ).to_csv(folder / "labels.csv", index=False)
    return find_sources([folder])


def needed(result):
    model = result.fold_results[0].model
    return {name: model.features[name] for name in model.modalities}


def test_files_without_a_target_give_the_same_predictions_as_arrays(tmp_path):
    result, dataset = small_run("smurf")
    rows = np.array([5, 3, 40])
    mapping = StudyMapping(id="sample_id", person="person")
    sources = write(tmp_path / "new", dataset, rows)
    new = read_new_samples(sources, needed(result), mapping)
    assert new.sample_ids.tolist() == dataset.sample_ids[rows].tolist()
    assert new.persons.tolist() == dataset.persons[rows].tolist()
    expected = result.predict(some(dataset, rows)).contributions.values
    np.testing.assert_allclose(result.predict(new).contributions.values, expected, atol=1e-5)


def test_a_sample_that_a_file_lacks_lacks_its_modality(tmp_path):
    result, dataset = small_run("smurf")
    sources = write(tmp_path / "new", dataset, np.arange(6))
    table = pd.read_csv(tmp_path / "new" / "B.csv").iloc[::-1].iloc[:-2]
    table.to_csv(tmp_path / "new" / "B.csv", index=False)
    new = read_new_samples(sources, needed(result), StudyMapping(id="sample_id"))
    found = result.predict(new)
    assert found.absent[:, 1].tolist() == [True, True, False, False, False, False]
    expected = result.predict(some(dataset, np.arange(6))).contributions.values
    np.testing.assert_allclose(found.contributions.values[2:], expected[2:], atol=1e-5)


def test_files_without_ids_are_joined_by_position_only_on_request_and_if_equally_long(tmp_path):
    result, dataset = small_run("smurf")
    sources = write(tmp_path / "new", dataset, np.arange(6), ids=False, target=False)
    with pytest.raises(InputError, match=r"No column names the samples .*match: position"):
        read_new_samples(sources, needed(result), StudyMapping())
    by_position = StudyMapping(match="position")
    new = read_new_samples(sources, needed(result), by_position)
    assert "by their position" in str(new.problems[-1])
    table = pd.read_csv(tmp_path / "new" / "B.csv").iloc[:4]
    table.to_csv(tmp_path / "new" / "B.csv", index=False)
    with pytest.raises(InputError, match=r"4 rows where .* has 6: give both a column"):
        read_new_samples(sources, needed(result), by_position)


def test_files_of_something_else_are_refused(tmp_path):
    result, _ = small_run("smurf")
    (tmp_path / "x.csv").write_text("sample_id,other\na,1\nb,2\n")
    with pytest.raises(InputError, match="none of the features that the model needs"):
        read_new_samples(find_sources([tmp_path]), needed(result), StudyMapping())


def test_a_clipped_model_is_read_back_and_still_says_what_is_outside(tmp_path):
    result, dataset = small_run("smurf")
    clipped = train_run(dataset, replace(result.config, clip=1.0), jobs=1)
    before = clipped.fold_results[0].model
    before.save(tmp_path / "model.safetensors")
    model = FittedModel.load(tmp_path / "model.safetensors")
    assert model.scaler.clip == 1.0
    rows = some(dataset, np.arange(3))
    rows.features["A"].values[:] *= 1000
    inputs = model.inputs({n: f.values for n, f in rows.features.items()})
    assert np.abs(inputs["A"]).max() == 1.0
    assert clipped.predict(rows).outside["A"].any(axis=1).all()
    np.testing.assert_array_equal(
        before.predict({n: f.values for n, f in rows.features.items()}),
        model.predict({n: f.values for n, f in rows.features.items()}),
    )


def test_a_model_written_before_models_were_clipped_is_not_clipped():
    result, _ = small_run("smurf")
    model = result.fold_results[0].model
    description = model.description()
    del description["clip"]
    assert FittedModel.from_parts(description, model.arrays()).scaler.clip is None
