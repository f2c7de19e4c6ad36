"""Properties of assignments, over random designs; SMURF_RATING_DESIGNS sets how many (60)."""

import os
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smurf_core.data.generated.simulated import simulated_affect
from smurf_core.errors import InputError
from smurf_core.ratings.assignment import Cell, Plan, next_cells, rater_items
from smurf_core.ratings.defaults import default_design

DESIGNS = int(os.environ.get("SMURF_RATING_DESIGNS", "60"))
many = settings(
    max_examples=DESIGNS, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip


@st.composite
def plans(draw):
    clips = draw(st.integers(1, 20))
    return Plan(
        tuple(f"c{k:02d}" for k in range(clips)),
        tuple("ABCDEF"[: draw(st.integers(1, 6))]),
        draw(st.integers(1, 3)),
        draw(st.integers(1, 24)),
        draw(st.integers(0, 2**31)),
    )


def blocks(plan, first=0):
    return [plan.block(slot) for slot in range(first, first + plan.slots)]


def is_even(counts) -> bool:
    counts = list(counts)
    return max(counts) - min(counts) <= 1


@many
@given(plans())
def test_every_clip_has_its_number_in_every_condition(plan):
    cells = Counter(cell for block in blocks(plan) for cell in block)
    assert cells == {Cell(c, k): plan.raters_per_cell for c in plan.clips for k in plan.conditions}
    assert sum(cells.values()) == plan.items


@many
@given(plans())
def test_blocks_are_even_and_no_rater_meets_a_clip_twice(plan):
    found = blocks(plan)
    for block in found:
        assert len({cell.clip for cell in block}) == len(block) <= plan.clips_per_rater
        shown = Counter(cell.condition for cell in block)
        assert is_even(shown[name] for name in plan.conditions)
    assert is_even(map(len, found))


@many
@given(plans())
def test_conditions_take_turns_and_positions_are_even(plan):
    count, found = len(plan.conditions), blocks(plan)
    full = min(len(b) for b in found) // count
    for block in found:
        for turn in range(full):
            part = block[turn * count : (turn + 1) * count]
            assert len({cell.condition for cell in part}) == count
    for position in range(full * count):
        at = Counter(block[position].condition for block in found)
        assert is_even(at[name] for name in plan.conditions)


@many
@given(plans(), st.integers(0, 200))
def test_a_plan_is_reproducible_and_goes_on(plan, slot):
    assert plan.block(slot) == replace(plan).block(slot)
    further = Counter(cell for block in blocks(plan, plan.slots) for cell in block)
    assert set(further.values()) == {plan.raters_per_cell}


class Collection:
    """Raters who join, answer, leave and withdraw, as `store` does it, without a file."""

    def __init__(self, plan):
        self.plan, self.taken, self.raters = plan, [], []

    def open_cells(self):
        needed = Counter(cell for slot in self.taken for cell in self.plan.block(slot))
        needed.subtract(cell for rater in self.raters for cell in rater["cells"])
        return [cell for cell, missing in needed.items() for _ in range(missing)]

    def join(self):
        slot, cells = next_cells(self.plan, self.taken, self.open_cells(), len(self.raters))
        if slot is not None:
            self.taken.append(slot)
        self.raters.append({"cells": list(cells), "met": cells})

    def is_complete(self):
        return len(self.taken) >= self.plan.slots and not self.open_cells()


@many
@given(plans(), st.randoms(use_true_random=False))
def test_raters_who_leave_are_replaced_without_unbalancing(plan, random):
    collection, joined = Collection(plan), 0
    while not collection.is_complete():
        collection.join()
        joined += 1
        met = [cell.clip for cell in collection.raters[-1]["met"]]
        assert len(set(met)) == len(met) <= plan.clips_per_rater
        assert met, "a rater got nothing to do"
        if random.random() < 0.4 and joined < 3 * plan.slots:
            rater = random.choice(collection.raters)
            # Withdraws (nothing is left), or leaves after some answers.
            kept = 0 if random.random() < 0.3 else random.randint(0, len(rater["cells"]))
            rater["cells"] = rater["cells"][:kept]
    cells = Counter(cell for rater in collection.raters for cell in rater["cells"])
    assert len(collection.taken) == plan.slots
    assert set(cells.values()) == {plan.raters_per_cell}
    assert len(cells) == len(plan.clips) * len(plan.conditions)


def test_clips_move_through_early_and_late_positions():
    plan = Plan(tuple(f"c{k}" for k in range(24)), ("A", "B", "C"), 4, 24, seed=5)
    places = {clip: [] for clip in plan.clips}
    for block in blocks(plan):
        for k, cell in enumerate(block):
            places[cell.clip].append(k / (len(block) - 1))
    means = np.array([np.mean(found) for found in places.values()])
    drawn_at_random = np.sqrt(1 / 12 / plan.rounds)
    assert np.sqrt(((means - 0.5) ** 2).mean()) < 0.5 * drawn_at_random
    assert min(np.ptp(found) for found in places.values()) > 0.7


def test_another_seed_gives_other_blocks():
    plan = Plan(tuple("abcdefghij"), ("A", "B"), 2, 5, seed=0)
    assert blocks(plan) != blocks(replace(plan, seed=1))


def test_neighbouring_conditions_are_balanced():
    for names in ("ABCD", "ABC"):
        plan = Plan(tuple(f"c{k}" for k in range(len(names))), tuple(names), 2, 99, seed=1)
        pairs = Counter(
            (a.condition, b.condition) for block in blocks(plan)
            for a, b in pairwise(block)
        )  # fmt: skip
        assert len(pairs) == len(names) * (len(names) - 1)
        assert len(set(pairs.values())) == 1


@pytest.fixture(scope="module")
def design():
    return replace(
        default_design(simulated_affect(samples=60, persons=10)),
        practice=("p01_u0001", "p01_u0002"), attention=2, repeats=4,
    )  # fmt: skip


def test_a_list_has_practice_repeats_and_checks(design):
    plan = Plan.of(design, [f"c{k}" for k in range(60)])
    cells = plan.block(7)
    items = rater_items(design, cells, 7)
    kinds = Counter(item.kind for item in items)
    assert kinds == {"practice": 2, "clip": 30, "repeat": 4, "attention": 2}
    assert [i.kind for i in items[:2]] == ["practice", "practice"]
    assert [Cell(i.clip, i.condition) for i in items if i.kind == "clip"] == list(cells)
    first = {i.clip: k for k, i in enumerate(items) if i.kind == "clip"}
    for k, item in enumerate(items):
        if item.kind == "repeat":
            assert k - first[item.clip] >= 5
            assert items[first[item.clip]].condition == item.condition
        assert (item.wanted in (0.0, 1.0)) == (item.kind == "attention")
    assert items == rater_items(design, cells, 7)


@given(st.integers(0, 6), st.integers(0, 9), st.integers(0, 9))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_short_lists_get_no_more_checks_than_clips(design, count, attention, repeats):
    few = replace(design, attention=attention, repeats=repeats, practice=())
    cells = [Cell(f"c{k}", "everything") for k in range(count)]
    kinds = Counter(item.kind for item in rater_items(few, cells, 0))
    assert kinds["clip"] == count
    assert kinds["attention"] == min(attention, count)
    assert kinds["repeat"] == min(repeats, count // 2)


def test_a_plan_needs_clips_that_differ():
    with pytest.raises(InputError, match="named twice"):
        Plan(("a", "a"), ("A",), 1, 1, 0)
    with pytest.raises(InputError, match="at least one clip"):
        Plan((), ("A",), 1, 1, 0)
