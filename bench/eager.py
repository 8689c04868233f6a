"""Eager cost of a recorded operation, forward and backward, against torch: chains of 100 operations, every check on."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import tinygrad_notes as tn

from .peers import libraries
from .workloads import Bench, Workload, bench, mean

CHAIN = 100
OPERATIONS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "add": lambda y, b, w: y + b,
    "mul": lambda y, b, w: y * b,
    "tanh": lambda y, b, w: y.tanh(),
    "matmul": lambda y, b, w: y @ w,
}
SHAPES = ((4, 8), (32, 128), (256, 256))


def chain(lib: Any, operation: Callable[[Any, Any, Any], Any], shape: tuple[int, int]) -> Callable[[], Any]:
    """Forward and backward through ``CHAIN`` operations; gives the gradient of the first operand."""
    rng = np.random.default_rng(0)
    x, b, g = (rng.standard_normal(shape).astype("f4") * 0.1 for _ in range(3))
    b = 1 + b * 0.1  # a product of a hundred stays a normal number: denormals take a hundred cycles each
    w = (rng.standard_normal((shape[1], shape[1])) / math.sqrt(shape[1])).astype("f4")

    def run() -> Any:
        leaves = [lib.from_numpy(a).requires_grad_() for a in (x, b, w)]
        y = leaves[0]
        for _ in range(CHAIN):
            y = operation(y, *leaves[1:])
        y.backward(lib.from_numpy(g))
        return leaves[0].grad

    return run


@bench("eager")
def eager(quick: bool) -> Bench:
    """Every operation at every shape, and the geometric means over the small shapes and over 256×256."""
    rows = []
    for shape in SHAPES:
        for name, operation in OPERATIONS.items():

            def sides(operation: Any = operation, shape: Any = shape) -> dict[str, Callable[[], Any]]:
                return {side: chain(lib, operation, shape) for side, lib in libraries(tn).items()}

            group = "eager, a recorded operation, forward + backward, float32"
            rounds = 3 if quick else 15
            rows.append((yield Workload(group, f"{name} {shape[0]}×{shape[1]}", sides, per=CHAIN, rounds=rounds)))
    small = len(OPERATIONS) * 2
    yield mean("geometric mean, 4×8 and 32×128", rows[:small])
    yield mean("geometric mean, 256×256", rows[small:])
