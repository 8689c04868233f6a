"""What a bench yields, and the registry of benches. See the package's text for how to write one."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from . import BENCHES

__all__ = ["Bench", "Row", "Spread", "Workload", "bench", "benches", "key_of", "mean"]

SECONDS = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0}


@dataclass(frozen=True)
class Workload:
    """One computation, done by us and by others.

    group      the heading of its table; what every workload of the group has in common (dtype, threads, the peers' forms)
    name       its line
    sides      makes the data and gives a function of no argument per side: ``{"ours": f, "numpy": g, "torch": h}``; the first
               is measured against the better of the others. Functions of ours, numpy, torch compute the same thing: what they
               return is compared once
    unit       of the figures: ns, µs, ms, s for times; anything for ``clocked``
    per        a call does so many of what the figure counts
    clocked    the functions measure themselves: what they return is the figure, in ``unit``, less is better
    speed      the table shows how many times faster we are (above 1 is better) instead of our time over theirs (below 1 is)
    threads    of every side; None: all cores
    flops      floating-point operations of one call, for the roofline and the share of the machine's limit
    bytes      that one call must read and write at least, for the same
    dtype      whose peak limits ``flops``: float32 or float64
    column     rows of one name and different columns share a line: sizes
    label      its name in the roofline picture; empty: not in the picture
    tolerance  by which the results may differ, relative to the largest value; None: they are not to be compared
    rounds     how often each side has its turn, if the usual number will not do
    """

    group: str
    name: str
    sides: Callable[[], dict[str, Callable[[], Any]]]
    unit: str = "µs"
    per: float = 1
    clocked: bool = False
    speed: bool = False
    threads: int | None = None
    flops: float = 0
    bytes: float = 0
    dtype: str = "float32"
    column: str = ""
    label: str = ""
    tolerance: float | None = 1e-3
    rounds: int | None = None


@dataclass(frozen=True)
class Spread:
    """A median, the quartiles around it, and of how many."""

    median: float
    low: float
    high: float
    count: int

    @property
    def noise(self) -> float:
        """Half the distance of the quartiles, relative to the median."""
        return (self.high - self.low) / 2 / abs(self.median) if self.median else 0.0

    @property
    def doubt(self) -> float:
        """The noise there may be behind it: few measurements show less of it than there is."""
        return self.noise * (1 + 3 / self.count)


@dataclass
class Row:
    """A figure. ``ratio`` is ours over the better peer's, within each round; ``limit`` the share of the machine's limit."""

    group: str
    name: str
    unit: str
    sides: dict[str, Spread]
    bench: str = ""
    peer: str | None = None
    ratio: Spread | None = None
    limit: float | None = None
    speed: bool = False
    threads: int | None = None
    flops: float = 0
    bytes: float = 0
    dtype: str = "float32"
    column: str = ""
    label: str = ""
    note: str = ""

    @property
    def ours(self) -> Spread:
        """The figure of the first side."""
        return next(iter(self.sides.values()))

    @property
    def key(self) -> str:
        """What the same figure of another run is found by."""
        return key_of(self.bench, self)

    @property
    def seconds(self) -> float:
        """Our time for what ``flops`` and ``bytes`` count, if the unit is one of time."""
        return self.ours.median * SECONDS[self.unit]


def key_of(bench: str, work: Workload | Row) -> str:
    """What names a figure among those of all benches."""
    return " / ".join(part for part in (bench, work.group, work.name, work.column) if part)


Bench = Generator[Workload | Row | None, Row | None, None]
_REGISTRY: dict[str, Callable[[bool], Bench]] = {}


def bench(name: str) -> Callable[[Callable[[bool], Bench]], Callable[[bool], Bench]]:
    """Enter a generator function, which is given whether the run is a quick one, as the bench ``name``."""

    def enter(function: Callable[[bool], Bench]) -> Callable[[bool], Bench]:
        if name in _REGISTRY:
            raise ValueError(f"two benches are called {name}")
        _REGISTRY[name] = function
        return function

    return enter


def benches() -> dict[str, Callable[[bool], Bench]]:
    """All benches, in the order of ``BENCHES``."""
    for file in BENCHES:
        import_module(f".{file}", __package__)
    return _REGISTRY


def mean(name: str, rows: Sequence[Row | None]) -> Row | None:
    """The geometric mean of the rows' figures and ratios, the worst in its note; None if a row was not measured."""
    found = [row for row in rows if row is not None]
    if not found or len(found) < len(rows):
        return None
    first, ratios = found[0], [row.ratio for row in found if row.ratio is not None]
    sides = {side: _mean([row.sides[side] for row in found]) for side in first.sides}
    row = Row(first.group, name, first.unit, sides, peer=first.peer, speed=first.speed)
    if len(ratios) == len(found):
        row.ratio = _mean(ratios)
        worst = max(found, key=lambda row: row.ratio.median if row.ratio else 0)
        assert worst.ratio is not None
        row.note = f"worst {1 / worst.ratio.median if row.speed else worst.ratio.median:.2f}: {worst.name}"
    return row


def _mean(spreads: Sequence[Spread]) -> Spread:
    def over(values: Sequence[float]) -> float:
        return math.exp(sum(map(math.log, values)) / len(values))

    middle = over([s.median for s in spreads])
    noise = math.sqrt(sum(s.noise**2 for s in spreads)) / len(spreads)  # of independent figures
    return Spread(middle, middle * (1 - noise), middle * (1 + noise), min(s.count for s in spreads))
