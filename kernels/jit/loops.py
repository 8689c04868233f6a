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

from .memory import OPTIONS, f32, f64, i64, share, space, wide
from .team import launch

__all__ = ["loop1", "loop2"]

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


WORTH = 8_000
"""Cycles of work from which a loop is offered to the team."""
