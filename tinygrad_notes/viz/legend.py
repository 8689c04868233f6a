"""What the colours and lines of a picture mean: only what occurs in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .looks import CARRY, GRADIENT, KEPT, LOOKS, READ, UPDATED
from .rollup import Box, Graph
from .sides import UPWARD, Bundle
from .tint import Tint

__all__ = ["Key", "legend", "summary"]


@dataclass(frozen=True)
class Key:
    """One entry: text on ``fill`` in a border of ``color``; without a fill, text in this colour."""

    text: str
    color: str = "#000000"
    fill: str = ""
    width: float = 1
    style: str = ""


def legend(graph: Graph, sides: dict[Box, str], bundled: Iterable[Bundle], tint: Tint | None) -> list[list[Key]]:
    """Rows of entries: roles, lines, the scale of the tint."""
    present = {box.role for box in graph.boxes}
    roles = [
        Key(look.legend, look.border, look.fill if tint is None else "#ffffff", look.width, look.style)
        for role, look in LOOKS.items()
        if role in present
    ]
    lines = {bundle.color: bundle.meaning for bundle in bundled}
    if any(sides[edge.source] == sides[edge.target] and sides[edge.source] in UPWARD for edge in graph.edges):
        lines[GRADIENT] = "↑ gradients flow upward"
    if any(edge.carry is not None for edge in graph.edges):
        lines[CARRY] = "dashed: to the next instance"
    rows = [roles, [Key(lines[color], color) for color in (KEPT, GRADIENT, UPDATED, READ, CARRY) if color in lines]]
    if tint is not None:
        rows.append([Key(tint.what), *(Key(text, fill=fill) for fill, text in tint.legend())])
        if any(len(tint.shade(box).colors) > 1 for box in graph.boxes):
            rows[-1].append(Key("stripes: first to last instance"))
    return [row for row in rows if row]


def summary(graph: Graph) -> str:
    """How much is drawn, and what is not."""
    total = f"{graph.nodes + graph.contracted:,} operations in {len(graph.boxes):,} boxes"
    return "; ".join([
        total, *([f"{graph.contracted:,} views are part of the edges"] if graph.contracted else []), *graph.notes
    ])  # fmt: skip
