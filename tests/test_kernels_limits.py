"""The kernels that measure the machine do what they say."""

from __future__ import annotations

import time

import numpy as np
import pytest
from tinygrad_notes.kernels import limits, native

pytestmark = pytest.mark.skipif(not native.widths(), reason="no kernels here: switched off, no Numba, or another processor")


def lines(n: int) -> np.ndarray:
    """n float32 from the beginning of a cache line on."""
    raw = np.arange(n + 16, dtype=np.float32)
    skip = -raw.ctypes.data % 64 // 4
    return raw[skip : skip + n]


@pytest.mark.parametrize("past", [False, True])
def test_copy_and_triad(past: bool) -> None:
    for n in (16, 1040, 100_000):
        a, b, out = lines(n), lines(n), lines(n)
        a += 1
        assert limits.copy(a, out, past=past) == 8 * n
        assert np.array_equal(out, a)
        assert limits.triad(a, b, out, past=past, times=2) == 24 * n
        assert np.array_equal(out, a + np.float32(0.5) * b)


def test_wrong_operands() -> None:
    a = lines(64)
    with pytest.raises(ValueError, match=r"begin on a cache line"):
        limits.copy(a[1:], a[1:])
    with pytest.raises(ValueError, match=r"whole cache lines are needed, got 40 bytes"):
        limits.copy(a[:10], a[:10])


def test_multiply_adds() -> None:
    """Twice as many take longer, and no processor does more than two vector operations in a tenth of a nanosecond."""
    for dtype, bits in ((np.float32, 32), (np.float64, 64)):
        limits.fma_peak(dtype, 1)
        start = time.perf_counter()
        operations = limits.fma_peak(dtype, 100_000)
        took = time.perf_counter() - start
        assert operations == 2 * 100_000 * limits.CHAINS * (native.widths()[0] // bits)
        assert took > 100_000 * limits.CHAINS / 2 * 1e-10
