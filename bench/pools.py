"""Threads: how many each side has, and that only one pool is awake at a time.

OpenBLAS's, torch's and our threads go on spinning after their work, for milliseconds (OpenBLAS: up to 100), and take the
cores from whoever comes next. Measured on two cores, in µs, each call after another side's call / blocks of calls, one side
after the other / blocks, each after waiting until the process is idle / torch alone in a process of its own:

| | call by call | blocks | blocks after silence | alone |
|---|---|---|---|---|
| torch, 256×256 matmul | 4,200 | 5,700 | 165 | 148 |
| torch, exp of 1M | 6,200 | 4,100 | 235-270 | 200 |
| torch, softmax of 1024×1024 | 7,300 | 4,600 | 585-660 | 568 |
| numpy, 256×256 matmul | 16,000 | 16,000 | 187-202 | |

So blocks after silence it is: within noise of a process of one's own, and ratios come from one run.

A thread that wakes may be put on the core of the one that waits for it, and stay there (a virtual machine's sleeping cores look
taken): torch's 24×192×768 matmul then takes 16 ms instead of 75 µs, for seconds. Our own workers are kept off; peers are
helped here: in silence all threads but the calling one are told to leave its core.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import tinygrad_notes as tn

from .peers import torch

__all__ = ["Pools", "silence"]

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def silence(longest: float = 0.3) -> None:
    """Wait until no other thread of this process runs; at most ``longest`` seconds. See to it that they wake on other cores."""
    end = time.perf_counter() + longest
    while _others_run() and time.perf_counter() < end:
        time.sleep(0.0004)
    _part()


def _others_run() -> bool:
    """Whether a thread besides this one runs or wants to.

    Not by ``process_time``: what a thread uses on another core is added to it at the system's next tick only, up to 10 ms later.
    """
    if sys.platform != "linux":
        start, used = time.perf_counter(), time.process_time()
        time.sleep(0.02)
        return time.process_time() - used > 0.3 * (time.perf_counter() - start)
    for thread in Path("/proc/self/task").iterdir():
        if int(thread.name) != threading.get_native_id():
            with contextlib.suppress(OSError):  # it has ended meanwhile
                if (thread / "stat").read_text().rpartition(")")[2].split()[0] == "R":
                    return True
    return False


def _part() -> None:
    """Let the threads that sleep wake on other cores than this one's."""
    if sys.platform != "linux" or CORES < 2:
        return
    here = ctypes.CDLL(None).sched_getcpu()
    for thread in Path("/proc/self/task").iterdir():
        if int(thread.name) != threading.get_native_id():
            with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
                os.sched_setaffinity(int(thread.name), os.sched_getaffinity(0) - {here})


class Pools:
    """The number of threads of every side. BLAS serves us as well as numpy: each has the number that it left there."""

    def __init__(self) -> None:
        import threadpoolctl

        controller = threadpoolctl.ThreadpoolController()
        self._blas: list[Any] = controller.select(user_api="blas").lib_controllers
        self._kept: dict[bool, list[int]] = {}
        self._ours = False

    def set(self, threads: int | None) -> None:
        """Give every side so many threads; None: one per core."""
        count = CORES if threads is None else threads
        self._kept.clear()
        for library in self._blas:
            library.set_num_threads(count)
        if torch is not None and torch.get_num_threads() != count:
            torch.set_num_threads(count)
        if tn.get_num_threads() != count:
            tn.set_num_threads(count)
        self._ours = False

    def turn(self, ours: bool) -> None:
        """Before a block of calls of ours, or of a peer's."""
        if ours != self._ours:
            self._kept[self._ours] = [library.num_threads for library in self._blas]
            for library, count in zip(self._blas, self._kept.get(ours, ()), strict=False):
                if library.num_threads != count:
                    library.set_num_threads(count)
            self._ours = ours
