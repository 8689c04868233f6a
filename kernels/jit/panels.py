"""Operands of a matrix product brought into the order in which tiles read them.

B as panels: ``panel[vector, k, lane] = b[k, vector * lanes + lane]``, zero beyond the last column (those sums are never written).
A row by row, or column by column if it stands so, next to each other.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from numba import njit

from .memory import OPTIONS, f32, f64, wide
from .tiles import block_transposer, copier, masked_copier

__all__ = ["LINE", "Movers", "movers"]

LINE = 64
RUN = 16
"""Rows of B that are read side by side: more would be more pages than the processor keeps at hand."""


class Movers(NamedTuple):
    """The functions of one type and width; strides in bytes."""

    pack: Any
    """``pack(to, b, b_k, b_column, k, n, k_all)``: k rows and n columns of B to panels that are ``k_all`` rows high."""
    bring: Any
    """``bring(to, a, a_row, a_k, rows, k, pitch)``: rows of A; by columns, ``rows`` elements apart, where ``by_columns``."""
    by_columns: Any
    """``by_columns(a_row, rows)``: whether A stands column by column."""


def movers(bits: int, width: int) -> Movers:
    """The movers for floats of so many bits in registers of so many."""
    transpose, copy_some, copy = block_transposer(bits, width), masked_copier(bits, width), copier(bits, width)
    size, lanes, vector = bits // 8, width // bits, width // 8
    cast: Any = f32 if bits == 32 else f64

    @njit(**OPTIONS)
    def pack(to, b, b_k, b_column, k, n, k_all):
        whole = n // lanes
        if b_column == size:
            for start in range(0, k, RUN):
                stop = min(k, start + RUN)
                for v in range(whole):
                    for i in range(start, stop):
                        copy(to + (v * k_all + i) * vector, b + i * b_k + v * vector)
        elif b_k == size:
            squares = k // lanes * lanes
            for v in range(whole):
                target, source = to + v * k_all * vector, b + v * lanes * b_column
                for i in range(0, squares, lanes):
                    transpose(target + i * vector, vector, source + i * size, b_column)
                for i in range(squares, k):
                    for j in range(lanes):
                        cast(target + i * vector)[j] = cast(source + i * size + j * b_column)[0]
        else:
            whole = 0
        for v in range(whole, (n + lanes - 1) // lanes):
            target, source = to + v * k_all * vector, b + v * lanes * b_column
            here = min(lanes, n - v * lanes)
            for i in range(k):
                for j in range(here):
                    cast(target + i * vector)[j] = cast(source + i * b_k + j * b_column)[0]
                for j in range(here, lanes):
                    cast(target + i * vector)[j] = 0

    @njit(**OPTIONS)
    def by_columns(a_row, rows):
        return a_row == size and 1 < rows <= 2 * lanes

    @njit(**OPTIONS)
    def bring(to, a, a_row, a_k, rows, k, pitch):
        wide()
        if by_columns(a_row, rows):
            for i in range(k):
                t, s = to + i * rows * size, a + i * a_k
                if rows >= lanes:
                    copy(t, s)
                    copy_some(t + vector, s + vector, rows - lanes)
                else:
                    copy_some(t, s, rows)
        elif a_k == size:
            for m in range(rows):
                t, s = cast(to + m * pitch), cast(a + m * a_row)
                for i in range(k):
                    t[i] = s[i]
        else:
            for m in range(rows):
                t, s = cast(to + m * pitch), a + m * a_row
                for i in range(k):
                    t[i] = cast(s + i * a_k)[0]

    return Movers(pack, bring, by_columns)
