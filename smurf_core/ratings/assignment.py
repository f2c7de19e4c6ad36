"""Who rates what: balanced incomplete blocks of clips and conditions, reproducible from a seed.

Rating happens in rounds. In each round every clip is rated once, in the condition that follows its
last one in a cycle, so that as many rounds as there are conditions give every clip × condition one
rating. The clips of a round are dealt to blocks, condition by condition; a block is what one rater
gets. So no rater meets a clip twice, blocks differ by at most one clip, and the conditions within
a block differ by at most one clip. Every function is pure: the same arguments give the same result.

Conditions take turns in an order that is a row of a Latin square whose rows (Williams, 1949,
*Australian Journal of Scientific Research* A2) also balance which condition follows which. A clip
moves through early, middle and late positions from round to round.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from smurf_core.errors import InputError
from smurf_core.ratings.answers import ItemKind
from smurf_core.ratings.design import Design


@dataclass(frozen=True, order=True)
class Cell:
    """A clip in a condition."""

    clip: str
    condition: str


@dataclass(frozen=True)
class Item:
    """One item of a rater's list; of an attention item, `wanted` is the answer asked for (0 to 1:
    the share of the first scale, low to high)."""

    kind: ItemKind
    clip: str
    condition: str
    wanted: float | None = None


@dataclass(frozen=True)
class Plan:
    """What blocks are made of; the blocks of a plan are numbered from 0, without an end.

    The first `slots` blocks give every clip × condition its `raters_per_cell` ratings.
    """

    clips: tuple[str, ...]
    conditions: tuple[str, ...]
    raters_per_cell: int
    clips_per_rater: int
    seed: int

    def __post_init__(self) -> None:
        if not self.clips or not self.conditions:
            raise InputError("An assignment needs at least one clip and one condition.")
        if len(set(self.clips)) < len(self.clips):
            raise InputError("A clip is named twice in the assignment; name each once.")

    @classmethod
    def of(cls, design: Design, clips: Sequence[str]) -> Plan:
        """The plan of a design for its clips."""
        return cls(
            tuple(clips),
            tuple(c.name for c in design.conditions),
            design.raters_per_cell,
            design.clips_per_rater,
            design.seed,
        )

    @property
    def blocks_per_round(self) -> int:
        """Raters who together rate every clip once."""
        return -(-len(self.clips) // self.clips_per_rater)

    @property
    def rounds(self) -> int:
        """Rounds until every clip × condition has its number of ratings."""
        return len(self.conditions) * self.raters_per_cell

    @property
    def slots(self) -> int:
        """Raters whom the plan needs."""
        return self.rounds * self.blocks_per_round

    @property
    def items(self) -> int:
        """Ratings that the plan needs: clips × conditions × raters per cell."""
        return len(self.clips) * self.rounds

    def block(self, slot: int) -> tuple[Cell, ...]:
        """The clips and conditions of one slot, in the order in which they are shown."""
        round_number, block = divmod(slot, self.blocks_per_round)
        return _round(self, round_number)[block]


@lru_cache(maxsize=64)
def _round(plan: Plan, number: int) -> tuple[tuple[Cell, ...], ...]:
    """The blocks of one round."""
    count, size = len(plan.conditions), len(plan.clips)
    whole = np.random.default_rng([plan.seed, 0])
    # Clips with equal remainders are in one condition in each round; their first positions differ.
    start = whole.permutation(size)
    phase = (start // count) / -(-size // count)
    random = np.random.default_rng([plan.seed, 1, number])
    condition = (start + number) % count
    deal = np.lexsort((random.random(size), (condition + random.integers(count)) % count))
    place = np.empty(size, dtype=np.int64)
    place[deal] = np.arange(size) % plan.blocks_per_round
    # Early, middle and late positions in turn: equally spaced over the rounds of a plan.
    turn = np.floor((phase + number / plan.rounds) % 1 * plan.rounds)
    order = np.lexsort((random.random(size), turn))
    found = []
    for block in range(plan.blocks_per_round):
        queues: list[list[str]] = [[] for _ in range(count)]
        for row in order[place[order] == block]:
            queues[condition[row]].append(plan.clips[row])
        slot = number * plan.blocks_per_round + block
        found.append(_in_turn(plan.conditions, queues, slot))
    return tuple(found)


def _in_turn(
    conditions: Sequence[str], queues: Sequence[Sequence[str]], slot: int
) -> tuple[Cell, ...]:
    """Cells in an order in which conditions take turns, as the square's row for a slot says."""
    count = len(conditions)
    cells: list[Cell] = []
    for turn in range(max((len(q) for q in queues), default=0)):
        for c in _square_row(count, slot, turn):
            cells += [Cell(clip, conditions[c]) for clip in queues[c][turn : turn + 1]]
    return tuple(cells)


def _square_row(count: int, slot: int, turn: int) -> list[int]:
    """A row of Williams's square; for an odd number of conditions, its mirror image in turn."""
    zigzag = [(k + 1) // 2 if k % 2 else -(k // 2) for k in range(count)]
    if slot // count % 2 and count % 2:
        zigzag = zigzag[::-1]
    return [(slot + turn + step) % count for step in zigzag]


def replacement(plan: Plan, open_cells: Iterable[Cell], slot: int) -> tuple[Cell, ...]:
    """A list for a rater who takes over what others left, at most `clips_per_rater` long.

    Each clip is in it once. Conditions with the most open cells come first, so that conditions stay
    even; cells that are not taken stay open. `slot` is the rater's number, for the order.
    """
    waiting: dict[str, list[str]] = defaultdict(list)
    for cell in sorted(set(open_cells)):
        waiting[cell.condition].append(cell.clip)
    random = np.random.default_rng([plan.seed, 2, slot])
    for clips in waiting.values():
        random.shuffle(clips)
    queues: list[list[str]] = [[] for _ in plan.conditions]
    seen: set[str] = set()
    for _ in range(plan.clips_per_rater):
        fewest = sorted(range(len(plan.conditions)), key=lambda c: len(queues[c]))
        for c in fewest:
            free = waiting[plan.conditions[c]]
            while free and free[-1] in seen:
                free.pop()
            if free:
                seen.add(free[-1])
                queues[c].append(free.pop())
                break
        else:
            break
    return _in_turn(plan.conditions, queues, slot)


def next_cells(
    plan: Plan, taken: Iterable[int], open_cells: Sequence[Cell], number: int
) -> tuple[int | None, tuple[Cell, ...]]:
    """What a rater who joins now gets: (slot, cells), with slot None for a replacement.

    What others left comes first where it is at least half a list, or where every slot of the plan
    is taken; otherwise the first free slot. When all is rated, further blocks go on in the same
    way, so that more raters can join.

    Parameters
    ----------
    plan : Plan
        Blocks.
    taken : iterable of int
        Slots that somebody has or had.
    open_cells : sequence of Cell
        What must be rated again: one entry per missing rating.
    number : int
        The rater's number, for the order of a replacement.
    """
    used = set(taken)
    free = next(slot for slot in range(len(used) + 1) if slot not in used)
    left = replacement(plan, open_cells, number) if open_cells else ()
    half = -(-min(plan.clips_per_rater, len(plan.clips)) // 2)
    if left and (len(left) >= half or free >= plan.slots):
        return None, left
    return free, plan.block(free)


def rater_items(design: Design, cells: Sequence[Cell], number: int) -> tuple[Item, ...]:
    """The list of one rater: practice, then the cells with repeats and attention items between.

    Practice clips go through the conditions. A repeat comes in the last third of the list, of a
    clip from its first half, and so as far from it as possible. Attention items are spread
    evenly; each asks for one end of the first scale of its condition.
    """
    random = np.random.default_rng([design.seed, 3, number])
    names = [c.name for c in design.conditions]
    practice = [
        Item("practice", clip, names[k % len(names)]) for k, clip in enumerate(design.practice)
    ]
    main = [Item("clip", cell.clip, cell.condition) for cell in cells]
    early = main[: len(main) // 2]
    again = random.permutation(len(early))[: design.repeats]
    repeats = [Item("repeat", early[k].clip, early[k].condition) for k in sorted(again)]
    start = len(main) - len(main) // 3
    items: list[Item] = _spread(main[:start], main[start:], repeats)
    for k in range(min(design.attention, len(cells))):
        at = round((k + 0.5 + 0.4 * (random.random() - 0.5)) / design.attention * len(items))
        near = items[min(at, len(items) - 1)]
        items.insert(at, Item("attention", near.clip, near.condition, float(random.integers(2))))
    return (*practice, *items)


def _spread(first: list[Item], last: list[Item], between: list[Item]) -> list[Item]:
    """`first`, then `last` with the items of `between` spread evenly in it."""
    places = [(k + 1, 0, item) for k, item in enumerate(last)]
    width = (len(last) + 1) / (len(between) + 1)
    places += [(round((k + 1) * width), 1, item) for k, item in enumerate(between)]
    return [*first, *(item for _, _, item in sorted(places, key=lambda place: place[:2]))]
