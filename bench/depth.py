"""How the cost of an operation grows with the depth of the graph: 1,000 against 100,000 nodes, against torch's own growth."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import numpy as np
from timing import Row, interleaved

import tinygrad_notes as tn

SMALL, LARGE = 1_000, 100_000


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


def measure(quick: bool, torch: Any) -> list[Row]:
    """Microseconds per node at both depths; the ratio of the last row is our growth over torch's."""
    group = "deep graphs, per node, forward + backward; peer: torch"
    repeats = 2 if quick else 9
    libs = {"ours": tn} | ({} if torch is None else {"torch": torch})
    medians: dict[tuple[str, int], float] = {}
    rows: list[Row] = []
    for nodes in (SMALL, LARGE):
        times = interleaved(
            {k: deep(lib, nodes) for k, lib in libs.items()}, repeats * (20 if nodes == SMALL else 1), 1e6 / nodes
        )
        for name in libs:
            medians[name, nodes] = statistics.median(times[name])
        ours, peer = medians["ours", nodes], medians.get(("torch", nodes))
        rows.append(Row(group, f"{nodes:,} nodes", "µs", ours, peer, None if peer is None else ours / peer))
    growth = {name: medians[name, LARGE] / medians[name, SMALL] for name in libs}
    peer = growth.get("torch")
    rows.append(
        Row(group, f"growth {SMALL:,} → {LARGE:,}", "×", growth["ours"], peer, None if peer is None else growth["ours"] / peer)
    )
    return rows
