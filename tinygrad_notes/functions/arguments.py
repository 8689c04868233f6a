"""Arguments as PyTorch's users write them, brought to the one form that the rows know.

Every public function with a ``dim`` (or ``dims``, ``keepdim``) is decorated with ``names.numpy_names``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..dispatch import public
from ..errors import DtypeError, IndexOutOfRange, ShapeError, describe
from ..optable import TABLE
from ..tensor import Tensor

__all__ = ["Dim", "axes", "axis", "floating", "row", "same_dtype", "shape_of", "sizes", "some_floats", "tensor"]

Dim = int | tuple[int, ...] | list[int] | None


def row(name: str) -> Callable[..., Tensor]:
    """The function of an elementwise row itself, under PyTorch's names of operands: no call in between."""
    op = TABLE[name]
    return public(op, *("input", "other")[: len(op.args)])


def tensor(name: str, x: Any) -> None:
    """Raises TypeError unless ``x`` is a Tensor."""
    if not isinstance(x, Tensor):
        raise TypeError(f"{name}: needs a Tensor, got {type(x).__name__}; make one with tn.tensor(...)")


def floating(name: str, x: Tensor) -> None:
    """Raises DtypeError unless ``x`` holds floats."""
    tensor(name, x)
    if x.dtype.kind != "f":
        raise DtypeError(f"{name}: {x._type()} is not floating-point; use .float() first")


def axis(name: str, x: Tensor, dim: int, extra: int = 0) -> int:
    """``dim`` counted from the front. Raises IndexOutOfRange where ``x`` (with ``extra`` new axes) has no such axis."""
    tensor(name, x)
    count = x.ndim + extra
    if type(dim) is not int and (isinstance(dim, bool) or not isinstance(dim, int | np.integer)):
        raise TypeError(f"{name}: dim must be an integer, got {dim!r}")
    if not -max(count, 1) <= dim < max(count, 1):
        raise IndexOutOfRange(f"{name}: dim={dim} is out of range for {x._type()}; use {-max(count, 1)} to {max(count, 1) - 1}")
    return int(dim) % max(count, 1)


def axes(name: str, x: Tensor, dim: Dim) -> tuple[int, ...]:
    """The axes that ``dim`` names (one, several; all for None and ``()``), counted from the front and in order."""
    tensor(name, x)
    if dim is None or (isinstance(dim, tuple | list) and not dim):
        return tuple(range(x.ndim))
    dims = tuple(dim) if isinstance(dim, tuple | list) else (dim,)
    found = tuple(axis(name, x, d) for d in dims)
    if len(set(found)) != len(found):
        raise ShapeError(f"{name}: dim={dim} names an axis of {x._type()} twice")
    return tuple(sorted(found)) if x.ndim else ()


def sizes(sizes: tuple[Any, ...]) -> tuple[int, ...]:
    """``f(2, 3)`` and ``f((2, 3))`` alike."""
    if len(sizes) == 1 and isinstance(sizes[0], Sequence):
        sizes = tuple(sizes[0])
    return tuple(int(n) for n in sizes)


def shape_of(name: str, size: tuple[Any, ...]) -> tuple[int, ...]:
    """A new shape, given as ``f(2, 3)`` or ``f((2, 3))``. Raises ShapeError for what is no length."""
    if len(size) == 1 and isinstance(size[0], tuple | list):
        size = tuple(size[0])
    if any(not isinstance(n, int | np.integer) or n < 0 for n in size):
        raise ShapeError(f"{name}: a shape holds non-negative integers, got {size}")
    return tuple(int(n) for n in size)


def some_floats(name: str, *operands: Any) -> None:
    """Raises DtypeError unless one of the operands, Tensors and numbers, holds floats."""
    if not any(x.dtype.kind == "f" if isinstance(x, Tensor | np.ndarray) else isinstance(x, float) for x in operands):
        shown = describe(x._array if isinstance(x, Tensor) else x for x in operands)
        raise DtypeError(f"{name}({shown}): none of them is floating-point; use .float() first")


def same_dtype(name: str, *tensors: Any) -> None:
    """Raises TypeError for what is no Tensor, DtypeError unless all have one dtype."""
    for x in tensors:
        tensor(name, x)
    if len({x.dtype for x in tensors}) > 1:
        raise DtypeError(f"{name}({describe(x._array for x in tensors)}): all need one dtype; cast with .to(dtype)")
