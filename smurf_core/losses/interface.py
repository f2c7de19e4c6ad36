"""The interface of auxiliary losses: functions of covariances, with explicit derivatives.

A covariance matrix has few elements. In one step of a stack, autograd spends more time on them than
on all of the stack's products. Every loss therefore implements its derivative, as elementwise
operations on the matrices, and a test compares it with autograd on the definition of the loss.
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
    """What a model kind adds to its task loss (eq. 4), without λ.

    A row of `MODEL_KINDS` names it. Each member of a stack and each interaction order of MRO has
    its own covariances.
    """

    rows: Rows  # the rows whose covariances it takes

    @abstractmethod
    def value(self, covariances: Float[Tensor, "k c r r"], sources: int) -> Float[Tensor, " k"]:
        """The loss of each member: the definition of the loss.

        Parameters
        ----------
        covariances
            Covariances of all rows with all rows, for each member and output.
        sources
            The number of sources; r / sources rows belong to each, in the order of the sources.
        """

    @abstractmethod
    def differentiate(self, covariances: Float[Tensor, "k c r r"], sources: int) -> Derivative:
        """The loss of each member and its derivative by the covariances, for training.

        Parameters
        ----------
        covariances, sources
            As for `value`.

        Returns
        -------
        tuple
            The loss [k], and the derivative D as the *symmetric* matrix D + Dᵀ [k, c, r, r].
            The derivative by the rows uses this matrix: the derivative of a function of
            C = X Xᵀ / (n − 1) by X is (D + Dᵀ) X / (n − 1).
        """

    def criterion(self, covariances: Float[Tensor, "k c r r"], sources: int) -> Float[Tensor, " k"]:
        """The distance of a trained model from the goal of the loss; lower is better.

        Among configurations that predict equally well, the one with the lowest wins
        (`training.selection`).
        """
        return self.value(covariances, sources)


def auxiliary_loss_of(model: ModelKind) -> AuxiliaryLoss | None:
    """The auxiliary loss of a model kind, or None if it has none."""
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
