"""What layers compute: linear and bilinear maps, table look-ups."""

from __future__ import annotations

from ...errors import ShapeError
from ...functions import linalg, pointwise
from ...functions.creation import one_hot
from ...functions.padding import pad
from ...functions.shape import squeeze, unsqueeze
from ...optable import p as primitives
from ...tensor import Tensor
from .arguments import check_labels

__all__ = ["bilinear", "embedding", "linear", "one_hot", "pad"]


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``x Wᵀ + b``. input ``(*, in)``, weight ``(out, in)``, bias ``(out,)``; result ``(*, out)``."""
    if input.ndim == 0 or weight.ndim != 2 or input.shape[-1] != weight.shape[1]:
        raise ShapeError(
            f"linear: {input._type()} has no last axis of length {weight.shape[-1]}, as weight {weight._type()} needs"
        )
    out = linalg.matmul(input, weight.T)
    return out if bias is None else out + bias


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``y_k = x1ᵀ W_k x2 + b_k``. input1 ``(*, N)``, input2 ``(*, M)``, weight ``(K, N, M)``, bias ``(K,)``; result ``(*, K)``."""
    if (
        weight.ndim != 3
        or min(input1.ndim, input2.ndim) < 1
        or (*input1.shape[:-1], input1.shape[-1], input2.shape[-1]) != (*input2.shape[:-1], *weight.shape[1:])
    ):
        raise ShapeError(
            f"bilinear: needs (*, N), (*, M) and a weight (K, N, M), got {input1._type()}, {input2._type()} and {weight._type()}"
        )
    rows = linalg.matmul(unsqueeze(unsqueeze(input1, -2), -2), weight)  # (*, K, 1, M)
    out: Tensor = squeeze(linalg.matmul(rows, unsqueeze(unsqueeze(input2, -2), -1)), (-2, -1))
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
