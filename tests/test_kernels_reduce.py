"""Reductions: at least as accurate as numpy's, any axes and strides, numpy's edges, the same bits for any number of threads."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from tinygrad_notes.kernels import calls, gates, native, reduce

import tinygrad_notes as tn

Array = np.ndarray[Any, Any]

needs_kernels = pytest.mark.skipif(not native.available(), reason="no kernels on this machine, or switched off")
DTYPES = ("f4", "f8")
PAIRS = ((reduce.sum, np.sum), (reduce.max, np.max), (reduce.min, np.min))


@pytest.fixture(params=[pytest.param("kernels", marks=needs_kernels), "numpy"], autouse=True)
def path(request: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Every test runs on the kernels, whatever the size, and on numpy; and it is checked which of them ran."""
    monkeypatch.setattr(gates, "REDUCE", dict.fromkeys(gates.REDUCE, 1 if request.param == "kernels" else 10**12))
    monkeypatch.setattr(gates, "SHORT", 0)
    ran: list[str] = []

    def listening(room: str, name: str, form: str) -> Callable[..., None] | None:
        ran.append(name)
        return calls.kernel(room, name, form)

    monkeypatch.setattr(reduce, "kernel", listening)
    before = tn.get_num_threads()
    with np.errstate(all="ignore"):
        yield request.param
    tn.set_num_threads(before)
    assert bool(ran) == (request.param == "kernels")


def subsets(rank: int) -> list[tuple[int, ...]]:
    return [axes for k in range(1, rank + 1) for axes in itertools.combinations(range(rank), k)]


def views(dtype: str) -> list[Array]:
    base = np.random.default_rng(0).standard_normal((6, 5, 4, 37)).astype(dtype)
    return [
        base, base.T, base[::-1, :, ::2], base[..., ::-3], base[:, 2], base.transpose(2, 0, 3, 1), base[0, 0, 0], base[0, 0, :, 0],
        np.broadcast_to(base[0, 0], (3, 4, 37)), base[:, :1], base[..., :1], base[:1, :1, :1, :1], base[:, ::-1, :, 3], base[..., :17],
        np.asfortranarray(base)[1:, ::-1], base.reshape(-1),
    ]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
def test_any_axes_and_strides(dtype: str) -> None:
    for x in views(dtype):
        for over in subsets(x.ndim):
            for keepdims in (False, True):
                wide = x.astype("f8").sum(over, keepdims=keepdims)
                found = reduce.sum(x, over, keepdims)
                assert found.dtype == x.dtype
                np.testing.assert_allclose(found, wide, rtol=0, atol=20 * np.finfo(dtype).eps * np.abs(x).sum(over).max())
                for ours, theirs in PAIRS[1:]:
                    np.testing.assert_array_equal(ours(x, over, keepdims), theirs(x, axis=over, keepdims=keepdims))
        for axis in (*range(x.ndim), -1, None):
            for keepdims in (False, True):
                np.testing.assert_array_equal(reduce.argmax(x, axis, keepdims), np.argmax(x, axis, keepdims=keepdims))
                np.testing.assert_array_equal(reduce.argmin(x, axis, keepdims), np.argmin(x, axis, keepdims=keepdims))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "shape", [(1,), (7,), (129,), (1025,), (100_003,), (1000, 3), (3000, 40), (9, 1200), (257, 1100)], ids=str
)
def test_sums_are_no_worse_than_numpys_pairwise(shape: tuple[int, ...], dtype: str, path: str) -> None:
    """Along the last axis numpy adds in pairs, along the first one after the other: measured against long double, and the bound."""
    x = np.random.default_rng(1).random(shape).astype(dtype)
    eps = np.finfo(dtype).eps / 2
    for over in subsets(x.ndim):
        exact = x.astype(np.longdouble).sum(over)
        length = x.size // exact.size
        additions = min(length, 16) + 8 + np.log2(1 + length / 128)  # numpy's bound: 128 in eight sums, pairs above
        error = np.abs(reduce.sum(x, over) - exact)
        if path == "numpy" and 0 in over and x.ndim > 1:
            continue
        assert np.all(error <= 1.01 * additions * eps * np.abs(x).astype(np.longdouble).sum(over))
        assert error.max() <= np.abs(x.sum(over) - exact).max() + 4 * eps * exact.max()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(5, 40), (300, 20), (20_000,)], ids=str)
@pytest.mark.parametrize(
    "values", [(np.nan,), (np.inf,), (-np.inf,), (np.inf, -np.inf), (np.nan, np.inf), (np.nan, np.nan)], ids=str
)
def test_infinite_and_missing_values(values: tuple[float, ...], shape: tuple[int, ...], dtype: str) -> None:
    rng = np.random.default_rng(2)
    for _ in range(5):
        x = rng.standard_normal(shape).astype(dtype)
        x.reshape(-1)[rng.integers(0, x.size, len(values))] = values
        for y in (x, x[..., ::2], x.T):
            for over in subsets(x.ndim):
                for ours, theirs in PAIRS:
                    np.testing.assert_allclose(ours(y, over), theirs(y, axis=over), rtol=1e-4, atol=1e-4)
            np.testing.assert_array_equal(reduce.argmax(y, -1), np.argmax(y, -1))
            np.testing.assert_array_equal(reduce.argmin(y), np.argmin(y))


def test_equal_values_are_found_at_the_first(path: str) -> None:
    for n in (1, 20, 16_384, 16_385, 50_000):
        x = np.zeros((2, n), "f4")
        assert reduce.argmax(x, 1).tolist() == reduce.argmin(x, 1).tolist() == [0, 0]
        x[1, n // 2 :] = 1
        assert reduce.argmax(x, 1).tolist() == [0, n // 2]
        x[0, n - 1] = x[1, n // 3] = np.nan
        assert reduce.argmax(x, 1).tolist() == reduce.argmin(x, 1).tolist() == [n - 1, n // 3]


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_same_bits_for_any_number_of_threads(dtype: str) -> None:
    arrays = [
        np.random.default_rng(3).standard_normal(shape).astype(dtype) for shape in ((200_003,), (2001, 130), (40, 30, 50))
    ]
    found = []
    for number in (1, 2, 3):
        tn.set_num_threads(number)
        results = [f(x, over) for x in arrays for over in subsets(x.ndim) for f, _ in PAIRS]
        results += [f(x, axis) for x in arrays for axis in (None, -1) for f in (reduce.argmax, reduce.argmin)]
        found.append(b"".join(a.tobytes() for a in results))
    assert found[0] == found[1] == found[2]


def test_empty_and_single_values() -> None:
    reduce.sum(np.ones(3), (0,))  # so that a kernel has run
    assert reduce.sum(np.empty((3, 0)), (1,)).tolist() == [0, 0, 0]
    assert reduce.sum(np.empty((0, 3)), (1,), True).shape == (0, 1)
    with pytest.raises(ValueError, match="zero-size array"):
        reduce.max(np.empty((3, 0)), (1,))
    assert reduce.max(np.array(4.0), ()) == 4
    assert reduce.sum(np.full((1, 1), 4.0), (0, 1)) == 4
    assert reduce.argmax(np.array(4.0)) == 0


def test_axes_in_any_order() -> None:
    x = np.random.default_rng(4).standard_normal((3, 4, 5, 6))
    for over in itertools.permutations(range(4), 3):
        np.testing.assert_array_equal(reduce.max(x, over), x.max(over))
