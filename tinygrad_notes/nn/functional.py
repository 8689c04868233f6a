"""Composites: functions of neural networks under PyTorch's names, made of primitives only."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import canonical_dtype
from ..errors import DtypeError, IndexOutOfRange, ShapeError
from ..functions import linalg, pointwise, reduce
from ..functions.arguments import axis
from ..functions.creation import one_hot
from ..functions.names import numpy_names
from ..functions.random import Generator, bernoulli_mask
from ..functions.select import gather
from ..functions.shape import permute, unsqueeze
from ..modes import scope
from ..optable import p as primitives
from ..tensor import Tensor

__all__ = [
    "cross_entropy",
    "dropout",
    "embedding",
    "linear",
    "log_softmax",
    "logsigmoid",
    "nll_loss",
    "one_hot",
    "relu",
    "softmax",
]

logsigmoid = pointwise.logsigmoid


def relu(input: Tensor) -> Tensor:
    """``max(x, 0)``; the slope at 0 is 0."""
    return pointwise.where(input > 0, input, 0.0)


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``x Wᵀ + b``. input ``(*, in)``, weight ``(out, in)``, bias ``(out,)``; result ``(*, out)``."""
    if input.ndim == 0 or weight.ndim != 2 or input.shape[-1] != weight.shape[1]:
        raise ShapeError(
            f"linear: {input._type()} has no last axis of length {weight.shape[-1]}, as weight {weight._type()} needs"
        )
    out = linalg.matmul(input, weight.T)
    return out if bias is None else out + bias


@numpy_names
def softmax(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """``exp(x_i) / sum_j exp(x_j)`` along ``dim``; the largest x is subtracted first, which changes nothing but overflow."""
    x = _floating("softmax", input, dim, dtype)
    e = pointwise.exp(x - reduce.amax(x.detach(), dim, True))
    return e / reduce.sum(e, dim, True)


@numpy_names
def log_softmax(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """``x_i - log sum_j exp(x_j)`` along ``dim``, finite where softmax underflows."""
    x = _floating("log_softmax", input, dim, dtype)
    shifted = x - reduce.amax(x.detach(), dim, True)
    return shifted - pointwise.log(reduce.sum(pointwise.exp(shifted), dim, True))


def _floating(name: str, x: Tensor, dim: int, dtype: Any) -> Tensor:
    axis(name, x, dim)
    if dtype is not None:
        x = x.to(canonical_dtype(dtype))
    if x.dtype.kind != "f":
        raise DtypeError(f"{name}: {x._type()} is not floating-point; use .float() first")
    return x


def embedding(input: Tensor, weight: Tensor, padding_idx: int | None = None) -> Tensor:
    """Rows of a table: input ``(*)`` integers in [0, V), weight ``(V, D)``; result ``(*, D)``.

    padding_idx: the row that gets no gradient. Raises IndexOutOfRange for an index outside the table.
    """
    if weight.ndim != 2:
        raise ShapeError(f"embedding: the table must be (V, D), got {weight._type()}")
    _check_labels("embedding", input, weight.shape[0], "rows")
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


# ---- losses ----


def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, ignore_index: int = -100, reduction: str = "mean"
) -> Tensor:
    """``-w[target] * input[target]`` of log-probabilities. Shapes and reductions as in ``cross_entropy``."""
    logp, labels = _by_class("nll_loss", input, target)
    return _reduce_labels(-logp, labels, target, weight, ignore_index, reduction, 0.0)


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Softmax cross-entropy ``-sum_c t_c log softmax(x)_c``, in nats.

    input            logits ``(C,)``, ``(N, C)`` or ``(N, C, d1, ...)``
    target           class indices ``()``, ``(N,)`` or ``(N, d1, ...)``, or probabilities of the shape of ``input``
    weight           per class ``(C,)``; "mean" then divides by the sum of the weights of the targets
    ignore_index     labels that do not count
    reduction        "mean", "sum" or "none"
    label_smoothing  share of the target spread evenly over the classes
    Raises IndexOutOfRange for labels outside [0, C), ShapeError where the shapes do not fit.
    """
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"cross_entropy: label_smoothing must lie in [0, 1], got {label_smoothing}")
    with scope("cross_entropy"):
        if target.dtype.kind == "f":
            return _soft_cross_entropy(input, target, weight, reduction, label_smoothing)
        logits, labels = _by_class("cross_entropy", input, target)
        return _reduce_labels(-log_softmax(logits, 1), labels, target, weight, ignore_index, reduction, label_smoothing)


def _by_class(name: str, input: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Scores as ``(M, C)`` and labels as ``(M,)``, whatever axes there were."""
    if input.ndim == 0 or target.dtype.kind not in "iu":
        raise DtypeError(f"{name}: needs scores (N, C, ...) and integer labels, got {input._type()} and {target._type()}")
    expected = () if input.ndim == 1 else (input.shape[0], *input.shape[2:])
    if target.shape != expected:
        raise ShapeError(f"{name}: scores {input._type()} need labels of shape {list(expected)}, got {target._type()}")
    return _rows(input), target.reshape(target.numel())


def _rows(input: Tensor) -> Tensor:
    classes = input.shape[0] if input.ndim == 1 else input.shape[1]
    if input.ndim > 2:
        input = permute(input, 0, *range(2, input.ndim), 1)
    return input.reshape(input.numel() // max(classes, 1), classes) if input.ndim != 2 else input


def _reduce_labels(
    losses: Tensor, labels: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str, smoothing: float
) -> Tensor:
    """losses ``(M, C)``: the loss that each class would give."""
    classes = losses.shape[1]
    valid = labels != ignore_index
    _check_labels("cross_entropy", labels, classes, "classes", ignore_index)
    safe = pointwise.where(valid, labels, 0)
    picked = gather(losses, 1, unsqueeze(safe, 1)).reshape(labels.shape)
    share = valid.to(losses.dtype)
    if weight is not None:
        _check_weight(weight, losses)
        share = pointwise.where(valid, primitives.take(weight, safe, dim=0), 0.0)
        picked = picked * primitives.take(weight, safe, dim=0)
    if smoothing:
        spread = losses if weight is None else losses * weight
        picked = (1 - smoothing) * picked + (smoothing / classes) * reduce.sum(spread, 1)
    each = pointwise.where(valid, picked, 0.0)
    if reduction == "mean":
        return reduce.sum(each) / reduce.sum(share)
    return _reduced(each.reshape(target.shape), reduction)


def _soft_cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, smoothing: float) -> Tensor:
    if input.shape != target.shape or input.ndim == 0:
        raise ShapeError(f"cross_entropy: probabilities {target._type()} must have the shape of the logits {input._type()}")
    losses, shares = -log_softmax(_rows(input), 1), _rows(target)
    if smoothing:
        shares = shares * (1 - smoothing) + smoothing / losses.shape[1]
    if weight is not None:
        _check_weight(weight, losses)
        losses = losses * weight
    each = reduce.sum(losses * shares, 1)
    if reduction == "mean":
        return reduce.sum(each) / max(each.numel(), 1)
    return _reduced(each.reshape(() if input.ndim == 1 else (input.shape[0], *input.shape[2:])), reduction)


def _reduced(each: Tensor, reduction: str) -> Tensor:
    if reduction == "sum":
        return reduce.sum(each)
    if reduction == "none":
        return each
    raise ValueError(f"reduction must be 'mean', 'sum' or 'none', got {reduction!r}")


def _check_weight(weight: Tensor, losses: Tensor) -> None:
    if weight.shape != (losses.shape[1],) or weight.dtype != losses.dtype:
        raise ShapeError(
            f"cross_entropy: weight {weight._type()} must hold one {losses.dtype} per class, {losses.shape[1]} in all"
        )


def _check_labels(name: str, labels: Tensor, size: int, what: str, ignored: int | None = None) -> None:
    if labels.dtype.kind not in "iu":
        raise DtypeError(f"{name}: needs integers, got {labels._type()}; use .long()")
    array = labels._array
    if array.size and not (array.min() >= 0 and array.max() < size):
        wrong = array[((array < 0) | (array >= size)) & (True if ignored is None else array != ignored)]
        if wrong.size:
            raise IndexOutOfRange(
                f"{name}: {int(np.ravel(wrong)[0])} is out of range for {size} {what} (labels {labels._type()})"
            )
