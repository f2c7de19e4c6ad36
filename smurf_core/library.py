"""The main steps of an analysis: read files, train, save and load a run, predict new samples."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smurf_core.configuration import RunConfig, suggested_clip, suggested_standardisation
from smurf_core.data.dataset import MultimodalDataset, NewSamples
from smurf_core.data.importing.assembly import assemble
from smurf_core.data.importing.guessing import guess_mapping
from smurf_core.data.importing.mapping import StudyMapping
from smurf_core.data.importing.new_samples import read_new_samples
from smurf_core.data.readers.folders import naming_unread
from smurf_core.data.readers.registry import find_sources, unread
from smurf_core.model_kinds import DEFAULT_MODEL
from smurf_core.results import RunResult
from smurf_core.runs.files import RunFiles

if TYPE_CHECKING:
    from smurf_core.training.observing import Observer


def read(*paths: Path | str, **roles: Any) -> MultimodalDataset:
    """Read files or folders with features and a target into one data set.

    Parameters
    ----------
    paths
        Files or folders: one table with all modalities, or one table per modality with the same
        sample ids, in any format that the app imports.
    roles
        Fields of `StudyMapping` whose guess is to be replaced: `target`, `person`, `id`, `fold`,
        `modalities={"audio": ("audio_*",)}` and so on.

    Returns
    -------
    Dataset

    Raises
    ------
    InputError
        If the files cannot be used. The message is one sentence that names file, column and row.

    Examples
    --------
    >>> import tempfile, pandas as pd
    >>> folder = Path(tempfile.mkdtemp())
    >>> pd.DataFrame({
    ...     "sample_id": list("abcdefghijkl"), "audio_1": [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8],
    ...     "video_1": [2, 7, 1, 8, 2, 8, 1, 8, 2, 8, 4, 5], "label": [0.1 * k for k in range(12)],
    ... }).to_csv(folder / "features.csv", index=False)
    >>> data = read(folder)
    >>> data.modalities, data.target_name
    (('audio', 'video'), 'label')
    """
    given = [Path(path) for path in paths]
    sources, left_out = find_sources(given), unread(given)
    known = StudyMapping.from_dict(roles) if roles else None
    with naming_unread(left_out):
        return assemble(sources, guess_mapping(sources, known), unread=left_out).dataset


def train(
    dataset: MultimodalDataset,
    config: RunConfig | None = None,
    *,
    jobs: int = 1,
    observer: Observer | None = None,
    **settings: Any,
) -> RunResult:
    """Train a model on each fold and explain each sample with a model not trained on it.

    Parameters
    ----------
    dataset
        If the data defines no folds, they are made (person-independent, stratified).
    config
        What to train. Default: the preset `quick` of the app's default model.
    jobs
        Number of processes that share the work; results do not depend on it.
    observer
        Receives progress, and may stop the training.
    settings
        Fields of `RunConfig` that differ, for example `model="smurf"`, `seed=1`; `preset` names
        another preset.

    Returns
    -------
    RunResult

    Raises
    ------
    InputError
        If the data cannot be trained on, or a setting is not one of its choices.

    Examples
    --------
    >>> import smurf_core as smurf
    >>> data = smurf.datasets.synthetic_additive(samples=80)
    >>> run = train(data, max_epochs=2, restarts=1)
    >>> run.contributions().values.shape
    (80, 9, 1)
    """
    from smurf_core.training.run import train_run

    if config is None:
        preset = settings.pop("preset", "quick")
        config = RunConfig.from_preset(preset, settings.pop("model", DEFAULT_MODEL))
        how = suggested_standardisation(preset, dataset.origin)
        how = settings.get("standardisation", how)
        clip = suggested_clip(preset, dataset.origin, standardisation=how)
        config = replace(config, standardisation=how, clip=clip)
    if settings:
        config = replace(config, **settings)
    return train_run(dataset, config, jobs=jobs, observer=observer)


def save_run(result: RunResult, folder: Path | str) -> None:
    """Save a run to a folder as JSON, Parquet and safetensors; `load_run` reads it."""
    RunFiles(Path(folder)).write_result(result)


def load_run(folder: Path | str) -> RunResult:
    """Load the run that `save_run` or the app wrote to a folder.

    Raises
    ------
    InputError
        If the folder contains no run, or the run cannot be read.
    """
    return RunFiles(Path(folder)).read_result()


def read_new(result: RunResult, *paths: Path | str, **roles: Any) -> NewSamples:
    """Read files of new samples, for `RunResult.predict`; no target is needed.

    Parameters
    ----------
    result
        The run that will predict them; it stores the names of the features that it needs.
    paths
        Files or folders like those of the study.
    roles
        `id` and `person`: the columns that name the sample and its person.

    Raises
    ------
    InputError
        If none of the features is in the files, a cell contains text, or ids repeat.
    """
    model = result.fold_results[0].model
    features = {name: model.features[name] for name in model.modalities}
    sources = find_sources([Path(path) for path in paths])
    return read_new_samples(sources, features, StudyMapping.from_dict(roles))


__all__ = ["load_run", "read", "read_new", "save_run", "train"]
