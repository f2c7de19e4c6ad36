"""Cached access to what the tabs of *Overview* show: mistakes, shapes, a run solved again."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from app.loading import _BY_RUN, dataset_of, explained_of, result_of
from app.state.selection import Scope
from smurf_core.evaluation.confusion import confused, confusion
from smurf_core.evaluation.gate import Gate, gate
from smurf_core.evaluation.redundancy import variance_shares
from smurf_core.evaluation.residuals import residuals_by_person, residuals_over_range
from smurf_core.exclusive.redone import RefittedFold, refitted_folds
from smurf_core.exclusive.solved_again import SolvableRun, solvable_run
from smurf_core.explained import explained
from smurf_core.runs.store import RunInfo
from smurf_core.shapes import Shape, feature_rises, shapes


@st.cache_data(max_entries=24, show_spinner="Comparing with chance…", hash_funcs=_BY_RUN)
def confusion_of(run: RunInfo, scope: Scope) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every pair of classes of a scope's samples, and the mistakes above chance."""
    shown = scope.apply(explained_of(run))
    return confusion(shown), confused(shown)


@st.cache_data(max_entries=24, show_spinner=False, hash_funcs=_BY_RUN)
def residuals_by_person_of(run: RunInfo, scope: Scope) -> pd.DataFrame:
    """How far off the predictions of each person are, among a scope's samples."""
    return residuals_by_person(scope.apply(explained_of(run)))


@st.cache_data(max_entries=24, show_spinner=False, hash_funcs=_BY_RUN)
def residuals_over_range_of(run: RunInfo, scope: Scope) -> pd.DataFrame:
    """How far off predictions are over the range of the target, among a scope's samples."""
    return residuals_over_range(scope.apply(explained_of(run)))


@st.cache_data(max_entries=48, show_spinner="Moving every feature…", hash_funcs=_BY_RUN)
def feature_rises_of(run: RunInfo, modality: str, output: int) -> pd.DataFrame:
    """How far each feature of a modality moves its contributions, the farthest first."""
    return feature_rises(result_of(run), dataset_of(run), modality, output=output)


@st.cache_data(max_entries=100, show_spinner="Moving the feature…", hash_funcs=_BY_RUN)
def shapes_of(run: RunInfo, modality: str, feature: str, output: int) -> tuple[Shape, ...]:
    """How one feature moves every contribution of its modality, with intervals from refits."""
    result = result_of(run)
    refitted = None if result.refits is None else _refitted_of(run)
    return shapes(
        result, dataset_of(run), modality, feature, output=output, refitted=refitted
    )  # fmt: skip


@st.cache_resource(max_entries=2, show_spinner="Refitting to other persons…", hash_funcs=_BY_RUN)
def _refitted_of(run: RunInfo) -> tuple[RefittedFold, ...]:
    return refitted_folds(result_of(run), dataset_of(run))


@st.cache_resource(max_entries=2, show_spinner="Preparing every fold…", hash_funcs=_BY_RUN)
def solvable_of(run: RunInfo) -> SolvableRun:
    """The folds of a solved run, ready to be solved again."""
    return solvable_run(result_of(run), dataset_of(run))


@st.cache_data(max_entries=48, show_spinner=False, hash_funcs=_BY_RUN)
def solved_again_of(
    run: RunInfo, left_out: tuple[str, ...], weight: float | None
) -> tuple[pd.DataFrame, Gate, int]:
    """Shares and gate of a run solved without some persons (or samples), and how many samples.

    `left_out` are persons if the study knows any.
    """
    dataset = dataset_of(run)
    names = dataset.sample_ids if dataset.persons is None else dataset.persons
    mask = np.isin(names, left_out)
    again = solvable_of(run).again(mask, weight)
    return variance_shares(again), gate(explained(again, dataset)), int(mask.sum())
