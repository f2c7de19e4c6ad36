"""Cached access to what is on disk: the app's only caching.

What is cached is shared by all sessions, therefore read-only. A finished run's files do not
change; the stamp of its result is in the key in case someone replaces them. Keys are made before
a value is looked up, and making one asks for the folder of the study or run, which the workspace
refuses to those who may not see it: no cached value reaches them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from app.state.selection import SampleIds, Scope
from app.state.session import run_label, workspace
from smurf_core.contributions import Contributions
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.data.description import Description, describe
from smurf_core.data.grouping import groupings
from smurf_core.data.storage import dataset_stamp
from smurf_core.evaluation.commonality import Commonality, witness_of
from smurf_core.evaluation.comparison import compare_models
from smurf_core.evaluation.complete import tables_of_run
from smurf_core.evaluation.gate import Gate, gate
from smurf_core.evaluation.informativeness import informativeness_tests
from smurf_core.evaluation.judgments import (
    UniquePair,
    human_agreement,
    unique_pairs,
    with_verdicts,
)
from smurf_core.evaluation.missing import (
    SubsetPredictions,
    compare_missing,
    dropout_curve,
    missing_modalities,
    missing_summary,
    subset_predictions,
)
from smurf_core.evaluation.modality_losses import modality_losses
from smurf_core.evaluation.outlying import outlying_samples
from smurf_core.evaluation.performance import performance
from smurf_core.evaluation.redundancy import (
    GroupedRedundancy,
    ShareIntervals,
    pair_table,
    redundancy_by_group,
    share_intervals,
    variance_shares,
)
from smurf_core.evaluation.samples import (
    colour_columns,
    sample_table,
    with_contributions,
    with_distances,
)
from smurf_core.evaluation.two_runs import (
    candidates_of,
    prediction_differences,
)
from smurf_core.evaluation.typical import Finding, half_widths, typical_samples
from smurf_core.evaluation.verdicts import good_terms, verdicts
from smurf_core.explained import Explained, explained
from smurf_core.fold_label import fold_label
from smurf_core.reporting.cards import CardSource, card_source
from smurf_core.reporting.evidence import evidence_of
from smurf_core.reporting.findings import main_metric
from smurf_core.reporting.key_findings import KeyFinding, key_findings
from smurf_core.reporting.sentences import Leader
from smurf_core.reporting.statements import Account, account, leader_of
from smurf_core.reporting.statements import gate_of as gate_of_run
from smurf_core.reporting.two_runs import SideBySide, side_by_side
from smurf_core.results import RunResult
from smurf_core.runs.files import RunFiles
from smurf_core.runs.slices import require_slice, slice_samples
from smurf_core.runs.store import RunInfo
from smurf_core.runs.studies import StudyInfo, load_study
from smurf_core.runs.workspace import Workspace


def _study_key(study: StudyInfo | RunInfo) -> str:
    """The id of a study, its target, and a stamp of its data: ratings come, samples may go."""
    return f"{workspace().root}|{_study_id(study)}|{_target(study)}|{_data_of(study)}"


def _data_of(study: StudyInfo | RunInfo) -> str:
    return str(dataset_stamp(workspace().study_folder(_study_id(study))))


def _study_id(study: StudyInfo | RunInfo) -> str:
    return study.id if isinstance(study, StudyInfo) else study.study_id


def _target(study: StudyInfo | RunInfo) -> str:
    return study.target_name if isinstance(study, StudyInfo) else study.target


def _run_key(run: RunInfo) -> str:
    stamp = RunFiles.of(workspace(), run.id).stamp()
    return f"{workspace().root}|{run.study_id}|{run.id}|{stamp}|{_data_of(run)}"


# How arguments are hashed for the cache. The key of a scope determines its samples.
_Keys = dict[str | type[Any], Callable[[Any], Any]]
_BY_STUDY: _Keys = {StudyInfo: _study_key, RunInfo: _study_key}
_BY_FIRST_TARGET: _Keys = dict.fromkeys(
    (StudyInfo, RunInfo),
    lambda study: f"{workspace().root}|{_study_id(study)}|{_data_of(study)}",
)
_BY_RUN: _Keys = {
    RunInfo: _run_key,
    Scope: lambda scope: scope.key,
    Workspace: lambda space: f"{space.root}|{space.person.name}",
}


@st.cache_resource(max_entries=6, show_spinner="Reading the study…", hash_funcs=_BY_FIRST_TARGET)
def first_dataset_of(study: StudyInfo | RunInfo) -> MultimodalDataset:
    """The data set of a study with its first target, which human judgments are about."""
    return load_study(workspace(), _study_id(study))


@st.cache_resource(max_entries=6, show_spinner=False, hash_funcs=_BY_STUDY)
def dataset_of(study: StudyInfo | RunInfo) -> MultimodalDataset:
    """The data set of a study with its chosen target, or that of a run."""
    dataset, target = first_dataset_of(study), _target(study)
    return dataset.with_target(target) if target else dataset


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs=_BY_STUDY)
def persons_of(study: StudyInfo) -> int | None:
    """How many persons a study has; None where none are known."""
    persons = dataset_of(study).persons
    return None if persons is None else len(np.unique(persons))


@st.cache_resource(max_entries=6, show_spinner="Describing the features…", hash_funcs=_BY_STUDY)
def description_of(study: StudyInfo) -> Description:
    """Tables about a study's data set."""
    return describe(dataset_of(study))


@st.cache_resource(max_entries=6, show_spinner=False, hash_funcs=_BY_STUDY)
def groupings_of(study: StudyInfo | RunInfo) -> dict[str, npt.NDArray[np.str_]]:
    """Columns by which a study's samples fall into a few groups, with the label of each sample."""
    return groupings(dataset_of(study))


def samples_of(space: Workspace, slice_id: str) -> SampleIds:
    """A slice's samples. They never change: a new selection is a new slice."""
    require_slice(space, slice_id)
    return _samples_of(space, slice_id)


@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs=_BY_RUN)
def _samples_of(space: Workspace, slice_id: str) -> SampleIds:
    ids = slice_samples(space, slice_id)
    ids.flags.writeable = False
    return ids


@st.cache_resource(max_entries=6, show_spinner="Reading the run…", hash_funcs=_BY_RUN)
def result_of(run: RunInfo) -> RunResult:
    """A finished run's result."""
    return RunFiles.of(workspace(), run.id).read_result()


@st.cache_resource(max_entries=12, show_spinner=False, hash_funcs=_BY_RUN)
def contributions_of(run: RunInfo) -> Contributions:
    """A finished run's out-of-fold contributions."""
    found = result_of(run).contributions()
    for array in (found.values, found.baseline):
        array.flags.writeable = False
    return found


@st.cache_resource(max_entries=12, show_spinner=False, hash_funcs=_BY_RUN)
def explained_of(run: RunInfo) -> Explained:
    """A finished run's out-of-fold contributions with their samples' target and persons."""
    return explained(contributions_of(run), dataset_of(run))


@st.cache_data(max_entries=24, show_spinner=False, hash_funcs=_BY_RUN)
def performance_of(run: RunInfo) -> pd.DataFrame:
    """Means and standard deviations over folds of every metric."""
    return performance(result_of(run), dataset_of(run))


@st.cache_data(max_entries=24, show_spinner=False, hash_funcs=_BY_RUN)
def shares_of(run: RunInfo, scope: Scope) -> pd.DataFrame:
    """Every contribution's share of the prediction's variance among a scope's samples."""
    return variance_shares(scope.apply(contributions_of(run)))


@st.cache_resource(max_entries=24, show_spinner="Resampling persons…", hash_funcs=_BY_RUN)
def share_intervals_of(run: RunInfo, scope: Scope) -> ShareIntervals:
    """Shares of variance among a scope's samples, with intervals over persons."""
    return share_intervals(scope.apply(explained_of(run)), result_of(run).refits)


@st.cache_data(max_entries=24, show_spinner=False, hash_funcs=_BY_RUN)
def pairs_of(run: RunInfo, scope: Scope) -> pd.DataFrame:
    """What each pair of modalities shares, over a scope's samples."""
    return pair_table(scope.apply(contributions_of(run)))


@st.cache_resource(max_entries=12, show_spinner="Computing each group…", hash_funcs=_BY_RUN)
def redundancy_by_group_of(run: RunInfo, grouping: str, scope: Scope) -> GroupedRedundancy:
    """Shares and pairs in every level of one of `groupings_of` that the run predicts."""
    return redundancy_by_group(scope.apply(explained_of(run)), groupings_of(run)[grouping])


@st.cache_resource(
    max_entries=12, show_spinner="Predicting from every subset of modalities…", hash_funcs=_BY_RUN
)
def witness_for(run: RunInfo) -> Commonality:
    """What late fusion predicts from subsets of modalities in a run's folds, of all its samples."""
    return witness_of(result_of(run), dataset_of(run))


@st.cache_data(max_entries=24, show_spinner="Checking each contribution…", hash_funcs=_BY_RUN)
def verdicts_of(run: RunInfo) -> pd.DataFrame:
    """A verdict on each contribution, with its reasons."""
    return verdicts(result_of(run), explained_of(run), opened=whole_gate_of(run))


def account_of(run: RunInfo, scope: Scope, output: str, others: list[RunInfo]) -> Account:
    """What may be said of a run's explanation, and the shares that may be shown."""
    first = str(share_intervals_of(run, scope).terms["output"].iloc[0])
    return _account_of(run, scope, output or first, others)  # One entry for both ways to ask.


@st.cache_resource(max_entries=48, show_spinner="Checking what can be said…", hash_funcs=_BY_RUN)
def _account_of(run: RunInfo, scope: Scope, output: str, others: list[RunInfo]) -> Account:
    return account(
        result_of(run),
        scope.apply(explained_of(run)),
        intervals=share_intervals_of(run, scope),
        verdict_table=verdicts_of(run),
        opened=gate_of(run, scope),
        output=output,
        others={run_label(other): _leader_of(other) for other in others},
    )


@st.cache_data(max_entries=48, show_spinner=False, hash_funcs=_BY_RUN)
def _leader_of(run: RunInfo) -> Leader | None:
    everything = Scope.everything(len(dataset_of(run)))
    return leader_of(
        result_of(run), explained_of(run), share_intervals_of(run, everything), verdicts_of(run),
        whole_gate_of(run),
    )  # fmt: skip


@st.cache_data(max_entries=48, show_spinner=False, hash_funcs=_BY_RUN)
def gate_of(run: RunInfo, scope: Scope) -> Gate:
    """Do held-out predictions of a scope's samples leave anything to explain?"""
    whole = None if scope.is_all else whole_gate_of(run)
    return gate_of_run(result_of(run), scope.apply(explained_of(run)), whole)


@st.cache_data(max_entries=48, show_spinner=False, hash_funcs=_BY_RUN)
def own_gate_of(run: RunInfo, scope: Scope) -> Gate:
    """The gate of a scope's samples alone, also where that of the whole run is closed."""
    return gate(scope.apply(explained_of(run)))


@st.cache_data(max_entries=256, show_spinner="Comparing with chance…", hash_funcs=_BY_RUN)
def whole_gate_of(run: RunInfo) -> Gate:
    """`gate_of` all of a run's samples; many are kept, because lists show them."""
    return gate_of(run, Scope.everything(len(dataset_of(run))))


@st.cache_data(max_entries=24, show_spinner="Removing modalities…", hash_funcs=_BY_RUN)
def missing_of(run: RunInfo, scope: Scope) -> pd.DataFrame:
    """Every metric for every subset of modalities, mean and spread over folds."""
    return missing_summary(missing_modalities(scope.apply(result_of(run)), dataset_of(run)))


@st.cache_resource(
    max_entries=4, show_spinner="Predicting from every subset of modalities…", hash_funcs=_BY_RUN
)
def subset_predictions_of(run: RunInfo) -> SubsetPredictions:
    """Predictions from each subset of modalities."""
    return subset_predictions(result_of(run))


@st.cache_data(max_entries=24, show_spinner=False, hash_funcs=_BY_RUN)
def losses_of(run: RunInfo, scope: Scope) -> pd.DataFrame:
    """How the score changes without each modality."""
    return modality_losses(scope.apply(subset_predictions_of(run)), scope.apply(explained_of(run)))


@st.cache_data(
    max_entries=24, show_spinner="Removing modalities from random samples…", hash_funcs=_BY_RUN
)
def dropout_of(run: RunInfo, metric: str, scope: Scope, *, reconstructed: bool) -> pd.DataFrame:
    """The metric against the share of samples that miss a modality."""
    predictions, truth = subset_predictions_of(run), explained_of(run)
    return dropout_curve(
        scope.apply(predictions), scope.apply(truth), metric=metric, reconstructed=reconstructed
    )


@st.cache_resource(max_entries=24, show_spinner="Comparing contributions…", hash_funcs=_BY_RUN)
def side_by_side_of(first: RunInfo, second: RunInfo, scope: Scope) -> SideBySide:
    """How far two runs explain the same samples alike, term by term, as far as both predict."""
    one, other = (
        (account_of(run, scope, "", []), scope.apply(contributions_of(run)))
        for run in (first, second)
    )
    return side_by_side(one, other)


@st.cache_data(max_entries=12, show_spinner="Comparing predictions…", hash_funcs=_BY_RUN)
def differences_of(first: RunInfo, second: RunInfo) -> pd.DataFrame:
    """Samples by how much two runs' predictions of them differ, the largest difference first."""
    return prediction_differences(explained_of(first), contributions_of(second))


def tried_by(run: RunInfo) -> pd.DataFrame:
    """Every configuration that a run tried, in every fold."""
    return candidates_of(result_of(run))


def chosen_curves_of(run: RunInfo) -> pd.DataFrame:
    """Learning curves of the folds' chosen models: fold, epoch and both objectives."""
    return pd.concat(
        [fold.curves.assign(fold=fold_label(fold.fold)) for fold in result_of(run).fold_results],
        ignore_index=True,
    )


@st.cache_resource(max_entries=6, show_spinner=False, hash_funcs=_BY_RUN)
def unique_pairs_of(run: RunInfo) -> list[UniquePair]:
    """Human and learned unique contributions, for every judged subset."""
    return unique_pairs(explained_of(run))


@st.cache_data(max_entries=24, show_spinner="Resampling persons…", hash_funcs=_BY_RUN)
def human_agreement_of(run: RunInfo, scope: Scope) -> pd.DataFrame:
    """Agreement of learned and human unique contributions, over a scope's samples."""
    found = scope.apply(explained_of(run))
    pairs = unique_pairs_of(run) if scope.is_all else None
    return with_verdicts(human_agreement(found, pairs=pairs), found, verdicts_of(run))


@st.cache_data(max_entries=24, show_spinner=False, hash_funcs=_BY_RUN)
def informativeness_of(run: RunInfo, scope: Scope) -> pd.DataFrame:
    """Unique contributions by how informative people called a modality, of a scope's samples."""
    return informativeness_tests(scope.apply(explained_of(run)))


@st.cache_data(max_entries=6, show_spinner="Evaluating…", hash_funcs=_BY_RUN)
def tables_of(run: RunInfo, scope: Scope) -> dict[str, pd.DataFrame]:
    """Every table about a run, of a scope's samples, as a report contains them."""
    return tables_of_run(
        result_of(run),
        scope.apply(explained_of(run)),
        intervals=share_intervals_of(run, scope),
        verdict_table=verdicts_of(run),
    )


def key_findings_of(run: RunInfo, others: list[RunInfo]) -> Iterator[KeyFinding]:
    """At most five findings of all of a run's samples, one after the other as they are known.

    `others` are runs of the same study.
    """
    everything = Scope.everything(len(dataset_of(run)))
    return key_findings(
        account_of(run, everything, "", others),
        lambda: evidence_of(
            result_of(run),
            explained_of(run),
            share_intervals_of(run, everything),
            verdicts_of(run),
            witness=lambda: witness_for(run),
            agreement=lambda: human_agreement_of(run, everything),
        ),
    )


@st.cache_data(max_entries=24, show_spinner=False, hash_funcs=_BY_RUN)
def comparison_of(runs: list[RunInfo], reference: str, scope: Scope) -> pd.DataFrame:
    """Runs of one study compared with one of them; models are named by run id."""
    results = {run.id: scope.apply(result_of(run)) for run in runs}
    return compare_models(results, dataset_of(runs[0]), reference=reference)


@st.cache_data(max_entries=24, show_spinner=False, hash_funcs=_BY_RUN)
def missing_comparison_of(runs: list[RunInfo], reference: str) -> pd.DataFrame:
    """The main metric for every subset of modalities, each run compared with one of them."""
    results, dataset = {run.id: result_of(run) for run in runs}, dataset_of(runs[0])
    return compare_missing(results, dataset, reference=reference, metrics=(main_metric(dataset),))


@st.cache_resource(max_entries=6, show_spinner="Listing samples…", hash_funcs=_BY_RUN)
def _sample_table(run: RunInfo) -> pd.DataFrame:
    table = with_contributions(sample_table(explained_of(run)), contributions_of(run))
    return with_distances(table, outlying_of(run))


@st.cache_data(max_entries=12, show_spinner=False, hash_funcs=_BY_RUN)
def outlying_of(run: RunInfo) -> pd.DataFrame:
    """How far each tested sample lies from the training data of its fold."""
    return outlying_samples(result_of(run), explained_of(run))


def sample_table_of(run: RunInfo) -> pd.DataFrame:
    """One row per tested sample: everything known about it, and its contributions.

    Every caller gets its own table, which shares the columns until one is written to:
    copying a quarter of a million rows takes time.
    """
    return _sample_table(run).copy(deep=False)


@st.cache_resource(max_entries=6, show_spinner="Reading samples…", hash_funcs=_BY_RUN)
def cards_of(run: RunInfo) -> CardSource:
    """What the cards of a run's samples are read from."""
    return card_source(
        result_of(run), explained_of(run), verdict_table=verdicts_of(run),
        outlying=outlying_of(run), opened=whole_gate_of(run),
    )  # fmt: skip


@st.cache_data(max_entries=24, show_spinner="Listing samples…", hash_funcs=_BY_RUN)
def typical_of(run: RunInfo, scope: Scope, finding: Finding) -> pd.DataFrame:
    """The first 50 of a list of typical samples, of contributions whose verdict is good."""
    shown = scope.apply(explained_of(run))
    return typical_samples(
        shown, finding, count=50, half_widths=half_widths(result_of(run), shown),
        terms=good_terms(verdicts_of(run), shown.contributions),
    )  # fmt: skip


@st.cache_data(max_entries=24, show_spinner=False, hash_funcs=_BY_RUN)
def colour_columns_of(run: RunInfo) -> list[str]:
    """The columns of a run's sample table by which points can be coloured."""
    return colour_columns(_sample_table(run))
