"""Fetch the authors' caches from where a user says they are: nothing unchecked is ever read."""

from __future__ import annotations

import re
from pathlib import Path

import pooch
import requests

from smurf_core.errors import InputError

# SHA-256 of the caches that the authors publish, as we have them.
KNOWN_CHECKSUMS = {
    "toy": "e8fc9cc57f685245ec0c0159ce7b97adb9e9726850c25f89891b48b8c17677c3",
    "natoy": "14c8918227e5da8288a2a48e92dfb2a5360acfe36897c4088a51349923271646",
    "vreed": "52a54c08210902ea25bf74ba599ea7db30d74e232424542cd8d3743bf59454af",
}
_FORM = re.compile(r"(?P<name>\w+)=(?P<url>https?://[^#\s]+)(#sha256[:=](?P<sum>[0-9a-fA-F]{64}))?")
_SECONDS = 60


def fetch_cache(text: str, folder: Path) -> Path:
    """Fetch `NAME=URL#sha256=HEX` into a folder, or find it there from before; where it lies.

    The checksum may be left out for caches in `KNOWN_CHECKSUMS`. A file with another one is
    deleted and refused.
    """
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise InputError(f"--fetch {text!r}: write NAME=URL#sha256=CHECKSUM, as vreed=https://….")
    name = found["name"].lower()
    expected = found["sum"] or KNOWN_CHECKSUMS.get(name)
    if expected is None:
        raise InputError(
            f"--fetch {name}: the file's SHA-256 is not known; add #sha256=… to its address."
        )
    pooch.get_logger().setLevel("WARNING")
    try:
        path = pooch.retrieve(
            url=found["url"],
            known_hash=f"sha256:{expected.lower()}",
            fname=f"{name}.pickle",
            path=folder,
            downloader=pooch.HTTPDownloader(timeout=_SECONDS),
        )
    except requests.exceptions.RequestException as error:
        reason = getattr(error.response, "reason", None) or type(error).__name__
        raise InputError(f"{found['url']} cannot be fetched ({reason}): try again.") from error
    except ValueError as error:  # What pooch raises for a checksum.
        raise InputError(
            f"{found['url']} is not the file that was asked for: its SHA-256 is not {expected}. "
            "Nothing was kept."
        ) from error
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror}.") from error
    return Path(path)
