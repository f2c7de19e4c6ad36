"""Tables about a data set, against numpy, scipy and counting by hand."""

import numpy as np
import pytest

from smurf_core.data.dataset import Features, Folds, MultimodalDataset
from smurf_core.data.description import (
    absence_table,
    component_correlations,
    describe,
    feature_table,
    fold_table,
    near_duplicates,
    person_table,
    sampled_rows,
)

N = 60


def made(values: dict[str, np.ndarray], **rest) -> MultimodalDataset:
    features = {
        name: Features(v.astype(np.float32), tuple(f"{name}{j}" for j in range(v.shape[1])))
        for name, v in values.items()
    }
    ids = np.array([f"s{i:02d}" for i in range(N)])
    target = np.arange(N, dtype=np.float32)
    return MultimodalDataset("study", "regression", features, ids, target, "y", **rest)


@pytest.fixture
def data() -> MultimodalDataset:
    """Audio has an outlier and a doubled feature; video is absent for the first ten samples."""
    random = np.random.default_rng(0)
    audio, video = random.normal(size=(N, 4)), random.normal(size=(N, 3))
    audio[7, 0] = 1000
    audio[:, 3] = -2 * audio[:, 1] + 1e-4 * random.normal(size=N)
    video[:10] = np.nan
    groups = np.array([f"p{i // 15}" for i in range(N)])
    folds = Folds.from_test_folds(np.arange(N) // 15)
    return made({"audio": audio, "video": video}, persons=groups, folds=folds)


def test_features_are_described_over_the_samples_that_have_them(data):
    table = feature_table(data).set_index("feature")
    video = data.features["video"].values[10:].astype(np.float64)
    assert table.loc["video1", "mean"] == pytest.approx(video[:, 1].mean(), rel=1e-5)
    assert table.loc["video1", "sd"] == pytest.approx(video[:, 1].std(ddof=1), rel=1e-5)
    assert table.loc["video1", "median"] == pytest.approx(np.median(video[:, 1]), rel=1e-5)
    assert table.loc["audio0", "outliers"] == pytest.approx(1 / N)
    assert table.loc["audio0", "maximum"] == 1000


def test_near_duplicates_are_pairs_of_close_features(data):
    table = near_duplicates(data)
    assert table[["modality", "feature", "double"]].to_numpy().tolist() == [
        ["audio", "audio1", "audio3"]
    ]
    values = data.features["audio"].values.astype(np.float64)
    assert table["r"][0] == pytest.approx(np.corrcoef(values[:, 1], values[:, 3])[0, 1], abs=1e-6)


def test_near_duplicates_are_found_across_blocks_and_huge_scales():
    random = np.random.default_rng(1)
    values = random.normal(size=(N, 2_050))
    values[:, 2_049] = 1e30 * values[:, 3]
    table = near_duplicates(made({"wide": values, "other": values[:, :2]}))
    assert table[["feature", "double"]].to_numpy().tolist() == [["wide3", "wide2049"]]


@pytest.mark.parametrize("width", [5, 90])  # fewer and more features than samples
def test_components_correlate_as_those_of_an_svd(width):
    random = np.random.default_rng(2)
    a, b = random.normal(size=(N, width)), random.normal(size=(N, 4))
    b[:, 0] += a[:, 0]

    def component(values: np.ndarray, number: int) -> np.ndarray:
        z = (values - values.mean(axis=0)) / values.std(axis=0)
        u, s, _ = np.linalg.svd(z, full_matrices=False)
        return u[:, number] * s[number]

    table = component_correlations(made({"a": a, "b": b}))
    assert len(table) == 9
    for row in table.itertuples():
        expected = np.corrcoef(
            component(a, row.component - 1), component(b, row.other_component - 1)
        )
        assert abs(row.r) == pytest.approx(abs(expected[0, 1]), abs=1e-4)
        assert row.samples == N


def test_absent_samples_are_left_out_of_component_correlations(data):
    assert set(component_correlations(data)["samples"]) == {N - 10}


def test_absences_persons_and_folds_are_counted(data):
    absences = absence_table(data).set_index("lacks")
    assert absences["samples"].to_dict() == {"": 50, "video": 10}
    assert absences.loc["video", "examples"] == "s00, s01, s02, s03, s04"
    persons = person_table(data)
    assert persons["samples"].tolist() == [15] * 4
    assert persons["target_mean"].tolist() == [7, 22, 37, 52]
    folds = fold_table(data)
    assert folds["test"].tolist() == [15] * 4
    assert folds["persons_tested"].tolist() == [1] * 4
    assert folds["target_mean"].tolist() == [7, 22, 37, 52]


def test_constant_features_do_no_harm():
    values = np.ones((N, 2))
    described = describe(made({"flat": values, "ramp": np.arange(N)[:, None] * 1.0}))
    assert described.modalities["constant"].tolist() == [2, 0]
    assert described.components["r"].isna().all()


def test_sampled_rows_are_spread_and_bounded():
    assert sampled_rows(10).tolist() == list(range(10))
    rows = sampled_rows(25_000)
    assert (len(rows), rows[0]) == (4_000, 0)
    assert rows[-1] > 24_900
