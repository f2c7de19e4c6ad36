"""Does the second witness find what is common, and do its intervals hold?

`OPENBLAS_NUM_THREADS=1 python -m benchmarks.witness` draws 200 data sets of each family: three
modalities with six features each (random mixtures of their factors, noise of sd 0.4), R² of the
factors 0.5 where nothing else is named, 300 samples. It prints the population's common share
(least squares on 200,000 samples), the mean estimate, and how often the 95% intervals of R²(all),
of the unique part of the first modality and of the common share contain two things: what *these
fitted models* reach on ten times as many other samples, and what linear models reach in the
*population*. `python -m benchmarks.witness 1000 "unique and pairs"` takes 1,000 samples and the
families that are named. Three minutes on one core for 300 samples.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from smurf_core.data.dataset import Features, Folds, MultimodalDataset
from smurf_core.data.folds import make_folds
from smurf_core.evaluation.commonality import Commonality, commonality

REPETITIONS = 200
LARGE = 200_000
MORE = 10  # times the samples of a data set
NAMES = "ABC"
Random = np.random.Generator
Array = np.ndarray


@dataclass(frozen=True)
class Family:
    """Which modalities see a factor, and what it weighs in the target."""

    factors: tuple[tuple[str, float], ...]  # modalities that see it, weight
    correlation: float = 0.0  # of all factors
    r2: float = 0.5
    classes: bool = False
    per_person: int = 1  # samples; of several, half the variance of everything is the person's


UNIQUE = tuple((name, 1.0) for name in NAMES)
PAIRS = tuple(("".join(pair), 1.0) for pair in combinations(NAMES, 2))
FAMILIES = {
    "unique only": Family(UNIQUE),
    "unique and pairs": Family(UNIQUE + PAIRS),
    "the same, R² 0.1": Family(UNIQUE + PAIRS, r2=0.1),
    "the same, 10 samples per person": Family(UNIQUE + PAIRS, per_person=10),
    "the same, three classes": Family(UNIQUE + PAIRS, classes=True),
    "one factor in all three": Family((*UNIQUE, ("ABC", 1.0))),
    "one modality is noise": Family((("A", 1.0), ("B", 1.0), ("AB", 1.0), ("C", 0.0))),
    "unique factors that correlate by 0.6": Family(UNIQUE, correlation=0.6),
    "noise as target": Family(UNIQUE + PAIRS, r2=0.0),
}


def drawer(family: Family, random: Random) -> Callable[[int], tuple[list[Array], Array, Array]]:
    """Fixed mixtures; calling it draws features of the modalities, target and persons."""
    seen = [[k for k, (who, _) in enumerate(family.factors) if name in who] for name in NAMES]
    mixtures = [random.normal(size=(len(those), 6)) for those in seen]
    scores = random.normal(size=(len(family.factors), 3))
    weights = np.array([weight for _, weight in family.factors])

    def draw(n: int) -> tuple[list[Array], Array, Array]:
        persons = np.arange(n) // family.per_person
        common = np.sqrt(family.correlation) * random.normal(size=(n, 1))
        own = random.normal(size=(n, len(weights)))
        noise = random.normal(size=n)
        if family.per_person > 1:
            levels = random.normal(size=(persons.max() + 1, len(weights) + 1))[persons]
            own = np.sqrt(0.5) * (own + levels[:, :-1])
            noise = np.sqrt(0.5) * (noise + levels[:, -1])
        factors = common + np.sqrt(1 - family.correlation) * own
        features = [
            factors[:, those] @ mixture + 0.4 * random.normal(size=(n, 6))
            for those, mixture in zip(seen, mixtures, strict=True)
        ]
        if family.classes:
            logits = 1.5 * (factors * weights) @ scores
            return features, (logits + random.gumbel(size=logits.shape)).argmax(axis=1), persons
        signal = factors @ weights
        variance = weights @ weights + family.correlation * (weights.sum() ** 2 - weights @ weights)
        target = np.sqrt(family.r2 / variance) * signal + np.sqrt(1 - family.r2) * noise
        return features, target, persons

    return draw


def population(features: list[Array], target: Array) -> dict[str, float]:
    """What linear models reach: R² of all, unique part of A, common share."""
    y = np.eye(3)[target] if target.dtype.kind == "i" else target[:, None]
    y = y - y.mean(axis=0)

    def r2(subset: str) -> float:
        x = np.concatenate([features[NAMES.index(name)] for name in subset], axis=1)
        x = x - x.mean(axis=0)
        fitted = x @ np.linalg.solve(x.T @ x, x.T @ y)
        return float((fitted**2).sum() / (y**2).sum())

    of_all = r2(NAMES)
    unique = [of_all - r2(NAMES.replace(name, "")) for name in NAMES]
    return {"all": of_all, "unique": unique[0], "common": 1 - sum(unique) / of_all}


def as_dataset(features: list[Array], target: Array, persons: Array) -> MultimodalDataset:
    is_class = target.dtype.kind == "i"
    return MultimodalDataset(
        name="witness",
        task="classification" if is_class else "regression",
        features={
            name: Features(x.astype(np.float32), tuple("123456"))
            for name, x in zip(NAMES, features, strict=True)
        },
        sample_ids=np.arange(len(target)).astype(str),
        target=target if is_class else target.astype(np.float32),
        target_name="y",
        class_names=("a", "b", "c") if is_class else (),
        persons=persons.astype(str),
    )


def estimates(found: Commonality) -> dict[str, tuple[float, float, float]]:
    """Estimate and interval of the three numbers that are compared."""
    everything, first = found.subsets.iloc[-1], found.totals.iloc[0]
    return {
        "all": tuple(everything[["r2", "ci_low", "ci_high"]]),
        "unique": tuple(first[["r2", "ci_low", "ci_high"]]),
        "common": tuple(found.common[["share", "share_low", "share_high"]]),
    }


def study(
    draw: Callable[[int], tuple[list[Array], Array, Array]], n: int
) -> tuple[Commonality, Commonality]:
    """One data set's commonality, and that of the same fitted models on many more samples."""
    features, target, persons = draw(n)
    dataset = as_dataset(features, target, persons)
    folds = make_folds(dataset.target, dataset.task, persons=dataset.persons)
    more = draw(MORE * n)
    both = [np.concatenate([x, z]) for x, z in zip(features, more[0], strict=True)]
    everybody = np.concatenate([persons, more[2] + n])
    trained = [
        np.pad(roles, ((0, 0), (0, MORE * n))) for roles in (folds.training, folds.validation)
    ]
    tested = np.broadcast_to(np.arange((MORE + 1) * n) >= n, trained[0].shape)
    large = as_dataset(both, np.concatenate([target, more[1]]), everybody)
    return commonality(dataset, folds), commonality(large, Folds(*trained, tested))


def measured(family: Family, n: int) -> str:
    """A row of the table."""
    draw = drawer(family, np.random.default_rng(0))
    truth = population(*draw(LARGE)[:2])
    predicts, common, holds = [], [], {(of, what): [] for of in ("fit", "all") for what in truth}
    for _ in range(REPETITIONS):
        found, fitted = study(draw, n)
        predicts.append(found.predicts)
        of_fitted = estimates(fitted)
        for what, (value, low, high) in estimates(found).items():
            if np.isnan(low):
                continue
            holds["fit", what].append(low <= of_fitted[what][0] <= high)
            holds["all", what].append(low <= truth[what] <= high)
            if what == "common":
                common.append(value)
    # Where nothing is predicted, a share is neither known nor estimated.
    true = f"{truth['common']:.2f}" if truth["all"] > 0.01 else " –  "
    mean = f"{np.mean(common):.2f}" if len(common) > REPETITIONS / 2 else " –  "
    rates = " ".join(
        f"{np.mean(held):.2f}" if len(held) > REPETITIONS / 2 else " –  " for held in holds.values()
    )
    return f"{np.mean(predicts):.2f}  {true}  {mean}  {rates}"


if __name__ == "__main__":
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    print(f"{samples} samples: how often it predicts; common share, true and mean estimate;")
    print("coverage of R², unique and common share: of the fitted models, of the population")
    for title in sys.argv[2:] or FAMILIES:
        print(f"{title:<38} {measured(FAMILIES[title], samples)}", flush=True)
