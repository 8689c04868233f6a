"""Elementwise functions, comparisons, reductions and products under PyTorch's names: they canonicalise, the table computes."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..dtypes import bool_, int64
from ..errors import DtypeError, IndexOutOfRange, ShapeError, typename
from ..optable import TABLE, p
from ..tensor import Tensor
from .shape import axis, squeeze, to, unsqueeze

__all__ = [
    "Extreme", "abs", "add", "all", "amax", "amin", "any", "argmax", "argmin", "cos", "div", "eq", "exp", "floor", "ge", "gt",
    "le", "log", "logsigmoid", "lt", "matmul", "max", "mean", "min", "mul", "ne", "neg", "pow", "sigmoid", "sin", "sqrt", "sub",
    "sum", "tanh", "where",
]  # fmt: skip

Dim = int | tuple[int, ...] | list[int] | None

# ---- elementwise: the rows themselves ----


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


# ---- reductions ----


def _axes(name: str, x: Tensor, dim: Dim) -> tuple[int, ...]:
    if not isinstance(x, Tensor):
        raise TypeError(f"{name}: needs a Tensor, got {type(x).__name__}; make one with tn.tensor(...)")
    if dim is None:
        return tuple(range(x.ndim))
    dims = tuple(dim) if isinstance(dim, tuple | list) else (dim,)
    found = tuple(axis(name, x, d) for d in dims)
    if len(set(found)) != len(found):
        raise ShapeError(f"{name}: dim={dim} names an axis of {x._type()} twice")
    return tuple(sorted(found)) if x.ndim else ()


def sum(input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum over ``dim`` (an axis, several, or all); integers and bools add up as int64."""
    axes = _axes("sum", input, dim)
    if dtype is not None:
        input = to(input, dtype)
    elif input.dtype.kind != "f" and input.dtype != int64:
        input = p.cast(input, dtype=int64)
    result: Tensor = p.sum(input, dim=axes, keepdim=keepdim)
    return result


def mean(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The mean over ``dim``. Raises DtypeError for integers, as PyTorch does."""
    axes = _axes("mean", input, dim)
    if input.dtype.kind != "f":
        raise DtypeError(f"mean: {input._type()} is not floating-point; use .float() first")
    count = prod(input.shape[d] for d in axes)
    return sum(input, dim, keepdim) / count if count else sum(input, dim, keepdim) * float("nan")


def amax(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The largest value over ``dim``; equal largest values share the gradient evenly."""
    axes = _axes("amax", input, dim)
    if empty := [d for d in axes if input.shape[d] == 0]:
        raise IndexOutOfRange(f"amax: axis {empty[0]} of {input._type()} is empty and has no largest value")
    result: Tensor = p.amax(input, dim=axes, keepdim=keepdim)
    return result


def amin(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The smallest value over ``dim``: ``-amax(-input)``; equal smallest values share the gradient evenly."""
    _axes("amin", input, dim)
    return _mirrored(amax(_mirrored(input), dim, keepdim))


def _mirrored(x: Tensor) -> Tensor:
    """The order reversed, without overflow, by a map that is its own inverse: ``-x`` of floats."""
    kind = x.dtype.kind
    if kind == "f":
        return -x
    return eq(x, False) if kind == "b" else sub(-1 if kind == "i" else int(np.iinfo(x.dtype).max), x)


def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the (first) largest value, over all elements or along ``dim``."""
    flat = input.reshape(-1) if dim is None or input.ndim == 0 else input
    along = 0 if dim is None or input.ndim == 0 else axis("argmax", input, dim)
    if flat.shape[along] == 0:
        raise IndexOutOfRange(f"argmax: axis {along} of {input._type()} is empty and has no largest value")
    result: Tensor = p.argmax(flat, dim=along, keepdim=keepdim and dim is not None)
    if input.ndim == 0:
        return result.reshape(())
    return result.reshape((1,) * input.ndim) if keepdim and dim is None else result


def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the (first) smallest value."""
    return argmax(_mirrored(input), dim, keepdim)


class Extreme(NamedTuple):
    """What ``max`` and ``min`` along an axis return."""

    values: Tensor
    indices: Tensor


def max(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The largest value; along ``dim``: values and indices, the gradient following the index."""
    if dim is None:
        return amax(input)
    return _extreme(input, argmax(input, dim, True), dim, keepdim)


def min(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The smallest value; along ``dim``: values and indices, the gradient following the index."""
    if dim is None:
        return amin(input)
    return _extreme(input, argmin(input, dim, True), dim, keepdim)


def _extreme(x: Tensor, index: Tensor, dim: int, keepdim: bool) -> Extreme:
    if x.ndim == 0:
        return Extreme(x, index)
    along = axis("max", x, dim)
    values = p.gather(x, index, dim=along)
    return Extreme(values, index) if keepdim else Extreme(squeeze(values, along), squeeze(index, along))


def any(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """Whether some value is not 0."""
    return sum(ne(input, 0), dim, keepdim) > 0


def all(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """Whether no value is 0."""
    return eq(sum(eq(input, 0), dim, keepdim), 0)


# ---- products ----


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The matrix product of any rank: ``(*, N, M) @ (*, M, K) -> (*, N, K)``; a vector counts as one row or column.

    A stack times one matrix is computed as one product of ``(* N, M)``, which is what makes it fast.
    Raises ShapeError where the inner lengths differ, DtypeError where the dtypes do (as PyTorch).
    """
    if not (isinstance(input, Tensor) and isinstance(other, Tensor)):
        wrong = other if isinstance(input, Tensor) else input
        raise TypeError(f"matmul: needs two Tensors, one is a {type(wrong).__name__}; make one with tn.tensor(...)")
    if input.ndim == 0 or other.ndim == 0:
        raise ShapeError(f"matmul: a 0-d Tensor has no axis to multiply along ({input._type()} @ {other._type()}); use *")
    if input.dtype != other.dtype:
        raise DtypeError(f"matmul: {input._type()} @ {other._type()}: both need one dtype; cast one with .to(dtype)")
    inner = other.shape[-2 if other.ndim > 1 else 0]
    if input.shape[-1] != inner:
        raise ShapeError(
            f"matmul: {typename(input.shape, input.dtype)} @ {typename(other.shape, other.dtype)}: the inner lengths "
            f"{input.shape[-1]} and {inner} differ; transpose one with .mT, or reshape it"
        )
    if input.ndim == 2 and other.ndim == 2:
        result: Tensor = TABLE["matmul"].bind(input, other)
        return result
    left = unsqueeze(input, 0) if input.ndim == 1 else input
    right = unsqueeze(other, 1) if other.ndim == 1 else other
    if left.ndim > 2 and right.ndim == 2:
        rows = left.reshape(prod(left.shape[:-1]), left.shape[-1])
        out = TABLE["matmul"].bind(rows, right).reshape(*left.shape[:-1], right.shape[-1])
    else:
        out = TABLE["matmul"].bind(left, right)
    if other.ndim == 1:
        out = squeeze(out, -1)
    return squeeze(out, -2 if other.ndim > 1 else -1) if input.ndim == 1 else out
