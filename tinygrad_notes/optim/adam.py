"""Adam (Kingma & Ba 2015) and its kin: AMSGrad, AdamW, Adamax, NAdam, RAdam."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from ..optable import p as primitives
from ..tensor import Tensor
from .optimizer import INF, Optimizer
from .options import ParamGroup, Ranges, scalar

__all__ = ["Adam", "AdamW", "Adamax", "NAdam", "RAdam"]


class _Moments(Optimizer):
    """Running means of g and g²: ``m = β1 m + (1-β1) g;  v = β2 v + (1-β2) g²``."""

    RANGES: ClassVar[Ranges] = {"lr": (0.0, INF), "betas": (0.0, 1.0), "eps": (0.0, INF), "weight_decay": (0.0, INF)}

    def _keys(self, group: ParamGroup) -> tuple[str, ...]:
        return "step", "exp_avg", "exp_avg_sq"

    def _fold(self, options: Mapping[str, Any]) -> tuple[Any, ...]:
        beta1, beta2 = options["betas"]
        return 1 - beta1, beta2, 1 - beta2

    def _means(self, g: Any, fold: tuple[Any, ...], state: dict[str, Any]) -> tuple[Any, Any]:
        """One more gradient in the means; what they are now."""
        new1, beta2, new2 = fold[:3]
        m, v = state["exp_avg"], state["exp_avg_sq"]
        m += (g - m) * new1
        v *= beta2
        v += g * g * new2
        return m, v


def _missing(beta: Any, step: Any) -> Any:
    """``1 - βᵗ``: what a mean that started from 0 has to be divided by."""
    return 1 - primitives.pow(beta, step)


class Adam(_Moments):
    """``p = p - lr m̂ / (sqrt(v̂) + eps)`` with m̂ = m / (1-β1ᵗ), v̂ = v / (1-β2ᵗ), m and v the running means of g and g².

    params                  what to optimize
    lr                      learning rate
    betas                   (β1, β2): how much of the running means is kept
    eps                     added outside the root, as in the paper's algorithm 1
    weight_decay            L2 penalty: ``g + weight_decay p``
    amsgrad                 divide by the largest v so far (Reddi et al. 2018)
    maximize                climb instead
    decoupled_weight_decay  ``p = p (1 - lr weight_decay)`` before the step, instead of the penalty: AdamW
    """

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
        decoupled_weight_decay: bool = False,
    ) -> None:
        defaults = {"lr": lr, "betas": tuple(betas), "eps": eps, "weight_decay": weight_decay}
        switches = {"amsgrad": amsgrad, "maximize": maximize, "decoupled_weight_decay": decoupled_weight_decay}
        super().__init__(params, defaults | switches)

    def _keys(self, group: ParamGroup) -> tuple[str, ...]:
        return (*super()._keys(group), "max_exp_avg_sq") if group["amsgrad"] else super()._keys(group)

    def _timed(self, options: Mapping[str, Any], state: dict[str, Any]) -> tuple[Any, ...]:
        # lr m̂ / (sqrt(v̂) + eps), the corrections folded into two numbers: rate m / (sqrt(v) + eps root)
        beta1, beta2 = options["betas"]
        root = primitives.sqrt(_missing(beta2, state["step"]))
        return options["lr"] / _missing(beta1, state["step"]) * root, options["eps"] * root

    def _update(self, x: Any, g: Any, options: Mapping[str, Any], fold: tuple[Any, ...], state: dict[str, Any]) -> None:
        m, v = self._means(g, fold, state)
        if options["amsgrad"]:
            top = state["max_exp_avg_sq"]
            top[...] = primitives.maximum(v, top)
            v = top
        rate, eps = fold[3:]
        x -= rate * m / (primitives.sqrt(v) + eps)


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019): ``p = p (1 - lr weight_decay)`` before the step."""

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
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize, decoupled_weight_decay=True)


class Adamax(_Moments):
    """Adam by the largest gradient: ``u = max(β2 u, |g| + eps);  p = p - lr m̂ / u`` (Kingma & Ba 2015, algorithm 2).

    Options as Adam's.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {"lr": lr, "betas": tuple(betas), "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**defaults, "maximize": maximize})

    def _keys(self, group: ParamGroup) -> tuple[str, ...]:
        return "step", "exp_avg", "exp_inf"

    def _fold(self, options: Mapping[str, Any]) -> tuple[Any, ...]:
        beta1, beta2 = options["betas"]
        return 1 - beta1, beta2, options["eps"]

    def _timed(self, options: Mapping[str, Any], state: dict[str, Any]) -> tuple[Any, ...]:
        return (options["lr"] / _missing(options["betas"][0], state["step"]),)

    def _update(self, x: Any, g: Any, options: Mapping[str, Any], fold: tuple[Any, ...], state: dict[str, Any]) -> None:
        new1, beta2, eps, rate = fold
        m, u = state["exp_avg"], state["exp_inf"]
        m += (g - m) * new1
        u[...] = primitives.maximum(u * beta2, primitives.abs(g) + eps)
        x -= rate * m / u


class NAdam(_Moments):
    """Adam with Nesterov's look ahead (Dozat 2016): m̂ is a mix of the mean and g, by the momentum schedule
    ``μᵗ = β1 (1 - 0.96^(t momentum_decay) / 2)``.

    momentum_decay  how fast the momentum rises to β1; the other options as Adam's
    """

    RANGES: ClassVar[Ranges] = {**_Moments.RANGES, "momentum_decay": (0.0, INF)}
    COUNTERS: ClassVar[tuple[str, ...]] = ("step", "mu_product")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {"lr": lr, "betas": tuple(betas), "eps": eps, "weight_decay": weight_decay, "momentum_decay": momentum_decay}
        super().__init__(params, {**defaults, "decoupled_weight_decay": decoupled_weight_decay, "maximize": maximize})

    def _keys(self, group: ParamGroup) -> tuple[str, ...]:
        return (*super()._keys(group), "mu_product")

    def _fresh(self, key: str, p: Tensor, g: Any, group: ParamGroup) -> Tensor:
        return scalar(1) if key == "mu_product" else super()._fresh(key, p, g, group)

    def _momentum(self, options: Mapping[str, Any], step: Any) -> Any:
        return options["betas"][0] * (1 - 0.5 * primitives.pow(0.96, step * options["momentum_decay"]))

    def _count(self, options: Mapping[str, Any], state: dict[str, Any]) -> None:
        super()._count(options, state)
        state["mu_product"] *= self._momentum(options, state["step"])

    def _timed(self, options: Mapping[str, Any], state: dict[str, Any]) -> tuple[Any, ...]:
        step, product, lr = state["step"], state["mu_product"], options["lr"]
        now, ahead = self._momentum(options, step), self._momentum(options, step + 1)
        root = primitives.sqrt(_missing(options["betas"][1], step))
        return lr * (1 - now) / (1 - product) * root, lr * ahead / (1 - product * ahead) * root, options["eps"] * root

    def _update(self, x: Any, g: Any, options: Mapping[str, Any], fold: tuple[Any, ...], state: dict[str, Any]) -> None:
        m, v = self._means(g, fold, state)
        of_g, of_m, eps = fold[3:]
        x -= (of_g * g + of_m * m) / (primitives.sqrt(v) + eps)


class RAdam(_Moments):
    """Adam whose early steps, while v̂ still varies much, are those of momentum alone (Liu et al. 2020).

    With ρ = 2 / (1-β2) - 1 and ρᵗ = ρ - 2t β2ᵗ / (1-β2ᵗ): the step of Adam times
    ``sqrt((ρᵗ-4) (ρᵗ-2) ρ / ((ρ-4) (ρ-2) ρᵗ))`` where ρᵗ > 5, else ``lr m̂``. Options as Adam's.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {"lr": lr, "betas": tuple(betas), "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**defaults, "decoupled_weight_decay": decoupled_weight_decay, "maximize": maximize})

    def _timed(self, options: Mapping[str, Any], state: dict[str, Any]) -> tuple[Any, ...]:
        step, (beta1, beta2) = state["step"], options["betas"]
        kept = primitives.pow(beta2, step)
        longest = 2 / (1 - beta2) - 1
        length = longest - 2 * step * kept / (1 - kept)
        share = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
        steady = primitives.gt(length, 5.0)
        factor = primitives.sqrt(primitives.where(steady, share, 1.0) * (1 - kept))
        return options["lr"] / _missing(beta1, step), factor, options["eps"], primitives.where(steady, kept * 0 + 1, 0.0)

    def _update(self, x: Any, g: Any, options: Mapping[str, Any], fold: tuple[Any, ...], state: dict[str, Any]) -> None:
        m, v = self._means(g, fold, state)
        rate, factor, eps, steady = fold[3:]
        adapted = factor / (primitives.sqrt(v) + eps)
        x -= rate * m * primitives.where(primitives.gt(steady, 0.0), adapted, 1.0)
