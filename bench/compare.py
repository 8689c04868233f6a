"""``make bench-compare OLD=a.json NEW=b.json``: what changed between two runs beyond noise.

A figure changed if our time and its ratio to the same peer both did, in one direction: a slower day of the machine slows the
peer as well, and a peer's bad day changes no time of ours. Between different processors ratios alone are judged; without a
peer, times alone. Each must differ by more than ``NOISES`` times the noise of both runs (half the distance between the
quartiles, more where few rounds were measured, added in squares), and by more than ``LEAST``.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .report import colour, number
from .results import load, rows_of
from .workloads import Row, Spread

__all__ = ["Change", "changes", "differences"]

LEAST = 0.08
"""Runs of one program differ by this much in their medians, on a machine that does nothing else."""
NOISES = 3.0


@dataclass(frozen=True)
class Change:
    """A figure in both runs: ``factor`` new / old, below 1 is better; ``bound`` the factor, above 1, that noise explains."""

    key: str
    old: Row
    new: Row
    factor: float
    bound: float

    @property
    def real(self) -> bool:
        """Whether noise does not explain it."""
        return abs(math.log(self.factor)) > math.log(self.bound)


def changes(old: dict[str, Row], new: dict[str, Row], one_machine: bool = True) -> list[Change]:
    """All figures that both runs have, the worst first."""
    found = []
    for key in old.keys() & new.keys():
        a, b = old[key], new[key]
        pairs = []
        if a.ratio is not None and b.ratio is not None and a.peer == b.peer:
            pairs.append((a.ratio, b.ratio))
        if one_machine or not pairs:
            pairs.append((a.ours, b.ours))
        if all(x.median > 0 and y.median > 0 for x, y in pairs):
            seen = [Change(key, a, b, y.median / x.median, 1 + _noise(x, y)) for x, y in pairs]
            least = min(seen, key=lambda change: abs(math.log(change.factor)) / math.log(change.bound))
            opposed = min(c.factor for c in seen) < 1 < max(c.factor for c in seen)
            found.append(replace(least, factor=1.0) if opposed else least)
    return sorted(found, key=lambda change: (-change.factor, change.key))


def _noise(a: Spread, b: Spread) -> float:
    return max(LEAST, NOISES * math.hypot(a.doubt, b.doubt))


def differences(old: dict[str, Any], new: dict[str, Any], path: str = "") -> list[str]:
    """In what the machines and versions of two runs differ."""
    found = []
    for key in sorted(old.keys() | new.keys()):
        a, b = old.get(key), new.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            found += differences(a, b, f"{path}{key}: ")
        elif a != b:
            found.append(f"{path}{key}: {a} → {b}")
    return found


def report(old: dict[str, Any], new: dict[str, Any]) -> str:
    """What is printed."""
    before, after = rows_of(old), rows_of(new)
    machines = [run.get("machine", {}).get("processor") for run in (old, new)]
    found = changes(before, after, machines[0] == machines[1])
    lines = [f"differs: {line}" for line in differences(old.get("machine", {}), new.get("machine", {}))]
    for name, run in (("old", old), ("new", new)):
        if run["interrupted"]:
            lines.append(f"the {name} run was interrupted")
        if (run.get("others") or 0) > 0.03:
            lines.append(f"other programs had {100 * run['others']:.0f} % of the processor during the {name} run")
    on = sys.stdout.isatty()
    for what, chosen in (
        ("slower", [c for c in found if c.real and c.factor > 1]),
        ("faster", [c for c in found if c.real and c.factor < 1][::-1]),
    ):
        lines += ["", f"{what}: {len(chosen)}"]
        for c in chosen:
            times = f"{number(c.old.ours.median)} → {number(c.new.ours.median)} {c.new.unit}"
            factor = colour(f"{c.factor:6.2f}×", c.factor, on)
            lines += [f"  {factor}  (noise up to {c.bound:.2f})  {times:>28}", f"           {c.key}"]
    lines.append(f"\nunchanged: {sum(not c.real for c in found)}; below 1× is faster")
    for what, keys in (("old", before.keys() - after.keys()), ("new", after.keys() - before.keys())):
        if keys:
            lines.append(
                f"only in the {what} run: {len(keys)} ({', '.join(sorted(keys)[:3])}{', ...' if len(keys) > 3 else ''})"
            )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 2 if a file cannot be read."""
    parser = argparse.ArgumentParser(prog="make bench-compare", description="What changed between two runs beyond noise.")
    parser.add_argument("old", type=Path, help="the JSON file of a run")
    parser.add_argument("new", type=Path, help="of a later one")
    given = parser.parse_args(arguments)
    try:
        print(report(load(given.old), load(given.new)))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
