"""A list of nodes as a small graph, as plain data: scopes that repeat become one group, nodes of one role one box.

The instances of a group are its scopes: ``step 0`` .. ``step 63`` under one parent, or the calls of one scope without an
index. Nodes merge along the groups they are in (see ``align``), leaves by the box and the argument they first feed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..tape import Node, Tape
from .align import align
from .groups import Group, Instance, Scopes
from .roles import RANK, leaf_role, orders, places, role_of

__all__ = ["Box", "Edge", "Graph", "Group", "Kind", "roll_up"]

Kind = tuple[tuple[int, ...], Any]
"""Shape and dtype of a value."""


@dataclass(eq=False)
class Box:
    """What one box of the picture stands for: nodes of one role, in the order of the tape.

    role   parameter | state (a leaf that is written) | data | constant | forward | gradient | second (gradient of a gradient) |
           update (no gradient flows) | write
    names  the names of leaves, where the tape knows them
    fold   the group, or "" for the rest of the tape, of which this box is all
    """

    role: str
    group: Group
    members: list[Node]
    names: tuple[str, ...] = ()
    fold: str | None = None


@dataclass(eq=False)
class Edge:
    """The values that flow from one box to another: their types, how many, the views on the way.

    carry  the group between whose instances the edge leads, with the differences of their indices
    """

    source: Box
    target: Box
    carry: Group | None = None
    strides: set[int] = field(default_factory=set)
    types: dict[Kind, int] = field(default_factory=dict)
    values: dict[Node, None] = field(default_factory=dict)
    views: dict[str, None] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return sum(self.types.values())


@dataclass
class Graph:
    """Boxes and edges; ``contracted`` views are drawn as part of the edges, and ``notes`` say what a picture leaves out.

    tape  what the nodes are on: a tape that is dropped lets go of what its nodes read
    """

    boxes: list[Box]
    edges: list[Edge]
    root: Group
    nodes: int
    contracted: int = 0
    notes: list[str] = field(default_factory=list)
    tape: Tape | None = None


def roll_up(
    nodes: Iterable[Node], *, names: Mapping[Node, str] | None = None, constants: Iterable[Node] = (), views: bool = False
) -> Graph:
    """Merge the nodes of a tape into boxes.

    nodes      what was computed, in order; what only appears among the inputs is a leaf
    names      of leaves
    constants  the leaves that the recorded code made itself
    views      draw reshape, permute, slice, broadcast and detach as boxes; else they are part of the edges
    """
    return _RollUp(list(nodes), names or {}, set(constants), views).graph


class _RollUp:
    def __init__(self, nodes: list[Node], names: Mapping[Node, str], constants: set[Node], views: bool) -> None:
        self.names, self.constants = names, constants
        computed = set(nodes)
        self.orders = orders(nodes)
        self.place = places(nodes)
        used = {source for node in nodes for source in node.inputs}
        through = set() if views else {node for node in nodes if node.op.kind == "view" and node in used}
        drawn = [node for node in nodes if node not in through]
        self.scopes = Scopes(nodes)
        self.at: dict[Node, Instance] = {node: self.scopes.of(node, self.orders[node]) for node in drawn}
        self.box: dict[Node, Box] = {}

        own: dict[Group, dict[Instance, list[Node]]] = {}
        for node in drawn:
            own.setdefault(self.at[node].group, {}).setdefault(self.at[node], []).append(node)
        for group, instances in own.items():
            for members in align(list(instances.values())):
                self._make(self._role(members[0]), group, members)

        self.links: list[tuple[Node, tuple[str, ...], Node, int, Node]] = []  # source, views, its type, argument, reader
        for node in drawn:
            for position, given in enumerate(node.inputs):
                source: Node = given
                path: tuple[str, ...] = ()
                while source in through:
                    source, path = source.inputs[0], (source.op.name, *path)
                if source.op.kind != "literal":
                    self.links.append((source, path, given, position, node))
        self._peers()
        while self._strays():
            pass
        self._leaves(computed)

        boxes = sorted(set(self.box.values()), key=lambda box: self.place[box.members[0]])
        self.graph = Graph(boxes, self._edges(), self.scopes.root.group, len(drawn), len(through))

    def _make(self, role: str, group: Group, members: list[Node]) -> None:
        members = sorted(members, key=self.place.__getitem__)
        box = Box(role, group, members, tuple(self.names[node] for node in members if node in self.names))
        self.box.update(dict.fromkeys(members, box))

    def _peers(self) -> None:
        """Merge what lies in no repeated scope but feeds a repeated one in the same place: the gradient of each parameter."""
        read: dict[Node, set[tuple[Box, int]]] = {}
        for source, _, _, position, reader in self.links:
            read.setdefault(source, set()).add((self.box[reader], position))
        alike: dict[tuple[Group, str, frozenset[tuple[Box, int]]], list[Node]] = {}
        for node, instance in self.at.items():
            places = read.get(node, set())
            if instance.group.instances == 1 and places and all(box.group.instances > 1 for box, _ in places):
                alike.setdefault((instance.group, node.op.name, frozenset(places)), []).append(node)
        for (group, _, _), members in alike.items():
            if len(members) > 1:
                self._make(self._role(members[0]), group, members)

    def _strays(self) -> bool:
        """Merge what a loop does outside its repeated scope (``x = layer(x).tanh()``): nodes of one operation in no repeated
        scope that read, in the same places, different members of boxes that stand for several. True if there were any."""
        reads: dict[Node, dict[tuple[Box, int], Node]] = {}
        for source, _, _, position, reader in self.links:
            if source in self.at and len(self.box[source].members) > 2:
                reads.setdefault(reader, {})[self.box[source], position] = source
        alike: dict[Any, list[Node]] = {}
        for node, found in reads.items():
            if len(self.box[node].members) == 1 and self.at[node].group.instances == 1:
                key = self.at[node].group, self._role(node), node.op.name, node.shape, node.dtype, frozenset(found)
                alike.setdefault(key, []).append(node)
        merged = False
        for (group, role, *_), members in alike.items():
            if len(members) > 2 and len({tuple(reads[node].values()) for node in members}) == len(members):
                self._make(role, group, members)
                merged = True
        return merged

    def _role(self, node: Node) -> str:
        return role_of(node, self.orders[node])

    # ---- leaves ----

    def _leaves(self, computed: set[Node]) -> None:
        """A leaf lives where it is read: in the innermost scope that all its readers share. Readers in the forward pass
        count first: a weight belongs to its layer, though backward and the optimizer read it too."""
        readers: dict[Node, list[tuple[Node, int]]] = {}
        for source, _, _, position, reader in self.links:
            if source not in computed:
                readers.setdefault(source, []).append((reader, position))
        alike: dict[tuple[Group, str, Box, int], list[Node]] = {}
        for leaf, found in readers.items():
            best = min(RANK[self._role(reader)] for reader, _ in found)
            found = [(reader, position) for reader, position in found if RANK[self._role(reader)] == best]
            home = self.scopes.shared([self.at[reader] for reader, _ in found])
            reader, position = found[0]
            written = any(reader.op.writes and position == 0 for reader, position in readers[leaf])
            alike.setdefault(
                (home.group, leaf_role(leaf, leaf in self.constants, written), self.box[reader], position), []
            ).append(leaf)
        for (group, role, _, _), leaves in alike.items():
            while group.parent is not None and group.instances > len(leaves):  # the first step's state comes from outside
                group = group.parent
            self._make(role, group, leaves)

    # ---- edges ----

    def _edges(self) -> list[Edge]:
        edges: dict[tuple[Box, Box, Group | None], Edge] = {}
        for source, path, given, _, reader in self.links:
            carry, stride = self._carry(source, reader)
            ends = self.box[source], self.box[reader]
            edge = edges.setdefault((*ends, carry), Edge(*ends, carry))
            kind = given.shape, given.dtype
            edge.types[kind] = edge.types.get(kind, 0) + 1
            edge.values[source] = None
            if carry is not None:
                edge.strides.add(stride)
            if path:
                edge.views[", ".join(path)] = None
        return list(edges.values())

    def _carry(self, source: Node, reader: Node) -> tuple[Group | None, int]:
        """The group within which an edge leads from one instance to another, and how far."""
        if source in self.at:
            for one, other in zip(self.at[source].chain(), self.at[reader].chain(), strict=False):
                if one.group is not other.group:
                    break
                if one is not other:
                    return one.group, other.ordinal - one.ordinal
        return None, 0
