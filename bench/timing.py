"""Honest timing on noisy machines: contestants in turn, medians of many repeats, ratios within one run."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["Row", "interleaved", "machine", "table"]


@dataclass
class Row:
    """One line of the table: what was measured, ours and the peer's figure, their ratio (ours / peer) and its spread."""

    group: str
    what: str
    unit: str
    ours: float
    peer: float | None = None
    ratio: float | None = None
    spread: float | None = None
    note: str = ""


def interleaved(functions: dict[str, Callable[[], Any]], repeats: int, scale: float = 1.0) -> dict[str, list[float]]:
    """Seconds times ``scale`` of each function, called in turn ``repeats`` times after two rounds of warming up."""
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for round_number in range(repeats + 2):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            took = time.perf_counter() - start
            if round_number >= 2:
                seconds[name].append(took * scale)
    return seconds


def compare(group: str, what: str, unit: str, times: dict[str, list[float]], peer: str | None) -> Row:
    """The row of an interleaved measurement; the ratio is the median over the pairs, its spread half their quartile range."""
    ours = times["ours"]
    if peer is None or peer not in times:
        return Row(group, what, unit, statistics.median(ours))
    pairs = [a / b for a, b in zip(ours, times[peer], strict=True)]
    low, _, high = statistics.quantiles(pairs, n=4)
    return Row(
        group, what, unit, statistics.median(ours), statistics.median(times[peer]), statistics.median(pairs), (high - low) / 2
    )


def table(rows: list[Row]) -> str:
    """The rows as text, a block per group."""
    lines = []
    group = None
    for row in rows:
        if row.group != group:
            group = row.group
            lines += ["", group, f"  {'':34} {'ours':>10} {'peer':>10} {'ratio':>7} {'±':>5}"]
        peer = "" if row.peer is None else f"{row.peer:.2f}"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        spread = "" if row.spread is None else f"{row.spread:.2f}"
        lines.append(
            f"  {row.what:34} {row.ours:>10.2f} {peer:>10} {ratio:>7} {spread:>5}  {row.unit}{row.note and '; ' + row.note}"
        )
    return "\n".join(lines)


def machine() -> dict[str, Any]:
    """What the figures depend on: processor, versions, the BLAS kernel in use."""
    import threadpoolctl

    import tinygrad_notes

    found: dict[str, Any] = {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "tinygrad_notes": tinygrad_notes.__version__,
        "blas": [
            {key: pool.get(key) for key in ("internal_api", "version", "architecture", "num_threads")}
            for pool in threadpoolctl.threadpool_info()
        ],
    }
    try:
        import torch

        found["torch"] = torch.__version__
        found["torch threads"] = torch.get_num_threads()
    except ImportError:
        found["torch"] = None
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()
