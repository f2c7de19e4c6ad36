"""The parts of *Ratings*: design, size, raters, progress and use of a collection."""

from __future__ import annotations

from collections.abc import Callable

from app.sections.ratings.collections import choose_collection, what_is_there
from app.sections.ratings.design import design_tab
from app.sections.ratings.power import power_tab
from app.sections.ratings.raters import raters_tab
from app.sections.ratings.use import follow_ratings, use_tab
from app.sections.ratings.watch import watch_tab
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.ratings.store import Collection
from smurf_core.runs.studies import StudyInfo

__all__ = ["choose_collection", "follow_ratings", "ratings_parts", "what_is_there"]


def ratings_parts(
    study: StudyInfo,
    dataset: MultimodalDataset,
    persons: int | None,
    collection: Collection | None,
) -> dict[str, Callable[[], None]]:
    """The tabs of the page; those about a collection only if there is one."""
    parts: dict[str, Callable[[], None]] = {
        "Design": lambda: design_tab(study, dataset, collection),
        "How many?": lambda: power_tab(study, persons),
    }
    if collection is None:
        return parts
    return parts | {
        "Raters": lambda: raters_tab(collection),
        "Watch": lambda: watch_tab(collection),
        "Use and export": lambda: use_tab(study, dataset, collection),
    }
