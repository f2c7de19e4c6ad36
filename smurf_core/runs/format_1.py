"""Reads runs of format 1: raw weights by the modalities' names, and contributions by order.

Format 1 kept a network's outputs with their offsets. The means that centring had subtracted were
not stored, so they are computed again, from the same data and in the same way as in training.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from safetensors.numpy import load_file

from smurf_core.codec import from_plain
from smurf_core.configuration import Configuration, RunConfig
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.fitted import FittedModel, Layer, Tower, sources_of
from smurf_core.results import FittedMember, FoldResult
from smurf_core.scaling import fit_scaler, standardise
from smurf_core.terms import Source, Term, modality_subsets, pairwise_terms

Arrays = Mapping[str, npt.NDArray[Any]]


def read_fold(
    folder: Path,
    fold: int,
    run: Mapping[str, Any],
    dataset: MultimodalDataset,
    training: npt.NDArray[np.bool_],
) -> FoldResult:
    """One fold of a run of format 1.

    Parameters
    ----------
    folder
        The run's folder.
    fold
        Its number, from 0.
    run
        The content of `result.json`.
    dataset
        The data that the run was trained on.
    training
        True for each sample that the fold was trained on, [n].

    Raises
    ------
    InputError
        If the data are not those of the run.
    """
    if dataset.fingerprint != run["data_fingerprint"]:
        raise InputError(
            f"The run in {folder} was trained on different data from those in its study now: train "
            "it "
            "again, or delete it."
        )
    start = folder / f"fold_{fold}"
    found = json.loads(start.with_suffix(".json").read_text(encoding="utf-8"))
    arrays = load_file(start.with_suffix(".safetensors"))
    config = RunConfig.from_dict(run["config"])
    return FoldResult(
        fold=fold,
        candidates=pd.read_parquet(start.with_suffix(".candidates.parquet")),
        curves=pd.read_parquet(start.with_suffix(".curves.parquet")),
        members=tuple(
            _member(config, description, below(arrays, f"member/{k}"), dataset, training)
            for k, description in enumerate(found["members"])
        ),
        chosen=found["chosen"],
    )


def configuration(data: Mapping[str, Any]) -> Configuration:
    """A point of the grid from plain data."""
    return from_plain(Configuration, data, "The configuration of a model")


def below(arrays: Arrays, prefix: str) -> dict[str, npt.NDArray[Any]]:
    """Arrays whose names start with a prefix and a slash, by the rest of their names."""
    start = f"{prefix}/"
    return {key.removeprefix(start): a for key, a in arrays.items() if key.startswith(start)}


def _member(
    config: RunConfig,
    description: Mapping[str, Any],
    arrays: Arrays,
    dataset: MultimodalDataset,
    training: npt.NDArray[np.bool_],
) -> FittedMember:
    scaler = fit_scaler(
        dataset, training, config.standardisation, target_too=config.standardises_target
    )
    terms = pairwise_terms(
        dataset.modalities,
        orders=len(dataset.modalities) if config.kind.has_interactions else 1,
        redundant=config.kind.has_redundant_heads,
    )
    model = FittedModel(
        kind=config.model,
        task=dataset.task,
        modalities=dataset.modalities,
        features={name: features.names for name, features in dataset.features.items()},
        outputs=dataset.outputs,
        standardisation=config.standardisation,
        scaler=scaler,
        terms=terms,
        towers={source: _tower(arrays, source) for source in sources_of(terms)},
        baseline=np.full(len(dataset.outputs), scaler.target_mean, dtype=np.float32),
        products=config.kind.multiplies_embeddings,
    )
    model = model.centred(
        standardise(dataset, scaler, config.standardisation),
        {name: training & features.present for name, features in dataset.features.items()},
    )
    return FittedMember(
        configuration=configuration(description["configuration"]),
        restart=description["restart"],
        best_epoch=description["best_epoch"],
        validation_objective=description["validation_objective"],
        validation_metric=description["validation_metric"],
        model=model,
        values=_values(arrays, terms, dataset.modalities),
    )


def _tower(arrays: Arrays, source: Source) -> Tower:
    """A network's layers; in format 1 it was named by its modalities, joined by plus signs."""
    start, end = f"weights/{'+'.join(source)}/", "/weight"
    numbers = sorted(
        int(name[len(start) : -len(end)])
        for name in arrays
        if name.startswith(start) and name.endswith(end)
    )
    return tuple(
        Layer(arrays[f"{start}{number}/weight"], arrays[f"{start}{number}/bias"])
        for number in numbers
    )


def _values(
    arrays: Arrays, terms: tuple[Term, ...], modalities: tuple[str, ...]
) -> npt.NDArray[np.float32]:
    """Contributions [n, t, c] from the arrays [n, s, s, c] of every order."""
    found = []
    for term in terms:
        by_order = arrays["values" if term.order == 1 else f"interactions/{term.order}"]
        sources = modality_subsets(modalities, term.order)
        partner = term.others[0] if term.others else term.source
        found.append(by_order[:, sources.index(term.source), sources.index(partner)])
    return np.stack(found, axis=1)
