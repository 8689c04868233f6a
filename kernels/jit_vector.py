"""float32 vector math for Numba: branch-free, so that LLVM turns each loop into vector instructions.

Imported only when a large array first needs it (``vector.py``). Everything stands in this one file on purpose: Numba's disk
cache notices edits of the file that holds the ufunc, and of no other.

The polynomial of exp: S. L. Moshier, Cephes Math Library 2.2 (1992), ``expf.c``. Largest error against float64, in units in
the last place: tanh 2.3, sigmoid 2.2 (``tests/test_kernels.py`` holds both).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types, vectorize
from numba.extending import intrinsic

__all__ = ["sigmoid32", "tanh32"]

F, I = np.float32, np.int32  # noqa: E741 (I is an integer as F is a float)

ONE, TWO, ZERO = F(1), F(2), F(0)
LOG2_E, LN2_HIGH, LN2_LOW = F(1.44269504088896341), F(0.693359375), F(-2.12194440e-4)
ROUND = F(12582912.0)  # 1.5 * 2**23: adding it leaves the nearest integer in the low bits of the mantissa
ROUND_BITS = I(0x4B400000)
BIAS, MANTISSA = I(127), I(23)
E0, E1, E2, E3, E4, E5 = (
    F(c) for c in (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 0.5)
)
TOP, LOWEST = F(10), F(-104)

_OPTIONS: dict[str, Any] = {"fastmath": {"contract"}, "cache": True}


@intrinsic
def _bits_of(context: Any, x: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(32))

    return types.int32(types.float32), generate


@intrinsic
def _float_of(context: Any, n: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), generate


@njit(inline="always", **_OPTIONS)
def _split(x):
    """x as ``n ln 2 + r`` with an integer n and r in [-ln2/2, ln2/2]."""
    t = x * LOG2_E + ROUND
    n = _bits_of(t) - ROUND_BITS
    t = t - ROUND
    return n, (x - t * LN2_HIGH) - t * LN2_LOW


@njit(inline="always", **_OPTIONS)
def _expm1(r):
    """exp(r) - 1 on [-ln2/2, ln2/2]."""
    return (((((E0 * r + E1) * r + E2) * r + E3) * r + E4) * r + E5) * (r * r) + r


@njit(inline="always", **_OPTIONS)
def _exp(x):
    """exp for x in [-104, 20]; 2**n is applied in two halves, so that denormals come out."""
    n, r = _split(x)
    half = n >> I(1)
    return (_expm1(r) + ONE) * _float_of((half + BIAS) << MANTISSA) * _float_of((n - half + BIAS) << MANTISSA)


@vectorize(["float32(float32)"], **_OPTIONS)
def tanh32(x):
    """``u / (u + 2)`` with ``u = expm1(2|x|)``, which keeps its digits near 0; the sign put back, so that -0 stays -0."""
    a = abs(x)
    b = a if a < TOP else TOP  # tanh(10) is 1 in float32
    n, r = _split(b + b)
    scale = _float_of((n + BIAS) << MANTISSA)
    u = scale * _expm1(r) + (scale - ONE)
    y = u / (u + TWO)
    y = -y if x < ZERO else y
    return y if a > ZERO else x  # -0, and NaN


@vectorize(["float32(float32)"], **_OPTIONS)
def sigmoid32(x):
    """``1 / (1 + e)`` for x >= 0 and ``e / (1 + e)`` below, with ``e = exp(-|x|)``: exact to the denormals on the left."""
    a = -abs(x)
    e = _exp(a if a > LOWEST else LOWEST)
    y = (ONE if x >= ZERO else e) / (ONE + e)
    return y if x == x else x  # NaN
