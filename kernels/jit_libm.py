"""Functions of C's math library over arrays, for Numba. Imported only when a large array first needs one (``vector.py``)."""

from __future__ import annotations

import math

from numba import vectorize

__all__ = ["erf", "erfc"]

_TYPES = ["float32(float32)", "float64(float64)"]


@vectorize(_TYPES, cache=True)
def erf(x):
    return math.erf(x)


@vectorize(_TYPES, cache=True)
def erfc(x):
    return math.erfc(x)
