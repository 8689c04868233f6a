"""Elementwise functions of three arrays."""

from __future__ import annotations

import numpy as np
from numba import njit

from .loops import loop3
from .memory import OPTIONS, f32, f64

__all__ = ["KERNELS"]


@njit(inline="always", **OPTIONS)
def _muladd(a, b, c):
    """Rounded twice, as ``a * b + c`` by numpy is."""
    return a * b + c


KERNELS = {
    "muladd_f32": loop3(_muladd, f32, np.float32, 12),
    "muladd_f64": loop3(_muladd, f64, np.float64, 24),
}
