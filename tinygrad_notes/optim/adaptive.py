"""Learning rates of each number's own, by the gradients it has seen: Adagrad, Adadelta, RMSprop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from ..optable import p as primitives
from ..tensor import Tensor, from_array
from .optimizer import INF, Optimizer
from .options import ParamGroup, Ranges, plain

__all__ = ["Adadelta", "Adagrad", "RMSprop"]


class Adagrad(Optimizer):
    """``s = s + g²;  p = p - lr / (1 + (t-1) lr_decay) · g / (sqrt(s) + eps)`` (Duchi et al. 2011).

    params                     what to optimize
    lr                         learning rate
    lr_decay                   how fast it falls with the number of the step, t
    weight_decay               L2 penalty: ``g + weight_decay p``
    initial_accumulator_value  s before the first step
    eps                        added outside the root
    maximize                   climb instead
    """

    RANGES: ClassVar[Ranges] = dict.fromkeys(("lr", "lr_decay", "eps", "weight_decay", "initial_accumulator_value"), (0.0, INF))

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {"lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**defaults, "initial_accumulator_value": initial_accumulator_value, "maximize": maximize})

    def _keys(self, group: ParamGroup) -> tuple[str, ...]:
        return "step", "sum"

    def _fresh(self, key: str, p: Tensor, g: Any, group: ParamGroup) -> Tensor:
        if key == "sum":
            return from_array(np.full(p.shape, plain(group["initial_accumulator_value"]), p.dtype))
        return super()._fresh(key, p, g, group)

    def _fold(self, options: Mapping[str, Any]) -> tuple[Any, ...]:
        return (options["eps"],)

    def _timed(self, options: Mapping[str, Any], state: dict[str, Any]) -> tuple[Any, ...]:
        return (options["lr"] / (1 + (state["step"] - 1) * options["lr_decay"]),)

    def _update(self, x: Any, g: Any, options: Mapping[str, Any], fold: tuple[Any, ...], state: dict[str, Any]) -> None:
        (eps, rate), s = fold, state["sum"]
        s += g * g
        x -= rate * g / (primitives.sqrt(s) + eps)


class Adadelta(Optimizer):
    """``v = ρ v + (1-ρ) g²;  d = sqrt(u + eps) / sqrt(v + eps) · g;  u = ρ u + (1-ρ) d²;  p = p - lr d`` (Zeiler 2012).

    params        what to optimize
    lr            factor of the step; the paper has 1
    rho           how much of the running means of g² and d² is kept
    eps           added inside the roots: what the first steps start from
    weight_decay  L2 penalty: ``g + weight_decay p``
    maximize      climb instead
    """

    RANGES: ClassVar[Ranges] = {
        "lr": (0.0, INF),
        "rho": (0.0, float(np.nextafter(1, 2))),
        "eps": (0.0, INF),
        "weight_decay": (0.0, INF),
    }

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize})

    def _keys(self, group: ParamGroup) -> tuple[str, ...]:
        return "step", "square_avg", "acc_delta"

    def _fold(self, options: Mapping[str, Any]) -> tuple[Any, ...]:
        return options["lr"], options["rho"], 1 - options["rho"], options["eps"]

    def _update(self, x: Any, g: Any, options: Mapping[str, Any], fold: tuple[Any, ...], state: dict[str, Any]) -> None:
        lr, rho, new, eps = fold
        v, u = state["square_avg"], state["acc_delta"]
        v *= rho
        v += g * g * new
        d = primitives.sqrt(u + eps) / primitives.sqrt(v + eps) * g
        u *= rho
        u += d * d * new
        x -= lr * d


class RMSprop(Optimizer):
    """``v = α v + (1-α) g²;  p = p - lr g / (sqrt(v) + eps)`` (Hinton 2012).

    params        what to optimize
    lr            learning rate
    alpha         how much of the running mean of g² is kept
    eps           added outside the root
    weight_decay  L2 penalty: ``g + weight_decay p``
    momentum      share of the last step that is kept: ``b = momentum b + g / (sqrt(v) + eps);  p = p - lr b``
    centered      divide by the running deviation of g, ``sqrt(v - mean(g)²)``, instead (Graves 2013)
    maximize      climb instead
    """

    RANGES: ClassVar[Ranges] = dict.fromkeys(("lr", "momentum", "alpha", "eps", "weight_decay"), (0.0, INF))

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {"lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**defaults, "centered": centered, "maximize": maximize})

    def _keys(self, group: ParamGroup) -> tuple[str, ...]:
        more = {"momentum_buffer": group.on("momentum"), "grad_avg": group["centered"]}
        return "step", "square_avg", *(key for key, needed in more.items() if needed)

    def _fold(self, options: Mapping[str, Any]) -> tuple[Any, ...]:
        return options["lr"], options["alpha"], 1 - options["alpha"], options["eps"], options["momentum"]

    def _update(self, x: Any, g: Any, options: Mapping[str, Any], fold: tuple[Any, ...], state: dict[str, Any]) -> None:
        lr, alpha, new, eps, momentum = fold
        v = state["square_avg"]
        v *= alpha
        v += g * g * new
        if options["centered"]:
            mean = state["grad_avg"]
            mean += (g - mean) * new
            v = primitives.maximum(v - mean * mean, 0.0)  # a variance, which rounding may leave below 0
        direction = g / (primitives.sqrt(v) + eps)
        if options["momentum"]:
            b = state["momentum_buffer"]
            b *= momentum
            b += direction
            direction = b
        x -= lr * direction
