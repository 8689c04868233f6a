"""Elementwise functions of three arrays in one pass over memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import gates
from .ufuncs import ufunc

__all__ = ["muladd"]

Array = np.ndarray[Any, Any]

_KERNELS = {np.dtype(np.float32): ("muladd_f32", "ffff"), np.dtype(np.float64): ("muladd_f64", "dddd")}


def muladd(a: Array, b: Array, c: Array, out: Array | None = None) -> Array:
    """``a * b + c`` of arrays of one dtype, which broadcast: the bits of numpy's, each operation rounded."""
    if a.size >= gates.TERNARY and a.dtype == b.dtype == c.dtype and a.dtype in _KERNELS:
        function = ufunc("ternary", *_KERNELS[a.dtype])
        if function is not None:
            return function(a, b, c, out=out)  # type: ignore[no-any-return]
    product = np.multiply(a, b, out=out) if out is not c else np.multiply(a, b)
    return np.add(product, c, out=out)
