"""Stochastic gradient descent, with momentum (Polyak 1964) in PyTorch's form, and Nesterov's (Sutskever et al. 2013)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..tensor import Tensor
from .optimizer import Optimizer, ParamGroup, check_range

__all__ = ["SGD"]


class SGD(Optimizer):
    """``b = momentum b + (1 - dampening) g;  p = p - lr b`` (Nesterov: ``p = p - lr (g + momentum b)``).

    params        what to optimize
    lr            learning rate
    momentum      share of the last step that is kept; the first step takes g itself
    dampening     share of g that momentum leaves out
    weight_decay  L2 penalty: ``g + weight_decay p``
    nesterov      look ahead; needs momentum without dampening
    maximize      climb instead
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        check_range("SGD", lr=lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("SGD: Nesterov momentum needs momentum > 0 and dampening = 0")
        defaults = {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay}
        super().__init__(params, {**defaults, "nesterov": nesterov, "maximize": maximize})

    def _update(self, p: Tensor, g: Tensor, group: ParamGroup, state: dict[str, Tensor]) -> None:
        momentum = group["momentum"]
        if group["maximize"]:
            g = -g
        if group["weight_decay"]:
            g = g + group["weight_decay"] * p
        if momentum:
            b = state.get("momentum_buffer")
            if b is None:
                b = state["momentum_buffer"] = g.clone()
            else:
                b.mul_(momentum).add_(g, alpha=1 - group["dampening"])
            g = g + momentum * b if group["nesterov"] else b
        p.sub_(group["lr"] * g)
