"""SMURF as scikit-learn estimators over groups of columns. Fitting imports torch.

Needs the package scikit-learn: `pip install 'smurf-studio[sklearn]'`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit, StratifiedShuffleSplit
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from smurf_core.configuration import (
    Configuration,
    Device,
    Grid,
    RunConfig,
    Standardisation,
)
from smurf_core.contributions import Contributions
from smurf_core.data.dataset import Features, Folds, MultimodalDataset
from smurf_core.fitted import FittedModel
from smurf_core.model_kinds import ModelKind
from smurf_core.precision import compact

# A modality's columns: a pattern, names, positions, or a slice of positions.
Columns = str | slice | Sequence[str] | Sequence[int]


class _SmurfEstimator(BaseEstimator):  # type: ignore[misc]
    """The common part of both estimators: columns, validation split, training, contributions."""

    def __init__(
        self,
        modalities: Mapping[str, Columns] | None = None,
        *,
        model: ModelKind = "smurf_normalised",
        learning_rate: float | None = None,
        hidden_layers: tuple[int, ...] | None = None,
        weight_decay: float | None = None,
        auxiliary_weight: float | None = None,
        standardisation: Standardisation = "training_fold",
        clip: float | None = 5.0,
        validation_fraction: float = 0.2,
        max_epochs: int = 400,
        patience: int | None = 40,
        restarts: int = 1,
        batch_size: int = 256,
        device: Device = "cpu",
        random_state: int = 0,
    ) -> None:
        self.modalities = modalities
        self.model = model
        self.learning_rate = learning_rate
        self.hidden_layers = hidden_layers
        self.weight_decay = weight_decay
        self.auxiliary_weight = auxiliary_weight
        self.standardisation = standardisation
        self.clip = clip
        self.validation_fraction = validation_fraction
        self.max_epochs = max_epochs
        self.patience = patience
        self.restarts = restarts
        self.batch_size = batch_size
        self.device = device
        self.random_state = random_state

    def contributions(self, X: Any, *, persons: Any = None) -> Contributions:
        """What each modality contributes to the predictions of samples.

        Parameters
        ----------
        X
            Features [n, d], with the columns that `fit` was given.
        persons
            Person of each sample, [n]; required if features are standardised within persons.

        Returns
        -------
        Contributions
        """
        check_is_fitted(self)
        values = validate_data(
            self, X, reset=False, dtype=np.float64, ensure_all_finite="allow-nan"
        )
        return self.model_.contributions(
            {name: values[:, at].astype(np.float32) for name, at in self.columns_.items()},
            persons=None if persons is None else np.asarray(persons).astype(np.str_),
        )

    def _fit(
        self, X: Any, codes: npt.NDArray[Any], class_names: tuple[str, ...], persons: Any
    ) -> Self:
        from smurf_core.training.run import train_run

        values = np.asarray(X, dtype=np.float64)
        self.columns_ = self._columns_of(values.shape[1])
        names = getattr(self, "feature_names_in_", [f"x{d}" for d in range(values.shape[1])])
        groups = None if persons is None else np.asarray(persons).astype(np.str_)
        dataset = MultimodalDataset(
            name="scikit-learn",
            task="classification" if class_names else "regression",
            features={
                name: Features(_without_gaps(values[:, at]), tuple(str(names[d]) for d in at))
                for name, at in self.columns_.items()
            },
            sample_ids=np.arange(len(values)).astype(np.str_),
            target=codes,
            target_name="y",
            class_names=class_names,
            persons=groups,
            folds=self._folds(codes, class_names, groups),
        )
        result = train_run(dataset, self._config())
        fold = result.fold_results[0]
        self.model_: FittedModel = fold.model
        self.configuration_: Configuration = fold.member.configuration
        self.candidates_: pd.DataFrame = fold.candidates
        self.n_iter_ = max(1, fold.member.best_epoch)
        return self

    def _columns_of(self, width: int) -> dict[str, npt.NDArray[np.int64]]:
        """Positions of each modality's columns."""
        if not self.modalities or len(self.modalities) < 2:
            raise ValueError(
                "modalities must name at least 2 groups of columns, for example "
                "{'audio': 'audio_*', 'video': 'video_*'}."
            )
        found = {name: self._positions(c, width) for name, c in self.modalities.items()}
        empty = [name for name, at in found.items() if not len(at)]
        if empty:
            raise ValueError(
                f"Modality {empty[0]!r} has no column among the {width} feature(s) of X: its "
                f"columns are {self.modalities[empty[0]]!r}."
            )
        together = np.concatenate(list(found.values()))
        if len(np.unique(together)) < len(together):
            raise ValueError("A column belongs to two modalities: every column may have one.")
        return found

    def _positions(self, columns: Columns, width: int) -> npt.NDArray[np.int64]:
        if isinstance(columns, slice):
            return np.arange(width)[columns]
        names = list(getattr(self, "feature_names_in_", ()))
        if isinstance(columns, str):
            return np.array([d for d, n in enumerate(names) if fnmatchcase(n, columns)], dtype=int)
        if all(isinstance(column, str) for column in columns):
            missing = [column for column in columns if column not in names]
            if missing:
                raise ValueError(f"X has no column {missing[0]!r}.")
            return np.array([names.index(str(column)) for column in columns], dtype=int)
        at = np.asarray(columns, dtype=int)
        return at[(at >= -width) & (at < width)] % width

    def _folds(self, codes: npt.NDArray[Any], class_names: tuple[str, ...], groups: Any) -> Folds:
        """One fold, whose validation samples choose the configuration and stop training."""
        n = len(codes)
        size = max(2, round(self.validation_fraction * n))
        if n - size < 2:
            raise ValueError(f"At least 5 samples are needed, got n_samples = {n}; 1 sample or so "
                             "cannot be divided into training and validation samples.")  # fmt: skip
        options = {"n_splits": 1, "random_state": self.random_state}
        if groups is not None and len(np.unique(groups)) > 1:
            splitter = GroupShuffleSplit(test_size=self.validation_fraction, **options)
        elif class_names and min(np.bincount(codes)) > 1 and size >= len(class_names):
            splitter = StratifiedShuffleSplit(test_size=size, **options)
        else:
            splitter = ShuffleSplit(test_size=size, **options)
        _, held_out = next(iter(splitter.split(np.zeros((n, 1)), codes, groups)))
        validation = np.isin(np.arange(n), held_out)[None]
        return Folds(training=~validation, validation=validation, test=validation)

    def _config(self) -> RunConfig:
        quick = RunConfig.from_preset("quick", self.model)

        def values(given: Any, default: tuple[Any, ...]) -> tuple[Any, ...]:
            return default if given is None else (given,)

        grid = Grid(
            values(self.learning_rate, quick.grid.learning_rates),
            values(
                None if self.hidden_layers is None else tuple(self.hidden_layers),
                quick.grid.hidden_layers,
            ),
            values(self.weight_decay, quick.grid.weight_decays),
            values(self.auxiliary_weight, quick.grid.auxiliary_weights),
        )
        return replace(
            quick,
            preset="custom",
            grid=grid,
            standardisation=self.standardisation,
            clip=self.clip,
            max_epochs=self.max_epochs,
            patience=self.patience,
            restarts=self.restarts,
            batch_size=self.batch_size,
            device=self.device,
            seed=self.random_state,
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True  # A modality may be absent for a sample.
        return tags


def _without_gaps(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Fill single gaps with the column's mean; a row of gaps stays: the modality is absent."""
    gaps = np.isnan(values)
    known = ~gaps
    sums = np.where(known, values, 0).sum(axis=0)
    means = sums / np.maximum(known.sum(axis=0), 1)
    is_there = np.asarray(known.any(axis=1), dtype=bool)
    filled = np.where(gaps & is_there[:, None], means, values)
    return filled.astype(np.float32)


class SmurfRegressor(RegressorMixin, _SmurfEstimator):  # type: ignore[misc]
    """SMURF for a continuous target, with scikit-learn's interface.

    Parameters
    ----------
    modalities
        Name of a modality → its columns: a pattern (`"audio_*"`) or names of a DataFrame's
        columns, or positions or a slice of positions. At least two.
    model
        A model kind, for example `smurf`, `smurf_normalised`, `late_fusion`, `mro_smurf`.
    learning_rate, hidden_layers, weight_decay, auxiliary_weight
        Hyper-parameters (λ is `auxiliary_weight`). For those not given, the values of the preset
        `quick` are tried and the validation samples decide.
    standardisation
        `training_fold`, `within_person` or `none`.
    clip
        Standardised features are clipped at ± this many standard deviations; `None`: never.
    validation_fraction
        Share of the samples (of the persons, if known) that are used to choose the configuration
        and to stop training, between 0 and 1.
    max_epochs, patience
        Maximum number of epochs, and number of epochs without improvement after which training
        stops.
    restarts
        Starts of the chosen configuration; the lowest validation objective is used.
    batch_size, device, random_state
        As in `RunConfig`.

    Attributes
    ----------
    model_ : FittedModel
        What was trained.
    configuration_ : Configuration
        The hyper-parameters that were chosen.
    candidates_ : DataFrame
        Every configuration with its validation results.

    Examples
    --------
    >>> import numpy as np
    >>> random = np.random.default_rng(0)
    >>> X = random.normal(size=(200, 4))
    >>> y = X[:, 0] + X[:, 2]
    >>> columns = {"audio": [0, 1], "video": [2, 3]}
    >>> model = SmurfRegressor(columns, hidden_layers=(), learning_rate=1e-2).fit(X, y)
    >>> bool(model.score(X, y) > 0.9)
    True
    >>> model.contributions(X).unique("audio").shape
    (200, 1)
    """

    def fit(self, X: Any, y: Any, *, persons: Any = None) -> Self:
        """Train on features X [n, d] and target y [n]; `persons` [n] keeps persons together."""
        X, y = validate_data(
            self, X, y, dtype=np.float64, y_numeric=True, ensure_all_finite="allow-nan",
            ensure_min_samples=2,
        )  # fmt: skip
        return self._fit(X, compact(y), (), persons)

    def predict(self, X: Any, *, persons: Any = None) -> npt.NDArray[np.float64]:
        """The target's predicted values, [n]."""
        return self.contributions(X, persons=persons).prediction()[:, 0].astype(np.float64)


class SmurfClassifier(ClassifierMixin, _SmurfEstimator):  # type: ignore[misc]
    """SMURF for classes, with scikit-learn's interface; parameters as in `SmurfRegressor`.

    Examples
    --------
    >>> import numpy as np
    >>> random = np.random.default_rng(0)
    >>> X = random.normal(size=(200, 4))
    >>> y = np.where(X[:, 0] + X[:, 2] > 0, "high", "low")
    >>> columns = {"audio": [0, 1], "video": [2, 3]}
    >>> model = SmurfClassifier(columns, hidden_layers=(), learning_rate=1e-2).fit(X, y)
    >>> model.classes_.tolist(), bool(model.score(X, y) > 0.9)
    (['high', 'low'], True)
    """

    def fit(self, X: Any, y: Any, *, persons: Any = None) -> Self:
        """Train on features X [n, d] and classes y [n]; `persons` [n] keeps persons together."""
        X, y = validate_data(
            self, X, y, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=2
        )
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("A classifier needs at least 2 classes; y has 1 class.")
        return self._fit(X, codes, tuple(map(str, self.classes_)), persons)

    def decision_function(self, X: Any, *, persons: Any = None) -> npt.NDArray[np.float64]:
        """Logits [n, c]; for two classes, the second logit minus the first, [n]."""
        logits = self.contributions(X, persons=persons).prediction().astype(np.float64)
        return logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits

    def predict_proba(self, X: Any, *, persons: Any = None) -> npt.NDArray[np.float64]:
        """Probabilities of the classes, [n, c]."""
        logits = self.contributions(X, persons=persons).prediction().astype(np.float64)
        shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))

    def predict(self, X: Any, *, persons: Any = None) -> npt.NDArray[Any]:
        """The most probable class of each sample, [n]."""
        logits = self.contributions(X, persons=persons).prediction()
        return np.asarray(self.classes_[logits.argmax(axis=1)])
