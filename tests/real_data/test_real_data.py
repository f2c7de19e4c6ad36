"""Real recordings, where they are at hand: a folder `shared/data` beside the project's.

None of it belongs to the project; another place is named by SMURF_TEST_DATA.
"""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smurf_core.configuration import RunConfig
from smurf_core.data.importing.assembly import StudyMapping, assemble, guess_mapping
from smurf_core.data.importing.tables import read_tables
from smurf_core.data.readers.registry import find_sources
from smurf_core.errors import InputError
from smurf_core.evaluation.judgments import unique_pairs
from smurf_core.evaluation.performance import chance_performance, performance
from smurf_core.experiments.reproduce import as_markdown, reproduce
from smurf_core.explained import explained
from smurf_core.training.run import train_run
from tests.smurf_core.by_hand import square_contributions

DATA = Path(
    os.environ.get("SMURF_TEST_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")
)
pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"No real data in {DATA}: set SMURF_TEST_DATA to where it is."
)


def read(*names: str, mapping: StudyMapping | None = None):
    return assemble(find_sources([DATA / name for name in names]), mapping)


def score(dataset, result, metric):
    table = performance(result, dataset).set_index("metric")
    chance = chance_performance(result, dataset).groupby("metric")["value"].mean()
    return float(table.loc[metric, "mean"]), float(chance[metric])


def test_vreed_tables_and_the_authors_cache_are_the_identical_data_set():
    tables, cache = read("vreed").dataset, read("authors_caches/vreed.pickle").dataset
    assert tables.modalities == cache.modalities == ("ecg", "eda", "vision")
    assert len(tables) == 312
    assert tables.class_names == cache.class_names
    by_id = [np.argsort(data.sample_ids) for data in (tables, cache)]
    assert sorted(tables.sample_ids) == sorted(cache.sample_ids)
    a, b = by_id
    for name in tables.modalities:
        assert tables.features[name].names == cache.features[name].names
        np.testing.assert_array_equal(
            tables.features[name].values[a], cache.features[name].values[b]
        )
    np.testing.assert_array_equal(tables.target[a], cache.target[b])
    np.testing.assert_array_equal(tables.persons[a], cache.persons[b])
    for role in ("training", "validation", "test"):
        np.testing.assert_array_equal(
            getattr(tables.folds, role)[:, a], getattr(cache.folds, role)[:, b]
        )
    assert tables.fingerprint == cache.fingerprint


def test_the_authors_synthetic_caches_hold_the_equations():
    toy = read("authors_caches/toy.pickle").dataset
    assert toy.origin == "synthetic"
    total = sum(values.astype(float) for values in toy.factors.values())
    np.testing.assert_allclose(toy.target, total, atol=1e-5)
    for features in toy.features.values():
        assert len(features.names) == 3  # The constant column is left out.
    natoy = read("authors_caches/natoy.pickle").dataset
    parts = [values for name, values in natoy.factors.items() if "*" in name]
    np.testing.assert_allclose(natoy.target, np.sum(parts, axis=0), atol=1e-4)


def test_vreed_trains_within_the_quick_preset_better_than_chance():
    data = read("vreed").dataset
    result = train_run(data, RunConfig.from_preset("quick"))
    reached, chance = score(data, result, "accuracy")
    assert reached > chance + 0.15
    assert result.seconds < 60


def test_wesad_has_four_modalities_and_trains_within_persons():
    data = read("wesad60").dataset
    sizes = {name: features.values.shape[1] for name, features in data.features.items()}
    assert sizes == {"ECG": 26, "EDA": 19, "EMG": 18, "RR": 5}
    assert (len(data), len(np.unique(data.persons)), len(data.class_names)) == (728, 15, 4)
    config = replace(RunConfig.from_preset("quick"), standardisation="within_person", restarts=1)
    result = train_run(data, config)
    for fold in range(len(result.folds)):  # No person on two sides.
        tested = set(data.persons[result.folds.test[fold]])
        assert not tested & set(data.persons[result.folds.training[fold]])
    reached, chance = score(data, result, "accuracy")
    assert reached > chance + 0.3


def test_mmmo_is_pooled_keeps_its_official_split_and_beats_the_mean():
    # Its files contain no ids: their rows are in the same order.
    by_position = guess_mapping(find_sources([DATA / "mmmo"]), StudyMapping(match="position"))
    found = read("mmmo", mapping=by_position)
    data = found.dataset
    roles = (data.folds.training, data.folds.validation, data.folds.test)
    assert [int(role.sum()) for role in roles] == [220, 40, 80]
    assert "Modality 'text': at least one fold has no training sample" in " ".join(
        map(str, found.problems)
    )
    assert np.abs(data.features["audio"].values).max() < 255
    result = train_run(data, replace(RunConfig.from_preset("standard"), restarts=1))
    reached, chance = score(data, result, "mae")
    assert reached < chance - 0.1
    assert score(data, result, "r")[0] > 0.25


def test_the_papers_tables_are_reproduced_and_taken_up_again(tmp_path):
    lines: list[str] = []
    folder = DATA / "authors_caches"
    found = [
        reproduce(
            [folder], preset="quick", keep=tmp_path, only=("vreed",), seeds=1, report=lines.append
        )
        for _ in range(2)
    ]
    assert len(lines) == 10
    assert all("kept from before" in line for line in lines[5:])
    first, again = found
    pd.testing.assert_frame_equal(first.performance, again.performance)
    by_model = first.performance.set_index("model")
    assert by_model.loc["smurf", "paper"] == 0.608
    assert by_model.loc["late_fusion", "paper_sd"] == 0.061
    assert (by_model["mean"] > 0.4).all()
    assert set(first.single["available"]) == {"E", "G", "V"}
    some = reproduce(
        [folder], preset="quick", keep=tmp_path, only=("vreed",), models=("e_hgr",), seeds=1
    )
    assert list(some.performance["model"]) == ["e_hgr", "smurf"]
    is_papers = first.single["model"] != "smurf_normalised"
    assert (first.single["paper"].notna() == is_papers).all()
    for table in (first.performance, first.single):
        outside = (table["paper"] > table[["seed_highest"]].max(axis=1)) & (
            table["paper"] > table["mean"] + table["sd"]
        )
        assert (table.loc[outside, "differs"] == "below").all()
    assert first.single["differs"].isin(["", "above", "below"]).all()
    text = as_markdown(first)
    assert "| VREED | quadrant | accuracy | ours |" in text
    assert "0.608 ± 0.041" in text


def test_cremad_ratings_become_judgments_of_what_raters_saw():
    sources = find_sources([DATA / "cremad"])
    with pytest.raises(InputError, match=r"4 targets \(val_y_AV, int_y_AV, pH_y_AV, intended\)"):
        guess_mapping(sources)
    known = guess_mapping(sources, StudyMapping(target="val_y_AV"))
    data = assemble(sources, known).dataset
    assert data.task == "regression"
    assert set(data.judgments) == {frozenset({"audio"}), frozenset({"video"})}
    assert (len(data), len(np.unique(data.persons))) == (7442, 91)


@pytest.mark.parametrize("what", ["valence", "arousal"])
def test_perception_study_gives_human_unique_contributions_of_all_three_modalities(what, tmp_path):
    folder = DATA / "iemocap_perception"
    table = pd.read_csv(folder / f"perception_study_{what}.csv", index_col=0)
    random = np.random.default_rng(0)
    for name in ("audio", "text", "video"):  # simulated: only ratings are published
        features = pd.DataFrame(random.normal(size=(len(table), 3))).add_prefix("f")
        features.insert(0, "file", table["file"].to_numpy())
        features.to_csv(tmp_path / f"{name}.csv", index=False)
    paths = [tmp_path, folder / "perception_study_valence.csv",
             folder / "perception_study_arousal.csv"]  # fmt: skip
    assembly = assemble(
        find_sources(paths),
        guess_mapping(find_sources(paths), StudyMapping(id="file", target=f"{what}_TAV")),
    )
    data = assembly.dataset
    assert (len(data), data.task) == (100, "regression")
    assert set(data.judgments) == {
        frozenset(shown) for shown in (["text"], ["audio"], ["video"], ["text", "audio"],
                                       ["video", "audio"], ["text", "video"])
    }  # fmt: skip
    contributions = square_contributions(
        values=np.zeros((100, 3, 3, 1), dtype=np.float32),
        baseline=np.zeros((100, 1), dtype=np.float32),
        folds=np.zeros(100, dtype=np.int64),
        modalities=data.modalities,
        outputs=data.outputs,
        sample_ids=data.sample_ids,
    )
    human = {pair.modalities: pair.human for pair in unique_pairs(explained(contributions, data))}
    by_file = table.set_index("file").loc[data.sample_ids]
    for modality, others in (("text", "VA"), ("audio", "TV"), ("video", "TA")):
        expected = by_file["TAV"] - by_file[others]
        np.testing.assert_allclose(human[modality,], expected, atol=1e-5)
        assert np.isfinite(human[modality,]).sum() == 100


def test_real_files_of_the_fields_tools_are_read():
    samples = DATA / "reader_samples"

    def table_of(name):
        (table,) = read_tables(find_sources([samples / name]))
        return table

    face = table_of("openface22_default.csv")
    raw = pd.read_csv(samples / "openface22_default.csv")
    kept = raw[(raw["success"] == 1) & (raw["confidence"] >= 0.8)]
    assert face.frame["AU12_r_mean"][0] == pytest.approx(kept["AU12_r"].mean())
    assert face.frame["AU28_c_share"][0] == pytest.approx(kept["AU28_c"].mean())
    assert "gaze_0_x_mean" in table_of("openface_old_spaces.csv").frame
    voice = table_of("grid_eGeMAPSv02.csv").frame
    raw = pd.read_csv(samples / "grid_eGeMAPSv02.csv")
    assert voice["sample_id"].tolist() == [Path(name).stem for name in raw["file"]]
    np.testing.assert_allclose(voice.iloc[:, 1:], raw.iloc[:, 3:])
    assert table_of("egemaps_utterances.arff").frame.shape == (122, 89)
    labels = table_of("mosi_labels.csd").frame
    assert (len(labels), labels["recording"].nunique()) == (2199, 93)
    first = labels[labels["recording"] == "03bSnISJMiM"]
    assert (len(first), first["label"].between(-3, 3).all()) == (13, True)
