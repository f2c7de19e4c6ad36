"""SMURF for one configuration, as one would write it: by a plain loop, by skorch, by Lightning.

The plain loop is what the authors' released code does: one module per modality, losses by loops
over pairs, `torch.optim.Adam`, one configuration after another, the best weights kept.
"""

import copy
import logging
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.work import BATCH, BATCH_SEED, OUTPUT_SCALE, Size, on_device, simulated
from smurf_core.models.architecture import Architecture, initial_parameters
from smurf_core.training.stack import Member, batch_bounds


@dataclass(frozen=True)
class Work:
    """What every trainer gets: samples first, as `torch.nn` has them."""

    inputs: tuple[Tensor, ...]
    target: Tensor
    validation_inputs: tuple[Tensor, ...]
    validation_target: Tensor
    classes: int  # 1 for regression
    epochs: int
    batch_seed: int
    output_scale: float

    @classmethod
    def of(cls, size: Size, device: str = "cpu") -> "Work":
        """Simulated work of a size."""
        training, validation = (
            on_device(simulated(size, samples, seed), device)
            for seed, samples in enumerate((size.training, size.validation))
        )
        return cls(
            tuple(x.T.contiguous() for x in training.inputs), training.target,
            tuple(x.T.contiguous() for x in validation.inputs), validation.target,
            size.classes, size.epochs, BATCH_SEED, OUTPUT_SCALE,
        )  # fmt: skip


class Smurf(nn.Module):
    """One multi-layer perceptron a modality; one head for every modality."""

    def __init__(self, work: Work, member: Member) -> None:
        super().__init__()
        self.classes, self.modalities = work.classes, len(work.inputs)
        self.auxiliary_weight = member.configuration.auxiliary_weight
        widths = tuple(x.shape[1] for x in work.inputs)
        layers = member.configuration.hidden_layers
        self.towers = nn.ModuleList()
        for width in widths:
            sizes = (width, *layers, self.modalities * self.classes)
            modules: list[nn.Module] = []
            for i in range(len(sizes) - 1):
                modules += [nn.ReLU()] if i else []
                modules += [nn.Linear(sizes[i], sizes[i + 1])]
            self.towers.append(nn.Sequential(*modules))
        architecture = Architecture.of("smurf", widths, layers, work.classes)
        start = initial_parameters(architecture, member.seed, output_scale=work.output_scale)
        for own, given in zip(self.parameters(), start, strict=True):
            own.data.copy_(given[0])

    def forward(self, *inputs: Tensor) -> Tensor:
        """Contributions [n, m, m, c]."""
        outputs = [tower(x) for tower, x in zip(self.towers, inputs, strict=True)]
        n = len(outputs[0])
        return torch.stack([o.view(n, self.modalities, self.classes) for o in outputs], dim=1)

    def loss(self, values: Tensor, target: Tensor) -> Tensor:
        """Equation 4."""
        prediction = values.sum(dim=(1, 2))
        if self.classes == 1:
            task = nn.functional.mse_loss(prediction[:, 0], target)
        else:
            task = nn.functional.cross_entropy(prediction, target)
        uncorrelation = correlation = torch.zeros(())
        m = self.modalities
        for i in range(m):
            for j in range(m):
                if i != j:
                    term = covariance(values[:, i, i], values[:, i, j])
                    uncorrelation = uncorrelation + term.abs().mean()
                if i < j:
                    a, b = values[:, i, j], values[:, j, i]
                    term = covariance(a, a) * covariance(b, b) / 2 - covariance(a, b)
                    correlation = correlation + term.mean()
        auxiliary = (uncorrelation + 2 * correlation) / (m * m - m)
        return task + self.auxiliary_weight * auxiliary


def covariance(a: Tensor, b: Tensor) -> Tensor:
    """Sample covariance of the columns of `a` with the same columns of `b`."""
    return ((a - a.mean(dim=0)) * (b - b.mean(dim=0))).sum(dim=0) / (len(a) - 1)


def train_plainly(work: Work, members: Sequence[Member]) -> list[float]:
    """Best validation objective of every configuration, one after another."""
    found = []
    for member in members:
        network = Smurf(work, member).to(work.target.device)
        point = member.configuration
        optimiser = torch.optim.Adam(
            network.parameters(), lr=point.learning_rate, weight_decay=point.weight_decay
        )
        generator = torch.Generator().manual_seed(work.batch_seed)
        best = float("inf")
        bounds = batch_bounds(len(work.target), BATCH)
        for _ in range(work.epochs):
            network.train()
            order = torch.randperm(len(work.target), generator=generator).to(work.target.device)
            for start, end in bounds:
                rows = order[start:end] if len(bounds) > 1 else slice(None)
                optimiser.zero_grad()
                values = network(*(x[rows] for x in work.inputs))
                network.loss(values, work.target[rows]).backward()
                optimiser.step()
            network.eval()
            with torch.no_grad():
                values = network(*work.validation_inputs)
                objective = float(network.loss(values, work.validation_target))
            if objective < best:
                best, _weights = objective, copy.deepcopy(network.state_dict())
        found.append(best)
    return found


def train_with_skorch(work: Work, members: Sequence[Member], clock: Callable[[], float]) -> float:
    """Seconds that skorch takes; building the net is not counted."""
    from skorch import NeuralNet
    from skorch.dataset import Dataset
    from skorch.helper import predefined_split

    class Net(NeuralNet):
        def get_loss(
            self, y_pred: Tensor, y_true: Tensor, *args: object, **kwargs: object
        ) -> Tensor:
            return self.module_.loss(y_pred, y_true)  # type: ignore[no-any-return]

        def infer(self, x: Tensor, **_: object) -> Tensor:
            return self.module_(*x)  # type: ignore[no-any-return]

    validation = Dataset(
        tuple(x.numpy() for x in work.validation_inputs), work.validation_target.numpy()
    )
    features, target = tuple(x.numpy() for x in work.inputs), work.target.numpy()
    seconds = 0.0
    for member in members:
        net = Net(
            Smurf, module__work=work, module__member=member, criterion=nn.Identity,
            optimizer=torch.optim.Adam, lr=member.configuration.learning_rate,
            optimizer__weight_decay=member.configuration.weight_decay, batch_size=BATCH,
            max_epochs=work.epochs, iterator_train__shuffle=True, verbose=0,
            train_split=predefined_split(validation),
        )  # fmt: skip
        net.initialize()
        start = clock()
        net.partial_fit(features, target)
        seconds += clock() - start
    return seconds


def train_with_lightning(
    work: Work, members: Sequence[Member], clock: Callable[[], float]
) -> float:
    """Seconds that Lightning takes; building the trainer is not counted."""
    import lightning

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")

    class Module(lightning.LightningModule):
        def __init__(self, member: Member) -> None:
            super().__init__()
            self.network, self.point = Smurf(work, member), member.configuration

        def training_step(self, batch: list[Tensor], _: int) -> Tensor:
            return self.network.loss(self.network(*batch[:-1]), batch[-1])

        def validation_step(self, batch: list[Tensor], _: int) -> None:
            self.log("objective", self.network.loss(self.network(*batch[:-1]), batch[-1]))

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(
                self.parameters(), lr=self.point.learning_rate,
                weight_decay=self.point.weight_decay,
            )  # fmt: skip

    training = DataLoader(TensorDataset(*work.inputs, work.target), BATCH, shuffle=True)
    validation = DataLoader(
        TensorDataset(*work.validation_inputs, work.validation_target), len(work.validation_target)
    )
    seconds = 0.0
    for member in members:
        trainer = lightning.Trainer(
            accelerator="cpu", max_epochs=work.epochs, logger=False, enable_checkpointing=False,
            enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0,
            log_every_n_steps=10**6,
        )  # fmt: skip
        module = Module(member)
        start = clock()
        trainer.fit(module, training, validation)
        seconds += clock() - start
    return seconds
