"""The paper authors' released feature caches: `{target: {fold: {partition: loader}}}`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any
from zipfile import ZipFile

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.data.cleaning import clean_features
from smurf_core.data.dataset import Features, Folds, MultimodalDataset
from smurf_core.data.generated.synthetic import redundant_factor, unique_factor
from smurf_core.data.problems import Problem, listing
from smurf_core.data.readers.interface import Study
from smurf_core.data.readers.restricted_pickle import PickledObject, RefusedPickle, load_restricted
from smurf_core.data.sources import ARCHIVE_ERRORS, SourceFile, check_shape, zip_members
from smurf_core.errors import InputError

_LOADER = {("python_tools.ml.data_loader", "DataLoader"): "DataLoader"}
_PARTITIONS = ("training", "validation", "test")
_MAX_FOLDS = 100
_PERSON = "meta_id"
# The four classes of the authors' target "av".
_QUADRANTS = {"HAHV", "HALV", "LAHV", "LALV"}
# The non-additive data (eq. 32-33): the names of its columns, and the factor of each.
_NON_ADDITIVE = {
    "acoustic_b_u_al": "u_acoustic",
    "language_b_u_al": "u_language",
    "vision_a_av_lv": "u_vision",
    "acoustic_a_r_av_lv": "r_acoustic_language",
    "language_a_r_av_lv": "r_acoustic_language",
}
_PRODUCTS = (("u_acoustic", "u_language"), ("u_vision", "r_acoustic_language"))

Columns = dict[str, npt.NDArray[Any]]  # x [n, d], y [n, 1], meta_* [n, 1]


class AuthorsCacheReader:
    """Caches as the authors publish them: a zip by torch.save, or the pickle inside it."""

    title = "authors' cache"
    suffixes = (".pickle", ".pkl")

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the file is a pickle or a zip with one: other pickles get an error message."""
        if head.startswith(b"PK\x03\x04"):
            return b"data.pkl" in head[:300]
        is_pickle = head[:1] == b"\x80" and head[1:2] in b"\1\2\3\4\5"
        return is_pickle or source.suffix in (".pickle", ".pkl", ".pt", ".pth")

    def targets(self, source: SourceFile) -> tuple[str, ...]:
        """The names of the cache's targets."""
        return tuple(_load(source))

    def read(self, source: SourceFile, *, target: str = "") -> Study:
        """The cache with one target; modalities are the prefixes of the features' names."""
        targets = _load(source)
        chosen = target or next(iter(targets))
        if chosen not in targets:
            raise InputError(
                f"{source.name} has no target {chosen!r}; there are {', '.join(targets)}."
            )
        if len(targets) > 1 and not target:
            raise InputError(
                f"{source.name}: there are {len(targets)} targets ({listing(targets, 6)}), and "
                "none was chosen: name the one to predict as target, or several."
            )
        return cache_study(cache_contents(targets[chosen], source), chosen, source)


@dataclass(frozen=True)
class CacheContents:
    """One target of a cache: each sample once, and its roles in each fold."""

    columns: Columns
    roles: dict[str, npt.NDArray[np.bool_]]  # partition → [folds, n]
    x_names: tuple[str, ...]
    y_names: tuple[str, ...]


def _load(source: SourceFile) -> dict[str, Any]:
    """The outer dictionary, with the targets' names as text."""
    try:
        loaded = load_restricted(pickle_of(source), stand_ins=_LOADER)
    except RefusedPickle as error:
        raise InputError(
            f"{source.name} was not read: {error}; pickles are read only where they contain plain "
            "arrays, as the authors' caches do."
        ) from error
    is_cache = isinstance(loaded, dict) and all(isinstance(f, dict) and f for f in loaded.values())
    if not loaded or not is_cache:
        raise _not_a_cache(source, "it is not a dictionary of targets")
    return {str(target): folds for target, folds in loaded.items()}


def pickle_of(source: SourceFile) -> bytes:
    """The bytes of a pickle, also of one in a zip by torch.save."""
    return _inner(source) if source.head(4).startswith(b"PK") else source.path.read_bytes()


def _inner(source: SourceFile) -> bytes:
    members = zip_members(source)
    pickles = [name for name in members if name.rpartition("/")[2] == "data.pkl"]
    if len(pickles) != 1:
        raise _not_a_cache(source, "it contains no data.pkl")
    try:
        with ZipFile(source.path) as archive:
            return archive.read(pickles[0])
    except ARCHIVE_ERRORS as error:
        raise InputError(f"{source.name} is damaged: download it again.") from error


def _not_a_cache(source: SourceFile, why: str) -> InputError:
    return InputError(f"{source.name} is not one of the authors' feature caches: {why}.")


def cache_contents(folds: Mapping[Any, Any], source: SourceFile) -> CacheContents:
    """Identify each sample in all folds by its features, target and description."""
    parts: list[Columns] = []
    kept: dict[tuple[bytes, int], int] = {}  # content and its occurrence → position
    positions: list[list[tuple[str, npt.NDArray[np.int64]]]] = []
    names: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    total = 0
    if len(folds) > _MAX_FOLDS:
        raise _not_a_cache(source, f"it has {len(folds):,} folds")
    for fold in sorted(folds, key=str):
        positions.append([])
        for partition in _PARTITIONS:
            columns, own_names = _partition(folds[fold], partition, source)
            names = names or own_names
            if parts and set(columns) != set(parts[0]):
                raise _not_a_cache(source, "its partitions contain different columns")
            if own_names != names:
                raise _not_a_cache(source, "its partitions name different features")
            where, is_new = _find(columns, kept)
            positions[-1].append((partition, where))
            parts.append({key: values[is_new] for key, values in columns.items()})
            total += len(where)
            check_shape(source, total, len(own_names[0]))
    n = len(kept)
    roles = {partition: np.zeros((len(positions), n), dtype=bool) for partition in _PARTITIONS}
    for number, partitions in enumerate(positions):
        for partition, where in partitions:
            roles[partition][number, where] = True
    if names is None or n == 0:
        raise _not_a_cache(source, "it contains no samples")
    columns = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    return CacheContents(columns, roles, *names)


def _partition(
    partitions: Any, partition: str, source: SourceFile
) -> tuple[Columns, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Columns of one partition of one fold, and the names of features and of the target."""
    loader = partitions.get(partition) if isinstance(partitions, dict) else None
    if not isinstance(loader, PickledObject) or not isinstance(loader.state, dict):
        raise _not_a_cache(source, f"a fold has no {partition} loader")
    batches, properties = loader.state.get("iterator"), loader.state.get("properties")
    if not isinstance(batches, list) or not batches or not isinstance(properties, dict):
        raise _not_a_cache(source, "a loader has no batches or no properties")
    collected: dict[str, list[npt.NDArray[Any]]] = defaultdict(list)
    for batch in batches:
        for key, values in batch.items() if isinstance(batch, dict) else ():
            collected[str(key)].append(_only_array(values, str(key), source))
    size = sum(array.nbytes for arrays in collected.values() for array in arrays)
    # The same array may occur a million times in a pickle.
    check_shape(source, max(size // 4, 1), 1)
    try:
        columns = {key: np.concatenate(arrays) for key, arrays in collected.items()}
    except ValueError as error:
        raise _not_a_cache(source, "batches have different widths") from error
    x_names, y_names = (
        tuple(str(name) for name in np.ravel(properties.get(key, ())).tolist())
        for key in ("x_names", "y_names")
    )
    x, y = columns.get("x"), columns.get("y")
    if x is None or x.shape[1] != len(x_names) or x.dtype.kind not in "iuf":
        raise _not_a_cache(source, "x is not a table of numbers with a name for each column")
    if y is None or y.shape[1] != 1 or y.dtype.kind not in "iuf":
        raise _not_a_cache(source, "y is not one number per sample")
    if len({len(values) for values in columns.values()}) != 1:
        raise _not_a_cache(source, "x, y and meta have different numbers of samples")
    return columns, (x_names, y_names)


def _only_array(values: Any, key: str, source: SourceFile) -> npt.NDArray[Any]:
    """The one array in a list, as a table [n, d]."""
    if isinstance(values, list) and len(values) == 1:
        values = values[0]
    if not isinstance(values, np.ndarray) or values.ndim not in (1, 2):
        raise _not_a_cache(source, f"{key} is not one table of values")
    return values[:, None] if values.ndim == 1 else values


def _find(
    columns: Columns, kept: dict[tuple[bytes, int], int]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Position of each row among all samples, and True for each row that is new.

    Equal rows within one partition are different samples, in their order.
    """
    n = len(columns["x"])
    seen: dict[bytes, int] = defaultdict(int)
    where = np.empty(n, dtype=np.int64)
    is_new = np.zeros(n, dtype=bool)
    ordered = [columns[key] for key in sorted(columns)]
    for row in range(n):
        content = b"\0".join(
            str(values[row].tolist()).encode() if values.dtype == object else values[row].tobytes()
            for values in ordered
        )
        key = (content, seen[content])
        seen[content] += 1
        is_new[row] = key not in kept
        where[row] = kept.setdefault(key, len(kept))
    return where, is_new


def cache_study(contents: CacheContents, target: str, source: SourceFile) -> Study:
    """The data set of one target, with the folds of its roles."""
    problems: list[Problem] = []
    order = _order(contents)
    columns = {key: values[order] for key, values in contents.columns.items()}
    roles = {partition: members[:, order] for partition, members in contents.roles.items()}
    names, renamed = _true_names(contents.x_names, columns, source)
    problems += renamed
    features, cleaned = _features(names, columns["x"], source)
    problems += cleaned
    class_names, y = _target(contents.y_names, columns["y"][:, 0], source, problems)
    persons = _persons(columns)
    ids = _sample_ids(persons, len(y))
    factors = _factors(names, columns, tuple(features))
    described = {
        key.removeprefix("meta_"): values[:, 0]
        for key, values in columns.items()
        if key.startswith("meta_") and key != _PERSON and key[5:] not in contents.x_names
    }
    dataset = MultimodalDataset(
        name=source.stem,
        task="classification" if class_names else "regression",
        features=features,
        sample_ids=ids,
        target=y,
        target_name="quadrant" if set(class_names) == _QUADRANTS else target,
        class_names=class_names,
        persons=persons,
        folds=Folds(**roles),
        samples=pd.DataFrame(described, index=pd.Index(ids, name="sample_id")),
        factors=factors,
        origin="synthetic" if factors else "recorded",
        notes=tuple(str(problem) for problem in problems),
    )
    return Study(dataset, tuple(problems))


def _order(contents: CacheContents) -> npt.NDArray[np.int64]:
    """Samples ordered by person if there are several persons, otherwise in their order."""
    persons = contents.columns.get(_PERSON)
    if persons is None:
        return np.arange(len(contents.columns["x"]))
    return np.argsort(persons[:, 0], kind="stable")


def _persons(columns: Columns) -> npt.NDArray[np.str_] | None:
    """Persons as p00, p01, … if they are numbers; None if all samples are of one person."""
    if _PERSON not in columns or len(np.unique(columns[_PERSON])) < 2:
        return None
    persons = columns[_PERSON][:, 0]
    if persons.dtype.kind not in "iu":
        return persons.astype(np.str_)
    width = len(str(persons.max()))
    return np.array([f"p{person:0{width}d}" for person in persons.tolist()])


def _sample_ids(persons: npt.NDArray[np.str_] | None, n: int) -> npt.NDArray[np.str_]:
    """Ids from person and number, such as p00_03, because caches have no ids."""
    if persons is None:
        width = len(str(n - 1))
        return np.array([f"s{i:0{width}d}" for i in range(n)])
    numbers = pd.Series(persons).groupby(persons).cumcount()
    width = len(str(numbers.max()))
    return np.array([f"{p}_{k:0{width}d}" for p, k in zip(persons, numbers, strict=True)])


def _modality(name: str) -> str:
    return name.split("_", 1)[0]


def _true_names(
    names: tuple[str, ...], columns: Columns, source: SourceFile
) -> tuple[tuple[str, ...], list[Problem]]:
    """New names for columns of x that equal columns of `meta_*`, if the cache contains these."""
    modalities = list(dict.fromkeys(_modality(name) for name in names))
    renamed = list(names)
    for modality in modalities:
        own = [j for j, name in enumerate(names) if _modality(name) == modality]
        known = {names[j]: columns.get(f"meta_{names[j]}") for j in own}
        if any(values is None for values in known.values()):
            return names, []
        for j in own:
            equal = [
                name
                for name, values in known.items()
                if values is not None and np.array_equal(values[:, 0], columns["x"][:, j])
            ]
            renamed[j] = equal[0] if len(equal) == 1 else names[j]
    if renamed == list(names) or len(set(renamed)) != len(renamed):
        return names, []
    wrong = [f"{a} is {b}" for a, b in zip(names, renamed, strict=True) if a != b]
    message = f"the names of {len(wrong)} features do not fit their columns ({listing(wrong)})."
    remedy = "Columns were named by the factors that they equal."
    return tuple(renamed), [Problem("warning", message, source.name, remedy=remedy)]


def _features(
    names: tuple[str, ...], x: npt.NDArray[Any], source: SourceFile
) -> tuple[dict[str, Features], list[Problem]]:
    """The features of each modality, in alphabetical order of the modalities."""
    features: dict[str, Features] = {}
    problems: list[Problem] = []
    for modality in sorted({_modality(name) for name in names}):
        own = [j for j, name in enumerate(names) if _modality(name) == modality]
        own_names = tuple(names[j] for j in own)
        clean = clean_features(x[:, own], own_names, modality=modality, file=source.name)
        features[modality] = clean.features
        problems += clean.problems
    return features, problems


def _target(
    y_names: tuple[str, ...], y: npt.NDArray[Any], source: SourceFile, problems: list[Problem]
) -> tuple[tuple[str, ...], npt.NDArray[np.float32] | npt.NDArray[np.int64]]:
    """Codes and alphabetical names of the classes that occur, or values."""
    if len(y_names) < 2:
        return (), y.astype(np.float32)
    codes = y.astype(np.int64)
    if codes.min() < 0 or codes.max() >= len(y_names) or (codes != y).any():
        raise _not_a_cache(source, "classes are not codes of the names in y_names")
    names = np.array(y_names)[codes]
    absent = [name for name in y_names if name not in names]
    if absent:
        message = f"no sample is of class {listing(absent)}."
        problems.append(Problem("note", message, source.name, remedy="The class was left out."))
    ordered, new_codes = np.unique(names, return_inverse=True)
    return tuple(ordered.tolist()), new_codes.astype(np.int64)


def _factors(
    names: tuple[str, ...], columns: Columns, modalities: tuple[str, ...]
) -> dict[str, npt.NDArray[np.float32]]:
    """True factors under the names that this project's synthetic data use."""
    known = {name: columns.get(f"meta_{name}") for name in names}
    given = {k: v[:, 0].astype(np.float32) for k, v in known.items() if v is not None}
    if len(given) < len(names):
        return {}
    if set(names) == set(_NON_ADDITIVE):
        factors = {_NON_ADDITIVE[name]: values for name, values in given.items()}
        return factors | {f"{a}*{b}": factors[a] * factors[b] for a, b in _PRODUCTS}
    called = {f"{name}_unique": unique_factor(name) for name in modalities}
    called |= {f"{a}_{b}": redundant_factor(a, b) for a, b in combinations(modalities, 2)}
    return {called[name]: values for name, values in given.items() if name in called}
