"""What comes out of a training run: plain arrays and tables. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.configuration import Configuration, RunConfig, layers_label
from smurf_core.contributions import Contributions
from smurf_core.data.dataset import Folds, MultimodalDataset, NewSamples, Task
from smurf_core.errors import InputError
from smurf_core.fitted import FittedModel
from smurf_core.predictions import Predictions, predict_new
from smurf_core.refits import Refits
from smurf_core.sample_choice import SampleChoice, chosen_positions


@dataclass(frozen=True)
class FittedMember:
    """One trained model of one fold, how it was trained, and what it says of every sample."""

    configuration: Configuration
    restart: int
    best_epoch: int
    validation_objective: float  # task loss + λ · auxiliary terms, of the best epoch
    validation_metric: float  # Pearson's r, or accuracy, of the best epoch
    model: FittedModel
    # Contributions to every sample of the data set, [n, t, c]: `model.contributions` of them.
    values: npt.NDArray[np.float32]

    def solved_setting(self) -> str:
        """Of a kind that is solved: what its contributions read, the ridge that was chosen, and λ.

        The learning rate is that of the late-fusion towers, if it reads any.
        """
        chosen, read = self.configuration, "features alone"
        if chosen.hidden_layers:
            read = f"towers {layers_label(chosen.hidden_layers)}, lr {chosen.learning_rate:g}"
        elif self.model.reads_features:
            # A modality without functions has a unit that never fires.
            towers = self.model.towers
            bent = [name for name in self.model.modalities if towers[name,][0].weight.any()]
            read = f"features, bent functions of {' and '.join(bent)}"
        return f"{read}, ridge {chosen.weight_decay:g}, λ {chosen.auxiliary_weight:g}"


@dataclass(frozen=True)
class FoldResult:
    """One fold: every configuration that was tried, and the restarts of the chosen one."""

    fold: int
    # One row per configuration: learning_rate, hidden_layers (as "20-10"), weight_decay,
    # auxiliary_weight, best_epoch, epochs, validation_objective, validation_metric,
    # auxiliary_loss (on the validation samples, λ left out), factorisation_loss, is_chosen.
    candidates: pd.DataFrame
    # Chosen member, one row per epoch: epoch, training_objective, validation_objective.
    curves: pd.DataFrame
    members: tuple[FittedMember, ...]  # restarts of the chosen configuration
    chosen: int  # position in `members` of the lowest validation objective

    @property
    def member(self) -> FittedMember:
        """The restart that is used: the one with the lowest validation objective."""
        return self.members[self.chosen]

    @property
    def model(self) -> FittedModel:
        """The model of the restart that is used."""
        return self.member.model


@dataclass(frozen=True)
class RunResult:
    """All that a run found, fold by fold, for one model kind."""

    config: RunConfig
    task: Task
    modalities: tuple[str, ...]
    outputs: tuple[str, ...]
    sample_ids: npt.NDArray[np.str_]  # [n], the data set's own order
    folds: Folds
    fold_results: tuple[FoldResult, ...]
    data_fingerprint: str
    device: str
    versions: Mapping[str, str]
    seconds: float
    # Of the exclusive kind: the sets that were offered (`smurf_core.exclusive.training`), and how
    # far models of other persons would agree.
    sharing: pd.DataFrame | None = None
    refits: Refits | None = None

    def select(self, chosen: SampleChoice) -> RunResult:
        """The same models, tested on some samples alone: metrics of a slice, fold by fold.

        `chosen` is a mask, positions, or sample ids, of all samples of the run. Training and
        validation samples stay. Folds that test none of the chosen samples are left out.
        """
        is_chosen = np.zeros(len(self.sample_ids), dtype=np.bool_)
        is_chosen[chosen_positions(chosen, self.sample_ids)] = True
        test = self.folds.test & is_chosen
        there = test.any(axis=1)
        if not there.any():
            raise InputError("No fold tested any of these samples: choose others.")
        return replace(
            self,
            folds=Folds(self.folds.training[there], self.folds.validation[there], test[there]),
            fold_results=tuple(self.fold_results[fold] for fold in np.flatnonzero(there)),
        )

    def fold_contributions(self, fold: int, restart: int | None = None) -> Contributions:
        """All samples explained by one fold's model, training samples included.

        `restart` is a position in the fold's `members`; the chosen one where it is not given.
        """
        result = self.fold_results[fold]
        member = result.member if restart is None else result.members[restart]
        n = len(self.sample_ids)
        return Contributions(
            values=member.values,
            terms=member.model.terms,
            baseline=np.broadcast_to(member.model.baseline, (n, len(self.outputs))),
            modalities=self.modalities,
            outputs=self.outputs,
            sample_ids=self.sample_ids,
            folds=np.full(n, fold, dtype=np.int64),
        )

    def contributions(self) -> Contributions:
        """Out-of-fold contributions of every tested sample, in the data set's order.

        A sample that several folds test (an official test set, or the authors' synthetic data,
        whose partitions are all the same samples) is explained by the first of them.
        """
        tested_by = self.folds.tested_by()
        position = np.flatnonzero(tested_by >= 0)
        by = tested_by[position]
        members = [result.member for result in self.fold_results]
        values = np.empty((len(position), *members[0].values.shape[1:]), dtype=np.float32)
        for fold, member in enumerate(members):
            values[by == fold] = member.values[position[by == fold]]
        return Contributions(
            values=values,
            terms=members[0].model.terms,
            baseline=np.stack([m.model.baseline for m in members])[by],
            modalities=self.modalities,
            outputs=self.outputs,
            sample_ids=self.sample_ids[position],
            folds=by,
        )

    def predict(
        self, data: MultimodalDataset | NewSamples, *, fold: int | None = None
    ) -> Predictions:
        """Predict and explain samples that the run has not seen; no target is needed.

        Parameters
        ----------
        data
            Features by modality. They are matched by their names, in any order: a feature that is
            missing is set to the training samples' mean, a modality that is missing is absent.
        fold
            Ask this fold's model alone, from 0. Otherwise the prediction is the mean over all
            folds' models, and their spread is reported.

        Returns
        -------
        Predictions
            Contributions with their spread over the models, and for every sample which modalities
            are absent, which features are missing, and which lie outside the training range.

        Raises
        ------
        InputError
            If none of the run's features is there, or persons are needed and not known.
        """
        chosen = self.fold_results if fold is None else (self.fold_results[fold],)
        return predict_new(tuple(result.model for result in chosen), data, fold=fold)
