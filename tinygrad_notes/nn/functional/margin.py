"""Losses of decisions: how far on the right side of the border a score is; labels are 1 and -1, or classes."""

from __future__ import annotations

from ...errors import LabelsError, ShapeError
from ...functions import bounds, pointwise, reduce
from ...functions.creation import arange
from ...functions.reduce import argmax
from ...functions.select import gather
from ...functions.shape import unsqueeze
from ...optable import p as primitives
from ...tensor import Tensor
from .arguments import check_labels
from .parts import reduced, same_shape, signs

__all__ = ["exponential_loss", "hinge_loss", "multi_margin_loss", "soft_margin_loss", "zero_one_loss"]


def hinge_loss(input: Tensor, target: Tensor, margin: float = 1.0, *, reduction: str = "mean") -> Tensor:
    """``max(0, margin - t x)`` for labels t of 1 and -1: that of support vector machines (Cortes & Vapnik 1995)."""
    return reduced(bounds.clamp(margin - _agreement("hinge_loss", input, target), min=0.0), reduction)


def exponential_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """``exp(-t x)`` for labels t of 1 and -1: that of boosting (Freund & Schapire 1997)."""
    return reduced(pointwise.exp(-_agreement("exponential_loss", input, target)), reduction)


def soft_margin_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """``log(1 + exp(-t x))`` for labels t of 1 and -1: that of logistic regression."""
    return reduced(-pointwise.logsigmoid(_agreement("soft_margin_loss", input, target)), reduction)


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    *,
    reduction: str = "mean",
) -> Tensor:
    """``sum over i != t of w[t] max(0, margin - x[t] + x[i])^p / C`` (Crammer & Singer 2001).

    input   scores ``(N, C)`` or ``(C,)``
    target  class indices ``(N,)`` or ``()``
    p       1 or 2
    weight  per class ``(C,)``
    Raises IndexOutOfRange for labels outside [0, C).
    """
    if p not in (1, 2):
        raise ValueError(f"multi_margin_loss: p must be 1 or 2, got {p}")
    if input.ndim not in (1, 2) or target.shape != input.shape[:-1]:
        raise LabelsError(f"multi_margin_loss: needs scores (N, C) and labels (N,), got {input._type()} and {target._type()}")
    classes = input.shape[-1]
    check_labels("multi_margin_loss", target, classes, "classes")
    label = unsqueeze(target, -1)
    over = bounds.clamp(margin - gather(input, -1, label) + input, min=0.0)
    each = pointwise.where(label == arange(classes), 0.0, over if p == 1 else over * over)
    if weight is not None:
        if weight.shape != (classes,):
            raise ShapeError(f"multi_margin_loss: weight {weight._type()} must hold one number per class, {classes} in all")
        each = each * primitives.take(weight, label, dim=0)
    return reduced(reduce.sum(each, -1) / classes, reduction)


def zero_one_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """1 for a wrong decision, else 0: a measure only, since its slope is 0 everywhere, so gradients end here.

    input   scores of one shape with labels 1 and -1, wrong where ``t x <= 0``; or scores ``(N, C, ...)`` or ``(C,)``, wrong
            where another class has the highest
    target  such labels, or class indices ``(N, ...)`` or ``()``
    """
    if input.shape == target.shape:
        return reduced((_agreement("zero_one_loss", input, target) <= 0).to(input.dtype), reduction)
    along = 0 if input.ndim == 1 else 1
    if input.ndim == 0 or target.shape != input.shape[:along] + input.shape[along + 1 :]:
        raise LabelsError(
            f"zero_one_loss: needs scores (N, C, ...) and labels (N, ...), got {input._type()} and {target._type()}"
        )
    check_labels("zero_one_loss", target, input.shape[along], "classes")
    return reduced((argmax(input, along) != target).to(input.dtype), reduction)


def _agreement(name: str, input: Tensor, target: Tensor) -> Tensor:
    """``t x``: positive on the right side, whatever the label."""
    same_shape(name, input, target)
    signs(name, target)
    return target * input
