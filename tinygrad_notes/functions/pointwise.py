"""Elementwise functions and comparisons under PyTorch's names: they canonicalise, the table computes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..dtypes import bool_
from ..errors import DtypeError
from ..optable import TABLE
from ..tensor import Tensor

__all__ = [
    "abs", "add", "cos", "div", "eq", "exp", "floor", "ge", "gt", "le", "log", "lt", "mul", "ne", "neg", "pow",
    "sigmoid", "sin", "sqrt", "sub", "tanh", "where",
]  # fmt: skip

METHODS = "abs add cos div eq exp floor ge gt le log logsigmoid lt mul ne neg pow sigmoid sin sqrt sub tanh"
"""Methods of Tensor as well; these also as ``name_``, written in place:"""
INPLACE = "abs exp floor neg sqrt tanh log sigmoid sin cos"


def _row(name: str) -> Callable[..., Tensor]:
    return TABLE[name].bind


mul, div, neg, abs = _row("mul"), _row("div"), _row("neg"), _row("abs")
exp, log, sqrt, sin, cos = _row("exp"), _row("log"), _row("sqrt"), _row("sin"), _row("cos")
tanh, sigmoid, logsigmoid, floor = _row("tanh"), _row("sigmoid"), _row("logsigmoid"), _row("floor")
eq, ne, lt, le, gt, ge = (_row(name) for name in ("eq", "ne", "lt", "le", "gt", "ge"))


def add(input: Any, other: Any, *, alpha: float = 1) -> Tensor:
    """``input + alpha * other``."""
    result: Tensor = TABLE["add"].bind(input, other if alpha == 1 else other * alpha)
    return result


def sub(input: Any, other: Any, *, alpha: float = 1) -> Tensor:
    """``input - alpha * other``."""
    result: Tensor = TABLE["sub"].bind(input, other if alpha == 1 else other * alpha)
    return result


def pow(input: Any, exponent: Any) -> Tensor:
    """``input ** exponent``; the square, by far the most common, is a product."""
    if isinstance(input, Tensor):
        kind = input.dtype.kind
        if (
            isinstance(exponent, int | float)
            and exponent == 2
            and (kind == "f" or (kind in "iu" and isinstance(exponent, int)))
        ):
            return mul(input, input)
        if kind == "b" and (isinstance(exponent, bool) or (isinstance(exponent, Tensor) and exponent.dtype == bool_)):
            raise DtypeError(f"pow: {input._type()} to a bool power has no meaning; cast one of them with .long() or .float()")
    result: Tensor = TABLE["pow"].bind(input, exponent)
    return result


def where(condition: Tensor, input: Any, other: Any) -> Tensor:
    """``input`` where ``condition`` holds, else ``other``; all three broadcast. Raises DtypeError unless it is bool."""
    if isinstance(condition, Tensor) and condition.dtype != bool_:
        raise DtypeError(f"where: the condition must be bool, got {condition._type()}; compare it: x != 0")
    result: Tensor = TABLE["where"].bind(condition, input, other)
    return result
