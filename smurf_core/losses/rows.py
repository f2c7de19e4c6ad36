"""The rows that an auxiliary loss reads from a stack's towers, and where its derivative goes.

A loss takes covariances of *rows*, `[k, c, rows, n]`: k members, c outputs, n samples. Rows come
from *sources* (modalities, or the subsets of one interaction order), equally many from each. They
are ordered by source: row `source · rows per source + position`.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor


class Rows(ABC):
    """The rows that a loss reads. Stateless: all losses of a kind share one object."""

    # True if these rows are the contributions. The derivative of the task loss is the same for all
    # contributions, so the product that gives the derivative of the loss adds it.
    are_contributions: bool

    @abstractmethod
    def shares(self, sizes: Sequence[int]) -> dict[int, float]:
        """The weight of the loss in each interaction order that has one.

        Parameters
        ----------
        sizes
            Number of sources of each order, from the first order on.

        Returns
        -------
        dict
            Position of the order → weight. The weights add up to one.
        """

    @abstractmethod
    def read(
        self,
        order: int,
        values: Sequence[Float[Tensor, "s k heads c n"]],
        hidden: Sequence[Float[Tensor, "s k units n"]],
    ) -> Float[Tensor, "s k rows c n"]:
        """The rows of each source of one order; `centred` then subtracts their mean.

        Parameters
        ----------
        order
            Position of the order: 0 for the modalities.
        values
            Contributions of each order.
        hidden
            The activations of each hidden layer; None if towers are linear.
        """

    @abstractmethod
    def give_back(
        self,
        by_rows: Float[Tensor, "k c r n"],
        by_task: Float[Tensor, "k c n"],
        into: Float[Tensor, "s k heads c n"],
        hidden: Sequence[Float[Tensor, "s k units n"]],
    ) -> Float[Tensor, "s k some n"] | None:
        """Write the joint loss's derivative by an order's contributions to `into`.

        Parameters
        ----------
        by_rows
            The derivative by the rows; it includes that of the task loss if `are_contributions`.
        by_task
            The derivative of the task loss by any contribution.
        into
            Memory for the result.
        hidden
            As for `read`.

        Returns
        -------
        Tensor or None
            The derivative by the last units of the last hidden layer, if the loss reads them.
        """


class ContributionRows(Rows):
    """All contributions of each order, per output: row i · s + j is ŷ_ij."""

    are_contributions = True

    def shares(self, sizes: Sequence[int]) -> dict[int, float]:
        """Each order's share of all pairs (the 1/12 of eq. 30). A single source shares nothing."""
        pairs = sum(s * s - s for s in sizes)
        return {order: (s * s - s) / pairs for order, s in enumerate(sizes) if s > 1}

    def read(
        self, order: int, values: Sequence[Tensor], hidden: Sequence[Tensor]
    ) -> Float[Tensor, "s k heads c n"]:
        """The order's contributions, unchanged."""
        return values[order]

    def give_back(
        self, by_rows: Tensor, by_task: Tensor, into: Tensor, hidden: Sequence[Tensor]
    ) -> None:
        """Put the derivatives in the order of the contributions."""
        k, c, r, n = by_rows.shape
        s = len(into)
        into.copy_(by_rows.view(k, c, s, r // s, n).permute(2, 0, 3, 1, 4))


class HiddenHalfRows(Rows):
    """The second half of every modality's last hidden layer, as E-HGR's released code reads it.

    If towers have no hidden layer, it is the second half of their outputs.
    """

    are_contributions = False

    def shares(self, sizes: Sequence[int]) -> dict[int, float]:
        """All weight is on the first order, because hidden layers belong to modalities."""
        return {0: 1.0} if sizes[0] > 1 else {}

    def read(
        self, order: int, values: Sequence[Tensor], hidden: Sequence[Tensor]
    ) -> Float[Tensor, "s k half 1 n"]:
        """The units of the second half."""
        # Interactions may have separate networks, which come after those of the modalities.
        whole = hidden[-1][: len(values[0])] if hidden else values[0].flatten(2, 3)
        return whole[:, :, whole.shape[2] // 2 :].unsqueeze(3)

    def give_back(
        self, by_rows: Tensor, by_task: Tensor, into: Tensor, hidden: Sequence[Tensor]
    ) -> Float[Tensor, "s k half n"] | None:
        """Write the derivative of the task loss, and add that of the loss or return it."""
        into.copy_(by_task[:, None].expand_as(into))
        k, n = by_rows.shape[0], by_rows.shape[-1]
        by_half = by_rows.view(k, len(into), -1, n).transpose(0, 1)
        if hidden:
            return by_half
        into.flatten(2, 3)[:, :, -by_half.shape[2] :] += by_half
        return None


CONTRIBUTIONS = ContributionRows()
HIDDEN_HALF = HiddenHalfRows()
