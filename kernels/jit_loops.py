"""Loops that numpy has no fast form of, for Numba. Imported only when a large array first needs one (``loops.py``).

Arrays are contiguous; the loops write what they are given to write into.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["argmax", "gather", "patches", "scatter_add", "unpatches"]

U = np.uint64
"""Indices that Numba need not check for being negative, which would keep loops from becoming vector instructions."""


# ---- windows ----


@njit(cache=True, nogil=True)
def patches(x, out, width, step, dilation, counts):
    """x ``(A, H, W)`` flattened, out ``(A, KH, KW, OH, OW)`` flattened, counts its lengths:
    ``out[a, i, j, y, z] = x[a, i d + y s, j d + z s]``."""
    count, high, wide, rows, columns = counts
    plane, to = x.size // count, 0
    for a in range(count):
        for i in range(high):
            for j in range(wide):
                at = a * plane + i * dilation[0] * width + j * dilation[1]
                for _ in range(rows):
                    if step[1] == 1:
                        for z in range(columns):
                            out[U(to + z)] = x[U(at + z)]
                    else:
                        for z in range(columns):
                            out[U(to + z)] = x[U(at + z * step[1])]
                    to += columns
                    at += step[0] * width


@njit(cache=True, nogil=True)
def unpatches(x, out, width, step, dilation, counts):
    """The transpose of ``patches``: x ``(A, KH, KW, OH, OW)`` is added to out ``(A, H, W)``."""
    count, high, wide, rows, columns = counts
    plane, at = out.size // count, 0
    for a in range(count):
        for i in range(high):
            for j in range(wide):
                to = a * plane + i * dilation[0] * width + j * dilation[1]
                for _ in range(rows):
                    if step[1] == 1:
                        for z in range(columns):
                            out[U(to + z)] += x[U(at + z)]
                    else:
                        for z in range(columns):
                            out[U(to + z * step[1])] += x[U(at + z)]
                    at += columns
                    to += step[0] * width


# ---- places ----


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
def gather(x, index, out):
    """``out[a, m] = x[a, index[a, m]]``."""
    for a in range(index.shape[0]):
        for m in range(index.shape[1]):
            out[a, m] = x[a, U(index[a, m])]


@njit(cache=True, nogil=True)
def scatter_add(out, index, values):
    """``out[a, index[a, m]] += values[a, m]``, in order."""
    for a in range(index.shape[0]):
        for m in range(index.shape[1]):
            out[a, U(index[a, m])] += values[a, m]
