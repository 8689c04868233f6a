"""Gradient clipping (Pascanu et al. 2013), in primitives, so that a tape replays it."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ...errors import GraphError
from ...functions import pointwise, reduce
from ...functions.bounds import clamp
from ...functions.creation import zeros
from ...functions.moving import stack
from ...modes import no_grad, scope
from ...tensor import Tensor

__all__ = ["clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> Tensor:
    """Scale all gradients together so that their joint norm is at most ``max_norm``; returns the norm they had.

    norm_type: the p of the norm, ``inf`` for the largest absolute value. Raises ValueError for a negative ``max_norm``,
    GraphError for a norm that is not finite, if asked to; else that norm makes the gradients 0 or NaN.
    """
    owners = _owners(parameters)
    _check_bound("clip_grad_norm_", "max_norm", max_norm)
    with no_grad(), scope("clip_grad_norm"):
        total = _total_norm("clip_grad_norm_", _gradients(owners), norm_type, error_if_nonfinite)
        _scale(owners, max_norm, total)
    return total


def clip_grads_with_norm_(parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor) -> None:
    """Scale all gradients by ``max_norm / (total_norm + 1e-6)``, where that is below 1.

    total_norm: of ``get_total_norm``. Raises ValueError for a negative ``max_norm``.
    """
    _check_bound("clip_grads_with_norm_", "max_norm", max_norm)
    with no_grad(), scope("clip_grad_norm"):
        _scale(_owners(parameters), max_norm, total_norm)


def get_total_norm(tensors: Tensor | Iterable[Tensor], norm_type: float = 2.0, error_if_nonfinite: bool = False) -> Tensor:
    """The norm of all ``tensors`` together, as of one vector; 0 if there are none.

    Raises ValueError for a ``norm_type`` of 0 or less, GraphError for a norm that is not finite, if asked to.
    """
    with no_grad(), scope("total_norm"):
        return _total_norm("get_total_norm", _owners(tensors), norm_type, error_if_nonfinite)


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Clamp every number of every gradient to [-clip_value, clip_value]. Raises ValueError for a negative ``clip_value``."""
    _check_bound("clip_grad_value_", "clip_value", clip_value)
    with no_grad(), scope("clip_grad_value"):
        for i, grad in enumerate(_gradients(_owners(parameters))):
            with scope("param", i):
                grad.clamp_(-float(clip_value), float(clip_value))


def _owners(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    return [parameters] if isinstance(parameters, Tensor) else list(parameters)


def _gradients(owners: list[Tensor]) -> list[Tensor]:
    return [owner.grad for owner in owners if owner.grad is not None]


def _check_bound(name: str, key: str, value: float) -> None:
    if not value >= 0:
        raise ValueError(f"{name}: {key} must be 0 or more, got {value}")


def _scale(owners: list[Tensor], max_norm: float, total_norm: Tensor) -> None:
    scale = clamp(max_norm / (total_norm + 1e-6), max=1.0)  # a NaN is handed on
    for i, grad in enumerate(_gradients(owners)):
        with scope("param", i):
            grad.mul_(scale)


def _total_norm(name: str, tensors: list[Tensor], norm_type: float, error_if_nonfinite: bool) -> Tensor:
    order = float(norm_type)
    if not order > 0:
        raise ValueError(f"{name}: norm_type must be positive, or inf, got {norm_type}")
    if not tensors:
        return zeros(())
    total = _joint_norm(tensors, order)
    if error_if_nonfinite and not math.isfinite(total.item()):
        raise GraphError(f"{name}: the norm of the gradients is {total.item()}; some gradient is inf or NaN")
    return total


def _joint_norm(tensors: list[Tensor], order: float) -> Tensor:
    if order == math.inf:
        return reduce.amax(stack([reduce.amax(pointwise.abs(x)) for x in tensors if x.numel()] or [zeros(())]))
    powers = []
    for i, x in enumerate(tensors):
        with scope("param", i):
            powers.append(reduce.sum(x * x if order == 2 else pointwise.pow(pointwise.abs(x), order)))
    total = reduce.sum(stack(powers))
    return pointwise.sqrt(total) if order == 2 else pointwise.pow(total, 1 / order)
