"""Cuts, filters, decodes and converts recordings with the ffmpeg of the package imageio-ffmpeg."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from smurf_core.durable import write_whole
from smurf_core.errors import InputError
from smurf_core.ratings.design import Sound

LOUDNESS = -23.0  # LUFS, EBU R 128
HIGHEST_PEAK = -1.0  # dB true peak
_SHORT_PEAK = -6.0  # dB, of sounds of less than 0.4 s, which have no loudness
_LONGEST = 600.0  # seconds that one call may take
_PICTURE = (
    "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p",
    "-vf", "scale=trunc(iw/2)*2:trunc(ih/2)*2", "-movflags", "+faststart",
)  # fmt: skip
_ROLL_OFF = 4  # filters of two poles in a row: 48 dB per octave
_LENGTH = re.compile(r"^\s*Duration: (\d+):(\d+):(\d+\.?\d*)", re.MULTILINE)
_STREAM = re.compile(r"^\s*Stream #\d+:\d+.*?: (Video|Audio): (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Recipe:
    """What a stimulus contains."""

    picture: bool
    sound: Sound
    filter_hz: float  # cut-off of filtered sound; without meaning for the others

    @property
    def suffix(self) -> str:
        """Of the file: MP4 for pictures, MP3 for sound alone, which all browsers play."""
        return ".mp4" if self.picture else ".mp3"


@cache
def _program() -> str:
    try:
        from imageio_ffmpeg import get_ffmpeg_exe
    except ModuleNotFoundError as error:
        raise InputError(
            "Recordings are cut and converted by the package imageio-ffmpeg, which is not "
            "installed: run pip install imageio-ffmpeg."
        ) from error
    return str(get_ffmpeg_exe())


def streams(path: Path) -> frozenset[str]:
    """What a file contains: "video", "audio"; cover pictures of sound files do not count."""
    said = _run("-i", str(path), is_checked=False)
    found = _STREAM.findall(said)
    return frozenset(kind.lower() for kind, what in found if "(attached pic)" not in what)


def duration(path: Path) -> float | None:
    """The length of a recording in seconds; None if the file does not say it."""
    found = _LENGTH.search(_run("-i", str(path), is_checked=False))
    if found is None:
        return None
    hours, minutes, seconds = map(float, found.groups())
    return 3600 * hours + 60 * minutes + seconds


def decoded_sound(path: Path, start: float, end: float | None) -> bytes:
    """The first sound track of a recording from `start` to `end` (seconds), as a WAV file.

    Rate and channels stay as they are. Raises `InputError` if there is no sound or it cannot be
    read.
    """
    if not (there := streams(path)):
        raise InputError(f"{path.name} cannot be read as a recording: convert it to WAV or MP4.")
    if "audio" not in there:
        raise InputError(f"{path.name} has no sound.")
    return _call(
        *_cut(path, start, end), "-map", "0:a:0", "-c:a", "pcm_f32le", "-f", "wav", "pipe:1"
    ).stdout


def convert_for_browsers(source: Path, target: Path) -> None:
    """Write a recording as MP4, or as MP3 if it has no picture, which all browsers play.

    `target` is a name without suffix. Raises `InputError` if the recording cannot be read.
    """
    there = streams(source)
    if not there:
        raise InputError(f"{source.name} cannot be read as a recording: convert it to MP4.")
    shown = ["-c:v", *_PICTURE] if "video" in there else ["-vn"]
    heard = ["-c:a", "aac", "-b:a", "160k"] if "video" in there else ["-q:a", "3"]
    suffix = ".mp4" if "video" in there else ".mp3"
    write_whole(
        target.with_name(f"{target.name}{suffix}"),
        lambda partial: _run(
            "-i", str(source), *shown, *heard, "-sn", "-dn", "-f", suffix[1:], str(partial)
        ),
    )


def loudness(path: Path, *, start: float = 0.0, end: float | None = None) -> float:
    """The integrated loudness of a file's sound in LUFS; −inf if it is silent."""
    return _measured(path, start, end, "")[0]


def render(source: Path, target: Path, recipe: Recipe, start: float, end: float | None) -> None:
    """Write the part of a recording from `start` to `end` (seconds) as the recipe says.

    Sound is brought to `LOUDNESS` by one gain, less where it would otherwise be clipped. Metadata
    is left out, because it could contain what raters are to judge.

    Raises `InputError` with the reason if the recording has no such picture or sound, or cannot be
    read.
    """
    there = streams(source)
    if recipe.picture and "video" not in there:
        raise InputError(f"{source.name} has no picture.")
    if recipe.sound != "none" and "audio" not in there:
        raise InputError(f"{source.name} has no sound.")
    settings: list[str] = []
    if recipe.picture:
        settings += [
            "-map", "0:v:0", "-c:v", *_PICTURE
        ]  # fmt: skip
    if recipe.sound == "none":
        settings += ["-an"]
    else:
        steps = _filters(recipe)
        gain = _gain(source, start, end, steps)
        settings += ["-map", "0:a:0", "-af", ",".join([*steps, f"volume={gain:.2f}dB"])]
        settings += ["-c:a", "aac", "-b:a", "160k"] if recipe.picture else ["-q:a", "3"]
    _run(
        *_cut(source, start, end), *settings, "-sn", "-dn", "-map_metadata", "-1",
        "-map_chapters", "-1", "-fflags", "+bitexact", "-threads", "1",
        "-f", recipe.suffix[1:], str(target),
    )  # fmt: skip


def check(path: Path, recipe: Recipe, name: str) -> None:
    """Raise `InputError` if a stimulus contains anything else than its recipe says."""
    wanted = {"video"} if recipe.picture else set()
    wanted |= set() if recipe.sound == "none" else {"audio"}
    if streams(path) != wanted:
        raise InputError(
            f"{name} could not be cut: correct its start and end, or convert it to MP4 or WAV."
        )


def _filters(recipe: Recipe) -> list[str]:
    if recipe.sound != "filtered":
        return []
    return [f"lowpass=frequency={recipe.filter_hz:g}:poles=2"] * _ROLL_OFF


def _gain(source: Path, start: float, end: float | None, steps: list[str]) -> float:
    level, peak = _measured(source, start, end, ",".join(steps))
    if peak == float("-inf"):
        raise InputError(f"{source.name} is silent there.")
    wanted = _SHORT_PEAK - peak if level == float("-inf") else LOUDNESS - level
    return min(wanted, HIGHEST_PEAK - peak)


def _measured(source: Path, start: float, end: float | None, steps: str) -> tuple[float, float]:
    """Loudness in LUFS and true peak in dB."""
    measure = ",".join(filter(None, [steps, "loudnorm=print_format=json"]))
    said = _run(*_cut(source, start, end), "-map", "0:a:0", "-af", measure, "-f", "null", "-")
    found = json.loads(said[said.rindex("{") : said.rindex("}") + 1])
    return float(found["input_i"]), float(found["input_tp"])


def _cut(source: Path, start: float, end: float | None) -> list[str]:
    before = ["-ss", f"{start:.6f}"] if start else []
    before += [] if end is None else ["-t", f"{end - start:.6f}"]
    return [*before, "-i", str(source)]


def _run(*arguments: str, is_checked: bool = True) -> str:
    """What ffmpeg reports; raises `InputError` with its last line if it fails."""
    return _said(_call(*arguments, is_checked=is_checked))


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    return done.stderr.decode("utf-8", "replace")


def _call(*arguments: str, is_checked: bool = True) -> subprocess.CompletedProcess[bytes]:
    command = [_program(), "-hide_banner", "-nostdin", "-y", "-protocol_whitelist", "file"]
    try:
        done = subprocess.run(  # noqa: S603 — no shell, and files are named by whole paths
            [*command, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
            timeout=_LONGEST, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise InputError("Cutting this recording takes more than ten minutes.") from error
    if is_checked and done.returncode:
        said = _said(done)
        last = said.strip().splitlines()[-1] if said.strip() else "no reason given"
        raise InputError(f"ffmpeg cannot read this recording ({last[:120].rstrip('.')}).")
    return done
