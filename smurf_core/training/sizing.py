"""How many configurations are trained as one stack, by the memory that a member takes."""

import numpy as np

from smurf_core.models.architecture import Architecture

# Working memory that one stack may take; a grid that needs more is trained in several stacks.
STACK_BYTES = 128 * 2**20


def stack_size(architecture: Architecture, batch_size: int, budget: int = STACK_BYTES) -> int:
    """How many members fit into a budget of bytes, at least one."""
    return max(1, budget // member_bytes(architecture, batch_size))


def member_bytes(architecture: Architecture, batch_size: int) -> int:
    """Memory that one member of a stack takes while it trains.

    Counts float32 numbers: parameters with gradient, two moments, update, rates, decays and best
    weights (8 in all), and activations with their derivatives and intermediates of a batch (4 in
    all).
    """
    return 4 * (8 * architecture.parameter_count + 4 * architecture.unit_count * batch_size)


def stacks(count: int, size: int, *, is_mixed: bool) -> list[np.ndarray]:
    """Positions of a grid's points, stack by stack, in stacks of `size` at most.

    Neighbours share a learning rate, and so finish at about the same time. `is_mixed` gives every
    stack some of each instead, for a search that compares within a stack.
    """
    stacks = -(-count // size)
    if is_mixed:
        return [np.arange(first, count, stacks) for first in range(stacks)]
    return list(np.array_split(np.arange(count), stacks))
