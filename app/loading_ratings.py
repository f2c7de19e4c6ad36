"""Cached access to collections of ratings: what is computed from their answers.

Answers come in all the time, so that the stamp of a collection is in every key.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from smurf_core.ratings.agreement import agreement_growth, agreement_table
from smurf_core.ratings.answers import all_fields
from smurf_core.ratings.quality import rater_quality
from smurf_core.ratings.store import Collection
from smurf_core.ratings.tables import stamp
from smurf_core.ratings.traces.account import TraceAccount, trace_account
from smurf_core.ratings.traces.collected import trace_sets
from smurf_core.ratings.use import comparable_answers

_BY_ANSWERS: dict[str | type[Any], Any] = {
    Collection: lambda collection: f"{collection.path}|{stamp(collection)}"
}


@st.cache_data(max_entries=32, show_spinner=False, hash_funcs=_BY_ANSWERS)
def agreement_of(collection: Collection) -> pd.DataFrame:
    """`smurf_core.ratings.agreement.agreement_table` of what has been answered."""
    design = collection.design_version().design
    return agreement_table(design, comparable_answers(collection), draws=200)


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs=_BY_ANSWERS)
def growth_of(collection: Collection, key: str, condition: str) -> pd.DataFrame:
    """`smurf_core.ratings.agreement.agreement_growth` of one field in one condition."""
    measure = all_fields(collection.design_version().design)[key].measure
    return agreement_growth(comparable_answers(collection), key, condition, measure)


@st.cache_data(max_entries=32, show_spinner=False, hash_funcs=_BY_ANSWERS)
def quality_of(collection: Collection) -> pd.DataFrame:
    """`smurf_core.ratings.quality.rater_quality` of what has been answered."""
    return rater_quality(collection.design_version().design, comparable_answers(collection))


@st.cache_resource(max_entries=16, show_spinner="Comparing traces…", hash_funcs=_BY_ANSWERS)
def traces_of(collection: Collection) -> tuple[TraceAccount, ...]:
    """Lags and agreement of the collection's traces, one account per continuous scale."""
    return tuple(trace_account(traces) for traces in trace_sets(collection))
