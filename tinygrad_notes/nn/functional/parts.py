"""What the losses share: reductions, checks of shapes and values, and a product whose limits are right."""

from __future__ import annotations

import numpy as np

from ...errors import LabelsError, RangeError, ShapeError
from ...functions import logic, pointwise, reduce
from ...functions.arguments import tensor
from ...tensor import Tensor

__all__ = ["probabilities", "reduced", "same_shape", "scaled", "share", "signs", "weighted"]


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


def same_shape(name: str, input: Tensor, *others: Tensor) -> None:
    """Raise LabelsError unless all have one shape, where PyTorch broadcasts, with a warning or without; TypeError for no Tensor."""
    for x in (input, *others):
        tensor(name, x)
    if any(x.shape != input.shape for x in others):
        shown = " and ".join(x._type() for x in (input, *others))
        raise LabelsError(
            f"{name}: {shown} must have the same shape; broadcasting them is rarely what is meant: reshape or expand one"
        )


def scaled(name: str, each: Tensor, weight: Tensor | None) -> Tensor:
    """Each loss times its weight, which broadcasts to the losses. Raises ShapeError where it would enlarge them."""
    if weight is None:
        return each
    try:
        fits = np.broadcast_shapes(weight.shape, each.shape) == each.shape
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(f"{name}: the weight {weight._type()} does not broadcast to the losses {each._type()}")
    return each * weight


def probabilities(name: str, what: str, x: Tensor) -> None:
    """Raise RangeError unless all values lie in [0, 1], up to rounding: 0.7 + 0.3 may be more than 1."""
    values = x._all_values()
    slack = 8 * np.finfo(values.dtype).eps if values.dtype.kind == "f" else 0
    if not np.logical_and(values >= -slack, values <= 1 + slack).all():
        raise RangeError(f"{name}: the {what} {x._type()} must hold probabilities, between 0 and 1")


def signs(name: str, target: Tensor) -> None:
    """Raise RangeError unless all labels are 1 or -1."""
    values = target._all_values()
    wrong = values[np.abs(values) != 1]
    if wrong.size:
        raise RangeError(f"{name}: labels are 1 or -1, got {wrong.flat[0]} in {target._type()}; of 0 and 1 make 2 * t - 1")


def share(part: Tensor, x: Tensor) -> Tensor:
    """``part * x``, and 0 where ``part`` is 0 and ``x`` infinite: the limit of a share of a logarithm."""
    void = pointwise.where(pointwise.eq(part, 0), logic.isinf(x), False)
    return pointwise.where(void, 0.0, part * pointwise.where(void, 0.0, x))
