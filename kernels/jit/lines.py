"""Loops over whole lines that numpy has no fast form of: windows, the first largest, places looked up and added into.

Arrays are contiguous, indices are int64 and in range: nothing is checked here. Threads share the outermost axis; each sum is made in
the order in which numpy would make it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .memory import data, f32, f64, i64, share, wide

__all__ = ["KERNELS"]

KERNELS: dict[str, Callable[..., None]] = {}


def _windows(name: str, cast: Any) -> None:
    def patches(args, tid, nt, team):
        """Arguments: x ``(A, H, W)``, out ``(A, KH, KW, OH, OW)``, the five lengths of out, H·W, W, two steps, two dilations:
        ``out[a, i, j, y, z] = x[a, i d + y s, j d + z s]``."""
        wide()
        block = i64(args)
        x, out = cast(data(block[0])), cast(data(block[1]))
        high, broad, rows, columns, plane, width = block[3], block[4], block[5], block[6], block[7], block[8]
        down, right = block[9], block[10]
        start, stop = share(block[2], 1, tid, nt)
        to = start * high * broad * rows * columns
        for a in range(start, stop):
            for i in range(high):
                for j in range(broad):
                    at = a * plane + i * block[11] * width + j * block[12]
                    for _ in range(rows):
                        if right == 1:
                            for z in range(columns):
                                out[to + z] = x[at + z]
                        else:
                            for z in range(columns):
                                out[to + z] = x[at + z * right]
                        to += columns
                        at += down * width

    def unpatches(args, tid, nt, team):
        """The transpose of ``patches``: x ``(A, KH, KW, OH, OW)`` is added to out ``(A, H, W)``; the same numbers."""
        wide()
        block = i64(args)
        x, out = cast(data(block[0])), cast(data(block[1]))
        high, broad, rows, columns, plane, width = block[3], block[4], block[5], block[6], block[7], block[8]
        down, right = block[9], block[10]
        start, stop = share(block[2], 1, tid, nt)
        at = start * high * broad * rows * columns
        for a in range(start, stop):
            for i in range(high):
                for j in range(broad):
                    to = a * plane + i * block[11] * width + j * block[12]
                    for _ in range(rows):
                        if right == 1:
                            for z in range(columns):
                                out[to + z] += x[at + z]
                        else:
                            for z in range(columns):
                                out[to + z * right] += x[at + z]
                        at += columns
                        to += down * width

    KERNELS[f"patches_{name}"] = patches
    KERNELS[f"unpatches_{name}"] = unpatches


def _places(name: str, cast: Any) -> None:
    def argmax(args, tid, nt, team):
        """Arguments: x ``(A, K, L)``, best ``(threads, L)`` for its own use, out ``(A, L)``, A, K, L: the first largest along K; NaN is
        the largest."""
        wide()
        block = i64(args)
        x, best, out = cast(data(block[0])), cast(data(block[1])), i64(data(block[2]))
        places, length = block[4], block[5]
        start, stop = share(block[3], 1, tid, nt)
        mine = tid * length
        for a in range(start, stop):
            at, to = a * places * length, a * length
            for z in range(length):
                best[mine + z] = x[at + z]
                out[to + z] = 0
            for k in range(1, places):
                at += length
                for z in range(length):
                    value, top = x[at + z], best[mine + z]
                    more = value > top or (value != value and top == top)
                    best[mine + z] = value if more else top
                    out[to + z] = k if more else out[to + z]

    def gather(args, tid, nt, team):
        """Arguments: x ``(A, L)``, index ``(A, M)``, out ``(A, M)``, A, L, M: ``out[a, m] = x[a, index[a, m]]``."""
        block = i64(args)
        x, index, out, length, number = cast(data(block[0])), i64(data(block[1])), cast(data(block[2])), block[4], block[5]
        start, stop = share(block[3], 1, tid, nt)
        for a in range(start, stop):
            for m in range(a * number, (a + 1) * number):
                out[m] = x[a * length + index[m]]

    def scatter_add(args, tid, nt, team):
        """Arguments: out ``(A, L)``, index ``(A, M)``, values ``(A, M)``, A, L, M: ``out[a, index[a, m]] += values[a, m]``, in order."""
        block = i64(args)
        out, index, values, length, number = cast(data(block[0])), i64(data(block[1])), cast(data(block[2])), block[4], block[5]
        start, stop = share(block[3], 1, tid, nt)
        for a in range(start, stop):
            for m in range(a * number, (a + 1) * number):
                out[a * length + index[m]] += values[m]

    KERNELS[f"argmax_{name}"] = argmax
    KERNELS[f"gather_{name}"] = gather
    KERNELS[f"scatter_add_{name}"] = scatter_add


for _name, _cast in (("f32", f32), ("f64", f64)):
    _windows(_name, _cast)
    _places(_name, _cast)
