"""Adam (Kingma & Ba 2015), AMSGrad (Reddi et al. 2018) and AdamW (Loshchilov & Hutter 2019)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..functions.creation import zeros_like
from ..functions.pointwise import sqrt, where
from ..tensor import Tensor
from .optimizer import Optimizer, ParamGroup, check_range, scalar

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """``m = β1 m + (1-β1) g;  v = β2 v + (1-β2) g²;  p = p - lr m̂ / (sqrt(v̂) + eps)`` with m̂ = m / (1-β1ᵗ), v̂ = v / (1-β2ᵗ).

    params        what to optimize
    lr            learning rate
    betas         (β1, β2): how much of the running means of g and g² is kept
    eps           added outside the root, as in the paper's algorithm 1
    weight_decay  L2 penalty: ``g + weight_decay p``
    amsgrad       divide by the largest v̂ so far
    maximize      climb instead
    """

    _decoupled = False

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        name = type(self).__name__
        check_range(name, lr=lr, eps=eps, weight_decay=weight_decay)
        check_range(name, 0.0, 1.0, beta1=betas[0], beta2=betas[1])
        defaults = {"lr": lr, "betas": tuple(betas), "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**defaults, "amsgrad": amsgrad, "maximize": maximize})

    def _update(self, p: Tensor, g: Tensor, group: ParamGroup, state: dict[str, Tensor]) -> None:
        (beta1, beta2), lr, decay = group["betas"], group["lr"], group["weight_decay"]
        if not state:
            state |= {"step": scalar(0), "exp_avg": zeros_like(p), "exp_avg_sq": zeros_like(p)}
            if group["amsgrad"]:
                state["max_exp_avg_sq"] = zeros_like(p)
        m, v, step = state["exp_avg"], state["exp_avg_sq"], state["step"]
        if group["maximize"]:
            g = -g
        if decay and self._decoupled:
            p.mul_(1 - lr * decay)
        elif decay:
            g = g + decay * p

        step.add_(1.0)
        m.add_((g - m) * (1 - beta1))
        v.mul_(beta2).add_(g * g * (1 - beta2))
        if group["amsgrad"]:
            top = state["max_exp_avg_sq"]
            v = top.copy_(where(v > top, v, top))
        root = sqrt(1 - beta2**step)
        p.sub_(lr / (1 - beta1**step) * (m / (sqrt(v) / root + group["eps"])))


class AdamW(Adam):
    """Adam with decoupled weight decay: ``p = p (1 - lr weight_decay)`` before the step, instead of an L2 penalty."""

    _decoupled = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize)
