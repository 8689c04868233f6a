"""float32 vector math for Numba: branch-free, so that LLVM turns each loop into vector instructions.

Imported only when a large array first needs it (``vector.py``). Everything stands in this one file on purpose: Numba's disk
cache notices edits of the file that holds the ufunc, and of no other.

Polynomials: S. L. Moshier, Cephes Math Library 2.2 (1992), ``expf.c`` and ``tanhf.c``. Largest error against float64, in
units in the last place: tanh 1.3, sigmoid 2.5 (``tests/test_kernels.py`` holds both).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types, vectorize
from numba.extending import intrinsic

__all__ = ["sigmoid32", "tanh32"]

F, I = np.float32, np.int32

ONE, TWO, HALF, ZERO = F(1), F(2), F(0.5), F(0)
LOG2_E, LN2_HIGH, LN2_LOW = F(1.44269504088896341), F(0.693359375), F(-2.12194440e-4)
ROUND = F(12582912.0)  # 1.5 * 2**23: adding it leaves the nearest integer in the low bits of the mantissa
ROUND_BITS = I(0x4B400000)
BIAS, MANTISSA = I(127), I(23)
E0, E1, E2, E3, E4, E5 = (F(c) for c in (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 0.5))
T0, T1, T2, T3, T4 = (F(c) for c in (-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1))
SMALL, TOP, LOWEST = F(0.625), F(10), F(-104)

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
def _exp(x):  # type: ignore[no-untyped-def]
    """exp for x in [-104, 20]: 2**n times a polynomial on [-ln2/2, ln2/2], scaled in two halves so that denormals come out."""
    t = x * LOG2_E + ROUND
    n = _bits_of(t) - ROUND_BITS
    t = t - ROUND
    r = (x - t * LN2_HIGH) - t * LN2_LOW
    y = (((((E0 * r + E1) * r + E2) * r + E3) * r + E4) * r + E5) * (r * r) + r + ONE
    half = n >> I(1)
    return y * _float_of((half + BIAS) << MANTISSA) * _float_of((n - half + BIAS) << MANTISSA)


@vectorize(["float32(float32)"], **_OPTIONS)
def tanh32(x):  # type: ignore[no-untyped-def]
    """A polynomial below 0.625, else ``1 - 2 / (exp(2|x|) + 1)``; the sign put back, so that -0 stays -0."""
    a = abs(x)
    b = a if a < TOP else TOP  # tanh(10) is 1 in float32
    z = b * b
    near = ((((T0 * z + T1) * z + T2) * z + T3) * z + T4) * z * b + b
    far = ONE - TWO / (_exp(b + b) + ONE)
    y = near if a < SMALL else far
    y = -y if x < ZERO else y
    return y if abs(x) > ZERO else x  # -0, and NaN


@vectorize(["float32(float32)"], **_OPTIONS)
def sigmoid32(x):  # type: ignore[no-untyped-def]
    """``1 / (1 + e)`` for x >= 0 and ``e / (1 + e)`` below, with ``e = exp(-|x|)``: exact to the denormals on the left."""
    a = -abs(x)
    e = _exp(a if a > LOWEST else LOWEST)
    y = (ONE if x >= ZERO else e) / (ONE + e)
    return y if x == x else x  # NaN
