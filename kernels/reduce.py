"""Sums, largest and smallest values and their places, over any axes of arrays with any strides, without copying them.

float32 and float64; own kernels where they win (``gates.py``), numpy elsewhere. Sums are at least as accurate as numpy's pairwise ones,
along every axis.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from . import gates
from .calls import kernel

__all__ = ["argmax", "argmin", "max", "min", "sum"]

Array = np.ndarray[Any, Any]

_NAMES = {np.dtype(np.float32): "f32", np.dtype(np.float64): "f64"}
_STRIP, _PIECE = 128, 16384
"""How the kernels cut the reduced axis: ``jit/reduce.py``."""

Axis = tuple[int, int, bool]
"""Size, stride in bytes, and whether it is reduced."""


def _axes(x: Array, over: Sequence[int]) -> tuple[list[Axis], list[int]]:
    """The axes of x, the widest strides first, neighbours made one where memory allows; and the kept axes in that order."""
    order = range(x.ndim) if x.flags.c_contiguous else sorted(range(x.ndim), key=lambda i: -abs(x.strides[i]))
    found: list[Axis] = []
    kept: list[int] = []
    for i in order:
        size, stride, reduced = x.shape[i], x.strides[i], i in over
        if not reduced:
            kept.append(i)
        if size == 1:
            continue
        if found and found[-1][2] == reduced and found[-1][1] == size * stride:
            found[-1] = found[-1][0] * size, stride, reduced
        else:
            found.append((size, stride, reduced))
    return found, kept


def _reduced(name: str, x: Array, over: tuple[int, ...], keepdims: bool, instead: Callable[..., Any]) -> Array:
    kind = _NAMES.get(x.dtype) if x.size >= gates.REDUCE[name] else None
    if kind is None or not over or kernel("reduce", f"{name}_{kind}", "9q") is None:
        return np.asarray(instead(x, axis=over, keepdims=keepdims))
    over = tuple(sorted(over))
    if name == "sum" and over == (x.ndim - 1,) and x.shape[-1] < gates.SHORT:
        return np.asarray(instead(x, axis=over, keepdims=keepdims))
    if x.flags.c_contiguous and over[-1] - over[0] == len(over) - 1:
        return _together(f"{name}_{kind}", kind, x, over, keepdims)
    turned = tuple(slice(None, None, -1 if i in over and s < 0 else 1) for i, s in enumerate(x.strides))
    source = x[turned] if any(stride < 0 for stride in x.strides) else x
    axes, kept = _axes(source, over)
    held = source
    while any(reduced for *_, reduced in axes):
        held, axes = _step(name, kind, held, axes)
    if held is source:  # only axes of length 1
        return np.array(x.reshape(_shape(x, over, keepdims)))
    out = held.reshape([x.shape[i] for i in kept]).transpose(np.argsort(kept))  # as it stands in memory, then in its own order
    return np.expand_dims(out, over) if keepdims else out


def _together(name: str, kind: str, x: Array, over: tuple[int, ...], keepdims: bool) -> Array:
    """The usual case: neighbouring axes of a contiguous array, in rising order."""
    first, shape = over[0], x.shape
    count, n = prod(shape[:first]), prod(shape[first : first + len(over)])
    inner = x.size // (count * n)
    out = np.empty(shape[:first] + ((1,) * len(over) if keepdims else ()) + shape[first + len(over) :], x.dtype)
    pieces = -(-n // (_STRIP if inner > 1 else _PIECE))
    scratch = np.empty(out.size * pieces if pieces > 1 else 0)
    call = kernel("reduce", name, "11q")
    assert call is not None
    step = inner * x.itemsize
    work = x.size * gates.REDUCTION[kind] // 4
    call(work, id(x), id(out), id(scratch), count, n, step, inner, x.itemsize, 1, count, n * step)
    return out


def _step(name: str, kind: str, x: Array, axes: list[Axis]) -> tuple[Array, list[Axis]]:
    """Reduce the last of the reduced axes; the contiguous result and its axes."""
    at = [i for i, axis in enumerate(axes) if axis[2]][-1]
    n, step, _ = axes[at]
    inner, inner_step, _ = axes[-1] if at < len(axes) - 1 else (1, 0, False)
    outer = [axis for i, axis in enumerate(axes) if i != at and (i < len(axes) - 1 or i < at)]
    count = prod(size for size, *_ in outer)
    out = np.empty(count * inner, x.dtype)
    pieces = -(-n // (_STRIP if inner > 1 and inner_step == x.itemsize else _PIECE))
    scratch = np.empty(count * inner * pieces if pieces > 1 else 0)
    call = kernel("reduce", f"{name}_{kind}", f"{9 + 2 * len(outer)}q")
    assert call is not None
    sizes, strides = [size for size, *_ in outer], [stride for _, stride, _ in outer]
    work = count * inner * n * gates.REDUCTION[kind] // 4
    call(work, id(x), id(out), id(scratch), count, n, step, inner, inner_step, len(outer), *sizes, *strides)
    left = [*outer, (inner, inner_step, False)] if inner > 1 else outer
    stride, packed = x.itemsize, []
    for size, _, reduced in reversed(left):
        packed.append((size, stride, reduced))
        stride *= size
    return out, packed[::-1]


def _shape(x: Array, over: Sequence[int], keepdims: bool) -> list[int]:
    return [1 if i in over else n for i, n in enumerate(x.shape) if keepdims or i not in over]


def sum(x: Array, over: tuple[int, ...], keepdims: bool = False) -> Array:
    """The sum over the axes ``over`` (not negative), which need not stand together."""
    return _reduced("sum", x, over, keepdims, np.sum)


def max(x: Array, over: tuple[int, ...], keepdims: bool = False) -> Array:
    """The largest value over the axes; NaN where there is one. Raises ValueError where there are no values."""
    return _reduced("max", x, over, keepdims, np.max)


def min(x: Array, over: tuple[int, ...], keepdims: bool = False) -> Array:
    """The smallest value over the axes; NaN where there is one. Raises ValueError where there are no values."""
    return _reduced("min", x, over, keepdims, np.min)


def argmax(x: Array, axis: int | None = None, keepdims: bool = False) -> Array:
    """The place of the first largest value along an axis, or in the flattened array; NaN is the largest."""
    return _place("argmax", x, axis, keepdims, np.argmax)


def argmin(x: Array, axis: int | None = None, keepdims: bool = False) -> Array:
    """The place of the first smallest value along an axis, or in the flattened array; NaN is the smallest."""
    return _place("argmin", x, axis, keepdims, np.argmin)


def _place(name: str, x: Array, axis: int | None, keepdims: bool, instead: Callable[..., Any]) -> Array:
    """Contiguous rows are the kernel's; along other axes numpy looks."""
    kind = _NAMES.get(x.dtype) if x.size >= gates.REDUCE[name] and x.flags.c_contiguous else None
    last = axis is None or axis in (-1, x.ndim - 1)
    if kind is None or not last or (call := kernel("reduce", f"{name}_{kind}", "6q")) is None:
        return np.asarray(instead(x, axis=axis, keepdims=keepdims))
    n = x.size if axis is None or not x.ndim else x.shape[-1]
    rows = x.size // n
    shape = ((1,) * x.ndim if keepdims else ()) if axis is None else (*x.shape[:-1], 1) if keepdims else x.shape[:-1]
    out = np.empty(shape, np.int64)
    pieces = -(-n // _PIECE)
    scratch = np.empty(rows * pieces if pieces > 1 else 0)
    call(x.size * gates.REDUCTION[kind] // 4, id(x), id(out), id(scratch), rows, n, n * x.itemsize)
    return out
