"""Training of many members at once: one Python step advances every configuration and restart.

Members share architecture, batches and fold; each has its own initial weights, learning rate,
weight decay and λ, its own early stopping and its own best weights. A finished member leaves the
stack. A member trained here equals the same member trained alone, within rounding.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from smurf_core.configuration import Configuration
from smurf_core.model_kinds import MODEL_KINDS, ModelKind
from smurf_core.models.architecture import Architecture, Parameters, initial_parameters
from smurf_core.models.towers import Buffers, StackedWeights
from smurf_core.training.objective import Partition, differentiate, evaluate

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8  # Adam's usual constants
# Compacting copies the whole stack, so it waits until this share of the members is finished.
COMPACTION_SHARE = 0.125
SURVIVORS = 3  # members of each λ that halving leaves to train to their end


@dataclass(frozen=True)
class Member:
    """One model of a stack: a configuration and the seed of its initial weights."""

    configuration: Configuration
    seed: int
    restart: int = 0


@dataclass(frozen=True)
class EpochReport:
    """State after an epoch, of the running member with the lowest validation objective so far."""

    epoch: int
    running: int  # members still training
    members: int
    training_objective: float
    validation_objective: float
    weights: StackedWeights  # k = 1, that member's current weights


@dataclass(frozen=True)
class StackOutcome:
    """Every member's best weights and curves."""

    weights: StackedWeights  # of the epoch with the lowest validation objective
    best_epoch: np.ndarray  # int [k], counted from 1; 0 where no epoch had a finite objective
    best_objective: np.ndarray  # float [k]; infinite where no epoch had a finite objective
    epochs: np.ndarray  # int [k], trained
    training_curves: np.ndarray  # float32 [k, epochs], NaN after a member finished
    validation_curves: np.ndarray  # float32 [k, epochs]

    @property
    def parameters(self) -> Parameters:
        """The weights tower by tower, [k, ...] each."""
        return self.weights.parameters


def batch_bounds(n: int, batch_size: int) -> list[tuple[int, int]]:
    """Slices of at most `batch_size` samples whose sizes differ by one at most.

    A plain split would leave a last batch of any size, and a covariance over a handful of samples
    says nothing; equal batches are the smallest departure that avoids it.
    """
    count = -(-n // batch_size)
    edges = [n * i // count for i in range(count + 1)]
    return list(pairwise(edges))


class StackedAdam:
    """Adam with L2 weight decay over one flat buffer, with rates of each member's own."""

    def __init__(self, weights: StackedWeights, rates: Tensor, decays: Tensor) -> None:
        self.weights = weights
        flat = weights.flat
        self.gradients = StackedWeights(weights.architecture, weights.k, torch.zeros_like(flat))
        self.mean = torch.zeros_like(flat)
        self.square = torch.zeros_like(flat)
        self.update = torch.empty_like(flat)
        self.rates = weights.spread(rates)
        self.decays = weights.spread(decays) if bool(decays.any()) else None
        self.steps = torch.zeros((), device=flat.device)

    def step(self) -> None:
        """One update from what stands in `gradients`, which it uses up."""
        gradient = self.gradients.flat
        if self.decays is not None:
            gradient.addcmul_(self.decays, self.weights.flat)
        self.steps += 1
        # Torch's own kernel reads and writes everything once, where elementwise operations take
        # a dozen passes. It knows one learning rate, so it works on zeros with a rate of one, and
        # the members' rates come after.
        torch._fused_adam_(
            [self.update.zero_()], [gradient], [self.mean], [self.square], [], [self.steps],
            lr=1.0, beta1=BETA_1, beta2=BETA_2, weight_decay=0.0, eps=EPSILON,
            amsgrad=False, maximize=False,
        )  # fmt: skip
        self.weights.flat.addcmul_(self.rates, self.update)

    def keep(self, index: Tensor) -> "StackedAdam":
        """The optimiser of some of the members, their moments included."""
        k = len(index)
        zeros = torch.zeros(k, device=index.device)
        smaller = StackedAdam(self.weights.members(index), zeros, zeros)
        smaller.mean = self.weights.members(index, self.mean).flat
        smaller.square = self.weights.members(index, self.square).flat
        smaller.rates = self.weights.members(index, self.rates).flat
        if self.decays is not None:
            smaller.decays = self.weights.members(index, self.decays).flat
        smaller.steps = self.steps
        return smaller


@torch.inference_mode()
def train_stack(
    model: ModelKind,
    architecture: Architecture,
    members: Sequence[Member],
    *,
    training: Partition,
    validation: Partition,
    max_epochs: int,
    patience: int | None,
    batch_size: int,
    batch_seed: int,
    output_scale: float,
    halve_from: int | None = None,
    on_epoch: Callable[[EpochReport], None] | None = None,
    report_every: int = 20,
) -> StackOutcome:
    """Train all members with Adam and early stopping on the validation objective (section 4.5).

    The objective that stops a member includes its auxiliary terms, and the weights of its best
    epoch are kept, from the kind's first counted epoch on. Without `patience` every member trains
    all epochs, and its last weights are kept, as published for synthetic data. With `halve_from`,
    members are dropped at that epoch, or at the first that counts, and at every doubling of it
    (`_Progress.halve`). `on_epoch` is called every `report_every` epochs and may raise to stop
    training.
    """
    device = training.target.device
    k = len(members)
    auxiliary_weights = torch.tensor(
        [m.configuration.auxiliary_weight for m in members], device=device
    )
    optimiser = StackedAdam(
        _stacked_start(architecture, members, output_scale, device),
        torch.tensor([m.configuration.learning_rate for m in members], device=device),
        torch.tensor([m.configuration.weight_decay for m in members], device=device),
    )
    best = StackedWeights(architecture, k, optimiser.weights.flat.clone())
    traits = MODEL_KINDS[model]
    state = _Progress(k, traits.first_counted_epoch(max_epochs))
    weight_of = np.array([m.configuration.auxiliary_weight for m in members])
    buffers = Buffers(device)
    batches = _Batches(training, batch_size, batch_seed)

    for epoch in range(1, max_epochs + 1):
        total = torch.zeros(len(state.running), device=device)
        pull = auxiliary_weights * traits.share_of_weight(epoch)
        for batch in batches.epoch():
            loss = differentiate(
                model, optimiser.weights, optimiser.gradients, batch, pull, buffers
            )
            optimiser.step()
            total += loss * (len(batch) / len(training))
        now = evaluate(model, optimiser.weights, validation, auxiliary_weights, buffers).objective
        # The only wait for the device in an epoch.
        improved = state.note(epoch, torch.stack([total, now]).cpu().numpy(), patience)
        _store(best, optimiser.weights, state.running, improved)
        if halve_from and epoch == max(halve_from, state.first):
            state.halve(weight_of)
            halve_from = 2 * epoch
        if patience is not None or state.dropped.any():
            still = state.still_training(epoch, patience)
            if not still.any():
                break
            if (~still).sum() >= COMPACTION_SHARE * len(still):
                keep = torch.tensor(np.flatnonzero(still), device=device)
                optimiser = optimiser.keep(keep)
                auxiliary_weights = auxiliary_weights[keep]
                state.running = state.running[still]
        if on_epoch is not None and epoch % report_every == 0:
            on_epoch(_report(epoch, state, optimiser.weights))

    return StackOutcome(
        weights=best,
        best_epoch=state.best_epoch,
        best_objective=state.best_objective,
        epochs=state.epochs,
        training_curves=np.stack(state.training_curve, axis=1),
        validation_curves=np.stack(state.validation_curve, axis=1),
    )


class _Progress:
    """Curves, best epochs and who still trains. On the host, in NumPy: these are few numbers."""

    def __init__(self, k: int, first: int) -> None:
        self.first = first  # epoch whose weights may be kept; from there patience counts, too
        self.best_objective = np.full(k, np.inf, dtype=np.float32)
        self.best_epoch = np.zeros(k, dtype=np.int64)
        self.epochs = np.zeros(k, dtype=np.int64)
        self.training_curve: list[np.ndarray] = []
        self.validation_curve: list[np.ndarray] = []
        self.dropped = np.zeros(k, dtype=bool)
        self.running = np.arange(k)  # positions in the stack's members of the rows there are

    def note(self, epoch: int, objectives: np.ndarray, patience: int | None) -> np.ndarray:
        """Take down an epoch's training and validation objectives, `[2, running]`.

        Returns which rows have new best weights. A member that has stopped may still sit in the
        stack; nothing of it is taken down.
        """
        running = self.running
        active = self.still_training(epoch - 1, patience)
        now = objectives[1]
        better = np.isfinite(now) if patience is None else now < self.best_objective[running]
        improved = active & better & (epoch >= self.first)
        rows = running[improved]
        self.best_objective[rows] = now[improved]
        self.best_epoch[rows] = epoch
        self.epochs[running[active]] = epoch
        for curve, values in zip(
            (self.training_curve, self.validation_curve), objectives, strict=True
        ):
            everyone = np.full(len(self.epochs), np.nan, dtype=np.float32)
            everyone[running[active]] = values[active]
            curve.append(everyone)
        return np.asarray(improved)

    def still_training(self, epoch: int, patience: int | None) -> np.ndarray:
        """Which rows go on after an epoch: trained so far, not dropped, and with patience left."""
        rows = self.running
        active = (self.epochs[rows] == epoch) & ~self.dropped[rows]
        if patience is not None:
            active &= epoch - np.maximum(self.best_epoch[rows], self.first - 1) < patience
        return np.asarray(active)

    def halve(self, weight_of: np.ndarray) -> None:
        """Drop the worse half of the members that still train, but leave three of every λ.

        Successive halving (Jamieson and Talwalkar, 2016), by the lowest validation objective so
        far and among members of equal λ: objectives of different λ are not comparable, and a
        configuration is chosen among all of them in the end.
        """
        for weight in np.unique(weight_of[self.running]):
            rows = self.running[(weight_of[self.running] == weight) & ~self.dropped[self.running]]
            kept = max(SURVIVORS, -(-len(rows) // 2))
            order = np.argsort(self.best_objective[rows], kind="stable")
            self.dropped[rows[order[kept:]]] = True


class _Batches:
    """The batches of every epoch, in a new order each, the same for every member and stack."""

    def __init__(self, training: Partition, batch_size: int, seed: int) -> None:
        self.training = training
        self.bounds = batch_bounds(len(training), batch_size)
        self.generator = torch.Generator().manual_seed(seed)

    def epoch(self) -> list[Partition]:
        if len(self.bounds) == 1:
            return [self.training]  # order does not matter within a batch
        order = torch.randperm(len(self.training), generator=self.generator)
        shuffled = self.training.subset(order.to(self.training.target.device))
        return [shuffled.subset(slice(start, end)) for start, end in self.bounds]


def _stacked_start(
    architecture: Architecture,
    members: Sequence[Member],
    output_scale: float,
    device: torch.device,
) -> StackedWeights:
    """Initial weights of all members; equal seeds give equal weights."""
    starts = {
        seed: initial_parameters(architecture, seed, output_scale=output_scale)
        for seed in {member.seed for member in members}
    }
    per_member = [starts[member.seed] for member in members]
    return StackedWeights.of(
        architecture,
        [torch.cat(same_layer).to(device) for same_layer in zip(*per_member, strict=True)],
    )


def _store(
    best: StackedWeights, current: StackedWeights, running: np.ndarray, improved: np.ndarray
) -> None:
    """Copy the current weights of the improved rows to their members' place in `best`."""
    if improved.all() and len(running) == best.k:
        best.flat.copy_(current.flat)
    elif improved.any():
        rows = torch.tensor(np.flatnonzero(improved), device=best.flat.device)
        places = torch.tensor(running[improved], device=best.flat.device)
        for kept, now in zip(best.views, current.views, strict=True):
            kept.index_copy_(1, places, now.index_select(1, rows))


def _report(epoch: int, state: _Progress, weights: StackedWeights) -> EpochReport:
    best, now = state.best_objective[state.running], state.validation_curve[-1][state.running]
    objectives = best if np.isfinite(best).any() else np.nan_to_num(now, nan=np.inf)
    leader = int(objectives.argmin())
    position = state.running[leader]
    index = torch.tensor([leader], device=weights.flat.device)
    return EpochReport(
        epoch=epoch,
        running=len(state.running),
        members=len(state.epochs),
        training_objective=float(state.training_curve[-1][position]),
        validation_objective=float(objectives[leader]),
        weights=weights.members(index),
    )
