"""How often each test calls something different where nothing is: should be 5%.

`python benchmarks/null_rates.py` draws data without any effect, 2,000 times for each test, with
persons that differ from each other, and prints the share of p-values below 0.05.
"""

from collections.abc import Callable, Iterator

import numpy as np
from scipy import stats

from smurf_core.evaluation.comparison import (
    FoldPair,
    corrected_resampled_t_test,
    permutation_test,
)
from smurf_core.evaluation.judgments import clustered_p

REPETITIONS = 2_000
ALPHA = 0.05
Random = np.random.Generator


def person_permutation(random: Random) -> float:
    """Two equally good models on 20 persons who are more or less easy to predict."""
    who = np.repeat(np.arange(20), 6)
    y = random.normal(size=120)
    ease = np.exp(random.normal(size=20))[who]
    a, b = (y + ease * random.normal(size=120) for _ in range(2))
    folds = [
        FoldPair(y[test], a[test, None], b[test, None], who[test])
        for test in (who % 5 == fold for fold in range(5))
    ]
    return permutation_test("r", folds, draws=400, seed=int(random.integers(2**31))).p


def resampled_t(random: Random) -> float:
    """Accuracy of two equally good classifiers in five-fold cross-validation.

    Both are trained on overlapping data: nearest class mean on two equally informative halves of
    the features.
    """
    y = random.integers(0, 2, size=200)
    x = 0.3 * y[:, None] + random.normal(size=(200, 8))
    fold = np.arange(200) % 5
    differences = []
    for f in range(5):
        train, test = fold != f, fold == f
        hits = []
        for half in (slice(0, 4), slice(4, 8)):
            means = np.stack([x[train & (y == c)][:, half].mean(axis=0) for c in (0, 1)])
            distance = ((x[test][:, None, half] - means) ** 2).sum(axis=2)
            hits.append((distance.argmin(axis=1) == y[test]).mean())
        differences.append(hits[0] - hits[1])
    return corrected_resampled_t_test(np.array(differences), 0.25)


def clustered_slope(random: Random) -> float:
    """Learned and human unique contributions that only persons' levels structure."""
    who = np.repeat(np.arange(30), 5)
    x, y = (random.normal(size=30)[who] + random.normal(size=150) for _ in range(2))
    return clustered_p(x, y, who)


def rank_sum(random: Random) -> float:
    """Effects that do not depend on informativeness."""
    return float(stats.ranksums(random.gamma(1, size=60), random.gamma(1, size=90)).pvalue)


def trend(random: Random) -> float:
    """Kendall's tau-b of effects and three levels that have nothing to do with them."""
    return float(
        stats.kendalltau(random.integers(0, 3, size=150), random.gamma(1, size=150)).pvalue
    )


TESTS: dict[str, Callable[[Random], float]] = {
    "permutation of persons": person_permutation,
    "corrected resampled t-test": resampled_t,
    "slope, clustered by person": clustered_slope,
    "Wilcoxon rank-sum": rank_sum,
    "Kendall trend": trend,
}


def rates() -> Iterator[tuple[str, float]]:
    """Every test and the share of its p-values below 0.05."""
    for name, draw in TESTS.items():
        random = np.random.default_rng(0)
        yield name, float(np.mean([draw(random) < ALPHA for _ in range(REPETITIONS)]))


if __name__ == "__main__":
    for name, rate in rates():
        print(f"{name:<28} {rate:.3f}")
