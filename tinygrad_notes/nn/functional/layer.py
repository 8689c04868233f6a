"""What layers compute: linear and bilinear maps, table look-ups, dropout."""

from __future__ import annotations

from ...errors import ShapeError
from ...functions import linalg, pointwise
from ...functions.creation import one_hot
from ...functions.padding import pad
from ...functions.random import Generator, bernoulli_mask
from ...functions.shape import unsqueeze
from ...optable import p as primitives
from ...tensor import Tensor
from .arguments import check_labels

__all__ = ["dropout", "embedding", "linear", "one_hot", "pad"]


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``x Wᵀ + b``. input ``(*, in)``, weight ``(out, in)``, bias ``(out,)``; result ``(*, out)``."""
    if input.ndim == 0 or weight.ndim != 2 or input.shape[-1] != weight.shape[1]:
        raise ShapeError(
            f"linear: {input._type()} has no last axis of length {weight.shape[-1]}, as weight {weight._type()} needs"
        )
    out = linalg.matmul(input, weight.T)
    return out if bias is None else out + bias


def embedding(input: Tensor, weight: Tensor, padding_idx: int | None = None) -> Tensor:
    """Rows of a table: input ``(*)`` integers in [0, V), weight ``(V, D)``; result ``(*, D)``.

    padding_idx: the row that gets no gradient. Raises IndexOutOfRange for an index outside the table.
    """
    if weight.ndim != 2:
        raise ShapeError(f"embedding: the table must be (V, D), got {weight._type()}")
    check_labels("embedding", input, weight.shape[0], "rows")
    out: Tensor = primitives.take(weight, input, dim=0)
    if padding_idx is None:
        return out
    return pointwise.where(unsqueeze(input == padding_idx % weight.shape[0], -1), out.detach(), out)


def dropout(input: Tensor, p: float = 0.5, training: bool = True, *, generator: Generator | None = None) -> Tensor:
    """Each value 0 with probability p, the others divided by 1 - p (Srivastava et al. 2014, inverted): the mean stays.

    Raises ValueError for p outside [0, 1].
    """
    if not 0 <= p <= 1:
        raise ValueError(f"dropout: the probability must lie in [0, 1], got {p}")
    if not training or p == 0:
        return input
    kept = bernoulli_mask(input.shape, 1 - p, generator)
    return pointwise.where(kept, input * (1 / (1 - p) if p < 1 else 0.0), 0.0)
