"""Stimuli: cut, muted, filtered and equally loud; nothing in a file that a condition hides."""

import shutil
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smurf_core.data.generated.simulated import write_clips
from smurf_core.data.media import MediaSettings
from smurf_core.errors import InputError
from smurf_core.ratings import ffmpeg
from smurf_core.ratings.defaults import default_design
from smurf_core.ratings.design import Condition
from smurf_core.ratings.stimuli import Stimuli, make_stimuli

GRID = Path(__file__).parents[4] / "shared/data/grid_clips"
VOICE = Condition("voice", "voice", ("audio",))
FILTERED = Condition("filtered", "filtered_voice", ("audio",))
MUTED = Condition("muted", "muted_video", ("vision",))
WORDS = Condition("words", "words", ("text",))
BOTH = Condition("both", "all", ("audio", "text", "vision"))
SEEN_FILTERED = Condition("seen_filtered", "face_and_filtered_voice", ("audio", "vision"))
needs_grid = pytest.mark.skipif(
    not GRID.is_dir(), reason="the GRID clips, which are not part of the repository, are not here"
)


def tone_pair(path: Path, *, low: float = 150, high: float = 3000, seconds: float = 3.0) -> None:
    """A quiet sound of two tones, for its first half; then silence."""
    time = np.arange(int(16_000 * seconds)) / 16_000
    sound = 0.02 * (np.sin(2 * np.pi * low * time) + np.sin(2 * np.pi * high * time))
    sound[len(sound) // 2 :] = 0
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes((sound * 32767).astype("<i2").tobytes())


def samples_of(path: Path, folder: Path) -> np.ndarray:
    """A file's sound at 16 kHz, from −1 to 1."""
    ffmpeg._run("-i", str(path), "-ac", "1", "-ar", "16000", str(folder / "sound.wav"))
    with wave.open(str(folder / "sound.wav")) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768


def level(sound: np.ndarray, hertz: float) -> float:
    """The level of a tone in dB."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) / len(sound)
    return 20 * np.log10(spectrum[round(hertz * len(sound) / 16_000)] + 1e-9)


@pytest.fixture
def stimuli(tmp_path, affect) -> Stimuli:
    """Two samples of the simulated study have a recording: two tones, and a simulated clip."""
    clips = tmp_path / "clips"
    clips.mkdir()
    first, second, silent, broken = affect.sample_ids[:4]
    tone_pair(clips / f"{first}.wav")
    write_clips(affect, tmp_path / "all")
    shutil.copy(tmp_path / "all" / f"{second}.wav", clips)
    tone_pair(clips / f"{silent}.wav", low=0, high=0)
    (clips / f"{broken}.wav").write_bytes(b"no sound")
    return Stimuli(affect, MediaSettings(str(clips)), tmp_path / "stimuli")


def test_sound_is_equally_loud_and_filtered_sound_has_nothing_above_the_cutoff(stimuli, tmp_path):
    for clip in stimuli.dataset.sample_ids[:2]:
        path = stimuli.file(clip, VOICE, 400.0)
        assert ffmpeg.streams(path) == {"audio"}
        assert ffmpeg.loudness(path) == pytest.approx(ffmpeg.LOUDNESS, abs=1.0)
    first = stimuli.dataset.sample_ids[0]
    plain = samples_of(stimuli.file(first, VOICE, 400.0), tmp_path)[:20_000]
    low = samples_of(stimuli.file(first, FILTERED, 400.0), tmp_path)[:20_000]
    assert abs(level(plain, 150) - level(plain, 3000)) < 3
    assert level(low, 150) - level(low, 3000) > 60
    higher = stimuli.file(first, FILTERED, 800.0)
    assert higher != stimuli.file(first, FILTERED, 400.0)
    assert stimuli.file(first, VOICE, 800.0) == stimuli.file(first, VOICE, 400.0)


def test_a_stimulus_is_made_once_and_anew_when_the_recording_changes(stimuli):
    first = stimuli.dataset.sample_ids[0]
    path = stimuli.file(first, VOICE, 400.0)
    made = path.stat().st_mtime_ns
    assert stimuli.file(first, VOICE, 400.0) == path
    assert path.stat().st_mtime_ns == made
    tone_pair(Path(stimuli.settings.folder) / f"{first}.wav", low=200)
    assert stimuli.file(first, VOICE, 400.0) != path
    assert not list(stimuli.folder.glob(".*"))


def test_what_cannot_be_shown_is_listed_with_the_reason(stimuli, design):
    first, second, silent, broken, absent = stimuli.dataset.sample_ids[:5]
    design = replace(design, conditions=(VOICE, WORDS, MUTED), practice=(second,), scales=(
        replace(design.scales[0], conditions=()),
    ))  # fmt: skip
    seen = []
    failures = make_stimuli(
        stimuli, design, [first, silent, broken, absent], lambda *done: seen.append(done)
    )
    assert seen[-1] == (15, 15)
    why = {(failure.clip, failure.condition): failure.why for failure in failures}
    assert (first, "voice") not in why
    assert (first, "words") not in why
    assert why[first, "muted"] == f"{first}.wav has no picture."
    assert why[second, "muted"] == f"{second}.wav has no picture."
    assert why[silent, "voice"] == f"{silent}.wav is silent there."
    assert why[broken, "voice"] == f"{broken}.wav has no sound."
    assert why[absent, "voice"] == f"Sample {absent!r} has no recording."
    assert stimuli.file(first, WORDS, 400.0) is None
    without = replace(stimuli, settings=None)
    with pytest.raises(InputError, match="has no recording"):
        without.file(first, VOICE, 400.0)
    table = stimuli.dataset.samples.drop(columns="transcript")
    mute = replace(without, dataset=replace(stimuli.dataset, samples=table))
    with pytest.raises(InputError, match="has no transcript"):
        mute.words(first)


def test_clips_are_cut_to_start_and_end(stimuli, tmp_path):
    first = stimuli.dataset.sample_ids[0]
    times = stimuli.dataset.samples.assign(start=0.5, end=1.25)
    dataset = replace(stimuli.dataset, samples=times)
    settings = replace(stimuli.settings, start="start", end="end")
    cut = replace(stimuli, dataset=dataset, settings=settings)
    sound = samples_of(cut.file(first, VOICE, 400.0), tmp_path)
    assert len(sound) / 16_000 == pytest.approx(0.75, abs=0.12)  # MP3 has frames of 26 ms
    late = replace(dataset, samples=times.assign(start=50.0, end=51.0))
    with pytest.raises(InputError):
        replace(cut, dataset=late).file(first, VOICE, 400.0)


@needs_grid
def test_videos_are_muted_filtered_and_equally_loud(affect, tmp_path):
    names = pd.read_csv(GRID / "clips.csv")["clip"].tolist()[:2]
    clips = tmp_path / "clips"
    clips.mkdir()
    for name, sample in zip(names, affect.sample_ids, strict=False):
        shutil.copy(GRID / f"{name}.mp4", clips / f"{sample}.mp4")
    stimuli = Stimuli(affect, MediaSettings(str(clips)), tmp_path / "stimuli")
    for sample in affect.sample_ids[: len(names)]:
        for condition, wanted in (
            (MUTED, {"video"}), (VOICE, {"audio"}), (BOTH, {"video", "audio"}),
            (SEEN_FILTERED, {"video", "audio"}),
        ):  # fmt: skip
            path = stimuli.file(sample, condition, 400.0)
            assert ffmpeg.streams(path) == wanted
            if "audio" in wanted:
                assert ffmpeg.loudness(path) == pytest.approx(ffmpeg.LOUDNESS, abs=1.5)
    voice, filtered = (
        samples_of(stimuli.file(affect.sample_ids[0], c, 400.0), tmp_path)
        for c in (VOICE, FILTERED)
    )
    highest = [np.abs(np.fft.rfft(sound[:40_000]))[2_500:].max() for sound in (voice, filtered)]
    assert highest[1] < highest[0] / 100  # above 1 kHz


def test_the_default_design_shows_only_what_there_is(stimuli, affect):
    assert stimuli.forms() == ("words", "voice", "filtered_voice")
    assert replace(stimuli, settings=None).forms() == ("words",)
    made = default_design(affect, forms=stimuli.forms())
    assert [(c.name, c.form) for c in made.conditions] == [
        ("text", "words"), ("audio_and_text", "voice"), ("audio", "filtered_voice"),
    ]  # fmt: skip
    assert made.scale("informative").conditions == ("audio_and_text",)
    with pytest.raises(InputError, match="nothing can be shown"):
        default_design(affect, forms=())
