"""The data set type: features by modality, target, persons, folds and human judgments."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.data.problems import Problem
from smurf_core.errors import InputError

Task = Literal["regression", "classification"]
Origin = Literal["recorded", "synthetic", "simulated"]

INFORMATIVENESS_LEVELS = ("no", "relevant", "sufficient")


@dataclass(frozen=True)
class Features:
    """One modality's features: float32 [n, d] with names; absent samples are rows of NaN."""

    values: npt.NDArray[np.float32]  # [n, d]
    names: tuple[str, ...]  # [d]

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.shape[1] != len(self.names):
            raise ValueError(
                f"Features of shape {self.values.shape} do not fit {len(self.names)} names."
            )
        if self.values.dtype != np.float32:
            raise ValueError(f"Features must be float32, got {self.values.dtype}.")

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """True for each sample with the modality, [n]: at least one of its features is not NaN."""
        return np.asarray(~np.isnan(self.values).all(axis=1))


@dataclass(frozen=True)
class Folds:
    """Roles of each sample in each fold; a sample may have several roles or none."""

    training: npt.NDArray[np.bool_]  # [f, n]
    validation: npt.NDArray[np.bool_]  # [f, n]
    test: npt.NDArray[np.bool_]  # [f, n]

    def __post_init__(self) -> None:
        shapes = {self.training.shape, self.validation.shape, self.test.shape}
        if len(shapes) != 1 or self.training.ndim != 2:
            raise ValueError(f"Folds need three arrays of one shape [folds, n], got {shapes}.")

    def __len__(self) -> int:
        return len(self.training)

    @classmethod
    def from_test_folds(cls, test_fold: npt.NDArray[np.int64], count: int | None = None) -> Folds:
        """Folds f that test on part f, validate on part f + 1 (mod count) and train on the rest.

        This is the authors' scheme for cross-validation (section 4.5). `test_fold` is [n] and
        counts from 0; at least three folds are needed.
        """
        count = int(test_fold.max()) + 1 if count is None else count
        if count < 3:
            raise InputError(
                f"Cross-validation needs 3 folds or more (test, validation, training), got {count}."
            )
        fold = np.arange(count)[:, None]
        test = test_fold[None, :] == fold
        validation = test_fold[None, :] == (fold + 1) % count
        return cls(training=~test & ~validation, validation=validation, test=test)

    @classmethod
    def from_split(cls, split: npt.NDArray[np.str_]) -> Folds:
        """Make one fold from an official split: [n] of `train`, `validation`, `test` (or empty)."""
        return cls(
            training=(split == "train")[None],
            validation=(split == "validation")[None],
            test=(split == "test")[None],
        )

    def tested_by(self) -> npt.NDArray[np.int64]:
        """The first fold that tests each sample, [n]; −1 if no fold does."""
        return np.where(self.test.any(axis=0), self.test.argmax(axis=0), -1).astype(np.int64)


@dataclass(frozen=True)
class FurtherTarget:
    """Another target of the same samples: values [n] with NaN, or class codes [n] with −1."""

    task: Task
    values: npt.NDArray[np.float32] | npt.NDArray[np.float64] | npt.NDArray[np.int64]
    class_names: tuple[str, ...] = ()  # empty for regression

    @property
    def is_known(self) -> npt.NDArray[np.bool_]:
        """True for each sample that has this target, [n]."""
        if self.task == "classification":
            return np.asarray(self.values >= 0)
        return np.asarray(np.isfinite(self.values))


@dataclass(frozen=True)
class MultimodalDataset:
    """Multimodal features of n samples with a target. Immutable, validated when made.

    Raises `InputError` if parts do not fit together. `notes` describe the changes that readers made
    (rows dropped, columns left out).
    """

    name: str
    task: Task
    features: Mapping[str, Features]
    sample_ids: npt.NDArray[np.str_]  # [n], unique
    # [n]: value (float64 where float32 is too coarse: `smurf_core.precision`), or class code
    target: npt.NDArray[np.float32] | npt.NDArray[np.float64] | npt.NDArray[np.int64]
    target_name: str
    class_names: tuple[str, ...] = ()  # empty for regression
    persons: npt.NDArray[np.str_] | None = None  # [n]: person of each sample
    folds: Folds | None = None
    samples: pd.DataFrame = field(default_factory=pd.DataFrame)  # index: sample ids, same order
    # Modalities that raters saw → rating [n], NaN where there is none, in the target's unit.
    judgments: Mapping[frozenset[str], npt.NDArray[np.float32]] = field(default_factory=dict)
    # The same subsets, if single raters are known: their ratings [raters, n], NaN for none.
    ratings: Mapping[frozenset[str], npt.NDArray[np.float32]] = field(default_factory=dict)
    # Modality → [n] code into INFORMATIVENESS_LEVELS, −1 where there is no rating.
    informativeness: Mapping[str, npt.NDArray[np.int64]] = field(default_factory=dict)
    # Synthetic data only: the true factor behind each part of the target, [n] each.
    factors: Mapping[str, npt.NDArray[np.float32]] = field(default_factory=dict)
    # Modality → the names of its features that are outputs of a late-fusion model which was trained
    # elsewhere: one for regression, one per class (in the classes' order) for classification.
    given_outputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # Name → another target of the same samples, for `with_target`.
    further_targets: Mapping[str, FurtherTarget] = field(default_factory=dict)
    origin: Origin = "recorded"
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.sample_ids)
        problems = [
            f"modality {name!r} has {len(f.values)} rows for {n} samples"
            for name, f in self.features.items()
            if len(f.values) != n
        ]
        if len(self.features) < 2:
            problems.append(f"at least 2 modalities are needed, got {len(self.features)}")
        if len(set(self.sample_ids.tolist())) != n:
            problems.append("sample ids repeat")
        if self.target.shape != (n,):
            problems.append(f"the target has shape {self.target.shape} for {n} samples")
        elif self.task == "regression" and not np.isfinite(self.target).all():
            problems.append("the target contains values that are not finite")
        elif self.task == "classification":
            if len(self.class_names) < 2:
                problems.append(f"at least 2 classes are needed, got {len(self.class_names)}")
            if n and (self.target.min() < 0 or self.target.max() >= len(self.class_names)):
                problems.append("class codes lie outside the class names")
        if self.persons is not None and self.persons.shape != (n,):
            problems.append(f"persons have shape {self.persons.shape} for {n} samples")
        if self.folds is not None and self.folds.training.shape[1] != n:
            problems.append(f"folds cover {self.folds.training.shape[1]} of {n} samples")
        if self.samples.empty and len(self.samples.columns) == 0:
            object.__setattr__(self, "samples", pd.DataFrame(index=pd.Index(self.sample_ids)))
        if list(self.samples.index) != self.sample_ids.tolist():
            problems.append("the sample table's index differs from the sample ids")
        for what, arrays in (
            ("judgments", self.judgments),
            ("informativeness", self.informativeness),
            ("factors", self.factors),
        ):
            problems += [
                f"{what} {key} cover {len(a)} of {n} samples"
                for key, a in arrays.items()
                if len(a) != n
            ]
        problems += [
            f"ratings of {subset} cover {a.shape} for {n} samples, not [raters, samples]"
            for subset, a in ((", ".join(sorted(s)), a) for s, a in self.ratings.items())
            if a.ndim != 2 or a.shape[1] != n
        ]
        problems += [
            f"target {name!r} has shape {further.values.shape} for {n} samples"
            for name, further in self.further_targets.items()
            if further.values.shape != (n,)
        ]
        if self.target_name in self.further_targets:
            problems.append(f"target {self.target_name!r} is named twice")
        judged = {m for shown in self.judgments for m in shown} | set(self.informativeness)
        unknown = sorted(judged - set(self.features))
        if unknown:
            problems.append(f"judgments name modalities that are not in the data: {unknown}")
        problems += self._wrong_outputs()
        if problems:
            raise InputError(f"Data set {self.name!r}: " + "; ".join(problems) + ".")

    def __len__(self) -> int:
        return len(self.sample_ids)

    def _wrong_outputs(self) -> list[str]:
        """What is wrong with the names of given outputs."""
        if not self.given_outputs:
            return []
        problems = []
        if set(self.given_outputs) != set(self.features):
            problems.append(
                "outputs of a given model are needed for every modality "
                f"({', '.join(self.features)}), and are given for {', '.join(self.given_outputs)}"
            )
        count = len(self.outputs)
        for modality, names in self.given_outputs.items():
            known = self.features[modality].names if modality in self.features else ()
            missing = [name for name in names if name not in known]
            if missing:
                problems.append(f"modality {modality!r} has no feature {missing[0]!r}")
            if len(names) != count:
                what = "one per class" if self.task == "classification" else "one for regression"
                problems.append(
                    f"modality {modality!r} has {len(names)} outputs of a given model where "
                    f"{count} are needed ({what})"
                )
        return problems

    def output_values(self) -> npt.NDArray[np.float64]:
        """What a given model outputs for each modality, [n, m, c]; zero where it is absent."""
        found = np.zeros((len(self), len(self.features), len(self.outputs)))
        for i, (modality, features) in enumerate(self.features.items()):
            columns = [features.names.index(name) for name in self.given_outputs[modality]]
            found[:, i] = np.nan_to_num(features.values[:, columns].astype(np.float64))
        return found

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names of the modalities, in the order in which arrays store them."""
        return tuple(self.features)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the model's outputs: the target, or the classes."""
        return self.class_names if self.task == "classification" else (self.target_name,)

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """True for each sample and modality that was recorded, [n, m]."""
        return np.stack([f.present for f in self.features.values()], axis=1)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of everything that training reads: equal data give the same string everywhere."""
        digest = hashlib.sha256()
        for name, features in self.features.items():
            digest.update(repr((name, features.names, features.values.shape)).encode())
            # Without a copy of what may be mapped from a large file.
            digest.update(np.ascontiguousarray(features.values).reshape(-1).view(np.uint8).data)
        digest.update(repr((self.task, self.target_name, self.class_names)).encode())
        digest.update(np.ascontiguousarray(self.target).tobytes())
        digest.update("\0".join(self.sample_ids.tolist()).encode())
        digest.update(b"" if self.persons is None else "\0".join(self.persons.tolist()).encode())
        if self.given_outputs:
            digest.update(repr(sorted(self.given_outputs.items())).encode())
        if self.folds is not None:
            for roles in (self.folds.training, self.folds.validation, self.folds.test):
                digest.update(np.packbits(roles).tobytes())
        return digest.hexdigest()

    def positions(self, sample_ids: npt.NDArray[np.str_]) -> npt.NDArray[np.int64]:
        """The position of each of these samples, [k]; −1 for a sample that is not in the data."""
        if np.array_equal(sample_ids, self.sample_ids):  # Mostly, and faster than an index.
            return np.arange(len(self))
        found = self._index.get_indexer(pd.Index(sample_ids))
        return np.asarray(found, dtype=np.int64)

    @cached_property
    def _index(self) -> pd.Index[str]:
        return pd.Index(self.sample_ids)

    @property
    def target_names(self) -> tuple[str, ...]:
        """All targets: the one that is predicted first, then the further ones."""
        return (self.target_name, *self.further_targets)

    def with_target(self, name: str) -> MultimodalDataset:
        """The samples that have this target, as a data set that predicts it.

        Human judgments, outputs of a given model and true factors are about the first target: they
        are not part of the data set of a further one. Raises `InputError` for an unknown target.
        """
        if name == self.target_name:
            return self
        if name not in self.further_targets:
            raise InputError(
                f"Data set {self.name!r} has no target {name!r}, only "
                f"{', '.join(self.target_names)}."
            )
        chosen = self.further_targets[name]
        kept: npt.NDArray[np.bool_] | slice = chosen.is_known
        if chosen.is_known.all():
            kept = slice(None)  # The arrays are shared, not copied.
        roles = self.folds
        return MultimodalDataset(
            name=self.name,
            task=chosen.task,
            features={n: Features(f.values[kept], f.names) for n, f in self.features.items()},
            sample_ids=self.sample_ids[kept],
            target=chosen.values[kept],
            target_name=name,
            class_names=chosen.class_names,
            persons=None if self.persons is None else self.persons[kept],
            folds=roles
            and Folds(roles.training[:, kept], roles.validation[:, kept], roles.test[:, kept]),
            samples=self.samples[kept],
            origin=self.origin,
            notes=self.notes,
        )

    def with_folds(self, folds: Folds) -> MultimodalDataset:
        """The same data with other folds."""
        return replace(self, folds=folds)


@dataclass(frozen=True)
class NewSamples:
    """Features of samples without a target, for a model that was trained before.

    Parameters
    ----------
    features
        Modality → its features; a gap is NaN, a row of NaN says that the modality is absent.
    sample_ids
        [n], unique.
    persons
        Person of each sample, [n]; required if a model standardises within persons.
    problems
        Descriptions of what was missing in the files.
    """

    features: Mapping[str, Features]
    sample_ids: npt.NDArray[np.str_]
    persons: npt.NDArray[np.str_] | None = None
    problems: tuple[Problem, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.sample_ids)
        sizes = {name: len(features.values) for name, features in self.features.items()}
        wrong = [f"{name!r} has {size}" for name, size in sizes.items() if size != n]
        if wrong:
            raise InputError(f"{n} samples are named, but modality {', '.join(wrong)} rows.")
        if len(set(self.sample_ids.tolist())) != n:
            raise InputError("The ids of new samples repeat: give each sample a different id.")
        if self.persons is not None and self.persons.shape != (n,):
            raise InputError(f"{n} samples are named, but {len(self.persons)} persons.")

    def __len__(self) -> int:
        return len(self.sample_ids)
