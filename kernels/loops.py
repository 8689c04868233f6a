"""Loops over arrays that pick the faster of numpy and Numba, as ``vector.py`` does of numpy and our vector math."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from importlib import import_module
from math import prod
from typing import Any

import numpy as np

__all__ = ["argmax", "gather", "jitted", "patches", "scatter_add", "unpatches"]

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]

GATE = 8192
"""Elements from which the compiled loop wins, its dearer call included."""


@cache
def jitted(name: str) -> Callable[..., Any] | None:
    """The compiled loop, made when first asked for (about a second, once cached less); None where there is no Numba."""
    if os.environ.get("TINYGRAD_NOTES_KERNELS") == "0":
        return None
    try:
        compiled = import_module(".jit_loops", __package__)
    except ImportError:
        return None
    found: Callable[..., Any] = getattr(compiled, name)
    return found


def _loop(name: str, x: Array, size: int) -> Any:
    """The compiled loop, if there is one and it pays for ``size`` floats like those of ``x``."""
    return jitted(name) if size >= GATE and x.dtype.kind == "f" else None


def argmax(x: Array, axis: int, keepdims: bool) -> Any:
    """The first largest along an axis. numpy moves the axis to the end, which costs more than looking."""
    before, length, after = prod(x.shape[:axis]), x.shape[axis] if x.ndim else 1, prod(x.shape[axis + 1 :])
    compiled = _loop("argmax", x, x.size) if after > 1 and length else None
    if compiled is None:
        return np.argmax(x, axis=axis, keepdims=keepdims)
    out = np.empty((*x.shape[:axis], *((1,) if keepdims else ()), *x.shape[axis + 1 :]), np.int64)
    source = np.ascontiguousarray(x).reshape(before, length, after)
    compiled(source, np.empty(after, x.dtype), out.reshape(before, after))
    return out


def _lines(x: Array, index: Array, dim: int, shape: Shape) -> bool:
    """Whether the index counts within lines of the last axis, one line of it for each of ``shape``."""
    return dim == index.ndim - 1 and index.shape[:-1] == shape[:-1] and index.dtype == np.int64 and index.size > 0


def _rows(x: Array) -> Array:
    return np.ascontiguousarray(x).reshape(-1, x.shape[-1])


def gather(x: Array, index: Array, dim: int) -> Array | None:
    """``x[..., index[..., m, ...], ...]`` for indices in range; None where numpy is the faster."""
    compiled = _loop("gather", x, index.size) if _lines(x, index, dim, x.shape) else None
    if compiled is None:
        return None
    out = np.empty(index.shape, x.dtype)
    compiled(_rows(x), _rows(index), _rows(out))
    return out


def scatter_add(out: Array, index: Array, values: Array, dim: int) -> bool:
    """``out[..., index[..., m, ...], ...] += values`` for a contiguous out. False: nothing was done, numpy is the faster."""
    compiled = _loop("scatter_add", values, values.size) if _lines(values, index, dim, out.shape) else None
    if compiled is None:
        return False
    compiled(out.reshape(-1, out.shape[-1]), _rows(index), _rows(values))
    return True


def patches(x: Array, out: Array, step: Shape, dilation: Shape) -> bool:
    """Copy windows of x ``(..., H, W)`` into out ``(..., KH, KW, OH, OW)``. False: nothing was done, numpy is the faster."""
    compiled = _loop("patches", x, out.size)
    if compiled is None:
        return False
    counts = (out.size // prod(out.shape[-4:]), *out.shape[-4:])
    compiled(np.ascontiguousarray(x).reshape(-1), out.reshape(-1), x.shape[-1], step, dilation, counts)
    return True


def unpatches(x: Array, out: Array, step: Shape, dilation: Shape) -> bool:
    """Add windows x ``(..., KH, KW, OH, OW)`` to out ``(..., H, W)``. False: nothing was done, numpy is the faster."""
    compiled = _loop("unpatches", x, x.size)
    if compiled is None:
        return False
    counts = (x.size // prod(x.shape[-4:]), *x.shape[-4:])
    compiled(np.ascontiguousarray(x).reshape(-1), out.reshape(-1), out.shape[-1], step, dilation, counts)
    return True
