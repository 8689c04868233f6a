"""Attention (Vaswani et al. 2017)."""

from __future__ import annotations

import math

import numpy as np

from ...errors import ArgumentError, ShapeError
from ...functions import pointwise, reduce
from ...functions.activation import softmax
from ...functions.arguments import floating, same_dtype
from ...functions.linalg import matmul
from ...modes import scope
from ...tensor import Tensor, from_array
from .dropping import dropout

__all__ = ["scaled_dot_product_attention"]


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
) -> Tensor:
    """``softmax(Q Kᵀ * scale + mask) V``.

    query      ``(*, L, E)``; key ``(*, S, E)``, value ``(*, S, V)``; result ``(*, L, V)``. The axes in front broadcast
    attn_mask  broadcast to ``(*, L, S)``: bools, True where a query may look, or floats that are added
    dropout_p  probability with which a weight is dropped, whenever it is above 0
    is_causal  query i looks at the keys up to i
    scale      default ``1 / sqrt(E)``
    A query that may look nowhere gets 0, as in PyTorch.
    Raises ArgumentError where both a mask and ``is_causal`` are given.
    """
    floating("scaled_dot_product_attention", query)
    same_dtype("scaled_dot_product_attention", query, key, value)
    if min(query.ndim, key.ndim, value.ndim) < 2 or query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise ShapeError(
            "scaled_dot_product_attention: needs (*, L, E), (*, S, E) and (*, S, V), got "
            f"{query._type()}, {key._type()} and {value._type()}"
        )
    if is_causal and attn_mask is not None:
        raise ArgumentError("scaled_dot_product_attention: give attn_mask or is_causal=True, not both")
    if is_causal:
        attn_mask = from_array(np.tri(query.shape[-2], key.shape[-2], dtype=np.bool_))
    return attend(query, key, value, attn_mask, dropout_p, scale)[0]


def attend(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, dropout_p: float, scale: float | None = None
) -> tuple[Tensor, Tensor]:
    """``scaled_dot_product_attention`` without its checks of shapes, and the weights ``(*, L, S)`` it used, dropout included."""
    with scope("attention"):
        factor = 1 / math.sqrt(query.shape[-1]) if scale is None and query.shape[-1] else 1.0 if scale is None else scale
        scores = matmul(query * factor, key.mT)
        if mask is None:
            weights = softmax(scores, -1)
        else:
            kind = mask.dtype.kind
            if kind not in "bf":
                raise ShapeError(f"scaled_dot_product_attention: attn_mask must hold bools or floats, got {mask._type()}")
            scores = pointwise.where(mask, scores, float("-inf")) if kind == "b" else scores + mask
            weights = _softmax_or_nothing(scores)
        weights = dropout(weights, dropout_p, dropout_p > 0)
        return matmul(weights, value), weights


def _softmax_or_nothing(scores: Tensor) -> Tensor:
    """Softmax over the last axis; 0 in rows that are -inf throughout: only what each row has once is chosen by a mask."""
    if not scores.shape[-1]:
        return scores
    top = reduce.amax(scores.detach(), -1, True)
    blind = top == float("-inf")
    e = pointwise.exp(scores - pointwise.where(blind, 0.0, top))
    return e / pointwise.where(blind, 1.0, reduce.sum(e, -1, True))
