"""Predicts files of new samples with a stored run and the roles of its study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from smurf_core.data.importing.mapping import StudyMapping
from smurf_core.data.importing.new_samples import aligned, read_new_samples
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError
from smurf_core.evaluation.outlying import new_sample_marks
from smurf_core.fold_label import fold_label
from smurf_core.people.guard import guarded
from smurf_core.predictions import Predictions
from smurf_core.runs.files import RunFiles
from smurf_core.runs.store import dataset_of_run, get_run
from smurf_core.runs.studies import provenance
from smurf_core.runs.workspace import Workspace


@guarded("viewer", "run")
def predict_files(
    workspace: Workspace, run_id: str, sources: Sequence[SourceFile], *, fold: int | None = None
) -> Predictions:
    """Predict the samples in files with a finished run; no target is needed.

    Parameters
    ----------
    workspace, run_id
        Where the run is.
    sources
        Files like those that the study was imported from. Features are found by name; ids and
        persons are in the same columns as in the study.
    fold
        Use only this fold's model, counted from 0. Default: the mean of all folds' models.

    Raises
    ------
    InputError
        If the run is not finished, has no such fold, or the files contain none of its features.
    """
    info = get_run(workspace, run_id)
    if info.status != "finished":
        raise InputError(f"Run {run_id} is {info.status}; only finished runs can predict.")
    result = RunFiles.of(workspace, run_id).read_result()
    if fold is not None and not 0 <= fold < len(result.fold_results):
        raise InputError(
            f"Run {run_id} has no fold {fold_label(fold)}; there are folds 1 to "
            f"{len(result.fold_results)}."
        )
    mapping = StudyMapping.from_dict(provenance(workspace, info.study_id).get("mapping", {}))
    model = result.fold_results[0].model
    needed = {name: model.features[name] for name in model.modalities}
    new = read_new_samples(sources, needed, mapping)
    found = result.predict(new, fold=fold)
    features, _ = aligned(new.features, needed)
    known = dataset_of_run(workspace, info)
    marks = new_sample_marks(result, known, features, persons=new.persons, fold=fold)
    return replace(found, marks=marks)
