"""Cached access to single samples: the second part of the app's caching (see `app.loading`)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from app.loading import _BY_RUN, contributions_of, dataset_of, explained_of, result_of, verdicts_of
from app.state.session import workspace
from smurf_core.attribution import AttributionProcess, Attributions
from smurf_core.data.media import MediaSettings
from smurf_core.evaluation.neighbours import (
    Similarity,
    similar_samples,
    standardised_terms,
)
from smurf_core.evaluation.sample_map import SampleMap, sample_map
from smurf_core.evaluation.timeline import Session, sessions, unexpected_moments
from smurf_core.evaluation.verdicts import good_terms
from smurf_core.predictions import Predictions
from smurf_core.runs.new_samples import read_predictions
from smurf_core.runs.store import RunInfo, get_run
from smurf_core.runs.workspace import Workspace
from smurf_core.terms import Term
from smurf_core.what_if import SuggestedChange, feature_effects, suggested_change


@st.cache_resource(max_entries=6, show_spinner="Reading predictions…", hash_funcs=_BY_RUN)
def new_predictions_of(run: RunInfo, saved_id: str) -> Predictions:
    """What a run has predicted for one set of new samples, which never changes."""
    return read_predictions(workspace(), run.id, saved_id)


@st.cache_resource(max_entries=12, show_spinner="Ordering the samples…", hash_funcs=_BY_RUN)
def sessions_of(run: RunInfo, kind: str, media: MediaSettings | None) -> tuple[Session, ...]:
    """All sessions of one of `session_kinds`."""
    return sessions(explained_of(run), kind, media)


@st.cache_data(max_entries=12, show_spinner="Looking for disagreement…", hash_funcs=_BY_RUN)
def unexpected_of(run: RunInfo, output: str) -> pd.DataFrame:
    """Where something shared is unexpected, at most one row per sample."""
    return unexpected_moments(result_of(run), explained_of(run), verdicts_of(run), output)


@st.cache_resource(max_entries=6, show_spinner=False, hash_funcs=_BY_RUN)
def _standardised_terms_of(run: RunInfo) -> npt.NDArray[np.float64]:
    found = standardised_terms(contributions_of(run))
    found.flags.writeable = False
    return found


@st.cache_data(max_entries=24, show_spinner=False, hash_funcs=_BY_RUN)
def good_terms_of(run: RunInfo) -> frozenset[Term]:
    """The contributions of a run whose verdict is good."""
    return good_terms(verdicts_of(run), contributions_of(run))


@st.cache_resource(max_entries=6, show_spinner="Drawing the map…", hash_funcs=_BY_RUN)
def map_of(run: RunInfo) -> SampleMap:
    """All of a run's samples by their contributions whose verdict is good."""
    return sample_map(explained_of(run), good_terms_of(run))


def similar_to(run: RunInfo, sample_id: str, measure: Similarity, count: int = 10) -> pd.DataFrame:
    """The samples whose predictions consist of similar contributions."""
    return similar_samples(
        contributions_of(run),
        sample_id,
        measure=measure,
        count=count,
        standardised=_standardised_terms_of(run),
    )


@st.cache_data(
    max_entries=200, show_spinner="Attributing the contribution to features…", hash_funcs=_BY_RUN
)
def attributions_of(run: RunInfo, sample_id: str, term: Term, output: int) -> Attributions:
    """Features behind one contribution, computed by a process that has torch."""
    get_run(workspace(), run.id)  # The process does not know who asks.
    return _attribution_process(workspace().as_machine()).attribute(
        run.id, sample_id, term, output=output
    )


@st.cache_resource(max_entries=2, show_spinner=False, hash_funcs=_BY_RUN)
def _attribution_process(space: Workspace) -> AttributionProcess:
    return AttributionProcess(space)


@st.cache_data(max_entries=100, show_spinner="Moving every feature…", hash_funcs=_BY_RUN)
def feature_effects_of(run: RunInfo, sample_id: str, modality: str, output: int) -> pd.DataFrame:
    """How far each feature of a modality alone can move one sample's prediction."""
    return feature_effects(result_of(run), dataset_of(run), sample_id, modality, output=output)


@st.cache_data(max_entries=100, show_spinner="Looking for a change…", hash_funcs=_BY_RUN)
def suggestion_of(
    run: RunInfo, sample_id: str, output: int, modality: str | None
) -> SuggestedChange | None:
    """The group of features (of one modality, or of any) that moves a sample's prediction most."""
    return suggested_change(
        result_of(run), dataset_of(run), sample_id, output=output, modality=modality
    )
