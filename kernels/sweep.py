"""Straight-line programs over arrays in one sweep over memory, where numpy would take one pass and one array per operation.

A program is text: a line that names the dtype, the arrays and the numbers, then assignments in Python, each name assigned once,
arrays last. This is a step of momentum:

    f32 x g b | lr momentum
    t0 = b * momentum
    t1 = t0 + g
    t2 = lr * t1
    t3 = x - t2
    b = t1
    x = t3

The bits are numpy's: each operation is rounded by itself.
"""

from __future__ import annotations

import ast
import struct
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from . import native, team

__all__ = ["Program", "known", "parsed", "sweep"]

Array = np.ndarray[Any, Any]

FUNCTIONS = {"sqrt": 1, "fabs": 1}
"""The functions that programs may call, and of how many arguments."""
_ALLOWED = (
    ast.Expression, ast.Name, ast.Load, ast.Constant, ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.UnaryOp, ast.USub,
    ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.IfExp, ast.BoolOp, ast.And, ast.Or, ast.Call,
)  # fmt: skip


class Program(NamedTuple):
    """A program, read.

    arrays   the names of the arrays, and ``numbers`` of the numbers, in the order in which they are given
    steps    the values that are computed: name and expression
    written  the arrays that are written at the end, each with the name of the value
    """

    dtype: str
    arrays: tuple[str, ...]
    numbers: tuple[str, ...]
    steps: tuple[tuple[str, ast.expr], ...]
    written: dict[str, str]

    @property
    def cost(self) -> int:
        """Cycles of 16 elements: memory, arithmetic, divisions and roots."""
        nodes = [node for _, expression in self.steps for node in ast.walk(expression)]
        slow = sum(isinstance(node, ast.Div | ast.Call) for node in nodes)
        memory = 4 * (len(self.arrays) + len(self.written))
        return (memory + len(self.steps) + 16 * slow) * (2 if self.dtype == "f64" else 1)


def known(expression: ast.expr) -> bool:
    """Whether a program may have the expression."""
    for node in ast.walk(expression):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            if node.keywords or FUNCTIONS.get(name) != len(node.args):
                return False
        elif isinstance(node, ast.Compare) and len(node.ops) != 1:
            return False
        if not isinstance(node, _ALLOWED):
            return False
    return True


@cache
def parsed(text: str) -> Program:
    """The program of a text. Raises ValueError for one that has no such form."""
    head, _, body = text.partition("\n")
    operands, _, numbers = head.partition("|")
    dtype, *arrays = operands.split()
    steps: list[tuple[str, ast.expr]] = []
    written: dict[str, str] = {}
    for line in ast.parse(body).body:
        if not (isinstance(line, ast.Assign) and isinstance(target := line.targets[0], ast.Name) and known(line.value)):
            raise ValueError(f"sweep: {ast.unparse(line)!r} is no line of a program")
        if target.id not in arrays:
            steps.append((target.id, line.value))
        elif isinstance(line.value, ast.Name):
            written[target.id] = line.value.id
        else:
            raise ValueError(f"sweep: {ast.unparse(line)!r} computes; arrays are given values that have names")
    return Program(dtype, tuple(arrays), tuple(numbers.split()), tuple(steps), written)


@cache
def sweep(text: str) -> Callable[[Sequence[float], Sequence[Sequence[Array]]], None] | None:
    """The program as a function of its numbers and of any number of rows of its arrays; None where there are no kernels.

    All arrays have the program's dtype; those of a row have one shape and one order in memory, without gaps. Arrays that are
    written overlap no others, but may be an array of their own row.
    """
    if not native.available():
        return None
    program = parsed(text)
    memory, address, run, cost = team.memory(), native.address("sweep", text), team.runner(), program.cost
    head, row = f"4q{len(program.numbers)}d", f"{1 + len(program.arrays)}q"

    def call(numbers: Sequence[float], rows: Sequence[Sequence[Array]]) -> None:
        words: list[Any] = []
        total = 0
        for arrays in rows:
            size = arrays[0].size
            total += size
            words.append(size)
            words += map(id, arrays)
        run(struct.pack(head + row * len(rows), memory, address, total * cost >> 4, len(rows), *numbers, *words))

    return call
