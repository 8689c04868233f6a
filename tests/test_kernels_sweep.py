"""Straight-line programs in one sweep: numpy's bits, any number of rows, threads and elements."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from tinygrad_notes.kernels import native
from tinygrad_notes.kernels.sweep import parsed, sweep

import tinygrad_notes as tn

here = pytest.mark.skipif(not native.available(), reason="no kernels on this machine, or switched off")

BODY = """x g m v | a b c
t0 = g - m * a
t1 = -v / (t0 + 2.5)
t2 = sqrt(fabs(t1)) * b
t3 = t0 if t0 > t2 or t2 != t2 else 0.1
t4 = c if t3 <= g and m == m else t3
m = t4
x = t2"""


def reference(x: np.ndarray, g: np.ndarray, m: np.ndarray, v: np.ndarray, numbers: tuple[float, ...]) -> None:
    a, b, c = (x.dtype.type(number) for number in numbers)
    t0 = g - m * a
    t1 = -v / (t0 + x.dtype.type(2.5))
    t2 = np.sqrt(np.abs(t1)) * b
    t3 = np.where((t0 > t2) | (t2 != t2), t0, x.dtype.type(0.1))
    m[...] = np.where((t3 <= g) & (m == m), c, t3)
    x[...] = t2


def rows(sizes: tuple[int, ...], dtype: str) -> list[list[np.ndarray]]:
    rng = np.random.default_rng(0)
    found = [[rng.standard_normal(n).astype(dtype) for _ in range(4)] for n in sizes]
    for arrays in found:
        for array, odd in zip(arrays, (np.inf, np.nan, -0.0, 0.0), strict=True):
            array[len(array) // 2 :: 7] = odd
    return found


@here
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("sizes", [(1,), (0, 3), (15, 16, 17, 1), (1024, 1025, 8), (70_001, 5, 300_000)], ids=str)
def test_a_sweep_has_numpys_bits(sizes: tuple[int, ...], dtype: str) -> None:
    run = sweep(f"{'f32' if dtype == 'f4' else 'f64'} {BODY}")
    assert run is not None
    numbers = tuple(float(np.dtype(dtype).type(number)) for number in (0.3, 1.7, -0.9))
    before = tn.get_num_threads()
    try:
        for threads in (1, 2, 3):
            tn.set_num_threads(threads)
            got, want = rows(sizes, dtype), rows(sizes, dtype)
            with np.errstate(all="ignore"):
                run(numbers, got)
                for arrays in want:
                    reference(*arrays, numbers)
            for found, expected in zip(got, want, strict=True):
                for one, other in zip(found, expected, strict=True):
                    np.testing.assert_array_equal(one, other)
                    there = ~np.isnan(other)
                    np.testing.assert_array_equal(np.signbit(one)[there], np.signbit(other)[there])
    finally:
        tn.set_num_threads(before)


@here
def test_nothing_beside_a_row_is_touched() -> None:
    run = sweep("f32 x | n\nt = x * n\nx = t")
    assert run is not None
    for n in range(40):
        whole = np.ones(n + 8, "f4")
        run((3.0,), [[whole[4 : 4 + n]]])
        np.testing.assert_array_equal(whole, [1] * 4 + [3] * n + [1] * 4)


@pytest.mark.parametrize(
    "line", ["t0 = exp(x)", "t0 = x @ x", "t0 = sqrt(x, x)", "x += 1", "x = x + 1", "t0 = 0 < x < 1", "t0 = x[0]", "del x"]
)
def test_what_is_no_program_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="sweep: "):
        parsed(f"f32 x | n\n{line}")


def test_switched_off_there_is_none() -> None:
    code = "import sys; from tinygrad_notes.kernels.sweep import sweep; print(sweep('f32 x | n'), 'llvmlite' in sys.modules)"
    done = subprocess.check_output([sys.executable, "-c", code], env={**os.environ, "TINYGRAD_NOTES_KERNELS": "0"}, text=True)
    assert done.strip() == "None False"
