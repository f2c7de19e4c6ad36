"""One fold's trained model with everything that it needs to explain samples. Imports no torch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from smurf_core.configuration import Standardisation
from smurf_core.contributions import Contributions
from smurf_core.data.dataset import Task
from smurf_core.errors import InputError
from smurf_core.model_kinds import ModelKind
from smurf_core.precision import compact
from smurf_core.scaling import Norm, Scaler, person_norms, within_person
from smurf_core.terms import Source, Term

FloatArray = npt.NDArray[np.float32]
FORMAT = "smurf-studio model 2"
_AT_ONCE = 20_000_000  # numbers of features that are standardised at once


@dataclass(frozen=True)
class Layer:
    """One linear layer: `x @ weight.T + bias`."""

    weight: FloatArray  # [units out, units in]
    bias: npt.NDArray[np.floating]  # [units out]; float64 in an output layer

    def __post_init__(self) -> None:
        # Rows after each other, as a stored model is read: the order decides how products round.
        object.__setattr__(self, "weight", np.ascontiguousarray(self.weight))


# Layers of a source's network, the output layer last; rectifiers stand between them.
Tower = tuple[Layer, ...]


@dataclass(frozen=True)
class FittedModel:
    """A model that explains samples: scaler, networks, terms and baseline of one fold.

    The training fold's means are taken off the output layers' biases. Hence a network's output,
    times the target's standard deviation, is the contribution, and zero means *as on average*.

    Parameters
    ----------
    kind
        The model kind, for example `smurf`.
    task
        `regression` or `classification`.
    modalities
        Names, in the order of the data set.
    features
        Modality → names of its features, [d].
    outputs
        The target's name, or the class names, [c].
    standardisation
        How features are brought to one scale: `training_fold`, `within_person` or `none`.
    scaler
        Means and standard deviations of the training fold, and the range of its inputs.
    terms
        Who makes each contribution and with whom it is shared, [t].
    towers
        Source → its network. The output layer has one unit per term of the source and output,
        term by term.
    baseline
        What is predicted where every contribution is zero, [c]: float32, or float64 where that is
        too coarse for the target (`smurf_core.precision`).
    products
        True if networks of several modalities read products of one unit of each of their
        modalities' last hidden layers (of one feature each, without hidden layers).
    reads_features
        True if output layers read the features after the last hidden layer's units.
    """

    kind: ModelKind
    task: Task
    modalities: tuple[str, ...]
    features: Mapping[str, tuple[str, ...]]
    outputs: tuple[str, ...]
    standardisation: Standardisation
    scaler: Scaler
    terms: tuple[Term, ...]
    towers: Mapping[Source, Tower]
    baseline: npt.NDArray[np.floating]
    products: bool = False
    reads_features: bool = False

    @cached_property
    def _rows(self) -> dict[Source, npt.NDArray[np.int64]]:
        """Where a source's terms stand, by source."""
        return {
            source: np.flatnonzero([term.source == source for term in self.terms])
            for source in self.towers
        }

    def inputs(
        self,
        features: Mapping[str, npt.NDArray[np.floating]],
        *,
        persons: npt.NDArray[np.str_] | None = None,
        norms: Mapping[tuple[str, str], Norm] | None = None,
        clipped: bool = True,
        only: Source | None = None,
    ) -> dict[str, FloatArray]:
        """Features as the networks see them, float32 [n, d] per modality, or of some (`only`).

        Without `clipped`, features keep how far they are from the training samples' mean. A
        feature that is missing (NaN) is set to the training samples' mean, and a modality of
        which all features are missing is zero.
        """
        if self.standardisation == "within_person":
            if persons is None:
                raise InputError(
                    "This model standardises within persons: name the person of each sample."
                )
            norms = norms or person_norms(features, persons)
        found = {}
        for name in only or self.modalities:
            values = np.asarray(features[name], dtype=np.float32)
            if values.ndim != 2 or values.shape[1] != len(self.features[name]):
                raise InputError(
                    f"{name!r} needs {len(self.features[name])} features per sample, got an array "
                    f"of shape {values.shape}."
                )
            is_there = _is_there(values)
            if norms is not None and persons is not None:
                values = within_person(values, persons, name, norms)
            scale = self.scaler.scaled if clipped else self.scaler.standardised
            scaled = scale(name, values)
            gaps = np.isnan(scaled)
            if gaps.any():
                scaled = np.where(gaps, self.scaler.input_means[name], scaled)
            found[name] = np.where(is_there[:, None], scaled, np.float32(0))
        return found

    def contributions(
        self,
        features: Mapping[str, npt.NDArray[np.floating]],
        *,
        persons: npt.NDArray[np.str_] | None = None,
        norms: Mapping[tuple[str, str], Norm] | None = None,
        sample_ids: npt.NDArray[np.str_] | None = None,
        fold: int = 0,
    ) -> Contributions:
        """Explain samples, whether the model has seen them or not.

        Parameters
        ----------
        features
            Modality → [n, d] in the recorded unit, columns as in `self.features`. A row of NaN
            says that the modality is absent for a sample: its terms contribute zero.
        persons
            Person of each sample, [n]; needed where features are standardised within persons.
        norms
            (person, modality) → mean and standard deviation, where they should come from other
            samples than these (`person_norms`).
        sample_ids
            Names of the samples, [n]; their positions where not given.
        fold
            The number that the result carries in `folds`, from 0.

        Returns
        -------
        Contributions

        Raises
        ------
        InputError
            If a modality is missing, has another number of features, or persons are needed.
        """
        missing = [name for name in self.modalities if name not in features]
        if missing:
            raise InputError(
                f"The model also needs {', '.join(map(repr, missing))}; give rows of NaN for a "
                "modality that was not recorded."
            )
        if self.standardisation == "within_person" and persons is not None:
            norms = norms or person_norms(features, persons)
        numbers = sum(np.size(features[name]) for name in self.modalities)
        inputs = None
        if numbers <= _AT_ONCE:
            inputs = self.inputs(features, persons=persons, norms=norms)
        n, c = len(features[self.modalities[0]]), len(self.outputs)
        present = {name: _is_there(features[name]) for name in self.modalities}
        values = np.zeros((n, len(self.terms), c), dtype=np.float32)
        for source, rows in self._rows.items():
            # Of a large study, only what a source reads is held beside the features.
            read = inputs or self.inputs(features, persons=persons, norms=norms, only=source)
            raw = self.raw(source, read).reshape(n, len(rows), c) * self.scaler.target_sd
            is_there = _all_there(present, source)
            values[:, rows] = np.where(is_there[:, None, None], raw, 0)
        return Contributions(
            values=values,
            terms=self.terms,
            baseline=np.broadcast_to(self.baseline, (n, c)),
            modalities=self.modalities,
            outputs=self.outputs,
            sample_ids=np.arange(n).astype(np.str_) if sample_ids is None else sample_ids,
            folds=np.full(n, fold, dtype=np.int64),
        )

    def predict(
        self,
        features: Mapping[str, npt.NDArray[np.floating]],
        *,
        persons: npt.NDArray[np.str_] | None = None,
    ) -> npt.NDArray[np.floating]:
        """The prediction [n, c] in the target's unit, or classes' logits (see `contributions`)."""
        return self.contributions(features, persons=persons).prediction()

    def raw(self, source: Source, inputs: Mapping[str, FloatArray]) -> npt.NDArray[np.float64]:
        """Output of a source's network, [n, terms · outputs], in the target's scaled unit."""
        return _linear(self.towers[source][-1], self.last_hidden(source, inputs))

    def last_hidden(self, source: Source, inputs: Mapping[str, FloatArray]) -> FloatArray:
        """What a source's output layer reads, [n, h]: hidden units, features, or products."""
        if self.products and len(source) > 1:
            units = [self.last_hidden((name,), inputs) for name in source]
            return reduce(_outer, units)
        activation = np.concatenate([inputs[name] for name in source], axis=1)
        for layer in self.towers[source][:-1]:
            activation = np.maximum(np.asarray(_linear(layer, activation), dtype=np.float32), 0)
        if self.reads_features:
            activation = np.concatenate([activation, *(inputs[name] for name in source)], axis=1)
        return activation

    def centred(
        self, inputs: Mapping[str, FloatArray], learned_from: Mapping[str, npt.NDArray[np.bool_]]
    ) -> FittedModel:
        """The same model with its outputs' means over the training samples in the baseline.

        `learned_from` says, by modality, which rows of `inputs` are training samples that have
        it. A source that no training sample has was never learned and contributes zero.
        """
        towers: dict[Source, Tower] = {}
        baseline = self.baseline.astype(np.float64)
        for source, tower in self.towers.items():
            rows = _all_there(learned_from, source)
            *before, last = tower
            if rows.any():
                offset = self.raw(source, inputs)[rows].mean(axis=0)
                last = Layer(last.weight, last.bias.astype(np.float64) - offset)
                offsets = offset.reshape(-1, len(self.outputs)).sum(axis=0)
                baseline = baseline + offsets * self.scaler.target_sd
            else:
                last = Layer(np.zeros_like(last.weight), np.zeros(len(last.bias)))
            towers[source] = (*before, last)
        return replace(self, towers=towers, baseline=compact(baseline, self.scaler.target_sd))

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Every number of the model by a name that knows positions only, never a modality's name.

        `tower/0.1/2/weight` is the third layer of the network of the first two modalities,
        `feature_means/0` the first modality's means.
        """
        found: dict[str, npt.NDArray[Any]] = {"baseline": self.baseline}
        for source, tower in self.towers.items():
            place = ".".join(str(self.modalities.index(name)) for name in source)
            for number, layer in enumerate(tower):
                found[f"tower/{place}/{number}/weight"] = layer.weight
                found[f"tower/{place}/{number}/bias"] = layer.bias
        return found | self.scaler.arrays(self.modalities)

    def description(self) -> dict[str, Any]:
        """All that is not a number, as plain data for JSON."""
        return {
            "format": FORMAT,
            "kind": self.kind,
            "task": self.task,
            "modalities": list(self.modalities),
            "features": [list(self.features[name]) for name in self.modalities],
            "outputs": list(self.outputs),
            "standardisation": self.standardisation,
            "terms": [term.to_data() for term in self.terms],
            "products": self.products,
            "reads_features": self.reads_features,
            "target_mean": self.scaler.target_mean,
            "target_sd": self.scaler.target_sd,
            "clip": self.scaler.clip,
        }

    @classmethod
    def from_parts(
        cls, description: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]
    ) -> FittedModel:
        """The model of `description` and `arrays`.

        Raises
        ------
        InputError
            If they were written in another format, or something is missing.
        """
        if description.get("format") != FORMAT:
            raise InputError(
                f"The model was written in format {description.get('format')!r}; this version "
                f"reads {FORMAT!r}."
            )
        try:
            modalities = tuple(description["modalities"])
            layers: dict[Source, dict[int, dict[str, npt.NDArray[Any]]]] = {}
            for name, array in arrays.items():
                if name.startswith("tower/"):
                    _, place, number, what = name.split("/")
                    source = tuple(modalities[int(i)] for i in place.split("."))
                    layers.setdefault(source, {}).setdefault(int(number), {})[what] = array
            terms = tuple(Term.from_data(term) for term in description["terms"])
            return cls(
                kind=description["kind"],
                task=description["task"],
                modalities=modalities,
                features={
                    name: tuple(names)
                    for name, names in zip(modalities, description["features"], strict=True)
                },
                outputs=tuple(description["outputs"]),
                standardisation=description["standardisation"],
                scaler=Scaler.from_arrays(
                    arrays,
                    modalities,
                    description["target_mean"],
                    description["target_sd"],
                    description.get("clip"),  # Models were not clipped before there was one.
                ),
                terms=terms,
                towers={
                    source: tuple(Layer(**layers[source][k]) for k in sorted(layers[source]))
                    for source in dict.fromkeys(term.source for term in terms)
                },
                baseline=arrays["baseline"],
                products=description["products"],
                reads_features=description.get("reads_features", False),
            )
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise InputError(f"The model cannot be read: {error!r} is missing or wrong.") from error

    def to_bytes(self) -> bytes:
        """The model as one safetensors file."""
        metadata = {"smurf": json.dumps(self.description(), ensure_ascii=False)}
        return save({n: np.ascontiguousarray(a) for n, a in self.arrays().items()}, metadata)

    def save(self, path: Path | str) -> None:
        """Write the model to one safetensors file, which `load` reads without anything else."""
        Path(path).write_bytes(self.to_bytes())

    @classmethod
    def load(cls, path: Path | str) -> FittedModel:
        """The model that `save` wrote. Nothing in the file is executed.

        Raises
        ------
        InputError
            If the file is not there, is no safetensors file, or holds something else.
        """
        try:
            with safe_open(str(path), framework="numpy") as file:
                metadata = file.metadata() or {}
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            description = json.loads(metadata["smurf"])
        except FileNotFoundError:
            raise InputError(f"There is no file {path}.") from None
        except (SafetensorError, OSError, KeyError, ValueError) as error:
            raise InputError(
                f"{path} is no model of SMURF Studio ({type(error).__name__}): give a file that "
                "`FittedModel.save` or `smurf report` wrote."
            ) from error
        return cls.from_parts(description, arrays)


def sources_of(terms: Iterable[Term]) -> tuple[Source, ...]:
    """Everybody who makes a contribution, in the order of the terms."""
    return tuple(dict.fromkeys(term.source for term in terms))


def _is_there(values: npt.NDArray[np.floating]) -> npt.NDArray[np.bool_]:
    """False for samples of which every feature is missing, [n]."""
    return np.asarray(~np.isnan(values).all(axis=1), dtype=bool)


def _all_there(present: Mapping[str, npt.NDArray[np.bool_]], source: Source) -> Any:
    """True for samples that have all modalities of a source, [n]."""
    return np.stack([present[name] for name in source]).all(axis=0)


def _linear(layer: Layer, activation: FloatArray) -> npt.NDArray[Any]:
    return activation @ layer.weight.T + layer.bias


def _outer(a: FloatArray, b: FloatArray) -> FloatArray:
    return np.asarray((a[:, :, None] * b[:, None, :]).reshape(len(a), -1))
