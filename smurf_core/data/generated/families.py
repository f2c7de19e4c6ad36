"""Families of simulated studies whose true contributions are known, for sets of any size.

A study has latent factors; each is held by a set of modalities and weighs something, or nothing,
in the target. Modalities show random mixtures of what they hold, through noise. Families differ
in what goes wrong in real data: useless common factors, noise as target, copies, weak signal,
correlated or bent factors, heavy tails, unequal sides, persons, ordinal and unequal classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from string import ascii_uppercase
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from smurf_core.data.dataset import Features, MultimodalDataset
from smurf_core.data.folds import with_made_folds
from smurf_core.data.generated.bends import best_guesses
from smurf_core.data.generated.family import Family
from smurf_core.data.generated.synthetic import derived_factor, unique_factor
from smurf_core.errors import InputError

Array = npt.NDArray[np.float64]


def _every(count: int, **changes: float) -> dict[str, float]:
    letters = ascii_uppercase[:count]
    found = {"".join(s): 1.0 for k in range(1, count + 1) for s in combinations(letters, k)}
    return {held: changes.get(held, changes.get(f"of_{len(held)}", w)) for held, w in found.items()}


_UNIQUE = {"A": 1.0, "B": 1.0, "C": 1.0}
_PAIRS = _UNIQUE | {"AB": 1.0, "AC": 1.0, "BC": 1.0}
_TRIPLE = _UNIQUE | {"ABC": 1.0}
_BOTH = _UNIQUE | {"AB": 1.0, "ABC": 1.0}

FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        "pairs": Family("Unique factors and pairs.", 3, _PAIRS),
        "triple": Family("One factor in all three modalities.", 3, _TRIPLE),
        "pair_and_triple": Family("One factor in all three, one in A and B.", 3, _BOTH),
        "nuisance": Family("Pairs, and a useless factor in all three.", 3, _PAIRS | {"ABC": 0.0}),
        "noise": Family("The target is noise; modalities share factors.", 3, _PAIRS, r2=0.0),
        "noise_modality": Family("C is noise.", 3, {"A": 1.0, "B": 1.0, "AB": 1.0, "C": 0.0}),
        "copy": Family("C is a copy of B.", 3, {"A": 1.0, "BC": 1.0, "ABC": 1.0}),
        "weak": Family("Pairs at R² 0.1.", 3, _PAIRS, r2=0.1),
        "faint": Family("Pairs at R² 0.3.", 3, _PAIRS, r2=0.3),
        "three_classes": Family("Three unequal classes.", 3, _PAIRS, classes=(0.5, 0.3, 0.2)),
        "bent": Family(
            "C sees what it shares bent.", 3, _UNIQUE | {"AC": 1.0, "BC": 1.0}, bends="cube"
        ),
        "bent_absolute": Family(
            "C and the target have the absolute value of what A and B see.", 3,
            _UNIQUE | {"AC": 1.0, "BC": 1.0}, features=20, bends="absolute", bends_target=True,
        ),
        "bent_root": Family(
            "C sees the root of what it shares.", 3, _UNIQUE | {"AC": 1.0, "BC": 1.0}, bends="root"
        ),
        "bent_threshold": Family(
            "C sees only the sign of what it shares.", 3, _UNIQUE | {"AC": 1.0, "BC": 1.0},
            features=20, bends="threshold",
        ),
        "bent_lost": Family(
            "C sees the square of factors that are thus unique to A and B.", 3,
            _UNIQUE | {"AC": 1.0, "BC": 1.0}, bends="square",
        ),
        # Kept for the first measurement, and looked at since (docs/results.md).
        "correlated": Family(
            "Unique factors correlate at 0.3.", 3, _PAIRS, correlation=0.3
        ),
        "heavy_tails": Family("Factors of Student's t, 4 df.", 3, _BOTH, tails=4),
        "unequal_sides": Family(
            "A sees what it shares through more noise.", 3, _PAIRS, sides={"A": 0.6}
        ),
        "persons": Family("Persons differ in everything.", 3, _BOTH, persons=30),
        "ordinal": Family("A target of five levels.", 3, _PAIRS, levels=5),
        "unequal_weights": Family(
            "Weights from 0.5 to 1.5.", 3,
            {"A": 0.5, "B": 1.0, "C": 1.5, "AB": 1.5, "BC": 0.7, "ABC": 1.0},
        ),
        "four": Family(
            "Four modalities: a pair, a triple.", 4,
            {"A": 1.0, "B": 1.0, "C": 1.0, "D": 1.0, "AB": 1.0, "BCD": 1.0},
        ),
        "four_all": Family(
            "Four modalities: all share one, C and D another.", 4,
            {"A": 1.0, "B": 1.0, "C": 1.0, "D": 1.0, "CD": 1.0, "ABCD": 1.0},
        ),
        "five": Family(
            "Five modalities: two pairs.", 5,
            {"A": 1.0, "B": 1.0, "C": 1.0, "D": 1.0, "E": 1.0, "AB": 1.0, "DE": 1.0},
        ),
        "five_triple": Family(
            "Five modalities: a triple and a useless factor in all.", 5,
            {"A": 1.0, "B": 1.0, "C": 1.0, "D": 1.0, "E": 1.0, "BCD": 1.2, "ABCDE": 0.0},
        ),
        "two": Family("Two modalities.", 2, {"A": 1.0, "B": 1.0, "AB": 1.0}),
        "bent_exponential": Family(
            "C sees the exponential of what it shares.", 3, _UNIQUE | {"AC": 1.0, "BC": 1.0},
            features=12, bends="exponential",
        ),
        "bent_wave": Family(
            "C and the target have the sine of twice what A and B see.", 3,
            _UNIQUE | {"AC": 1.0, "BC": 1.0}, features=12, bends="wave", bends_target=True,
        ),
        "bent_product": Family(
            "C's own factor is the product of A's and B's.", 3, _PAIRS, product=True
        ),
        "unequal_classes": Family(
            "Three classes of 60, 30 and 10%.", 3, _BOTH, classes=(0.6, 0.3, 0.1)
        ),
        "unequal_weights_2": Family(
            "Weights from 0.6 to 1.5, other sets.", 3,
            {"A": 1.5, "B": 0.6, "C": 1.0, "AC": 0.6, "BC": 1.4, "ABC": 0.7},
        ),
        "nested": Family(
            "Four modalities: all, three and two share.", 4,
            {"A": 1.0, "B": 1.0, "C": 1.0, "D": 1.0, "AB": 0.8, "ABC": 1.0, "ABCD": 1.0},
        ),
        "persons_four": Family(
            "Four modalities, 40 persons.", 4,
            {"A": 1.0, "B": 1.0, "C": 1.0, "D": 1.0, "AD": 1.0, "ABC": 1.0}, persons=40,
        ),
        "useless": Family(
            "Three useless shared factors beside a pair.", 4,
            {"A": 1.0, "B": 1.0, "C": 1.0, "D": 1.0, "AB": 1.0, "BC": 0.0, "CD": 0.0, "ABCD": 0.0},
            features=10,
        ),
        "five_all": Family(
            "Five modalities: all share one, A and C another.", 5,
            {"A": 1.0, "B": 1.0, "C": 1.0, "D": 1.0, "E": 1.0, "AC": 1.0, "ABCDE": 1.2},
        ),
        # Kept for the final measurement of sets, persons and shares.
        "kept_weights": Family(
            "Four modalities, weights from 0.6 to 1.6.", 4,
            {"A": 1.6, "B": 0.8, "C": 1.0, "D": 0.6, "BD": 0.9, "ACD": 1.4, "CD": 0.8},
            features=8, r2=0.6, is_kept=True,
        ),
        "kept_persons": Family(
            "24 persons, unequal weights.", 3,
            {"A": 1.2, "B": 0.8, "C": 1.0, "AC": 1.0, "BC": 1.3}, persons=24, features=8,
            is_kept=True,
        ),
        "kept_triples": Family(
            "Five modalities: two triples, a pair, a useless factor in four.", 5,
            {"A": 1.0, "B": 1.2, "C": 0.8, "D": 1.0, "E": 1.0, "ABD": 1.2, "CDE": 1.0, "BE": 0.9,
             "ABCD": 0.0},
            features=10, is_kept=True,
        ),
        "kept_quadruple": Family(
            "Five modalities: four share, and two; R² 0.4.", 5,
            {"A": 1.0, "B": 1.0, "C": 1.0, "D": 0.7, "E": 1.3, "ABCE": 1.5, "BD": 1.0},
            features=8, r2=0.4, is_kept=True,
        ),
        "kept_correlated": Family(
            "Unique factors correlate at 0.4; one triple.", 3,
            {"A": 1.0, "B": 1.2, "C": 0.8, "ABC": 1.0}, correlation=0.4, is_kept=True,
        ),
        "kept_sides": Family(
            "B sees what it shares through more noise; six levels, heavy tails.", 3,
            {"A": 1.0, "B": 1.0, "C": 1.0, "AB": 1.2, "ABC": 1.0}, sides={"B": 0.5}, tails=6,
            levels=6, is_kept=True,
        ),
    }
)  # fmt: skip

# Sizes of studies for which error rates are measured.
SAMPLES = (100, 300, 1000)

NOISE_FREE: Mapping[str, Family] = MappingProxyType(
    {
        f"lattice_{m}{'' if not what else '_' + what}": Family(
            f"All sets of {m} modalities, seen without noise" + (f"; {said}." if said else "."),
            m,
            _every(m, **changes),
            features=0,
            noise=0.0,
            r2=1.0,
        )
        for m in (3, 4, 5)
        for what, said, changes in (
            ("", "", {}),
            ("no_largest", "what all share is useless", {f"of_{m}": 0.0}),
            ("no_pairs", "pairs are useless", {"of_2": 0.0}),
            ("unique_only", "only unique factors count",
             {f"of_{k}": 0.0 for k in range(2, m + 1)}),
            ("no_unique", "unique factors are useless", {"of_1": 0.0}),
        )
    }
)  # fmt: skip


def shared_factor(held: str) -> str:
    """How `factors` call what a set of single-letter modalities shares: `r_ABC`."""
    return unique_factor(held) if len(held) == 1 else f"r_{held}"


def simulate(
    family: Family | str,
    *,
    samples: int,
    seed: int = 0,
    draw: int = 0,
    folds: int = 5,
    guesses: bool = True,
) -> MultimodalDataset:
    """One study of a family.

    Parameters
    ----------
    family
        A name of `FAMILIES` or `NOISE_FREE`, or a family of your own.
    samples
        Number of samples.
    seed
        Decides how factors are mixed into features: the population.
    draw
        Decides the samples that are drawn from that population.
    folds
        Person-independent folds to make.
    guesses
        False: leave out what features say of bent factors at best, which takes seconds for many
        samples. What a modality can say is then the factor itself.

    Returns
    -------
    MultimodalDataset
        `factors` hold every useful factor as it enters the target (`u_A`, `r_ABC`) and, as
        `r_ABC|A`, what A's features can say of it (its best prediction, which is linear unless
        the family bends).

    Raises
    ------
    InputError
        If there is no such family.
    """
    if isinstance(family, str):
        everything = {**FAMILIES, **NOISE_FREE}
        if family not in everything:
            raise InputError(f"No family {family!r}; there are {', '.join(everything)}.")
        name, family = family, everything[family]
    else:
        name = "own"
    structure = np.random.default_rng([seed, 1])
    random = np.random.default_rng([seed, 2, draw])
    factors, person = _factors(family, samples, random)
    views: dict[str, Array] = {}
    features: dict[str, Array] = {}
    seen: dict[str, Array] = {}
    mixings: dict[str, Array] = {}
    copied: dict[str, str] = {"C": "B"} if name == "copy" else {}
    for letter in family.names:
        held = [s for s in family.weights if letter in s]
        columns = []
        for s in held:
            view = factors[s]
            if len(s) > 1 and letter in family.sides:
                view = view + family.sides[letter] * random.standard_normal(samples)
            columns.append(family.view(letter, s)(view))
        views[letter] = np.stack(columns, axis=1)
        mixing = mixings[letter] = _mixing(len(held), family.features, structure)
        features[letter] = views[letter] @ mixing
        if family.noise:
            features[letter] = features[letter] + family.noise * random.standard_normal(
                features[letter].shape
            )
        if family.persons:
            shift = random.standard_normal((family.persons, features[letter].shape[1]))
            features[letter] = features[letter] + 0.5 * shift[person]
    for letter, source in copied.items():
        features[letter] = features[source].copy()
    entering = {s: family.enters(s)(values) for s, values in factors.items()}
    signal = sum(w * entering[s] for s, w in family.weights.items())
    assert isinstance(signal, np.ndarray)  # noqa: S101 — for the type checker
    size = float(np.sqrt(_signal_variance(family)))
    if family.classes:
        return _classes(family, name, features, factors, views, samples, random, structure, folds)
    guessed = _guesses(family, features, mixings) if family.bends and guesses else {}
    noise = random.standard_normal(samples)
    if family.r2 == 0:
        target = noise
        scale = 0.0
    else:
        scale = 1.0
        target = signal + size * np.sqrt(1 / family.r2 - 1) * noise
    for s, weight in family.weights.items():
        truth = scale * weight * entering[s]
        if not truth.any():
            continue
        holders = family.holders(s)
        key = shared_factor(holders)
        seen[key] = seen.get(key, 0.0) + truth
        for letter in holders:
            known = truth
            if family.bends:
                known = weight * guessed[letter][s] if guessed else truth
            elif family.noise or family.sides:
                known = _linear_part(truth, features[letter])
            of = derived_factor(key, letter)
            seen[of] = seen.get(of, 0.0) + known
    if family.levels:
        edges = np.quantile(target, np.linspace(0, 1, family.levels + 1)[1:-1])
        target = np.digitize(target, edges).astype(float)
    return _dataset(
        family, name, features, seen, target.astype(np.float32), person, samples, folds, seed, draw
    )


def _factors(
    family: Family, samples: int, random: np.random.Generator
) -> tuple[dict[str, Array], npt.NDArray[np.int64] | None]:
    person = None
    if family.persons:
        person = np.sort(random.integers(0, family.persons, samples))
    common = random.standard_normal(samples)
    drawn: dict[str, Array] = {}
    for s in family.weights:
        if family.tails:
            values = random.standard_t(family.tails, samples)
            values = values / np.sqrt(family.tails / (family.tails - 2))
        else:
            values = random.standard_normal(samples)
        if family.correlation and len(s) == 1:
            values = np.sqrt(1 - family.correlation) * values
            values = values + np.sqrt(family.correlation) * common
        if person is not None:
            offset = random.standard_normal(family.persons)
            values = (values + 0.5 * offset[person]) / np.sqrt(1.25)
        drawn[s] = values
    if family.product:
        drawn["C"] = drawn["A"] * drawn["B"]
    return drawn, person


def _signal_variance(family: Family) -> float:
    weights = np.array(list(family.weights.values()))
    unique = np.array([w for s, w in family.weights.items() if len(s) == 1])
    pairs = unique.sum() ** 2 - (unique**2).sum()
    return float((weights**2).sum() + family.correlation * pairs)


def _mixing(held: int, features: int, random: np.random.Generator) -> Array:
    if features == 0:
        return np.linalg.qr(random.standard_normal((held, held)))[0]
    return random.standard_normal((held, features))


def _guesses(
    family: Family, features: dict[str, Array], mixings: dict[str, Array]
) -> dict[str, dict[str, Array]]:
    """Modality → factor → what its features say of how the factor enters the target, at best."""
    found = {}
    for letter, values in features.items():
        held = [s for s in family.weights if letter in s]
        guessed = best_guesses(
            values,
            mixings[letter],
            family.noise,
            views=[family.view(letter, s) for s in held],
            wanted=[family.enters(s) for s in held],
        )
        found[letter] = dict(zip(held, guessed.T, strict=True))
    return found


def _linear_part(truth: Array, features: Array) -> Array:
    centred = features - features.mean(axis=0)
    weights, *_ = np.linalg.lstsq(centred, truth - truth.mean(), rcond=None)
    return np.asarray(centred @ weights)


def _classes(
    family: Family,
    name: str,
    features: dict[str, Array],
    factors: dict[str, Array],
    views: dict[str, Array],
    samples: int,
    random: np.random.Generator,
    structure: np.random.Generator,
    folds: int,
) -> MultimodalDataset:
    """Every factor moves the classes' logits in a direction of its own."""
    c = len(family.classes)
    prior = np.log(np.asarray(family.classes))
    seen: dict[str, Array] = {}
    logits = np.zeros((samples, c)) + prior
    names = [f"class_{k + 1}" for k in range(c)]
    for s, weight in family.weights.items():
        direction = structure.standard_normal(c)
        direction = direction - direction.mean()
        direction *= 1.5 / np.linalg.norm(direction)
        truth = weight * factors[s][:, None] * direction
        logits = logits + truth
        if not weight:
            continue
        for k, label in enumerate(names):
            seen[f"{shared_factor(s)}[{label}]"] = truth[:, k]
            for letter in s:
                known = _linear_part(truth[:, k], features[letter])
                seen[f"{derived_factor(shared_factor(s), letter)}[{label}]"] = known
    label = (logits + random.gumbel(size=logits.shape)).argmax(axis=1)
    return _dataset(
        family, name, features, seen, label.astype(np.int64), None, samples, folds, 0, 0,
        classes=tuple(names),
    )  # fmt: skip


def _dataset(
    family: Family,
    name: str,
    features: dict[str, Array],
    seen: dict[str, Array],
    target: npt.NDArray[np.float32] | npt.NDArray[np.int64],
    person: npt.NDArray[np.int64] | None,
    samples: int,
    folds: int,
    seed: int,
    draw: int,
    classes: tuple[str, ...] = (),
) -> MultimodalDataset:
    ids = np.array([f"s{k + 1:06d}" for k in range(samples)])
    dataset = MultimodalDataset(
        name=f"Simulated, {name}",
        task="classification" if classes else "regression",
        features={
            letter: Features(
                values.astype(np.float32),
                tuple(f"{letter.lower()}{d + 1}" for d in range(values.shape[1])),
            )
            for letter, values in features.items()
        },
        sample_ids=ids,
        target=target,
        target_name="y",
        class_names=classes,
        folds=None,
        persons=None if person is None else np.array([f"p{p + 1:03d}" for p in person]),
        factors={key: values.astype(np.float32) for key, values in seen.items()},
        origin="synthetic",
    )
    return with_made_folds(dataset, count=folds, seed=seed + draw)
