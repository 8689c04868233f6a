"""``make bench-check``: fails where eager operations, matmul or the memory of an LSTM's step got worse.

The stored ratios, ours over the peer's, are in ``bench/ratios.json``; ratios travel between machines better than times, but
not perfectly: ``make bench-check ARGS=--update`` stores those of yours. A figure fails if its ratio is worse than the stored
one by more than its tolerance: ``NOISES`` times the noise of the stored run and of this one (half the distance between the
quartiles, more where few rounds were measured, added in squares), at least ``LEAST``. Before a figure fails it is measured
once more, and the better one counts.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .machine import clear_environment
from .report import number
from .workloads import Bench, Row

__all__ = ["Verdict", "judge", "store"]

STORED = Path(__file__).parent / "ratios.json"
LEAST = 0.2
NOISES = 3.0
CHOSEN = (("eager", ""), ("gemm", ""), ("primitives", "matmul"), ("memory", ""))
"""Benches, and what of them."""


@dataclass(frozen=True)
class Verdict:
    """A figure against the stored one; ``bound`` is the worst ratio that passes."""

    key: str
    ratio: float
    stored: float
    bound: float

    @property
    def fails(self) -> bool:
        """Whether it got worse."""
        return self.ratio > self.bound


def store(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """What is kept of rows: ratios and their noise, no times."""
    return {
        row.key: {"peer": row.peer, "ratio": round(row.ratio.median, 4), "noise": round(row.ratio.doubt, 4)}
        for row in rows
        if row.ratio is not None
    }


def judge(rows: Sequence[Row], stored: dict[str, dict[str, Any]]) -> list[Verdict]:
    """The figures that were stored, against the same peer."""
    found = []
    for row in rows:
        old = stored.get(row.key)
        if old is not None and row.ratio is not None and old["peer"] in row.sides:
            ratio = row.ratio.median if old["peer"] == row.peer else row.ours.median / row.sides[old["peer"]].median
            tolerance = max(LEAST, NOISES * math.hypot(old["noise"], row.ratio.doubt))
            found.append(Verdict(row.key, ratio, old["ratio"], old["ratio"] * (1 + tolerance)))
    return found


def measured(benches: dict[str, Callable[[bool], Bench]], keys: set[str] | None = None) -> Iterator[Row]:
    """The rows of the chosen benches, quick ones; only those of ``keys``, if given."""
    from .limits import Limits
    from .pools import Pools
    from .runner import Run

    pools = Pools()
    for name, wanted in CHOSEN:
        if name in benches:
            run = Run(pools, Limits.unknown(), True, wanted, keys=keys)
            for group in run.groups({name: benches[name]}):
                yield from group
            if run.failed:
                raise RuntimeError(f"{name} failed: {run.failed[name]}")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line: 1 if a figure got worse, 2 if there is nothing to compare."""
    from .workloads import benches

    parser = argparse.ArgumentParser(prog="make bench-check", description="Fail where stored ratios got worse.")
    parser.add_argument("--update", action="store_true", help="store this run's ratios")
    parser.add_argument("--stored", type=Path, default=STORED, help="the file of ratios")
    given = parser.parse_args(arguments)
    rows = list(measured(benches()))
    if given.update:
        given.stored.write_text(json.dumps(store(rows), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"{len(store(rows))} ratios stored in {given.stored}")
        return 0
    stored = json.loads(given.stored.read_text(encoding="utf-8"))
    verdicts = {v.key: v for v in judge(rows, stored)}
    if suspects := {key for key, v in verdicts.items() if v.fails}:
        again = judge(list(measured(benches(), suspects)), stored)
        verdicts |= {v.key: v for v in again if v.ratio < verdicts[v.key].ratio}
    return show(list(verdicts.values()), len(stored))


def show(verdicts: Sequence[Verdict], stored: int) -> int:
    """Print the verdicts; the exit status."""
    for v in sorted(verdicts, key=lambda v: v.bound / v.ratio):
        word = "WORSE" if v.fails else "ok"
        print(f"{word:6}{number(v.ratio):>7}, stored {number(v.stored)}, at most {number(v.bound)}   {v.key}")
    failing = sum(v.fails for v in verdicts)
    print(
        f"\n{failing} of {len(verdicts)} ratios got worse (ours / theirs); {stored - len(verdicts)} stored ones have no peer here"
    )
    if not verdicts:
        print("nothing could be compared: pip install torch")
        return 2
    return 1 if failing else 0


if __name__ == "__main__":
    clear_environment("bench.check")
    sys.exit(main())
