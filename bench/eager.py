"""Eager cost of a recorded operation, forward and backward, against torch: chains of 100 operations, every check on."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from timing import Row, compare, interleaved

import tinygrad_notes as tn

CHAIN = 100
OPERATIONS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "add": lambda y, b, w: y + b,
    "mul": lambda y, b, w: y * b,
    "tanh": lambda y, b, w: y.tanh(),
    "matmul": lambda y, b, w: y @ w,
}
SHAPES = ((4, 8), (32, 128), (256, 256))


def chain(lib: Any, operation: Callable[[Any, Any, Any], Any], shape: tuple[int, int]) -> Callable[[], Any]:
    """Forward and backward through ``CHAIN`` operations."""
    rng = np.random.default_rng(0)
    x, b, g = (rng.standard_normal(shape).astype("f4") * 0.1 for _ in range(3))
    b = 1 + b * 0.1  # a product of a hundred stays a normal number: denormals take a hundred cycles each
    w = (rng.standard_normal((shape[1], shape[1])) / math.sqrt(shape[1])).astype("f4")

    def run() -> None:
        leaves = [lib.from_numpy(a).requires_grad_() for a in (x, b, w)]
        y = leaves[0]
        for _ in range(CHAIN):
            y = operation(y, *leaves[1:])
        y.backward(lib.from_numpy(g))

    return run


def measure(quick: bool, torch: Any) -> list[Row]:
    """Rows per shape and operation, and the geometric mean of the ratios over the small shapes and over 256×256."""
    rows: list[Row] = []
    for shape in SHAPES:
        group = "eager, forward + backward, per operation; peer: torch"
        repeats = (8 if quick else 40) if shape[0] < 256 else (4 if quick else 12)
        for name, operation in OPERATIONS.items():
            runs = {"ours": chain(tn, operation, shape)}
            if torch is not None:
                runs["torch"] = chain(torch, operation, shape)
            times = interleaved(runs, repeats, 1e6 / CHAIN)
            rows.append(compare(group, f"{name} {shape[0]}×{shape[1]}", "µs", times, "torch"))
    if torch is not None:
        for what, chosen in (("geometric mean, 4×8 and 32×128", rows[:8]), ("geometric mean, 256×256", rows[8:])):
            mean = math.exp(sum(math.log(r.ratio or 1) for r in chosen) / len(chosen))
            worst = max(chosen, key=lambda r: r.ratio or 0)
            note = f"worst {worst.ratio:.2f} ({worst.what})"
            rows.append(
                Row(
                    rows[0].group,
                    what,
                    "µs",
                    _mean(r.ours for r in chosen),
                    _mean(r.peer or 1 for r in chosen),
                    mean,
                    None,
                    note,
                )
            )
    return rows


def _mean(values: Any) -> float:
    logs = [math.log(v) for v in values]
    return math.exp(sum(logs) / len(logs))
