"""Rows looked up in a table, rows added into a table, and running sums. An index holds places that exist: nothing is checked here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from .memory import OPTIONS, data, f32, f64, i64, share, wide
from .vectors import load, load_some, store, store_some

__all__ = ["KERNELS"]

LINE = 128
"""Bytes of a row from which threads share its columns: the two cache lines that the processor fetches together."""

KERNELS: dict[str, Callable[..., None]] = {}


def _tables(name: str, element: Any, size: int) -> None:
    lanes = 64 // size
    zero = element(0)

    @njit(inline="always", **OPTIONS)
    def copied(x, to, n):
        i = 0
        while i + lanes <= n:
            store(to + i * size, load(zero, x + i * size))
            i += lanes
        if i < n:
            store_some(to + i * size, load_some(zero, x + i * size, n - i), n - i)

    @njit(inline="always", **OPTIONS)
    def added(x, to, n):
        i = 0
        while i + lanes <= n:
            store(to + i * size, load(zero, to + i * size) + load(zero, x + i * size))
            i += lanes
        if i < n:
            store_some(to + i * size, load_some(zero, to + i * size, n - i) + load_some(zero, x + i * size, n - i), n - i)

    def take(args, tid, nt, team):
        """Arguments: table, index, out (arrays; index of int64), rows wanted, columns, bytes from row to row of the table."""
        wide()
        block = i64(args)
        table, index, out, rows, n, step = data(block[0]), i64(data(block[1])), data(block[2]), block[3], block[4], block[5]
        start, stop = share(rows, 1, tid, nt)
        for row in range(start, stop):
            copied(table + index[row] * step, out + row * n * size, n)

    def put(args, tid, nt, team):
        """Arguments: table, index, rows (arrays; index of int64), number of rows, columns, bytes from row to row of the table and of
        the rows, length of the table. A thread owns columns of the table, or rows where those are short, and adds in the index' order.
        """
        wide()
        block = i64(args)
        table, index, rows, count, n = data(block[0]), i64(data(block[1])), data(block[2]), block[3], block[4]
        table_step, step, length = block[5], block[6], block[7]
        if n * size >= LINE * nt:
            start, stop = share(n, LINE // size, tid, nt)
            table += start * size
            rows += start * size
            for row in range(count):
                added(rows + row * step, table + index[row] * table_step, stop - start)
        else:
            start, stop = share(length, 1, tid, nt)
            for row in range(count):
                if start <= index[row] < stop:
                    added(rows + row * step, table + index[row] * table_step, n)

    KERNELS[f"take_{name}"] = take
    KERNELS[f"put_{name}"] = put


def _sums(name: str, cast: Any) -> None:
    def cumsum(args, tid, nt, team):
        """Arguments: x, out (arrays), rows, n, bytes from row to row and from element to element of x. Sums are float64; four rows at
        a time, since a sum waits for the one before."""
        wide()
        block = i64(args)
        x, out, rows, n, step, apart = data(block[0]), cast(data(block[1])), block[2], block[3], block[4], block[5]
        start, stop = share(rows, 4, tid, nt)
        row = start
        while row + 4 <= stop:
            a = b = c = d = 0.0
            at, to = x + row * step, row * n
            for _ in range(n):
                a += cast(at)[0]
                b += cast(at + step)[0]
                c += cast(at + 2 * step)[0]
                d += cast(at + 3 * step)[0]
                out[to] = a
                out[to + n] = b
                out[to + 2 * n] = c
                out[to + 3 * n] = d
                at += apart
                to += 1
            row += 4
        while row < stop:
            a = 0.0
            for i in range(n):
                a += cast(x + row * step + i * apart)[0]
                out[row * n + i] = a
            row += 1

    KERNELS[f"cumsum_{name}"] = cumsum


for _name, _element, _cast, _size in (("f32", np.float32, f32, 4), ("f64", np.float64, f64, 8)):
    _tables(_name, _element, _size)
    _sums(_name, _cast)
