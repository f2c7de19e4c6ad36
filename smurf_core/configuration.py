"""What can be asked of a training run: model kinds, grids, presets. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any, ClassVar, Literal

from smurf_core.codec import Upgrades, check, from_plain, to_plain
from smurf_core.errors import InputError
from smurf_core.model_kinds import MODEL_KINDS, ModelKind, ModelTraits

Selection = Literal["published", "one_standard_error"]
Standardisation = Literal["training_fold", "within_person", "none"]
Search = Literal["full", "halving"]
Device = Literal["auto", "cpu", "cuda", "mps"]


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


def suggested_clip(
    preset: str, origin: str, *, standardisation: Standardisation = "training_fold"
) -> float | None:
    """Where standardised features should be clipped, unless a user says otherwise; `None`: nowhere.

    As published, nowhere, for the presets `paper` and `synthetic` and for synthetic data. Elsewhere
    at 5 standard deviations: recorded data have single samples dozens of standard deviations out,
    which can decide what a whole run seems to rely on, and no loss of accuracy was seen
    (docs/method.md). Features that are not standardised are not clipped.
    """
    is_published = preset in ("paper", "synthetic") or origin == "synthetic"
    return None if is_published or standardisation == "none" else 5.0


@dataclass(frozen=True)
class Configuration:
    """One point of the grid.

    Parameters
    ----------
    learning_rate
        Adam's, above 0.
    hidden_layers
        Units of every hidden layer, the first layer first; () for one linear layer per modality.
    weight_decay
        Weight of the L2 penalty, 0 or more.
    auxiliary_weight
        λ of eq. 4, 0 or more.
    """

    learning_rate: float
    hidden_layers: tuple[int, ...]
    weight_decay: float
    auxiliary_weight: float

    def __post_init__(self) -> None:
        check(self)

    def __str__(self) -> str:
        layers = "×".join(map(str, self.hidden_layers)) or "linear"
        return (
            f"lr {self.learning_rate:g}, layers {layers}, "
            f"weight decay {self.weight_decay:g}, λ {self.auxiliary_weight:g}"
        )


@dataclass(frozen=True)
class Grid:
    """Hyper-parameters to try, every combination of them.

    Parameters
    ----------
    learning_rates
        Adam's learning rates, above 0.
    hidden_layers
        Layer settings: units of every hidden layer, () for one linear layer per modality.
    weight_decays
        Weights of the L2 penalty, 0 or more.
    auxiliary_weights
        Values of λ (eq. 4), 0 or more. Kinds without an auxiliary loss leave them out.

    Raises
    ------
    InputError
        If a list is empty, or a value is out of range.

    Examples
    --------
    >>> grid = Grid([0.01], [[], [20, 10]], [0.0], [0.25, 0.5])
    >>> len(grid.configurations("smurf")), len(grid.configurations("late_fusion"))
    (4, 2)
    """

    learning_rates: tuple[float, ...]
    hidden_layers: tuple[tuple[int, ...], ...]
    weight_decays: tuple[float, ...]
    auxiliary_weights: tuple[float, ...]

    def __post_init__(self) -> None:
        check(self)
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
        weights = self.auxiliary_weights if MODEL_KINDS[model].has_weight else (0.0,)
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


# The exclusive kind needs no search of its own: its penalties have no unit, and ridges are chosen
# along a path that costs nothing. Layers are those of late fusion, which is trained before.
_EXCLUSIVE_LAYERS: dict[str, tuple[tuple[int, ...], ...]] = {
    "quick": ((),),
    "standard": ((), (10,), (20, 10)),
    "paper": ((), (5,), (10,), (20, 10)),
    "synthetic": ((),),
}
# The largest that predicts as well as the best is used.
_EXCLUSIVE_WEIGHTS = (0.03, 0.1, 0.3, 1.0)
# Given outputs are followed exactly at small weights, which only decide what they are split into.
_EXPLAINED_WEIGHTS = (0.001, 0.01, 0.03, 0.1)


def preset_grid(preset: str, model: ModelKind) -> Grid:
    """The grid of a preset for a model kind.

    Raises
    ------
    InputError
        If there is no such preset.
    """
    if preset not in PRESETS:
        raise InputError(f"No preset {preset!r}; there are {', '.join(PRESETS)}.")
    grid = PRESETS[preset]
    if MODEL_KINDS[model].explains_outputs:
        return replace(grid, hidden_layers=((),), auxiliary_weights=_EXPLAINED_WEIGHTS)
    if MODEL_KINDS[model].is_solved:
        return replace(
            grid, hidden_layers=_EXCLUSIVE_LAYERS[preset], auxiliary_weights=_EXCLUSIVE_WEIGHTS
        )
    return grid


@dataclass(frozen=True)
class RunConfig:
    """All that, together with the data, decides a run's numbers.

    Parameters
    ----------
    model
        A kind of `MODEL_KINDS`, for example `smurf` or `late_fusion`.
    preset
        The name of the grid: a key of `PRESETS`, or `custom`.
    grid
        The hyper-parameters to try.
    selection
        Which configuration of a fold wins: `published`, the best validation metric;
        `one_standard_error`, the best factorised of those that predict equally well.
    standardisation
        How features are brought to one scale: by the training fold, within each person, or not.
    restarts
        How often the chosen configuration is trained, from different initial weights, at least 1.
        The one with the lowest validation objective is used.
    seed
        Decides initial weights, batches and folds, at least 0. Equal seeds give equal numbers.
    device
        `auto` takes a GPU if there is one.
    max_epochs
        At most so many epochs, at least 1.
    patience
        Training stops after so many epochs without a better validation objective; `None`: never.
    batch_size
        Samples per batch, at least 2.
    output_scale
        Factor on the usual initial output weights, above 0; 1 is as published.
    fold_count
        Folds to make where the data have none, at least 3.
    search
        `full` trains every configuration to its end, as published. `halving` drops the less
        promising half of each λ at one quarter of the patience and at every doubling of that.
    clip
        Standardised features beyond ± this many standard deviations are set to this bound, above
        0; `None`: never, as published. Features that are not standardised (`none`) are not clipped.
    refits
        How often the chosen models are refitted to reweighted persons, for intervals and
        reliabilities; of the exclusive kind. Below 2: not at all.
    largest_set
        The exclusive kind offers sets of up to this many modalities, at least 1; `None`: all sets
        of up to four modalities, sets of up to three where there are more.
    components
        So many leading principal components of a modality's training samples are trained on, at
        least 1, where it has more features; `None`: all features. Contributions and attributions
        are of the features in any case. The exclusive kind never takes more than it is made for.

    Raises
    ------
    InputError
        If a setting is of the wrong type, out of range, or none of the known values.

    Examples
    --------
    >>> config = RunConfig.from_preset("quick", "late_fusion", seed=3)
    >>> config.kind.title, config.max_epochs, config.seed
    ('Late fusion', 400, 3)
    >>> RunConfig(device="tpu")
    Traceback (most recent call last):
        ...
    smurf_core.errors.InputError: device must be auto, cpu, cuda or mps, got 'tpu'.
    """

    model: ModelKind = field(default="smurf", metadata={"choices": MODEL_KINDS})
    preset: str = field(default="quick", metadata={"choices": (*PRESETS, "custom")})
    grid: Grid = field(default_factory=lambda: PRESETS["quick"])
    selection: Selection = "one_standard_error"
    standardisation: Standardisation = "training_fold"
    restarts: int = 3
    seed: int = 0
    device: Device = "auto"
    max_epochs: int = 10_000
    patience: int | None = 300
    batch_size: int = 256
    output_scale: float = 0.01
    fold_count: int = 5
    search: Search = "full"
    clip: float | None = None
    refits: int = 200
    largest_set: int | None = None
    components: int | None = None

    # Layout 2 has `clip`, `refits` and `largest_set`, and layout 3 has `components`: what was
    # written before was trained without.
    UPGRADES: ClassVar[Upgrades] = (
        lambda plain: {"clip": None, "refits": 0, "largest_set": None, **plain},
        lambda plain: {"components": None, **plain},
    )

    def __post_init__(self) -> None:
        check(self)
        for name, lowest in (
            ("seed", 0),
            ("restarts", 1),
            ("max_epochs", 1),
            ("batch_size", 2),
            ("fold_count", 3),
            ("refits", 0),
        ):
            if getattr(self, name) < lowest:
                raise InputError(f"{name} must be at least {lowest}, got {getattr(self, name)}.")
        if self.patience is not None and self.patience < 1:
            raise InputError(f"patience must be at least 1, got {self.patience}.")
        for name in ("largest_set", "components"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1, got {getattr(self, name)}.")
        if self.output_scale <= 0:
            raise InputError(f"output_scale must be above 0, got {self.output_scale}.")
        if self.clip is not None and self.clip <= 0:
            raise InputError(f"clip must be above 0 standard deviations, got {self.clip:g}.")

    @property
    def kind(self) -> ModelTraits:
        """All that the model kind decides: its row of the table."""
        return MODEL_KINDS[self.model]

    @property
    def trains_networks(self) -> bool:
        """True if torch trains: not where a model is solved on the user's features."""
        return not self.kind.is_solved or any(self.grid.hidden_layers)

    @property
    def standardises_target(self) -> bool:
        """True if a regression target is brought to mean 0 and variance 1 for training.

        With `none` it is left as it is, as published for synthetic data, unless the model kind
        always needs it.
        """
        return self.standardisation != "none" or self.kind.always_standardises_target

    @property
    def clips(self) -> bool:
        """True if inputs are clipped: not without a bound, nor without standardised features."""
        return self.clip is not None and self.standardisation != "none"

    @property
    def scaling(self) -> str:
        """How features are brought to one scale, in words: `training_fold, clipped at 5 sd`."""
        bound = f"clipped at {self.clip:g} sd" if self.clips else "not clipped"
        words = f"{self.standardisation}, {bound}"
        if self.components is None:
            return words
        what = "component" if self.components == 1 else "components"
        return f"{words}, at most {self.components} principal {what} per modality"

    @property
    def halve_from(self) -> int | None:
        """The epoch at which a halving search first drops members; nothing in a full search."""
        if self.search == "full":
            return None
        return max(10, (self.patience or self.max_epochs // 4) // 4)

    @classmethod
    def from_preset(cls, preset: str, model: ModelKind = "smurf", **changes: Any) -> RunConfig:
        """The published settings with a preset's grid and number of epochs.

        Parameters
        ----------
        preset
            `quick` (seconds on small data), `standard` (minutes), `paper` (the published grid) or
            `synthetic` (as published for synthetic data: 1,000 epochs, nothing standardised).
        model
            A kind of `MODEL_KINDS`.
        **changes
            Other settings of `RunConfig`, which replace those of the preset.

        Raises
        ------
        InputError
            If there is no such preset, or a setting is wrong.
        """
        config = cls(model=model, preset=preset, grid=preset_grid(preset, model))
        if preset == "synthetic":
            config = replace(config, max_epochs=1_000, patience=None, standardisation="none")
        elif preset == "quick":
            config = replace(config, max_epochs=400, patience=40)
        elif preset == "standard":
            config = replace(config, max_epochs=3_000, patience=100)
        return replace(config, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; `from_dict` reads it back."""
        return to_plain(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RunConfig:
        """The configuration that `to_dict` wrote, of this version or an older one.

        Raises
        ------
        InputError
            Names every unknown and missing field, and a value that its field does not take.
        """
        return from_plain(cls, data, "The configuration of the run")
