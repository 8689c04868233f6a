"""Utilities under PyTorch's name ``nn.utils``: gradient clipping (Pascanu et al. 2013), in primitives, so that a tape replays it."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import GraphError
from ..functions import pointwise, reduce
from ..functions.creation import zeros
from ..functions.moving import stack
from ..modes import no_grad, scope
from ..tensor import Tensor

__all__ = ["clip_grad_norm_"]


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> Tensor:
    """Scale all gradients together so that their joint norm is at most ``max_norm``; returns the norm they had.

    norm_type: the p of the norm, ``inf`` for the largest absolute value. Raises ValueError for a negative ``max_norm``,
    GraphError for a norm that is not finite, if asked to.
    """
    if max_norm < 0 or norm_type <= 0:
        raise ValueError(f"clip_grad_norm_: max_norm must be 0 or more and norm_type positive, got {max_norm} and {norm_type}")
    owners = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    grads = [owner.grad for owner in owners if owner.grad is not None]
    if not grads:
        return zeros(())
    with no_grad(), scope("clip_grad_norm"):
        total = _joint_norm(grads, float(norm_type))
        if error_if_nonfinite and not abs(total.item()) < float("inf"):
            raise GraphError(f"clip_grad_norm_: the norm of the gradients is {total.item()}; some gradient is inf or NaN")
        scale = max_norm / (total + 1e-6)
        scale = pointwise.where(scale < 1.0, scale, 1.0)
        for i, grad in enumerate(grads):
            with scope("param", i):
                grad.mul_(scale)
    return total


def _joint_norm(grads: list[Tensor], order: float) -> Tensor:
    if order == float("inf"):
        return reduce.amax(stack([reduce.amax(pointwise.abs(g)) for g in grads]))
    powers = []
    for i, g in enumerate(grads):
        with scope("param", i):
            powers.append(reduce.sum(g * g if order == 2 else pointwise.pow(pointwise.abs(g), order)))
    total = reduce.sum(stack(powers))
    return pointwise.sqrt(total) if order == 2 else pointwise.pow(total, 1 / order)
