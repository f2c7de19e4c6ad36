"""From a data set and a configuration to a run's result: folds, grid, selection, restarts.

Work falls into independent units that go through joblib: first every fold × layer setting of the
grid (all learning rates, decays and λ of it are one stack), then, for each fold, the restarts of
the configuration that its validation samples chose. Every unit computes on one thread, so that
its numbers do not depend on how many run beside it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from smurf_core.configuration import RunConfig, layers_label
from smurf_core.data.dataset import Folds, MultimodalDataset
from smurf_core.fitted import FittedModel, Layer, Tower
from smurf_core.models.architecture import Architecture
from smurf_core.models.towers import StackedWeights
from smurf_core.precision import compact
from smurf_core.principal_components import reducing_basis
from smurf_core.results import FittedMember, FoldResult
from smurf_core.scaling import Inputs, Scaler, fit_scaler, standardised_target
from smurf_core.statistics.correlation import pearson_by_row
from smurf_core.terms import Source, pairwise_terms
from smurf_core.training.devices import resolve_device
from smurf_core.training.objective import Partition, evaluate, evaluate_factorisation
from smurf_core.training.observing import Observer, Progress, ResultCache, TrainingCancelled
from smurf_core.training.selection import accuracy_by_row, choose, influence_by_row
from smurf_core.training.sizing import stack_size, stacks
from smurf_core.training.stack import (
    EpochReport,
    Member,
    StackOutcome,
    train_stack,
)
from smurf_core.training.workers import ONE_THREAD, Workers


def _seed(*parts: int) -> int:
    """One 63-bit seed from several numbers, the same everywhere."""
    state = np.random.SeedSequence(parts).generate_state(2, dtype=np.uint32)
    return (int(state[0]) << 31) ^ int(state[1])


@dataclass(frozen=True)
class _Fold:
    """One fold's standardised data on the training device."""

    index: int
    scaler: Scaler
    inputs: Mapping[str, np.ndarray]  # standardised features of all samples, [n, d] a modality
    bases: Mapping[str, np.ndarray]  # [d, r] of each modality that is trained on its components
    training: Partition
    validation: Partition


@dataclass(frozen=True)
class Plan:
    """The units of one run. Picklable: worker processes get a copy."""

    dataset: MultimodalDataset
    config: RunConfig
    folds: Folds
    observer: Observer | None

    @cached_property
    def device(self) -> str:
        return resolve_device(self.config.device)

    @property
    def units(self) -> int:
        return len(self.folds) * (len(self.config.grid.hidden_layers) + 1)

    def run(self, workers: Workers, cache: ResultCache | None) -> list[FoldResult]:
        """All folds' results; what the cache holds is not trained again."""
        finished = [cache.load_fold(f) if cache else None for f in range(len(self.folds))]
        open_folds = [f for f, result in enumerate(finished) if result is None]
        keys = [(f, layers) for f in open_folds for layers in self.config.grid.hidden_layers]
        tables: dict[tuple[int, tuple[int, ...]], pd.DataFrame] = {}
        for key in keys:
            known = cache.load_unit(_unit_key(*key)) if cache else None
            if known is not None:
                tables[key] = known
        missing = [key for key in keys if key not in tables]
        first = self.units - len(missing) - len(open_folds)
        searches = [(fold, layers, first + i) for i, (fold, layers) in enumerate(missing)]
        for key, table in zip(missing, workers.each(self, "search", searches), strict=True):
            tables[key] = table
            if cache:
                cache.save_unit(_unit_key(*key), table)
        finals = [
            (
                fold,
                pd.concat(
                    [tables[fold, layers] for layers in self.config.grid.hidden_layers],
                    ignore_index=True,
                ),
                self.units - len(open_folds) + i,
            )
            for i, fold in enumerate(open_folds)
        ]
        for result in workers.each(self, "finish", finals):
            finished[result.fold] = result
            if cache:
                cache.save_fold(result)
        return [result for result in finished if result is not None]

    def search(self, fold: int, hidden_layers: tuple[int, ...], unit: int) -> pd.DataFrame:
        """Train every configuration of one layer setting once; their validation results."""
        config = self.config
        points = [
            c for c in config.grid.configurations(config.model) if c.hidden_layers == hidden_layers
        ]
        seed = _seed(config.seed, fold, 0, *hidden_layers)
        with threadpool_limits(ONE_THREAD):
            architecture = self._architecture(hidden_layers)
            data = self._prepare(fold, architecture)
            size = stack_size(architecture, config.batch_size)
            parts: list[pd.DataFrame] = []
            for rows in stacks(len(points), size, is_mixed=config.search == "halving"):
                members = [Member(points[row], seed) for row in rows]
                done = sum(len(part) for part in parts)
                report = self._reporter(
                    data, architecture, f"search {layers_label(hidden_layers)}", unit,
                    before=done / len(points), share=len(members) / len(points),
                )  # fmt: skip
                outcome = self._train(data, architecture, members, report, config.halve_from)
                parts.append(self._candidates(data, architecture, members, outcome).set_axis(rows))
        return pd.concat(parts).sort_index()

    def finish(self, fold: int, candidates: pd.DataFrame, unit: int) -> FoldResult:
        """Choose a fold's configuration and train its restarts; the best objective is used."""
        config = self.config
        points = config.grid.configurations(config.model)
        # The candidates' rows stand layer setting by layer setting.
        points = tuple(p for h in config.grid.hidden_layers for p in points if p.hidden_layers == h)
        with threadpool_limits(ONE_THREAD):
            row = choose(candidates, config.selection, config.model)
            point = points[row]
            members = [
                Member(point, _seed(config.seed, fold, restart, *point.hidden_layers), restart)
                for restart in range(config.restarts)
            ]
            architecture = self._architecture(point.hidden_layers)
            data = self._prepare(fold, architecture)
            report = self._reporter(data, architecture, "restarts", unit)
            outcome = self._train(data, architecture, members, report)
            table = self._candidates(data, architecture, members, outcome)
            fitted = tuple(
                self._fitted(data, architecture, member, k, outcome, table)
                for k, member in enumerate(members)
            )
        chosen = int(np.argmin([member.validation_objective for member in fitted]))
        return FoldResult(
            fold=fold,
            candidates=candidates.drop(columns="influence").assign(
                is_chosen=np.arange(len(candidates)) == row
            ),
            curves=_curves(outcome, chosen),
            members=fitted,
            chosen=chosen,
        )

    def _architecture(self, hidden_layers: tuple[int, ...]) -> Architecture:
        widths = (f.values.shape[1] for f in self.dataset.features.values())
        most = self.config.components
        inputs = tuple(width if most is None else min(width, most) for width in widths)
        return Architecture.of(self.config.model, inputs, hidden_layers, len(self.dataset.outputs))

    def _prepare(self, fold: int, architecture: Architecture) -> _Fold:
        config, training = self.config, self.folds.training[fold]
        how, target_too = config.standardisation, config.standardises_target
        scaler = fit_scaler(self.dataset, training, how, target_too=target_too, clip=config.clip)
        inputs = Inputs(self.dataset, scaler, how)
        masks = (training, self.folds.validation[fold])
        # One modality at a time, and only the samples of a role: a large study is not held twice.
        by_modality: list[list[Tensor]] = [[], []]
        present, bases = self.dataset.present, {}
        for i, (name, x) in enumerate(inputs.items()):
            if config.components is not None and x.shape[1] > config.components:
                rows = np.flatnonzero(training & present[:, i])
                bases[name] = reducing_basis(x, rows, config.components)
            for own, mask in zip(by_modality, masks, strict=True):
                read = x[mask] @ bases[name] if name in bases else x[mask]
                own.append(torch.as_tensor(np.ascontiguousarray(read.T), device=self.device))
        target = standardised_target(self.dataset, scaler)

        def role(own: list[Tensor], mask: np.ndarray) -> Partition:
            there = torch.tensor(present[mask].T.copy(), device=self.device)
            return Partition(
                inputs=architecture.tower_inputs(own),
                target=torch.tensor(target[mask], device=self.device),
                present=None if present.all() else architecture.order_presence(there),
            )

        validation = role(by_modality.pop(), masks[1])
        return _Fold(
            index=fold,
            scaler=scaler,
            inputs=inputs,
            bases=bases,
            training=role(by_modality.pop(), training),
            validation=validation,
        )

    def _train(
        self,
        data: _Fold,
        architecture: Architecture,
        members: Sequence[Member],
        on_epoch: Callable[[EpochReport], None] | None,
        halve_from: int | None = None,
    ) -> StackOutcome:
        config = self.config
        return train_stack(
            config.model,
            architecture,
            members,
            training=data.training,
            validation=data.validation,
            max_epochs=config.max_epochs,
            patience=config.patience,
            batch_size=config.batch_size,
            batch_seed=_seed(config.seed, data.index),
            output_scale=config.output_scale,
            halve_from=halve_from,
            on_epoch=on_epoch,
        )

    def _candidates(
        self,
        data: _Fold,
        architecture: Architecture,
        members: Sequence[Member],
        outcome: StackOutcome,
    ) -> pd.DataFrame:
        """One row per member: what it was, and its best epoch's validation results."""
        auxiliary, metric, logits = self._validate(data.validation, outcome.weights)
        influence = influence_by_row(logits, data.validation.target.cpu().numpy())
        factorisation = evaluate_factorisation(self.config.model, outcome.weights, data.validation)
        points = [member.configuration for member in members]
        return pd.DataFrame(
            {
                "learning_rate": [p.learning_rate for p in points],
                "hidden_layers": [layers_label(p.hidden_layers) for p in points],
                "weight_decay": [p.weight_decay for p in points],
                "auxiliary_weight": [p.auxiliary_weight for p in points],
                "best_epoch": outcome.best_epoch,
                "epochs": outcome.epochs,
                "validation_objective": outcome.best_objective.astype(np.float64),
                "validation_metric": np.where(outcome.best_epoch > 0, metric, np.nan),
                "auxiliary_loss": auxiliary,
                "factorisation_loss": factorisation.double().cpu().numpy(),
                "influence": list(influence),
            }
        )

    def _validate(
        self, partition: Partition, weights: StackedWeights
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Auxiliary loss (λ left out) and metric of every member, [k], and outputs [k, c, n]."""
        no_weight = partition.inputs[0].new_zeros(weights.k)
        found = evaluate(self.config.model, weights, partition, no_weight)
        logits = found.prediction.cpu().numpy()  # [k, c, n]
        target = partition.target.cpu().numpy()
        auxiliary = found.auxiliary.double().cpu().numpy()
        if self.dataset.task == "classification":
            return auxiliary, accuracy_by_row(logits, target), logits
        return auxiliary, pearson_by_row(logits[:, 0], target), logits

    def _fitted(
        self,
        data: _Fold,
        architecture: Architecture,
        member: Member,
        k: int,
        outcome: StackOutcome,
        table: pd.DataFrame,
    ) -> FittedMember:
        model = FittedModel(
            kind=self.config.model,
            task=self.dataset.task,
            modalities=self.dataset.modalities,
            features={name: f.names for name, f in self.dataset.features.items()},
            outputs=self.dataset.outputs,
            standardisation=self.config.standardisation,
            scaler=data.scaler,
            terms=pairwise_terms(
                self.dataset.modalities,
                orders=len(architecture.orders),
                redundant=self.config.kind.has_redundant_heads,
            ),
            towers=_towers(
                self.dataset.modalities, architecture, outcome.parameters, k, data.bases
            ),
            baseline=compact(
                np.full(architecture.outputs, data.scaler.target_mean), data.scaler.target_sd
            ),
            products=architecture.products,
        )
        training = self.folds.training[data.index]
        model = model.centred(
            data.inputs,
            {name: training & f.present for name, f in self.dataset.features.items()},
        )
        explained = model.contributions(
            {name: f.values for name, f in self.dataset.features.items()},
            persons=self.dataset.persons,
        )
        return FittedMember(
            configuration=member.configuration,
            restart=member.restart,
            best_epoch=int(table["best_epoch"].iloc[k]),
            validation_objective=float(table["validation_objective"].iloc[k]),
            validation_metric=float(table["validation_metric"].iloc[k]),
            model=model,
            values=explained.values,
        )

    def _reporter(
        self,
        data: _Fold,
        architecture: Architecture,
        title: str,
        unit: int,
        *,
        before: float = 0.0,
        share: float = 1.0,
    ) -> Callable[[EpochReport], None] | None:
        """A callback for the observer; `before` and `share` place a stack in its unit."""
        observer = self.observer
        if observer is None:
            return None
        if observer.should_stop():
            raise TrainingCancelled

        def report(epoch: EpochReport) -> None:
            if observer.should_stop():
                raise TrainingCancelled
            finished = 1 - epoch.running / epoch.members
            done = before + share * max(epoch.epoch / self.config.max_epochs, finished)
            _, metric, _ = self._validate(data.validation, epoch.weights)
            observer.report(
                Progress(
                    fold=data.index,
                    folds=len(self.folds),
                    unit=title,
                    epoch=epoch.epoch,
                    max_epochs=self.config.max_epochs,
                    done=done,
                    fraction=min(1.0, (unit + done) / self.units),
                    training_objective=epoch.training_objective,
                    validation_objective=epoch.validation_objective,
                    validation_metric=float(metric[0]),
                )
            )

        return report


def _unit_key(fold: int, hidden_layers: tuple[int, ...]) -> str:
    return f"fold{fold}-{layers_label(hidden_layers)}"


def _towers(
    modalities: Sequence[str], architecture: Architecture, parameters: Sequence[Tensor], k: int,
    bases: Mapping[str, np.ndarray],
) -> dict[Source, Tower]:  # fmt: skip
    """The networks of member k on the features, by the modalities that they read.

    First layers that were trained on components are multiplied by the components' weights.
    """
    towers: dict[Source, Tower] = {}
    numbers = (p[k].cpu().numpy().copy() for p in parameters)
    for subset, _, _, _ in architecture.layers():
        source = tuple(modalities[i] for i in subset)
        weights, bias = next(numbers), next(numbers)
        reads_features = source not in towers and not (architecture.products and len(subset) > 1)
        if bases and reads_features:
            ends = np.cumsum([architecture.modality_inputs[i] for i in subset])[:-1]
            parts = zip(source, np.split(weights, ends, axis=1), strict=True)
            weights = np.concatenate(
                [part @ bases[name].T if name in bases else part for name, part in parts], axis=1
            )
        towers[source] = (*towers.get(source, ()), Layer(weights, bias))
    return towers


def _curves(outcome: StackOutcome, k: int) -> pd.DataFrame:
    """Objectives of member k, one row per epoch that it trained."""
    epochs = int(outcome.epochs[k])
    return pd.DataFrame(
        {
            "epoch": np.arange(1, epochs + 1),
            "training_objective": outcome.training_curves[k, :epochs],
            "validation_objective": outcome.validation_curves[k, :epochs],
        }
    )
