"""The authors' earlier caches (MRO, EMNLP 2022): a pickle for each partition of each fold.

`Test_bi_training_0.pickle` contains `(batches, properties)`: batches are dictionaries of `X`, `Y`
and `meta_…`, the properties are `X_names` and `Y_names`. Together the files are one study.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from smurf_core.data.problems import listing
from smurf_core.data.readers.authors_cache import cache_contents, cache_study, pickle_of
from smurf_core.data.readers.interface import Study
from smurf_core.data.readers.restricted_pickle import PickledObject, RefusedPickle, load_restricted
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError

_NAME = re.compile(
    r"(?P<target>.+)_(?P<partition>training|validation|test)(_\d+)?(_(?P<fold>\d+))?"
)
_PARTITIONS = ("training", "validation", "test")
_KEYS = {"X": "x", "Y": "y", "X_names": "x_names", "Y_names": "y_names"}

Caches = Mapping[str, Mapping[str, Mapping[str, SourceFile]]]  # target → fold → partition


def are_fold_caches(sources: Sequence[SourceFile]) -> bool:
    """True if all of several files are named as pickles of partitions."""
    return len(sources) > 1 and all(
        source.suffix in (".pickle", ".pkl") and _NAME.fullmatch(source.stem) for source in sources
    )


class FoldCachesReader:
    """Files that are one study together."""

    title = "authors' cache of folds"
    suffixes = (".pickle", ".pkl")

    def __init__(self, sources: Sequence[SourceFile]) -> None:
        self._sources = tuple(sources)

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the file is one of these."""
        return source in self._sources

    def targets(self, source: SourceFile) -> tuple[str, ...]:
        """The names of the targets, from the files' names."""
        return tuple(_by_target(self._sources))

    def read(self, source: SourceFile, *, target: str = "") -> Study:
        """The study with one of its targets."""
        caches = _by_target(self._sources)
        if target and target not in caches:
            raise InputError(f"There is no target {target!r} in these files; there are "
                             f"{listing(caches, 6)}.")  # fmt: skip
        if len(caches) > 1 and not target:
            raise InputError(
                f"{source.name}: the files have {len(caches)} targets ({listing(caches, 6)}), and "
                "none was chosen: name the one to predict as target, or several."
            )
        chosen = target or next(iter(caches))
        first = next(iter(caches[chosen].values()))["training"]
        contents = cache_contents(_folds(caches[chosen]), first)
        return cache_study(contents, chosen.rpartition("_")[2], first)


def _by_target(sources: Sequence[SourceFile]) -> Caches:
    """The files by target, fold and partition; raises an error if a partition is missing."""
    found: dict[str, dict[str, dict[str, SourceFile]]] = defaultdict(lambda: defaultdict(dict))
    for source in sources:
        match = _NAME.fullmatch(source.stem)
        if match is None:
            raise InputError(f"{source.name} is not named as a partition of a fold.")
        # The numbers after the partition: of the fold, before it how many there are.
        numbers = re.findall(r"\d+", source.stem[match.end("partition") :])
        fold = numbers[-1] if numbers else "0"
        found[match["target"]][fold][match["partition"]] = source
    for target, folds in found.items():
        for fold, parts in folds.items():
            absent = [partition for partition in _PARTITIONS if partition not in parts]
            if absent:
                raise InputError(
                    f"{target}, fold {fold}: there is no file of its {absent[0]} partition beside "
                    f"{next(iter(parts.values())).name}."
                )
    return found


def _folds(caches: Mapping[str, Mapping[str, SourceFile]]) -> dict[str, dict[str, PickledObject]]:
    return {
        fold: {partition: _loader(source) for partition, source in parts.items()}
        for fold, parts in caches.items()
    }


def _loader(source: SourceFile) -> PickledObject:
    """A file's batches and properties, with the names that the later caches use."""
    try:
        loaded: Any = load_restricted(pickle_of(source), stand_ins={})
    except RefusedPickle as error:
        raise InputError(
            f"{source.name} was not read: {error}; pickles are read only where they contain plain "
            "arrays, as the authors' caches do."
        ) from error
    is_pair = isinstance(loaded, tuple | list) and len(loaded) == 2
    batches, properties = loaded if is_pair else (None, None)
    if not isinstance(batches, list) or not isinstance(properties, dict):
        raise InputError(
            f"{source.name} is not one of the authors' caches of folds: it is not a list of "
            "batches with properties."
        )
    made = PickledObject()
    made.state = {
        "iterator": [_renamed(batch) for batch in batches if isinstance(batch, dict)],
        "properties": _renamed(properties),
    }
    return made


def _renamed(given: Mapping[Any, Any]) -> dict[str, Any]:
    return {_KEYS.get(str(key), str(key)): value for key, value in given.items()}
