"""Synthetic data whose true unique and redundant contributions are known (section 4.1)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from string import ascii_uppercase
from typing import Literal

import numpy as np
import numpy.typing as npt

from smurf_core.data.dataset import Features, Folds, MultimodalDataset, Task
from smurf_core.errors import InputError

# `same` is the authors' protocol for synthetic data: all samples train, validate and test.
FoldScheme = Literal["cross_validation", "same"]
CLASS_NAMES = ("class_1", "class_2", "class_3")
FOLD_COUNT = 5


def unique_factor(modality: str) -> str:
    """The name in `factors` of what only one modality contains: `u_A`."""
    return f"u_{modality}"


def redundant_factor(first: str, second: str) -> str:
    """The name in `factors` of what two modalities share, in the data set's order: `r_AB`."""
    are_letters = len(first) == len(second) == 1
    return f"r_{first}{second}" if are_letters else f"r_{first}_{second}"


def derived_factor(factor: str, modality: str) -> str:
    """The name in `factors` of the part of a noisy shared factor that a modality can predict."""
    return f"{factor}|{modality}"


def synthetic_additive(
    *,
    samples: int = 5000,
    modalities: int = 3,
    seed: int = 0,
    visible: tuple[str, ...] | None = None,
    task: Task = "regression",
    folds: FoldScheme = "cross_validation",
    scales: Mapping[str, float] | None = None,
) -> MultimodalDataset:
    """Make synthetic data whose target is a sum of independent normal factors (eq. 16-19).

    Equations 16-19 for any number of modalities: y = Σ u_I + Σ r_IJ, and modality I is [u_I, r_IJ
    for every other J]. `visible` keeps some modalities and does not change y: the paper's bimodal
    setting is `visible=("A", "B")`, in which u_A + r_AC is unique to A.

    For classification every factor has one column per class (`u_A[class_1]`, …), the sums over
    factors are the logits, and the label is drawn from their softmax: cross entropy then recovers
    the logits.

    `scales` (factor → number, default 1) weight factors in the target. A factor with weight 0 has
    no influence on the target, although modalities still contain it: if it is shared, features
    correlate without use for the prediction, and its contributions should be zero.

    `factors` contain all true factors with their scale in the target, including those that no
    visible modality contains.
    """
    names = _modality_names(modalities)
    shown = names if visible is None else visible
    unknown = [name for name in shown if name not in names]
    if unknown or len(set(shown)) < 2:
        raise InputError(
            f"Choose at least 2 different modalities of {', '.join(names)}, got {', '.join(shown)}."
        )
    _check_sample_count(samples)
    random = np.random.default_rng(seed)
    columns = [""] if task == "regression" else [f"[{name}]" for name in CLASS_NAMES]
    pairs = list(combinations(names, 2))
    parts = [unique_factor(i) for i in names] + [redundant_factor(i, j) for i, j in pairs]
    drawn = random.standard_normal((samples, len(parts), len(columns))).astype(np.float32)
    unknown = [part for part in scales or () if part not in parts]
    if unknown:
        raise InputError(f"No factor {', '.join(unknown)}; there are {', '.join(parts)}.")
    weights = np.array([(scales or {}).get(part, 1.0) for part in parts], dtype=np.float32)
    held, factors = (
        {
            part + column: values[:, p, c]
            for p, part in enumerate(parts)
            for c, column in enumerate(columns)
        }
        for values in (drawn, drawn * weights[:, None])
    )
    logits = (drawn * weights[:, None]).sum(axis=1, dtype=np.float64)
    # The maximum of logits with Gumbel noise is a draw from their softmax.
    labels = (logits + random.gumbel(size=logits.shape)).argmax(axis=1)
    is_regression = task == "regression"
    return MultimodalDataset(
        name=f"Synthetic, {len(shown)} modalities" + ("" if is_regression else ", 3 classes"),
        task=task,
        features={
            name: _stack(
                held,
                [part + column for part in _parts_of(name, pairs) for column in columns],
            )
            for name in shown
        },
        sample_ids=_sample_ids(samples),
        target=logits[:, 0].astype(np.float32) if is_regression else labels.astype(np.int64),
        target_name="y",
        class_names=() if is_regression else CLASS_NAMES,
        folds=_folds(samples, folds, seed),
        factors=factors,
        origin="synthetic",
    )


NOISE = (0.3, 0.6, 0.9)  # sd of the noise with which A, B and C observe what they share
WEIGHTS = (0.5, 1.0, 1.5)  # of the factors in the target, in turn


def synthetic_noisy(
    *, samples: int = 5000, seed: int = 0, folds: FoldScheme = "cross_validation"
) -> MultimodalDataset:
    """Make harder synthetic data: noisy shared factors, unequal variances, nonlinear features.

    y = Σ a u_I + Σ b r_IJ as in eq. 16, with the unequal weights `WEIGHTS`. But modality I does not
    contain r_IJ: it contains s_IJ = r_IJ + σ_I e_IJ, with separate noise of the strengths `NOISE`.
    Its features are a rotation of (u_I, s_IJ for every other J), each then transformed to z + z³ /
    3, so that a network needs hidden layers to separate them.

    What a model can recover: factors and noise are independent and normal, so the best prediction
    is additive, Σ a u_I + Σ b (w_I s_IJ + w_J s_JI), w_I = σ_I⁻² / (1 + σ_I⁻² + σ_J⁻²). Of I's
    features only s_IJ is related to J's, and r_IJ in it cannot be separated from e_IJ. So the true
    redundant contribution of I is `r_IJ|I` = b w_I s_IJ; the two sides of a pair correlate with 1 /
    √((1 + σ_I²) (1 + σ_J²)), not with 1, and I's side with r_IJ itself with 1 / √(1 + σ_I²).
    """
    names = _modality_names(3)
    _check_sample_count(samples)
    random = np.random.default_rng(seed)
    pairs = list(combinations(names, 2))
    noise = dict(zip(names, NOISE, strict=True))
    parts = [unique_factor(i) for i in names] + [redundant_factor(i, j) for i, j in pairs]
    weights = {part: WEIGHTS[p % len(WEIGHTS)] for p, part in enumerate(parts)}
    drawn = {part: random.standard_normal(samples) for part in parts}
    factors = {part: weights[part] * values for part, values in drawn.items()}
    held = {name: [drawn[unique_factor(name)]] for name in names}
    for pair in pairs:
        shared = redundant_factor(*pair)
        precision = {name: noise[name] ** -2 for name in pair}
        for name in pair:
            seen = drawn[shared] + noise[name] * random.standard_normal(samples)
            held[name].append(seen)
            share = precision[name] / (1 + sum(precision.values()))
            factors[derived_factor(shared, name)] = weights[shared] * share * seen
    features = {}
    for name in names:
        rotation, _ = np.linalg.qr(random.standard_normal((len(held[name]),) * 2))
        z = np.stack(held[name], axis=1) @ rotation
        columns = tuple(f"{name}_{k}" for k in range(z.shape[1]))
        features[name] = Features((z + z**3 / 3).astype(np.float32), columns)
    target = np.sum([factors[part] for part in parts], axis=0)
    return MultimodalDataset(
        name="Synthetic, noisy",
        task="regression",
        features=features,
        sample_ids=_sample_ids(samples),
        target=target.astype(np.float32),
        target_name="y",
        folds=_folds(samples, folds, seed),
        factors={name: values.astype(np.float32) for name, values in factors.items()},
        origin="synthetic",
    )


def synthetic_interactions(
    *, samples: int = 2500, seed: int = 0, folds: FoldScheme = "cross_validation"
) -> MultimodalDataset:
    """Make non-additive data: y = u_A u_B + u_C r_AB of standard normal factors (eq. 32-33).

    A = [u_A, r_AB], B = [u_B, r_AB], C = [u_C]. `factors` contain these four and the two parts of
    the target: `u_A*u_B`, unique to (A, B), and `u_C*r_AB`, redundant between (A, C) and (B, C).
    """
    _check_sample_count(samples)
    random = np.random.default_rng(seed)
    parts = ("u_A", "u_B", "u_C", "r_AB")
    drawn = random.standard_normal((samples, len(parts))).astype(np.float32)
    factors = {part: drawn[:, p] for p, part in enumerate(parts)}
    factors["u_A*u_B"] = factors["u_A"] * factors["u_B"]
    factors["u_C*r_AB"] = factors["u_C"] * factors["r_AB"]
    return MultimodalDataset(
        name="Synthetic, interactions",
        task="regression",
        features={
            "A": _stack(factors, ["u_A", "r_AB"]),
            "B": _stack(factors, ["u_B", "r_AB"]),
            "C": _stack(factors, ["u_C"]),
        },
        sample_ids=_sample_ids(samples),
        target=factors["u_A*u_B"] + factors["u_C*r_AB"],
        target_name="y",
        folds=_folds(samples, folds, seed),
        factors=factors,
        origin="synthetic",
    )


def _parts_of(modality: str, pairs: list[tuple[str, str]]) -> list[str]:
    """The factors that a modality contains (eq. 17-19)."""
    shared = [redundant_factor(i, j) for i, j in pairs if modality in (i, j)]
    return [unique_factor(modality), *shared]


def _modality_names(count: int) -> tuple[str, ...]:
    if not 2 <= count <= len(ascii_uppercase):
        raise InputError(f"Synthetic data has 2 to {len(ascii_uppercase)} modalities, got {count}.")
    return tuple(ascii_uppercase[:count])


def _check_sample_count(samples: int) -> None:
    if samples < 2 * FOLD_COUNT:
        raise InputError(f"Synthetic data needs at least {2 * FOLD_COUNT} samples, got {samples}.")


def _stack(factors: dict[str, npt.NDArray[np.float32]], names: list[str]) -> Features:
    return Features(np.stack([factors[name] for name in names], axis=1), tuple(names))


def _sample_ids(samples: int) -> npt.NDArray[np.str_]:
    width = len(str(samples - 1))
    return np.array([f"s{i:0{width}d}" for i in range(samples)])


def _folds(samples: int, scheme: FoldScheme, seed: int) -> Folds:
    """Folds drawn by a separate generator, so that they do not depend on other draws."""
    if scheme == "same":
        everything = np.ones((1, samples), dtype=bool)
        return Folds(training=everything, validation=everything, test=everything)
    random = np.random.default_rng((seed, FOLD_COUNT))
    return Folds.from_test_folds(random.permutation(samples).astype(np.int64) % FOLD_COUNT)
