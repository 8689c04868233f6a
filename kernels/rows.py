"""Functions of the last axis: softmax and its logarithm, log-sum-exp, layer normalisation, mean and variance.

float32 and float64 arrays of any rank; own kernels where they win (``gates.py``), numpy elsewhere, with the same results to a few ulp.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import gates
from .calls import kernel

__all__ = ["layer_norm", "log_softmax", "logsumexp", "moments", "softmax"]

Array = np.ndarray[Any, Any]

_NAMES = {np.dtype(np.float32): "f32", np.dtype(np.float64): "f64"}


def _rows(x: Array) -> tuple[Array, int, int, int]:
    """An array of the same values with evenly spaced rows, each contiguous; number, length and distance of the rows."""
    n = x.shape[-1] if x.ndim else 1
    if x.flags.c_contiguous:
        return x, x.size // n, n, n * x.itemsize
    if x.ndim != 2 or x.strides[1] != x.itemsize:
        x = np.ascontiguousarray(x)
        return x, x.size // n, n, n * x.itemsize
    return x, x.shape[0], n, x.strides[0]


def softmax(x: Array, out: Array | None = None) -> Array:
    """``exp(x_i - m) / sum_j exp(x_j - m)`` with the largest m. out: a contiguous array, not overlapping x unless it is x."""
    if x.size >= gates.ROWS and (name := _NAMES.get(x.dtype)) and (call := kernel("rows", f"softmax_{name}", "5q")):
        x, rows, n, step = _rows(x)
        out = np.empty(x.shape, x.dtype) if out is None else out
        call(x.size * gates.EXP[name], id(x), id(out), rows, n, step)
        return out
    e = np.asarray(np.subtract(x, _top(x), out=out))
    np.exp(e, out=e)
    e /= e.sum(-1, keepdims=True) if e.ndim else e.copy()
    return e


def log_softmax(x: Array, out: Array | None = None) -> Array:
    """``(x_i - m) - log sum_j exp(x_j - m)`` with the largest m. out: as softmax has it."""
    if x.size >= gates.ROWS and (name := _NAMES.get(x.dtype)) and (call := kernel("rows", f"log_softmax_{name}", "5q")):
        x, rows, n, step = _rows(x)
        out = np.empty(x.shape, x.dtype) if out is None else out
        call(x.size * gates.EXP[name], id(x), id(out), rows, n, step)
        return out
    shifted = np.asarray(np.subtract(x, _top(x), out=out))
    shifted -= np.log(np.exp(shifted).sum(-1, keepdims=True) if x.ndim else np.exp(shifted))
    return shifted


def logsumexp(x: Array) -> Array:
    """``m + log sum_j exp(x_j - m)`` with the largest m, or 0 where that is infinite."""
    if x.size >= gates.ROWS and (name := _NAMES.get(x.dtype)) and (call := kernel("rows", f"logsumexp_{name}", "5q")):
        shape = x.shape[:-1]
        x, rows, n, step = _rows(x)
        out = np.empty(shape, x.dtype)
        call(x.size * gates.EXP[name], id(x), id(out), rows, n, step)
        return out
    top = _top(x)
    top = np.where(np.isinf(top), 0, top).astype(x.dtype, copy=False)
    summed = np.log(np.exp(x - top).sum(-1, keepdims=True) if x.ndim else np.exp(x - top)) + top
    return summed[..., 0] if x.ndim else np.asarray(summed)


def _top(x: Array) -> Array:
    return np.asarray(x.max(-1, keepdims=True, initial=-np.inf) if x.ndim else x)


def layer_norm(
    x: Array, weight: Array | None = None, bias: Array | None = None, eps: float = 1e-5, out: Array | None = None
) -> tuple[Array, Array, Array]:
    """``out = (x - mean) rstd weight + bias`` with ``rstd = 1 / sqrt(var + eps)``, var biased; and mean and rstd, one a row.

    weight, bias  ``(n,)`` of x's dtype, contiguous
    out           a contiguous array, not overlapping x unless it is x
    """
    if x.size >= gates.ROWS and (name := _NAMES.get(x.dtype)) and (call := kernel("rows", f"layer_norm_{name}", "7qd2q")):
        shape = x.shape[:-1]
        x, rows, n, step = _rows(x)
        out = np.empty(x.shape, x.dtype) if out is None else out
        mean, rstd = np.empty(shape, x.dtype), np.empty(shape, x.dtype)
        given = weight is not None or bias is not None
        scale = np.ones(n, x.dtype) if weight is None and given else weight
        shift = np.zeros(n, x.dtype) if bias is None and given else bias
        words = (id(scale), id(shift)) if given else (0, 0)
        call(x.size * gates.NORM[name], id(x), id(out), id(mean), id(rstd), rows, n, step, eps, *words)
        return out, mean, rstd
    mean, variance = moments(x)
    rstd = 1 / np.sqrt(variance + x.dtype.type(eps))
    result = np.asarray(np.subtract(x, mean[..., None] if x.ndim else mean, out=out))
    result *= rstd[..., None] if x.ndim else rstd
    if weight is not None:
        result *= weight
    if bias is not None:
        result += bias
    return result, mean, np.asarray(rstd)


def moments(x: Array, correction: float = 0) -> tuple[Array, Array]:
    """Mean and variance, the latter divided by ``max(n - correction, 0)``."""
    if x.size >= gates.ROWS and (name := _NAMES.get(x.dtype)) and (call := kernel("rows", f"moments_{name}", "6qd")):
        shape = x.shape[:-1]
        x, rows, n, step = _rows(x)
        mean, variance = np.empty(shape, x.dtype), np.empty(shape, x.dtype)
        call(x.size * gates.NORM[name], id(x), id(mean), id(variance), rows, n, step, correction)
        return mean, variance
    lines = x if x.ndim else x.reshape(1)
    n = lines.shape[-1]
    mean = lines.sum(-1) / x.dtype.type(n)
    variance = np.square(lines - mean[..., None]).sum(-1) / x.dtype.type(max(n - correction, 0))
    return np.asarray(mean), np.asarray(variance)
