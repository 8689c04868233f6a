"""What the team of threads costs: launching a kernel on it, a barrier, waking it from sleep."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable

from tinygrad_notes.kernels import native, team

from .pools import CORES
from .workloads import Bench, Workload, bench

BARRIERS = 10_000
WORK = 1 << 30
"""Cycles that the kernels claim to take: never too short to share."""


def launching(kernel: str, *arguments: int) -> Callable[[], None]:
    """Runs a kernel of the team's own room."""
    run = team.runner()
    block = struct.pack(f"{3 + len(arguments)}q", team.memory(), native.address("team", kernel), WORK, *arguments)
    return lambda: run(block)


def waking() -> float:
    """Microseconds of a launch after the workers fell asleep."""
    launch = launching("nothing")
    launch()
    time.sleep(0.003)
    start = time.perf_counter()
    launch()
    return (time.perf_counter() - start) * 1e6


@bench("team")
def launches(quick: bool) -> Bench:
    """An empty kernel on a hot team, a barrier inside one, an empty kernel on a team that sleeps."""
    if not native.available() or CORES < 2:
        return
    group = "the team of threads, 2 workers"
    yield Workload(group, "launch on a hot team", lambda: {"ours": launching("nothing")}, threads=2)
    count = BARRIERS
    yield Workload(group, "barrier", lambda: {"ours": launching("barriers", count)}, unit="ns", per=count, threads=2)
    yield Workload(group, "launch, workers asleep", lambda: {"ours": waking}, clocked=True, threads=2, rounds=11)
