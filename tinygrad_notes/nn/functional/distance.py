"""Distances and angles between vectors, and losses made of them."""

from __future__ import annotations

from typing import Any

from ...errors import ShapeError
from ...functions import bounds, moments, pointwise, reduce
from ...functions.names import numpy_names
from ...tensor import Tensor
from .parts import reduced, same_shape, signs

__all__ = [
    "cosine_embedding_loss", "cosine_similarity", "hinge_embedding_loss", "margin_ranking_loss", "normalize", "pairwise_distance",
    "triplet_margin_loss",
]  # fmt: skip


@numpy_names
def normalize(input: Tensor, p: float = 2.0, dim: Any = 1, eps: float = 1e-12) -> Tensor:
    """``x / max(norm_p(x), eps)`` along ``dim``."""
    return input / bounds.clamp(moments.vector_norm(input, p, dim, True), min=eps)


@numpy_names
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """``x1 · x2 / (max(|x1|, eps) max(|x2|, eps))`` along ``dim`` of the shape that both broadcast to."""
    product = x1 * x2
    lengths = [
        bounds.clamp(moments.vector_norm(x if x.shape == product.shape else x.broadcast_to(product.shape), 2, dim), min=eps)
        for x in (x1, x2)
    ]
    return reduce.sum(product, dim) / (lengths[0] * lengths[1])


@numpy_names
def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """``norm_p(x1 - x2 + eps)`` over the last axis."""
    return moments.vector_norm(x1 - x2 + eps, p, -1, keepdim)


# ---- losses ----


def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, *, reduction: str = "mean"
) -> Tensor:
    """``1 - cos`` where the target is 1, ``max(0, cos - margin)`` where it is -1; inputs ``(N, D)`` or ``(D,)``, target ``(N,)``."""
    if input1.ndim not in (1, 2) or input1.shape != input2.shape or target.shape != input1.shape[:-1]:
        raise ShapeError(
            f"cosine_embedding_loss: needs inputs (N, D) and targets (N,), got {input1._type()}, {input2._type()} and "
            f"{target._type()}"
        )
    signs("cosine_embedding_loss", target)
    cosine = cosine_similarity(input1, input2, -1)
    apart = pointwise.where(target == -1, bounds.clamp(cosine - margin, min=0.0), 0.0)
    return reduced(pointwise.where(target == 1, 1 - cosine, apart), reduction)


def hinge_embedding_loss(input: Tensor, target: Tensor, margin: float = 1.0, *, reduction: str = "mean") -> Tensor:
    """``x`` where the target is 1, ``max(0, margin - x)`` where it is -1."""
    same_shape("hinge_embedding_loss", input, target)
    signs("hinge_embedding_loss", target)
    near = pointwise.where(target == -1, 0.0, input)
    return reduced(near + pointwise.where(target == 1, 0.0, bounds.clamp(margin - input, min=0.0)), reduction)


def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, *, reduction: str = "mean"
) -> Tensor:
    """``max(0, -t (x1 - x2) + margin)``: x1 should rank higher where the target is 1, x2 where it is -1."""
    same_shape("margin_ranking_loss", input1, input2, target)
    signs("margin_ranking_loss", target)
    return reduced(bounds.clamp(margin - target * (input1 - input2), min=0.0), reduction)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    *,
    reduction: str = "mean",
) -> Tensor:
    """``max(0, d(anchor, positive) - d(anchor, negative) + margin)`` (Schroff et al. 2015) with ``pairwise_distance``.

    swap: the negative's distance to the positive, where that is smaller (Balntas et al. 2016)
    """
    same_shape("triplet_margin_loss", anchor, positive, negative)
    apart = pairwise_distance(anchor, negative, p, eps)
    if swap:
        apart = bounds.minimum(apart, pairwise_distance(positive, negative, p, eps))
    return reduced(bounds.clamp(margin + pairwise_distance(anchor, positive, p, eps) - apart, min=0.0), reduction)
