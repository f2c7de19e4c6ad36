"""Makes the simulated affect study in a workspace, or as files for trying the import."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from smurf_core.data.dataset import INFORMATIVENESS_LEVELS, MultimodalDataset
from smurf_core.data.generated.simulated import MODALITIES, simulated_affect, write_clips
from smurf_core.data.importing.mapping import StudyMapping, write_mapping
from smurf_core.data.media import suggested_media
from smurf_core.errors import InputError
from smurf_core.runs.studies import add_study, find_study, set_media
from smurf_core.runs.workspace import Workspace

MAX_SAMPLES = 25_000


def add_simulated_study(
    workspace: Workspace, *, samples: int = 600, persons: int = 30, seed: int = 2024
) -> str:
    """Make a simulated study with clips in the workspace, unless it exists; return its id.

    The clips are in the study's folder and are deleted with it.
    """
    provenance = {"simulated": {"samples": samples, "persons": persons, "seed": seed}}
    known = find_study(workspace, provenance)
    if known:
        return known
    dataset = _simulate(samples, persons, seed)
    study = add_study(workspace, dataset, provenance=provenance)
    folder = workspace.study_folder(study) / "media"
    write_clips(dataset, folder)
    set_media(workspace, study, suggested_media(str(folder.resolve()), dataset.samples))
    return study


def write_simulated_files(
    folder: Path, *, samples: int = 600, persons: int = 30, seed: int = 2024
) -> list[Path]:
    """Write the same study as a researcher's files to a new folder, for trying the import.

    One table per modality, `labels.csv` (person, test fold, valence, transcript, start and end, and
    the ratings of those who saw some modalities: `valence_AT` for audio and text), the folder
    `clips`, `study.yaml` with all roles, and the ratings of each single rater in `raters`. The
    files do not contain what only the simulation knows.
    """
    if folder.exists():
        raise InputError(f"{folder} exists: name a new folder for the simulated files.")
    dataset = _simulate(samples, persons, seed)
    try:
        folder.mkdir(parents=True)
        (folder / "raters").mkdir()
        features, labels = _feature_tables(dataset), _label_table(dataset)
        for name, table in {**features, "labels": labels}.items():
            table.to_csv(folder / f"{name}.csv", index_label="sample_id")
        _rating_table(dataset).to_csv(folder / "raters" / "ratings.csv", index_label="sample_id")
        write_clips(dataset, folder / "clips")
        write_mapping(_mapping(dataset), folder / "study.yaml")
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror}.") from error
    return sorted(folder.iterdir())


def _simulate(samples: int, persons: int, seed: int) -> MultimodalDataset:
    if samples > MAX_SAMPLES:
        raise InputError(f"At most {MAX_SAMPLES:,} utterances are simulated, got {samples:,}.")
    return simulated_affect(samples=samples, persons=persons, seed=seed)


def _feature_tables(dataset: MultimodalDataset) -> dict[str, pd.DataFrame]:
    """Features by modality; samples with failed recordings have no row, as with real tools."""
    return {
        modality: pd.DataFrame(
            features.values, columns=list(features.names), index=dataset.samples.index
        )[features.present]
        for modality, features in dataset.features.items()
    }


def _label_table(dataset: MultimodalDataset) -> pd.DataFrame:
    index = dataset.samples.index
    labels = pd.DataFrame(
        {
            "person": dataset.persons,
            "test_fold": None if dataset.folds is None else dataset.folds.tested_by(),
            dataset.target_name: dataset.target.round(3),
        },
        index=index,
    ).join(dataset.samples)
    for column, shown in _partial(dataset).items():
        labels[column] = dataset.judgments[shown].round(3)
    for modality, codes in dataset.informativeness.items():
        levels = pd.Series(codes, index=index).map(dict(enumerate(INFORMATIVENESS_LEVELS)))
        labels[f"informativeness_{modality}"] = levels
    return labels


def _partial(dataset: MultimodalDataset) -> dict[str, frozenset[str]]:
    """Columns of ratings by people who saw some modalities → the modalities they saw.

    Ratings of all modalities are left out, because a reader could confuse them with the target.
    """
    return {
        f"{dataset.target_name}_{_initials(seen)}": seen
        for seen in dataset.judgments
        if len(seen) < len(dataset.modalities)
    }


def _rating_table(dataset: MultimodalDataset) -> pd.DataFrame:
    return pd.DataFrame(
        {
            f"{dataset.target_name}_{_initials(shown)}_rater{number}": rating
            for shown, ratings in dataset.ratings.items()
            for number, rating in enumerate(ratings, 1)
        },
        index=dataset.samples.index,
    )


def _mapping(dataset: MultimodalDataset) -> StudyMapping:
    return StudyMapping(
        name=f"{dataset.name}, from its files",
        task=dataset.task,
        files={**{f"{m}.csv": "modality" for m in dataset.modalities}, "labels.csv": "labels"},
        id="sample_id",
        target=dataset.target_name,
        person="person",
        fold="test_fold",
        transcript="transcript",
        media="media",
        start="start",
        end="end",
        media_folder="clips",
        modalities={m: (f"{m}.csv",) for m in dataset.modalities},
        judgments={
            column: tuple(m for m in dataset.modalities if m in shown)
            for column, shown in _partial(dataset).items()
        },
        informativeness={m: f"informativeness_{m}" for m in dataset.informativeness},
    )


def _initials(shown: frozenset[str]) -> str:
    return "".join(modality[0].upper() for modality in MODALITIES if modality in shown)
