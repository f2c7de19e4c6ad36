"""Cached access to what is on disk. Shared by all sessions, therefore read-only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from app.session import workspace
from smurf_core.attribution import AttributionProcess, Attributions
from smurf_core.contributions import Contributions
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.data.description import Description, describe
from smurf_core.evaluation.comparison import compare_models
from smurf_core.evaluation.informativeness import informativeness_tests
from smurf_core.evaluation.judgments import human_agreement
from smurf_core.evaluation.missing import missing_modalities, missing_summary
from smurf_core.evaluation.neighbours import (
    Similarity,
    similar_samples,
    standardised_terms,
)
from smurf_core.evaluation.performance import performance
from smurf_core.evaluation.redundancy import pair_table, variance_shares
from smurf_core.evaluation.samples import colour_columns, sample_table, with_contributions
from smurf_core.evaluation.stability import stability
from smurf_core.results import RunResult
from smurf_core.runs.exporting import prediction_table
from smurf_core.runs.files import RunFiles
from smurf_core.runs.slices import slice_samples
from smurf_core.runs.store import RunInfo
from smurf_core.runs.studies import load_study
from smurf_core.runs.workspace import Workspace
from smurf_core.what_if import feature_effects

# A finished run's files do not change; the stamp is there in case someone replaces them.
Stamp = tuple[int, int] | None


def dataset_of(study_id: str) -> MultimodalDataset:
    """A study's data set."""
    return _dataset(str(workspace().root), study_id)


def description_of(study_id: str) -> Description:
    """Tables about a study's data set."""
    return _description(str(workspace().root), study_id)


def result_of(run: RunInfo) -> RunResult:
    """A finished run's result."""
    return _result(str(workspace().root), run.id, _stamp(run))


def contributions_of(run: RunInfo) -> Contributions:
    """A finished run's out-of-fold contributions."""
    return _contributions(str(workspace().root), run.id, _stamp(run))


def performance_of(run: RunInfo) -> pd.DataFrame:
    """Means and standard deviations over folds of every metric."""
    return _performance(str(workspace().root), run.id, run.study_id, _stamp(run))


def shares_of(run: RunInfo) -> pd.DataFrame:
    """Every contribution's share of the prediction's variance."""
    return _shares(str(workspace().root), run.id, _stamp(run))


def pairs_of(run: RunInfo) -> pd.DataFrame:
    """What every pair of modalities shares."""
    return _pairs(str(workspace().root), run.id, _stamp(run))


def stability_of(run: RunInfo) -> pd.DataFrame:
    """How far every contribution agrees with itself over restarts and folds."""
    return _stability(str(workspace().root), run.id, _stamp(run))


def missing_of(run: RunInfo) -> pd.DataFrame:
    """Every metric for every subset of modalities, mean and spread over folds."""
    return _missing(str(workspace().root), run.id, run.study_id, _stamp(run))


def human_agreement_of(run: RunInfo, slice_id: str = "") -> pd.DataFrame:
    """Learned against human unique contributions, of all samples or of a slice's."""
    return _human_agreement(str(workspace().root), run.id, run.study_id, _stamp(run), slice_id)


def informativeness_of(run: RunInfo, slice_id: str = "") -> pd.DataFrame:
    """Unique contributions by how informative people called a modality, of all or of a slice."""
    return _informativeness(str(workspace().root), run.id, run.study_id, _stamp(run), slice_id)


def comparison_of(runs: list[RunInfo], reference: str) -> pd.DataFrame:
    """Runs of one study against one of them; models are called by the run's id."""
    stamps = tuple((run.id, _stamp(run)) for run in runs)
    return _comparison(str(workspace().root), runs[0].study_id, stamps, reference)


def predictions_of(run: RunInfo) -> pd.DataFrame:
    """One row a tested sample: id, fold, person, target, prediction."""
    return _predictions(str(workspace().root), run.id, run.study_id, _stamp(run))


def sample_table_of(run: RunInfo) -> pd.DataFrame:
    """One row a tested sample with all that is known of it, and its contributions (read-only)."""
    return _sample_table(str(workspace().root), run.id, run.study_id, _stamp(run)).copy(deep=False)


def colour_columns_of(run: RunInfo) -> list[str]:
    """The columns of a run's sample table that tell samples apart."""
    return _colour_columns(str(workspace().root), run.id, run.study_id, _stamp(run))


def similar_to(run: RunInfo, sample_id: str, measure: Similarity, count: int = 10) -> pd.DataFrame:
    """The samples whose predictions are made of the same parts."""
    root, stamp = str(workspace().root), _stamp(run)
    return similar_samples(
        _contributions(root, run.id, stamp),
        sample_id,
        measure=measure,
        count=count,
        standardised=_standardised(root, run.id, stamp),
    )


def feature_effects_of(run: RunInfo, sample_id: str, modality: str, output: int) -> pd.DataFrame:
    """How far each feature of a modality alone can move one sample's prediction."""
    root = str(workspace().root)
    return _feature_effects(root, run.id, run.study_id, _stamp(run), sample_id, modality, output)


def attributions_of(
    run: RunInfo, sample_id: str, modality: str, shared_with: str, output: int
) -> Attributions:
    """Features behind one contribution, computed by a process that has torch."""
    root = str(workspace().root)
    return _attributions(root, run.id, _stamp(run), sample_id, modality, shared_with, output)


def _stamp(run: RunInfo) -> Stamp:
    return RunFiles.of(workspace(), run.id).stamp()


@st.cache_resource(max_entries=6, show_spinner="Reading the study…")
def _dataset(root: str, study_id: str) -> MultimodalDataset:
    return load_study(Workspace(Path(root)), study_id)


@st.cache_resource(max_entries=6, show_spinner="Describing the features…")
def _description(root: str, study_id: str) -> Description:
    return describe(_dataset(root, study_id))


@st.cache_resource(max_entries=6, show_spinner="Reading the run…")
def _result(root: str, run_id: str, stamp: Stamp) -> RunResult:
    return RunFiles.of(Workspace(Path(root)), run_id).read_result()


@st.cache_resource(max_entries=12, show_spinner=False)
def _contributions(root: str, run_id: str, stamp: Stamp) -> Contributions:
    found = _result(root, run_id, stamp).contributions()
    for array in (found.values, found.baseline, *found.interactions.values()):
        array.flags.writeable = False
    return found


@st.cache_data(max_entries=24, show_spinner=False)
def _performance(root: str, run_id: str, study_id: str, stamp: Stamp) -> pd.DataFrame:
    return performance(_result(root, run_id, stamp), _dataset(root, study_id))


@st.cache_data(max_entries=24, show_spinner=False)
def _shares(root: str, run_id: str, stamp: Stamp) -> pd.DataFrame:
    return variance_shares(_contributions(root, run_id, stamp))


@st.cache_data(max_entries=12, show_spinner=False)
def _predictions(root: str, run_id: str, study_id: str, stamp: Stamp) -> pd.DataFrame:
    return prediction_table(_result(root, run_id, stamp), _dataset(root, study_id))


@st.cache_data(max_entries=24, show_spinner=False)
def _pairs(root: str, run_id: str, stamp: Stamp) -> pd.DataFrame:
    return pair_table(_contributions(root, run_id, stamp))


@st.cache_data(max_entries=24, show_spinner="Comparing restarts and folds…")
def _stability(root: str, run_id: str, stamp: Stamp) -> pd.DataFrame:
    return stability(_result(root, run_id, stamp))


@st.cache_data(max_entries=24, show_spinner="Taking modalities away…")
def _missing(root: str, run_id: str, study_id: str, stamp: Stamp) -> pd.DataFrame:
    return missing_summary(
        missing_modalities(_result(root, run_id, stamp), _dataset(root, study_id))
    )


def _within(root: str, run_id: str, stamp: Stamp, slice_id: str) -> Contributions:
    """A run's contributions to a slice's samples; to all where no slice is named."""
    found = _contributions(root, run_id, stamp)
    if not slice_id:
        return found
    ids = slice_samples(Workspace(Path(root)), slice_id)
    return found.select(np.asarray(pd.Index(found.sample_ids).isin(ids)))


@st.cache_data(max_entries=24, show_spinner="Resampling persons…")
def _human_agreement(
    root: str, run_id: str, study_id: str, stamp: Stamp, slice_id: str
) -> pd.DataFrame:
    return human_agreement(_within(root, run_id, stamp, slice_id), _dataset(root, study_id))


@st.cache_data(max_entries=24, show_spinner=False)
def _informativeness(
    root: str, run_id: str, study_id: str, stamp: Stamp, slice_id: str
) -> pd.DataFrame:
    return informativeness_tests(_within(root, run_id, stamp, slice_id), _dataset(root, study_id))


@st.cache_data(max_entries=24, show_spinner=False)
def _comparison(
    root: str, study_id: str, runs: tuple[tuple[str, Stamp], ...], reference: str
) -> pd.DataFrame:
    results = {run_id: _result(root, run_id, stamp) for run_id, stamp in runs}
    return compare_models(results, _dataset(root, study_id), reference=reference)


@st.cache_resource(max_entries=6, show_spinner="Listing samples…")
def _sample_table(root: str, run_id: str, study_id: str, stamp: Stamp) -> pd.DataFrame:
    contributions = _contributions(root, run_id, stamp)
    return with_contributions(sample_table(contributions, _dataset(root, study_id)), contributions)


@st.cache_data(max_entries=24, show_spinner=False)
def _colour_columns(root: str, run_id: str, study_id: str, stamp: Stamp) -> list[str]:
    return colour_columns(_sample_table(root, run_id, study_id, stamp))


@st.cache_resource(max_entries=6, show_spinner=False)
def _standardised(root: str, run_id: str, stamp: Stamp) -> npt.NDArray[np.float64]:
    found = standardised_terms(_contributions(root, run_id, stamp))
    found.flags.writeable = False
    return found


@st.cache_data(max_entries=200, show_spinner="Asking which features it was…")
def _attributions(
    root: str,
    run_id: str,
    stamp: Stamp,
    sample_id: str,
    modality: str,
    shared_with: str,
    output: int,
) -> Attributions:
    return _attribution_process(root).attribute(
        run_id, sample_id, modality, shared_with, output=output
    )


@st.cache_resource(max_entries=2, show_spinner=False)
def _attribution_process(root: str) -> AttributionProcess:
    return AttributionProcess(Workspace(Path(root)))


@st.cache_data(max_entries=100, show_spinner="Moving every feature…")
def _feature_effects(
    root: str,
    run_id: str,
    study_id: str,
    stamp: Stamp,
    sample_id: str,
    modality: str,
    output: int,
) -> pd.DataFrame:
    result, dataset = _result(root, run_id, stamp), _dataset(root, study_id)
    return feature_effects(result, dataset, sample_id, modality, output=output)
