"""What an auxiliary loss is: a function of covariances, with its derivative written out.

A covariance matrix holds a few numbers. Autograd spends more time on them in one step of a stack
than all of the stack's products take. So every loss has its derivative written out, as elementwise
operations on the matrices, and a test compares it with autograd on the loss's own definition.
"""

from abc import ABC, abstractmethod
from functools import cache
from importlib import import_module

from jaxtyping import Float
from torch import Tensor

from smurf_core.losses.rows import Rows
from smurf_core.model_kinds import MODEL_KINDS, ModelKind

Derivative = tuple[Float[Tensor, " k"], Float[Tensor, "k c r r"]]


class AuxiliaryLoss(ABC):
    """What a model kind adds to its task loss (eq. 4), λ left out.

    A row of `MODEL_KINDS` names it. Members of a stack, and the interaction orders of MRO, each
    have their own covariances.
    """

    rows: Rows  # what it takes covariances of

    @abstractmethod
    def value(self, covariances: Float[Tensor, "k c r r"], sources: int) -> Float[Tensor, " k"]:
        """The loss of every member: its definition.

        Parameters
        ----------
        covariances
            Covariances of all rows with all rows, for each member and output.
        sources
            The number of sources; r / sources rows belong to each, one source after the other.
        """

    @abstractmethod
    def differentiate(self, covariances: Float[Tensor, "k c r r"], sources: int) -> Derivative:
        """The loss of every member, and its derivative by the covariances: for training.

        Parameters
        ----------
        covariances, sources
            As for `value`.

        Returns
        -------
        tuple
            The loss [k], and the derivative D as the *symmetric* matrix D + Dᵀ [k, c, r, r].
            The derivative by the rows needs that one: the derivative of a function of
            C = X Xᵀ / (n − 1) by X is (D + Dᵀ) X / (n − 1).
        """

    def criterion(self, covariances: Float[Tensor, "k c r r"], sources: int) -> Float[Tensor, " k"]:
        """How far a trained model is from what the loss asks for; lower is better.

        Among configurations that predict equally well, the one with the lowest wins
        (`training.selection`).
        """
        return self.value(covariances, sources)


def auxiliary_loss_of(model: ModelKind) -> AuxiliaryLoss | None:
    """The auxiliary loss of a model kind, or nothing where it has none."""
    return _load(MODEL_KINDS[model].auxiliary_loss)


@cache
def _load(place: str) -> AuxiliaryLoss | None:
    if not place:
        return None
    module, _, name = place.partition(":")
    loss = getattr(import_module(module), name)
    if not isinstance(loss, AuxiliaryLoss):
        raise TypeError(f"{place} must be an AuxiliaryLoss, got {type(loss).__name__}.")
    return loss
