"""A plain layered layout (after Sugiyama, Tagawa & Toda, 1981), for machines without graphviz.

Every cluster is laid out for itself: what it holds, boxes and inner clusters alike, stands in layers by the longest path,
is ordered in them by barycenters, and then drawn as one item of the cluster around. So clusters are rectangles that never
cross. The sides of a picture stand side by side; in those of gradients the flow goes upward.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .rollup import Box, Graph, Group

__all__ = ["Place", "layout"]

_GAP, _ROW, _COLUMN, _PAD, _HEAD = 14.0, 34.0, 70.0, 12.0, 20.0
"""Between items of a layer, between layers, between sides; around the content of a cluster, and for its name above."""
_RETURN = 50.0
"""On the right of what repeats: for the edges that lead to the next instance."""
_SWEEPS = 6


@dataclass(eq=False)
class Place:
    """Where a box or cluster stands: left, top, width, height."""

    what: Box | Group
    w: float
    h: float
    first: int
    x: float = 0.0
    y: float = 0.0
    inside: list[Place] = field(default_factory=list)


Links = dict[tuple[Box | Group, Box | Group], None]


def layout(
    graph: Graph, sides: dict[Box, str], order: Sequence[str], upward: Sequence[str], size: Callable[[Box], tuple[float, float]]
) -> tuple[dict[Box | Group, Place], float, float]:
    """The places of all boxes and clusters, and the width and height of the whole.

    sides   of every box; ``order`` has them from left to right, ``upward`` those whose flow goes upward
    size    width and height of a box
    """
    links: dict[Group, Links] = {}
    for edge in graph.edges:
        one, other = _chain(edge.source), _chain(edge.target)
        depth = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a is not b), None)
        if depth is not None:
            above = edge.source.group.chain()[depth - 1] if depth else graph.root
            links.setdefault(above, {})[one[depth], other[depth]] = None
    inside: dict[Group, list[Box]] = {}
    for box in graph.boxes:
        inside.setdefault(box.group, []).append(box)
    number = {box: i for i, box in enumerate(graph.boxes)}

    def item(what: Box | Group, flip: bool) -> Place:
        if isinstance(what, Box):
            return Place(what, *size(what), first=number[what])
        parts = [item(part, flip) for part in _parts(what, inside)]
        w, h = _arrange(parts, links.get(what, {}), flip)
        for part in parts:
            part.x, part.y = part.x + _PAD, part.y + _PAD + _HEAD
        computed = [
            part.first for part in parts if isinstance(part.what, Group) or part.what.role not in ("parameter", "state")
        ]
        first = min(computed or [part.first for part in parts])
        w = max(w, 7.0 * len(what.label))
        room = _RETURN if what.instances > 1 else 0.0
        return Place(what, w + 2 * _PAD + room, h + 2 * _PAD + _HEAD, first, inside=parts)

    found: dict[Box | Group, Place] = {}
    left, bottom = 0.0, 0.0
    for side in order:
        flip = side in upward
        parts = [item(p, flip) for p in _parts(graph.root, inside) if sides[_any_box(p, inside)] == side]
        if parts:
            w, h = _arrange(parts, links.get(graph.root, {}), flip)
            _collect(parts, left, 0.0, found)
            left, bottom = left + w + _COLUMN, max(bottom, h)
    return found, left - _COLUMN, bottom


def _chain(box: Box) -> tuple[Box | Group, ...]:
    return (*box.group.chain(), box)


def _parts(group: Group, inside: dict[Group, list[Box]]) -> list[Box | Group]:
    return [*inside.get(group, ()), *(child for child in group.children.values() if _parts(child, inside))]


def _any_box(what: Box | Group, inside: dict[Group, list[Box]]) -> Box:
    return what if isinstance(what, Box) else _any_box(_parts(what, inside)[0], inside)


def _collect(places: list[Place], x: float, y: float, found: dict[Box | Group, Place]) -> None:
    """Make places inside clusters absolute."""
    for place in places:
        place.x, place.y = place.x + x, place.y + y
        found[place.what] = place
        _collect(place.inside, place.x, place.y, found)


def _arrange(items: list[Place], links: Links, flip: bool) -> tuple[float, float]:
    """Give the items of one cluster their places in it; the size that they need."""
    by_what = {item.what: item for item in items}
    above: dict[Place, list[Place]] = {item: [] for item in items}
    below: dict[Place, list[Place]] = {item: [] for item in items}
    for a, b in links:
        if a in by_what and b in by_what and by_what[a].first < by_what[b].first:  # what leads back in time ranks nothing
            above[by_what[b]].append(by_what[a])
            below[by_what[a]].append(by_what[b])
    rank: dict[Place, int] = {}
    timely = sorted(items, key=lambda item: item.first)
    for item in timely:
        rank[item] = max((rank[other] + 1 for other in above[item]), default=0)
    for item in reversed(timely):
        if not above[item] and below[item]:  # leaves stand next to their first reader
            rank[item] = min(rank[other] for other in below[item]) - 1
    rows = [[item for item in timely if rank[item] == r] for r in sorted(set(rank.values()))]
    for sweep in range(_SWEEPS):
        near = above if sweep % 2 == 0 else below
        for row in rows if sweep % 2 == 0 else reversed(rows):
            _spread(row, near)
    left = min(item.x for item in items)
    y = 0.0
    for row in reversed(rows) if flip else rows:
        tallest = max(item.h for item in row)
        for item in row:
            item.x, item.y = item.x - left, y + (tallest - item.h) / 2
        y += tallest + _ROW
    return max(item.x + item.w for item in items), y - _ROW


def _spread(row: list[Place], near: dict[Place, list[Place]]) -> None:
    """Order a layer by the mean place of each item's neighbours, and move each as close to it as there is room."""

    def wish(item: Place) -> float:
        others = near[item]
        return sum(o.x + o.w / 2 for o in others) / len(others) if others else item.x + item.w / 2

    wishes = {item: wish(item) for item in row}
    row.sort(key=lambda item: (wishes[item], item.first))
    right = float("-inf")
    for item in row:
        item.x = max(wishes[item] - item.w / 2, right)
        right = item.x + item.w + _GAP
    drift = sum(item.x + item.w / 2 - wishes[item] for item in row) / len(row)
    for item in row:
        item.x -= drift
