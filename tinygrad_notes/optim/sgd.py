"""Stochastic gradient descent, with momentum (Polyak 1964) in PyTorch's form, and Nesterov's (Sutskever et al. 2013)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from ..tensor import Tensor, from_array
from .optimizer import INF, Optimizer
from .options import ParamGroup, Ranges, plain

__all__ = ["SGD"]


class SGD(Optimizer):
    """``b = momentum b + (1 - dampening) g;  p = p - lr b`` (Nesterov: ``p = p - lr (g + momentum b)``).

    The heavy ball, ``m = μ m + α g`` and ``p = p - m``, is this with lr = α: ``m = α b``, as long as α stays. The average of
    gradients, ``m = β m + (1 - β) g``, is this with dampening = momentum = β, started from the first gradient instead of 0.

    params        what to optimize
    lr            learning rate
    momentum      share of the last step that is kept; the first step takes g itself
    dampening     share of g that momentum leaves out
    weight_decay  L2 penalty: ``g + weight_decay p``
    nesterov      look ahead; needs momentum without dampening
    maximize      climb instead
    """

    RANGES: ClassVar[Ranges] = {"lr": (0.0, INF), "momentum": (0.0, INF), "dampening": (-INF, INF), "weight_decay": (0.0, INF)}

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
        defaults = {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay}
        super().__init__(params, {**defaults, "nesterov": nesterov, "maximize": maximize})

    def _check(self, options: Mapping[str, Any]) -> None:
        if options["nesterov"] and (options["momentum"] <= 0 or options["dampening"] != 0):
            raise ValueError("SGD: Nesterov momentum needs momentum > 0 and dampening = 0")

    def _keys(self, group: ParamGroup) -> tuple[str, ...]:
        return ("momentum_buffer",) if group.on("momentum") else ()

    def _fresh(self, key: str, p: Tensor, g: Any, group: ParamGroup) -> Tensor:
        # so that the first step, momentum b + (1 - dampening) g, is g
        share = plain(group["dampening"]) / plain(group["momentum"])
        return from_array(np.asarray(g * p.dtype.type(share)))

    def _fold(self, options: Mapping[str, Any]) -> tuple[Any, ...]:
        return options["lr"], options["momentum"], 1 - options["dampening"]

    def _update(self, x: Any, g: Any, options: Mapping[str, Any], fold: tuple[Any, ...], state: dict[str, Any]) -> None:
        lr, momentum, share = fold
        if options["momentum"]:
            b = state["momentum_buffer"]
            b *= momentum
            b += g * share
            g = g + momentum * b if options["nesterov"] else b
        x -= lr * g
