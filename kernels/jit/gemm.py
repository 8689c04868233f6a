"""The matrix product ``out = a @ b`` over the tiles of ``tiles.py``.

Each thread computes its own part of the result without waiting for others, whole columns or whole rows of it: block by block of B,
brought into the second cache in the order in which tiles read it (unless the caller had it packed, or too few rows would use it),
tile by tile of rows of A, read where they stand if they stand well. Every sum runs over k in order, in one chain of fused
multiply-adds: the same bits whatever the tile, the block and the number of threads. (Goto and van de Geijn, "Anatomy of
high-performance matrix multiplication", ACM TOMS 34, 2008, with the parts of A and B exchanged.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

from ..layout import BLOCK, K_BYTES, PLACE
from .memory import HEAD, OPTIONS, PAYLOAD, call4, data, f64, i64, shape, stride
from .panels import LINE, movers
from .tiles import TILES, call_tile, family

__all__ = ["KERNELS", "TEXTS"]

DIRECT_ROWS = 1
"""Tiles of rows up to which B is read where it stands: packing would cost more than it brings."""
DIRECT_K = 32
"""Rows of B that are then read side by side, at most as many as the processor has pages at hand."""
WORTH_BRINGING = 8
"""Vectors of columns from which rows of A that stand badly are brought together first."""
TERMS = 6
"""Of a cost in ``gates.GEMM``."""
WAY = 4096
"""Bytes after which addresses meet again in the first cache: rows so far apart would drive each other out."""


@njit(**OPTIONS)
def _ceil(a, b):
    return (a + b - 1) // b


@njit(**OPTIONS)
def _dims(array):
    return i64(array)[HEAD // 8 + 1] & 0xFFFFFFFF


def _products(bits: int, width: int) -> tuple[Callable[..., None], Callable[..., None]]:
    """The kernels of floats of so many bits in registers of so many: the product, and packing B beforehand."""
    move = movers(bits, width)
    pack, bring, by_columns = move.pack, move.bring, move.by_columns
    most_rows, most_vectors = TILES[width]
    size, lanes, vector = bits // 8, width // bits, width // 8
    k_most = K_BYTES // size
    stagger = LINE + 7 * size  # neighbouring rows reach the end of a cache line at different k

    @njit(**OPTIONS)
    def strip(tile, rows, a, a_row, a_k, b, b_vector, b_k, c, c_row, k, n, vectors, add):
        """Tiles of the same rows, over all vectors of a block."""
        for v in range(0, vectors, most_vectors):
            some = min(most_vectors, vectors - v)
            call_tile(
                tile, rows, some, a, a_row, a_k, b + v * b_vector, b_vector, b_k, c + v * vector, c_row, k, n - v * lanes, add
            )

    @njit(**OPTIONS)
    def part(tile, a, a_row, a_k, b, b_k, b_column, packed, c, c_row, m0, m1, v0, v1, n, k, add, bias, finish, place):
        """Rows m0 to m1, vectors v0 to v1 of one product."""
        tiles = _ceil(m1 - m0, most_rows)
        direct = packed == 0 and b_column == size and tiles <= DIRECT_ROWS and n >= v1 * lanes
        k_blocks = max(1, _ceil(k, DIRECT_K if direct else k_most))
        k_high = _ceil(k, k_blocks)
        groups = _ceil(v1 - v0, most_vectors)
        blocks = _ceil(groups, max(1, BLOCK // (max(1, k_high) * vector * most_vectors)))
        a_place = place + BLOCK
        pitch = _ceil(k_high * size, LINE) * LINE + stagger
        for j in range(blocks):
            j0 = v0 + groups * j // blocks * most_vectors
            j1 = min(v1, v0 + groups * (j + 1) // blocks * most_vectors)
            columns = min(n, j1 * lanes) - j0 * lanes
            for i in range(k_blocks):
                k0 = k * i // k_blocks
                depth = k * (i + 1) // k_blocks - k0
                if packed != 0:
                    b_at, b_vector, b_step = b + (j0 * k + k0) * vector, k * vector, vector
                elif direct:
                    b_at, b_vector, b_step = b + k0 * b_k + j0 * vector, vector, b_k
                else:
                    b_at, b_vector, b_step = place, depth * vector, vector
                    pack(place, b + k0 * b_k + j0 * lanes * b_column, b_k, b_column, depth, columns, depth)
                for t in range(tiles):
                    r0 = m0 + (m1 - m0) * t // tiles
                    rows = m0 + (m1 - m0) * (t + 1) // tiles - r0
                    a_at, row_step, k_step = a + r0 * a_row + k0 * a_k, a_row, a_k
                    if j1 - j0 >= WORTH_BRINGING and not direct and (a_k != size or a_row % WAY == 0):
                        bring(a_place, a_at, a_row, a_k, rows, depth, pitch)
                        a_at, row_step, k_step = a_place, pitch, size
                        if by_columns(a_row, rows):
                            row_step, k_step = size, rows * size
                    c_at = c + r0 * c_row + j0 * vector
                    more = 1 if i > 0 else add
                    strip(
                        tile, rows, a_at, row_step, k_step, b_at, b_vector, b_step, c_at, c_row, depth, columns, j1 - j0, more
                    )
                    if finish != 0 and i == k_blocks - 1:
                        call4(finish, c_at, c_row, rows << 32 | columns, 0 if bias == 0 else bias + j0 * vector)

    def product(args, tid, nt, team):
        """args: a, b, out (arrays; b the panels' address if packed), whether packed, whether to add to out, bias, finish, place, tiles."""
        words = i64(args)
        a, b, c, packed, add = words[0], words[1], words[2], words[3], words[4]
        bias, finish, place, tile = words[5], words[6], words[7], words[8]
        place += tid * PLACE
        a_dims, b_dims, c_dims = _dims(a), 2, _dims(c)
        b_data, b_k, b_column = b, 0, 0
        if packed == 0:
            b_dims = _dims(b)
            b_data, b_k, b_column = data(b), stride(b, b_dims - 2), stride(b, b_dims - 1)
        m, n, k = shape(c, c_dims - 2), shape(c, c_dims - 1), shape(a, a_dims - 1)
        a_row, a_k, c_row = stride(a, a_dims - 2), stride(a, a_dims - 1), stride(c, c_dims - 2)
        count = 1
        for i in range(c_dims - 2):
            count *= shape(c, i)
        vectors = _ceil(n, lanes)
        # columns are the better part, because a thread then reads its own share of B alone: rows if they are shared more evenly
        columnwise = _ceil(count * vectors, nt) * m * 8 <= _ceil(count * m, nt) * vectors * 9
        length = vectors if columnwise else m
        start, stop = count * length * tid // nt, count * length * (tid + 1) // nt
        while start < stop:
            which = start // length
            low = start - which * length
            high = min(length, low + stop - start)
            start += high - low
            a_at, b_at, c_at = data(a), b_data, data(c)
            for i in range(c_dims - 3, -1, -1):
                index = which % shape(c, i)
                which //= shape(c, i)
                c_at += index * stride(c, i)
                a_axis, b_axis = i + a_dims - c_dims, i + b_dims - c_dims
                if a_axis >= 0 and shape(a, a_axis) > 1:
                    a_at += index * stride(a, a_axis)
                if b_axis >= 0 and shape(b, b_axis) > 1:
                    b_at += index * stride(b, b_axis)
            m0, m1, v0, v1 = (0, m, low, high) if columnwise else (low, high, 0, vectors)
            part(
                tile, a_at, a_row, a_k, b_at, b_k, b_column, packed, c_at, c_row, m0, m1, v0, v1, n, k, add, bias, finish, place
            )

    def panels(args, tid, nt, team):
        """args: b (array of two dims), address of the panels."""
        b, to = i64(args)[0], i64(args)[1]
        k, n, b_k, b_column = shape(b, 0), shape(b, 1), stride(b, 0), stride(b, 1)
        vectors = _ceil(n, lanes)
        low, high = vectors * tid // nt, vectors * (tid + 1) // nt
        if low < high:
            source = data(b) + low * lanes * b_column
            pack(to + low * k * vector, source, b_k, b_column, k, min(n, high * lanes) - low * lanes, k)

    return product, panels


# ---- the gate ----


@njit(**OPTIONS)
def _cost(terms, padded, m, k):
    """Nanoseconds of one product by the terms of ``gates.GEMM``, the call left out."""
    return padded * k * (m * terms[1] + terms[2]) + m * (k * terms[3] + padded * terms[4]) + padded * terms[5]


def wins(self, args, count):
    """Python's builtin function ``wins(a, b)``: whether the kernel is the better way to multiply two arrays (``gates.GEMM``).

    self: a bytes object of ``gemm.py``: addresses of numpy.ndarray, float32, float64, True and False, then ``PRODUCT``, ``SMALL``,
    ``SHARED``, bits of a register and all terms.
    """
    words, table = i64(self + PAYLOAD), self + PAYLOAD + 9 * 8
    answer = words[4]
    a, b = i64(args)[0], i64(args)[1]
    if count == 2 and i64(a)[1] == words[0] and i64(b)[1] == words[0] and i64(a)[HEAD // 8 + 5] == i64(b)[HEAD // 8 + 5]:
        double = i64(a)[HEAD // 8 + 5] == words[2]
        a_dims, b_dims = _dims(a), _dims(b)
        if (double or i64(a)[HEAD // 8 + 5] == words[1]) and a_dims >= 2 and b_dims >= 2:
            m, k, n = shape(a, a_dims - 2), shape(a, a_dims - 1), shape(b, b_dims - 1)
            batches = 1
            for i in range(max(a_dims, b_dims) - 2):  # the dimensions in front, from the last
                size = shape(a, a_dims - 3 - i) if i < a_dims - 2 else 1
                other = shape(b, b_dims - 3 - i) if i < b_dims - 2 else 1
                batches *= other if size == 1 else size
            if b_dims == 2 and i64(a)[HEAD // 8 + 6] & 1 != 0:  # C-contiguous: one tall product
                m, batches = m * batches, 1
            work = m * n * k
            if m >= 2 and n >= 2 and batches * work > words[5]:  # matrix times vector reads each number once
                size = 8 if double else 4
                lanes = words[8] // 8 // size
                rows = stride(b, b_dims - 1) == size
                ours = table + 8 * 3 * TERMS * ((2 if double else 0) + (0 if rows else 1))
                blas = ours + 8 * (TERMS if work <= words[6] else 2 * TERMS)
                mine = f64(ours)[0] + batches * _cost(f64(ours), _ceil(n, lanes) * lanes, m, k)
                theirs = batches * (f64(blas)[0] + _cost(f64(blas), n, m, k))
                alone = words[6] if rows and stride(a, a_dims - 1) == size else words[7]
                if mine < theirs or work > alone:
                    answer = words[3]
    i64(answer)[0] += 1  # a new reference; the lock is held
    return answer


KERNELS: dict[str, Callable[..., Any]] = {"wins": wins}
TEXTS: dict[str, Callable[[str], str]] = {}
for _bits in (32, 64):
    for _width in TILES:
        KERNELS[f"product_f{_bits}_{_width}"], KERNELS[f"panels_f{_bits}_{_width}"] = _products(_bits, _width)
        TEXTS[f"tiles_f{_bits}_{_width}"] = lambda symbol, bits=_bits, width=_width: family(bits, width, symbol)
