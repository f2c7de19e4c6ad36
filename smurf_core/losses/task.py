"""The task losses and their explicit derivatives."""

from jaxtyping import Float, Int
from torch import Tensor


def squared_error(
    prediction: Float[Tensor, "*k 1 n"], target: Float[Tensor, " n"]
) -> Float[Tensor, "*k"]:
    """Mean squared error over the samples."""
    return (prediction.squeeze(-2) - target).square().mean(dim=-1)


def squared_error_gradient(
    prediction: Float[Tensor, "*k 1 n"], target: Float[Tensor, " n"]
) -> Float[Tensor, "*k 1 n"]:
    """Derivative of `squared_error` by the prediction."""
    return (prediction - target) * (2 / target.shape[0])


def cross_entropy(
    prediction: Float[Tensor, "*k c n"], target: Int[Tensor, " n"]
) -> Float[Tensor, "*k"]:
    """Mean negative log-likelihood of the true classes under the softmax of the logits."""
    index = target.expand(*prediction.shape[:-2], 1, -1)
    chosen = prediction.gather(-2, index).squeeze(-2)
    return (prediction.logsumexp(dim=-2) - chosen).mean(dim=-1)


def cross_entropy_gradient(
    prediction: Float[Tensor, "*k c n"], target: Int[Tensor, " n"]
) -> Float[Tensor, "*k c n"]:
    """Derivative of `cross_entropy` by the logits: (softmax − one-hot) / n."""
    index = target.expand(*prediction.shape[:-2], 1, -1)
    ones = prediction.new_ones(()).expand(index.shape)
    return prediction.softmax(dim=-2).scatter_add_(-2, index, -ones) / target.shape[0]
