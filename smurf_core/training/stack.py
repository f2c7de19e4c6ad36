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

from smurf_core.configuration import Configuration, ModelKind
from smurf_core.models.architecture import Architecture, Parameters, initial_parameters
from smurf_core.training.objective import Partition, differentiate, evaluate

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8  # Adam's usual constants
# Compacting copies the whole stack, so it waits until this share of the members is finished.
COMPACTION_SHARE = 0.125


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
    parameters: Parameters  # k = 1, that member's current weights


@dataclass(frozen=True)
class StackOutcome:
    """Every member's best weights and curves."""

    parameters: Parameters  # [k, ...] of the epoch with the lowest validation objective
    best_epoch: np.ndarray  # int [k], counted from 1; 0 where no epoch had a finite objective
    best_objective: np.ndarray  # float [k]; infinite where no epoch had a finite objective
    epochs: np.ndarray  # int [k], trained
    training_curves: np.ndarray  # float32 [k, epochs], NaN after a member finished
    validation_curves: np.ndarray  # float32 [k, epochs]


def batch_bounds(n: int, batch_size: int) -> list[tuple[int, int]]:
    """Slices of at most `batch_size` samples whose sizes differ by one at most.

    A plain split would leave a last batch of any size, and a covariance over a handful of samples
    says nothing; equal batches are the smallest departure that avoids it.
    """
    count = -(-n // batch_size)
    edges = [n * i // count for i in range(count + 1)]
    return list(pairwise(edges))


class FlatAdam:
    """Adam with L2 weight decay over one flat buffer, with rates of each member's own."""

    def __init__(self, parameters: Parameters, rates: Tensor, decays: Tensor) -> None:
        self.shapes = [p.shape for p in parameters]
        self.flat = torch.cat([p.reshape(-1) for p in parameters])
        self.gradient = torch.zeros_like(self.flat)
        self.mean = torch.zeros_like(self.flat)
        self.square = torch.zeros_like(self.flat)
        self.scratch = torch.empty_like(self.flat)
        self.rates = self._spread(rates)
        self.decays = self._spread(decays) if bool(decays.any()) else None
        self.steps = 0
        self.parameters = self._views(self.flat)
        self.gradients = self._views(self.gradient)

    def _spread(self, per_member: Tensor) -> Tensor:
        """One value a member → one value a parameter, in the buffer's order."""
        return torch.cat([per_member.repeat_interleave(s[1:].numel()) for s in self.shapes])

    def _views(self, flat: Tensor) -> list[Tensor]:
        pieces = torch.split(flat, [shape.numel() for shape in self.shapes])
        return [piece.view(shape) for piece, shape in zip(pieces, self.shapes, strict=True)]

    def step(self) -> None:
        """One update from what stands in `gradients`, which it uses up."""
        self.steps += 1
        gradient = self.gradient
        if self.decays is not None:
            gradient.addcmul_(self.decays, self.flat)
        self.mean.lerp_(gradient, 1 - BETA_1)
        self.square.mul_(BETA_2).addcmul_(gradient, gradient, value=1 - BETA_2)
        root = torch.sqrt(self.square, out=self.scratch)
        correction = (1 - BETA_2**self.steps) ** 0.5
        root.div_(correction).add_(EPSILON)
        torch.div(self.mean, root, out=root)
        self.flat.addcmul_(self.rates, root, value=-1 / (1 - BETA_1**self.steps))

    def keep(self, index: Tensor) -> "FlatAdam":
        """The optimiser of some of the members, their moments included."""

        def kept(flat: Tensor) -> list[Tensor]:
            return [view[index] for view in self._views(flat)]

        zeros = torch.zeros(len(index), device=self.flat.device)
        smaller = FlatAdam(kept(self.flat), zeros, zeros)
        smaller.mean = torch.cat([p.reshape(-1) for p in kept(self.mean)])
        smaller.square = torch.cat([p.reshape(-1) for p in kept(self.square)])
        smaller.rates = torch.cat([p.reshape(-1) for p in kept(self.rates)])
        if self.decays is not None:
            smaller.decays = torch.cat([p.reshape(-1) for p in kept(self.decays)])
        smaller.steps = self.steps
        return smaller


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
    on_epoch: Callable[[EpochReport], None] | None = None,
    report_every: int = 20,
) -> StackOutcome:
    """Train all members with Adam and early stopping on the validation objective (section 4.5).

    The objective that stops a member includes its auxiliary terms, and the weights of its best
    epoch are kept. Without `patience` every member trains all epochs, and its last weights are
    kept, as published for synthetic data. `on_epoch` is called every `report_every` epochs and
    may raise to stop training.
    """
    device = training.target.device
    k = len(members)
    weights = torch.tensor([m.configuration.auxiliary_weight for m in members], device=device)
    optimiser = FlatAdam(
        _stacked_start(architecture, members, output_scale, device),
        torch.tensor([m.configuration.learning_rate for m in members], device=device),
        torch.tensor([m.configuration.weight_decay for m in members], device=device),
    )
    best = [p.clone() for p in optimiser.parameters]
    best_objective = torch.full((k,), torch.inf, device=device)
    best_epoch = torch.zeros(k, dtype=torch.int64, device=device)
    epochs = torch.zeros(k, dtype=torch.int64, device=device)
    training_curve: list[Tensor] = []
    validation_curve: list[Tensor] = []
    running = torch.arange(k, device=device)  # positions in `members` of the stack's rows
    batches = _Batches(training, batch_size, batch_seed)

    for epoch in range(1, max_epochs + 1):
        total = torch.zeros(len(running), device=device)
        for batch in batches.epoch():
            loss = differentiate(
                model, architecture, optimiser.parameters, batch, weights, optimiser.gradients
            )
            optimiser.step()
            total += loss * (len(batch) / len(training))
        now = evaluate(model, architecture, optimiser.parameters, validation, weights).objective
        active = epochs[running] == epoch - 1
        is_better = active & (now < best_objective[running])
        if patience is None:
            is_better = active & now.isfinite()
        _store(best, optimiser.parameters, running, is_better)
        rows = running[is_better]
        best_objective[rows] = now[is_better]
        best_epoch[rows] = epoch
        epochs[running[active]] = epoch
        training_curve.append(_scatter(total, running, active, k))
        validation_curve.append(_scatter(now, running, active, k))
        if patience is not None:
            still = active & (epoch - best_epoch[running] < patience)
            # A member that stopped but still sits in the stack is recognised by its epochs.
            stopped = active & ~still
            epochs[running[stopped]] = -epoch
            finished = len(running) - int(still.sum())
            if finished == len(running):
                break
            if finished >= COMPACTION_SHARE * len(running):
                keep = still.nonzero().squeeze(1)
                optimiser = optimiser.keep(keep)
                running, weights = running[keep], weights[keep]
        if on_epoch is not None and epoch % report_every == 0:
            on_epoch(_report(epoch, k, running, optimiser, training_curve[-1], best_objective))

    return StackOutcome(
        parameters=best,
        best_epoch=best_epoch.cpu().numpy(),
        best_objective=best_objective.cpu().numpy(),
        epochs=epochs.abs().cpu().numpy(),
        training_curves=torch.stack(training_curve, dim=1).cpu().numpy(),
        validation_curves=torch.stack(validation_curve, dim=1).cpu().numpy(),
    )


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
) -> Parameters:
    """Initial weights of all members; equal seeds give equal weights."""
    starts = {
        seed: initial_parameters(architecture, seed, output_scale=output_scale)
        for seed in {member.seed for member in members}
    }
    per_member = [starts[member.seed] for member in members]
    return [torch.cat(same_layer).to(device) for same_layer in zip(*per_member, strict=True)]


def _store(best: Parameters, current: Sequence[Tensor], running: Tensor, chosen: Tensor) -> None:
    """Copy the current weights of the chosen rows to their members' place in `best`."""
    rows = chosen.nonzero().squeeze(1)
    everyone = len(rows) == len(running) == best[0].shape[0]
    for kept, parameter in zip(best, current, strict=True):
        if everyone:
            kept.copy_(parameter)
        else:
            kept[running[rows]] = parameter[rows]


def _scatter(values: Tensor, running: Tensor, active: Tensor, k: int) -> Tensor:
    """One value a member of the whole stack, NaN for those that have finished."""
    everyone = torch.full((k,), torch.nan, device=values.device)
    everyone[running[active]] = values[active]
    return everyone


def _report(
    epoch: int,
    members: int,
    running: Tensor,
    optimiser: FlatAdam,
    training_objectives: Tensor,
    best_objective: Tensor,
) -> EpochReport:
    leader = int(best_objective[running].argmin())
    position = running[leader]
    return EpochReport(
        epoch=epoch,
        running=len(running),
        members=members,
        training_objective=float(training_objectives[position]),
        validation_objective=float(best_objective[position]),
        parameters=[p[leader : leader + 1] for p in optimiser.parameters],
    )
