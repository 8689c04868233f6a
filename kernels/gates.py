"""Sizes from which own kernels win over numpy, as measured; in one place for all kernels."""

from __future__ import annotations

__all__ = ["ARITHMETIC", "FUSED", "GEMM", "PRODUCT", "SHARED", "SMALL", "VECTOR"]

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


PRODUCT = 65_536
"""Multiply-adds of a matrix product up to which a call's cost decides: BLAS's, without a look at anything else."""
SMALL = 1_000_000
"""Multiply-adds up to which OpenBLAS reads operands that stand row by row where they are, on one thread (measured)."""
SHARED = 262_144
"""Multiply-adds from which OpenBLAS shares other products among threads of its own (``interface/gemm.c``).

Beyond these two the kernel is taken whatever the costs: OpenBLAS's threads go on looking for work for a tenth of a second, on the
core that the team needs for all that follows. A training step of a Transformer, one of whose 130 products was left to them, took
88 to 160 ms instead of 56.
"""

Terms = tuple[float, float, float, float, float, float]
GEMM: dict[tuple[int, bool], tuple[Terms, Terms, Terms]] = {
    (4, True): (
        (2200, 0.0102, 0.0468, 0.0290, 0.162, 0),
        (838, 0.0137, 0.0327, 0.138, 0.105, 0),
        (735, 0.0100, 0.177, 0.077, 0.256, 0),
    ),
    (4, False): (
        (2840, 0.0093, 0.0579, 0.0345, 0.127, 0),
        (0, 0.0164, 0.0406, 0, 0.125, 9.7),
        (0, 0.0164, 0.0406, 0, 0.125, 9.7),
    ),
    (8, True): (
        (2260, 0.0261, 0.0900, 0.0497, 0.230, 0),
        (721, 0.0297, 0.0662, 0.114, 0.182, 0),
        (4240, 0.0208, 0.165, 0.179, 0.207, 0),
    ),
    (8, False): (
        (2860, 0.0192, 0.0950, 0.0601, 0.191, 0),
        (820, 0.0277, 0.108, 0, 0.142, 5.1),
        (820, 0.0277, 0.108, 0, 0.142, 5.1),
    ),
}
"""Nanoseconds of a product ``(m, k) @ (k, n)`` of numbers of so many bytes, b row by row or not: the kernel's, BLAS's up to ``SMALL``,
BLAS's above.

The terms count a call, m·n·k, k·n (what is packed), m·k, m·n and n; the kernel computes whole vectors of n. Fitted by non-negative
least squares of the relative error to 1,260 shapes of 0.03 to 130 million multiply-adds, two threads on either side, AVX-512; the
kernel's terms then raised by 5 % for float32 row by row and 25 % for float64, whose fit is worse: a tie goes to BLAS.
"""


ROWS = 64
"""Elements from which ``rows.py`` uses its kernels."""
SWEEP = 1_024
"""Elements of all rows together from which ``sweep.py`` compiles a program."""
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
LINES = 8192
"""Elements from which ``loops.py`` does."""
