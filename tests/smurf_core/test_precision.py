"""A large target with a small spread is trained and reported as the same target around zero."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.data.storage import read_dataset, write_dataset
from smurf_core.evaluation.missing import missing_modalities
from smurf_core.evaluation.performance import chance_performance, performance
from smurf_core.evaluation.redundancy import variance_shares
from smurf_core.explained import explained
from smurf_core.library import read
from smurf_core.precision import compact
from smurf_core.runs.files import RunFiles
from smurf_core.training.run import train_run
from tests.studio import FAST

FAR = 1e7


def test_float32_is_kept_where_it_is_fine():
    values = np.random.default_rng(0).normal(3, 1, 100)
    assert compact(values).dtype == np.float32
    assert compact(values + 1_000).dtype == np.float64
    assert compact([np.nan, np.nan]).dtype == np.float32
    assert compact([4.0, 4.0]).dtype == np.float32
    assert compact([1e39, 0.0]).dtype == np.float64
    assert compact([FAR], unit=1e6).dtype == np.float32
    assert compact([FAR + 0.3], unit=1.0).dtype == np.float64


@pytest.mark.parametrize("model", ["smurf", "late_fusion", "exclusive"])
def test_a_target_around_ten_million_gives_the_same_numbers(model, tmp_path):
    near = synthetic_additive(samples=120)
    spread = near.target.astype(np.float64)
    near = replace(near, target=((spread - spread.mean()) / spread.std()).astype(np.float32))
    far = replace(near, target=near.target.astype(np.float64) + FAR)
    config = replace(FAST, model=model)
    found = []
    for name, data in (("near", near), ("far", far)):
        files = RunFiles(tmp_path / name)
        files.write_result(train_run(data, config))
        result = files.read_result()
        found.append((result, explained(result, data), performance(result, data)))
    (one, by_one, scores), (other, by_other, scores_far) = found
    np.testing.assert_allclose(
        by_other.contributions.values, by_one.contributions.values, atol=1e-4, rtol=0
    )
    prediction = by_other.contributions.prediction()
    np.testing.assert_allclose(
        prediction - FAR, by_one.contributions.prediction(), atol=1e-4, rtol=0
    )
    np.testing.assert_allclose(scores_far["mean"], scores["mean"], atol=1e-4, rtol=0)
    np.testing.assert_allclose(
        variance_shares(by_other.contributions)["share"],
        variance_shares(by_one.contributions)["share"],
        atol=1e-4, rtol=0,
    )  # fmt: skip
    away = chance_performance(other, far)
    np.testing.assert_allclose(
        away["value"], chance_performance(one, near)["value"], atol=1e-4, rtol=0
    )
    np.testing.assert_allclose(
        missing_modalities(other, far)["value"], missing_modalities(one, near)["value"],
        atol=1e-4, rtol=0,
    )  # fmt: skip
    assert scores_far.loc[scores_far["metric"] == "r", "mean"].item() > 0.3
    new = other.predict(far).contributions.prediction()
    np.testing.assert_allclose(
        new - FAR, one.predict(near).contributions.prediction(), atol=1e-4, rtol=0
    )


@pytest.mark.parametrize("model", ["smurf", "exclusive"])
def test_a_target_that_is_not_standardised_is_centred_where_float32_is_too_coarse(model):
    near = synthetic_additive(samples=200)
    far = replace(near, target=near.target.astype(np.float64) + FAR)
    config = replace(FAST, model=model, standardisation="none", clip=None)
    one, other = (
        performance(train_run(data, config), data).set_index("metric")["mean"]
        for data in (near, far)
    )
    assert one["r"] > 0.3
    np.testing.assert_allclose(other["r"], one["r"], atol=0.03)
    assert other["mae"] < 1.05 * one["mae"]


def test_a_large_target_is_imported_and_kept_exactly(tmp_path):
    random = np.random.default_rng(0)
    values = FAR + np.round(random.normal(size=60), 3)
    table = pd.DataFrame({"id": [f"s{i}" for i in range(60)], "income": values})
    table["age"] = values - FAR
    for name in ("audio_1", "audio_2", "video_1"):
        table[name] = random.normal(size=60)
    table.to_csv(tmp_path / "study.csv", index=False)
    dataset = read(tmp_path / "study.csv", id="id", target="age", targets=("age", "income"))
    write_dataset(dataset, tmp_path / "kept")
    kept = read_dataset(tmp_path / "kept")
    assert kept.target.dtype == np.float32
    np.testing.assert_array_equal(kept.with_target("income").target, values)
