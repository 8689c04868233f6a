"""The roofline picture: what was reached, over arithmetic intensity, under the roofs that were measured in the same run.

Williams, Waterman, Patterson, "Roofline: an insightful visual performance model for multicore architectures", CACM 2009.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .limits import Limits
from .pools import CORES
from .workloads import Row

__all__ = ["draw"]

SIZE = (12.0, 7.5)
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
"""Of the benches; told apart by all kinds of eyes (Okabe and Ito)."""
NAMES = 4
"""A label has at most so many names; the others are counted."""
CLOSE = 7.0
"""Points nearer than this, in pixels at 72 dots per inch, share a label."""
HEIGHT, WIDTH = 11.0, 5.4
"""Of a label's line and of its letters, in the same pixels."""


@dataclass
class _Point:
    x: float
    y: float
    names: list[str] = field(default_factory=list)
    colour: str = ""
    data: tuple[float, float] = (0.0, 0.0)

    @property
    def label(self) -> str:
        rest = len(self.names) - NAMES
        return ", ".join(self.names[:NAMES]) + (f" +{rest}" if rest > 0 else "")


def draw(path: Path, rows: Sequence[Row], limits: Limits, title: str) -> int:
    """Write the picture, as the name's ending says; the number of points. Without points there is no picture."""
    chosen = [row for row in rows if row.label and row.flops and row.bytes and row.dtype == "float32"]
    if not chosen or not limits.peak:
        return 0
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=SIZE, layout="constrained")
        axes = figure.add_subplot()
        intensities = [row.flops / row.bytes for row in chosen]
        reached = [row.flops / row.seconds / 1e9 for row in chosen]
        peak = limits.peak["float32"] / 1e9
        low, high = min(*intensities, 1 / 16) / 1.6, max(*intensities, 64) * 2.5
        axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(min(*reached, 0.1) / 1.6, peak * CORES * 2))
        axes.set_xlabel("arithmetic intensity: operations per byte that must be moved")
        axes.set_ylabel("GFLOP/s (functions of analysis count 15 operations)")
        axes.set_title(title, loc="left")
        axes.grid(which="major", color="#e8e8e8", linewidth=0.6)
        _roofs(axes, limits, peak, low, high)
        benches = list(dict.fromkeys(row.bench for row in chosen))
        for bench, colour in zip(benches, COLOURS * len(benches), strict=False):
            mine = [i for i, row in enumerate(chosen) if row.bench == bench]
            axes.scatter([intensities[i] for i in mine], [reached[i] for i in mine], s=16, color=colour, label=bench, zorder=3)
        axes.legend(loc="lower right", frameon=False)
        figure.draw_without_rendering()  # the scales are known only then
        _labels(axes, chosen, intensities, reached, dict(zip(benches, COLOURS * len(benches), strict=False)))
        figure.savefig(path, dpi=120)
    return len(chosen)


def _roofs(axes: Any, limits: Limits, peak: float, low: float, high: float) -> None:
    """The slopes of the levels of memory, and the flat roofs of one core and of all."""
    threads = max(limits.bandwidth)
    for level, rate in limits.bandwidth[threads].items():
        ridge = peak * CORES / (rate / 1e9)
        axes.plot([low, ridge], [low * rate / 1e9, peak * CORES], color="#777777", linewidth=1, zorder=1)
        at = max(low * 1.15, 2 * axes.get_ylim()[0] / (rate / 1e9))
        axes.annotate(
            f"{level} {rate / 1e9:.0f} GB/s", (at, at * rate / 1e9), xytext=(0, 3), textcoords="offset points",
            color="#555555", ha="left", va="bottom", bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5}, zorder=2,
        )  # fmt: skip
    for count in sorted({1, CORES}):
        axes.axhline(peak * count, color="#777777", linewidth=1, linestyle="-" if count == CORES else "--", zorder=1)
        words = f"{count} core{'s' if count > 1 else ''}: {peak * count:.0f} GFLOP/s float32"
        axes.annotate(words, (high / 40, peak * count), xytext=(0, 3), textcoords="offset points", color="#555555", ha="right")


def _labels(axes: Any, rows: Sequence[Row], xs: Sequence[float], ys: Sequence[float], colours: dict[str, str]) -> None:
    """Names to the right of their points; neighbours share one, the others make room for each other."""
    scale = 72 / axes.figure.dpi
    places = axes.transData.transform(list(zip(xs, ys, strict=True))) * scale
    points: list[_Point] = []
    items = zip(rows, places, zip(xs, ys, strict=True), strict=True)
    for row, (x, y), data in sorted(items, key=lambda item: (item[1][1], item[1][0])):
        near = next((p for p in points if abs(p.x - x) < CLOSE and abs(p.y - y) < CLOSE), None)
        if near is None:
            points.append(near := _Point(x, y, colour=colours[row.bench], data=data))
        near.names.append(row.label)
    taken: list[tuple[float, float, float]] = []
    for point in sorted(points, key=lambda p: (round(p.x / CLOSE), p.y)):
        width = WIDTH * len(point.label)
        y = _free(taken, point.x + 8, point.y, width, points)
        taken.append((point.x + 8, y, width))
        moved = abs(y - point.y) > HEIGHT / 2
        leader = {"arrowstyle": "-", "color": "#aaaaaa", "linewidth": 0.6, "relpos": (0, 0.5), "shrinkA": 0, "shrinkB": 2}
        axes.annotate(
            point.label, point.data, xytext=(8, y - point.y), textcoords="offset points", va="center", fontsize=8,
            color=point.colour, zorder=4, arrowprops=leader if moved else None,
        )  # fmt: skip


def _free(taken: Sequence[tuple[float, float, float]], x: float, y: float, width: float, points: Sequence[_Point]) -> float:
    """The height nearest to y at which a label neither meets another nor covers another's point."""

    def clear(at: float) -> bool:
        boxes = all(abs(at - b) >= HEIGHT or x + width < a or a + w < x for a, b, w in taken)
        return boxes and not any(x - 3 < p.x < x + width and abs(p.y - at) < HEIGHT * 0.55 for p in points)

    steps = [0.0] + [sign * i * HEIGHT / 3 for i in range(1, 200) for sign in (1, -1)]
    return next((y + step for step in steps if clear(y + step)), y)
