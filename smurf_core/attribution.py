"""Attribution of one contribution of a sample to the features of the modalities behind it.

Captum computes integrated gradients (Sundararajan et al., 2017) on the tower, which is rebuilt in
torch from a run's stored weights. The path starts at the training fold's mean features, so the
attributions add up to the contribution minus the contribution of these mean features.

Torch is imported in a separate process (`python -m smurf_core.attribution`), which answers each
line of JSON with another one. `AttributionProcess` communicates with it and does not import torch.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd

from smurf_core.data.dataset import MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.evaluation.feature_groups import feature_groups
from smurf_core.fitted import FittedModel, Tower
from smurf_core.results import RunResult
from smurf_core.runs.files import RunFiles
from smurf_core.runs.store import dataset_of_run, get_run
from smurf_core.runs.workspace import Workspace
from smurf_core.terms import Source, Term
from smurf_core.what_if import position_of

# Points on the path; rectifiers make the integrand piecewise constant, so the error falls as
# 1/steps.
STEPS = 300


@dataclass(frozen=True)
class Attributions:
    """One contribution of one sample, divided among the features of the modalities it comes from.

    `contribution` is the stored value, and `at_average` is the contribution of the training fold's
    mean features. `attributions` add up to the difference of the two, except for `gap`, the error
    of the integration.
    """

    term: Term
    output: str
    features: tuple[str, ...]
    groups: tuple[str, ...]
    values: tuple[float, ...]  # as recorded
    attributions: tuple[float, ...]
    contribution: float
    at_average: float

    @property
    def gap(self) -> float:
        """Contribution − at_average, minus the sum of the attributions."""
        return self.contribution - self.at_average - float(np.sum(self.attributions))

    def table(self) -> pd.DataFrame:
        """One row per feature, largest attribution first: group, feature, value, attribution."""
        table = pd.DataFrame(
            {
                "group": self.groups,
                "feature": self.features,
                "value": self.values,
                "attribution": self.attributions,
            }
        )
        order = np.argsort(-table["attribution"].abs().to_numpy(), kind="stable")
        return table.iloc[order].reset_index(drop=True)


def attribute(
    result: RunResult,
    dataset: MultimodalDataset,
    sample_id: str,
    term: Term,
    *,
    output: int = 0,
) -> Attributions:
    """Divide one contribution of a sample among the features that its source reads.

    For an interaction's contribution, features and groups are called `A: feature`. Imports torch
    and Captum.

    Parameters
    ----------
    result, dataset
        A run and its data.
    sample_id
        A sample that a fold tested.
    term
        Whose contribution, and with whom it is shared.
    output
        Position of the class; 0 for regression.

    Raises
    ------
    InputError
        If the run has no such contribution, or the sample lacks a modality of its source.
    """
    from captum.attr import IntegratedGradients

    found = result.contributions()
    row = np.flatnonzero(found.sample_ids == sample_id)
    if not len(row):
        raise InputError(f"Sample {sample_id!r} has no contributions in this run.")
    if term not in found.terms:
        _, source, other = term.names
        raise InputError(f"This run has no contribution of {source!r}, shared with {other!r}.")
    at = position_of(result, sample_id)
    for name in term.source:
        if not dataset.features[name].present[at]:
            raise InputError(
                f"{name!r} was not recorded for {sample_id!r} and contributes nothing."
            )
    fold = int(found.folds[row[0]])
    model = result.fold_results[fold].model
    contribution = float(found.of(term)[row[0], output])
    tower = _tower(model, term.source)
    own, average = _ends(result, dataset, fold, term.source, at)
    mine = [other for other in model.terms if other.source == term.source]
    head = mine.index(term) * len(result.outputs) + output
    scale = model.scaler.target_sd
    spread = IntegratedGradients(tower).attribute(own, average, target=head, n_steps=STEPS)
    difference = float(tower(*own)[0, head].detach() - tower(*average)[0, head].detach()) * scale
    several = len(term.source) > 1
    features, groups = [], []
    for name in term.source:
        its = dataset.features[name].names
        features += [f"{name}: {feature}" if several else feature for feature in its]
        groups += [f"{name}: {g}" if several else g for g in feature_groups(name, its)]
    return Attributions(
        term=term,
        output=result.outputs[output],
        features=tuple(features),
        groups=tuple(groups),
        values=tuple(float(v) for name in term.source for v in dataset.features[name].values[at]),
        attributions=tuple(float(v) * scale for part in spread for v in part[0]),
        contribution=contribution,
        at_average=contribution - difference,
    )


def _ends(
    result: RunResult, dataset: MultimodalDataset, fold: int, source: Source, at: int
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """End and start of the path, [1, d] per modality: a sample's features, and training means."""
    import torch

    everyone = result.fold_results[fold].model.inputs(
        {name: dataset.features[name].values for name in result.modalities},
        persons=dataset.persons,
    )
    own, average = [], []
    for name in source:
        own.append(torch.tensor(everyone[name][[at]], dtype=torch.float64))
        training = result.folds.training[fold] & dataset.features[name].present
        mean = everyone[name][training].mean(axis=0, keepdims=True, dtype=np.float64)
        average.append(torch.tensor(mean))
    return tuple(own), tuple(average)


class AttributionProcess:
    """A long-lived process that computes attributions; it starts with the first request.

    Safe to share between threads: one request at a time.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def attribute(
        self, run_id: str, sample_id: str, term: Term, *, output: int = 0
    ) -> Attributions:
        """Return the result of `attribute` from the process, or raise its `InputError`."""
        request = {
            "run_id": run_id,
            "sample_id": sample_id,
            "term": term.to_data(),
            "output": output,
        }
        with self._lock:
            answer = self._ask(request)
        if "error" in answer:
            raise InputError(answer["error"])
        for name in ("features", "groups", "values", "attributions"):
            answer[name] = tuple(answer[name])
        return Attributions(**answer | {"term": term})

    def close(self) -> None:
        """End the process; it also ends by itself when the server does."""
        with self._lock:
            if self._process is not None:
                self._pipes(self._process)[0].close()
                self._process.wait(10)
                self._pipes(self._process)[1].close()
                self._process = None

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(  # noqa: S603 — our own module, no shell
                [sys.executable, "-m", "smurf_core.attribution", str(self._workspace.root)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"},
            )
        to_process, from_process = self._pipes(self._process)
        try:
            to_process.write(json.dumps(request) + "\n")
            to_process.flush()
            line = from_process.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self._process = None
            raise InputError(
                "The process that computes attributions ended: see the server's log, and check "
                "that `pip install captum` was done."
            )
        answer: dict[str, Any] = json.loads(line)
        return answer

    @staticmethod
    def _pipes(process: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("The process was started without pipes.")
        return process.stdin, process.stdout


def serve(workspace: Workspace, requests: IO[str], answers: IO[str]) -> None:
    """Answer requests line by line until there are no more; the last run is kept in memory."""
    kept: tuple[str, RunResult, MultimodalDataset] | None = None
    for line in requests:
        request = json.loads(line)
        run_id = request.pop("run_id")
        try:
            if kept is None or kept[0] != run_id:
                info = get_run(workspace, run_id)
                result = RunFiles.of(workspace, run_id).read_result()
                kept = run_id, result, dataset_of_run(workspace, info)
            term = Term.from_data(request["term"])
            answer = asdict(attribute(kept[1], kept[2], **request | {"term": term}))
        except InputError as error:
            answer = {"error": str(error)}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _tower(model: FittedModel, source: Source) -> Any:
    """A source's network in torch, of one input per modality, in float64 (`FittedModel.raw`)."""
    import torch

    if not model.products or len(source) == 1:
        network = torch.nn.Sequential(*_layers(model.towers[source]))
        return lambda *inputs: network(torch.cat(inputs, dim=1))
    hidden = [torch.nn.Sequential(*_layers(model.towers[name,])[:-1]) for name in source]
    read_out = torch.nn.Sequential(*_layers(model.towers[source]))

    def of_products(*inputs: Any) -> Any:
        product = hidden[0](inputs[0])
        for network, own in zip(hidden[1:], inputs[1:], strict=True):
            product = (product[:, :, None] * network(own)[:, None, :]).flatten(1)
        return read_out(product)

    return of_products


def _layers(tower: Tower) -> list[Any]:
    """A network's linear layers with rectifiers between them."""
    import torch

    layers: list[torch.nn.Module] = []
    for layer in tower:
        units_out, units_in = layer.weight.shape
        linear = torch.nn.Linear(units_in, units_out, dtype=torch.float64)
        linear.load_state_dict(
            {"weight": torch.tensor(layer.weight), "bias": torch.tensor(layer.bias)}
        )
        layers += [linear, torch.nn.ReLU()]
    return layers[:-1]


if __name__ == "__main__":
    serve(Workspace(Path(sys.argv[1])), sys.stdin, sys.stdout)
