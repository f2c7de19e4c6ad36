"""The clips of a design: all samples, those of a slice, or a stratified draw."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from smurf_core.errors import InputError
from smurf_core.explained import Explained, explained
from smurf_core.people.guard import guarded
from smurf_core.ratings.design import ClipChoice, Design, Stratum
from smurf_core.runs.files import RunFiles
from smurf_core.runs.slices import slice_samples
from smurf_core.runs.store import get_run
from smurf_core.runs.studies import load_study
from smurf_core.runs.workspace import Workspace

Array = npt.NDArray[np.float64]


@guarded("viewer")
def chosen_clips(workspace: Workspace, study_id: str, design: Design) -> tuple[str, ...]:
    """The samples that a design has rated, in the order of the data set; practice is left out.

    Raises `InputError` if its slice or run cannot be read, or has too few samples.
    """
    dataset = load_study(workspace, study_id)
    choice = design.clips
    if choice.source == "slice":
        wanted = set(slice_samples(workspace, choice.slice).tolist())
    elif choice.source == "stratified":
        info = get_run(workspace, choice.run)
        if info.study_id != study_id:
            raise InputError(f"Run {choice.run!r} is of another study; name one of this study.")
        found = explained(RunFiles.of(workspace, choice.run).read_result(), dataset)
        wanted = set(stratified_draw(found, choice, design))
    else:
        wanted = set(dataset.sample_ids.tolist())
    wanted -= set(design.practice)
    return tuple(name for name in dataset.sample_ids.tolist() if name in wanted)


def stratified_draw(found: Explained, choice: ClipChoice, design: Design) -> list[str]:
    """`choice.count` samples, equally many (±1) from each equal part of the order by `choice.by`.

    Samples of practice and, but for `prediction`, samples that lack a modality are not drawn.
    """
    score = stratum_score(found, choice.by)
    is_open = ~np.isin(found.sample_ids, design.practice)
    if choice.by != "prediction":
        is_open &= _has_all(found)
    at = np.flatnonzero(is_open & np.isfinite(score))
    if len(at) < choice.count:
        raise InputError(
            f"Only {len(at)} samples can be drawn by {choice.by}, and the design asks for "
            f"{choice.count}: choose fewer."
        )
    random = np.random.default_rng([design.seed, 1])
    parts = np.array_split(at[np.argsort(score[at], kind="stable")], choice.strata)
    taken = [random.permutation(part) for part in parts]
    quota = np.full(choice.strata, choice.count // choice.strata)
    quota[random.permutation(choice.strata)[: choice.count % choice.strata]] += 1
    # A part may be one sample short; the others then give one more.
    chosen = [row for part, number in zip(taken, quota, strict=True) for row in part[:number]]
    rest = [row for part, number in zip(taken, quota, strict=True) for row in part[number:]]
    chosen += rest[: choice.count - len(chosen)]
    return sorted(found.sample_ids[chosen].tolist())


def stratum_score(found: Explained, by: Stratum) -> Array:
    """What a stratified draw orders samples by, [n], out of fold.

    `prediction`: the prediction, or the highest probability's logit for classes. `disagreement`:
    largest minus smallest unique contribution, so how far apart the modalities are. `unexpected`:
    the largest difference between two sides of one set, |ŷ_IJ − ŷ_JI|. For classes the last two
    are of the predicted class.
    """
    contributions = found.contributions
    predicted = contributions.prediction().argmax(axis=1)
    if by == "prediction":
        return _of(contributions.prediction(), predicted)
    if by == "disagreement":
        unique = np.stack(
            [_of(contributions.unique(m), predicted) for m in contributions.modalities], axis=1
        )
        return np.asarray(np.ptp(unique, axis=1))
    if not contributions.sets():
        raise InputError("This run shares nothing between modalities, so nothing is unexpected.")
    score = np.zeros(len(contributions))
    for members in contributions.sets():
        said = np.stack([_of(contributions.of(term), predicted) for term in members], axis=1)
        score = np.maximum(score, np.ptp(said, axis=1))
    return score


def _of(values: npt.NDArray[np.float32], output: npt.NDArray[np.int64]) -> Array:
    return np.asarray(values[np.arange(len(values)), output], dtype=np.float64)


def _has_all(found: Explained) -> npt.NDArray[np.bool_]:
    has_all = np.asarray(found.dataset.present.all(axis=1))
    return np.asarray(found.aligned(has_all), dtype=np.bool_)
