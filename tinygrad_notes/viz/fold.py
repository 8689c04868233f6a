"""Making a graph small enough to read: the deepest groups become single boxes until it fits."""

from __future__ import annotations

from collections.abc import Iterable

from .rollup import Box, Edge, Graph, Group

__all__ = ["fold"]


def fold(graph: Graph, *, depth: int | None, max_nodes: int) -> Graph:
    """The graph with groups folded into single boxes, and a note that says which.

    depth      groups that are ``depth`` deep, and all inside them, are single boxes; None: only what ``max_nodes`` asks for
    max_nodes  as many boxes as the picture may have: the deepest groups are folded first, of these the largest. If what lies
               in no scope is still too much, its later part becomes one box.
    """
    folded = {group for group in _groups(graph.root) if depth is not None and len(group.chain()) == depth}
    notes = [f"folded at depth {depth}"] if folded else []
    asked = len(folded)
    sizes = _sizes(graph.boxes, folded)
    for group in sorted(_groups(graph.root), key=lambda g: (-len(g.chain()), -sizes.get(g, 0))):
        if len(_kept(graph.boxes, folded)) <= max_nodes:
            break
        inside = {_owner(box, folded) for box in graph.boxes if group in box.group.chain()}
        if len(inside) > 1:
            folded.add(group)
    if len(folded) > asked:
        outermost = [g for g in _groups(graph.root) if g in folded and not folded.intersection(g.chain()[:-1])]
        shown = ", ".join("/".join(g.name for g in group.chain()) for group in outermost[:6])
        notes.append(f"folded to fit {max_nodes} boxes: {shown}" + (", …" if len(outermost) > 6 else ""))
    owners = _kept(graph.boxes, folded)
    rest: set[Box | Group] = set()
    if len(owners) > max_nodes:
        ranked = sorted(owners, key=lambda owner: isinstance(owner, Box))  # stable: folded groups, then the tape's order
        rest = set(ranked[max_nodes - 1 :])
        notes.append(f"the first {max_nodes - 1} of {len(owners):,} boxes are drawn, the others are one box")
    return _redraw(graph, folded, rest, [*graph.notes, *notes]) if folded or rest else graph


def _groups(group: Group) -> Iterable[Group]:
    for child in group.children.values():
        yield child
        yield from _groups(child)


def _owner(box: Box, folded: set[Group]) -> Box | Group:
    return next((group for group in box.group.chain() if group in folded), box)


def _kept(boxes: list[Box], folded: set[Group]) -> dict[Box | Group, None]:
    return dict.fromkeys(_owner(box, folded) for box in boxes)


def _sizes(boxes: list[Box], folded: set[Group]) -> dict[Group, int]:
    sizes: dict[Group, int] = {}
    for box in boxes:
        for group in box.group.chain():
            sizes[group] = sizes.get(group, 0) + 1
    return sizes


def _redraw(graph: Graph, folded: set[Group], rest: set[Box | Group], notes: list[str]) -> Graph:
    stands: dict[Box, Box] = {}
    made: dict[Group, Box] = {}
    for box in graph.boxes:
        owner = _owner(box, folded)
        group = graph.root if owner in rest else owner
        if isinstance(group, Box):
            stands[box] = box
            continue
        if group not in made:
            name = "" if group is graph.root else group.label
            made[group] = Box("", group.parent or group, [], fold=name)
        made[group].members += box.members
        stands[box] = made[group]
    for group, whole in made.items():
        whole.role = _main_role([box for box in graph.boxes if stands[box] is made[group]])
        whole.names = tuple(n for box in graph.boxes if stands[box] is whole and box.role == "parameter" for n in box.names)
    edges: dict[tuple[Box, Box, Group | None], Edge] = {}
    for edge in graph.edges:
        ends = stands[edge.source], stands[edge.target]
        hidden = ends[0] is ends[1] and (ends[0].fold is not None)
        # a carry inside a folded group stays visible only as the loop of that group
        if hidden and (edge.carry is None or edge.carry not in made):
            continue
        merged = edges.setdefault((*ends, edge.carry), Edge(*ends, edge.carry))
        merged.strides |= edge.strides
        merged.values.update(edge.values)
        merged.views.update(edge.views)
        for kind, count in edge.types.items():
            merged.types[kind] = merged.types.get(kind, 0) + count
    boxes = list(dict.fromkeys(stands[box] for box in graph.boxes))
    return Graph(boxes, list(edges.values()), graph.root, graph.nodes, graph.contracted, notes, graph.tape)


def _main_role(boxes: list[Box]) -> str:
    """The role that most computed nodes have; that of the leaves where there are no others."""
    votes: dict[str, int] = {}
    for box in boxes:
        leaf = box.role in ("parameter", "data", "constant")
        votes[box.role] = votes.get(box.role, 0) + (1 if leaf else 1000 * len(box.members))
    return max(votes, key=lambda role: votes[role])
