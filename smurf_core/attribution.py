"""Why a modality said what it said: its features' parts of one of its contributions.

Integrated gradients (Sundararajan et al., 2017) through Captum, on the tower rebuilt in torch from
a run's stored weights. The path starts at the training fold's mean features, so that the features'
attributions add up to the contribution less what the average sample's features would contribute.

Torch is imported by a process of its own (`python -m smurf_core.attribution`), which answers one
line of JSON with another: `AttributionProcess` talks to it, and itself imports no torch.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.configuration import has_redundant_heads, multiplies_embeddings
from smurf_core.contributions import modality_subsets, subset_name
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.evaluation.feature_groups import feature_groups
from smurf_core.prediction import layer_numbers, weight_name
from smurf_core.results import RunResult
from smurf_core.runs.files import RunFiles
from smurf_core.runs.store import get_run
from smurf_core.runs.studies import load_study
from smurf_core.runs.workspace import Workspace
from smurf_core.training.standardisation import standardise
from smurf_core.what_if import model_inputs

# Points on the path; rectifiers make the integrand piecewise constant, so error falls as 1/steps.
STEPS = 300
Weights = Mapping[str, npt.NDArray[np.float32]]


@dataclass(frozen=True)
class Attributions:
    """One contribution of one sample, spread over the features of the modalities that made it.

    `contribution` is the stored one and `at_average` what the training fold's mean features
    contribute; `attributions` add up to their difference but for `gap`, the integration's error.
    """

    modality: str
    shared_with: str
    output: str
    features: tuple[str, ...]
    groups: tuple[str, ...]
    values: tuple[float, ...]  # as recorded
    attributions: tuple[float, ...]
    contribution: float
    at_average: float

    @property
    def gap(self) -> float:
        """What the attributions lack of contribution − at_average."""
        return self.contribution - self.at_average - float(np.sum(self.attributions))

    def table(self) -> pd.DataFrame:
        """One row a feature, the largest attribution first: group, feature, value, attribution."""
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
    modality: str,
    shared_with: str,
    *,
    output: int = 0,
) -> Attributions:
    """Spread entry (modality, shared_with) of a sample's contributions over its features.

    `shared_with` equal to `modality` is the unique contribution. For MRO's interactions both are
    subsets by name (`A+B`), and features and groups are called `A: feature`. Imports torch and
    Captum.
    """
    from captum.attr import IntegratedGradients

    found = result.contributions()
    row = np.flatnonzero(found.sample_ids == sample_id)
    if not len(row):
        raise InputError(f"Sample {sample_id!r} has no contributions in this run.")
    terms = {(source, other): k for k, (_, source, other) in enumerate(found.term_names())}
    if (modality, shared_with) not in terms:
        raise InputError(
            f"This run has no contribution of {modality!r}, shared with {shared_with!r}."
        )
    if not has_redundant_heads(result.config.model) and modality != shared_with:
        raise InputError("Late fusion has no redundant contributions.")
    order = found.term_names()[terms[modality, shared_with]][0]
    by_name = {subset_name(s): s for s in modality_subsets(result.modalities, order)}
    subset = by_name[modality]
    at = int(np.flatnonzero(dataset.sample_ids == sample_id)[0])
    for name in subset:
        if not dataset.features[name].present[at]:
            raise InputError(
                f"{name!r} was not recorded for {sample_id!r} and contributes nothing."
            )
    fold = int(found.folds[row[0]])
    fitted = result.fold_results[fold]
    own_terms = found.select(row[:1]).terms()[0]
    contribution = float(own_terms[terms[modality, shared_with], output])
    tower = _tower(fitted.member.weights, subset, multiplies_embeddings(result.config.model))
    own, average = _ends(result, dataset, fold, subset, at)
    # Late fusion's towers have one head, the others' one for every subset of the order.
    at_head = list(by_name).index(shared_with) if has_redundant_heads(result.config.model) else 0
    head = at_head * len(result.outputs) + output
    scale = fitted.scaler.target_sd
    spread = IntegratedGradients(tower).attribute(own, average, target=head, n_steps=STEPS)
    difference = float(tower(*own)[0, head].detach() - tower(*average)[0, head].detach()) * scale
    several = len(subset) > 1
    features, groups = [], []
    for name in subset:
        its = dataset.features[name].names
        features += [f"{name}: {feature}" if several else feature for feature in its]
        groups += [f"{name}: {g}" if several else g for g in feature_groups(name, its)]
    return Attributions(
        modality=modality,
        shared_with=shared_with,
        output=result.outputs[output],
        features=tuple(features),
        groups=tuple(groups),
        values=tuple(float(v) for name in subset for v in dataset.features[name].values[at]),
        attributions=tuple(float(v) * scale for part in spread for v in part[0]),
        contribution=contribution,
        at_average=contribution - difference,
    )


def _ends(
    result: RunResult, dataset: MultimodalDataset, fold: int, subset: tuple[str, ...], at: int
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Where the path ends and where it starts: a sample's features and the training samples'
    means, [1, d] a modality, as the towers see them."""
    import torch

    scaler, how = result.fold_results[fold].scaler, result.config.standardisation
    person = None if dataset.groups is None else str(dataset.groups[at])
    everyone = standardise(dataset, scaler, how)
    own, average = [], []
    for name in subset:
        features = dataset.features[name]
        scaled = model_inputs(result, dataset, fold, name, features.values[[at]], person=person)
        own.append(torch.tensor(scaled, dtype=torch.float64))
        training = result.folds.training[fold] & features.present
        mean = everyone[name][training].mean(axis=0, keepdims=True, dtype=np.float64)
        average.append(torch.tensor(mean))
    return tuple(own), tuple(average)


class AttributionProcess:
    """A long-lived process that computes attributions; started when it is first asked.

    Safe to share between threads: one request at a time.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def attribute(
        self, run_id: str, sample_id: str, modality: str, shared_with: str, *, output: int = 0
    ) -> Attributions:
        """`attribute`, computed there. Raises its `InputError` here."""
        request = {
            "run_id": run_id,
            "sample_id": sample_id,
            "modality": modality,
            "shared_with": shared_with,
            "output": output,
        }
        with self._lock:
            answer = self._ask(request)
        if "error" in answer:
            raise InputError(answer["error"])
        for name in ("features", "groups", "values", "attributions"):
            answer[name] = tuple(answer[name])
        return Attributions(**answer)

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
                kept = run_id, result, load_study(workspace, info.study_id)
            answer = asdict(attribute(kept[1], kept[2], **request))
        except InputError as error:
            answer = {"error": str(error)}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _tower(weights: Weights, subset: tuple[str, ...], products: bool) -> Any:
    """A subset's tower in torch, of one input a modality, in float64 (`prediction.raw_outputs`)."""
    import torch

    name = subset_name(subset)
    if not products or len(subset) == 1:
        network = torch.nn.Sequential(*_layers(weights, name))
        return lambda *inputs: network(torch.cat(inputs, dim=1))
    hidden = [torch.nn.Sequential(*_layers(weights, i)[:-1]) for i in subset]
    read_out = torch.nn.Sequential(*_layers(weights, name))

    def of_products(*inputs: Any) -> Any:
        product = hidden[0](inputs[0])
        for network, own in zip(hidden[1:], inputs[1:], strict=True):
            product = (product[:, :, None] * network(own)[:, None, :]).flatten(1)
        return read_out(product)

    return of_products


def _layers(weights: Weights, name: str) -> list[Any]:
    """A tower's linear layers with rectifiers between them."""
    import torch

    layers: list[torch.nn.Module] = []
    for layer in layer_numbers(weights, name):
        weight = weights[weight_name(name, layer, "weight")]
        bias = weights[weight_name(name, layer, "bias")]
        linear = torch.nn.Linear(weight.shape[1], weight.shape[0], dtype=torch.float64)
        linear.load_state_dict({"weight": torch.tensor(weight), "bias": torch.tensor(bias)})
        layers += [linear, torch.nn.ReLU()]
    return layers[:-1]


if __name__ == "__main__":
    serve(Workspace(Path(sys.argv[1])), sys.stdin, sys.stdout)
