"""Reductions under PyTorch's names: over one axis, several, or all. Moments and norms are next door."""

from __future__ import annotations

from math import prod as length
from typing import Any

import numpy as np

from ..dtypes import int64, uint8
from ..errors import IndexOutOfRange, ShapeError
from ..optable import p
from ..tensor import Tensor
from .arguments import Dim, axes, axis, floating, tensor
from .bounds import maximum, minimum
from .convert import clone, to
from .moving import cat
from .names import numpy_names
from .pointwise import abs, eq, exp, log, ne, sub, where
from .results import MinMax, Picked
from .shape import reshape, squeeze

__all__ = [
    "all", "amax", "amin", "aminmax", "any", "argmax", "argmin", "count_nonzero", "logsumexp", "max", "mean", "min", "nanmean",
    "nansum", "prod", "sum",
]  # fmt: skip

METHODS = "all amax amin aminmax any argmax argmin count_nonzero logsumexp max mean min nanmean nansum prod sum"

# ---- sums and products ----


def widened(name: str, x: Tensor, dtype: Any) -> Tensor:
    """As what adds up: ``dtype`` if one is given, else floats as they are, integers and bools as int64."""
    tensor(name, x)
    if dtype is not None:
        return to(x, dtype)
    return x if x.dtype.kind == "f" or x.dtype == int64 else to(x, int64)


@numpy_names
def sum(input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum over ``dim`` (an axis, several, or all); integers and bools add up as int64."""
    over = axes("sum", input, dim)
    if dtype is not None or (input.dtype.kind != "f" and input.dtype != int64):
        input = widened("sum", input, dtype)
    result: Tensor = p.sum(input, dim=over, keepdim=keepdim)
    return result


@numpy_names
def mean(input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean over ``dim``; NaN over none. Raises DtypeError for integers unless ``dtype`` makes them floats."""
    over = axes("mean", input, dim)
    if dtype is not None:
        input = to(input, dtype)
    floating("mean", input)
    count = length(input.shape[d] for d in over)
    return sum(input, dim, keepdim) / count if count else sum(input, dim, keepdim) * float("nan")


@numpy_names
def nansum(input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum over ``dim`` of what is not NaN."""
    x = widened("nansum", input, dtype)
    return sum(where(ne(x, x), 0, x), dim, keepdim)


@numpy_names
def nanmean(input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean over ``dim`` of what is not NaN; NaN where nothing else is there."""
    x = input if dtype is None else to(input, dtype)
    floating("nanmean", x)
    return nansum(x, dim, keepdim) / sum(eq(x, x), dim, keepdim)


@numpy_names
def prod(input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The product over ``dim`` or all elements, in pairs of pairs: right gradients of any order with any number of zeros."""
    x = widened("prod", input, dtype)
    if dim is None or input.ndim == 0:
        along = 0 if dim is None else axis("prod", input, dim)
        return reshape(_multiplied(x.reshape(-1), along), (1,) * input.ndim if keepdim else ())
    along = axis("prod", input, dim)
    product = _multiplied(x, along)
    return product if keepdim else squeeze(product, along)


def _multiplied(x: Tensor, along: int) -> Tensor:
    """The product along one axis, which stays with length 1."""
    if x.shape[along] == 0:
        return sum(x, along, True, dtype=x.dtype) + 1
    if x.shape[along] == 1:
        return clone(x)
    while (n := x.shape[along]) > 1:
        half = n // 2
        pairs = part(x, along, 0, half) * part(x, along, half, 2 * half)
        x = cat([pairs, part(x, along, n - 1, n)], along) if n % 2 else pairs
    return x


def part(x: Tensor, along: int, start: int | None, stop: int | None, step: int | None = None) -> Tensor:
    """``x[start:stop:step]`` along an axis."""
    result: Tensor = p.slice(x, index=(*(slice(None),) * along, slice(start, stop, step)))
    return result


@numpy_names
def logsumexp(input: Tensor, dim: Dim, keepdim: bool = False) -> Tensor:
    """``log sum exp(x)`` over ``dim``, finite where exp overflows; -inf over none, and where all are -inf (slope 0 there)."""
    over = axes("logsumexp", input, dim)
    if not length(input.shape[d] for d in over):
        return log(sum(exp(input), dim, keepdim))
    x = input if input.dtype.kind == "f" else input / 1
    top = p.amax(x.detach(), dim=over, keepdim=True)
    top = where(eq(abs(top), float("inf")), 0.0, top)
    total = sum(exp(x - top), dim, True)
    result = where(eq(total, 0), -float("inf"), log(where(eq(total, 0), 1.0, total))) + top
    return result if keepdim else squeeze(result, over)


# ---- the largest and the smallest ----


def _not_empty(name: str, x: Tensor, dim: Dim, over: tuple[int, ...]) -> None:
    if dim is None and x.numel() == 0:
        raise ShapeError(f"{name}: {x._type()} is empty and has no largest value; name a dim that is not empty")
    if empty := [d for d in over if x.shape[d] == 0]:
        raise IndexOutOfRange(f"{name}: axis {empty[0]} of {x._type()} is empty and has no largest value")


@numpy_names
def amax(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The largest value over ``dim``, NaN if one is there; equal largest values share the gradient evenly."""
    over = axes("amax", input, dim)
    _not_empty("amax", input, dim, over)
    result: Tensor = p.amax(input, dim=over, keepdim=keepdim)
    return result


@numpy_names
def amin(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The smallest value over ``dim``: ``-amax(-input)``; equal smallest values share the gradient evenly."""
    _not_empty("amin", input, dim, axes("amin", input, dim))
    return mirrored(amax(mirrored(input), dim, keepdim))


def mirrored(x: Tensor) -> Tensor:
    """The order reversed, without overflow, by a map that is its own inverse: ``-x`` of floats."""
    kind = x.dtype.kind
    if kind == "f":
        return -x
    return eq(x, False) if kind == "b" else sub(-1 if kind == "i" else int(np.iinfo(x.dtype).max), x)


@numpy_names
def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> MinMax:
    """The smallest and the largest value."""
    return MinMax(amin(input, dim, keepdim), amax(input, dim, keepdim))


@numpy_names
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the (first) largest value, over all elements or along ``dim``; NaN is the largest."""
    tensor("argmax", input)
    along = 0 if dim is None else axis("argmax", input, dim)
    flat = input.reshape(-1) if dim is None or input.ndim == 0 else input
    if flat.shape[along] == 0:
        raise IndexOutOfRange(f"argmax: axis {along} of {input._type()} is empty and has no largest value")
    result: Tensor = p.argmax(flat, dim=along, keepdim=keepdim and dim is not None)
    if input.ndim == 0:
        return result.reshape(())
    return result.reshape((1,) * input.ndim) if keepdim and dim is None else result


@numpy_names
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the (first) smallest value; NaN is the smallest."""
    tensor("argmin", input)
    return argmax(mirrored(input), dim, keepdim)


@numpy_names
def max(input: Tensor, dim: int | Tensor | None = None, keepdim: bool = False, *, other: Tensor | None = None) -> Any:
    """``max(x)``: the largest value. ``max(x, dim)``: values and indices, the gradient following the (first) index.

    ``max(x, other)``: the larger of each two, as ``maximum``.
    """
    if isinstance(dim, Tensor) or other is not None:
        return maximum(input, dim if other is None else other)
    return amax(input) if dim is None else _picked(input, argmax(input, dim, True), dim, keepdim)


@numpy_names
def min(input: Tensor, dim: int | Tensor | None = None, keepdim: bool = False, *, other: Tensor | None = None) -> Any:
    """``min(x)``: the smallest value. ``min(x, dim)``: values and indices, the gradient following the (first) index.

    ``min(x, other)``: the smaller of each two, as ``minimum``.
    """
    if isinstance(dim, Tensor) or other is not None:
        return minimum(input, dim if other is None else other)
    return amin(input) if dim is None else _picked(input, argmin(input, dim, True), dim, keepdim)


def _picked(x: Tensor, index: Tensor, dim: int, keepdim: bool) -> Picked:
    """What stands at ``index``, which has the axes of ``x`` and length 1 along ``dim``."""
    if x.ndim == 0:
        return Picked(clone(x), index)
    along = axis("max", x, dim)
    values = p.gather(x, index, dim=along)
    return Picked(values, index) if keepdim else Picked(squeeze(values, along), squeeze(index, along))


# ---- truth ----


def _truth(input: Tensor, result: Tensor) -> Tensor:
    return to(result, uint8) if input.dtype == uint8 else result  # as PyTorch's bytes, which were its first bools


@numpy_names
def any(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """Whether some value is not 0."""
    tensor("any", input)
    truth = ne(input, 0)
    return _truth(input, truth if isinstance(dim, tuple | list) and not dim else sum(truth, dim, keepdim) > 0)


@numpy_names
def all(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """Whether no value is 0."""
    tensor("all", input)
    false = eq(input, 0)
    return _truth(input, ne(input, 0) if isinstance(dim, tuple | list) and not dim else eq(sum(false, dim, keepdim), 0))


@numpy_names
def count_nonzero(input: Tensor, dim: Dim = None) -> Tensor:
    """How many values are not 0."""
    tensor("count_nonzero", input)
    return sum(ne(input, 0), dim)
