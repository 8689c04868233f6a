"""On which side of a picture a box stands: forward, backward, second (gradients of gradients) or update; what leads across."""

from __future__ import annotations

from dataclasses import dataclass

from .labels import box_label, edge_label, values_label
from .looks import KEPT, READ, UPDATED
from .roles import GRADIENTS, is_parameter
from .rollup import Box, Edge, Graph, Group

__all__ = ["UPWARD", "Bundle", "bundles", "sides_of"]

UPWARD = ("backward", "second")
"""The sides where the flow goes up, beside the forward pass that flows down."""

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
            if source not in feeding and source.role not in GRADIENTS and not _hidden_write(source):
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


def _hidden_write(box: Box) -> bool:
    """A write that gradients do not see, as an optimizer's; one that they see is a part of the forward pass."""
    return box.role == "write" and not all(node.params.get("visible") for node in box.members)


def _side(box: Box, feeding: set[Box]) -> str:
    if box.role in GRADIENTS:
        return "backward" if box.role == "gradient" else "second"
    return "forward" if box in feeding else "update"


@dataclass(frozen=True)
class Bundle:
    """All values that one layer hands to another side, as one edge: residuals to backward, parameters to the optimizer."""

    source: Box | Group
    target: Box | Group
    edges: list[Edge]
    color: str
    meaning: str

    @property
    def single(self) -> bool:
        """Whether it leads from one box to another."""
        return isinstance(self.source, Box) and isinstance(self.target, Box)

    @property
    def label(self) -> str:
        if self.single:
            return edge_label(self.edges[0])
        nodes = {node for edge in self.edges for node in edge.values}
        return values_label(nodes, "parameter" if self.color == UPDATED else "value")

    @property
    def tooltip(self) -> str:
        return "\n".join(dict.fromkeys(box_label(edge.source).replace("\n", " ") for edge in self.edges))


def bundles(graph: Graph, sides: dict[Box, str]) -> tuple[list[Edge], list[Bundle]]:
    """The edges within the sides and back to forward, and the bundles: all others that lead across."""
    plain: list[Edge] = []
    across: dict[tuple[Box | Group, Box | Group], list[Edge]] = {}
    for edge in graph.edges:
        one, other = sides[edge.source], sides[edge.target]
        if one != other != "forward":
            ends = _end(edge.source, one, graph.root), _end(edge.target, other, graph.root)
            across.setdefault(ends, []).append(edge)
        else:
            plain.append(edge)
    return plain, [_bundle(*ends, edges, sides) for ends, edges in across.items()]


def _end(box: Box, side: str, root: Group) -> Box | Group:
    """Where an edge from one side to another ends: at the layer, not at each of its boxes."""
    layer: Box | Group = box
    for group in box.group.chain():
        if group.instances > 1 or group.index is not None:
            break
        if side not in UPWARD or group.parent is not root:
            layer = group
    return layer


def _bundle(source: Box | Group, target: Box | Group, edges: list[Edge], sides: dict[Box, str]) -> Bundle:
    if sides[edges[0].target] in UPWARD:
        return Bundle(source, target, edges, KEPT, "→ kept by forward, read by backward")
    if all(is_parameter(node) for edge in edges for node in edge.values):
        return Bundle(source, target, edges, UPDATED, "→ what is updated")
    return Bundle(source, target, edges, READ, "→ read by an update")
