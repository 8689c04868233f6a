"""How the cost of an operation grows with the depth of the graph: 1,000 against 100,000 nodes, against torch's own growth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tinygrad_notes as tn

from .peers import libraries
from .workloads import Bench, Row, Spread, Workload, bench

SMALL, LARGE = 1_000, 100_000
GROUP = "deep graphs, a node, forward + backward"


def deep(lib: Any, nodes: int) -> Callable[[], Any]:
    """Forward and backward through ``nodes`` products of 4×8."""
    data = np.full((4, 8), 0.999, "f4")

    def run() -> None:
        x, b = (lib.from_numpy(data).requires_grad_() for _ in range(2))
        y = x
        for _ in range(nodes):
            y = y * b
        y.sum().backward()

    return run


@bench("depth")
def depth(quick: bool) -> Bench:
    """Time per node at both depths; the ratio of the last row is our growth over torch's."""
    rows = []
    for nodes in (SMALL, LARGE):

        def sides(nodes: int = nodes) -> dict[str, Callable[[], Any]]:
            return {side: deep(lib, nodes) for side, lib in libraries(tn).items()}

        rounds = None if nodes == SMALL else 9 if quick else 15  # a third of it: the calls are long
        rows.append((yield Workload(GROUP, f"{nodes:,} nodes", sides, per=nodes, rounds=rounds, tolerance=None)))
    small, large = rows
    if small is not None and large is not None:
        growth = {side: _over(large.sides[side], small.sides[side]) for side in small.sides}
        row = Row(GROUP, f"growth {SMALL:,} → {LARGE:,}", "×", growth, peer=large.peer)
        if row.peer is not None:
            row.ratio = _over(growth["ours"], growth[row.peer])
        yield row


def _over(a: Spread, b: Spread) -> Spread:
    """The quotient of two figures that were measured apart."""
    middle, noise = a.median / b.median, float(np.hypot(a.noise, b.noise))
    return Spread(middle, middle * (1 - noise), middle * (1 + noise), min(a.count, b.count))
