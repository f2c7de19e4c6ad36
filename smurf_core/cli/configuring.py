"""Makes the configuration of a run from options."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from smurf_core.configuration import Grid, RunConfig, parse_layers, preset_grid
from smurf_core.errors import InputError
from smurf_core.model_kinds import MODEL_KINDS, ModelKind


def model_kinds(names: Sequence[str]) -> tuple[ModelKind, ...]:
    """Models by name; the option has already checked the names."""
    return tuple(kind for name in names for kind in MODEL_KINDS if kind == name)


def changed_grid(
    preset: str,
    model: ModelKind,
    *,
    learning_rates: Sequence[float] | None = None,
    layers: Sequence[str] | None = None,
    weight_decays: Sequence[float] | None = None,
    auxiliary_weights: Sequence[float] | None = None,
) -> Grid | None:
    """The preset's grid with the given values; None if no values were given."""
    given = {
        "learning_rates": tuple(learning_rates or ()),
        "hidden_layers": tuple(parse_layers(text, f"--layers {text!r}") for text in layers or ()),
        "weight_decays": tuple(weight_decays or ()),
        "auxiliary_weights": tuple(auxiliary_weights or ()),
    }
    changes = {key: values for key, values in given.items() if values}
    return replace(preset_grid(preset, model), **changes) if changes else None  # type: ignore[arg-type]


def parse_clip(text: str) -> float | None:
    """The bound that `--clip` gave: a number of standard deviations, or `none`."""
    try:
        return None if text == "none" else float(text)
    except ValueError:
        raise InputError(f"--clip {text!r}: write a number as 5, or none.") from None


def read_config(path: Path) -> RunConfig:
    """The configuration from a report's `config.json`."""
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be opened: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{path} is not the configuration of a run: use config.json from a report."
        ) from error
    try:
        return RunConfig.from_dict(plain)
    except InputError as error:
        raise InputError(f"{path} cannot be used. {error}") from error
