"""What this machine can do at most: multiply-adds of one core, bytes copied and combined by the team. For benches.

Each call runs a kernel of ``jit/limits.py`` once and says what it did; the caller holds the clock and takes the fastest of many.
"""

from __future__ import annotations

import struct
from functools import cache
from typing import Any

import numpy as np

from . import native, team

__all__ = ["CHAINS", "copy", "fma_peak", "triad"]

CHAINS = 12
"""Independent chains of multiply-adds: two units of latency 4 or 5 need 8 or 10, and registers of 256 bits are 16."""

_SHARED = 1 << 40
"""Cycles that kernels for the team claim to take: never too short to share."""


@cache
def _kernel(name: str) -> tuple[Any, int, int]:
    return team.runner(), team.memory(), native.address("limits", name)


def fma_peak(dtype: Any, rounds: int = 100_000) -> int:
    """Do multiply-adds in registers alone, on this thread; how many operations (two each). About 6 cycles a round."""
    bits = np.dtype(dtype).itemsize * 8
    run, memory, address = _kernel(f"fma_peak_f{bits}")
    sink = np.empty(1, np.int64)
    run(struct.pack("5q", memory, address, 0, rounds, sink.ctypes.data))
    return int(2 * rounds * CHAINS * (native.widths()[0] // bits))


def copy(a: np.ndarray[Any, Any], out: np.ndarray[Any, Any], *, past: bool = False, times: int = 1) -> int:
    """Copy a to out with the team, ``times`` times; bytes read and written. past: write past the caches, for sizes beyond them."""
    return _move("copy", a, a, out, past, times) * 2


def triad(
    a: np.ndarray[Any, Any], b: np.ndarray[Any, Any], out: np.ndarray[Any, Any], *, past: bool = False, times: int = 1
) -> int:
    """``out = a + 0.5 b`` in float32, like ``copy``; bytes read and written."""
    return _move("triad", a, b, out, past, times) * 3


def _move(name: str, a: Any, b: Any, out: Any, past: bool, times: int) -> int:
    for array in (a, b, out):
        if array.dtype != np.float32 or not array.flags.c_contiguous or array.ctypes.data % 64 or array.nbytes != a.nbytes:
            raise ValueError("limits: contiguous float32 arrays of one size are needed that begin on a cache line (64 bytes)")
    if a.nbytes % 64:
        raise ValueError(f"limits: whole cache lines are needed, got {a.nbytes} bytes")
    run, memory, address = _kernel(name)
    run(struct.pack("9q", memory, address, _SHARED, out.ctypes.data, a.ctypes.data, b.ctypes.data, a.nbytes, past, times))
    return int(a.nbytes * times)
