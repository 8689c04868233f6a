"""Rounding, signs, whole quotients and remainders under PyTorch's names. Steps have the slope 0: zeros, never None."""

from __future__ import annotations

import builtins
from typing import Any

from ..tensor import Tensor
from .arguments import floating, row, same_dtype
from .convert import to
from .pointwise import eq, gt, lt, where

__all__ = [
    "ceil", "copysign", "fix", "floor", "floor_divide", "fmod", "frac", "heaviside", "remainder", "round", "sgn", "sign",
    "signbit", "trunc",
]  # fmt: skip

METHODS = "ceil copysign divmod fix floor floor_divide fmod frac heaviside remainder round sgn sign signbit trunc"
INPLACE = "ceil copysign fix floor fmod frac heaviside round sgn sign trunc"

floor, ceil, trunc, sign, copysign = row("floor"), row("ceil"), row("trunc"), row("sign"), row("copysign")
floor_divide, remainder, fmod = row("floor_divide"), row("remainder"), row("fmod")
fix, sgn = trunc, sign


def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """To the nearest multiple of ``10**-decimals``, of two that are as near to the even one."""
    whole = row("round")
    if decimals == 0:
        return whole(input)
    floating("round", input)
    scale = 10.0 ** builtins.abs(decimals)
    return whole(input * scale) / scale if decimals > 0 else whole(input / scale) * scale


def frac(input: Tensor) -> Tensor:
    """``input - trunc(input)``: what stands behind the point, with the sign. Raises DtypeError for integers."""
    floating("frac", input)
    return input - trunc(input)


def divmod(input: Any, other: Any) -> tuple[Tensor, Tensor]:
    """``(input // other, input % other)``."""
    return floor_divide(input, other), remainder(input, other)


def signbit(input: Tensor) -> Tensor:
    """Whether the sign is minus, that of -0.0 included."""
    return lt(copysign(1.0, input), 0)


def heaviside(input: Tensor, values: Tensor) -> Tensor:
    """0 below 0, 1 above, ``values`` at 0. Raises DtypeError unless both have one dtype."""
    same_dtype("heaviside", input, values)
    return where(eq(input, 0), values, to(gt(input, 0), input.dtype))
