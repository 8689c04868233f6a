"""Arithmetic, exponentials and their kin, comparison and choice under PyTorch's names: they canonicalise, the table computes."""

from __future__ import annotations

from typing import Any

from ..dtypes import bool_, float64
from ..errors import ArgumentError, DtypeError
from ..optable import TABLE, p
from ..tensor import Tensor
from .arguments import floating, row, same_dtype, some_floats
from .convert import to

__all__ = [
    "abs", "absolute", "add", "addcdiv", "addcmul", "div", "divide", "eq", "erf", "erfc", "exp", "exp2", "expm1", "float_power",
    "ge", "greater", "greater_equal", "gt", "le", "lerp", "less", "less_equal", "log", "log1p", "log2", "log10", "logaddexp",
    "logit", "lt", "mul", "multiply", "ne", "neg", "negative", "not_equal", "positive", "pow", "reciprocal", "rsqrt", "sigmoid",
    "sqrt", "square", "sub", "subtract", "tanh", "true_divide",
]  # fmt: skip

METHODS = (
    "abs absolute add addcdiv addcmul div divide eq erf erfc exp exp2 expm1 float_power ge greater greater_equal gt le lerp less "
    "less_equal log log10 log1p log2 logaddexp logit logsigmoid lt mul multiply ne neg negative not_equal positive pow reciprocal "
    "rsqrt sigmoid sqrt square sub subtract tanh true_divide"
)
"""Methods of Tensor as well; these also as ``name_``, written in place:"""
INPLACE = (
    "abs absolute addcdiv addcmul divide eq erf erfc exp exp2 expm1 float_power ge greater greater_equal gt le lerp less less_equal "
    "log log10 log1p log2 logit lt multiply ne neg negative not_equal reciprocal rsqrt sigmoid sqrt square subtract tanh true_divide"
)


mul, true_divide, neg, abs = row("mul"), row("div"), row("neg"), row("abs")
exp, exp2, expm1 = row("exp"), row("exp2"), row("expm1")
log, log2, log10, log1p, sqrt = row("log"), row("log2"), row("log10"), row("log1p"), row("sqrt")
tanh, sigmoid, logsigmoid, erf, erfc = row("tanh"), row("sigmoid"), row("logsigmoid"), row("erf"), row("erfc")
eq, ne, lt, le, gt, ge = (row(name) for name in ("eq", "ne", "lt", "le", "gt", "ge"))

multiply, negative, absolute = mul, neg, abs
not_equal, less, less_equal, greater, greater_equal = ne, lt, le, gt, ge

# ---- arithmetic ----


def add(input: Any, other: Any, *, alpha: float = 1) -> Tensor:
    """``input + alpha * other``."""
    result: Tensor = TABLE["add"].bind(input, other if alpha == 1 else other * alpha)
    return result


def sub(input: Any, other: Any, *, alpha: float = 1) -> Tensor:
    """``input - alpha * other``."""
    result: Tensor = TABLE["sub"].bind(input, other if alpha == 1 else other * alpha)
    return result


subtract = sub


def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """``input / other``, or that quotient rounded: "trunc" towards 0, "floor" down, keeping integers and with slope 0.

    Raises DtypeError for integers divided by 0 with a rounding mode.
    """
    if rounding_mode not in _QUOTIENTS:
        raise ArgumentError(f"div: rounding_mode must be None, 'trunc' or 'floor', got {rounding_mode!r}")
    result: Tensor = TABLE[_QUOTIENTS[rounding_mode]].bind(input, other)
    return result


_QUOTIENTS = {None: "div", "trunc": "trunc_divide", "floor": "floor_divide"}
divide = div


def positive(input: Tensor) -> Tensor:
    """``+input``: itself. Raises DtypeError for bools."""
    if input.dtype == bool_:
        raise DtypeError(
            f"positive: {input._type()} holds truth values, which have no sign; cast them with .long() or .float()"
        )
    return input


def pow(input: Any, exponent: Any) -> Tensor:
    """``input ** exponent``; the square, by far the most common, is a product."""
    if isinstance(input, Tensor) and isinstance(exponent, int | float) and exponent == 2:
        kind = input.dtype.kind
        if kind == "f" or (kind in "iu" and isinstance(exponent, int)):
            return mul(input, input)
    result: Tensor = TABLE["pow"].bind(input, exponent)
    return result


def float_power(input: Any, exponent: Any) -> Tensor:
    """``input ** exponent`` in float64. Raises TypeError unless one of them is a Tensor."""
    if not (isinstance(input, Tensor) or isinstance(exponent, Tensor)):
        raise TypeError(
            f"float_power: needs a Tensor, got {type(input).__name__} and {type(exponent).__name__}; tn.tensor(...)"
        )
    base, power = (
        to(x, float64) if isinstance(x, Tensor) else float(x) if isinstance(x, int | float) else x for x in (input, exponent)
    )
    return pow(base, power)


def square(input: Tensor) -> Tensor:
    """``input * input``."""
    return pow(input, 2)


def reciprocal(input: Tensor) -> Tensor:
    """``1 / input``."""
    return true_divide(1, input)


def rsqrt(input: Tensor) -> Tensor:
    """``1 / sqrt(input)``."""
    return true_divide(1, sqrt(input))


def lerp(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    """``input + weight * (end - input)``, exactly ``end`` where the weight (a number or a Tensor) is 1."""
    tensors = (input, end, weight) if isinstance(weight, Tensor) else (input, end)
    same_dtype("lerp", *tensors)
    floating("lerp", input)
    if isinstance(weight, Tensor):
        near = lt(abs(weight), 0.5)
        return add(where(near, input, end), where(near, weight, weight - 1) * (end - input))
    base, share = (input, weight) if -0.5 < weight < 0.5 else (end, weight - 1)
    return add(base, share * (end - input))


def addcmul(input: Tensor, tensor1: Any, tensor2: Any, *, value: float = 1) -> Tensor:
    """``input + value * tensor1 * tensor2``."""
    product = mul(tensor1, tensor2)
    return add(input, product if value == 1 else product * value)


def addcdiv(input: Tensor, tensor1: Any, tensor2: Any, *, value: float = 1) -> Tensor:
    """``input + value * tensor1 / tensor2``. Raises DtypeError unless tensor1 or tensor2 holds floats."""
    some_floats("addcdiv", tensor1, tensor2)
    quotient = true_divide(tensor1, tensor2)
    return add(input, quotient if value == 1 else quotient * value)


# ---- logarithms ----


def logaddexp(input: Any, other: Any) -> Tensor:
    """``log(exp(input) + exp(other))`` without overflow; equal infinities share the gradient. Raises DtypeError for integers."""
    some_floats("logaddexp", input, other)
    result: Tensor = p.logaddexp(input, other)
    return result


def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """``log(x / (1 - x))``, the inverse of the sigmoid; with eps, x is first clamped to [eps, 1 - eps], slope 0 outside."""
    x = input if input.dtype.kind == "f" else true_divide(input, 1)
    if eps is not None:
        x = p.clamp(x, min=eps, max=1 - eps)
    return log(x) - log1p(-x)


# ---- choice ----


def where(condition: Tensor, input: Any, other: Any) -> Tensor:
    """``input`` where ``condition`` holds, else ``other``; all three broadcast. Raises DtypeError unless it is bool."""
    if isinstance(condition, Tensor) and condition.dtype != bool_:
        raise DtypeError(f"where: the condition must be bool, got {condition._type()}; compare it: x != 0")
    result: Tensor = TABLE["where"].bind(condition, input, other)
    return result
