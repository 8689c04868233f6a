"""Compiled loops beside numpy: the same bits, whatever the values, layouts and dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tinygrad_notes.kernels import gates, loops, native, scatter

pytestmark = pytest.mark.skipif(not native.available(), reason="no kernels on this machine, or switched off")
DTYPES = [np.float32, np.float64]


@pytest.fixture(autouse=True)
def _every_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "LINES", 0)


def _values(*shape: int, dtype: Any) -> np.ndarray:
    rng = np.random.default_rng(len(shape))
    edges = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-42, -3.5, 2.0, 2.0])
    return rng.choice(edges, shape).astype(dtype)


def _same_bits(a: Any, b: Any) -> None:
    assert (a.dtype, a.shape) == (b.dtype, b.shape)
    assert np.ascontiguousarray(a).tobytes() == np.ascontiguousarray(b).tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("keepdims", [False, True])
def test_argmax(dtype: Any, keepdims: bool) -> None:
    x = _values(3, 4, 5, dtype=dtype)
    for axis in range(3):
        for given in (x, x.transpose(2, 0, 1), np.where(np.isnan(x), 0, x)):
            _same_bits(loops.argmax(given, axis, keepdims), np.argmax(given, axis=axis, keepdims=keepdims))


@pytest.mark.parametrize("dtype", DTYPES)
def test_gather(dtype: Any) -> None:
    x = _values(3, 4, 5, dtype=dtype)
    rng = np.random.default_rng(0)
    for dim, shape in ((2, (3, 4, 7)), (2, (2, 4, 3)), (1, (3, 6, 5)), (0, (2, 4, 5)), (2, (3, 4, 0))):
        index = rng.integers(0, x.shape[dim], shape)
        lines = x[tuple(slice(n) if d != dim else slice(None) for d, n in enumerate(shape))]
        for given, cut in ((x, lines), (np.asfortranarray(x), lines)):
            _same_bits(scatter.gather(given, index, dim), np.take_along_axis(cut, index, dim))
            _same_bits(scatter.gather(given, index.astype(np.uint8), dim), np.take_along_axis(cut, index, dim))


@pytest.mark.parametrize("dtype", DTYPES)
def test_scatter_add(dtype: Any) -> None:
    index, values = np.array([[0, 2, 2], [1, 1, 0]]), np.array([[0.1, 0.2, 0.3], [1e8, 1.0, -7.0]], dtype)
    for dim, shape in ((0, (4, 3)), (1, (2, 3)), (1, (5, 4))):
        found, expected = np.zeros(shape, dtype), np.zeros(shape, dtype)
        scatter.scatter_add(found, index, values, dim)
        for at in np.ndindex(2, 3):
            expected[(index[at], at[1]) if dim == 0 else (at[0], index[at])] += values[at]
        _same_bits(found, expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("step", "dilation"), [((1, 1), (1, 1)), ((2, 1), (1, 2)), ((1, 3), (2, 1))])
def test_windows(dtype: Any, step: tuple[int, int], dilation: tuple[int, int]) -> None:
    windows = np.random.default_rng(0).standard_normal((2, 3, 2, 3, 4)).astype(dtype)
    shape = tuple((n - 1) * s + (k - 1) * d + 2 for n, k, s, d in zip((3, 4), (3, 2), step, dilation, strict=True))
    x = np.random.default_rng(1).standard_normal((*shape, 2)).astype(dtype).transpose(2, 0, 1)
    read, added = np.zeros_like(windows), np.zeros((2, *shape), dtype)
    expected, total = np.zeros_like(windows), np.zeros((2, *shape), dtype)
    assert loops.patches(x, read, step, dilation)
    assert loops.unpatches(windows, added, step, dilation)
    for a, i, j, y, z in np.ndindex(*windows.shape):
        at = a, i * dilation[0] + y * step[0], j * dilation[1] + z * step[1]
        expected[a, i, j, y, z] = x[at]
        total[at] += windows[a, i, j, y, z]
    _same_bits(read, expected)
    _same_bits(added, total)
    assert not loops.unpatches(windows.astype(np.int64), added, step, dilation)
