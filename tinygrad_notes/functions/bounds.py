"""Keeping values within bounds, and the larger and the smaller of two, under PyTorch's names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import result_type
from ..errors import ArgumentError
from ..optable import p
from ..tensor import Tensor
from .arguments import row, tensor
from .convert import clone, to
from .logic import bitwise_or, isnan
from .pointwise import eq, ge, gt, le, lt, where

__all__ = ["clamp", "clamp_max", "clamp_min", "clip", "fmax", "fmin", "maximum", "minimum", "nan_to_num"]

METHODS = "clamp clamp_max clamp_min clip fmax fmin maximum minimum nan_to_num"
INPLACE = "clamp clamp_max clamp_min clip nan_to_num"

maximum, minimum = row("maximum"), row("minimum")
"""Equal values share the gradient evenly; NaN where one is NaN."""


def clamp(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """``input``, but ``min`` below it and ``max`` above it: numbers or Tensors, which broadcast; where ``min > max``, ``max``.

    Inside and at a bound the gradient goes to the input, outside to the bound. A NaN, of input or bound, is handed on.
    Raises ArgumentError where both bounds are None.
    """
    tensor("clamp", input)
    bounds = [bound for bound in (min, max) if bound is not None]
    if not bounds:
        raise ArgumentError("clamp: at least one of min and max must be given, both are None")
    tensors = [bound for bound in bounds if isinstance(bound, Tensor)]
    dtype = result_type([input, *tensors], [bound for bound in bounds if not isinstance(bound, Tensor)])
    x = input if input.dtype == dtype else to(input, dtype)
    if not tensors and not (len(bounds) == 2 and min > max):
        clamped: Tensor = p.clamp(x, min=min, max=max)
        return clamped
    if min is not None:
        x = where(_beyond(lt, x, min), min, x)
    if max is not None:
        x = where(_beyond(gt, x, max), max, x)
    return x


def _beyond(compare: Callable[..., Tensor], x: Tensor, bound: Any) -> Tensor:
    """Where ``x`` passes the bound, or the bound is NaN."""
    return bitwise_or(compare(x, bound), isnan(bound))


clip = clamp


def clamp_min(input: Tensor, min: Any) -> Tensor:
    """``clamp`` from below only."""
    return clamp(input, min=min)


def clamp_max(input: Tensor, max: Any) -> Tensor:
    """``clamp`` from above only."""
    return clamp(input, max=max)


def fmax(input: Any, other: Any) -> Tensor:
    """The larger of two, the number where one is NaN; the gradient of equal values goes to the first."""
    return where(bitwise_or(ge(input, other), isnan(other)), input, other)


def fmin(input: Any, other: Any) -> Tensor:
    """The smaller of two, the number where one is NaN; the gradient of equal values goes to the first."""
    return where(bitwise_or(le(input, other), isnan(other)), input, other)


def nan_to_num(input: Tensor, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Tensor:
    """Numbers for NaN, inf and -inf: 0, and the largest and the lowest of the dtype, unless others are given."""
    tensor("nan_to_num", input)
    if input.dtype.kind != "f":
        return clone(input)
    largest = float(np.finfo(input.dtype).max)
    finite = where(eq(input, float("inf")), largest if posinf is None else posinf, input)
    finite = where(eq(input, float("-inf")), -largest if neginf is None else neginf, finite)
    return where(isnan(input), nan, finite)
