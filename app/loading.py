"""Cached access to what is on disk. Shared by all sessions, therefore read-only."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from app.session import workspace
from smurf_core.contributions import Contributions
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.evaluation.comparison import compare_models
from smurf_core.evaluation.judgments import human_agreement
from smurf_core.evaluation.missing import missing_modalities, missing_summary
from smurf_core.evaluation.performance import performance
from smurf_core.evaluation.redundancy import pair_table, variance_shares
from smurf_core.evaluation.stability import stability
from smurf_core.results import RunResult
from smurf_core.runs.exporting import prediction_table
from smurf_core.runs.files import RunFiles
from smurf_core.runs.store import RunInfo
from smurf_core.runs.studies import load_study
from smurf_core.runs.workspace import Workspace

# A finished run's files do not change; the stamp is there in case someone replaces them.
Stamp = tuple[int, int] | None


def dataset_of(study_id: str) -> MultimodalDataset:
    """A study's data set."""
    return _dataset(str(workspace().root), study_id)


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


def human_agreement_of(run: RunInfo) -> pd.DataFrame:
    """Learned against human unique contributions."""
    return _human_agreement(str(workspace().root), run.id, run.study_id, _stamp(run))


def comparison_of(runs: list[RunInfo], reference: str) -> pd.DataFrame:
    """Runs of one study against one of them; models are called by the run's id."""
    stamps = tuple((run.id, _stamp(run)) for run in runs)
    return _comparison(str(workspace().root), runs[0].study_id, stamps, reference)


def predictions_of(run: RunInfo) -> pd.DataFrame:
    """One row a tested sample: id, fold, person, target, prediction."""
    return _predictions(str(workspace().root), run.id, run.study_id, _stamp(run))


def _stamp(run: RunInfo) -> Stamp:
    return RunFiles.of(workspace(), run.id).stamp()


@st.cache_resource(max_entries=6, show_spinner="Reading the study…")
def _dataset(root: str, study_id: str) -> MultimodalDataset:
    return load_study(Workspace(Path(root)), study_id)


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


@st.cache_data(max_entries=24, show_spinner="Resampling persons…")
def _human_agreement(root: str, run_id: str, study_id: str, stamp: Stamp) -> pd.DataFrame:
    return human_agreement(_contributions(root, run_id, stamp), _dataset(root, study_id))


@st.cache_data(max_entries=24, show_spinner=False)
def _comparison(
    root: str, study_id: str, runs: tuple[tuple[str, Stamp], ...], reference: str
) -> pd.DataFrame:
    results = {run_id: _result(root, run_id, stamp) for run_id, stamp in runs}
    return compare_models(results, _dataset(root, study_id), reference=reference)
