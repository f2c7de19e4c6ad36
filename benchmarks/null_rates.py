"""How often each test finds something where nothing is: should be 5%; intervals miss in 5%.

`python -m benchmarks.null_rates` draws data without any effect, 2,000 times for each test (the
last, with models trained anew in every draw, 500 times), with persons that differ from each
other, and prints the share of p-values below 0.05. For an interval it is the share of draws in
which the true value lies outside. Three minutes on one core. `benchmarks/null_judgments.py` does
the same for ratings by people who use a part of the scale.
"""

from collections.abc import Callable, Iterator

import numpy as np
from scipy import stats

from smurf_core.data.dataset import Folds
from smurf_core.evaluation.additive import FoldPair, paired_sums
from smurf_core.evaluation.metrics import log_loss
from smurf_core.statistics.correlation_interval import correlation_interval
from smurf_core.statistics.holm import holm
from smurf_core.statistics.jackknife import jackknife_error
from smurf_core.statistics.krippendorff import alpha_interval
from smurf_core.statistics.paired import PairedSums
from smurf_core.statistics.permutation import permutation_test
from smurf_core.statistics.ranks import rank_slope, rank_sum
from smurf_core.statistics.resampled_t import corrected_resampled_t_test
from smurf_core.statistics.slopes import clustered_slope

REPETITIONS = 2_000
ALPHA = 0.05
Random = np.random.Generator
Draw = Callable[[Random], bool]


def two_models(random: Random, *, gap: float = 0.0, persons: int = 20) -> list[FoldPair]:
    """Two models on persons who are more or less easy to predict, six samples each.

    Both err with the persons' own variance; the first also adds `gap` to every absolute error.
    """
    who = np.repeat(np.arange(persons), 6)
    y = random.normal(size=len(who))
    ease = np.exp(0.5 * random.normal(size=persons))[who]
    errors = ease * random.normal(size=(2, len(who)))
    errors[0] += gap * np.sign(errors[0])
    return [
        FoldPair(y[test], (y + errors[0])[test, None], (y + errors[1])[test, None], who[test])
        for test in (who % 5 == fold for fold in range(5))
    ]


def sums_of(metric: str, folds: list[FoldPair]) -> list[PairedSums]:
    return [paired_sums(metric, fold) for fold in folds]


def permutation(metric: str) -> Draw:
    """Equally good models whose predictions are swapped by persons."""

    def draw(random: Random) -> bool:
        seed = int(random.integers(2**31))
        sums = sums_of(metric, two_models(random))
        return permutation_test(sums, draws=400, seed=seed).p < ALPHA

    return draw


def jackknife(persons: int) -> Draw:
    """Does the interval of a difference of mean absolute errors hold the true one, 0.3?"""

    def draw(random: Random) -> bool:
        folds = sums_of("mae", two_models(random, gap=0.3, persons=persons))
        found, difference = jackknife_error(folds), np.mean([f.difference() for f in folds])
        return abs(difference - 0.3) > stats.t.ppf(0.975, found.degrees) * found.error

    return draw


def resampled_t_as_assumed(random: Random) -> bool:
    """Normal differences of five folds with the correlation that the correction assumes."""
    share = 1 / 4  # Three folds train, one validates, one tests.
    correlation = share / (1 + share)
    common, own = random.normal(), random.normal(size=5)
    differences = np.sqrt(correlation) * common + np.sqrt(1 - correlation) * own
    return corrected_resampled_t_test(differences, share).p < ALPHA


def trained_models(random: Random, features: int, persons: int = 26) -> list[FoldPair]:
    """Two equally good classifiers, trained anew on overlapping folds, in the paper's scheme.

    26 persons with twelve samples each (as VREED has), person-independent folds of which three
    train, one validates and one tests. Each classifier is least squares on features of its own,
    which know half of what decides the class; features and class also depend on the person.
    """
    who = np.repeat(np.arange(persons), 12)
    n = len(who)
    folds = Folds.from_test_folds(random.permutation(persons)[who] % 5, 5)
    signal = random.normal(size=(2, n)) + 0.5 * random.normal(size=(2, persons))[:, who]
    y = (signal.sum(axis=0) + random.normal(size=n) > 0).astype(np.int64)
    logits = np.zeros((2, 5, n, 2))
    for model, half in enumerate(signal):
        level = 0.5 * random.normal(size=(persons, features))[who]
        noise = np.sqrt(features) * (random.normal(size=(n, features)) + level)
        x = np.column_stack([np.ones(n), half[:, None] + noise])
        for fold, train in enumerate(folds.training):
            weights = np.linalg.lstsq(x[train], 2.0 * y[train] - 1, rcond=None)[0]
            logits[model, fold, :, 1] = x @ weights
    return [
        FoldPair(y[test], logits[0, fold][test], logits[1, fold][test], who[test])
        for fold, test in enumerate(folds.test)
    ]


def trained(features: int) -> tuple[float, float, float]:
    """Correlation of the log loss's differences between folds; rates of both tests of models."""
    random = np.random.default_rng(0)
    drawn, permuted = [], []
    for _ in range(REPETITIONS // 4):
        folds = trained_models(random, features)
        drawn.append([log_loss(f.truth, f.first) - log_loss(f.truth, f.second) for f in folds])
        seed = int(random.integers(2**31))
        sums = sums_of("log_loss", folds)
        permuted.append(permutation_test(sums, draws=400, seed=seed).p < ALPHA)
    covariance = np.cov(np.array(drawn).T)
    between = covariance[~np.eye(5, dtype=bool)].mean() / np.diag(covariance).mean()
    p = np.array([corrected_resampled_t_test(np.array(row), 1 / 4).p for row in drawn])
    return float(between), float((p < ALPHA).mean()), float(np.mean(permuted))


def judgments(
    random: Random, persons: int, r: float = 0.0, *, is_equal: bool = True
) -> tuple[np.ndarray, ...]:
    """Learned and human unique contributions and their persons; a fifth was not judged.

    Persons' levels and utterances both correlate by r. Every person has six samples, or some have
    many more than others.
    """
    each = np.full(persons, 6)
    if not is_equal:
        each = np.maximum(2, 6 * random.lognormal(sigma=0.8, size=persons)).astype(int)
    who = np.repeat(np.arange(persons), each)
    levels, utterances = (
        random.multivariate_normal([0, 0], [[1, r], [r, 1]], size=size)
        for size in (persons, len(who))
    )
    both = levels[who] + utterances
    kept = random.random(len(who)) > 0.2
    return both[kept, 0], both[kept, 1], who[kept]


def slope(persons: int) -> Draw:
    """Nothing in common but that both differ between persons."""
    return lambda random: clustered_slope(*judgments(random, persons)).p < ALPHA


def family(random: Random) -> bool:
    """Is anything called related in a table of four modalities, after Holm?"""
    p = [clustered_slope(*judgments(random, 20)).p for _ in range(4)]
    return bool((holm(np.array(p)) < ALPHA).any())


def uncorrected_family(random: Random) -> bool:
    """The same without a correction."""
    return any(clustered_slope(*judgments(random, 20)).p < ALPHA for _ in range(4))


def interval_of_r(persons: int, r: float, *, is_equal: bool = True) -> Draw:
    """Does the interval over persons hold the true r?"""

    def draw(random: Random) -> bool:
        low, high = correlation_interval(*judgments(random, persons, r, is_equal=is_equal))
        return not low <= r <= high

    return draw


def rank_sum_of_samples(random: Random) -> bool:
    """Independent samples' effects that do not depend on informativeness."""
    return rank_sum(random.gamma(1, size=60), random.gamma(1, size=90)).p < ALPHA


def trend(random: Random) -> bool:
    """Kendall's tau-b of independent samples' effects and three levels."""
    return (
        stats.kendalltau(random.integers(0, 3, size=150), random.gamma(1, size=150)).pvalue < 0.05
    )


def ratings(random: Random) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Three levels and effects that both differ between 20 persons and are else unrelated."""
    who = np.repeat(np.arange(20), 8)
    effect = random.gamma(1, size=160) * np.exp(random.normal(size=20))[who]
    latent = random.normal(size=160) + random.normal(size=20)[who]
    return np.digitize(latent, [-0.7, 0.7]), effect, who


def rank_sum_of_persons(random: Random) -> bool:
    """The ranks' slope over *no* against the rest, clustered by person."""
    level, effect, who = ratings(random)
    return rank_slope(level > 0, effect, who).p < ALPHA


def trend_of_persons(random: Random) -> bool:
    """The ranks' slope over the three levels, clustered by person."""
    level, effect, who = ratings(random)
    return rank_slope(level, effect, who).p < ALPHA


def interval_of_alpha(units: int) -> Draw:
    """Does the bootstrap interval over units hold the true α of three raters, 0.5?"""

    def draw(random: Random) -> bool:
        ratings = random.normal(size=units) + random.normal(size=(3, units))
        found = alpha_interval(ratings, draws=500, seed=int(random.integers(2**31)))
        return not found.low <= 0.5 <= found.high

    return draw


TESTS: dict[str, Draw] = {
    "permutation of persons, r": permutation("r"),
    "permutation of persons, mean absolute error": permutation("mae"),
    "interval of a difference, 20 persons": jackknife(20),
    "interval of a difference, 60 persons": jackknife(60),
    "corrected resampled t-test, as it assumes": resampled_t_as_assumed,
    "slope by person (CR2), 30 persons": slope(30),
    "slope by person (CR2), 8 persons": slope(8),
    "Holm, any of four slopes": family,
    "uncorrected, any of four slopes": uncorrected_family,
    "interval of r = 0, 8 persons": interval_of_r(8, 0.0),
    "interval of r = 0.5, 8 persons": interval_of_r(8, 0.5),
    "interval of r = 0.5, 8 unequal persons": interval_of_r(8, 0.5, is_equal=False),
    "interval of r = 0, 20 persons": interval_of_r(20, 0.0),
    "interval of r = 0.5, 20 unequal persons": interval_of_r(20, 0.5, is_equal=False),
    "interval of r = 0.5, 40 persons": interval_of_r(40, 0.5),
    "interval of alpha = 0.5, 30 units": interval_of_alpha(30),
    "interval of alpha = 0.5, 100 units": interval_of_alpha(100),
    "Wilcoxon rank-sum, independent samples": rank_sum_of_samples,
    "Kendall trend, independent samples": trend,
    "rank-sum by person, 20 persons": rank_sum_of_persons,
    "trend by person, 20 persons": trend_of_persons,
}


def rates() -> Iterator[tuple[str, float]]:
    """Every test and the share of draws of nothing in which it finds something."""
    for name, draw in TESTS.items():
        random = np.random.default_rng(0)
        yield name, float(np.mean([draw(random) for _ in range(REPETITIONS)]))


if __name__ == "__main__":
    for name, rate in rates():
        print(f"{name:<44} {rate:.3f}", flush=True)
    print("\nTrained anew in every draw: features, correlation of folds' differences, rates")
    for count in (5, 20, 50):
        between, resampled, persons = trained(count)
        print(
            f"{count:>4}  {between:5.2f}  corrected resampled t-test {resampled:.3f}, "
            f"permutation of persons {persons:.3f}",
            flush=True,
        )
