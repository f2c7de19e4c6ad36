"""Stores extracted features by their source, the tool, its version and options."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from smurf_core.durable import partial_name

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FeatureStore:
    """A folder of results, written completely or not at all, so that an extraction can continue."""

    folder: Path

    @classmethod
    def of(cls, workspace: Path) -> FeatureStore:
        """The store of a workspace, by its folder."""
        return cls(workspace / "features")

    def key(self, *parts: object) -> str:
        """The name of a result: a hash of everything that it depends on."""
        text = json.dumps(parts, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    def path(self, key: str, suffix: str) -> Path:
        """The path of a result, whether it exists or not."""
        return self.folder / key[:2] / f"{key}{suffix}"

    def read(self, key: str) -> Array | None:
        """A stored vector, or None."""
        path = self.path(key, ".npy")
        try:
            return np.asarray(np.load(path, allow_pickle=False), dtype=np.float64)
        except (
            FileNotFoundError,
            ValueError,
            EOFError,
        ):  # Missing or damaged: it is computed again.
            return None

    def write(self, key: str, values: Array) -> None:
        """Store a vector."""
        path = self.path(key, ".npy")
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = partial_name(path)
        try:
            with partial.open("xb") as file:  # By its name, NumPy would add a suffix.
                np.save(file, values, allow_pickle=False)
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove all results; whatever is asked for is computed again."""
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True)
class Tool:
    """The extracting tool: its name, version and options, which determine the result."""

    name: str
    version: str
    options: Mapping[str, object]

    def parts(self) -> tuple[object, ...]:
        """The properties that determine a result."""
        return (self.name, self.version, dict(self.options))
