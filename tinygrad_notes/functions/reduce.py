"""Reductions under PyTorch's names: over one axis, several, or all."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..dtypes import int64
from ..errors import DtypeError, IndexOutOfRange
from ..optable import p
from ..tensor import Tensor
from .arguments import Dim, axes, axis
from .convert import to
from .names import numpy_names, torch_names
from .pointwise import eq, ne, sub
from .shape import squeeze

__all__ = ["all", "amax", "amin", "any", "argmax", "argmin", "max", "mean", "min", "sum"]

METHODS = "all amax amin any argmax argmin max mean min sum"


@numpy_names
def sum(input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None, **numpy: Any) -> Tensor:
    """The sum over ``dim`` (an axis, several, or all); integers and bools add up as int64."""
    if numpy:
        return sum(**torch_names(sum, locals(), numpy))
    over = axes("sum", input, dim)
    if dtype is not None:
        input = to(input, dtype)
    elif input.dtype.kind != "f" and input.dtype != int64:
        input = p.cast(input, dtype=int64)
    result: Tensor = p.sum(input, dim=over, keepdim=keepdim)
    return result


@numpy_names
def mean(input: Tensor, dim: Dim = None, keepdim: bool = False, **numpy: Any) -> Tensor:
    """The mean over ``dim``. Raises DtypeError for integers, as PyTorch does."""
    if numpy:
        return mean(**torch_names(mean, locals(), numpy))
    over = axes("mean", input, dim)
    if input.dtype.kind != "f":
        raise DtypeError(f"mean: {input._type()} is not floating-point; use .float() first")
    count = prod(input.shape[d] for d in over)
    return sum(input, dim, keepdim) / count if count else sum(input, dim, keepdim) * float("nan")


@numpy_names
def amax(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The largest value over ``dim``; equal largest values share the gradient evenly."""
    over = axes("amax", input, dim)
    if empty := [d for d in over if input.shape[d] == 0]:
        raise IndexOutOfRange(f"amax: axis {empty[0]} of {input._type()} is empty and has no largest value")
    result: Tensor = p.amax(input, dim=over, keepdim=keepdim)
    return result


@numpy_names
def amin(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The smallest value over ``dim``: ``-amax(-input)``; equal smallest values share the gradient evenly."""
    axes("amin", input, dim)
    return _mirrored(amax(_mirrored(input), dim, keepdim))


def _mirrored(x: Tensor) -> Tensor:
    """The order reversed, without overflow, by a map that is its own inverse: ``-x`` of floats."""
    kind = x.dtype.kind
    if kind == "f":
        return -x
    return eq(x, False) if kind == "b" else sub(-1 if kind == "i" else int(np.iinfo(x.dtype).max), x)


@numpy_names
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


@numpy_names
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the (first) smallest value."""
    return argmax(_mirrored(input), dim, keepdim)


class Extreme(NamedTuple):
    """What ``max`` and ``min`` along an axis return."""

    values: Tensor
    indices: Tensor


@numpy_names
def max(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The largest value; along ``dim``: values and indices, the gradient following the index."""
    if dim is None:
        return amax(input)
    return _extreme(input, argmax(input, dim, True), dim, keepdim)


@numpy_names
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


@numpy_names
def any(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """Whether some value is not 0."""
    return sum(ne(input, 0), dim, keepdim) > 0


@numpy_names
def all(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """Whether no value is 0."""
    return eq(sum(eq(input, 0), dim, keepdim), 0)
