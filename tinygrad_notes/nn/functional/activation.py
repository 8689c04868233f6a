"""Activations: piecewise ones choose with ``where``, smooth ones are written for ±inf and for second derivatives at 0."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import ArgumentError, RangeError, ShapeError
from ...functions import activation, bounds, pointwise, reduce
from ...functions.activation import hardshrink, log_softmax, prelu, softmax
from ...functions.arguments import axis
from ...functions.generator import Generator
from ...functions.names import numpy_names
from ...functions.pieces import chunk
from ...functions.pointwise import logsigmoid, sigmoid, tanh
from ...functions.random import rand
from ...functions.shape import unflatten
from ...inplace import replace
from ...tensor import Tensor

__all__ = [
    "celu", "elu", "gelu", "glu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "log_softmax",
    "logsigmoid", "maxout", "mish", "prelu", "relu", "relu6", "rrelu", "selu", "sigmoid", "silu", "softmax", "softmin", "softplus",
    "softshrink", "softsign", "step", "tanh", "tanhshrink", "threshold",
]  # fmt: skip


def _or_inplace(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The function with PyTorch's last argument, ``inplace=False``: True writes the result into ``input``."""
    signature = inspect.signature(function)
    settings = len(signature.parameters)
    option = inspect.Parameter("inplace", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=False, annotation="bool")

    @functools.wraps(function)
    def choose(input: Tensor, *args: Any, inplace: bool = False, **kwargs: Any) -> Tensor:
        if len(args) == settings:
            *args, inplace = args  # type: ignore[assignment]
        if inplace:
            return replace(input, function, function.__name__, *args, **kwargs)
        return function(input, *args, **kwargs)

    choose.__signature__ = signature.replace(parameters=[*signature.parameters.values(), option])  # type: ignore[attr-defined]
    return choose


relu, threshold = _or_inplace(activation.relu), _or_inplace(activation.threshold)
celu, selu = _or_inplace(activation.celu), _or_inplace(activation.selu)

# ---- piecewise linear ----


@_or_inplace
def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """``x`` between the bounds, else the nearer bound; the slope at the bounds is 0. Raises ValueError for min > max."""
    if min_val > max_val:
        raise ValueError(f"hardtanh: min_val={min_val} lies above max_val={max_val}")
    return pointwise.where(input <= min_val, min_val, pointwise.where(input >= max_val, max_val, input))


@_or_inplace
def relu6(input: Tensor) -> Tensor:
    """``min(max(x, 0), 6)``; the slope at 0 and at 6 is 0."""
    return hardtanh(input, 0.0, 6.0)


@_or_inplace
def leaky_relu(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """``x`` where it is positive, else ``negative_slope * x``."""
    return pointwise.where(input > 0, input, input * negative_slope)


def rrelu(
    input: Tensor,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """``x`` where it is positive, else ``a x`` (Xu et al. 2015): in training each a is drawn from [lower, upper), else their middle.

    generator: of the random slopes; default: the global one. Raises RangeError unless ``lower <= upper``.
    """
    if inplace:
        return replace(input, rrelu, "rrelu", lower, upper, training, generator=generator)
    if not lower <= upper:
        raise RangeError(f"rrelu: lower={lower} lies above upper={upper}")
    slope: Any = (lower + upper) / 2
    if training:
        slope = rand(input.shape, dtype=input.dtype, generator=generator) * (upper - lower) + lower
    return pointwise.where(input > 0, input, input * slope)


def step(input: Tensor, at_zero: float = 0) -> Tensor:
    """0 below 0, 1 above, ``at_zero`` at 0: the perceptron's (Rosenblatt 1958). Flat, so gradients end here."""
    return pointwise.where(input == 0, at_zero, (input > 0).to(input.dtype))


@_or_inplace
def hardsigmoid(input: Tensor) -> Tensor:
    """``x / 6 + 1/2`` between -3 and 3, beyond them 0 and 1."""
    return pointwise.where(input <= -3, 0.0, pointwise.where(input >= 3, 1.0, input / 6 + 0.5))


@_or_inplace
def hardswish(input: Tensor) -> Tensor:
    """``x (x + 3) / 6`` between -3 and 3, below 0 and above x (Howard et al. 2019)."""
    near = bounds.clamp(input, -3.0, 3.0)
    return pointwise.where(input <= -3, 0.0, pointwise.where(input >= 3, input, near * (near + 3) / 6))


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """``x`` moved by ``lambd`` towards 0, and 0 within ``[-lambd, lambd]``. Raises RangeError for a negative ``lambd``."""
    if lambd < 0:
        raise RangeError(f"softshrink: lambd must not be negative, got {lambd}")
    outside = pointwise.where(input > 0, input - lambd, input + lambd)
    return pointwise.where(pointwise.abs(input) <= lambd, 0.0, outside)


# ---- smooth ----
#
# gelu, silu and mish are x times a gate between 0 and 1. At ±inf, ``inf * 0`` would be NaN where the limit is 0; so the gate
# reads x within bounds beyond which it is 0 or 1 anyway, and what it multiplies is bounded from below.


@_or_inplace
def elu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """``x`` where it is positive, else ``alpha (exp(x) - 1)`` (Clevert et al. 2016)."""
    return activation.elu(input, alpha)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """``x Φ(x)`` with the normal distribution function Φ (Hendrycks & Gimpel 2016).

    approximate: "none", or "tanh" for ``x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x³))) / 2``.
    """
    low, x = _within(input, 40.0)
    if approximate == "none":
        return low * (0.5 * pointwise.erfc(x * -math.sqrt(0.5)))
    if approximate != "tanh":
        raise ArgumentError(f"gelu: approximate must be 'none' or 'tanh', got {approximate!r}")
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * (x * x * x))
    return low * (0.5 * (1 + tanh(inner)))


@_or_inplace
def silu(input: Tensor) -> Tensor:
    """``x σ(x)`` (Elfwing et al. 2017), also called swish."""
    low, x = _within(input, 800.0)
    return low * sigmoid(x)


@_or_inplace
def mish(input: Tensor) -> Tensor:
    """``x tanh(softplus(x))`` (Misra 2019)."""
    low, x = _within(input, 800.0)
    return low * tanh(-logsigmoid(-x))


def _within(x: Tensor, bound: float) -> tuple[Tensor, Tensor]:
    low = bounds.clamp(x, min=-bound)
    return low, bounds.clamp(low, max=bound)


def softsign(input: Tensor) -> Tensor:
    """``x / (1 + |x|)``."""
    largest = float(np.finfo(input.dtype).max) if input.dtype.kind == "f" else None
    finite = input if largest is None else bounds.clamp(input, -largest, largest)  # inf / inf is NaN, the limit is 1
    return finite / (1 + pointwise.abs(finite))


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """``log(1 + exp(beta x)) / beta``, and x itself where ``beta x > threshold``."""
    scaled = input * beta
    return pointwise.where(scaled > threshold, input, logsigmoid(-scaled) / -beta)


def tanhshrink(input: Tensor) -> Tensor:
    """``x - tanh(x)``."""
    return input - tanh(input)


# ---- over an axis ----


@numpy_names
def softmin(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """``softmax(-x)`` along ``dim``."""
    return softmax(-input, dim, dtype)


@numpy_names
def maxout(input: Tensor, pieces: int, dim: int = -1) -> Tensor:
    """The largest of every ``pieces`` neighbours along ``dim`` (Goodfellow et al. 2013); equal ones share the gradient evenly.

    input ``(*, units * pieces, *)``; result ``(*, units, *)``. Raises ShapeError where ``pieces`` does not divide the axis.
    """
    along = axis("maxout", input, dim)
    if input.ndim == 0 or pieces < 1 or input.shape[along] % pieces:
        raise ShapeError(f"maxout: dim={dim} of {input._type()} does not divide into units of {pieces} pieces")
    return reduce.amax(unflatten(input, along, (input.shape[along] // pieces, pieces)), along + 1)


@numpy_names
def glu(input: Tensor, dim: int = -1) -> Tensor:
    """``a * sigmoid(b)`` of the two halves along ``dim`` (Dauphin et al. 2017). Raises ShapeError for an odd length."""
    if input.ndim == 0 or input.shape[axis("glu", input, dim)] % 2:
        raise ShapeError(f"glu: {input._type()} cannot be halved along dim={dim}; its length must be even")
    a, b = chunk(input, 2, dim)
    return a * sigmoid(b)
