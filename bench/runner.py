"""All chosen benches in one run."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from .limits import Limits
from .pools import Pools
from .timing import measure
from .workloads import Bench, Row, Workload, key_of

__all__ = ["Run"]


@dataclass
class Run:
    """What was measured, and which benches failed; ``groups`` measures what contains ``wanted``, and is one of ``keys``."""

    pools: Pools
    limits: Limits
    quick: bool = False
    wanted: str = ""
    rows: list[Row] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    keys: set[str] | None = None

    def groups(self, benches: dict[str, Callable[[bool], Bench]]) -> Iterator[list[Row]]:
        """The rows of each group, as soon as the group is complete."""
        for name, bench in benches.items():
            group: list[Row] = []
            for row in self._bench(name, bench):
                if group and row.group != group[0].group:
                    yield group
                    group = []
                group.append(row)
                self.rows.append(row)
            if group:
                yield group

    def _bench(self, name: str, bench: Callable[[bool], Bench]) -> Iterator[Row]:
        """The rows of a bench. One that fails is reported, and the others go on."""
        working = bench(self.quick)
        row: Row | None = None
        while True:
            try:
                item = working.send(row)
                row = None
                if isinstance(item, Workload) and self._chosen(name, item):
                    _status(f"{name}: {item.name} {item.column}")
                    row = measure(item, self.quick, self.pools)
                elif isinstance(item, Row):
                    row = item
            except StopIteration:
                break
            except Exception as error:
                _status("")
                traceback.print_exc()
                self.failed[name] = f"{type(error).__name__}: {error}"
                break
            if row is not None:
                row.bench = name
                least = self.limits.seconds(row)
                if least is not None:
                    row.limit = least / row.seconds
                yield row
        _status("")

    def _chosen(self, name: str, work: Workload) -> bool:
        if self.keys is not None and key_of(name, work) not in self.keys:
            return False
        return self.wanted.lower() in f"{name}: {work.group}: {work.name} {work.column}".lower()


def _status(text: str) -> None:
    """What is being measured, on a terminal."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text[:99]}", end="", file=sys.stderr, flush=True)
