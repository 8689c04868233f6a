"""On which side of a picture a box stands: forward, backward, second (gradients of gradients) or update."""

from __future__ import annotations

from .roles import GRADIENTS
from .rollup import Box, Graph, Group

__all__ = ["sides_of"]

_ORDER = ("forward", "backward", "second", "update")


def sides_of(graph: Graph) -> dict[Box, str]:
    """The side of every box: what feeds the forward pass belongs to it, and an outermost group is on one side as a whole."""
    sources: dict[Box, list[Box]] = {}
    for edge in graph.edges:
        sources.setdefault(edge.target, []).append(edge.source)
    stack = [box for box in graph.boxes if box.role == "forward"]
    feeding = set(stack)
    while stack:
        for source in sources.get(stack.pop(), ()):
            if source not in feeding and source.role not in (*GRADIENTS, "write"):
                feeding.add(source)
                stack.append(source)
    found = {box: _side(box, feeding) for box in graph.boxes}
    whole: dict[Group, set[str]] = {}
    for box, side in found.items():
        if box.group.parent is not None:
            whole.setdefault(box.group.chain()[0], set()).add(side)
    for box in found:
        if box.group.parent is not None:
            found[box] = min(whole[box.group.chain()[0]], key=_ORDER.index)
    return found


def _side(box: Box, feeding: set[Box]) -> str:
    if box.role in GRADIENTS:
        return "backward" if box.role == "gradient" else "second"
    return "forward" if box in feeding else "update"
