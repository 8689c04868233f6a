"""Loops that numpy has no fast form of, for Numba. Imported only when a large array first needs one (``loops.py``).

Arrays are contiguous; the loops write what they are given to write into.
"""

from __future__ import annotations

import numpy as np
from numba import njit, vectorize

__all__ = ["argmax", "choose", "scatter_add", "unpatches"]


@vectorize(["int32(uint8, int32, int32)", "int64(uint8, int64, int64)"], cache=True)
def choose(condition, x, y):
    """Without a branch: as bits, chosen by a mask of all ones or none."""
    return y ^ ((x ^ y) & -np.int64(condition))


@njit(cache=True, nogil=True)
def unpatches(x, out, step, dilation):
    """x ``(A, KH, KW, OH, OW)``, out ``(A, H, W)``: ``out[a, i d + y s, j d + z s] += x[a, i, j, y, z]``."""
    count, high, wide, rows, columns = x.shape
    for a in range(count):
        for i in range(high):
            for j in range(wide):
                for y in range(rows):
                    line = out[a, i * dilation[0] + y * step[0]]
                    start = j * dilation[1]
                    if step[1] == 1:
                        for z in range(columns):
                            line[start + z] += x[a, i, j, y, z]
                    else:
                        for z in range(columns):
                            line[start + z * step[1]] += x[a, i, j, y, z]


@njit(cache=True, nogil=True)
def argmax(x, best, out):
    """x ``(A, K, L)``, best ``(L,)`` for its own use, out ``(A, L)``: the first largest along K; NaN is the largest."""
    count, places, length = x.shape
    for a in range(count):
        for z in range(length):
            best[z] = x[a, 0, z]
            out[a, z] = 0
        for k in range(1, places):
            for z in range(length):
                value, top = x[a, k, z], best[z]
                more = value > top or (value != value and top == top)
                best[z] = value if more else top
                out[a, z] = k if more else out[a, z]


@njit(cache=True, nogil=True)
def scatter_add(out, index, values):
    """``out[index[n]] += values[n]``, in order; all of them ``(N,)`` but out."""
    for n in range(index.size):
        out[index[n]] += values[n]
