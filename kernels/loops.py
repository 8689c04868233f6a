"""Loops over arrays that pick the faster of numpy and Numba, as ``vector.py`` does of numpy and our vector math."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from importlib import import_module
from math import prod
from typing import Any

import numpy as np

__all__ = ["argmax", "choose", "jitted", "scatter_add", "unpatches"]

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]

_BITS = {np.dtype(np.float32): np.int32, np.dtype(np.float64): np.int64}
GATE = 8192
"""Elements from which the compiled loop wins, its dearer call included."""


@cache
def jitted(name: str) -> Callable[..., Any] | None:
    """The compiled ufunc or loop, made when first asked for (about a second, once cached less); None where there is no Numba."""
    if os.environ.get("TINYGRAD_NOTES_KERNELS") == "0":
        return None
    try:
        compiled = import_module(".jit_loops", __package__)
    except ImportError:
        return None
    loop = getattr(compiled, name)
    found: Callable[..., Any] = getattr(loop, "ufunc", loop)  # numpy's own ufunc: half the cost of a call through Numba's
    return found


def _loop(name: str, x: Array, size: int) -> Any:
    """The compiled loop, if there is one and it pays for ``size`` floats like those of ``x``."""
    return jitted(name) if size >= GATE and x.dtype.kind == "f" else None


def choose(condition: Any, x: Any, y: Any) -> Any:
    """``x`` where the condition holds, else ``y``. numpy branches at every element, which random masks make slow."""
    one = x if isinstance(x, np.ndarray) else y
    if isinstance(condition, np.ndarray) and isinstance(one, np.ndarray) and one.dtype in _BITS and condition.dtype.kind == "b":
        compiled = _loop("choose", one, max(condition.size, one.size))
        if compiled is not None and all(part.dtype is one.dtype for part in (x, y) if isinstance(part, np.ndarray)):
            bits = _BITS[one.dtype]
            x, y = (np.asarray(part, one.dtype).view(bits) for part in (x, y))
            return compiled(condition.view(np.uint8), x, y).view(one.dtype)
    return np.where(condition, x, y)


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


def scatter_add(out: Array, index: Array, values: Array) -> None:
    """``out[index[n]] += values[n]``; out, index and values ``(N,)``."""
    compiled = _loop("scatter_add", values, values.size)
    if compiled is None:
        np.add.at(out, index, values)
    else:
        compiled(out, index, values)


def unpatches(x: Array, out: Array, step: Shape, dilation: Shape) -> bool:
    """Add windows x ``(..., KH, KW, OH, OW)`` to out ``(..., H, W)``. False: nothing was done, they are too few."""
    compiled = _loop("unpatches", x, x.size)
    if compiled is None:
        return False
    compiled(np.ascontiguousarray(x).reshape(-1, *x.shape[-4:]), out.reshape(-1, *out.shape[-2:]), step, dilation)
    return True
