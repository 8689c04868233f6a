"""What this machine can do at most, measured in the same run: bandwidth at each level of memory, and multiply-adds."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .machine import CACHES
from .pools import CORES, Pools, silence
from .workloads import Row

__all__ = ["Limits", "limits"]


@dataclass
class Limits:
    """The measured roofs.

    bandwidth  bytes per second of a copy (read and written) per number of threads and level: "L1", ..., "memory"
    triad      the same of ``a * b + c`` in memory
    peak       floating-point operations per second of one core per dtype
    sources    what measured it
    """

    bandwidth: dict[int, dict[str, float]]
    triad: dict[int, float]
    peak: dict[str, float]
    sources: dict[str, str]

    def seconds(self, row: Row) -> float | None:
        """The least time in which the machine could do what the row counts; None if it counts nothing."""
        if not self.bandwidth:
            return None
        threads = row.threads or CORES
        by_level = self.bandwidth[min(self.bandwidth, key=lambda n: abs(n - threads))]
        rate = by_level[level_of(row.bytes)]
        if level_of(row.bytes) == "memory":
            rate = max(rate, self.triad[min(self.triad, key=lambda n: abs(n - threads))])
        peak = self.peak.get(row.dtype, 0) * threads
        least = max(row.bytes / rate, row.flops / peak if peak else 0)
        return least or None

    @classmethod
    def unknown(cls) -> Limits:
        """No roofs: no shares of them."""
        return cls({}, {}, {}, {})

    def asdict(self) -> dict[str, Any]:
        """As the JSON file has it."""
        return asdict(self)

    def heading(self) -> str:
        """One line."""
        most = max(self.bandwidth)
        levels = ", ".join(f"{level} {rate / 1e9:.0f}" for level, rate in self.bandwidth[most].items())
        peaks = ", ".join(f"{dtype} {rate / 1e9:.0f} GFLOP/s" for dtype, rate in self.peak.items())
        return (
            f"limits: copy on {most} threads in GB/s: {levels}; triad {self.triad[most] / 1e9:.0f}; a core: {peaks}"
            f" ({', '.join(f'{k} by {v}' for k, v in self.sources.items())})"
        )


def level_of(size: float) -> str:
    """Where data of this many bytes lives."""
    return next((name for name, room in CACHES.items() if size <= room), "memory")


def limits(quick: bool, pools: Pools) -> Limits:
    """Measure them; a second, or a quarter of it."""
    seconds = 0.02 if quick else 0.1
    sizes = {name: room // 2 for name, room in CACHES.items()} | {"memory": 4 * max(CACHES.values())}
    bandwidth, triad, peak = {}, {}, {}
    for threads in sorted({1, CORES}):
        pools.set(threads)
        silence()
        bandwidth[threads] = {level: _copy(size // 2, seconds) for level, size in sizes.items()}
        triad[threads] = _triad(sizes["memory"] // 4, seconds)
    pools.set(1)
    for dtype in ("float32", "float64"):
        silence()
        peak[dtype] = _matmul(dtype, seconds)
    return Limits(bandwidth, triad, peak, {"copy": "numpy", "triad": "numpy", "peak": "BLAS"})


def _best(function: Callable[[], Any], seconds: float) -> float:
    """Seconds of the fastest call: a limit is what is possible."""
    clock = time.perf_counter
    best, end = float("inf"), clock() + seconds
    function()
    while clock() < end or best == float("inf"):
        start = clock()
        function()
        best = min(best, clock() - start)
    return best


def _repeated(function: Callable[[], Any], size: int) -> tuple[Callable[[], Any], int]:
    """Enough calls that the clock does not matter."""
    count = max(1, 2**18 // max(size, 1))

    def run() -> None:
        for _ in range(count):
            function()

    return run, count


def _copy(size: int, seconds: float) -> float:
    source, target = np.ones(size // 4, "f4"), np.ones(size // 4, "f4")
    run, count = _repeated(lambda: np.copyto(target, source), size)
    return 2 * size * count / _best(run, seconds)


def _triad(size: int, seconds: float) -> float:
    a, b, out = (np.ones(size // 4, "f4") for _ in range(3))
    return 3 * size / _best(lambda: np.add(a, b, out=out), seconds)


def _matmul(dtype: str, seconds: float) -> float:
    n = 512
    a = np.ones((n, n), dtype)
    out = np.empty_like(a)
    return 2 * n**3 / _best(lambda: np.matmul(a, a, out=out), seconds)
