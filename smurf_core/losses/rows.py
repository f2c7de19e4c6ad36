"""What an auxiliary loss reads of a stack's towers, and where its derivative goes back to.

A loss takes covariances of *rows*, `[k, c, rows, n]`: k members, c outputs, n samples. Rows come
from *sources* (modalities, or the subsets of one interaction order), equally many from each. The
row in front of a source's next one is its own: row `source · rows per source + position`.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor


class Rows(ABC):
    """What a loss reads. Stateless: every loss of a kind shares one object."""

    # True if these rows are the contributions themselves. The derivative of the task loss is the
    # same for all contributions, so the product that gives the loss's derivative adds it.
    are_contributions: bool

    @abstractmethod
    def shares(self, sizes: Sequence[int]) -> dict[int, float]:
        """The weight of the loss in every interaction order that has one.

        Parameters
        ----------
        sizes
            Number of sources of every order, from the first order on.

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
        """The rows of every source of one order, which `centred` then takes the mean off.

        Parameters
        ----------
        order
            Position of the order: 0 for the modalities.
        values
            Contributions of every order.
        hidden
            The activations of every hidden layer; none where towers are linear.
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
            The derivative by the rows; that of the task loss is in it where
            `are_contributions`.
        by_task
            The derivative of the task loss by any contribution.
        into
            Memory for the result.
        hidden
            As for `read`.

        Returns
        -------
        Tensor or None
            The derivative by the last units of the last hidden layer, where the loss reads them.
        """


class ContributionRows(Rows):
    """All contributions of every order, output by output: row i · s + j is ŷ_ij."""

    are_contributions = True

    def shares(self, sizes: Sequence[int]) -> dict[int, float]:
        """An order's share of all pairs (the 1/12 of eq. 30). One source alone shares nothing."""
        pairs = sum(s * s - s for s in sizes)
        return {order: (s * s - s) / pairs for order, s in enumerate(sizes) if s > 1}

    def read(
        self, order: int, values: Sequence[Tensor], hidden: Sequence[Tensor]
    ) -> Float[Tensor, "s k heads c n"]:
        """The order's contributions as they are."""
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

    Where towers have no hidden layer, the second half of what they output.
    """

    are_contributions = False

    def shares(self, sizes: Sequence[int]) -> dict[int, float]:
        """All in the first order: hidden layers belong to modalities."""
        return {0: 1.0} if sizes[0] > 1 else {}

    def read(
        self, order: int, values: Sequence[Tensor], hidden: Sequence[Tensor]
    ) -> Float[Tensor, "s k half 1 n"]:
        """The units of the second half."""
        # Interactions may have networks of their own, which come after the modalities'.
        whole = hidden[-1][: len(values[0])] if hidden else values[0].flatten(2, 3)
        return whole[:, :, whole.shape[2] // 2 :].unsqueeze(3)

    def give_back(
        self, by_rows: Tensor, by_task: Tensor, into: Tensor, hidden: Sequence[Tensor]
    ) -> Float[Tensor, "s k half n"] | None:
        """The task's derivative everywhere; the loss's own where it was read."""
        into.copy_(by_task[:, None].expand_as(into))
        k, n = by_rows.shape[0], by_rows.shape[-1]
        by_half = by_rows.view(k, len(into), -1, n).transpose(0, 1)
        if hidden:
            return by_half
        into.flatten(2, 3)[:, :, -by_half.shape[2] :] += by_half
        return None


CONTRIBUTIONS = ContributionRows()
HIDDEN_HALF = HiddenHalfRows()
