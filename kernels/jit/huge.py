"""sin and cos of any finite argument, one number at a time: what ``formulas.py`` leaves out.

M. H. Payne and R. N. Hanek, Radian reduction for trigonometric functions (1983): of ``x * 2/pi`` only the bits around the point
matter, and those come from a window of 192 bits of ``2/pi``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from .constants import FLOAT32, FLOAT64, TWO_OVER_PI
from .memory import OPTIONS, f32
from .scalar import cos, high_product, quadrant, sin, word_of

__all__ = ["circular"]

WORDS = np.array((0, *TWO_OVER_PI), np.uint64)  # 64 binary digits before the point, so that every window begins inside
HUGE = FLOAT64["huge"]
U = np.uint64
SCALE = float(np.pi / 2 * 2.0**-64)


@njit(**OPTIONS)
def _window(at):
    """64 bits of ``WORDS`` from bit ``at`` on."""
    word, shift = at >> 6, U(at & 63)
    return (WORDS[word] << shift) | ((WORDS[word + 1] >> U(1)) >> (U(63) - shift))


@njit(**OPTIONS)
def _sine(x, quarter):
    """``sin(x + quarter pi/2)`` for finite ``|x| > HUGE``."""
    word = word_of(abs(x))
    exponent = np.int64(word >> U(52)) - 1075
    mantissa = (word & U(0xFFFFFFFFFFFFF)) | U(0x10000000000000)
    at = exponent + 62  # the bit of weight 2**(1 - exponent): those before it give multiples of a full turn
    high, middle, low = _window(at), _window(at + 64), _window(at + 128)
    last = mantissa * low
    one = mantissa * middle
    second = one + high_product(mantissa, low)
    first = mantissa * high + high_product(mantissa, middle) + U(second < one)
    turns = np.int64(first >> U(62))
    ahead = np.int64((first << U(2)) | (second >> U(62)))  # what is behind the point, from -1/2 on
    behind = (second << U(2)) | (last >> U(62))
    turns += ahead < 0
    r = (np.float64(ahead) + np.float64(behind) * 2.0**-64) * SCALE
    if x < 0:
        turns, r = -turns, -r
    return quadrant(turns + quarter, r)


def circular(quarter: int, cast: Any) -> Callable[[Any], Any]:
    """sin (quarter 0) or cos (1) of any finite number; float32 is computed in float64."""
    near = sin if quarter == 0 else cos
    limit = (FLOAT32 if cast is f32 else FLOAT64)["huge"]
    narrow = cast is f32

    @njit(**OPTIONS)
    def function(x):
        if abs(x) <= limit or not abs(x) < np.inf:
            return near(x)
        y = np.float64(x)
        z = near(y) if abs(y) <= HUGE else _sine(y, quarter)
        return np.float32(z) if narrow else z

    return function
