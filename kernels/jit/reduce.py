"""Sums, largest and smallest values over one axis, any strides: outer axes, the reduced one, and an inner one that is kept.

Three ways through memory: rows (the reduced axis is contiguous), columns (the inner one is), and scattered values. The reduced axis is
cut into pieces that depend on its length alone; threads share the pieces and outputs, and the pieces' results are combined in their
order, so the bits do not depend on how many threads there are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from .folds import (
    BLOCK,
    add,
    closed,
    columns,
    exact,
    max1,
    maximum,
    min1,
    minimum,
    row_bottom,
    row_sum,
    row_top,
    scattered,
    scattered_sum,
)  # fmt: skip
from .memory import OPTIONS, barrier, data, f32, f64, i64, share, wide
from .vectors import any_of, equal, first_of, load, load_some, splat, unordered

__all__ = ["KERNELS"]

PIECE = 16 * BLOCK
"""Elements of a row that one thread sums."""
STRIP = 128
"""Rows of a column's piece: eight at a time, then sixteen of those after each other."""
CHUNK = 4096
"""Bytes of a row's part whose sums stay in the first cache."""

KERNELS: dict[str, Callable[..., None]] = {}


@njit(inline="always", **OPTIONS)
def _place(number, axes, sizes, strides):
    """Bytes from the first element to number ``number`` of the outer axes."""
    at = 0
    if axes == 1:  # divisions take long
        return number * strides[0]
    for axis in range(axes - 1, -1, -1):
        at += number % sizes[axis] * strides[axis]
        number //= sizes[axis]
    return at


def _reduction(name: str, element: Any, cast: Any, size: int, op: Any, row: Any, single: Any, sums: bool, op1: Any) -> None:
    """Arguments: x, out, scratch (arrays), outputs of the outer axes, length and stride of the reduced axis, of the inner axis,
    number of outer axes, then their sizes and strides. Strides in bytes; out is contiguous, ``(outer, inner)``.

    scratch: float64, one per output and piece. Only where there is more than one piece.
    """
    columns_of = columns(op, element, size)
    width = CHUNK // size

    def reduce(args, tid, nt, team):
        wide()
        block = i64(args)
        x, out, outer, n, step, inner, inner_step, axes = (
            data(block[0]), data(block[1]), block[3], block[4], block[5], block[6], block[7], block[8]
        )  # fmt: skip
        sizes, strides = i64(args + 72), i64(args + 72 + 8 * axes)
        if inner > 1 and inner_step == size:
            pieces, chunks = (n + STRIP - 1) // STRIP, (inner + width - 1) // width
            held = data(block[2]) if pieces > 1 else out
            start, stop = share(outer * pieces * chunks, 1, tid, nt)
            for task in range(start, stop):
                chunk, strip, number = task % chunks, task // chunks % pieces, task // chunks // pieces
                at = x + _place(number, axes, sizes, strides) + strip * STRIP * step + chunk * CHUNK
                to = held + ((number * pieces + strip) * inner + chunk * width) * size
                columns_of(at, min(n - strip * STRIP, STRIP), step, min(inner - chunk * width, width), to)
            if pieces > 1:  # neighbours, neighbours of those, and so on
                barrier(team, tid, nt)
                start, stop = share(outer * chunks, 1, tid, nt)
                line = inner * size
                for task in range(start, stop):
                    chunk, number = task % chunks, task // chunks
                    first = held + number * pieces * line + chunk * CHUNK
                    count = min(inner - chunk * width, width)
                    apart = 1
                    while apart < pieces:
                        for strip in range(0, pieces - apart, 2 * apart):
                            columns_of(first + strip * line, 2, apart * line, count, first + strip * line)
                        apart *= 2
                    columns_of(first, 1, line, count, out + (number * inner + chunk * width) * size)
            return
        pieces = (n + PIECE - 1) // PIECE
        outputs = outer * inner
        held = f64(data(block[2])) if pieces > 1 else f64(out)
        start, stop = share(outputs * pieces, 1, tid, nt)
        for task in range(start, stop):
            piece, output, number, column = 0, task, task, 0
            if pieces > 1:
                piece, output = task % pieces, task // pieces
                number = output
            if inner > 1:
                number, column = output // inner, output % inner
            at = x + _place(number, axes, sizes, strides) + column * inner_step + piece * PIECE * step
            count = min(n - piece * PIECE, PIECE)
            value = row(at, count) if step == size else single(at, count, step)
            if pieces > 1:
                held[task] = value
            else:
                cast(out)[output] = value
        if pieces > 1:
            barrier(team, tid, nt)
            start, stop = share(outputs, 1, tid, nt)
            for output in range(start, stop):
                high = held[output * pieces]
                low = 0.0
                for piece in range(1, pieces):
                    value = held[output * pieces + piece]
                    if sums:
                        high, low = exact(high, low, value)
                    else:
                        high = op1(high, value)
                cast(out)[output] = closed(high, low)

    KERNELS[name] = reduce


def _argument(name: str, element: Any, cast: Any, size: int, top: Any, op1: Any) -> None:
    """Arguments: x, out (arrays; out of int64), scratch (float64, one per row and piece), rows, n, bytes from row to row of x.

    The place of each row's best value, the first of equals; NaN is the best. The value is found first, then looked for in its piece.
    """
    lanes = 64 // size
    zero = element(0)

    @njit(**OPTIONS)
    def find(x, n, best):
        wanted = splat(element(best))
        i = 0
        while i < n:
            value = load(zero, x + i * size) if i + lanes <= n else load_some(zero, x + i * size, n - i)
            there = unordered(value, value) if best != best else equal(value, wanted)
            if any_of(there):
                return i + first_of(there)
            i += lanes
        return 0

    def argument(args, tid, nt, team):
        wide()
        block = i64(args)
        x, out, held, rows, n, step = data(block[0]), i64(data(block[1])), f64(data(block[2])), block[3], block[4], block[5]
        pieces = (n + PIECE - 1) // PIECE
        start, stop = share(rows * pieces, 1, tid, nt)
        for task in range(start, stop):
            row, piece = task // pieces, task % pieces
            at, count = x + row * step + piece * PIECE * size, min(n - piece * PIECE, PIECE)
            best = top(at, count)
            if pieces > 1:
                held[task] = best
            else:
                out[row] = find(at, count, best)
        if pieces > 1:
            barrier(team, tid, nt)
            start, stop = share(rows, 1, tid, nt)
            for row in range(start, stop):
                chosen = 0
                for piece in range(1, pieces):
                    old = held[row * pieces + chosen]
                    new = held[row * pieces + piece]
                    if op1(old, new) != old and old == old:
                        chosen = piece
                at = chosen * PIECE
                out[row] = at + find(x + row * step + at * size, min(n - at, PIECE), held[row * pieces + chosen])

    KERNELS[name] = argument


for _name, _element, _cast, _size in (("f32", np.float32, f32, 4), ("f64", np.float64, f64, 8)):
    _top, _bottom = row_top(_element, _size), row_bottom(_element, _size)
    _reduction(f"sum_{_name}", _element, _cast, _size, add, row_sum(_element, _size), scattered_sum(_cast), True, max1)
    _reduction(f"max_{_name}", _element, _cast, _size, maximum, _top, scattered(max1, _cast), False, max1)
    _reduction(f"min_{_name}", _element, _cast, _size, minimum, _bottom, scattered(min1, _cast), False, min1)
    _argument(f"argmax_{_name}", _element, _cast, _size, _top, max1)
    _argument(f"argmin_{_name}", _element, _cast, _size, _bottom, min1)
