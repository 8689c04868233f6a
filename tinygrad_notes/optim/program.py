"""An update as a program for one sweep over memory: recorded once, on single numbers, then read off the tape.

The formula has one home, the optimizer's ``_update``. Each operation on the tape becomes a line of the program, by the scalar
expression in its row of the table, so a sweep has the bits of the recorded step.
"""

from __future__ import annotations

import ast
import copy
import math
import re
from typing import TYPE_CHECKING

import numpy as np

from ..dtypes import bool_, float32
from ..kernels.sweep import known
from ..modes import no_grad
from ..tape import Tape
from ..tensor import Tensor, from_array, leaf_of

if TYPE_CHECKING:
    from ..tape import Node
    from .running import GroupStep

__all__ = ["body_of"]


class _Switch:
    """An option as an update may read it: on or off. The numbers come through ``_fold`` and ``_timed``."""

    def __init__(self, on: bool) -> None:
        self._on = on

    def __bool__(self) -> bool:
        return self._on


def body_of(step: GroupStep, timed: int) -> str | None:
    """The program of a group's update under the options that are on now, but for the dtype in front; made when first asked for.

    Its arrays are x, g and state by its names; its numbers the weight decay, if there is one, what ``_fold`` gives, and what
    ``_timed`` gives, which are so many. None where the update is more than arithmetic on single elements.
    """
    switches = {key: _Switch(step.group.on(key)) for key in step.group if key != "params"}
    key = tuple(map(bool, switches.values()))
    bodies = step.optimizer._bodies
    if key not in bodies:
        try:
            bodies[key] = _recorded(step, switches, timed)
        except (KeyError, TypeError):  # the update looks at more than it is given here
            bodies[key] = None
    return bodies[key]


def _recorded(step: GroupStep, switches: dict[str, _Switch], timed: int) -> str | None:
    """A body, the same for both dtypes: recorded in float32."""
    decay, fold = step.fold(float32)
    keys = [key for key in step.keys if key not in step.optimizer.COUNTERS]
    if not all(key.isidentifier() and not re.fullmatch(r"[xg]|[nt]\d+", key) for key in keys):
        return None  # a program means something else by it
    arrays = {name: _one((1,)) for name in ("x", "g", *keys)}
    numbers = {f"n{k}": _one(()) for k in range((decay is not None) + len(fold) + timed)}
    recording, given = copy.copy(step), iter(numbers.values())
    recording.options = switches
    recording.folds = {float32: (None if decay is None else next(given), tuple(next(given) for _ in fold))}
    with no_grad(), Tape() as tape:
        names = {leaf_of(tensor): name for name, tensor in (arrays | numbers).items()}
        recording.move(arrays["x"], arrays["g"], tuple(given), {key: arrays[key] for key in keys})
    body = _read(tape, names, {node: name for node, name in names.items() if name in arrays})
    return None if body is None else f"{' '.join(arrays)} | {' '.join(numbers)}\n{body}"


def _one(shape: tuple[int, ...]) -> Tensor:
    return from_array(np.ones(shape, float32))


def _read(tape: Tape, names: dict[Node, str], owners: dict[Node, str]) -> str | None:
    """The tape as lines of a program; None where it cannot be one, or where Python has looked at a value.

    names   what is known, by node: the arrays and numbers
    owners  the array that a node is the value of, for nodes that may be written
    """
    lines: list[str] = []
    written: dict[str, str] = {}
    used: set[str] = set()
    for number, node in enumerate(tape):
        if any(source not in names and source.op.kind != "literal" for source in node.inputs):
            return None
        if node.op.name == "assign":
            base, value = node.inputs
            if base not in owners or node.params["path"] or value.dtype is not float32:
                return None
            names[node], owners[node] = names[value], owners[base]
            written[owners[base]] = names[value]
        else:
            expression = _expression(node, names)
            if expression is None:
                return None
            names[node] = f"t{number}"
            lines.append(f"{names[node]} = {expression}")
        used.update(names[source] for source in node.inputs if source in names)
    if any(line.split()[0] not in used for line in lines):
        return None
    return "\n".join([*lines, *(f"{array} = {value}" for array, value in written.items())])


def _expression(node: Node, names: dict[Node, str]) -> str | None:
    """The row's scalar expression on what the node reads."""
    op = node.op
    if op.kind != "elementwise" or op.params:
        return None
    try:
        tree = ast.parse(op.expr, mode="eval").body
    except SyntaxError:
        return None
    tests = {tree.test.id} if isinstance(tree, ast.IfExp) and isinstance(tree.test, ast.Name) else set()
    operands: dict[str, ast.expr] = {}
    for name, source in zip(op.args, node.inputs, strict=True):
        value = source.params["value"] if source.op.kind == "literal" else None
        if value is None:
            operands[name] = ast.Name(names[source])
        elif isinstance(value, bool) or not math.isfinite(value):
            return None
        else:
            operands[name] = ast.Constant(value)
        if value is None and (source.dtype is not (bool_ if name in tests else float32)):
            return None
    if not known(tree) or node.dtype is not (bool_ if isinstance(tree, ast.Compare) else float32):
        return None
    return ast.unparse(_Insert(operands).visit(tree))


class _Insert(ast.NodeTransformer):
    """An expression with other expressions for its names; functions keep theirs."""

    def __init__(self, operands: dict[str, ast.expr]) -> None:
        self._operands = operands

    def visit_Call(self, node: ast.Call) -> ast.AST:
        node.args = [self.visit(part) for part in node.args]
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self._operands[node.id]
