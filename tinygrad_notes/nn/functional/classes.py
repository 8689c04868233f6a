"""Losses of classes: labels or probabilities against scores, with any number of further axes."""

from __future__ import annotations

from ...errors import ArgumentError, DtypeError, LabelsError, ShapeError
from ...functions import pointwise, reduce
from ...functions.activation import log_softmax
from ...functions.shape import permute
from ...modes import scope
from ...optable import p as primitives
from ...tensor import Tensor
from .arguments import check_labels
from .parts import probabilities, reduced, share

__all__ = ["cross_entropy", "nll_loss"]


def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean"
) -> Tensor:
    """``-w[target] * input[target]`` of log-probabilities. Shapes and reductions as in ``cross_entropy``."""
    logp, labels = _by_class("nll_loss", input, target)
    return _reduce_labels("nll_loss", logp, labels, target, weight, ignore_index, reduction, 0.0)


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Softmax cross-entropy ``-sum_c t_c log softmax(x)_c``, in nats.

    input            logits ``(C,)``, ``(N, C)`` or ``(N, C, d1, ...)``
    target           class indices ``()``, ``(N,)`` or ``(N, d1, ...)``, or probabilities of the shape of ``input``
    weight           per class ``(C,)``; "mean" then divides by the sum of the weights of the targets
    ignore_index     a label that does not count
    reduction        "mean", "sum" or "none"
    label_smoothing  share of the target spread evenly over the classes
    The mean over no label at all is NaN, as in PyTorch.
    Raises IndexOutOfRange for labels outside [0, C), RangeError for probabilities outside [0, 1], ShapeError where the shapes
    do not fit.
    """
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"cross_entropy: label_smoothing must lie in [0, 1], got {label_smoothing}")
    with scope("cross_entropy"):
        if target.dtype.kind == "f":
            if ignore_index >= 0:
                raise ArgumentError("cross_entropy: ignore_index is for labels; the target holds probabilities")
            return _soft_cross_entropy(input, target, weight, reduction, label_smoothing)
        logits, labels = _by_class("cross_entropy", input, target)
        logp = log_softmax(logits, 1)
        return _reduce_labels("cross_entropy", logp, labels, target, weight, ignore_index, reduction, label_smoothing)


def _by_class(name: str, input: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Scores as ``(M, C)`` and labels as ``(M, 1)``, whatever axes there were."""
    if input.ndim == 0 or target.dtype.kind not in "iu":
        raise DtypeError(f"{name}: needs scores (N, C, ...) and integer labels, got {input._type()} and {target._type()}")
    expected = () if input.ndim == 1 else (input.shape[0], *input.shape[2:])
    if target.shape != expected:
        raise LabelsError(f"{name}: scores {input._type()} need labels of shape {list(expected)}, got {target._type()}")
    return _rows(input), target.reshape(target.numel(), 1)


def _rows(input: Tensor) -> Tensor:
    classes = input.shape[0] if input.ndim == 1 else input.shape[1]
    if input.ndim > 2:
        input = permute(input, 0, *range(2, input.ndim), 1)
    return input.reshape(input.numel() // max(classes, 1), classes) if input.ndim != 2 else input


def _reduce_labels(
    name: str,
    logp: Tensor,
    labels: Tensor,
    target: Tensor,
    weight: Tensor | None,
    ignore_index: int,
    reduction: str,
    smoothing: float,
) -> Tensor:
    """logp ``(M, C)``: minus the loss that each class would give."""
    classes = logp.shape[1]
    valid = labels != ignore_index
    check_labels(name, labels, classes, "classes", ignore_index)
    safe = pointwise.where(valid, labels, 0)
    picked = -primitives.gather(logp, safe, dim=1)
    counts = valid.to(logp.dtype)
    if weight is not None:
        _check_weight(name, weight, logp)
        of_label = primitives.take(weight, safe, dim=0)
        counts = pointwise.where(valid, of_label, 0.0)
        picked = picked * of_label
    if smoothing:
        spread = logp if weight is None else logp * weight
        picked = (1 - smoothing) * picked - (smoothing / classes) * reduce.sum(spread, 1, True)
    each = pointwise.where(valid, picked, 0.0)
    if reduction == "mean":
        return reduce.sum(each) / reduce.sum(counts)
    return reduced(each.reshape(target.shape), reduction)


def _soft_cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, smoothing: float) -> Tensor:
    if input.shape != target.shape or input.ndim == 0:
        raise ShapeError(f"cross_entropy: probabilities {target._type()} must have the shape of the logits {input._type()}")
    probabilities("cross_entropy", "target", target)
    logp, shares = log_softmax(_rows(input), 1), _rows(target)
    if smoothing:
        shares = shares * (1 - smoothing) + smoothing / logp.shape[1]
    if weight is not None:
        _check_weight("cross_entropy", weight, logp)
        logp = logp * weight
    each = -reduce.sum(share(shares, logp), 1)
    return reduced(each.reshape(() if input.ndim == 1 else (input.shape[0], *input.shape[2:])), reduction)


def _check_weight(name: str, weight: Tensor, logp: Tensor) -> None:
    if weight.shape != (logp.shape[1],) or weight.dtype != logp.dtype:
        raise ShapeError(f"{name}: weight {weight._type()} must hold one {logp.dtype} per class, {logp.shape[1]} in all")
