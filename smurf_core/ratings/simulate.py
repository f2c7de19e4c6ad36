"""Simulated raters of a simulated study: a design can be tried from end to end before people are.

They perceive the true factors that a condition shows, and differ in bias, use of the scale, noise,
fatigue and lag; traces have a lag of their own. Whatever they rate is marked as simulated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from smurf_core.codec import check
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.data.generated.synthetic import redundant_factor, unique_factor
from smurf_core.errors import InputError
from smurf_core.ratings.answers import INTENSITY, AnswerField
from smurf_core.ratings.design import Scale
from smurf_core.ratings.store import Collection, ItemView
from smurf_core.ratings.tables import progress_table
from smurf_core.ratings.traces.chunks import Chunk
from smurf_core.ratings.traces.collected import save_chunk
from smurf_core.ratings.traces.simulate import clip_length, course, simulated_chunks

Array = npt.NDArray[np.float64]
_TYPICAL_SECONDS = 4.0


@dataclass(frozen=True)
class RaterTraits:
    """How simulated raters differ. Standard deviations are in units of what is perceived."""

    bias: float = 0.3  # sd over raters of what each adds to everything
    scale_use: float = 0.2  # sd over raters of the logarithm of the factor on what they perceive
    noise: float = 0.5  # sd of each answer
    fatigue: float = 0.5  # the noise's sd grows by this share over a list
    lag: float = 0.1  # weight of the previous clip in an answer
    trace_lag: float = 0.3  # seconds by which traces are late; people need 2 to 4, in longer clips
    trace_lag_sd: float = 0.1  # sd over raters
    careless: float = 0.0  # share of raters who give the same answer again and again, fast

    def __post_init__(self) -> None:
        check(self)
        for name in ("bias", "scale_use", "noise", "fatigue", "trace_lag", "trace_lag_sd"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} is {getattr(self, name):g}; it must be 0 or more.")
        for name in ("lag", "careless"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} is {getattr(self, name):g}; it must be from 0 to 1.")


def perceived(dataset: MultimodalDataset, shown: tuple[str, ...]) -> Array:
    """The sum of the true factors that some modalities show, [n], in the target's unit.

    Raises `InputError` if the true factors are not known, because the study is not simulated.
    """
    if not dataset.factors:
        raise InputError(
            f"{dataset.name!r} is not simulated, so nobody knows what raters would perceive; make "
            "a study with smurf simulate-study."
        )
    pairs = combinations(dataset.modalities, 2)
    names = [unique_factor(m) for m in shown]
    names += [redundant_factor(i, j) for i, j in pairs if i in shown or j in shown]
    total = np.zeros(len(dataset))
    for name in names:
        total += dataset.factors.get(name, 0.0)
    return total


def simulate_raters(
    collection: Collection,
    dataset: MultimodalDataset,
    traits: RaterTraits | None = None,
    *,
    raters: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Let simulated raters answer a collection through the functions that people's answers take.

    Parameters
    ----------
    collection : Collection
        Marked as simulated when it was made.
    dataset : MultimodalDataset
        Its study, with true factors.
    traits : RaterTraits or None
        How raters differ; None: the default.
    raters : int or None
        How many; None: until the plan is complete.
    seed : int
        Equal seeds give equal answers.
    progress : function or None
        Called with raters done and all raters.

    Returns
    -------
    int
        Raters who answered.

    Raises
    ------
    InputError
        If the study is not simulated, or the collection is not marked as simulated.
    """
    traits = traits or RaterTraits()
    perceived(dataset, dataset.modalities)
    if not collection.is_simulated:
        raise InputError(
            "This collection is for people: simulated raters answer only a collection that was "
            "made for them, so that their ratings are never taken for people's."
        )
    total = raters or collection.design_version().plan.slots
    done = 0
    with collection.held():
        while done < total if raters else (progress_table(collection)["open"] > 0).any():
            _rate(collection, dataset, traits, np.random.default_rng([seed, done]))
            done += 1
            if progress is not None:
                progress(done, max(done, total))
    return done


def _rate(
    collection: Collection,
    dataset: MultimodalDataset,
    traits: RaterTraits,
    random: np.random.Generator,
) -> None:
    """One rater, from consent to the last item."""
    rater = SimulatedRater.drawn(traits, random)
    token = collection.invite().token
    state = collection.consent(token)
    design = collection.design_version().design
    seen = {c.name: perceived(dataset, c.modalities) for c in design.conditions}
    before: float | None = None
    for position in range(state.total):
        item = collection.item(token, position)
        row = int(dataset.positions(np.array([item.clip]))[0])
        now = float(seen[item.condition][row])
        felt = now if before is None else (1 - traits.lag) * now + traits.lag * before
        before = now
        level = float(rater.says(felt, position / max(state.total - 1, 1)))
        values = {
            field.key: _answer(field, item, dataset, row, level, rater) for field in item.fields
        }
        speed = 0.1 if rater.is_careless else 1.0
        seconds = speed * float(np.exp(random.normal(np.log(_TYPICAL_SECONDS), 0.4)))
        plays = 1 + int(random.random() < 0.15)
        if item.traced is not None:
            length = clip_length(dataset, row)
            for chunk in rater.traces(course(item.clip, felt, length), item.traced, length):
                save_chunk(collection, token, position, item.clip, chunk)
        collection.save(token, position, item.clip, values, seconds=seconds, plays=plays)


@dataclass(frozen=True)
class SimulatedRater:
    """A rater that `RaterTraits` describe, with the generator of the answers."""

    bias: float
    factor: float
    noise: float
    fatigue: float
    lag: float  # of traces, seconds
    is_careless: bool
    random: np.random.Generator

    @classmethod
    def drawn(cls, traits: RaterTraits, random: np.random.Generator) -> SimulatedRater:
        """The rater whom a generator draws."""
        return cls(
            bias=float(random.normal(scale=traits.bias)),
            factor=float(np.exp(random.normal(scale=traits.scale_use))),
            noise=traits.noise,
            fatigue=traits.fatigue,
            is_careless=bool(random.random() < traits.careless),
            # A generator of its own: answers to a design do not depend on its traces.
            lag=max(0.0, float(random.spawn(1)[0].normal(traits.trace_lag, traits.trace_lag_sd))),
            random=random,
        )

    def traces(self, shown: Array, scale: Scale, length: float) -> list[Chunk]:
        """The parts of a trace of what a clip shows; a careless rater does not move."""
        if self.is_careless:
            shown = np.full_like(shown, scale.low)
        return simulated_chunks(
            shown, scale, length, lag=0.0 if self.is_careless else self.lag,
            bias=0.0 if self.is_careless else self.bias,
            factor=1.0 if self.is_careless else self.factor,
            noise=0.0 if self.is_careless else self.noise, random=self.random.spawn(1)[0],
        )  # fmt: skip

    def says(self, felt: float | Array, through: float | Array) -> Array:
        """Answers before they are fitted to a scale; `through` runs from 0 to 1 over the list."""
        sd = self.noise * (1 + self.fatigue * np.asarray(through))
        return np.asarray(self.factor * felt + self.bias + self.random.normal(scale=sd))


def _answer(
    field: AnswerField,
    item: ItemView,
    dataset: MultimodalDataset,
    row: int,
    level: float,
    rater: SimulatedRater,
) -> float:
    """The answer to one field, on its scale."""
    if rater.is_careless:
        return (field.steps or (field.low,))[0]
    wanted: Mapping[str, float] = item.wanted or {}
    if field.key in wanted:
        return wanted[field.key]
    if field.modality:
        own = np.abs(np.asarray(dataset.factors[unique_factor(field.modality)], dtype=np.float64))
        size = own[row] + rater.random.normal(scale=0.3 * own.std())
        return float(np.searchsorted(np.quantile(own, [0.4, 0.8]), size))
    if field.measure == "nominal" or field.key.endswith(f"/{INTENSITY}"):
        share = 1 / (1 + np.exp(-level))
        steps = field.steps
        return steps[min(int(share * len(steps)), len(steps) - 1)] if steps else float(share)
    if field.steps:
        return min(field.steps, key=lambda step: abs(step - level))
    return float(np.clip(level, field.low, field.high))
