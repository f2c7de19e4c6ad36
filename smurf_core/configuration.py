"""What can be asked of a training run: model kinds, grids, presets. Imports no torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from itertools import product
from typing import Any, Literal, get_args

from smurf_core.errors import InputError

ModelKind = Literal[
    "late_fusion",
    "smurf_no_aux",
    "e_hgr",
    "smurf",
    "smurf_normalised",
    "mro_smurf",
    "mro_smurf_subsets",
    "mro_smurf_normalised",
]
Selection = Literal["published", "one_standard_error"]
Standardisation = Literal["training_fold", "within_person", "none"]
Search = Literal["full", "halving"]
Device = Literal["auto", "cpu", "cuda", "mps"]

# What the app and `smurf train` offer first: of all that was measured where the true contributions
# are known, it finds them best, at a small price in prediction (docs/results.md).
DEFAULT_MODEL: ModelKind = "smurf_normalised"
MODEL_TITLES: dict[ModelKind, str] = {
    "late_fusion": "Late fusion",
    "e_hgr": "E-HGR",
    "smurf_no_aux": "SMURF w/o L_cor + L_uncor",
    "smurf": "SMURF",
    "smurf_normalised": "SMURF, normalised (extension)",
    "mro_smurf": "MRO-SMURF",
    "mro_smurf_subsets": "MRO-SMURF, subset networks",
    "mro_smurf_normalised": "MRO-SMURF, normalised (extension)",
}


def has_redundant_heads(model: ModelKind) -> bool:
    """Whether a model outputs redundant contributions; late fusion has one head a modality."""
    return model != "late_fusion"


def has_interactions(model: ModelKind) -> bool:
    """Whether a model separates non-additive interactions of two and more modalities (MRO)."""
    return model.startswith("mro_smurf")


def multiplies_embeddings(model: ModelKind) -> bool:
    """Whether interactions are linear in products of unimodal embeddings.

    That is how the released code builds MRO-SMURF; the paper's appendix writes a network of its
    own for every subset of modalities (eq. 23-26), which is `mro_smurf_subsets`.
    """
    return model in ("mro_smurf", "mro_smurf_normalised")


def has_auxiliary_loss(model: ModelKind) -> bool:
    """Whether λ means anything for a model (section 4.3: λ = 0 for the two without)."""
    return model not in ("late_fusion", "smurf_no_aux")


def is_normalised(model: ModelKind) -> bool:
    """Whether the auxiliary losses are the extension's, which know no scale (docs/method.md)."""
    return model in ("smurf_normalised", "mro_smurf_normalised")


def layers_label(hidden_layers: tuple[int, ...]) -> str:
    """How a layer setting is written in tables and options: `20-10`, or `linear`."""
    return "-".join(map(str, hidden_layers)) or "linear"


def parse_layers(text: str, what: str) -> tuple[int, ...]:
    """The layer setting that `layers_label` wrote; an error starts with `what` was read."""
    try:
        return () if text == "linear" else tuple(int(width) for width in text.split("-"))
    except ValueError:
        raise InputError(f"{what}: write widths as 20-10, or linear.") from None


def suggested_standardisation(preset: str, origin: str) -> Standardisation:
    """How features and a regression target should be standardised, unless a user says otherwise.

    As published (section 4.5): on the training fold, but synthetic data not at all. L_cor wants
    redundant contributions of variance one; where the target's variance is set to one, that is
    most of it, and the factors of synthetic data are found less well (docs/method.md).
    """
    return "none" if preset == "synthetic" or origin == "synthetic" else "training_fold"


@dataclass(frozen=True)
class Configuration:
    """One point of the grid. `hidden_layers` is () for one linear layer a modality."""

    learning_rate: float
    hidden_layers: tuple[int, ...]
    weight_decay: float
    auxiliary_weight: float  # λ of eq. 4

    def __str__(self) -> str:
        layers = "×".join(map(str, self.hidden_layers)) or "linear"
        return (
            f"lr {self.learning_rate:g}, layers {layers}, "
            f"weight decay {self.weight_decay:g}, λ {self.auxiliary_weight:g}"
        )


@dataclass(frozen=True)
class Grid:
    """Hyper-parameters to try, every combination of them."""

    learning_rates: tuple[float, ...]
    hidden_layers: tuple[tuple[int, ...], ...]
    weight_decays: tuple[float, ...]
    auxiliary_weights: tuple[float, ...]

    def __post_init__(self) -> None:
        if not all((self.learning_rates, self.hidden_layers, self.weight_decays)):
            raise InputError("A grid needs at least one learning rate, layer setting and decay.")
        if not self.auxiliary_weights:
            raise InputError("A grid needs at least one weight of the factorisation (λ).")
        if min(self.learning_rates) <= 0:
            raise InputError("Learning rates must be above 0.")
        if min(self.weight_decays) < 0 or min(self.auxiliary_weights) < 0:
            raise InputError("Weight decay and λ must not be below 0.")
        if any(width < 1 for layers in self.hidden_layers for width in layers):
            raise InputError("Hidden layers need at least one unit each.")

    def configurations(self, model: ModelKind) -> tuple[Configuration, ...]:
        """Every combination; λ is 0 where the model has no auxiliary loss (section 4.3)."""
        weights = self.auxiliary_weights if has_auxiliary_loss(model) else (0.0,)
        return tuple(
            Configuration(*point)
            for point in product(
                self.learning_rates, self.hidden_layers, self.weight_decays, weights
            )
        )


PRESETS: dict[str, Grid] = {
    "quick": Grid((2e-3, 1e-2), ((10,), (20, 10)), (1e-3,), (0.25, 0.5)),
    "standard": Grid(
        (1e-3, 5e-3, 1e-2), ((5,), (10,), (20, 10)), (0.0, 1e-3, 1e-2), (0.1, 0.25, 0.5)
    ),
    # The authors' published grid (600 configurations with an auxiliary loss, 120 without).
    "paper": Grid(
        (1e-5, 1e-4, 1e-3, 5e-3, 1e-2, 5e-2),
        ((5,), (10,), (20, 10), (100, 20, 10), (100, 100, 10)),
        (0.0, 1e-4, 1e-3, 1e-2),
        (0.1, 0.25, 0.5, 0.75, 1.0),
    ),
    # The published search for synthetic data: one linear layer a modality, no weight decay.
    "synthetic": Grid(
        (1e-5, 1e-4, 1e-3, 5e-3, 1e-2, 5e-2), ((),), (0.0,), (0.1, 0.25, 0.5, 0.75, 1.0)
    ),
}


@dataclass(frozen=True)
class RunConfig:
    """All that, together with the data, decides a run's numbers."""

    model: ModelKind = "smurf"
    preset: str = "quick"  # a key of PRESETS, or "custom"
    grid: Grid = field(default_factory=lambda: PRESETS["quick"])
    selection: Selection = "one_standard_error"
    standardisation: Standardisation = "training_fold"
    restarts: int = 3  # starts of the chosen configuration, the best objective wins
    seed: int = 0
    device: Device = "auto"
    max_epochs: int = 10_000
    patience: int | None = 300  # epochs without a better validation objective; None: never stop
    batch_size: int = 256
    output_scale: float = 0.01  # of the usual initial output weights; 1: as published
    fold_count: int = 5  # made where the data names no folds
    # `full` trains every configuration to its end, as published; `halving` drops the less
    # promising half of each λ at one quarter of the patience and at every doubling of that.
    search: Search = "full"

    def __post_init__(self) -> None:
        if self.model not in MODEL_TITLES:
            raise InputError(f"No model {self.model!r}; there are {', '.join(MODEL_TITLES)}.")
        if self.preset not in (*PRESETS, "custom"):
            raise InputError(f"No preset {self.preset!r}; there are {', '.join(PRESETS)}, custom.")
        if self.search not in get_args(Search):
            raise InputError(f"No search {self.search!r}; there are full and halving.")
        for name, lowest in (
            ("restarts", 1),
            ("max_epochs", 1),
            ("batch_size", 2),
            ("fold_count", 3),
        ):
            if getattr(self, name) < lowest:
                raise InputError(f"{name} must be at least {lowest}, got {getattr(self, name)}.")
        if self.patience is not None and self.patience < 1:
            raise InputError(f"patience must be at least 1, got {self.patience}.")
        if self.output_scale <= 0:
            raise InputError(f"output_scale must be above 0, got {self.output_scale}.")

    @property
    def standardises_target(self) -> bool:
        """Whether a regression target is brought to mean 0 and variance 1 for training.

        With `none` it is left as it is, as published for synthetic data. The normalised losses
        need it always: what they weigh against the task loss has no unit.
        """
        return self.standardisation != "none" or is_normalised(self.model)

    @property
    def halve_from(self) -> int | None:
        """The epoch at which a halving search first drops members; nothing in a full search."""
        if self.search == "full":
            return None
        return max(10, (self.patience or self.max_epochs // 4) // 4)

    @classmethod
    def from_preset(cls, preset: str, model: ModelKind = "smurf", **changes: Any) -> RunConfig:
        """The published settings with a preset's grid; `synthetic` also sets its 1,000 epochs."""
        if preset not in PRESETS:
            raise InputError(f"No preset {preset!r}; there are {', '.join(PRESETS)}.")
        config = cls(model=model, preset=preset, grid=PRESETS[preset])
        if preset == "synthetic":
            config = replace(config, max_epochs=1_000, patience=None, standardisation="none")
        elif preset == "quick":
            config = replace(config, max_epochs=400, patience=40)
        elif preset == "standard":
            config = replace(config, max_epochs=3_000, patience=100)
        return replace(config, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; `from_dict` reads it back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> RunConfig:
        """The configuration that `to_dict` wrote."""
        grid = dict(data["grid"])
        grid["hidden_layers"] = tuple(tuple(layers) for layers in grid["hidden_layers"])
        grid = {key: tuple(values) for key, values in grid.items()}
        return cls(**{**data, "grid": Grid(**grid)})
