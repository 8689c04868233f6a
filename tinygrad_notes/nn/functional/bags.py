"""Bags of embeddings: rows of a table looked up and reduced to one vector per bag."""

from __future__ import annotations

import numpy as np

from ...dtypes import bool_
from ...errors import ShapeError
from ...functions import pointwise, reduce
from ...functions.bounds import clamp
from ...functions.convert import to
from ...functions.creation import ones
from ...functions.shape import reshape, unsqueeze
from ...optable import p
from ...tensor import Tensor, from_array
from .arguments import check_labels

__all__ = ["embedding_bag"]


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    *,
    mode: str = "mean",
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """One vector for each bag of rows of a table: ``(B, D)``.

    input                integers in [0, V): ``(B, L)``, L in each bag, or ``(N,)`` for bags of unequal lengths
    weight               ``(V, D)``
    offsets              of a 1-d input: ``(B,)``, where each bag begins; rising, the first is 0
    mode                 "sum", "mean" or "max"; an empty bag gives 0
    per_sample_weights   of the input's shape: factors of the rows; mode "sum" only
    include_last_offset  offsets end with N
    padding_idx          a row that counts for nothing and gets no gradient
    Raises ValueError for offsets that are not as said. Under a Tape the offsets are frozen.
    """
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f"embedding_bag: mode must be 'sum', 'mean' or 'max', got {mode!r}")
    if per_sample_weights is not None and (mode != "sum" or per_sample_weights.shape != input.shape):
        shown = per_sample_weights._type()
        raise ValueError(
            f"embedding_bag: per_sample_weights need mode='sum' and the shape of the input {input._type()}, got {shown}"
        )
    if weight.ndim != 2:
        raise ShapeError(f"embedding_bag: the table must be (V, D), got {weight._type()}")
    check_labels("embedding_bag", input, weight.shape[0], "rows")
    taken = ones(input.shape, dtype=bool_)
    if input.ndim == 1:
        places, inside = _bags(input, offsets, include_last_offset)
        input, taken = (p.take(part, from_array(places), dim=0) for part in (input, taken))
        taken = taken & from_array(inside)
        if per_sample_weights is not None:
            per_sample_weights = p.take(per_sample_weights, from_array(places), dim=0)
    elif offsets is not None or input.ndim != 2:
        raise ValueError(f"embedding_bag: needs (N,) with offsets or (B, L) without, got {input._type()}")
    if padding_idx is not None:
        taken = taken & (input != padding_idx % weight.shape[0])
    return _reduced(p.take(weight, input, dim=0), unsqueeze(taken, -1), per_sample_weights, mode)


def _bags(input: Tensor, offsets: Tensor | None, include_last_offset: bool) -> tuple[np.ndarray, np.ndarray]:
    """The places of each bag's members as rows of one length, and which of them there really are."""
    if offsets is None or offsets.ndim != 1 or offsets.dtype.kind not in "iu":
        raise ValueError(f"embedding_bag: the 1-d input {input._type()} needs offsets, integers along one axis")
    starts, length = offsets.numpy().astype(np.int64), input.shape[0]
    ends = np.append(starts[1:], length)
    if include_last_offset:
        starts, ends = starts[:-1], starts[1:]
    if starts.size and (starts[0] != 0 or (ends < starts).any() or ends[-1] > length):
        raise ValueError(f"embedding_bag: offsets must rise from 0 to at most {length}, got {offsets.tolist()}")
    places = starts[:, None] + np.arange((ends - starts).max(initial=0))
    inside = places < ends[:, None]
    return np.where(inside, places, 0), inside


def _reduced(rows: Tensor, taken: Tensor, factors: Tensor | None, mode: str) -> Tensor:
    """rows ``(B, L, D)``, taken ``(B, L, 1)``."""
    if rows.shape[1] == 0:
        return reduce.sum(rows, 1)
    if mode == "max":
        largest = reduce.max(pointwise.where(taken, rows, float("-inf")), 1).values
        return pointwise.where(reduce.any(taken, 1), largest, 0.0)
    if factors is not None:
        rows = rows * reshape(factors, *factors.shape, 1)
    total: Tensor = reduce.sum(pointwise.where(taken, rows, 0.0), 1)
    return total if mode == "sum" else total / clamp(reduce.sum(to(taken, rows.dtype), 1), min=1.0)
