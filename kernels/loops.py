"""Loops over whole lines (``jit/lines.py``) where they win, numpy elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from . import gates, team
from .calls import kernel

__all__ = ["argmax", "gather", "patches", "scatter_add", "unpatches"]

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]

_NAMES = {np.dtype(np.float32): "f32", np.dtype(np.float64): "f64"}


def _loop(name: str, form: str, x: Array, size: int) -> Callable[..., None] | None:
    """The kernel for numbers like those of ``x``, if there is one and it pays for so many of them."""
    if size < gates.LINES or (kind := _NAMES.get(x.dtype)) is None:
        return None
    return kernel("lines", f"{name}_{kind}", form)


def argmax(x: Array, axis: int, keepdims: bool) -> Any:
    """The first largest along an axis. numpy moves the axis to the end, which costs more than looking."""
    before, length, after = prod(x.shape[:axis]), x.shape[axis] if x.ndim else 1, prod(x.shape[axis + 1 :])
    call = _loop("argmax", "6q", x, x.size) if after > 1 and length else None
    if call is None:
        return np.argmax(x, axis=axis, keepdims=keepdims)
    out = np.empty((*x.shape[:axis], *((1,) if keepdims else ()), *x.shape[axis + 1 :]), np.int64)
    source, best = np.ascontiguousarray(x), np.empty((team.get_num_threads(), after), x.dtype)
    call(x.size, id(source), id(best), id(out), before, length, after)
    return out


def _lines(x: Array, index: Array, dim: int, shape: Shape) -> bool:
    """Whether the index counts within lines of the last axis, one line of it for each of ``shape``."""
    return dim == index.ndim - 1 and index.shape[:-1] == shape[:-1] and index.dtype == np.int64 and index.size > 0


def gather(x: Array, index: Array, dim: int) -> Array | None:
    """``x[..., index[..., m, ...], ...]`` for indices in range; None where numpy is the faster."""
    call = _loop("gather", "6q", x, index.size) if _lines(x, index, dim, x.shape) else None
    if call is None:
        return None
    out = np.empty(index.shape, x.dtype)
    x, index = np.ascontiguousarray(x), np.ascontiguousarray(index)
    call(2 * index.size, id(x), id(index), id(out), prod(index.shape[:-1]), x.shape[-1], index.shape[-1])
    return out


def scatter_add(out: Array, index: Array, values: Array, dim: int) -> bool:
    """``out[..., index[..., m, ...], ...] += values`` for a contiguous out. False: nothing was done, numpy is the faster."""
    call = _loop("scatter_add", "6q", values, values.size) if _lines(values, index, dim, out.shape) else None
    if call is None or out.dtype != values.dtype:
        return False
    index, values = np.ascontiguousarray(index), np.ascontiguousarray(values)
    call(2 * index.size, id(out), id(index), id(values), prod(index.shape[:-1]), out.shape[-1], index.shape[-1])
    return True


def patches(x: Array, out: Array, step: Shape, dilation: Shape) -> bool:
    """Copy windows of x ``(..., H, W)`` into out ``(..., KH, KW, OH, OW)``. False: nothing was done, numpy is the faster."""
    return _windows("patches", x, out, x, out, step, dilation)


def unpatches(x: Array, out: Array, step: Shape, dilation: Shape) -> bool:
    """Add windows x ``(..., KH, KW, OH, OW)`` to out ``(..., H, W)``. False: nothing was done, numpy is the faster."""
    return _windows("unpatches", x, out, out, x, step, dilation)


def _windows(name: str, x: Array, out: Array, picture: Array, windows: Array, step: Shape, dilation: Shape) -> bool:
    call = _loop(name, "13q", x, windows.size) if x.dtype == out.dtype else None
    if call is None:
        return False
    x = np.ascontiguousarray(x)
    (high, wide), shape = picture.shape[-2:], windows.shape
    call(windows.size, id(x), id(out), prod(shape[:-4]), *shape[-4:], high * wide, wide, *step, *dilation)
    return True
