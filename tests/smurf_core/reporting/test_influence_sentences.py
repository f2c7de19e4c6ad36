"""Sentences about single samples: a simulated study where one of them decides a share."""

import numpy as np
import pandas as pd
import pytest

from smurf_core.configuration import RunConfig
from smurf_core.contributions import Contributions
from smurf_core.data.dataset import Features, MultimodalDataset
from smurf_core.evaluation.baseline import against_baseline
from smurf_core.evaluation.influence import share_influence
from smurf_core.evaluation.outlying import outlying_samples
from smurf_core.evaluation.redundancy import share_intervals
from smurf_core.explained import explained
from smurf_core.reporting.influence_sentences import (
    influence_sentence,
    outlying_sentence,
    worse_than_baseline,
)
from smurf_core.terms import pairwise_terms
from smurf_core.training.run import train_run
from tests.far_sample import FAR, recorded_badly


@pytest.fixture(scope="module")
def recorded() -> MultimodalDataset:
    return recorded_badly()


@pytest.mark.parametrize("clip", [None, 5.0])
def test_a_sample_that_decides_a_share_is_named_unless_it_is_clipped(recorded, clip):
    config = RunConfig.from_preset("quick", "late_fusion", clip=clip, restarts=1, device="cpu")
    result = train_run(recorded, config, jobs=1)
    found = explained(result, recorded)
    influence = share_influence(found, share_intervals(found))
    outlying = outlying_samples(result, found)
    assert outlying.loc[outlying["is_far"], "sample_id"].tolist() == [f"w{FAR}"]
    sentence = influence_sentence(influence, outlying)
    said = outlying_sentence(outlying.iloc[FAR].to_dict(), clips=config.clips)
    assert "standard deviations" in said
    assert ("The model reads it as 5 sd" in said) == (clip is not None)
    assert outlying_sentence(outlying.iloc[0].to_dict(), clips=config.clips) == ""
    assert worse_than_baseline(against_baseline(result, recorded)) == ""
    if clip is not None:
        assert sentence == ""
        return
    emg = influence.sources.set_index("modality").loc["emg"]
    assert emg["share"] > 2 * emg["share_without"]
    for words in (
        f"without w{FAR} (one of 150 samples), emg carries {emg['share_without']:.0%} of the "
        f"variance instead of {emg['share']:.0%} [",
        "It lies far from the training data: emg_",
    ):
        assert words in sentence


def test_many_ordinary_samples_give_no_sentence():
    """Half a percent of many samples moves every share, but not by much."""
    random, n = np.random.default_rng(0), 4_000
    values = random.normal(size=(n, 4, 1)) * np.array([2, 0.5, 0.5, 1])[:, None]
    one = Features(np.zeros((n, 1), np.float32), ("x",))
    ids = np.arange(n).astype(str)
    dataset = MultimodalDataset(
        "d", "regression", {"A": one, "B": one}, ids, np.zeros(n, np.float32), "y"
    )
    contributions = Contributions(
        values.astype(np.float32), pairwise_terms(("A", "B")), np.zeros((n, 1), np.float32),
        ("A", "B"), ("y",), ids, np.zeros(n, np.int64),
    )  # fmt: skip
    found = explained(contributions, dataset)
    influence = share_influence(found, share_intervals(found, draws=200))
    assert len(influence.sample_ids) == 20
    assert influence_sentence(influence) == ""


def table(metric: str, values: list[float], baseline: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"metric": metric, "value": values, "baseline": baseline})


def test_an_error_above_the_baselines_is_said_with_both_numbers():
    sentence = worse_than_baseline(table("log_loss", [3.0, 1.0], [1.1, 1.1]))
    for words in ("log loss", "is 2.000", "1.100 for the class frequencies", "in 1 of 2 folds"):
        assert words in sentence
    sentence = worse_than_baseline(table("rmse", [1.5], [1.25]))
    for words in ("RMSE", "1.500", "1.250 for the mean of the training folds", "in the only fold"):
        assert words in sentence


def test_an_error_below_the_baselines_is_not_news():
    assert worse_than_baseline(table("rmse", [0.5, 1.3], [1.0, 1.0])) == ""
