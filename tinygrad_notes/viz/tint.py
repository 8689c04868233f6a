"""Colours for norms: on a logarithmic scale from blue (vanishing) over white to orange (exploding), black where not finite.

Blue and orange stay apart for all common kinds of colour blindness; every shade carries black text; numbers stand beside.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..tape import Node
from .norms import Norm
from .rollup import Box

__all__ = ["BAD", "STOPS", "UNKNOWN", "ZERO", "Shade", "Tint"]

STOPS = ("#4f9bd9", "#8fc0e8", "#c9e0f3", "#f7f3ea", "#fbd9b0", "#f8b26a", "#f08a35")
UNKNOWN, ZERO, BAD = "#ffffff", "#c4c4c4", "#000000"
_DECADES = 4.0
"""The least that the scale spans: norms that hardly differ shall not look as if they did."""
_STRIPES = 12


@dataclass(frozen=True, slots=True)
class Shade:
    """How one box is filled: colours from its first instance to its last, a line of text, whether something is not finite."""

    colors: tuple[str, ...]
    text: str
    alarm: bool = False


class Tint:
    """The scale over all ``norms``; ``what`` they are of stands in the legend."""

    def __init__(self, norms: Mapping[Node, Norm], what: str) -> None:
        self.norms, self.what = norms, what
        logs = [math.log10(norm.size) for norm in norms.values() if norm.size > 0]
        self.low, self.high = min(logs, default=0.0), max(logs, default=0.0)
        lacking = (_DECADES - (self.high - self.low)) / 2
        if lacking > 0:
            self.low, self.high = self.low - lacking, self.high + lacking

    def shade(self, box: Box) -> Shade:
        """The colours of a box. Of more members than can be told apart, neighbours share a stripe: its middle."""
        known = [self.norms[node] for node in box.members if node in self.norms]
        if box.role == "gradient":  # computed from the last instance to the first
            known.reverse()
        if not known:
            return Shade((UNKNOWN,), "")
        bad = [norm for norm in known if norm.nan or norm.inf]
        if bad:
            kind = "NaN" if any(norm.nan for norm in bad) else "inf"
            where = f" in {len(bad):,} of {len(known):,}" if len(known) > 1 else ""
            return Shade((BAD,), f"{kind}{where}", alarm=True)
        count = min(len(known), _STRIPES)
        stripes = tuple(self._color(known[(2 * i + 1) * len(known) // (2 * count)].size) for i in range(count))
        return Shade(stripes if len(set(stripes)) > 1 else stripes[:1], _range(norm.size for norm in known))

    def legend(self) -> list[tuple[str, str]]:
        """Colours with the norms that they stand for, evenly over the scale, then the special ones that occur."""
        n = len(STOPS) - 1
        sizes = [10 ** (self.low + (self.high - self.low) * i / n) for i in range(n + 1)]
        said = [(self._color(size), show(size)) for size in sizes]
        if any(norm.size == 0 and not (norm.nan or norm.inf) for norm in self.norms.values()):
            said.append((ZERO, "0"))
        if any(norm.nan or norm.inf for norm in self.norms.values()):
            said.append((BAD, "NaN, inf"))
        return [*said, (UNKNOWN, "none")]

    def _color(self, size: float) -> str:
        if size == 0:
            return ZERO
        place = (math.log10(size) - self.low) / (self.high - self.low) * (len(STOPS) - 1)
        i = min(int(place), len(STOPS) - 2)
        mixed = (round(a + (b - a) * (place - i)) for a, b in zip(_channels(STOPS[i]), _channels(STOPS[i + 1]), strict=True))
        return "#" + "".join(f"{channel:02x}" for channel in mixed)


def show(size: float) -> str:
    """A norm in three digits at most: ``0.41``, ``3.2e-9``."""
    if size == 0 or 0.01 <= size < 1000:
        return f"{size:.2g}" if size < 100 else f"{size:.0f}"
    mantissa, exponent = f"{size:.1e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def _range(sizes: Iterable[float]) -> str:
    ordered = sorted(sizes)
    low, high = show(ordered[0]), show(ordered[-1])
    return low if low == high else f"{low} … {high}"


def _channels(color: str) -> tuple[int, ...]:
    return tuple(int(color[i : i + 2], 16) for i in (1, 3, 5))
