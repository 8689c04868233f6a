"""Memory for arrays that is used again while it is warm: the native side of ``pool.py``.

A block is a header of one cache line and the array's bytes after it, so every array begins on a cache line. Block sizes are eight to an
octave; a free block waits in the list of its size. The interpreter's lock is held whenever numpy allocates or frees: no other is needed.

    header   word 0: number of the block's size, 0 if too large to be kept; word 1: next free block of the size; word 2: its bytes;
             word 3: where the memory begins that the system gave
"""

from __future__ import annotations

from numba import njit

from ..layout import ALIGNED_ALLOC, CAP, COLOR, FREE, HEADER, KEPT, LARGEST, LISTS, MADVISE, MEMCPY, MEMSET, STATE
from .memory import OPTIONS, call1, call2, call3, i64

PAGE = 1 << 21
"""A huge page: blocks of several begin on one, and ask the system for such pages, as numpy's own allocator does."""
HUGE_PAGES = 14  # MADV_HUGEPAGE of Linux
COARSE = 4096
"""Bytes from which blocks get one of ``COLORS`` places, ``STEP`` bytes apart."""
COLORS, STEP = 16, 192


@njit(**OPTIONS)
def _new(state, size):
    unit = 16  # a block has 8 to 15 times a power of two of bytes: at most an eighth is wasted
    octave = 0
    while unit * 15 < size + HEADER:
        unit *= 2
        octave += 1
    eighths = max((size + HEADER + unit - 1) // unit, 8)
    whole = unit * eighths
    index = octave * 8 + eighths - 7
    if whole > LARGEST:
        index = 0
    else:
        block = i64(state)[LISTS + index]
        if block != 0:
            i64(state)[LISTS + index] = i64(block)[1]
            i64(state)[KEPT] -= whole
            return block + HEADER
    color = i64(state)[
        COLOR
    ]  # blocks of a size that began at like places of their pages would push each other out of the cache
    i64(state)[COLOR] = (color + 1) % COLORS
    room = whole if whole < COARSE else whole + COLORS * STEP
    page = PAGE if whole >= 2 * PAGE else 64
    room = (room + page - 1) // page * page
    begin = call2(i64(state)[ALIGNED_ALLOC], page, room)
    if begin == 0:
        return 0
    if page == PAGE:
        call3(i64(state)[MADVISE], begin, room, HUGE_PAGES)
    block = begin if whole < COARSE else begin + color * STEP
    i64(block)[0] = index
    i64(block)[2] = whole
    i64(block)[3] = begin
    return block + HEADER


@njit(**OPTIONS)
def _give_back(state, address):
    block = address - HEADER
    index = i64(block)[0]
    whole = i64(block)[2]
    if index == 0 or i64(state)[KEPT] + whole > i64(state)[CAP]:
        call1(i64(state)[FREE], i64(block)[3])
    else:
        i64(block)[1] = i64(state)[LISTS + index]
        i64(state)[LISTS + index] = block
        i64(state)[KEPT] += whole


def malloc(state, size):
    """Address of so many bytes; 0 if there are none."""
    return _new(state, size)


def calloc(state, count, size):
    """The same, all zeros."""
    address = _new(state, count * size)
    if address != 0:
        call3(i64(state)[MEMSET], address, 0, count * size)
    return address


def realloc(state, address, size):
    """The bytes at ``address`` in a block of another size."""
    if address == 0:
        return _new(state, size)
    room = i64(address - HEADER)[2] - HEADER
    if size <= room:
        return address
    moved = _new(state, size)
    if moved != 0:
        call3(i64(state)[MEMCPY], moved, address, room)
        _give_back(state, address)
    return moved


def free(state, address, size):
    """The array is gone: keep the block for the next of its size, unless enough are kept."""
    if address != 0:
        _give_back(state, address)


def drain(state):
    """Give all kept blocks back to the system."""
    for index in range(LISTS, STATE):
        block = i64(state)[index]
        while block != 0:
            following = i64(block)[1]
            call1(i64(state)[FREE], i64(block)[3])
            block = following
        i64(state)[index] = 0
    i64(state)[KEPT] = 0


KERNELS = {"malloc": malloc, "calloc": calloc, "realloc": realloc, "free": free, "drain": drain}
