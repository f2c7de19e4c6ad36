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

from smurf_core.data.dataset import MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.evaluation.feature_groups import feature_groups
from smurf_core.prediction import weight_name
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
    """One contribution of one sample, spread over the features of the modality that made it.

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

    `shared_with` equal to `modality` is the unique contribution. Imports torch and Captum.
    """
    import torch
    from captum.attr import IntegratedGradients

    found = result.contributions()
    row = np.flatnonzero(found.sample_ids == sample_id)
    if not len(row):
        raise InputError(f"Sample {sample_id!r} has no contributions in this run.")
    i, j = found.index(modality), found.index(shared_with)
    at = int(np.flatnonzero(dataset.sample_ids == sample_id)[0])
    features = dataset.features[modality]
    if not features.present[at]:
        raise InputError(
            f"{modality!r} was not recorded for {sample_id!r} and contributes nothing."
        )
    fold = int(found.folds[row[0]])
    fitted, how = result.fold_results[fold], result.config.standardisation
    person = None if dataset.groups is None else str(dataset.groups[at])
    own = model_inputs(result, dataset, fold, modality, features.values[[at]], person=person)
    training = result.folds.training[fold] & features.present
    average = standardise(dataset, fitted.scaler, how)[modality][training].mean(
        axis=0, keepdims=True, dtype=np.float64
    )
    tower = _tower(fitted.member.weights, modality)
    outputs = len(result.outputs)
    heads = tower[-1].out_features // outputs  # the last layer's
    if heads == 1 and i != j:
        raise InputError("Late fusion has no redundant contributions.")
    head = (j if heads > 1 else 0) * outputs + output
    scale = fitted.scaler.target_sd
    inputs = torch.tensor(own, dtype=torch.float64)
    baseline = torch.tensor(average)
    spread = IntegratedGradients(tower).attribute(inputs, baseline, target=head, n_steps=STEPS)
    with torch.no_grad():
        difference = float(tower(inputs)[0, head] - tower(baseline)[0, head]) * scale
    contribution = float(found.values[row[0], i, j, output])
    return Attributions(
        modality=modality,
        shared_with=shared_with,
        output=result.outputs[output],
        features=features.names,
        groups=feature_groups(modality, features.names),
        values=tuple(map(float, features.values[at])),
        attributions=tuple(map(float, spread[0].numpy() * scale)),
        contribution=contribution,
        at_average=contribution - difference,
    )


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


def _layer_count(weights: Weights, modality: str) -> int:
    return sum(name.startswith(f"{modality}/") and name.endswith("/weight") for name in weights)


def _tower(weights: Weights, modality: str) -> Any:
    """A modality's tower in torch: linear layers with rectifiers between them, in float64."""
    import torch

    layers: list[torch.nn.Module] = []
    for layer in range(_layer_count(weights, modality)):
        weight = weights[weight_name(modality, layer, "weight")]
        bias = weights[weight_name(modality, layer, "bias")]
        linear = torch.nn.Linear(weight.shape[1], weight.shape[0], dtype=torch.float64)
        linear.load_state_dict({"weight": torch.tensor(weight), "bias": torch.tensor(bias)})
        layers += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


if __name__ == "__main__":
    serve(Workspace(Path(sys.argv[1])), sys.stdin, sys.stdout)
