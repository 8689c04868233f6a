"""Rows looked up, rows added, running sums: numpy's values, the order of the index, the same bits for any number of threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from tinygrad_notes.kernels import calls, gates, native, scatter

import tinygrad_notes as tn

Array = np.ndarray[Any, Any]

needs_kernels = pytest.mark.skipif(not native.available(), reason="no kernels on this machine, or switched off")
DTYPES = ("f4", "f8")
WIDTHS = (1, 3, 16, 17, 64, 65, 300)


@pytest.fixture(params=[pytest.param("kernels", marks=needs_kernels), "numpy"], autouse=True)
def path(request: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Every test runs on the kernels, whatever the size, and on numpy; and it is checked which of them ran."""
    for gate in ("TAKE", "PUT", "CUMSUM"):
        monkeypatch.setattr(gates, gate, 1 if request.param == "kernels" else 10**12)
    ran: list[str] = []

    def listening(room: str, name: str, form: str) -> Callable[..., None] | None:
        ran.append(name)
        return calls.kernel(room, name, form)

    monkeypatch.setattr(scatter, "kernel", listening)
    before = tn.get_num_threads()
    yield request.param
    tn.set_num_threads(before)
    assert bool(ran) == (request.param == "kernels")


def added(out: Array, index: Array, rows: Array) -> Array:
    """One after the other."""
    out = out.copy()
    for place, row in zip(index, rows, strict=True):
        out[place] += row
    return out


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", WIDTHS)
def test_rows_are_added_in_the_order_of_the_index(width: int, dtype: str, path: str) -> None:
    rng = np.random.default_rng(width)
    index, rows = rng.integers(0, 7, 50), rng.standard_normal((50, width)).astype(dtype)
    out = rng.standard_normal((7, width)).astype(dtype)
    want = added(out, index, rows)
    for number in (1, 2, 3):
        tn.set_num_threads(number)
        found = out.copy()
        scatter.add_rows(found, index, rows, direct=True)
        if path == "kernels":
            assert found.tobytes() == want.tobytes()
        np.testing.assert_allclose(found, want, rtol=0, atol=64 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", DTYPES)
def test_many_rows_on_any_number_of_threads(dtype: str) -> None:
    rng = np.random.default_rng(0)
    for width in (5, 40, 300):
        index, rows = rng.integers(0, 1000, 6000), rng.standard_normal((6000, width)).astype(dtype)
        found = []
        for number in (1, 2, 3):
            tn.set_num_threads(number)
            out = np.zeros((1000, width), dtype)
            scatter.add_rows(out, index, rows, direct=True)
            found.append(out.tobytes() + scatter.take_rows(rows, index).tobytes() + scatter.cumsum(rows).tobytes())
        assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("dtype", DTYPES)
def test_any_strides_and_ranks(dtype: str) -> None:
    rng = np.random.default_rng(1)
    index = rng.integers(0, 6, 11)
    values = rng.standard_normal((11, 4, 10)).astype(dtype)
    out = rng.standard_normal((6, 4, 10)).astype(dtype)
    for pick in (np.s_[:], np.s_[:, 1], np.s_[:, :, 3], np.s_[:, ::2], np.s_[:, :, ::-1], np.s_[:, 0, 0], np.s_[:, 1:2, :]):
        want, found = added(out[pick], index, values[pick]), out.copy()
        scatter.add_rows(found[pick], index.astype("i4"), values[pick], direct=True)
        np.testing.assert_allclose(found[pick], want, rtol=0, atol=32 * np.finfo(dtype).eps)
    flat = rng.standard_normal((8, 4)).astype(dtype).T  # not row by row
    want = added(flat, index % 4, values[:, 0, :8])
    scatter.add_rows(flat, index % 4, values[:, 0, :8], direct=True)
    np.testing.assert_allclose(flat, want, rtol=0, atol=32 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", WIDTHS)
def test_rows_looked_up(width: int, dtype: str) -> None:
    rng = np.random.default_rng(width)
    index, table = rng.integers(0, 7, 50), rng.standard_normal((7, width)).astype(dtype)
    for found, wanted in (
        (table, index),
        (table[::-2], index % 4),
        (table.T.copy().T, index),
        (table, index[::3]),
        (table[:, ::2], index),
    ):
        np.testing.assert_array_equal(scatter.take_rows(found, wanted), found[wanted])


@pytest.mark.parametrize("dtype", DTYPES)
def test_running_sums(dtype: str) -> None:
    x = np.random.default_rng(2).standard_normal((9, 70)).astype(dtype)
    x[3, 5], x[4, 6], x[8, 3] = np.inf, np.nan, -np.inf
    for y in (x, x[:1], x[:, :1], x[::-1, ::-2], x.T, x[::2]):
        np.testing.assert_array_equal(scatter.cumsum(y), np.cumsum(y, 1, dtype="f8").astype(dtype))


def test_nothing_to_do() -> None:
    scatter.cumsum(np.ones((1, 3)))  # so that a kernel has run
    out = np.ones((4, 3))
    scatter.add_rows(out, np.empty(0, int), np.empty((0, 3)))
    assert (out == 1).all()
    assert scatter.take_rows(out, np.empty(0, int)).shape == (0, 3)
    assert scatter.cumsum(np.empty((0, 3))).shape == (0, 3)
