"""What this machine can do at most, measured in the same run: bandwidth at each level of memory, and multiply-adds."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from tinygrad_notes.kernels import limits as kernels
from tinygrad_notes.kernels import native

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
        triad[threads] = meter.triad(sizes["memory"] // 12, seconds)
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
    """On the team of threads; memory also with stores that pass the caches by, which is faster on some machines."""

    sources: ClassVar[dict[str, str]] = dict.fromkeys(("copy", "triad", "peak"), "a kernel")

    def copy(self, count: int, seconds: float) -> float:
        """Bytes per second of a copy of so many float32."""
        return self._moved(kernels.copy, _aligned(count, 2), seconds)

    def triad(self, count: int, seconds: float) -> float:
        """The same of ``a + 0.5 b``."""
        return self._moved(kernels.triad, _aligned(count, 3), seconds)

    def peak(self, dtype: str, seconds: float) -> float:
        """Multiply-adds per second from registers, each of them two operations."""
        return kernels.fma_peak(dtype, 50_000) / _best(lambda: kernels.fma_peak(dtype, 50_000), seconds)

    def _moved(self, move: Callable[..., int], arrays: list[Any], seconds: float) -> float:
        times = max(1, (1 << 22) // arrays[0].nbytes)
        ways = (False, True) if arrays[0].nbytes > max(CACHES.values()) else (False,)
        size = move(*arrays, times=times)
        return max(size / _best(lambda past=past: move(*arrays, past=past, times=times), seconds) for past in ways)


def _aligned(count: int, number: int) -> list[Any]:
    """Arrays of float32, whole cache lines that begin on one."""
    count -= count % 16
    raw = [np.ones(count + 16, "f4") for _ in range(number)]
    return [array[(skip := -array.ctypes.data % 64 // 4) : skip + count] for array in raw]
