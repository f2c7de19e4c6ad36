"""Which calibration of partial ratings finds what is unique, and nothing where nothing is?

`python -m benchmarks.null_judgments` draws a target, ratings by people who saw a part of the
modalities, and a learned unique contribution, 1,000 times for each case. The contribution contains
some of what the raters also saw, as learned ones do. With nothing unique, a share of p-values below
0.05 above 5% is wrong; with something unique, r should be that of the truth. A minute on one
core.

The ways: *published*, y − rating; *spread*, ratings on y's mean and standard deviation;
*regression*, the residual of y on the rating; *instrument*, `calibrated_correlation`. The test of
the first three is `clustered_slope`, which takes their scale as given.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np

from smurf_core.reporting.numbers import plain
from smurf_core.statistics.calibration import by_rater, calibrated_correlation
from smurf_core.statistics.correlation import pearson_r
from smurf_core.statistics.slopes import clustered_slope

REPETITIONS = 1_000
ALPHA = 0.05
EACH = 8  # samples of a person
Array = np.ndarray
Random = np.random.Generator


@dataclass(frozen=True)
class Case:
    """How the ratings are made; standard deviations in units of what the shown part says."""

    persons: int
    range_used: float  # 1: the whole scale
    noise: float  # of the ratings
    unique: float  # standard deviation of what only the hidden part says
    knows: float = 0.6  # r of the model's view of the shown part with what it says


@dataclass(frozen=True)
class Drawn:
    """One draw, [n] each."""

    learned: Array
    y: Array
    says: Array
    shown: Array
    who: Array


def draw(random: Random, case: Case) -> Drawn:
    """A third of every variance is between persons."""
    who = np.repeat(np.arange(case.persons), EACH)

    def normal(sd: float) -> Array:
        levels, own = random.normal(size=case.persons)[who], random.normal(size=len(who))
        return sd * (np.sqrt(1 / 3) * levels + np.sqrt(2 / 3) * own)

    says, own = normal(1), normal(1)
    return Drawn(
        learned=0.5 * says + 0.6 * own + normal(0.7),
        y=says + case.unique * own + normal(0.5),
        says=says,
        shown=case.knows * says + normal(np.sqrt(1 - case.knows**2)),
        who=who,
    )


def rated(random: Random, case: Case, drawn: Drawn) -> Array:
    """One rating of every sample, by people who use a part of the scale."""
    levels, own = random.normal(size=case.persons)[drawn.who], random.normal(size=len(drawn.y))
    return case.range_used * drawn.says + case.noise * (
        np.sqrt(1 / 3) * levels + np.sqrt(2 / 3) * own
    )


def truth(case: Case) -> float:
    """r of the learned contribution with the unique part, the target's noise and the ratings'."""
    human = case.unique**2 + 0.5**2 + (case.noise / case.range_used) ** 2
    return float(0.6 * case.unique / np.sqrt(human * (0.5**2 + 0.6**2 + 0.7**2)))


Outcome = tuple[float, float]  # r and p


def fixed(scale: Callable[[Array, Array], float]) -> Callable[[Drawn, Array], Outcome]:
    """A way that multiplies ratings by a number and takes it as given."""

    def way(drawn: Drawn, rating: Array) -> Outcome:
        left = drawn.y - scale(drawn.y, rating) * rating
        return pearson_r(drawn.learned, left), clustered_slope(drawn.learned, left, drawn.who).p

    return way


def instrument(drawn: Drawn, rating: Array) -> Outcome:
    """The library's way."""
    found = calibrated_correlation(drawn.learned, drawn.y, rating, drawn.shown, drawn.who)
    return found.r, found.test.p


WAYS = {
    "published": fixed(lambda _y, _rating: 1.0),
    "spread": fixed(lambda y, rating: y.std() / rating.std()),
    "regression": fixed(lambda y, rating: np.cov(y, rating)[0, 1] / rating.var(ddof=1)),
    "instrument": instrument,
}


def cell(found: list[Outcome]) -> str:
    """Mean r of the draws that have one, and the share of all draws with p < 0.05."""
    r, p = np.array(found).T
    known = r[np.isfinite(r)]
    mean = plain(float(known.mean()), 2) if len(known) else "–"
    return f"{mean}, {np.mean(p < ALPHA):.1%}"


def show(case: Case, repetitions: int) -> None:
    """A row: the truth, `cell` of every way, and the share of draws that could be calibrated."""
    random = np.random.default_rng(0)
    found: dict[str, list[Outcome]] = {name: [] for name in WAYS}
    for _ in range(repetitions):
        drawn = draw(random, case)
        rating = rated(random, case, drawn)
        for name, way in WAYS.items():
            found[name].append(way(drawn, rating))
    cells = [cell(found[name]) for name in WAYS]
    known = np.isfinite(np.array(found["instrument"])[:, 0]).mean()
    print(f"| {case.persons} | {case.range_used} | {case.noise} | {case.unique:g} | {case.knows} "
          f"| {truth(case):.2f} | {' | '.join(cells)} | {known:.0%} |", flush=True)  # fmt: skip


def show_raters(repetitions: int) -> None:
    """Six raters with scales of their own, each of whom rated a third of the persons."""
    print("\n| unique | truth, equal scales | published | one scale | by rater |")
    print("|---|---|---|---|---|")
    for unique in (0.0, 1.0):
        random, case = np.random.default_rng(0), Case(24, 0.5, 0.5, unique)
        found: dict[str, list[Outcome]] = {"published": [], "one scale": [], "by rater": []}
        for _ in range(repetitions):
            drawn = draw(random, case)
            ratings = np.stack([
                random.normal() + random.uniform(0.4, 1.6) * rated(random, case, drawn)
                for _ in range(6)
            ])  # fmt: skip
            # Two raters for everybody: which, is drawn person by person.
            raters = random.random((case.persons, 6)).argsort(axis=1)[drawn.who] < 2
            ratings[~raters.T] = np.nan
            mean = np.nanmean(ratings, axis=0)
            found["published"].append(WAYS["published"](drawn, mean))
            found["one scale"].append(instrument(drawn, mean))
            y, rating = by_rater(drawn.y, ratings)
            each = Drawn(drawn.learned, y, drawn.says, drawn.shown, drawn.who)
            found["by rater"].append(instrument(each, rating))
        cells = [cell(of) for of in found.values()]
        equal = truth(Case(24, 0.5, 0.5 / np.sqrt(2), unique))
        print(f"| {unique:g} | {equal:.2f} | {' | '.join(cells)} |", flush=True)


def main(repetitions: int = REPETITIONS) -> None:
    """Print both tables."""
    print("| persons | range used | noise | unique | model knows | true r "
          f"| {' | '.join(WAYS)} | calibrated |\n|{'---|' * (7 + len(WAYS))}")  # fmt: skip
    scales = ((1.0, 0.3), (1.0, 1.0), (0.5, 0.2), (0.5, 0.6), (0.3, 0.1))
    for unique, persons, (used, noise) in product((0.0, 1.0), (8, 30), scales):
        show(Case(persons, used, noise, unique), repetitions)
    for persons, knows in product((8, 30), (0.0, 0.3)):
        show(Case(persons, 0.5, 0.6, 0.0, knows), repetitions)
    show_raters(repetitions)


if __name__ == "__main__":
    main()
