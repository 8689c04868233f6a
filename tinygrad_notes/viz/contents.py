"""A recording as plain data for the explorer's page: nodes, the tree of their scopes, what the table and the tape say of them.

Everything is a list or a dict of text and numbers; nodes are numbered as ``print(tape)`` numbers them.
"""

from __future__ import annotations

import inspect
import linecache
import os
import textwrap
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

from ..errors import typename
from ..listing import show_params
from ..modes import Scope
from ..optable import Op, Rule, expression_of
from ..tape import Node, Tape, readable
from .roles import RANK, gradient_scope, leaf_role, orders, role_of
from .source import Recording
from .values import Values, values_of

__all__ = ["contents"]

_SIDES = ("forward", "backward", "second", "update")
_ROOM = 60
"""The most nodes that a scope shows at once; what is more goes into rooms of their own, in order."""


def contents(recorded: Recording) -> dict[str, Any]:
    """The data of the page for ``recorded``."""
    values, notes = values_of(recorded)
    return {"notes": [*recorded.notes, *notes], **_Contents(recorded, values).data()}


class _Tree:
    """The scopes, numbered from the root (0): ``[parent, name, index, mirror]``. Scopes of equal name and index are one."""

    def __init__(self) -> None:
        self.rows: list[list[Any]] = [[-1, "", None, None]]
        self._known: dict[Scope, int] = {}
        self._indexed: dict[tuple[int, str, int], int] = {}

    def add(self, parent: int, name: str, index: int | None) -> int:
        self.rows.append([parent, name, index, None])
        return len(self.rows) - 1

    def of(self, scope: Scope) -> int:
        found = self._known.get(scope)
        if found is None:
            found = self._known[scope] = 0 if scope.parent is None else self._enter(self.of(scope.parent), scope)
        return found

    def _enter(self, parent: int, scope: Scope) -> int:
        name, index = ("", int(scope.name)) if scope.name.isdigit() else (scope.name, scope.index)  # modules in a list
        if index is None:
            return self.add(parent, name, None)
        if (parent, name, index) not in self._indexed:
            self._indexed[parent, name, index] = self.add(parent, name, index)
        return self._indexed[parent, name, index]

    def note_mirrors(self) -> None:
        """Which scope holds the gradients of which."""
        for scope, number in list(self._known.items()):
            if scope.parent is not None and (mirror := self._known.get(scope.mirror())) is not None:
                self.rows[number][3] = mirror

    def shared(self, scopes: Iterable[int]) -> int:
        """The innermost scope that all lie in."""
        paths = [self.path(number) for number in set(scopes)]
        found = 0
        for level in zip(*paths, strict=False):
            if len(set(level)) > 1:
                break
            found = level[0]
        return found

    def path(self, number: int) -> list[int]:
        path = []
        while number >= 0:
            path.append(number)
            number = self.rows[number][0]
        return path[::-1]


class _Contents:
    def __init__(self, recorded: Recording, values: Values) -> None:
        self.nodes, self.values = recorded.nodes, values
        self.tape = recorded.tape or Tape()
        self.depth = orders(self.nodes)
        self.readers: dict[Node, list[tuple[Node, int]]] = {}
        for node in self.nodes:
            for position, source in enumerate(node.inputs):
                if source.op.kind != "literal":
                    self.readers.setdefault(source, []).append((node, position))
        self.leaves = [node for node in dict.fromkeys([*self.tape.leaves, *self.readers]) if node not in self.depth]
        self.number = {node: i for i, node in enumerate([*self.leaves, *self.nodes])}
        self.roles = {node: role_of(node, depth) for node, depth in self.depth.items()}
        self.sides = self._sides()
        self.tree = _Tree()
        self.scope: dict[Node, int] = {}
        self._place_computed()
        self._place_leaves()

    # ---- where things stand ----

    def _sides(self) -> dict[Node, str]:
        """forward, backward, second or update: what feeds the forward pass belongs to it."""
        stack = [node for node in self.nodes if self.roles[node] == "forward"]
        feeding = set(stack)
        while stack:
            for source in stack.pop().inputs:
                if source not in feeding and self.roles.get(source) == "update":
                    feeding.add(source)
                    stack.append(source)
        gradients = {1: "backward", 2: "second"}
        return {
            node: gradients[min(depth, 2)] if depth else "forward" if node in feeding else "update"
            for node, depth in self.depth.items()
        }

    def _place_computed(self) -> None:
        moved: dict[tuple[Scope, int], Scope] = {}
        inside: dict[int, list[Node]] = {}
        for node in self.nodes:
            inside.setdefault(self.tree.of(gradient_scope(node.scope, self.depth[node], moved)), []).append(node)
        self.tree.note_mirrors()
        for scope, nodes in inside.items():
            drawn = sum(node.op.kind != "view" for node in nodes)
            rooms = [scope] * len(nodes) if drawn <= _ROOM else self._rooms(scope, nodes)
            self.scope.update(zip(nodes, rooms, strict=True))

    def _rooms(self, scope: int, nodes: list[Node]) -> list[int]:
        """A room per so many nodes, of one side."""
        found: list[int] = []
        for _, run in groupby(nodes, self.sides.__getitem__):
            for position, _ in enumerate(run):
                first = position % _ROOM == 0
                found.append(self.tree.add(scope, "part", len(self.tree.rows)) if first else found[-1])
        for count, room in enumerate(dict.fromkeys(found), 1):
            self.tree.rows[room][2] = count
        return found

    def _place_leaves(self) -> None:
        """A leaf stands where it is read, by the forward pass if it is read there: a weight belongs to its layer."""
        for leaf in self.leaves:
            readers = self.readers.get(leaf, [])
            best = min((RANK[self.roles[reader]] for reader, _ in readers), default=0)
            nearest = [reader for reader, _ in readers if RANK[self.roles[reader]] == best]
            self.scope[leaf] = self.tree.shared(self.scope[reader] for reader in nearest)
            self.sides[leaf] = self.sides[nearest[0]] if nearest else "update"
            written = any(reader.op.writes and position == 0 for reader, position in readers)
            self.roles[leaf] = leaf_role(leaf, leaf in self.tape.constants, written)

    def _side_of_scopes(self) -> dict[int, str]:
        """The outermost scopes are on one side as a whole."""
        found: dict[int, set[str]] = {}
        for node, scope in self.scope.items():
            path = self.tree.path(scope)
            if len(path) > 1:
                found.setdefault(path[1], set()).add(self.sides[node])
        return {scope: min(sides, key=_SIDES.index) for scope, sides in found.items()}

    # ---- rows ----

    def data(self) -> dict[str, Any]:
        ops: dict[Op, int] = {}
        lines: dict[str, int] = {}
        nodes = [self._row(node, ops, lines) for node in self.number]
        return {
            "ops": [_op(op) for op in ops],
            "scopes": self.tree.rows,
            "sides": self._side_of_scopes(),
            "lines": [_line(line) for line in lines],
            "nodes": nodes,
        }

    def _row(self, node: Node, ops: dict[Op, int], lines: dict[str, int]) -> dict[str, Any]:
        """What is empty is left out."""
        row = {
            "op": ops.setdefault(node.op, len(ops)),
            "scope": self.scope[node],
            "role": self.roles[node],
            "type": typename(node.shape, node.dtype),
            "in": [_literal(n) if n.op.kind == "literal" else self.number[n] for n in node.inputs],
            "side": self.sides[node] if self.scope[node] == 0 else "",
            "line": lines.setdefault(node.line, len(lines)) if node.line else None,
            "params": "" if node.op.writes else show_params(node.params),
            "name": self.tape.names.get(node, ""),
            "stats": self.values.get(node),
            "grads": list(dict.fromkeys(self.number[n] for n in self.tape.gradients.get(node, ()) if n in self.number)),
            "origin": self.number.get(self.tape.origins[node]) if node in self.tape.origins else None,
        }
        return {key: value for key, value in row.items() if value not in ("", None, [])}


def _literal(node: Node) -> str:
    value = node.params["value"]
    return f"{value:.6g}" if isinstance(value, float) else repr(value)


def _line(line: str) -> list[str]:
    """Where, and what stands there. A path below the working directory is shown from there."""
    path, _, number = line.rpartition(":")
    return [readable(line).removeprefix(f"{Path.cwd()}{os.sep}"), linecache.getline(path, int(number)).strip()]


def _op(op: Op) -> dict[str, Any]:
    """Name, kind, arguments, the forward expression, a text per VJP rule (None: not differentiable there)."""
    rules = [None if rule is None else _source(rule) for rule in op.vjp]
    forward = "" if op.kind in ("leaf", "literal") else op.expr or _source(op.forward)
    return {"name": op.name, "kind": op.kind, "args": op.args, "forward": forward, "rules": rules}


def _source(function: Rule) -> str:
    """The expression that a rule was declared as, else the source of a function, else its name."""
    expression = expression_of(function)
    if expression is not None:
        return expression
    try:
        return textwrap.dedent(inspect.getsource(function)).strip()
    except (OSError, TypeError):
        return str(getattr(function, "__name__", function))
