"""How a workload is measured.

Sides take turns, in rounds, every other round in reverse. A turn is a block: wait until the pools of the side before are
silent (see ``pools``), call untimed (threads awake, caches its own) until a call takes little more than the best one seen:
threads that just woke may share a core until the system spreads them, and a call then waits for a time slice, 4 ms (torch's
step of an MLP: 1.8 ms instead of 0.93). Then take samples; a sample is as many calls as take ``SAMPLE`` seconds.

A block's figure is the median of its samples, a side's the median over its blocks with their quartiles, a ratio the median
over the rounds of ours / theirs within the round. The garbage collector stays on.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from .pools import Pools, silence
from .workloads import SECONDS, Row, Spread, Workload

__all__ = ["Differs", "measure", "spread"]

SAMPLE = 50e-6
BLOCK = {True: 3e-3, False: 10e-3}
"""Seconds per block, in quick runs and in others."""
ROUNDS = {True: 5, False: 11}
WARM = 0.12
"""The most seconds of untimed calls before a block, and calls longer than that have none."""
AWAKE = 1.25
"""A call that takes no longer than so many times the best one shows that all is awake."""
LONG = 0.3
"""Calls that take longer than so many seconds have a third of the rounds."""


class Differs(AssertionError):
    """The sides of a workload do not compute the same."""


def spread(values: list[float]) -> Spread:
    """Median and quartiles."""
    low, high = np.quantile(values, (0.25, 0.75))
    return Spread(statistics.median(values), float(low), float(high), len(values))


def measure(work: Workload, quick: bool, pools: Pools) -> Row:
    """Measure a workload. Raises Differs if the sides' results do."""
    pools.set(work.threads)
    functions = work.sides()
    took = {} if work.clocked else _compare(work, functions, pools)
    timed: dict[str, _Side] = {}
    for side, first in took.items():
        silence()
        pools.turn(side == "ours")
        timed[side] = _Side(functions[side], quick, first)
    rounds = ROUNDS[quick] if work.rounds is None else work.rounds
    if any(side.best > LONG for side in timed.values()):
        rounds = max(rounds // 3, 3)
    samples: dict[str, list[float]] = {side: [] for side in functions}
    for number in range(rounds):
        order = list(functions) if number % 2 == 0 else list(functions)[::-1]
        for side in order:
            silence()
            pools.turn(side == "ours")
            samples[side].append(functions[side]() if work.clocked else timed[side].block())
    return row_of(work, samples)


def row_of(work: Workload, samples: dict[str, list[float]]) -> Row:
    """The row of a workload whose blocks took so long."""
    scale = 1 / work.per if work.clocked else 1 / SECONDS[work.unit] / work.per
    figures = {side: [value * scale for value in values] for side, values in samples.items()}
    sides = {side: spread(values) for side, values in figures.items()}
    first, *others = sides
    row = Row(work.group, work.name, work.unit, sides)
    for name in ("speed", "threads", "flops", "bytes", "dtype", "column", "label"):
        setattr(row, name, getattr(work, name))
    row.flops, row.bytes = work.flops / work.per, work.bytes / work.per
    if others:
        row.peer = min(others, key=lambda side: sides[side].median)
        row.ratio = spread([a / b for a, b in zip(figures[first], figures[row.peer], strict=True)])
    return row


class _Side:
    """A function to be timed: calls per sample, samples per block, the best time of a call so far."""

    def __init__(self, function: Callable[[], Any], quick: bool, first: float) -> None:
        """``first``: seconds of the first call, which may have compiled something."""
        self.function, self.best = function, min(first, _time(function, 1))
        end = time.perf_counter() + WARM
        for _ in range(3):
            if self.best < LONG and time.perf_counter() < end:
                self.best = min(self.best, _time(function, 1))
        self.calls = max(1, min(round(SAMPLE / self.best), 10_000))
        self.samples = max(1 if self.best > WARM else 2 if quick else 3, round(BLOCK[quick] / (self.calls * self.best)))

    def block(self) -> float:
        end = time.perf_counter() + WARM
        while self.best < WARM and _time(self.function, 1) > AWAKE * self.best and time.perf_counter() < end:
            pass
        times = [_time(self.function, self.calls) for _ in range(self.samples)]
        self.best = min(self.best, *times)
        return statistics.median(times)


def _time(function: Callable[[], Any], calls: int) -> float:
    clock = time.perf_counter
    start = clock()
    for _ in range(calls):
        function()
    return (clock() - start) / calls


def _compare(work: Workload, functions: dict[str, Callable[[], Any]], pools: Pools) -> dict[str, float]:
    """Call every side for the first time; the seconds of each. Raises if they disagree."""
    took = {}
    expected: tuple[str, Any] | None = None
    for side, function in functions.items():
        silence()
        pools.turn(side == "ours")
        start = time.perf_counter()
        result = function()
        took[side] = time.perf_counter() - start
        found = None if work.tolerance is None else _array(result)
        if found is None or found.size == 0:
            continue
        if expected is None:
            expected = side, np.array(found)
        else:
            _agree(work, *expected, side, found)
    return took


def _agree(work: Workload, first: str, expected: Any, side: str, found: Any) -> None:
    if expected.shape != found.shape:
        raise Differs(f"{work.group}, {work.name}: {first} gives the shape {expected.shape}, {side} {found.shape}")
    bound = (work.tolerance or 0) * max(float(np.abs(expected).max()), 1e-30)
    if not np.allclose(found, expected, rtol=0, atol=bound, equal_nan=True):
        worst = np.nanmax(np.abs(np.asarray(found, "f8") - expected))
        raise Differs(f"{work.group}, {work.name}: {side} differs from {first} by {worst:.2g}, more than {bound:.2g}")


def _array(result: Any) -> Any:
    """A result as an array; None if it is nothing to compare."""
    if isinstance(result, np.ndarray | np.generic | float | int):
        return np.asarray(result)
    if hasattr(result, "detach"):
        return np.asarray(result.detach().numpy())
    return None
