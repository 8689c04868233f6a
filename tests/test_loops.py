"""Compiled loops beside numpy: the same bits, whatever the values, layouts and dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tinygrad_notes.kernels import loops, scatter

pytestmark = pytest.mark.skipif(loops.jitted("choose") is None, reason="Numba is not installed or switched off")
DTYPES = [np.float32, np.float64]


@pytest.fixture(autouse=True)
def _every_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "GATE", 0)


def _values(*shape: int, dtype: Any) -> np.ndarray:
    rng = np.random.default_rng(len(shape))
    edges = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-42, -3.5, 2.0, 2.0])
    return rng.choice(edges, shape).astype(dtype)


def _same_bits(a: Any, b: Any) -> None:
    assert (a.dtype, a.shape) == (b.dtype, b.shape)
    assert np.ascontiguousarray(a).tobytes() == np.ascontiguousarray(b).tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
def test_choose(dtype: Any) -> None:
    x, y = _values(6, 7, dtype=dtype), _values(7, 6, dtype=dtype).T
    condition = np.random.default_rng(0).random((6, 7)) < 0.5
    for c, a, b in ((condition, x, y), (condition[:1], x, y[:, :1]), (condition, 0, y), (condition.T, x.T, -0.0),
                    (condition[::2, ::-1], x[::2], y[::2]), (condition, np.array(2, dtype), y)):  # fmt: skip
        _same_bits(loops.choose(c, a, b), np.where(c, a, b))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("keepdims", [False, True])
def test_argmax(dtype: Any, keepdims: bool) -> None:
    x = _values(3, 4, 5, dtype=dtype)
    for axis in range(3):
        for given in (x, x.transpose(2, 0, 1), np.where(np.isnan(x), 0, x)):
            _same_bits(loops.argmax(given, axis, keepdims), np.argmax(given, axis=axis, keepdims=keepdims))


@pytest.mark.parametrize("dtype", DTYPES)
def test_scatter_add(dtype: Any) -> None:
    index, values = np.array([[0, 2, 2], [1, 1, 0]]), np.array([[0.1, 0.2, 0.3], [1e8, 1.0, -7.0]], dtype)
    found, expected = np.zeros((4, 3), dtype), np.zeros((4, 3), dtype)
    scatter.scatter_add(found, index, values, 0)
    for at in np.ndindex(2, 3):
        expected[index[at], at[1]] += values[at]
    _same_bits(found, expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("step", "dilation"), [((1, 1), (1, 1)), ((2, 1), (1, 2)), ((1, 3), (2, 1))])
def test_unpatches(dtype: Any, step: tuple[int, int], dilation: tuple[int, int]) -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 2, 3, 4)).astype(dtype)
    shape = tuple((n - 1) * s + (k - 1) * d + 2 for n, k, s, d in zip((3, 4), (3, 2), step, dilation, strict=True))
    found, expected = np.zeros((2, *shape), dtype), np.zeros((2, *shape), dtype)
    assert loops.unpatches(x, found, step, dilation)
    for a, i, j, y, z in np.ndindex(*x.shape):
        expected[a, i * dilation[0] + y * step[0], j * dilation[1] + z * step[1]] += x[a, i, j, y, z]
    _same_bits(found, expected)
    assert not loops.unpatches(x.astype(np.int64), found, step, dilation)
