"""How often the intervals of Tables 3 and 4 contain the true r, with raters whose bias is known.

`python -m benchmarks.rating_coverage` prints a row per cell of 500 repetitions. A published model
is trained once, on 30 persons of the simulated affect study. Each repetition draws other persons,
deals their clips to simulated raters as a collection does, and computes r and its intervals as
*Human judgments* does. One modality is left out in turn. `--on-disk` takes the whole way, through a
study, invited raters, saved answers and `collected`.

The truth has no formula, because scales have ends and models err. It is r in the population that
repetitions draw from (12,000 clips of 1,000 persons): every clip is rated by as many raters, drawn
from the raters of this repetition, whose biases and use of the scale are known (*these raters*), or
from 200 others (*any raters*).
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from smurf_core.configuration import Grid, RunConfig
from smurf_core.contributions import Contributions
from smurf_core.data.dataset import Features, MultimodalDataset
from smurf_core.data.generated.simulated import simulated_affect
from smurf_core.evaluation.judgments import UniquePair, unique_pairs
from smurf_core.explained import explained
from smurf_core.ratings.assignment import Plan
from smurf_core.ratings.catalogue import create_collection
from smurf_core.ratings.defaults import default_design
from smurf_core.ratings.design import Condition, Design
from smurf_core.ratings.simulate import RaterTraits, SimulatedRater, perceived, simulate_raters
from smurf_core.ratings.use import collected
from smurf_core.runs.studies import add_study
from smurf_core.runs.workspace import Workspace
from smurf_core.statistics.calibration import FEWEST_RATINGS, by_rater, calibrated_correlation
from smurf_core.statistics.correlation import pearson_r
from smurf_core.statistics.correlation_interval import correlation_interval
from smurf_core.training.run import train_run

REPETITIONS = 500
TRAINING, PERSONS, EACH = 30, 1_000, 12  # persons to train on, of the population; clips of each
MANY = 200  # raters who stand for all
Array = np.ndarray
Both = tuple[float, float]  # of r, and of calibrated r

USUAL = RaterTraits()
DIFFERENT = RaterTraits(bias=0.8, scale_use=0.5)


@dataclass(frozen=True)
class Cell:
    """The size of a collection, and its raters."""

    persons: int
    each: int  # clips of a person
    raters_per_cell: int
    clips_per_rater: int
    traits: RaterTraits

    @property
    def is_pooled(self) -> bool:
        """True if raters rate too few clips of a condition for a scale of their own."""
        return self.clips_per_rater < 4 * FEWEST_RATINGS


CELLS = tuple(
    Cell(*size, traits)
    for size in ((20, 6, 2, 30), (20, 6, 2, 60), (8, 12, 3, 60), (40, 3, 1, 30))
    for traits in (USUAL, DIFFERENT)
)


@dataclass(frozen=True)
class Population:
    """Clips that the model has not seen, and what it says of them."""

    data: MultimodalDataset
    contributions: Contributions

    @cached_property
    def design(self) -> Design:
        """The default: all modalities but one in turn, and all. No checks, no repeats."""
        return replace(default_design(self.data), attention=0, repeats=0)

    @cached_property
    def says(self) -> Array:
        """What raters perceive in each condition, [conditions, n]."""
        return np.stack([perceived(self.data, c.modalities) for c in self.design.conditions])

    @cached_property
    def pairs(self) -> dict[str, UniquePair]:
        """By condition that leaves a modality out: learned contributions, and what is shown."""
        names = {frozenset(c.modalities): c.name for c in self.design.conditions}
        names.pop(frozenset(self.data.modalities))
        data = replace(self.data, judgments=dict.fromkeys(names, self.data.target))
        found = unique_pairs(explained(self.contributions, data))
        return {names[frozenset(pair.judged)]: pair for pair in found}

    def rated(self, condition: str, clips: Array, ratings: Array, *, pooled: bool) -> UniquePair:
        """The pair of some clips with these ratings, [raters, clips], as `unique_pairs` has it."""
        pair = self.pairs[condition]
        at = clips[np.isfinite(pair.human[clips])]  # both modalities were recorded
        given = ratings[:, np.isfinite(pair.human[clips])]
        target, mean = pair.target[at], np.nanmean(given, axis=0)
        calibrated = (target, mean) if pooled else by_rater(target, given)
        return replace(
            pair, sample_ids=pair.sample_ids[at], learned=pair.learned[at], human=target - mean,
            who=pair.who[at], ratings=given, target=calibrated[0], rating=calibrated[1],
            shown=pair.shown[at],
        )  # fmt: skip


def population(*, persons: int = PERSONS, each: int = EACH, seed: int = 1) -> Population:
    """Draw a study, train on its first persons, and explain all others."""
    whole = simulated_affect(
        samples=(TRAINING + persons) * each, persons=TRAINING + persons, seed=seed
    )
    is_seen = np.arange(len(whole)) < TRAINING * each
    config = replace(
        RunConfig.from_preset("quick"), preset="custom", restarts=1, seed=seed,
        grid=Grid((1e-2,), ((8,),), (0.0,), (1.0,)),
    )  # fmt: skip
    models = [fold.model for fold in train_run(part(whole, is_seen), config).fold_results]
    others = part(whole, ~is_seen)
    # As in a run, each person is explained by one of the folds' models.
    values = {name: f.values for name, f in others.features.items()}
    fold = np.unique(others.persons, return_inverse=True)[1] % len(models)
    found = [model.contributions(values, sample_ids=others.sample_ids) for model in models]
    rows = np.arange(len(others))
    return Population(
        others,
        replace(
            found[0],
            values=np.stack([f.values for f in found])[fold, rows],
            baseline=np.stack([f.baseline for f in found])[fold, rows],
            folds=fold.astype(np.int64),
        ),
    )


def part(data: MultimodalDataset, chosen: Array) -> MultimodalDataset:
    """Some samples of a simulated study, without its ratings."""
    features = {m: Features(f.values[chosen], f.names) for m, f in data.features.items()}
    return replace(
        data, features=features, sample_ids=data.sample_ids[chosen], target=data.target[chosen],
        persons=data.persons[chosen], folds=None, samples=pd.DataFrame(), judgments={}, ratings={},
        informativeness={}, factors={name: f[chosen] for name, f in data.factors.items()},
    )  # fmt: skip


def drawn_clips(people: Population, cell: Cell, random: np.random.Generator) -> Array:
    """Some clips of some persons: positions in the population."""
    persons = random.choice(len(people.data) // EACH, cell.persons, replace=False)
    clips = random.random((cell.persons, EACH)).argsort(axis=1)[:, : cell.each]
    return np.sort((persons[:, None] * EACH + clips).ravel())


def designed(people: Population, cell: Cell, seed: int) -> Design:
    """The design of one repetition."""
    return replace(
        people.design, raters_per_cell=cell.raters_per_cell, seed=seed,
        clips_per_rater=cell.clips_per_rater,
    )  # fmt: skip


def ratings_of(
    people: Population, condition: str, clips: Array, plan: Plan, raters: list[SimulatedRater],
    traits: RaterTraits,
) -> Array:  # fmt: skip
    """What raters answer in one condition, dealt by the plan, [raters, clips]; NaN for none."""
    column = {name: k for k, name in enumerate(plan.clips)}
    row = {name: k for k, name in enumerate(plan.conditions)}
    found = np.full((len(raters), len(clips)), np.nan)
    for slot, rater in enumerate(raters):
        cells = plan.block(slot)
        at = np.array([column[cell.clip] for cell in cells])
        which = np.array([row[cell.condition] for cell in cells])
        now = people.says[which, clips[at]]
        before = np.concatenate([now[:1], now[:-1]])
        said = answers(people.design, traits, rater, now, before, np.linspace(0, 1, len(cells)))
        is_asked = which == row[condition]
        found[slot, at[is_asked]] = said[is_asked]
    return found


def answers(
    design: Design, traits: RaterTraits, rater: SimulatedRater, now: Array, before: Array,
    through: Array,
) -> Array:  # fmt: skip
    """A rater's answers on the design's slider to what is perceived `now`, after `before`."""
    felt = (1 - traits.lag) * now + traits.lag * before
    return np.clip(rater.says(felt, through), design.scales[0].low, design.scales[0].high)


def true_r(
    people: Population, cell: Cell, condition: str, raters: list[SimulatedRater], seed: int
) -> Both:
    """r and calibrated r in the population, with ratings by these raters.

    Each clip is rated by `raters_per_cell` of them, drawn at random, after a random other clip and
    at a random place of the list.
    """
    random = np.random.default_rng([seed, 1])
    n, says = len(people.data), people.says
    now = says[[c.name for c in people.design.conditions].index(condition)]
    given = np.full((len(raters), n), np.nan)
    first = random.integers(len(raters), size=n)
    for turn in range(cell.raters_per_cell):  # neighbours on a circle: those of a clip differ
        who = (first + turn) % len(raters)
        before = says[random.integers(len(says), size=n), random.integers(n, size=n)]
        through = random.random(n)
        for k, rater in enumerate(raters):
            at = np.flatnonzero(who == k)
            given[k, at] = answers(
                people.design, cell.traits, rater, now[at], before[at], through[at]
            )
    pair = people.rated(condition, np.arange(n), given, pooled=cell.is_pooled)
    return pearson_r(pair.learned, pair.human), pearson_r(pair.learned, pair.calibrated)


def found_r(pair: UniquePair) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """r and the ends of its interval, published and calibrated, as `human_agreement` has them."""
    there = np.isfinite(pair.human)
    x, y, who = pair.learned[there], pair.human[there], pair.who[there]
    target, rating, shown = (a[there] for a in (pair.target, pair.rating, pair.shown))
    found = calibrated_correlation(x, target, rating, shown, who)
    published = (pearson_r(x, y), *correlation_interval(x, y, who))
    return published, (found.r, found.low, found.high)


def on_disk(
    people: Population, cell: Cell, condition: Condition, clips: Array, seed: int
) -> UniquePair:
    """The pair of one repetition, from answers that were saved in a collection."""
    data = part(people.data, clips)
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        collection = create_collection(
            workspace, add_study(workspace, data), designed(people, cell, seed),
            clips=data.sample_ids.tolist(), is_simulated=True,
        )  # fmt: skip
        simulate_raters(collection, data, cell.traits, seed=seed)
        found = collected(collection, data)
    shown = frozenset(condition.modalities)
    judged = replace(
        data, judgments={shown: found.judgments[shown]}, ratings={shown: found.ratings[shown]}
    )
    (pair,) = unique_pairs(explained(people.contributions.select(data.sample_ids), judged))
    return pair


def show(people: Population, cell: Cell, repetitions: int, *, is_on_disk: bool = False) -> str:
    """Of r and of calibrated r: the truth, r less the truth, the width, and both coverages."""
    rows: list[list[float]] = []
    asked = [c for c in people.design.conditions if c.name in people.pairs]
    many = [SimulatedRater.drawn(cell.traits, np.random.default_rng([9, k])) for k in range(MANY)]
    of_any = {c.name: true_r(people, cell, c.name, many, 9) for c in asked[:repetitions]}
    for seed in range(repetitions):
        condition = asked[seed % len(asked)]
        clips = drawn_clips(people, cell, np.random.default_rng([seed, 2]))
        plan = Plan.of(designed(people, cell, seed), people.data.sample_ids[clips].tolist())
        raters = [
            SimulatedRater.drawn(cell.traits, np.random.default_rng([seed, slot]))
            for slot in range(plan.slots)
        ]
        of_these = true_r(people, cell, condition.name, raters, seed)
        if is_on_disk:
            pair = on_disk(people, cell, condition, clips, seed)
        else:
            given = ratings_of(people, condition.name, clips, plan, raters, cell.traits)
            given = given[np.isfinite(given).any(axis=1)]
            pair = people.rated(condition.name, clips, given, pooled=False)
        truths = zip(found_r(pair), of_these, of_any[condition.name], strict=True)
        rows.append([
            value for (r, low, high), these, any_raters in truths
            for value in (these, r - these, high - low, low <= these <= high,
                          low <= any_raters <= high)
        ])  # fmt: skip
    table = np.array(rows)
    known = np.isfinite(table[:, 6])
    cells = []
    for half in (table[:, :5], table[known, 5:]):
        true, bias, width, these, of_others = half.mean(axis=0)
        cells.append(f"{true:.3f} | {bias:+.3f} | {width:.2f} | {these:.1%} | {of_others:.1%}")
    return f"{' | '.join(cells)} | {known.mean():.0%}"


def main() -> None:
    """Print a row per cell."""
    asked = argparse.ArgumentParser()
    every = range(1, len(CELLS) + 1)
    asked.add_argument("--cells", type=int, nargs="+", choices=every, default=list(every))
    asked.add_argument("--repetitions", type=int, default=REPETITIONS)
    asked.add_argument("--on-disk", action="store_true", help="through collections on the disk")
    options = asked.parse_args()
    people = population()
    half = "true r | r − true | width | these raters | any raters"
    print(f"| persons × clips | raters per clip | clips per rater | raters | {half} | {half} "
          f"| calibrated |\n|{'---|' * 15}", flush=True)  # fmt: skip
    for number in options.cells:
        cell = CELLS[number - 1]
        kind = "usual" if cell.traits == USUAL else "different"
        shown = show(people, cell, options.repetitions, is_on_disk=options.on_disk)
        print(f"| {cell.persons} × {cell.each} | {cell.raters_per_cell} | {cell.clips_per_rater} "
              f"| {kind} | {shown} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
