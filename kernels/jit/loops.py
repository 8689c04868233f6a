"""Loops of ufuncs from scalar functions: ``loop1(f, ...)`` maps one array, ``loop2(f, ...)`` zips two.

numpy calls ``loop(args, dims, steps, data)``: addresses of the operands' pointers, the number of elements, the steps in bytes,
and of two words: the team and the loop itself (``ufuncs.py``). Contiguous operands take a loop that LLVM turns into vector
instructions; long ones are shared with the team, whose threads call the same function with an odd address and their number:
``loop(block + 1, tid, nt, team)``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

from ..layout import CACHE
from .memory import OPTIONS, f32, f64, flush, i64, load, share, space, wide
from .team import launch
from .vectors import load as load_vector
from .vectors import load_some, splat, store, store_some, stream

__all__ = ["loop1", "loop2", "loop3"]

UNIT = 256
"""Elements that no split divides: whole vectors and cache lines."""
SIZES = {f32: 4, f64: 8}


def loop1(f: Callable[[Any], Any], cast: Any, cost: int) -> Callable[[int, int, int, int], None]:
    """The loop of ``y = f(x)``. cast: ``f32`` or ``f64``; cost: cycles that 16 elements take."""
    size = SIZES[cast]

    @njit(**OPTIONS)
    def strided(n, x, dx, y, dy):
        for i in range(n):
            cast(y + i * dy)[0] = f(cast(x + i * dx)[0])

    def loop(args, dims, steps, data):
        wide()
        if args & 1:
            block = i64(args - 1)
            start, stop = share(block[2], UNIT, dims, steps)
            xa, ya = block[0], block[1]
        else:
            start, stop = 0, i64(dims)[0]
            xa, ya = i64(args)[0], i64(args)[1]
            if i64(steps)[0] != size or i64(steps)[1] != size:
                strided(stop, xa, i64(steps)[0], ya, i64(steps)[1])
                return
            work = stop * cost >> 4
            if work > WORTH:
                words = space(3)
                i64(words)[0], i64(words)[1], i64(words)[2] = xa, ya, stop
                launch(i64(data)[0], i64(data)[1], words + 1, work)
                return
        x = cast(xa)
        y = cast(ya)
        if xa == ya:  # one pointer: LLVM need not ask whether two overlap
            for i in range(start, stop):
                y[i] = f(y[i])
        else:
            for i in range(start, stop):
                y[i] = f(x[i])

    return loop


def loop2(f: Callable[[Any, Any], Any], cast: Any, cost: int) -> Callable[[int, int, int, int], None]:
    """The loop of ``z = f(x, y)``, where x or y may also be one value for all."""
    size = SIZES[cast]

    @njit(**OPTIONS)
    def strided(n, x, dx, y, dy, z, dz):
        for i in range(n):
            cast(z + i * dz)[0] = f(cast(x + i * dx)[0], cast(y + i * dy)[0])

    def loop(args, dims, steps, data):
        wide()
        if args & 1:
            block = i64(args - 1)
            start, stop = share(block[3], UNIT, dims, steps)
            xa, ya, za = block[0], block[1], block[2]
        else:
            start, stop = 0, i64(dims)[0]
            xa, ya, za = i64(args)[0], i64(args)[1], i64(args)[2]
            if i64(steps)[0] != size or i64(steps)[1] != size or i64(steps)[2] != size:
                strided(stop, xa, i64(steps)[0], ya, i64(steps)[1], za, i64(steps)[2])
                return
            work = stop * cost >> 4
            if work > WORTH:
                words = space(4)
                i64(words)[0], i64(words)[1], i64(words)[2], i64(words)[3] = xa, ya, za, stop
                launch(i64(data)[0], i64(data)[1], words + 1, work)
                return
        x = cast(xa)
        y = cast(ya)
        z = cast(za)
        for i in range(start, stop):
            z[i] = f(x[i], y[i])

    return loop


def loop3(f: Callable[[Any, Any, Any], Any], cast: Any, element: Any, cost: int) -> Callable[[int, int, int, int], None]:
    """The loop of ``z = f(a, b, c)`` of vectors, where a, b or c may also be one value for all. element: numpy's type of them.

    What is larger than the last cache is written past it.
    """
    size = SIZES[cast]
    lanes = 64 // size
    zero = element(0)

    @njit(**OPTIONS)
    def some(i, n, a, da, b, db, c, dc, z):
        va, vb, vc = load_some(zero, a + i * da, n), load_some(zero, b + i * db, n), load_some(zero, c + i * dc, n)
        store_some(z + i * size, f(va, vb, vc), n)

    @njit(**OPTIONS)
    def strided(n, a, da, b, db, c, dc, z, dz):
        kept = space(8)
        for i in range(n):
            va, vb, vc = cast(a + i * da)[0], cast(b + i * db)[0], cast(c + i * dc)[0]
            store(kept, f(splat(va), splat(vb), splat(vc)))
            cast(z + i * dz)[0] = cast(kept)[0]

    def loop(args, dims, steps, data):
        wide()
        if args & 1:
            block = i64(args - 1)
            start, stop = share(block[7], UNIT, dims, steps)
        else:
            start, stop = 0, i64(dims)[0]
            given = i64(args)
            step = i64(steps)
            address = space(9)
            block = i64(address)
            values = space(24)
            plain = step[3] == size
            for k in range(3):
                block[k] = given[k]
                block[k + 3] = step[k]
                plain = plain and (step[k] == size or step[k] == 0)
                if step[k] == 0:  # a vector of it, again and again
                    block[k] = values + 64 * k
                    store(values + 64 * k, splat(cast(given[k])[0]))
            if not plain:
                strided(stop, given[0], step[0], given[1], step[1], given[2], step[2], given[3], step[3])
                return
            block[6] = given[3]
            block[7] = stop
            block[8] = stop * size > load(i64(data)[0] + CACHE)
            work = stop * cost >> 4
            if work > WORTH:
                launch(i64(data)[0], i64(data)[1], address + 1, work)
                return
        a, b, c, da, db, dc, z = block[0], block[1], block[2], block[3], block[4], block[5], block[6]
        past = block[8] != 0
        i = start
        if past:
            i = min(start + (-(z + start * size) & 63) // size, stop)
            some(start, i - start, a, da, b, db, c, dc, z)
            while i + lanes <= stop:
                y = f(load_vector(zero, a + i * da), load_vector(zero, b + i * db), load_vector(zero, c + i * dc))
                stream(z + i * size, y)
                i += lanes
            flush()
        else:
            while i + lanes <= stop:
                y = f(load_vector(zero, a + i * da), load_vector(zero, b + i * db), load_vector(zero, c + i * dc))
                store(z + i * size, y)
                i += lanes
        some(i, stop - i, a, da, b, db, c, dc, z)

    return loop


WORTH = 8_000
"""Cycles of work from which a loop is offered to the team."""
