"""Variances and norms under PyTorch's names: reductions that are composed of several."""

from __future__ import annotations

from math import inf
from math import prod as length
from typing import Any

from ..errors import ArgumentError, ShapeError
from ..tensor import Tensor
from .arguments import Dim, axes, floating
from .convert import to
from .names import numpy_names
from .pointwise import abs, eq, ne, pow, sqrt, where
from .reduce import amax, amin, any, mean, sum
from .results import StdMean, VarMean
from .shape import squeeze

__all__ = ["dist", "norm", "std", "std_mean", "var", "var_mean"]

METHODS = "dist norm std var"

# ---- variances ----


def _moments(
    name: str, x: Tensor, dim: Dim, unbiased: bool | None, keepdim: bool, correction: float | None
) -> tuple[Tensor, Tensor]:
    """Variance and mean in two passes, which lose no digits. ``dim`` may be PyTorch's older first argument, ``unbiased``."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if unbiased is not None and correction is not None:
        raise TypeError(f"{name}() got both unbiased and correction; unbiased=True is correction=1")
    floating(name, x)
    over = axes(name, x, dim)
    divisor = length(x.shape[d] for d in over) - (correction if correction is not None else unbiased is not False)
    center = mean(x, over, True)
    away = x - center
    squares = sum(away * away, over, keepdim)
    return squares / max(0.0, float(divisor)), center if keepdim else squeeze(center, over)


def _root(x: Tensor) -> Tensor:
    """The square root of what is not negative, with slope 0 at 0."""
    zero = eq(x, 0)
    return where(zero, 0.0, sqrt(where(zero, 1.0, x)))


@numpy_names
def var(
    input: Tensor, dim: Dim = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float | None = None
) -> Tensor:
    """``sum (x - mean)² / (n - correction)`` over ``dim``; ``correction`` is 1, and 0 for ``unbiased=False``."""
    return _moments("var", input, dim, unbiased, keepdim, correction)[0]


@numpy_names
def std(
    input: Tensor, dim: Dim = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float | None = None
) -> Tensor:
    """The square root of ``var``, with slope 0 at 0."""
    return _root(_moments("std", input, dim, unbiased, keepdim, correction)[0])


@numpy_names
def var_mean(
    input: Tensor, dim: Dim = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float | None = None
) -> VarMean:
    """``var`` and ``mean``."""
    return VarMean(*_moments("var_mean", input, dim, unbiased, keepdim, correction))


@numpy_names
def std_mean(
    input: Tensor, dim: Dim = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float | None = None
) -> StdMean:
    """``std`` and ``mean``."""
    variance, center = _moments("std_mean", input, dim, unbiased, keepdim, correction)
    return StdMean(_root(variance), center)


# ---- norms ----


@numpy_names
def vector_norm(x: Tensor, ord: float = 2, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """``(sum |x|^ord)^(1 / ord)`` over ``dim``; the largest |x| for inf, the smallest for -inf, the count of x ≠ 0 for 0.

    The slope is 0 where the norm is, and in x = 0.
    """
    x = x if dtype is None else to(x, dtype)
    floating("norm", x)
    if isinstance(ord, bool) or not isinstance(ord, int | float):
        raise ArgumentError(f"norm: of a vector there is no norm {ord!r}; use a number, inf or -inf")
    if ord == 2:
        return _root(sum(x * x, dim, keepdim))
    if ord == 0:
        return sum(to(ne(x, 0), x.dtype), dim, keepdim)
    size = abs(x)
    if ord == 1:
        return sum(size, dim, keepdim)
    if ord in (inf, -inf):
        return (amax if ord == inf else amin)(size, dim, keepdim)
    zero = eq(size, 0)
    powers = pow(where(zero, 1.0, size), float(ord))
    if ord < 0:  # one 0 makes the norm 0
        return where(any(zero, dim, keepdim), 0.0, pow(sum(powers, dim, keepdim), 1 / ord))
    total = sum(where(zero, 0.0, powers), dim, keepdim)
    nothing = eq(total, 0)
    return where(nothing, 0.0, pow(where(nothing, 1.0, total), 1 / ord))


@numpy_names
def matrix_norm(A: Tensor, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """Of matrices ``(*, N, M)``: "fro" as of one vector; 1 and -1 the largest and smallest sum of a column, inf and -inf of a row.

    Raises ArgumentError for the norms that need singular values, which are not here.
    """
    A = A if dtype is None else to(A, dtype)
    floating("matrix_norm", A)
    if A.ndim < 2 or not isinstance(dim, tuple | list) or len(dim) != 2 or len(axes("matrix_norm", A, dim)) != 2:
        raise ShapeError(f"matrix_norm: dim must name two axes of {A._type()}, got {dim!r}")
    if ord == "fro":
        return vector_norm(A, 2, dim, keepdim)
    if ord in (1, -1, inf, -inf) and not isinstance(ord, str):
        rows, columns = (d % A.ndim for d in dim)
        added, kept = (rows, columns) if ord in (1, -1) else (columns, rows)
        found = (amax if ord > 0 else amin)(sum(abs(A), added, True), kept, True)
        return found if keepdim else squeeze(found, (rows, columns))
    raise ArgumentError(f"matrix_norm: ord={ord!r} is none of 'fro', 1, -1, inf, -inf")


@numpy_names
def norm(input: Tensor, p: Any = "fro", dim: Dim = None, keepdim: bool = False, dtype: Any = None) -> Tensor:
    """The vector norm of order ``p`` (a number, inf, -inf; "fro" is 2) over ``dim`` or all elements. See ``vector_norm``."""
    return vector_norm(input, 2 if p == "fro" or p is None else p, dim, keepdim, dtype=dtype)


def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The ``p``-norm of ``input - other``."""
    return vector_norm(input - other, p)
