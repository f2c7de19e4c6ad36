"""Folds for data that define none, and problems in the folds that data define."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from smurf_core.data.dataset import Folds, MultimodalDataset, Task
from smurf_core.data.problems import Problem, Severity, listing
from smurf_core.errors import InputError
from smurf_core.fold_label import fold_label


def make_folds(
    target: npt.NDArray[np.float32] | npt.NDArray[np.float64] | npt.NDArray[np.int64],
    task: Task,
    *,
    persons: npt.NDArray[np.str_] | None = None,
    count: int = 5,
    seed: int = 0,
) -> Folds:
    """Cross-validation folds: person-independent, stratified by class, otherwise of equal size.

    All samples of a person get the same test fold. For classification, persons are assigned one by
    one, the most uneven first, to the fold that keeps the shares of the classes most similar. For
    regression, persons with the most samples come first, and each is assigned to the smallest fold.
    Without persons, each sample counts as a person.
    """
    if count < 3:
        raise InputError(
            f"Cross-validation needs at least 3 folds (test, validation, training), got {count}."
        )
    what, codes = "samples", np.arange(len(target))
    if persons is not None:
        what, codes = "persons", np.unique(persons, return_inverse=True)[1]
    unit_count = int(codes.max(initial=-1)) + 1
    if unit_count < count:
        raise InputError(f"{count} folds need at least {count} {what}, got {unit_count}.")
    random = np.random.default_rng(seed)
    classes = target.astype(np.int64) if task == "classification" else np.zeros(len(target), int)
    if persons is None:
        return Folds.from_test_folds(_deal(classes, count, random), count)
    composition = np.zeros((unit_count, int(classes.max()) + 1))
    np.add.at(composition, (codes, classes), 1)
    return Folds.from_test_folds(_place(composition, count, random)[codes], count)


def with_made_folds(
    dataset: MultimodalDataset, *, count: int = 5, seed: int = 0
) -> MultimodalDataset:
    """The data set unchanged if it has folds, otherwise with new folds."""
    if dataset.folds is not None:
        return dataset
    return dataset.with_folds(
        make_folds(dataset.target, dataset.task, persons=dataset.persons, count=count, seed=seed)
    )


def _deal(
    classes: npt.NDArray[np.int64], count: int, random: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Test fold of each sample, [n]: samples are shuffled within classes and assigned in turn."""
    order = np.lexsort((random.random(len(classes)), classes))
    fold = np.empty(len(classes), dtype=np.int64)
    fold[order] = np.arange(len(classes)) % count
    return fold


def _place(
    composition: npt.NDArray[np.float64], count: int, random: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Test fold of each person, [persons], from the number of samples per class, [persons, c]."""
    shares = composition / composition.sum(axis=0).clip(min=1)
    unevenness = shares.std(axis=1) if shares.shape[1] > 1 else shares[:, 0]
    fold = np.empty(len(composition), dtype=np.int64)
    filled = np.zeros((count, composition.shape[1]))  # share of each class in each fold
    sizes = np.zeros(count)
    for group in np.lexsort((random.random(len(shares)), -shares.sum(axis=1), -unevenness)):
        after = filled[None] + np.eye(count)[:, :, None] * shares[group]  # [choice, fold, class]
        spread = after.std(axis=1).mean(axis=1).round(12)
        choice = int(np.lexsort((sizes, spread))[0])
        filled[choice] += shares[group]
        sizes[choice] += composition[group].sum()
        fold[group] = choice
    return fold


def fold_problems(dataset: MultimodalDataset) -> list[Problem]:
    """Problems of the data set's folds: leaks, persons in two roles, absent classes.

    A problem that occurs in several folds is listed once. Messages count folds from 1.
    """
    if dataset.folds is None:
        return []
    folds = dataset.folds
    found: dict[Problem, list[int]] = {}
    for fold in range(len(folds)):
        roles = {
            "training": folds.training[fold],
            "validation": folds.validation[fold],
            "test": folds.test[fold],
        }
        for check in (_empty_roles, _shared_samples, _shared_persons, _absent_values):
            for problem in check(roles, dataset):
                found.setdefault(problem, []).append(fold_label(fold))
    problems = [_in_folds(problem, numbers) for problem, numbers in found.items()]
    untested = int((folds.tested_by() < 0).sum())
    if untested:
        message = f"{untested} of {len(dataset)} samples are in no fold's test set."
        remedy = (
            "They are used for training or validation only and have no out-of-fold contributions."
        )
        problems.append(Problem("note", message, remedy=remedy))
    return problems


# Training, validation and test → True for each sample with this role in one fold, [n].
_Roles = dict[str, npt.NDArray[np.bool_]]


def _in_folds(problem: Problem, numbers: list[int]) -> Problem:
    folds = f"Fold{'s' if len(numbers) > 1 else ''} {listing(numbers, 10)}"
    return replace(problem, message=f"{folds}: {problem.message}")


def _empty_roles(roles: _Roles, _: MultimodalDataset) -> list[Problem]:
    return [
        Problem("error", f"there are no {role} samples.", remedy="Each fold needs all three roles.")
        for role, members in roles.items()
        if not members.any()
    ]


def _shared_samples(roles: _Roles, dataset: MultimodalDataset) -> list[Problem]:
    problems = []
    for role in ("validation", "test"):
        shared = int((roles[role] & roles["training"]).sum())
        if shared:
            # The authors' synthetic data does this on purpose: no generalisation is tested there.
            severity: Severity = "note" if dataset.origin == "synthetic" else "warning"
            message = f"{shared} training samples are also {role} samples."
            problems.append(Problem(severity, message, remedy="Scores there are optimistic."))
    return problems


def _shared_persons(roles: _Roles, dataset: MultimodalDataset) -> list[Problem]:
    if dataset.persons is None:
        return []
    problems = []
    trained = set(dataset.persons[roles["training"]].tolist())
    for role in ("validation", "test"):
        # Samples with both roles are a separate problem; this one is about different samples.
        apart = roles[role] & ~roles["training"]
        shared = sorted(trained & set(dataset.persons[apart].tolist()))
        if shared:
            persons = f"{len(shared)} person{'s' if len(shared) > 1 else ''} ({listing(shared)})"
            remedy = "Leave the fold column out to have person-independent folds made."
            message = f"{persons} in training and {role}."
            problems.append(Problem("warning", message, remedy=remedy))
    return problems


def _absent_values(roles: _Roles, dataset: MultimodalDataset) -> list[Problem]:
    """Classes that a role lacks; for regression, roles with a constant target."""
    problems = []
    for role, members in roles.items():
        values = np.unique(dataset.target[members])
        if dataset.task == "regression":
            if len(values) == 1:
                message = f"the target is the same for all {role} samples."
                problems.append(Problem("warning", message, remedy="Correlations need variation."))
            continue
        absent = [name for code, name in enumerate(dataset.class_names) if code not in values]
        if absent and members.any():
            message = f"no {role} sample is of class {listing(absent)}."
            remedy = "Use fewer folds, or leave the fold column out to have stratified ones made."
            problems.append(Problem("warning", message, remedy=remedy))
    return problems
