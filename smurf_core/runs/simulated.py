"""The simulated affect study as a study of a workspace, and as files to try the import with."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from smurf_core.data.dataset import INFORMATIVENESS_LEVELS, MultimodalDataset
from smurf_core.data.media import suggested_media
from smurf_core.data.simulated import MODALITIES, SimulatedStudy, simulated_affect, write_clips
from smurf_core.errors import InputError
from smurf_core.runs.studies import add_study, find_study, set_media
from smurf_core.runs.workspace import Workspace

MAX_SAMPLES = 25_000


def add_simulated_study(
    workspace: Workspace, *, samples: int = 600, persons: int = 30, seed: int = 2024
) -> str:
    """A simulated study with its clips in the workspace, or the one that was made before; its id.

    The clips lie in the study's own folder and go with it.
    """
    provenance = {"simulated": {"samples": samples, "persons": persons, "seed": seed}}
    known = find_study(workspace, provenance)
    if known:
        return known
    dataset = _simulate(samples, persons, seed).dataset
    study = add_study(workspace, dataset, provenance=provenance)
    folder = workspace.study_folder(study) / "media"
    write_clips(dataset, folder)
    set_media(workspace, study, suggested_media(str(folder.resolve()), dataset.samples))
    return study


def write_simulated_files(
    folder: Path, *, samples: int = 600, persons: int = 30, seed: int = 2024
) -> list[Path]:
    """The same study as a researcher's files in a new folder, to try the import with.

    A table a modality, `labels.csv` (person, test fold, valence, transcript, start and end, and
    the ratings of those who saw some modalities: `valence_AT` for audio and text), every single
    rater's in `ratings.csv`, and the folder `clips`. Nothing that only the simulation knows is
    in them.
    """
    if folder.exists():
        raise InputError(f"{folder} exists: name a new folder for the simulated files.")
    study = _simulate(samples, persons, seed)
    try:
        folder.mkdir(parents=True)
        tables = {**_feature_tables(study.dataset), **_label_tables(study)}
        for name, table in tables.items():
            table.to_csv(folder / f"{name}.csv", index_label="sample_id")
        write_clips(study.dataset, folder / "clips")
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror}.") from error
    return sorted(folder.iterdir())


def _simulate(samples: int, persons: int, seed: int) -> SimulatedStudy:
    if samples > MAX_SAMPLES:
        raise InputError(f"At most {MAX_SAMPLES:,} utterances are simulated, got {samples:,}.")
    return simulated_affect(samples=samples, persons=persons, seed=seed)


def _feature_tables(dataset: MultimodalDataset) -> dict[str, pd.DataFrame]:
    """Features by modality; a sample whose recording failed has no row, as with real tools."""
    return {
        modality: pd.DataFrame(
            features.values, columns=list(features.names), index=dataset.samples.index
        )[features.present]
        for modality, features in dataset.features.items()
    }


def _label_tables(study: SimulatedStudy) -> dict[str, pd.DataFrame]:
    dataset = study.dataset
    index = dataset.samples.index
    labels = pd.DataFrame(
        {
            "person": dataset.groups,
            "test_fold": study.test_fold,
            dataset.target_name: dataset.target.round(3),
        },
        index=index,
    ).join(dataset.samples)
    names = {frozenset(shown): _initials(shown) for shown in dataset.judgments}
    for shown, rating in dataset.judgments.items():
        if len(shown) == len(dataset.modalities):
            continue  # A second opinion on the target; beside it a reader could take either.
        labels[f"{dataset.target_name}_{names[shown]}"] = rating.round(3)
    for modality, codes in dataset.informativeness.items():
        levels = pd.Series(codes, index=index).map(dict(enumerate(INFORMATIVENESS_LEVELS)))
        labels[f"informativeness_{modality}"] = levels
    single = pd.DataFrame(
        {
            f"{dataset.target_name}_{names[shown]}_rater{number}": rating
            for shown, ratings in study.ratings.items()
            for number, rating in enumerate(ratings, 1)
        },
        index=index,
    )
    return {"labels": labels, "ratings": single}


def _initials(shown: frozenset[str]) -> str:
    return "".join(modality[0].upper() for modality in MODALITIES if modality in shown)
