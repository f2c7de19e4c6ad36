"""Ratings become the study's judgments and informativeness, without a file in between."""

from __future__ import annotations

from collections.abc import Collection as Names
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.data.dataset import MultimodalDataset
from smurf_core.data.problems import listing
from smurf_core.data.storage import (
    judgments_source,
    judgments_stamp,
    remove_judgments,
    write_judgments,
)
from smurf_core.errors import InputError
from smurf_core.people.guard import guarded
from smurf_core.ratings.agreement import counted, rating_matrix
from smurf_core.ratings.catalogue import list_collections, open_collection
from smurf_core.ratings.design import Condition, Design, Scale
from smurf_core.ratings.store import Collection
from smurf_core.ratings.tables import answer_table, stamp
from smurf_core.runs.disk import said_in_words
from smurf_core.runs.studies import load_study
from smurf_core.runs.workspace import Workspace


@dataclass(frozen=True)
class Collected:
    """What a collection says about a data set's samples; arrays are aligned with them."""

    judgments: dict[frozenset[str], npt.NDArray[np.float32]]  # shown → mean rating [n] or NaN
    ratings: dict[frozenset[str], npt.NDArray[np.float32]]  # shown → [raters, n], NaN for none
    informativeness: dict[str, npt.NDArray[np.int64]]  # modality → level [n], −1 for none
    note: str

    @property
    def sentence(self) -> str:
        """What is there, in one sentence."""
        parts = [
            f"{', '.join(sorted(shown))}: {int(np.isfinite(r).any(axis=0).sum())} samples by "
            f"{len(r)} raters"
            for shown, r in self.ratings.items()
        ]
        if self.informativeness:
            parts.append(f"informativeness of {', '.join(self.informativeness)}")
        return f"{self.note} {'; '.join(parts)}."


def comparable_answers(collection: Collection) -> pd.DataFrame:
    """`answer_table`, without answers to what the newest design asks or shows differently."""
    answers = answer_table(collection)
    newest = collection.design_version()
    keep = np.ones(len(answers), dtype=bool)
    for version in collection.design_versions():
        changed = {
            *(c.name for c in version.design.conditions if c not in newest.design.conditions)
        }
        scales = {s.name for s in version.design.scales if s not in newest.design.scales}
        is_own = (answers["version"] == version.number).to_numpy()
        is_changed = answers["condition"].isin(changed) | answers["scale"].isin(scales)
        keep &= ~(is_own & is_changed.to_numpy())
    return answers[keep]


def collected(
    collection: Collection,
    dataset: MultimodalDataset,
    *,
    scale: str | None = None,
    conditions: Names[str] | None = None,
) -> Collected:
    """A collection's ratings as judgments and informativeness of a data set.

    Judgments are mean ratings over raters, in the target's unit; each rater's own are kept, so that
    what the raters' scales differ in is taken out (`smurf_core.statistics.calibration.by_rater`)
    and agreement sets a ceiling. Informativeness is the lower median of the raters' levels.
    Practice, repeats, checks and excluded raters do not count.

    Parameters
    ----------
    collection : Collection
        Its answers.
    dataset : MultimodalDataset
        Its study.
    scale : str or None
        Which scale are the judgments; None: the one that measures the target.
    conditions : collection of str or None
        Which conditions count; None: all. Needed where two show the same modalities.

    Raises
    ------
    InputError
        If it is not clear which scale or condition is meant, or nothing was rated yet.
    """
    design = collection.design_version().design
    answers = counted(comparable_answers(collection))
    used = _conditions(design, conditions)
    judgments: dict[frozenset[str], npt.NDArray[np.float32]] = {}
    ratings: dict[frozenset[str], npt.NDArray[np.float32]] = {}
    main = _main_scale(design, dataset, scale)
    if main is not None:
        for condition in used:
            _, _, given = rating_matrix(answers, main.name, condition.name, dataset.sample_ids)
            if len(given):
                shown = frozenset(condition.modalities)
                ratings[shown] = given.astype(np.float32)
                judgments[shown] = _mean(given)
    levels = _levels(design, answers, used, dataset)
    if not judgments and not levels:
        raise InputError("Nothing has been rated yet that could be used; wait for answers.")
    raters = answers["rater"].nunique()
    who = "simulated raters, which a program made" if collection.is_simulated else "raters"
    note = f"Judgments of {raters} {who}, collected in SMURF Studio ({collection.id})."
    return Collected(judgments, ratings, levels, note)


@guarded("editor", "collection")
def use_ratings(
    workspace: Workspace,
    collection: Collection,
    *,
    scale: str | None = None,
    conditions: Names[str] | None = None,
) -> Collected:
    """Make a collection's ratings its study's judgments, for every page, command and report.

    `update_used` adds what comes in later. Judgments from files of the same modalities are
    replaced, others stay; `stop_using` restores them. See `collected` for the parameters.
    """
    return _use(workspace, collection, scale, None if conditions is None else list(conditions))


def _use(
    workspace: Workspace, collection: Collection, scale: str | None, conditions: list[str] | None
) -> Collected:
    study_id = collection.fact("study")
    dataset = load_study(workspace, study_id)
    source = {
        "collection": collection.id, "scale": scale, "conditions": conditions,
        "stamp": stamp(collection),
    }  # fmt: skip
    found = collected(collection, dataset, scale=scale, conditions=conditions)
    with said_in_words(workspace.root):
        write_judgments(
            workspace.study_folder(study_id), dataset.sample_ids, judgments=found.judgments,
            ratings=found.ratings, informativeness=found.informativeness, note=found.note,
            source=source,
        )  # fmt: skip
    return found


@guarded("editor", audited=False)
def used_collection(workspace: Workspace, study_id: str) -> Collection | None:
    """The collection whose ratings are the study's judgments; None if none is, or it is deleted."""
    source = judgments_source(workspace.study_folder(study_id))
    known = {info.id for info in list_collections(workspace, study_id)}
    if source is None or source["collection"] not in known:
        return None
    return open_collection(workspace, study_id, source["collection"])


@guarded("editor", audited=False)
def update_used(workspace: Workspace, study_id: str) -> bool:
    """Add to the judgments what has come in since `use_ratings`; True if anything has."""
    collection = used_collection(workspace, study_id)
    source = judgments_source(workspace.study_folder(study_id))
    if collection is None or source is None or source["stamp"] == stamp(collection):
        return False
    _use(workspace, collection, source["scale"], source["conditions"])
    return True


@guarded("editor")
def stop_using(workspace: Workspace, study_id: str) -> None:
    """Undo `use_ratings`: the study has the judgments of its files again."""
    with said_in_words(workspace.root):
        remove_judgments(workspace.study_folder(study_id))


@guarded("viewer")
def used_stamp(workspace: Workspace, study_id: str) -> tuple[int, int] | None:
    """A stamp that changes whenever `use_ratings` was called; None if none are in use.

    What is cached of a study must be cached with it.
    """
    return judgments_stamp(workspace.study_folder(study_id))


def _mean(given: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    number = np.isfinite(given).sum(axis=0)
    total = np.nansum(given, axis=0)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan).astype(np.float32)


def _conditions(design: Design, names: Names[str] | None) -> list[Condition]:
    used = [design.condition(n) for n in names] if names else list(design.conditions)
    seen: dict[frozenset[str], str] = {}
    for condition in used:
        other = seen.setdefault(frozenset(condition.modalities), condition.name)
        if other != condition.name:
            raise InputError(
                f"Conditions {other!r} and {condition.name!r} both show "
                f"{listing(condition.modalities, 6)}; name the one whose ratings are used."
            )
    return used


def _main_scale(design: Design, dataset: MultimodalDataset, name: str | None) -> Scale | None:
    """The scale of the judgments; None for classes, of which there are no judgments."""
    if name is not None:
        scale = design.scale(name)
        if not scale.is_numeric or dataset.task != "regression":
            raise InputError(
                f"Judgments are numbers in the unit of {dataset.target_name!r}, which scale "
                f"{name!r} does not give."
            )
        return scale
    if dataset.task != "regression":
        return None
    found = [s for s in design.scales if s.is_numeric and s.measures == dataset.target_name]
    if len(found) > 1:
        raise InputError(
            f"Scales {listing([s.name for s in found], 6)} all measure {dataset.target_name!r}; "
            "name the one that is used."
        )
    return found[0] if found else None


def _levels(
    design: Design, answers: pd.DataFrame, used: list[Condition], dataset: MultimodalDataset
) -> dict[str, npt.NDArray[np.int64]]:
    """Informativeness: over the raters of all conditions that ask for it, the lower median."""
    names = [s.name for s in design.scales if s.kind == "informativeness"]
    own = answers[answers["scale"].isin(names) & answers["condition"].isin([c.name for c in used])]
    found = {}
    for modality in dataset.modalities:
        given = own[own["key"].isin([f"{name}/{modality}" for name in names])]
        if given.empty:
            continue
        lower = given.groupby("clip")["value"].quantile(0.5, interpolation="lower")
        level = lower.reindex(dataset.sample_ids).to_numpy(dtype=np.float64)
        found[modality] = np.where(np.isfinite(level), level, -1).astype(np.int64)
    return found
