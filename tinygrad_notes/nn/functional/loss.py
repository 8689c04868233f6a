"""Losses between numbers, and between probabilities."""

from __future__ import annotations

import math
from typing import Any

from ...errors import RangeError
from ...functions import bounds, pointwise, reduce
from ...functions.shape import unsqueeze
from ...tensor import Tensor
from .parts import probabilities, reduced, same_shape, scaled, share, weighted

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "gaussian_nll_loss", "huber_loss", "kl_div", "l1_loss",
    "mse_loss", "poisson_nll_loss", "quantile_loss", "smooth_l1_loss",
]  # fmt: skip


# ---- between numbers ----


def mse_loss(input: Tensor, target: Tensor, *, reduction: str = "mean", weight: Tensor | None = None) -> Tensor:
    """``(input - target)²``.

    reduction  "mean", "sum" or "none"
    weight     per element, of the shape of ``input``; "mean" then divides by its sum
    Raises LabelsError where input and target differ in shape.
    """
    same_shape("mse_loss", input, target)
    difference = input - target
    return weighted(difference * difference, weight, reduction)


def l1_loss(input: Tensor, target: Tensor, *, reduction: str = "mean", weight: Tensor | None = None) -> Tensor:
    """``|input - target|``, with slope 0 at 0. Arguments as of ``mse_loss``."""
    same_shape("l1_loss", input, target)
    return weighted(pointwise.abs(input - target), weight, reduction)


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """``d² / 2`` up to ``|d| = delta``, from there ``delta (|d| - delta / 2)`` (Huber 1964), ``d = input - target``.

    weight: per element; unlike in ``mse_loss``, "mean" divides by the number of elements, as in PyTorch.
    Raises RangeError unless ``delta`` is positive.
    """
    if not delta > 0:
        raise RangeError(f"huber_loss: delta must be positive, got {delta}")
    same_shape("huber_loss", input, target)
    each = _huber(input - target, delta)
    if weight is None:
        return reduced(each, reduction)
    same_shape("weight", weight, each)
    return reduced(each * weight, reduction)


def smooth_l1_loss(input: Tensor, target: Tensor, *, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """``d² / (2 beta)`` up to ``|d| = beta``, from there ``|d| - beta / 2``; with ``beta = 0`` the L1 loss."""
    if beta < 0:
        raise RangeError(f"smooth_l1_loss: beta must not be negative, got {beta}")
    same_shape("smooth_l1_loss", input, target)
    if beta == 0:
        return reduced(pointwise.abs(input - target), reduction)
    return reduced(_huber(input - target, beta) / beta, reduction)


def _huber(difference: Tensor, delta: float) -> Tensor:
    """One expression for both pieces: ``c (d - c / 2)`` with ``c = clamp(d, -delta, delta)``."""
    near = bounds.clamp(difference, -delta, delta)
    return near * (difference - near / 2)


def quantile_loss(input: Tensor, target: Tensor, q: float = 0.5, *, reduction: str = "mean") -> Tensor:
    """``max(q d, (q - 1) d)`` with ``d = target - input``, also called pinball loss (Koenker & Bassett 1978).

    The input that makes it least is the q-quantile of the target; at 0.5 it is half of ``l1_loss``. Raises RangeError for q
    outside (0, 1).
    """
    if not 0 < q < 1:
        raise RangeError(f"quantile_loss: q must lie between 0 and 1, got {q}")
    same_shape("quantile_loss", input, target)
    short = target - input
    return reduced(bounds.maximum(q * short, (q - 1) * short), reduction)


def gaussian_nll_loss(
    input: Tensor, target: Tensor, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Tensor:
    """``(log var + (input - target)² / var) / 2``, var at least ``eps`` (Nix & Weigend 1994).

    var   a number, or a Tensor of the shape of ``input``, or with its last axis of length 1 or left out
    full  with the constant ``log(2 pi) / 2``
    Raises ValueError for a negative variance, or one whose shape does not fit.
    """
    same_shape("gaussian_nll_loss", input, target)
    if isinstance(var, Tensor):
        if var.shape != input.shape and var.shape == input.shape[:-1]:
            var = unsqueeze(var, -1)
        if var.shape != input.shape and (
            var.ndim != input.ndim or sum(1 for n, m in zip(var.shape, input.shape, strict=True) if n != m and n != 1)
        ):
            raise ValueError(f"gaussian_nll_loss: var {var._type()} does not fit the input {input._type()}")
        lowest = var._all_values().min(initial=0.0)
    else:
        var, lowest = input.detach() * 0 + var, var
    if lowest < 0:
        raise ValueError("gaussian_nll_loss: a variance cannot be negative")
    var, difference = bounds.clamp(var, min=eps), input - target
    each = 0.5 * (pointwise.log(var) + difference * difference / var)
    return reduced(each + 0.5 * math.log(2 * math.pi) if full else each, reduction)


def poisson_nll_loss(
    input: Tensor, target: Tensor, log_input: bool = True, full: bool = False, *, eps: float = 1e-8, reduction: str = "mean"
) -> Tensor:
    """``exp(x) - t x`` for counts t and logarithms x of the rates that a Poisson distribution expects.

    log_input  False: the input holds the rates themselves, ``x - t log(x + eps)``
    full       with ``log t!`` for t > 1, by Stirling: ``t log t - t + log(2 pi t) / 2``
    Raises RangeError for counts below 0.
    """
    same_shape("poisson_nll_loss", input, target)
    if not (target._all_values() >= 0).all():
        raise RangeError(f"poisson_nll_loss: the target {target._type()} must hold counts, from 0 upwards")
    each = pointwise.exp(input) - target * input if log_input else input - target * pointwise.log(input + eps)
    if full:
        many = target > 1
        t = pointwise.where(many, target, 1)
        each = each + pointwise.where(many, t * pointwise.log(t) - t + 0.5 * pointwise.log(2 * math.pi * t), 0.0)
    return reduced(each, reduction)


# ---- between probabilities ----

_TINY = math.exp(-100.0)


def binary_cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None = None, *, reduction: str = "mean") -> Tensor:
    """``-(t log x + (1 - t) log(1 - x))`` of probabilities x, in nats; logarithms are at least -100, as in PyTorch.

    weight: per element, broadcast. Raises LabelsError where the shapes differ, RangeError for x or t outside [0, 1].
    """
    same_shape("binary_cross_entropy", input, target)
    probabilities("binary_cross_entropy", "input", input)
    probabilities("binary_cross_entropy", "target", target)
    each = -(target * _log_from_below(input) + (1 - target) * _log_from_below(1 - input))
    return reduced(scaled("binary_cross_entropy", each, weight), reduction)


def _log_from_below(x: Tensor) -> Tensor:
    """``max(log x, -100)``."""
    large = x > _TINY
    return pointwise.where(large, pointwise.log(pointwise.where(large, x, 1.0)), -100.0)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """``-(w t log σ(x) + (1 - t) log σ(-x))``, in nats, by ``logsigmoid``: right for any x.

    weight      per element, broadcast
    pos_weight  w, of the positive examples, broadcast
    Raises LabelsError where the shapes differ, RangeError for t outside [0, 1].
    """
    name = "binary_cross_entropy_with_logits"
    same_shape(name, input, target)
    probabilities(name, "target", target)
    positive = scaled(name, target, pos_weight)
    each = share(positive, -pointwise.logsigmoid(input)) + share(1 - target, -pointwise.logsigmoid(-input))
    return reduced(scaled(name, each, weight), reduction)


def kl_div(input: Tensor, target: Tensor, *, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """Kullback-Leibler divergence ``t (log t - x)`` of probabilities t from log-probabilities x (``input``).

    reduction   "batchmean" (the divergence: divided by the length of axis 0), "mean" (by all elements), "sum", "none"
    log_target  ``target`` holds log t; where it is -inf, t is 0 and nothing is lost
    Raises LabelsError where the shapes differ, RangeError for t outside [0, 1].
    """
    same_shape("kl_div", input, target)
    if not log_target:
        probabilities("kl_div", "target", target)
    if log_target:
        nothing = target == float("-inf")
        safe = pointwise.where(nothing, 0.0, target)
        each = pointwise.where(nothing, 0.0, pointwise.exp(safe) * (safe - input))
    else:
        each = target * pointwise.log(pointwise.where(target <= 0, 1.0, target)) - share(target, input)
    if reduction == "batchmean":
        return reduce.sum(each) / (input.shape[0] if input.ndim else 1)
    return reduced(each, reduction)
