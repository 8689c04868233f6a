"""What the losses share: reductions, checks of pairs, and a product whose limits are right."""

from __future__ import annotations

import warnings

from ...functions import logic, pointwise, reduce
from ...tensor import Tensor

__all__ = ["reduced", "same_shape", "share", "similar", "weighted"]


def reduced(each: Tensor, reduction: str) -> Tensor:
    """The losses as they are ("none"), their mean or their sum."""
    if reduction == "mean":
        return reduce.mean(each)
    if reduction == "sum":
        return reduce.sum(each)
    if reduction == "none":
        return each
    raise ValueError(f"reduction must be 'mean', 'sum' or 'none', got {reduction!r}")


def weighted(each: Tensor, weight: Tensor | None, reduction: str) -> Tensor:
    """``reduced`` with a weight per loss; "mean" then divides by the sum of the weights."""
    if weight is None:
        return reduced(each, reduction)
    same_shape("weight", weight, each)
    if reduction == "mean":
        return reduce.sum(each * weight) / reduce.sum(weight)
    return reduced(each * weight, reduction)


def similar(name: str, input: Tensor, target: Tensor) -> None:
    """Warn, as PyTorch does, where input and target differ in shape: broadcasting them is rarely meant."""
    if input.shape != target.shape:
        warnings.warn(
            f"{name}: the input {input._type()} and the target {target._type()} differ in shape and are broadcast, which is "
            "rarely what is meant; reshape one of them",
            UserWarning,
            stacklevel=3,
        )


def same_shape(name: str, input: Tensor, target: Tensor) -> None:
    """Raise unless input and target have one shape."""
    if input.shape != target.shape:
        raise ValueError(f"{name}: {input._type()} and {target._type()} must have the same shape")


def share(part: Tensor, x: Tensor) -> Tensor:
    """``part * x``, and 0 where ``part`` is 0 and ``x`` infinite: the limit of a share of a logarithm."""
    void = pointwise.where(pointwise.eq(part, 0), logic.isinf(x), False)
    return pointwise.where(void, 0.0, part * pointwise.where(void, 0.0, x))
