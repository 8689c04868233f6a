"""Team kernels as functions of Python: ``call(work, *words)``."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache
from typing import Any

from . import native, team

__all__ = ["kernel"]


@cache
def kernel(room: str, name: str, form: str) -> Callable[..., None] | None:
    """The kernel ``name``, run on the team; None where there are no kernels.

    form  of its arguments, as ``struct`` has it: "q" for a number or an array (its ``id``), "d" for a floating-point number
    The function's first argument is the work in cycles of one thread; the caller keeps the arrays alive.
    """
    if not native.available():
        return None
    run, memory, address = team.runner(), team.memory(), native.address(room, name)
    pack = struct.Struct("3q" + form).pack

    def call(work: int, *words: Any) -> None:
        run(pack(memory, address, work, *words))

    return call
