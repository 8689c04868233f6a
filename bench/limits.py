"""What this machine can do at most, measured in the same run: bandwidth at each level of memory, and multiply-adds."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from tinygrad_notes.kernels import native, team

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
    """Measure them, by kernels of our own where there are some; a second, or a quarter of it."""
    seconds = 0.02 if quick else 0.1
    meter = _Kernels() if native.available() else _Numpy()
    sizes = {name: room // (8 if name == "L3" else 2) for name, room in CACHES.items()}  # a last cache has other users
    sizes["memory"] = 4 * max(CACHES.values())
    bandwidth, triad, peak = {}, {}, {}
    for threads in sorted({1, CORES}):
        pools.set(threads)
        bandwidth[threads] = {}
        for level, size in sizes.items():
            own = size if level in ("L3", "memory") else size * threads  # each core has its own L1 and L2
            silence()
            bandwidth[threads][level] = meter.copy(own // 8, seconds)
        silence()
        triad[threads] = meter.triad(sizes["memory"] // 16, seconds)
    pools.set(1)
    for dtype in ("float32", "float64"):
        silence()
        peak[dtype] = meter.peak(dtype, seconds)
    return Limits(bandwidth, triad, peak, meter.sources)


def _best(function: Callable[[], Any], seconds: float) -> float:
    """Seconds of the fastest call: a limit is what is possible."""
    clock = time.perf_counter
    best, calls, end = float("inf"), 0, clock() + seconds
    while clock() < end or calls < 3:
        start = clock()
        function()
        best, calls = min(best, clock() - start), calls + 1
    return best


class _Numpy:
    """Where there are no kernels: one thread, whatever the number asked for; and BLAS."""

    sources: ClassVar[dict[str, str]] = {"copy": "numpy, 1 thread", "triad": "numpy, 1 thread", "peak": "BLAS"}

    def copy(self, count: int, seconds: float) -> float:
        """Bytes per second of a copy of so many float32."""
        source, target = np.ones(count, "f4"), np.ones(count, "f4")
        repeats = range(max(1, (1 << 18) // count))

        def run() -> None:
            for _ in repeats:
                np.copyto(target, source)

        return 8 * count * len(repeats) / _best(run, seconds)

    def triad(self, count: int, seconds: float) -> float:
        """The same of a sum of two arrays."""
        a, b, out = (np.ones(count, "f4") for _ in range(3))
        return 12 * count / _best(lambda: np.add(a, b, out=out), seconds)

    def peak(self, dtype: str, seconds: float) -> float:
        """Operations per second of a product of matrices."""
        a = np.ones((512, 512), dtype)
        out = np.empty_like(a)
        return 2 * 512**3 / _best(lambda: np.matmul(a, a, out=out), seconds)


class _Kernels:
    """On the team of threads, by ``kernels/jit/limits.py``."""

    sources: ClassVar[dict[str, str]] = dict.fromkeys(("copy", "triad", "peak"), "a kernel")

    def __init__(self) -> None:
        from tinygrad_notes.kernels.jit.limits import BITS, SUMS

        self.operations = {dtype: 2 * SUMS * BITS // bits for dtype, bits in (("float32", 32), ("float64", 64))}
        self.run = team.runner()

    def copy(self, count: int, seconds: float) -> float:
        """Bytes per second of a copy of so many float32."""
        x, out = np.ones(count, "f4"), np.ones(count, "f4")
        repeats = max(1, (1 << 20) // count)
        return 8 * count * repeats / self._kernel("copy", seconds, id(x), id(out), count, repeats)

    def triad(self, count: int, seconds: float) -> float:
        """The same of ``a * b + c``."""
        a, b, c, out = (np.ones(count, "f4") for _ in range(4))
        return 16 * count / self._kernel("triad", seconds, id(a), id(b), id(c), id(out), count, 1)

    def peak(self, dtype: str, seconds: float) -> float:
        """Multiply-adds per second from registers, each of them two operations."""
        out, count = np.empty(1, dtype), 50_000
        took = self._kernel("fma_peak_f32" if dtype == "float32" else "fma_peak_f64", seconds, id(out), count)
        return self.operations[dtype] * count / took

    def _kernel(self, name: str, seconds: float, *arguments: int) -> float:
        code = native.address("limits", name)
        block = struct.pack(f"{3 + len(arguments)}q", team.memory(), code, 1 << 30, *arguments)
        return _best(lambda: self.run(block), seconds)
