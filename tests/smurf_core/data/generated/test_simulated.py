"""The simulated affect study: repeatable, honest about persons, and with something to find."""

import wave
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from smurf_core.configuration import Grid, RunConfig
from smurf_core.data.folds import fold_problems
from smurf_core.data.generated.simulated import MODALITIES, simulated_affect, write_clips
from smurf_core.data.storage import read_dataset, write_dataset
from smurf_core.errors import InputError
from smurf_core.evaluation.informativeness import informativeness_tests
from smurf_core.evaluation.judgments import human_agreement, unique_pairs
from smurf_core.explained import explained
from smurf_core.training.run import train_run


@pytest.fixture(scope="module")
def data():
    return simulated_affect()


@pytest.fixture(scope="module")
def contributions(data):
    config = replace(
        RunConfig.from_preset("quick"),
        preset="custom",
        grid=Grid((5e-3,), ((10,),), (1e-3,), (0.5,)),
        max_epochs=200,
        patience=60,
        restarts=1,
    )
    return train_run(data, config, jobs=1).contributions()


def test_equal_seeds_give_equal_studies_and_others_do_not(data):
    again, other = simulated_affect(), simulated_affect(seed=1)
    assert again.fingerprint == data.fingerprint != other.fingerprint
    pd.testing.assert_frame_equal(again.samples, data.samples)
    for shown, rating in data.judgments.items():
        np.testing.assert_array_equal(again.judgments[shown], rating)


def test_it_is_called_simulated_and_kept_as_such(data, tmp_path):
    assert data.origin == "simulated"
    assert "Simulated" in data.name
    write_dataset(data, tmp_path / "study")
    kept = read_dataset(tmp_path / "study")
    assert (kept.origin, kept.notes) == (data.origin, data.notes)
    pd.testing.assert_frame_equal(kept.samples, data.samples)


def test_no_person_is_in_two_roles_of_a_fold(data):
    assert (len(data), len(np.unique(data.persons)), len(data.folds)) == (600, 30, 5)
    for training, validation, test in zip(
        data.folds.training, data.folds.validation, data.folds.test, strict=True
    ):
        persons = [set(data.persons[role]) for role in (training, validation, test)]
        assert not persons[0] & persons[1]
        assert not persons[0] & persons[2]
        assert not persons[1] & persons[2]
    np.testing.assert_array_equal(data.folds.test.sum(axis=0), 1)
    assert fold_problems(data) == []


def test_all_subsets_of_modalities_are_judged_with_a_tenth_missing(data):
    every_subset = {frozenset(s) for s in ("a", "t", "v", "at", "av", "tv", "atv")}
    judged = data.judgments
    assert {frozenset(name[0] for name in subset) for subset in judged} == every_subset
    for subset, rating in judged.items():
        assert np.isnan(rating).mean() == pytest.approx(0.1)
        np.testing.assert_allclose(rating, data.ratings[subset].mean(axis=0), atol=1e-6)


def test_what_humans_find_unique_is_the_unique_factor_and_noise(data, contributions):
    # y − rating = u + target noise (0.25), rater noise (0.5 / √3) and what clipping takes.
    for pair in unique_pairs(explained(contributions, data)):
        if len(pair.modalities) == 1:
            truth = data.factors[f"u_{pair.modalities[0]}"].astype(float)
            rated = np.isfinite(pair.human)
            expected = 1 / np.sqrt(1 + (0.25**2 + 0.25 / 3) / truth.var())
            r = np.corrcoef(truth[rated], pair.human[rated])[0, 1]
            assert r == pytest.approx(expected, abs=0.06)


def test_smurf_learns_what_humans_find_unique(data, contributions):
    found = human_agreement(explained(contributions, data)).set_index("modality")
    for modality in MODALITIES:
        assert found.loc[modality, "raters"] == 3
        assert found.loc[modality, "r"] > 0.4
        assert found.loc[modality, "ci_low"] > 0.2


def test_ratings_that_use_half_of_the_scale_are_calibrated_to_the_same_r(data, contributions):
    """Its raters use the whole scale: the factor is 1, and 2 for ratings divided by two."""
    halved = replace(
        data,
        judgments={shown: 0.5 * rating for shown, rating in data.judgments.items()},
        ratings={shown: 0.5 * rating for shown, rating in data.ratings.items()},
    )
    whole = human_agreement(explained(contributions, data))
    half = human_agreement(explained(contributions, halved))
    np.testing.assert_allclose(whole["scale"], 1, atol=0.1)
    np.testing.assert_allclose(half["scale"], 2 * whole["scale"], rtol=1e-4)
    np.testing.assert_allclose(half["r_calibrated"], whole["r_calibrated"], atol=1e-5)
    assert (half["r"] - whole["r"]).abs().max() > 0.05


def test_modalities_called_informative_contribute_more(data, contributions):
    found = informativeness_tests(explained(contributions, data)).set_index("modality")
    assert list(found.index) == list(MODALITIES)
    assert (found["effect_size"] > 0.05).all()
    assert (found["mean_sufficient"] > found["mean_no"]).all()


def test_some_recordings_failed_and_no_sample_lost_two(data):
    absent = ~data.present
    assert absent.sum(axis=0).tolist() == [6, 0, 18]
    assert absent.sum(axis=1).max() == 1
    heard = data.samples["media"].notna().to_numpy()
    np.testing.assert_array_equal(heard, data.present[:, 0])


def test_transcripts_get_more_positive_with_what_the_text_says(data):
    said = data.factors["u_text"] + data.factors["r_audio_text"] + data.factors["r_text_vision"]
    loved = data.samples["transcript"].str.contains("loved|delighted|smiling").to_numpy()
    disliked = data.samples["transcript"].str.contains("did not like|disappointed|not want")
    assert said[loved].min() > said[disliked.to_numpy()].max()


def test_clips_have_the_pitch_and_loudness_that_the_features_say(tmp_path):
    data = simulated_affect(samples=20, persons=5)
    count = write_clips(data, tmp_path)
    assert count == data.present[:, 0].sum() == len(list(tmp_path.iterdir()))
    audio = data.features["audio"]
    semitones = audio.values[:, audio.names.index("F0semitoneFrom27.5Hz_sma3nz_amean")]
    loudness = audio.values[:, audio.names.index("loudness_sma3_amean")]
    heard, powers = [], []
    for row in np.flatnonzero(data.present[:, 0]):
        with wave.open(str(tmp_path / data.samples["media"].iloc[row])) as file:
            rate, length = file.getframerate(), file.getnframes()
            sound = np.frombuffer(file.readframes(length), "<i2").astype(float)
        assert length / rate == pytest.approx(data.samples["end"].iloc[row], abs=1e-3)
        # The autocorrelation is highest, after its start, at the period of the voice; no voice
        # here is lower than 100 Hz, and twice a period would do as well.
        spectrum = np.abs(np.fft.rfft(sound, 2 * length)) ** 2
        similarity = np.fft.irfft(spectrum)[: rate // 100]
        period = rate // 300 + similarity[rate // 300 :].argmax()
        heard.append(12 * np.log2(rate / period / 27.5))
        powers.append(np.sqrt((sound**2).mean()))
    present = data.present[:, 0]
    np.testing.assert_allclose(heard, semitones[present], atol=0.5)
    assert np.corrcoef(powers, loudness[present])[0, 1] > 0.9


def test_impossible_studies_are_refused():
    with pytest.raises(InputError, match="at least 5 persons, got 3"):
        simulated_affect(persons=3)
    with pytest.raises(InputError, match="at least 2 utterances per person"):
        simulated_affect(samples=40)
