"""Cached access to what is on disk. Shared by all sessions, therefore read-only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from app.state.session import workspace
from smurf_core.attribution import AttributionProcess, Attributions
from smurf_core.contributions import Contributions
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.data.description import Description, describe
from smurf_core.data.grouping import groupings
from smurf_core.evaluation.comparison import compare_models
from smurf_core.evaluation.informativeness import informativeness_tests
from smurf_core.evaluation.judgments import UniquePair, human_agreement, unique_pairs
from smurf_core.evaluation.missing import (
    SubsetPredictions,
    compare_missing,
    dropout_curve,
    missing_modalities,
    missing_summary,
    subset_predictions,
)
from smurf_core.evaluation.neighbours import (
    Similarity,
    similar_samples,
    standardised_terms,
)
from smurf_core.evaluation.performance import performance
from smurf_core.evaluation.redundancy import (
    GroupedRedundancy,
    ShareIntervals,
    pair_table,
    redundancy_by_group,
    share_intervals,
    variance_shares,
)
from smurf_core.evaluation.samples import colour_columns, sample_table, with_contributions
from smurf_core.evaluation.stability import stability
from smurf_core.evaluation.two_runs import (
    candidates_of,
    prediction_differences,
    term_agreement,
)
from smurf_core.explained import Explained, explained
from smurf_core.reporting.findings import main_metric
from smurf_core.results import RunResult
from smurf_core.runs.exporting import prediction_table
from smurf_core.runs.files import RunFiles
from smurf_core.runs.slices import slice_samples
from smurf_core.runs.store import RunInfo
from smurf_core.runs.studies import load_study
from smurf_core.runs.workspace import Workspace
from smurf_core.terms import Term
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


def explained_of(run: RunInfo) -> Explained:
    """A finished run's out-of-fold contributions with their samples' target and persons."""
    return _explained(str(workspace().root), run.id, run.study_id, _stamp(run))


def performance_of(run: RunInfo) -> pd.DataFrame:
    """Means and standard deviations over folds of every metric."""
    return _performance(str(workspace().root), run.id, run.study_id, _stamp(run))


def shares_of(run: RunInfo, slice_id: str = "") -> pd.DataFrame:
    """Every contribution's share of the prediction's variance, of all samples or of a slice's."""
    return _shares(str(workspace().root), run.id, _stamp(run), slice_id)


def share_intervals_of(run: RunInfo, slice_id: str = "") -> ShareIntervals:
    """Shares of variance with intervals over persons, of all samples or of a slice's."""
    return _share_intervals(str(workspace().root), run.id, run.study_id, _stamp(run), slice_id)


def pairs_of(run: RunInfo, slice_id: str = "") -> pd.DataFrame:
    """What every pair of modalities shares, of all samples or of a slice's."""
    return _pairs(str(workspace().root), run.id, _stamp(run), slice_id)


def groupings_of(study_id: str) -> tuple[str, ...]:
    """Columns by which a study's samples fall into a few groups."""
    return tuple(_groupings(str(workspace().root), study_id))


def redundancy_by_group_of(run: RunInfo, grouping: str, slice_id: str = "") -> GroupedRedundancy:
    """Shares and pairs in every level of one of `groupings_of`."""
    root = str(workspace().root)
    return _redundancy_by_group(root, run.id, run.study_id, _stamp(run), grouping, slice_id)


def stability_of(run: RunInfo) -> pd.DataFrame:
    """How far every contribution agrees with itself over restarts and folds."""
    return _stability(str(workspace().root), run.id, _stamp(run))


def missing_of(run: RunInfo, slice_id: str = "") -> pd.DataFrame:
    """Every metric for every subset of modalities, mean and spread over folds."""
    return _missing(str(workspace().root), run.id, run.study_id, _stamp(run), slice_id)


def subset_predictions_of(run: RunInfo) -> SubsetPredictions:
    """What is predicted from every subset of modalities."""
    return _subset_predictions(str(workspace().root), run.id, _stamp(run))


def dropout_of(
    run: RunInfo, metric: str, *, reconstructed: bool, slice_id: str = ""
) -> pd.DataFrame:
    """The metric against the share of samples that miss a modality."""
    root = str(workspace().root)
    return _dropout(root, run.id, run.study_id, _stamp(run), metric, reconstructed, slice_id)


def agreement_of(first: RunInfo, second: RunInfo, slice_id: str = "") -> pd.DataFrame:
    """Whether two runs explain the same samples alike, term by term."""
    runs = ((first.id, _stamp(first)), (second.id, _stamp(second)))
    return _agreement(str(workspace().root), runs, slice_id)


def differences_of(first: RunInfo, second: RunInfo) -> pd.DataFrame:
    """Samples by how much two runs' predictions of them differ, the largest difference first."""
    runs = ((first.id, _stamp(first)), (second.id, _stamp(second)))
    return _differences(str(workspace().root), first.study_id, runs)


def tried_by(run: RunInfo) -> pd.DataFrame:
    """Every configuration that a run tried, in every fold."""
    return candidates_of(result_of(run))


def chosen_curves_of(run: RunInfo) -> pd.DataFrame:
    """Learning curves of the folds' chosen models: fold, epoch and both objectives."""
    return pd.concat(
        [fold.curves.assign(fold=fold.fold) for fold in result_of(run).fold_results],
        ignore_index=True,
    )


def unique_pairs_of(run: RunInfo) -> list[UniquePair]:
    """Human beside learned unique contributions, for every judged subset."""
    return _unique_pairs(str(workspace().root), run.id, run.study_id, _stamp(run))


def human_agreement_of(run: RunInfo, slice_id: str = "") -> pd.DataFrame:
    """Learned against human unique contributions, of all samples or of a slice's."""
    return _human_agreement(str(workspace().root), run.id, run.study_id, _stamp(run), slice_id)


def informativeness_of(run: RunInfo, slice_id: str = "") -> pd.DataFrame:
    """Unique contributions by how informative people called a modality, of all or of a slice."""
    return _informativeness(str(workspace().root), run.id, run.study_id, _stamp(run), slice_id)


def comparison_of(runs: list[RunInfo], reference: str, slice_id: str = "") -> pd.DataFrame:
    """Runs of one study against one of them; models are called by the run's id."""
    stamps = tuple((run.id, _stamp(run)) for run in runs)
    return _comparison(str(workspace().root), runs[0].study_id, stamps, reference, slice_id)


def missing_comparison_of(runs: list[RunInfo], reference: str) -> pd.DataFrame:
    """What every subset of modalities recovers, runs against one of them (the main metric)."""
    stamps = tuple((run.id, _stamp(run)) for run in runs)
    return _missing_comparison(str(workspace().root), runs[0].study_id, stamps, reference)


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


def attributions_of(run: RunInfo, sample_id: str, term: Term, output: int) -> Attributions:
    """Features behind one contribution, computed by a process that has torch."""
    root = str(workspace().root)
    return _attributions(root, run.id, _stamp(run), sample_id, term, output)


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
    for array in (found.values, found.baseline):
        array.flags.writeable = False
    return found


@st.cache_resource(max_entries=12, show_spinner=False)
def _explained(root: str, run_id: str, study_id: str, stamp: Stamp) -> Explained:
    return explained(_contributions(root, run_id, stamp), _dataset(root, study_id))


@st.cache_data(max_entries=24, show_spinner=False)
def _performance(root: str, run_id: str, study_id: str, stamp: Stamp) -> pd.DataFrame:
    return performance(_result(root, run_id, stamp), _dataset(root, study_id))


@st.cache_data(max_entries=24, show_spinner=False)
def _shares(root: str, run_id: str, stamp: Stamp, slice_id: str) -> pd.DataFrame:
    return variance_shares(_within(root, run_id, stamp, slice_id))


@st.cache_resource(max_entries=24, show_spinner="Resampling persons…")
def _share_intervals(
    root: str, run_id: str, study_id: str, stamp: Stamp, slice_id: str
) -> ShareIntervals:
    return share_intervals(_explained_within(root, run_id, study_id, stamp, slice_id))


@st.cache_resource(max_entries=6, show_spinner=False)
def _groupings(root: str, study_id: str) -> dict[str, npt.NDArray[np.str_]]:
    return groupings(_dataset(root, study_id))


@st.cache_resource(max_entries=12, show_spinner="Looking at the groups…")
def _redundancy_by_group(
    root: str, run_id: str, study_id: str, stamp: Stamp, grouping: str, slice_id: str
) -> GroupedRedundancy:
    found = _explained_within(root, run_id, study_id, stamp, slice_id)
    return redundancy_by_group(found, _groupings(root, study_id)[grouping])


@st.cache_data(max_entries=12, show_spinner=False)
def _predictions(root: str, run_id: str, study_id: str, stamp: Stamp) -> pd.DataFrame:
    return prediction_table(_explained(root, run_id, study_id, stamp))


@st.cache_data(max_entries=24, show_spinner=False)
def _pairs(root: str, run_id: str, stamp: Stamp, slice_id: str) -> pd.DataFrame:
    return pair_table(_within(root, run_id, stamp, slice_id))


@st.cache_data(max_entries=24, show_spinner="Comparing restarts and folds…")
def _stability(root: str, run_id: str, stamp: Stamp) -> pd.DataFrame:
    return stability(_result(root, run_id, stamp))


@st.cache_data(max_entries=24, show_spinner="Taking modalities away…")
def _missing(root: str, run_id: str, study_id: str, stamp: Stamp, slice_id: str) -> pd.DataFrame:
    result = _result_within(root, run_id, stamp, slice_id)
    return missing_summary(missing_modalities(result, _dataset(root, study_id)))


@st.cache_resource(max_entries=4, show_spinner="Predicting from every subset of modalities…")
def _subset_predictions(root: str, run_id: str, stamp: Stamp) -> SubsetPredictions:
    return subset_predictions(_result(root, run_id, stamp))


@st.cache_data(max_entries=24, show_spinner="Taking modalities from samples at random…")
def _dropout(
    root: str, run_id: str, study_id: str, stamp: Stamp, metric: str, reconstructed: bool,
    slice_id: str,
) -> pd.DataFrame:  # fmt: skip
    found = _explained_within(root, run_id, study_id, stamp, slice_id)
    predictions = _subset_predictions(root, run_id, stamp)
    if slice_id:
        predictions = predictions.select(found.sample_ids)
    return dropout_curve(predictions, found, metric=metric, reconstructed=reconstructed)


@st.cache_data(max_entries=24, show_spinner="Comparing contributions…")
def _agreement(root: str, runs: tuple[tuple[str, Stamp], ...], slice_id: str) -> pd.DataFrame:
    return term_agreement(*(_within(root, run_id, stamp, slice_id) for run_id, stamp in runs))


@st.cache_data(max_entries=12, show_spinner="Comparing predictions…")
def _differences(root: str, study_id: str, runs: tuple[tuple[str, Stamp], ...]) -> pd.DataFrame:
    (first, first_stamp), (second, second_stamp) = runs
    return prediction_differences(
        _explained(root, first, study_id, first_stamp), _contributions(root, second, second_stamp)
    )


def _result_within(root: str, run_id: str, stamp: Stamp, slice_id: str) -> RunResult:
    """A run's result, tested on a slice's samples; on all where no slice is named."""
    found = _result(root, run_id, stamp)
    return found.select(slice_samples(Workspace(Path(root)), slice_id)) if slice_id else found


def _within(root: str, run_id: str, stamp: Stamp, slice_id: str) -> Contributions:
    """A run's contributions to a slice's samples; to all where no slice is named."""
    found = _contributions(root, run_id, stamp)
    if not slice_id:
        return found
    return found.select(slice_samples(Workspace(Path(root)), slice_id))


def _explained_within(
    root: str, run_id: str, study_id: str, stamp: Stamp, slice_id: str
) -> Explained:
    """What a run explains of a slice's samples; of all where no slice is named."""
    found = _explained(root, run_id, study_id, stamp)
    return found.select(slice_samples(Workspace(Path(root)), slice_id)) if slice_id else found


@st.cache_resource(max_entries=6, show_spinner=False)
def _unique_pairs(root: str, run_id: str, study_id: str, stamp: Stamp) -> list[UniquePair]:
    return unique_pairs(_explained(root, run_id, study_id, stamp))


@st.cache_data(max_entries=24, show_spinner="Resampling persons…")
def _human_agreement(
    root: str, run_id: str, study_id: str, stamp: Stamp, slice_id: str
) -> pd.DataFrame:
    return human_agreement(_explained_within(root, run_id, study_id, stamp, slice_id))


@st.cache_data(max_entries=24, show_spinner=False)
def _informativeness(
    root: str, run_id: str, study_id: str, stamp: Stamp, slice_id: str
) -> pd.DataFrame:
    return informativeness_tests(_explained_within(root, run_id, study_id, stamp, slice_id))


@st.cache_data(max_entries=24, show_spinner=False)
def _comparison(
    root: str, study_id: str, runs: tuple[tuple[str, Stamp], ...], reference: str, slice_id: str
) -> pd.DataFrame:
    results = {run_id: _result_within(root, run_id, stamp, slice_id) for run_id, stamp in runs}
    return compare_models(results, _dataset(root, study_id), reference=reference)


@st.cache_resource(max_entries=6, show_spinner="Listing samples…")
def _sample_table(root: str, run_id: str, study_id: str, stamp: Stamp) -> pd.DataFrame:
    found = _explained(root, run_id, study_id, stamp)
    return with_contributions(sample_table(found), found.contributions)


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
    term: Term,
    output: int,
) -> Attributions:
    return _attribution_process(root).attribute(run_id, sample_id, term, output=output)


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


@st.cache_data(max_entries=24, show_spinner=False)
def _missing_comparison(
    root: str, study_id: str, runs: tuple[tuple[str, Stamp], ...], reference: str
) -> pd.DataFrame:
    results = {run_id: _result(root, run_id, stamp) for run_id, stamp in runs}
    dataset = _dataset(root, study_id)
    return compare_missing(results, dataset, reference=reference, metrics=(main_metric(dataset),))
