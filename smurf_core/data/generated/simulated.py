"""A simulated affect study: people talk, raters judge them, and the true contributions are known.

Everything is drawn from a seed and says nothing about people. With it, users can try every page of
the app and every command: it has three modalities with the feature names of the field's tools,
persons and person-independent folds, transcripts, ratings of all subsets of modalities,
informativeness, recordings that failed, and short sound clips.
"""

from __future__ import annotations

import wave
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.data.dataset import Features, Folds, MultimodalDataset
from smurf_core.data.generated.synthetic import redundant_factor, unique_factor
from smurf_core.durable import flush
from smurf_core.errors import InputError
from smurf_core.terms import modality_subsets

MODALITIES = ("audio", "text", "vision")
TARGET = "valence"
TARGET_RANGE = (-3.0, 3.0)
FOLD_COUNT = 5
RATERS = 3
# How much each factor moves valence: standard deviations, in the unit of valence.
WEIGHTS: Mapping[str, float] = {
    unique_factor("audio"): 0.55,
    unique_factor("text"): 0.65,
    unique_factor("vision"): 0.55,
    redundant_factor("audio", "text"): 0.35,
    redundant_factor("audio", "vision"): 0.5,
    redundant_factor("text", "vision"): 0.45,
}
PERSON_SD = 0.25  # of persons' mean valence, which no modality shows
TARGET_NOISE_SD = 0.25
RATER_BIAS_SD, RATER_NOISE_SD = 0.15, 0.5
UNRATED_SHARE = 0.1  # of every subset of modalities, and of informativeness
# Share of samples whose recording failed: a lost microphone, a face that was not found.
ABSENT_SHARES = {"audio": 0.01, "text": 0.0, "vision": 0.03}
# Shares of samples, by |unique factor| as raters perceive it, rated relevant or higher.
INFORMATIVE_FROM, SUFFICIENT_FROM = 0.4, 0.8

_LOADING = 0.8  # correlation of a feature with its factor, before person effects are added
_PERSON_FEATURE_SD = 0.3
_EMBEDDING_SIZE = 24
# Feature → mean and standard deviation in its unit; negative if it falls as its factor rises.
_Scales = Mapping[str, tuple[float, float]]
# Factor ("" for none: a feature without information) → features that it moves.
_AUDIO: Mapping[str, _Scales] = {
    unique_factor("audio"): {  # voice quality
        "jitterLocal_sma3nz_amean": (0.03, -0.008),
        "shimmerLocaldB_sma3nz_amean": (1.1, -0.25),
        "HNRdBACF_sma3nz_amean": (6.5, 2.0),
        "logRelF0-H1-H2_sma3nz_amean": (4.0, 2.5),
        "alphaRatioV_sma3nz_amean": (-12.0, 3.0),
        "hammarbergIndexV_sma3nz_amean": (20.0, -4.0),
    },
    redundant_factor("audio", "text"): {  # rhythm
        "loudnessPeaksPerSec": (3.5, 0.7),
        "VoicedSegmentsPerSec": (2.4, 0.6),
        "MeanVoicedSegmentLengthSec": (0.25, -0.06),
        "StddevVoicedSegmentLengthSec": (0.15, -0.04),
        "MeanUnvoicedSegmentLength": (0.2, -0.05),
    },
    redundant_factor("audio", "vision"): {  # pitch and energy: a smile can be heard
        "F0semitoneFrom27.5Hz_sma3nz_amean": (27.0, 2.5),
        "F0semitoneFrom27.5Hz_sma3nz_percentile80.0": (29.0, 2.7),
        "F0semitoneFrom27.5Hz_sma3nz_stddevNorm": (0.16, 0.04),
        "loudness_sma3_amean": (0.8, 0.2),
        "loudness_sma3_percentile80.0": (1.2, 0.3),
        "spectralFlux_sma3_amean": (0.4, 0.12),
    },
    "": {
        "mfcc1_sma3_amean": (20.0, 6.0),
        "mfcc2_sma3_amean": (8.0, 6.0),
        "mfcc3_sma3_amean": (6.0, 7.0),
        "F1frequency_sma3nz_amean": (520.0, 60.0),
        "slopeV0-500_sma3nz_amean": (0.05, 0.02),
    },
}
_VISION: Mapping[str, _Scales] = {
    unique_factor("vision"): {  # brows and eyes
        "AU01_r_mean": (0.6, 0.25),
        "AU02_r_mean": (0.4, 0.2),
        "AU04_r_mean": (0.9, -0.35),
        "AU05_r_mean": (0.3, 0.12),
        "AU07_r_mean": (0.8, -0.3),
    },
    redundant_factor("audio", "vision"): {  # a smile
        "AU06_r_mean": (0.9, 0.35),
        "AU12_r_mean": (1.1, 0.45),
        "AU12_c_share": (0.5, 0.18),
        "AU14_r_mean": (0.7, 0.25),
        "AU25_r_mean": (1.3, 0.4),
    },
    redundant_factor("text", "vision"): {  # disgust, displeasure, a nod
        "AU09_r_mean": (0.4, -0.15),
        "AU10_r_mean": (0.7, -0.25),
        "AU15_r_mean": (0.5, -0.2),
        "AU17_r_mean": (0.8, -0.3),
        "pose_Rx_sd": (0.12, 0.04),
    },
    "": {
        "AU45_r_mean": (0.4, 0.15),
        "pose_Ry_mean": (0.0, 0.15),
        "pose_Rz_mean": (0.0, 0.1),
        "gaze_angle_x_mean": (0.0, 0.2),
        "gaze_angle_y_mean": (0.1, 0.12),
    },
}  # fmt: skip
_PITCH, _LOUDNESS = "F0semitoneFrom27.5Hz_sma3nz_amean", "loudness_sma3_amean"
_PEAKS, _HARMONICITY = "loudnessPeaksPerSec", "HNRdBACF_sma3nz_amean"

_TOPICS = (
    "the weather", "the concert", "the soup", "the bus ride", "the garden", "the film",
    "the museum", "the picnic", "the new chair", "the morning walk",
)  # fmt: skip
# From the least to the most positive fifth of the text factors.
_SENTENCES = (
    ("I really did not like {}.", "I was so disappointed by {}.", "I would not want {} again."),
    ("I expected a little more of {}.", "I was not too happy with {}.", "I could do without {}."),
    ("I have nothing much to say about {}.", "I only noticed {}.", "I can tell you about {}."),
    ("I found {} quite nice.", "I was rather pleased with {}.", "I would say {} went well."),
    ("I absolutely loved {}!", "I could not stop smiling about {}!", "I was delighted by {}!"),
)

CLIP_RATE = 16_000  # samples per second: at 8,000, openSMILE finds no voice in some
CLIP_SECONDS = (1.0, 1.4)


def simulated_affect(
    *,
    samples: int = 600,
    persons: int = 30,
    seed: int = 2024,
    clip_seconds: tuple[float, float] = CLIP_SECONDS,
) -> MultimodalDataset:
    """Simulate an affect study: audio, text and vision of people who talk, and their valence.

    Valence is a sum of independent normal factors (`WEIGHTS`), an effect of the person, and noise.
    Each modality has one factor that only it shows, and each pair has one that both show. Each
    feature follows one factor, with noise and person effects; each embedding dimension mixes all
    factors of text.

    Raters who saw the modalities S perceive all factors that a modality of S shows. So valence
    minus a rating from all modalities but I is I's unique factor plus noise (section 4.4). A
    modality is rated more informative if its unique factor moves valence further from zero. Clips
    last from the first to the second of `clip_seconds`. `dataset.factors` contain the true
    factors, scaled as in valence.
    """
    if persons < FOLD_COUNT:
        raise InputError(f"{FOLD_COUNT} folds need at least {FOLD_COUNT} persons, got {persons}.")
    if samples < 2 * persons:
        raise InputError(
            f"Simulate at least 2 utterances per person ({2 * persons}), got {samples} for "
            f"{persons}."
        )
    person = np.arange(samples) * persons // samples
    factors = _factors(np.random.default_rng([seed, 0]), samples)
    random = np.random.default_rng([seed, 1])
    habit = random.normal(scale=PERSON_SD, size=persons)[person]
    valence = sum(factors.values()) + habit + random.normal(scale=TARGET_NOISE_SD, size=samples)
    ids = np.array([f"p{p + 1:02d}_u{i + 1:04d}" for i, p in enumerate(person)])
    features = {
        "audio": _tool_features(np.random.default_rng([seed, 2]), _AUDIO, factors, person),
        "text": _embedding(np.random.default_rng([seed, 3]), factors, person),
        "vision": _tool_features(np.random.default_rng([seed, 4]), _VISION, factors, person),
    }
    features = _lose_recordings(np.random.default_rng([seed, 5]), features)
    ratings = _ratings(np.random.default_rng([seed, 6]), factors, habit)
    return MultimodalDataset(
        name="Simulated affect study",
        task="regression",
        features=features,
        sample_ids=ids,
        target=np.clip(valence, *TARGET_RANGE).astype(np.float32),
        target_name=TARGET,
        persons=np.array([f"p{p + 1:02d}" for p in person]),
        folds=Folds.from_test_folds((person % FOLD_COUNT).astype(np.int64), FOLD_COUNT),
        samples=_sample_table(
            np.random.default_rng([seed, 7]), factors, ids, features, clip_seconds
        ),
        judgments={
            shown: single.mean(axis=0, dtype=np.float64).astype(np.float32)
            for shown, single in ratings.items()
        },
        ratings=ratings,
        informativeness=_informativeness(np.random.default_rng([seed, 8]), factors),
        factors={name: values.astype(np.float32) for name, values in factors.items()},
        origin="simulated",
        notes=("Simulated by a program: nothing in it was said, shown or rated by a person.",),
    )


_Factors = Mapping[str, npt.NDArray[np.float64]]


def _factors(random: np.random.Generator, samples: int) -> _Factors:
    return {name: random.normal(scale=weight, size=samples) for name, weight in WEIGHTS.items()}


def _shown_by(modality: str) -> tuple[str, ...]:
    """The factors that a modality shows."""
    pairs = [pair for pair in combinations(MODALITIES, 2) if modality in pair]
    return (unique_factor(modality), *(redundant_factor(i, j) for i, j in pairs))


def _with_habits(
    random: np.random.Generator, signal: npt.NDArray[np.float64], person: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Standardised features [n, d], each with a different level per person."""
    habits = random.normal(scale=_PERSON_FEATURE_SD, size=(int(person.max()) + 1, signal.shape[1]))
    return np.asarray(signal + habits[person])


def _tool_features(
    random: np.random.Generator,
    groups: Mapping[str, _Scales],
    factors: _Factors,
    person: npt.NDArray[np.int64],
) -> Features:
    """Features of a tool, each following one factor or none, in the tool's units."""
    names = [name for scales in groups.values() for name in scales]
    noise = random.normal(size=(len(person), len(names)))
    followed = [factor for factor, scales in groups.items() for _ in scales]
    signal = np.stack(
        [
            noise[:, d]
            if not factor
            else _LOADING * factors[factor] / WEIGHTS[factor]
            + np.sqrt(1 - _LOADING**2) * noise[:, d]
            for d, factor in enumerate(followed)
        ],
        axis=1,
    )
    scales = np.array([scale for group in groups.values() for scale in group.values()])
    values = scales[:, 0] + scales[:, 1] * _with_habits(random, signal, person)
    # Intensities, shares, lengths and loudness cannot be below zero. Shares cannot be above one.
    positive = scales[:, 0] >= 2 * np.abs(scales[:, 1])
    values[:, positive] = np.maximum(values[:, positive], 0)
    shares = [name.endswith("_share") for name in names]
    values[:, shares] = np.minimum(values[:, shares], 1)
    return Features(values.astype(np.float32), tuple(names))


def _embedding(
    random: np.random.Generator, factors: _Factors, person: npt.NDArray[np.int64]
) -> Features:
    """Dimensions of a sentence embedding: each mixes all factors of text, with noise."""
    shown = _shown_by("text")
    mixing = random.normal(size=(len(shown), _EMBEDDING_SIZE))
    mixing /= np.linalg.norm(mixing, axis=0)
    latent = np.stack([factors[name] / WEIGHTS[name] for name in shown], axis=1)
    noise = random.normal(size=(len(person), _EMBEDDING_SIZE))
    signal = _with_habits(
        random, _LOADING * latent @ mixing + np.sqrt(1 - _LOADING**2) * noise, person
    )
    names = tuple(f"embedding_{d:02d}" for d in range(_EMBEDDING_SIZE))
    return Features((0.05 * signal).astype(np.float32), names)


def _lose_recordings(
    random: np.random.Generator, features: Mapping[str, Features]
) -> dict[str, Features]:
    """Set features of failed recordings to NaN; no sample loses two modalities."""
    n = len(features["text"].values)
    order = random.permutation(n)
    kept, start = {}, 0
    for name, found in features.items():
        lost = order[start : start + round(ABSENT_SHARES[name] * n)]
        start += len(lost)
        values = found.values.copy()
        values[lost] = np.nan
        kept[name] = Features(values, found.names)
    return kept


def _ratings(
    random: np.random.Generator, factors: _Factors, habit: npt.NDArray[np.float64]
) -> dict[frozenset[str], npt.NDArray[np.float32]]:
    """Ratings for each subset of modalities, [raters, n] each; NaN if not rated."""
    n, ratings = len(habit), {}
    # Pairs first: the target minus their ratings is unique to one modality, the main question.
    for size in (2, 1, 3):
        for seen in modality_subsets(MODALITIES, size):
            visible = {name for modality in seen for name in _shown_by(modality)}
            perceived = sum(factors[name] for name in sorted(visible)) + habit
            bias = random.normal(scale=RATER_BIAS_SD, size=(RATERS, 1))
            noise = random.normal(scale=RATER_NOISE_SD, size=(RATERS, n))
            rated = np.clip(perceived + bias + noise, *TARGET_RANGE).round(1)
            rated[:, random.permutation(n)[: round(UNRATED_SHARE * n)]] = np.nan
            ratings[frozenset(seen)] = rated.astype(np.float32)
    return ratings


def _informativeness(
    random: np.random.Generator, factors: _Factors
) -> dict[str, npt.NDArray[np.int64]]:
    """Ratings of how informative each modality is: codes [n], −1 if not rated."""
    rated = {}
    for modality in MODALITIES:
        unique = factors[unique_factor(modality)]
        noise = random.normal(scale=0.5 * unique.std(), size=len(unique))
        perceived = np.abs(unique + noise)
        limits = np.quantile(perceived, [INFORMATIVE_FROM, SUFFICIENT_FROM])
        levels = np.searchsorted(limits, perceived).astype(np.int64)
        levels[random.random(len(levels)) < UNRATED_SHARE] = -1
        rated[modality] = levels
    return rated


def _sample_table(
    random: np.random.Generator,
    factors: _Factors,
    ids: npt.NDArray[np.str_],
    features: Mapping[str, Features],
    clip_seconds: tuple[float, float],
) -> pd.DataFrame:
    """Transcript, topic, clip and clip length of each sample (no clip if audio failed)."""
    said = sum(factors[name] for name in _shown_by("text"))
    tone = np.searchsorted(np.quantile(said, [0.2, 0.4, 0.6, 0.8]), said)
    topics = random.integers(len(_TOPICS), size=len(ids))
    wordings = random.integers(len(_SENTENCES[0]), size=len(ids))
    seconds = random.uniform(*clip_seconds, size=len(ids)).round(2)
    heard = features["audio"].present
    return pd.DataFrame(
        {
            "transcript": [
                _SENTENCES[t][w].format(_TOPICS[about])
                for t, w, about in zip(tone, wordings, topics, strict=True)
            ],
            "topic": [_TOPICS[about].removeprefix("the ") for about in topics],
            "media": [
                f"{name}.wav" if there else None for name, there in zip(ids, heard, strict=True)
            ],
            "start": np.where(heard, 0.0, np.nan),
            "end": np.where(heard, seconds, np.nan),
        },
        index=pd.Index(ids),
    )


def write_clips(dataset: MultimodalDataset, folder: Path) -> int:
    """Write a simulated study's sound clips to a folder and return their number.

    Files have the names in the sample table. Each clip is a tone with the pitch, loudness, syllable
    rate and breathiness of the sample's audio features: 16,000 samples per second, 16 bits, mono.
    """
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for name, sound in _clips(dataset):
        with wave.open(str(folder / name), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(CLIP_RATE)
            file.writeframes((sound * 32_767).astype("<i2").tobytes())
        flush(folder / name)
        count += 1
    flush(folder)
    return count


def _clips(dataset: MultimodalDataset) -> Iterator[tuple[str, npt.NDArray[np.float64]]]:
    audio = dataset.features["audio"]
    column = {name: audio.values[:, d].astype(float) for d, name in enumerate(audio.names)}
    random = np.random.default_rng(len(dataset))
    for row in np.flatnonzero(audio.present):
        seconds = float(dataset.samples["end"].iloc[row])
        yield (
            str(dataset.samples["media"].iloc[row]),
            _tone(
                random,
                seconds=seconds,
                hertz=27.5 * 2 ** (column[_PITCH][row] / 12),
                loudness=column[_LOUDNESS][row],
                syllables=max(column[_PEAKS][row], 1.0),
                noise=10 ** (-column[_HARMONICITY][row] / 20),
            ),
        )


def _tone(
    random: np.random.Generator,
    *,
    seconds: float,
    hertz: float,
    loudness: float,
    syllables: float,
    noise: float,
) -> npt.NDArray[np.float64]:
    """A voice-like tone from −1 to 1: falling harmonics, one swell per syllable, some breath."""
    time = np.arange(round(seconds * CLIP_RATE)) / CLIP_RATE
    phase = 2 * np.pi * hertz * time
    voice = sum(np.sin(k * phase) / k**1.5 for k in range(1, 9))
    breath = noise * random.normal(size=len(time)) * np.std(voice)
    swell = 0.25 + 0.75 * np.sin(np.pi * syllables * time) ** 2
    edges = np.minimum(1, np.minimum(time, seconds - time) / 0.02)
    sound = (voice + breath) * swell * edges
    # Perceived loudness grows with about the power 0.3 of energy; 1.6 is the maximum.
    peak = 0.95 * np.clip(loudness / 1.6, 0.05, 1) ** 1.7
    return np.asarray(sound / np.abs(sound).max() * peak)
