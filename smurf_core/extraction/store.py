"""What was extracted is kept: by what it was taken from, the tool, its version and options."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FeatureStore:
    """A folder of results. Each is written whole or not at all, so that an interrupted extraction
    goes on where it was."""

    folder: Path

    def key(self, *parts: object) -> str:
        """The name of a result: a hash of all that it depends on."""
        text = json.dumps(parts, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    def path(self, key: str, suffix: str) -> Path:
        """Where a result lies, or would."""
        return self.folder / key[:2] / f"{key}{suffix}"

    def read(self, key: str) -> Array | None:
        """A vector that was kept, or nothing."""
        path = self.path(key, ".npy")
        try:
            return np.asarray(np.load(path, allow_pickle=False), dtype=np.float64)
        except (FileNotFoundError, ValueError, EOFError):  # Not there, or damaged: made again.
            return None

    def write(self, key: str, values: Array) -> None:
        """Keep a vector."""
        path = self.path(key, ".npy")
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{uuid4().hex}.npy")
        np.save(partial, values, allow_pickle=False)
        os.replace(partial, path)


@dataclass(frozen=True)
class Tool:
    """What extracted: its name, version and options, as they decide what comes out."""

    name: str
    version: str
    options: Mapping[str, object]

    def parts(self) -> tuple[object, ...]:
        """What of it a result depends on."""
        return (self.name, self.version, dict(self.options))
