"""Sessions: samples of one recording, person or group in their order, and what moved them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy  # whose parts load when used, after the first paint

from smurf_core.data.media import MEDIA_COLUMN, START_COLUMN, MediaSettings
from smurf_core.evaluation.typical import half_widths, typical_samples
from smurf_core.evaluation.verdicts import GOOD, good_terms
from smurf_core.explained import Explained
from smurf_core.results import RunResult
from smurf_core.terms import subset_name

Array = npt.NDArray[np.float64]
LONGEST = 120  # samples of a session that are shown together; longer ones are divided
PERSON, RECORDING, DATA = "Person", "Recording", "Data"
# Columns beside the samples that name what was recorded together.
_NAMES = (
    "session", "recording", "conversation", "dialogue", "dialog", "dyad", "interview", "group",
    "video", "video_id", "scene",
)  # fmt: skip


@dataclass(frozen=True)
class Session:
    """Samples that belong together, in their order.

    `name` is unique among the sessions of one kind; `rows` are positions among the explained
    samples, [k]; `starts` are in seconds, [k] (NaN where not known); `is_timed` is True if the
    order is that of the starts, and False for the order of the data.
    """

    name: str
    rows: npt.NDArray[np.int64]
    starts: Array
    is_timed: bool


@dataclass(frozen=True)
class Layer:
    """Contributions of one modality that are drawn as one part of a stack, [k] values.

    Those with a good verdict and the others are never in one layer. `source` is empty for what is
    said only by several modalities together.
    """

    source: str
    is_shared: bool
    is_good: bool
    values: Array


@dataclass(frozen=True)
class Timeline:
    """What is known of a session's k samples, in their order.

    Parameters
    ----------
    sample_ids, starts
        [k]; starts in seconds, NaN where not known.
    is_timed
        True if the order is that of the starts, False for the order of the data.
    output
        The target's name, or the class that is shown.
    prediction, target
        [k], in the target's unit. For a class: its probability, and 1 for samples that belong to
        it, else 0.
    baseline
        What is predicted where every contribution is zero, [k]; of classes a logit.
    layers
        Contributions: `baseline` plus all layers is the prediction (of a class: its logit less the
        mean over the classes). Empty where there is nothing to explain.
    unexpected
        Score of the strongest disagreement in each sample, in standard deviations of the
        predictions, [k]; 0 for none.
    ratings
        Modalities that people saw → their judgments [k], NaN where there is none.
    is_comparable
        True if something shared has a good verdict on all sides: only that can be unexpected.
    """

    sample_ids: npt.NDArray[np.str_]
    starts: Array
    is_timed: bool
    output: str
    prediction: Array
    target: Array
    baseline: Array
    layers: tuple[Layer, ...]
    unexpected: Array
    ratings: Mapping[tuple[str, ...], Array]
    is_comparable: bool

    def __len__(self) -> int:
        return len(self.sample_ids)


def session_kinds(explained: Explained, media: MediaSettings | None = None) -> tuple[str, ...]:
    """By what the samples can be divided: `Recording`, `Person`, columns, or else `Data`.

    Only what brings at least two samples together is listed.
    """
    kinds = []
    for kind in (RECORDING, PERSON, *map(str, explained.dataset.samples.columns)):
        if kind not in (RECORDING, PERSON) and kind.lower() not in _NAMES:
            continue
        labels = _labels(explained, kind, media)
        if labels is not None and pd.Series(labels[labels != ""]).duplicated().any():
            kinds.append(kind)
    return tuple(kinds) or (DATA,)


def sessions(
    explained: Explained, kind: str, media: MediaSettings | None = None
) -> tuple[Session, ...]:
    """All sessions of one of `session_kinds`, in the order of their first samples.

    Samples are in the order of their starts if each of a session's samples has one and they
    differ; with several recordings in a session, recording by recording. Otherwise they are in
    the order of the data. Sessions of more than 120 samples are divided: `p01, 121 to 240`.
    Samples without a label are left out.

    Parameters
    ----------
    explained
        All samples that a run explains.
    kind
        One of `session_kinds`.
    media
        Where the study's recordings are, if that is known.
    """
    labels = _labels(explained, kind, media)
    starts, recording = _starts(explained, media), _labels(explained, RECORDING, media)
    part = np.zeros(len(explained), dtype=np.int64)
    if recording is not None:
        part = pd.factorize(recording)[0].astype(np.int64)
    if labels is None:
        labels = np.full(len(explained), "All samples")
    codes, names = pd.factorize(labels)
    order = np.argsort(codes, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)
    found = []
    for rows in groups if len(order) else ():
        name = str(names[codes[rows[0]]])
        if not name:
            continue
        known = starts[rows]
        is_timed = bool(np.isfinite(known).all()) and len(np.unique(known)) > 1
        if is_timed:
            rows = rows[np.lexsort((starts[rows], part[rows]))]
        for first in range(0, len(rows), LONGEST):
            some = rows[first : first + LONGEST]
            is_whole = len(rows) <= LONGEST
            title = name if is_whole else f"{name}, {first + 1} to {first + len(some)}"
            found.append(Session(title, some, starts[some], is_timed))
    return tuple(found)


def unexpected_moments(
    result: RunResult, explained: Explained, verdict_table: pd.DataFrame, output: str | None = None
) -> pd.DataFrame:
    """The strongest disagreement of every sample in which something shared is unexpected.

    As in the list *Unexpected* of `typical_samples`: only sides whose verdict is good, and only
    where the intervals of the two sides leave no doubt.

    Returns
    -------
    DataFrame
        Rows of `typical_samples`, at most one per sample, highest score first.
    """
    table = typical_samples(
        explained, "unexpected", output=output, count=np.iinfo(np.int64).max,
        terms=good_terms(verdict_table, explained.contributions),
        half_widths=half_widths(result, explained),
    )  # fmt: skip
    return table.drop_duplicates("sample_id").reset_index(drop=True)


def timeline(
    explained: Explained,
    session: Session,
    *,
    output: int = 0,
    verdict_table: pd.DataFrame | None = None,
    unexpected: pd.DataFrame | None = None,
) -> Timeline:
    """What is known of one session's samples, in their order.

    Parameters
    ----------
    explained
        All samples that a run explains.
    session
        One of `sessions` of them.
    output
        Position of the class that is shown; 0 for regression.
    verdict_table, unexpected
        `verdicts` and `unexpected_moments` of the run. Without the first there is nothing to
        explain, and only predictions and targets are shown.

    Examples
    --------
    >>> import smurf_core as smurf
    >>> data = smurf.datasets.synthetic_additive(samples=80)
    >>> run = smurf.train(data, max_epochs=2, restarts=1)
    >>> found = smurf.evaluate.explained(run, data)
    >>> shown = timeline(found, sessions(found, "Data")[0])
    >>> len(shown), shown.layers
    (80, ())
    """
    here = explained.select(session.rows)
    contributions = here.contributions
    raw = contributions.prediction().astype(np.float64)
    if contributions.is_classification:
        prediction = scipy.special.softmax(raw, axis=1)[:, output]
        target = (here.target == output).astype(np.float64)
        identified = raw[:, output] - raw.mean(axis=1)
    else:
        prediction, target = raw[:, 0], here.target.astype(np.float64)
        identified = prediction
    values = contributions.identified_terms()[:, :, output]
    score = np.zeros(len(here))
    layers: tuple[Layer, ...] = ()
    comparable, ratings = False, {}
    if verdict_table is not None:
        good = good_terms(verdict_table, contributions)
        layers = _layers(here, values, verdict_table)
        comparable = any(set(members) <= good for members in contributions.sets())
        if not contributions.is_classification:
            ratings = _ratings(here)
        if unexpected is not None and len(unexpected):
            scores = pd.Series(unexpected["score"].to_numpy(), index=unexpected["sample_id"])
            score = scores.reindex(here.sample_ids).fillna(0.0).to_numpy(dtype=np.float64)
    return Timeline(
        sample_ids=here.sample_ids,
        starts=session.starts,
        is_timed=session.is_timed,
        output=contributions.outputs[output],
        prediction=prediction,
        target=target,
        baseline=identified - values.sum(axis=1),
        layers=layers,
        unexpected=score,
        ratings=ratings,
        is_comparable=comparable,
    )


def _layers(here: Explained, values: Array, verdict_table: pd.DataFrame) -> tuple[Layer, ...]:
    contributions = here.contributions
    keys = zip(
        verdict_table["order"], verdict_table["modality"], verdict_table["shared_with"], strict=True
    )
    verdict = dict(zip(keys, verdict_table["verdict"], strict=True))
    stacks: dict[tuple[str, bool, bool], Array] = {}
    for t, term in enumerate(contributions.terms):
        source = subset_name(term.source) if term.order == 1 else ""
        key = (source, not term.is_unique and term.order == 1, verdict[term.names] in GOOD)
        stacks[key] = stacks.get(key, np.zeros(len(values))) + values[:, t]
    names = [*contributions.modalities, ""]
    order = sorted(stacks, key=lambda key: (names.index(key[0]), key[1], not key[2]))
    return tuple(Layer(*key, stacks[key]) for key in order)


def _ratings(here: Explained) -> dict[tuple[str, ...], Array]:
    found = {}
    for shown, judged in here.dataset.judgments.items():
        values = here.aligned(judged).astype(np.float64)
        if np.isfinite(values).any():
            found[tuple(name for name in here.dataset.modalities if name in shown)] = values
    return found


def _labels(
    explained: Explained, kind: str, media: MediaSettings | None
) -> npt.NDArray[np.str_] | None:
    """The label of every sample, [n], empty where it has none; None where the kind is unknown."""
    if kind == PERSON:
        return explained.persons
    samples = explained.dataset.samples
    column = kind
    if kind == RECORDING:
        if media is not None and media.recording:
            return np.full(len(explained), media.recording)
        column = media.file if media is not None and media.file else MEDIA_COLUMN
    if column not in samples:
        return None
    cells = samples[column].astype("string").fillna("")
    return explained.aligned(cells.to_numpy(dtype=str, na_value=""))


def _starts(explained: Explained, media: MediaSettings | None) -> Array:
    samples = explained.dataset.samples
    column = media.start if media is not None and media.start else START_COLUMN
    if column not in samples:
        return np.full(len(explained), np.nan)
    seconds = pd.to_numeric(samples[column], errors="coerce").to_numpy(dtype=np.float64)
    return explained.aligned(seconds)
