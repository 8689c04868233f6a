"""Kernels by themselves: the error function, rows of sums, random bits, and that numpy alone does everything."""

from __future__ import annotations

import math
import os
import subprocess
import sys

import numpy as np
import pytest
from tinygrad_notes.kernels import random, scatter, vector


@pytest.mark.parametrize("name", ["erf", "erfc"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_error_function_has_all_its_digits(name: str, dtype: type) -> None:
    """One by one, and compiled: C's answer, which is within a few units in the last place, to the end of the tail."""
    x = np.concatenate([np.linspace(-9, 9, 3000), 10.0 ** np.arange(-40, 2), [0.0, -0.0, np.inf, -np.inf, np.nan]]).astype(
        dtype
    )
    exact = np.array([getattr(math, name)(v) for v in x.tolist()])
    function = getattr(vector, name)
    for found in (function(x), np.concatenate([function(x[i : i + 5]) for i in range(0, x.size, 5)])):
        assert found.dtype == dtype
        np.testing.assert_array_equal(np.signbit(found), np.signbit(exact.astype(dtype)))
        np.testing.assert_allclose(found, exact, rtol=6 * np.finfo(dtype).eps, atol=float(np.finfo(dtype).tiny))
    assert function(x[:6].reshape(2, 3).T).shape == (3, 2)
    assert function(x[0]).shape == ()


def test_without_numba_everything_runs_on_numpy() -> None:
    code = """
import numpy as np, sys
import tinygrad_notes as tn
from tinygrad_notes.kernels import vector
assert vector.kernel("tanh", "f") is None
x = tn.randn(64, 64, requires_grad=True)
(x.tanh() * x.sigmoid()).sum().backward()
assert np.isfinite(x.grad.numpy()).all()
assert "numba" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "TINYGRAD_NOTES_KERNELS": "0"})


def test_add_rows_is_np_add_at() -> None:
    rng = np.random.default_rng(0)
    index = rng.integers(0, 7, 100)
    rows = rng.normal(size=(100, 3))
    out, expected = np.ones((7, 3)), np.ones((7, 3))
    scatter.add_rows(out, index, rows)
    np.add.at(expected, index, rows)
    np.testing.assert_allclose(out, expected, rtol=1e-13)
    scatter.add_rows(out, index[:0], rows[:0])
    strided = np.zeros((3, 7)).T
    scatter.add_rows(strided, index, rows)
    np.testing.assert_allclose(strided + 1, expected, rtol=1e-13)


def test_philox_bits_depend_on_seed_offset_and_place_only() -> None:
    whole = random.philox_bits(3, 10, shape=(64,), width=32)
    assert whole.dtype == np.uint32
    skipped = random.philox_blocks((16,), 32)
    np.testing.assert_array_equal(random.philox_bits(3, 10 + skipped, shape=(48,), width=32), whole[16:])
    assert random.philox_bits(3, 0, shape=(2, 3), width=53).dtype == np.uint64
    assert random.philox_bits(3, 0, shape=(1000,), width=24).max() < 2**24
    assert not np.array_equal(random.philox_bits(4, 10, shape=(64,), width=32), whole)
    assert random.philox_bits(0, 0, shape=(), width=32).shape == ()
    bits = random.philox_bits(1, 0, shape=(100_000,), width=32) / 2**32
    assert abs(bits.mean() - 0.5) < 0.005
    assert abs(np.histogram(bits, 10)[0] / 10_000 - 1).max() < 0.05


@pytest.mark.parametrize("shape", [((2, 3), (3, 2)), ((4, 2, 3), (4, 3, 2))])
def test_products_that_overflow_do_not_warn(shape: tuple) -> None:
    import tinygrad_notes as tn

    x, y = (tn.full(s, 3e38, requires_grad=True) for s in shape)
    (x @ y).sum().backward()
    assert np.isinf((x.detach() @ y.detach()).numpy()).all()
