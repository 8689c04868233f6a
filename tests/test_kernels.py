"""Kernels by themselves: accuracy of the vector math against float64, edges, and that numpy alone gives the same."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from tinygrad_notes.kernels import random, scatter, vector

needs_numba = pytest.mark.skipif(vector.jitted("tanh32") is None, reason="Numba is not installed or switched off")
FUNCTIONS: dict[str, tuple[Callable, Callable, float]] = {
    "tanh": (vector.tanh, np.tanh, 2.5),
    "sigmoid": (vector.sigmoid, lambda x: np.where(x >= 0, 1, np.exp(-np.abs(x))) / (1 + np.exp(-np.abs(x))), 2.5),
}


@needs_numba
@pytest.mark.parametrize("name", FUNCTIONS)
def test_accuracy_in_units_of_the_last_place(name: str) -> None:
    function, exact, limit = FUNCTIONS[name]
    with np.errstate(all="ignore"):
        sweep = np.linspace(-110, 110, 1_000_001, dtype=np.float32)
        near = np.linspace(-9, 9, 1_000_001, dtype=np.float32)
        tiny = np.float32(10.0) ** np.linspace(-44, 1, 100_000, dtype=np.float32)
        x = np.concatenate([sweep, near, tiny, -tiny])
        expected = exact(x.astype(np.float64))
        for found in (function(x), vector.jitted(f"{name}32")(x)):  # the faster of the two may be numpy
            error = np.abs(found - expected) / np.spacing(np.abs(expected).astype(np.float32))
            assert error.max() < limit, f"{error.max()} at {x[error.argmax()]}"


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("size", [5, 4000], ids=["numpy", "compiled"])
def test_edges(name: str, size: int) -> None:
    function, exact, _ = FUNCTIONS[name]
    compiled = size >= vector.GATE and vector.jitted(f"{name}32") is not None
    for value in (0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40, -1e-40, 1e30, -1e30, -95.0):
        with np.errstate(all="ignore"):
            got = function(np.full(size, value, np.float32))[-1]
            want = np.float32(exact(np.float64(np.float32(value))))
        if abs(want) < 1e-37:  # denormals: exact to a step where compiled; numpy's formula for sigmoid may give 0
            assert abs(got - want) <= (1.5e-45 if compiled else 1.2e-38)
        else:
            np.testing.assert_allclose(got, want, rtol=3e-7)
        assert np.signbit(got) == np.signbit(want) or np.isnan(want)


@pytest.mark.parametrize("name", ["erf", "erfc"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_error_function_has_all_its_digits(name: str, dtype: type) -> None:
    """One by one, and compiled: C's answer, which is within a few units in the last place, to the end of the tail."""
    x = np.concatenate([np.linspace(-9, 9, 3000), 10.0 ** np.arange(-40, 2), [0.0, -0.0, np.inf, -np.inf, np.nan]]).astype(
        dtype
    )
    exact = np.array([getattr(math, name)(v) for v in x.tolist()])
    function = getattr(vector, name)
    assert x.size >= vector.GATE > 5
    for found in (function(x), np.concatenate([function(x[i : i + 500]) for i in range(0, x.size, 500)])):
        assert found.dtype == dtype
        np.testing.assert_array_equal(np.signbit(found), np.signbit(exact.astype(dtype)))
        np.testing.assert_allclose(found, exact, rtol=6 * np.finfo(dtype).eps, atol=float(np.finfo(dtype).tiny))
    assert function(x[:6].reshape(2, 3).T).shape == (3, 2)
    assert function(x[0]).shape == ()
    assert (vector.jitted(name, "jit_libm") is None) == (vector.jitted("tanh32") is None)


@needs_numba
def test_any_layout_and_shape() -> None:
    x = np.random.default_rng(0).normal(size=(60, 80)).astype(np.float32)
    for view in (x, x.T, x[::-2], np.broadcast_to(x[:1], (50, 80))):
        np.testing.assert_allclose(vector.tanh(view), np.tanh(view), rtol=4e-7)
        assert vector.tanh(view).dtype == np.float32
    assert vector.tanh(x.astype(np.float64)).dtype == np.float64


def test_without_numba_everything_runs_on_numpy() -> None:
    code = """
import numpy as np, sys
import tinygrad_notes as tn
from tinygrad_notes.kernels import vector
assert vector.jitted("tanh32") is None
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
