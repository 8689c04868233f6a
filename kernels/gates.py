"""Sizes from which own kernels win over numpy, as measured; in one place for all kernels."""

from __future__ import annotations

__all__ = ["ARITHMETIC", "FUSED", "VECTOR", "gemm"]

ARITHMETIC = 16_384
"""Elements from which one operation of arithmetic is worth two threads; below, numpy's loop on one is as good as ours."""
FUSED = 1_024
"""Elements from which several operations in one pass win over one pass each."""

VECTOR: dict[str, dict[str, int]] = {
    name: {"f": size, "d": size}
    for names, size in (
        (("exp", "expm1", "log", "log1p", "tanh", "sin", "cos"), 256),
        (("sigmoid", "logsigmoid", "erf", "erfc"), 64),
    )
    for name in names
}
"""Elements from which a function of the vector math wins, by numpy's type character.

Measured on a Xeon with AVX-512, a call takes as long as numpy's from 16 elements on, half as long at some thousand; where numpy
needs several calls, or has no such function, a sixth. The sizes are larger than that, so that a small program compiles nothing.
"""


def gemm(count: int, m: int, n: int, k: int, size: int, rows: bool, width: int) -> bool:
    """Whether ``count`` products ``(m, k) @ (k, n)`` of numbers of ``size`` bytes are worth the kernel.

    rows: whether b stands row by row; width: bits of a register. Nanoseconds of one thread per multiply-add, fitted to products of
    0.1 to 130 million of them in float32 with registers of 512 bits: the kernel pays for packing b, which m rows share, and computes
    whole vectors; OpenBLAS packs too, at more than twice the price, unless the product is small and b stands row by row.
    """
    lanes = width // 8 // size
    scale = size / 4 * 512 / width
    products = count * m * n * k
    if m < 2 or n < 2 or (rows and products * size < TINY):
        return False  # matrix times vector reads each number once; what is tiny is a call's cost and little else
    ours = 3000 + count * m * (-(-n // lanes) * lanes) * k * (0.0155 + 0.19 / m) * scale
    if not rows:
        blas = 0.018 + 0.85 / m
    elif m * n * k <= SMALL:
        blas = 0.029
    else:
        blas = 0.0185 + 0.5 / m
    return ours < 600 + products * blas * scale


TINY = 600_000
"""Bytes of a times columns of b below which a call's cost decides: numpy's, without a look at anything else."""
SMALL = 1_000_000
"""Multiply-adds up to which OpenBLAS reads both operands where they stand (its ``interface/gemm.c``, small matrix optimization)."""

ROWS = 64
"""Elements from which ``rows.py`` uses its kernels."""
UPDATE = 64
"""Elements of a parameter from which ``update.py`` does."""
TERNARY = 512
"""Elements from which ``ternary.py`` does."""

# ---- cycles of one thread per element, by which the team decides how many share the work ----

EXP = {"f32": 3, "f64": 6}
NORM = {"f32": 2, "f64": 4}
ADAM = {"f32": 4, "f64": 8}
SGD = {"f32": 2, "f64": 4}
REDUCE = {"sum": 16_384, "max": 4_096, "min": 4_096, "argmax": 65_536, "argmin": 65_536}
"""Elements from which ``reduce.py`` uses its kernels."""
SHORT = 16
"""Elements of a row below which numpy's sum of each wins."""
REDUCTION = {"f32": 2, "f64": 4}
"""Cycles per four elements."""
TAKE, PUT, CUMSUM = 4096, 1024, 1024
"""Elements from which ``scatter.py`` uses its kernels."""
