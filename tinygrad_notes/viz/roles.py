"""What part a node plays in a computation: forward, gradient, gradient of a gradient, update, or a leaf of some kind."""

from __future__ import annotations

from collections.abc import Iterable

from ..modes import Scope
from ..tape import Node

__all__ = [
    "GRADIENTS",
    "LEAVES",
    "RANK",
    "gradient_scope",
    "is_parameter",
    "leaf_role",
    "orders",
    "places",
    "recorded",
    "role_of",
]

LEAVES = ("parameter", "state", "data", "constant")
GRADIENTS = ("gradient", "second")
RANK = {"forward": 0, "update": 1, "write": 2, "gradient": 3, "second": 4}


def is_parameter(node: Node) -> bool:
    """Whether a node is a leaf that requires a gradient."""
    return node.rg and node.op.kind == "leaf"


def leaf_role(leaf: Node, constant: bool, written: bool) -> str:
    """The role of a leaf; whether the recorded code made it itself, and whether it is written in place."""
    if is_parameter(leaf):
        return "parameter"
    if constant:
        return "constant"
    return "state" if written else "data"


def role_of(node: Node, order: int) -> str:
    """The role of a computed node; ``order`` says how many derivatives deep it is (see ``orders``)."""
    if node.op.writes:
        return "write"
    if order:
        return "gradient" if order == 1 else "second"
    return "forward" if node.rg else "update"


def orders(nodes: Iterable[Node]) -> dict[Node, int]:
    """Per node, in the order of the tape: 0, or of which derivative it is a part: 1 gradient, 2 gradient of a gradient, ...

    The engine records backward in scopes that mirror those of forward, so the scope of a gradient's gradient begins with
    ``backward`` twice. What that pass leaves at forward's own nodes lies in ``backward`` once: it is known by what it reads,
    the differentiable gradients of an earlier pass. A pass is what was recorded in such scopes without interruption.
    """
    found: dict[Node, int] = {}
    pass_of: dict[Node, int] = {}
    base: dict[int, int] = {}
    current, inside = 0, False
    for node in nodes:
        depth = node.scope.mirrored
        if depth == 0:
            found[node], inside = 0, False
            continue
        if not inside:
            current, inside = current + 1, True
            base[current] = 1
        pass_of[node] = current
        found[node] = depth
        for source in node.inputs:
            if pass_of.get(source) == current:
                found[node] = max(found[node], found[source])
            elif source in pass_of and source.rg:
                base[current] = max(base[current], found[source] + 1)
    return {node: max(order, base[pass_of[node]]) if order else 0 for node, order in found.items()}


def places(nodes: Iterable[Node]) -> dict[Node, int]:
    """The order of everything on a tape: a leaf stands before its first reader, whenever it was made."""
    found: dict[Node, int] = {}
    for node in nodes:
        for value in (*node.inputs, node):
            found.setdefault(value, len(found))
    return found


class _Shown(Scope):
    """A scope of a picture, in place of the one that was recorded."""

    __slots__ = ("recorded",)
    recorded: Scope


def recorded(scope: Scope) -> Scope:
    """The scope that a picture's scope stands for."""
    return scope.recorded if isinstance(scope, _Shown) else scope


def gradient_scope(scope: Scope, order: int, known: dict[tuple[Scope, int], Scope]) -> Scope:
    """The scope in which a picture shows a gradient: those of a second derivative stand apart, under ``double backward``.

    known  the scopes made so far, by the scope that they stand for
    """
    if order < 2 or scope.parent is None:
        return scope
    if (scope, order) not in known:
        if scope.parent.parent is None:
            made = _Shown(scope.parent, "double backward" if order == 2 else f"backward of order {order}")
        else:
            made = _Shown(gradient_scope(scope.parent, order, known), scope.name, scope.index)
        made.recorded = scope
        known[scope, order] = made
    return known[scope, order]
