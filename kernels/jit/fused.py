"""Loops of ufuncs from the text of an expression: ``"f32: g - g * out * out"`` is one pass over memory instead of three.

No multiplication is contracted with an addition: an expression has the bits that numpy gives operation by operation.
Operands that are one value for a whole run (broadcast) are spread over a small buffer, so that they take the vector loop too.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from .loops import UNIT, WORTH
from .memory import OPTIONS, f32, f64, i64, share, space, u8, wide
from .team import launch

TYPES = {"f32": (f32, np.float32), "f64": (f64, np.float64)}

LOOP = """
def uneven(n, {addresses}, z, {steps}, dz):
    if dz == Z and {regular}:
        {buffers}
        {spread}
        for begin in range(0, n, UNIT):
            {pieces}
            o = cast(z + begin * Z)
            for i in range(min(UNIT, n - begin)):
                o[i] = f({elements})
    else:
        for i in range(n):
            cast(z + i * dz)[0] = f({apart})

def loop(args, dims, steps, data):
    wide()
    if args & 1:
        words = i64(args - 1)
        start, stop = share(words[{count} + 1], UNIT, dims, steps)
    else:
        words = i64(args)
        start, stop = 0, i64(dims)[0]
        d = i64(steps)
        if not ({contiguous}):
            uneven(stop, {given}, words[{count}], {given_steps}, d[{count}])
            return
        work = stop * COST >> 4
        if work > WORTH:
            block = space({words})
            for k in range({count} + 1):
                i64(block)[k] = words[k]
            i64(block)[{count} + 1] = stop
            launch(i64(data)[0], i64(data)[1], block + 1, work)
            return
    {pointers}
    o = cast(words[{count}])
    for i in range(start, stop):
        o[i] = f({elements})
"""

SPREAD = """if d{k} == 0:
            for i in range(UNIT):
                cast{k}(b{k})[i] = cast{k}(x{k})[0]"""


def _join(pattern: str, count: int, by: str = ", ") -> str:
    return by.join(pattern.format(k=k) for k in range(count))


def _loop(f: Callable[..., Any], sizes: list[int], cast: Any, size: int, cost: int) -> Callable[[int, int, int, int], None]:
    """The loop of a function. sizes: bytes of an element of each operand; an operand of bytes is a mask."""
    count = len(sizes)
    source = LOOP.format(
        count=count,
        words=count + 2,
        addresses=_join("x{k}", count),
        steps=_join("d{k}", count),
        regular=_join("(d{k} == S{k} or d{k} == 0)", count, " and "),
        buffers="\n        ".join(f"b{k} = space({UNIT * size // 8})" for k, size in enumerate(sizes)),
        spread=_join(
            "if d{k} == 0:\n            for i in range(UNIT):\n                cast(b{k})[i] = cast(x{k})[0]",
            count,
            "\n        ",
        ),
        pieces=_join("p{k} = cast{k}(b{k} if d{k} == 0 else x{k} + begin * S{k})", count, "\n            "),
        elements=_join("p{k}[i]", count),
        apart=_join("cast{k}(x{k} + i * d{k})[0]", count),
        contiguous=_join("d[{k}] == S{k}", count, " and ") + f" and d[{count}] == Z",
        given=_join("words[{k}]", count),
        given_steps=_join("d[{k}]", count),
        pointers=_join("p{k} = cast{k}(words[{k}])", count, "\n    "),
    )
    names: dict[str, Any] = {
        "f": f, "cast": cast, "Z": size, "UNIT": UNIT, "COST": cost, "WORTH": WORTH, "wide": wide, "i64": i64, "share": share,
        "space": space, "launch": launch,
    }  # fmt: skip
    names |= {f"cast{k}": cast if given == size else u8 for k, given in enumerate(sizes)}
    names |= {f"S{k}": given for k, given in enumerate(sizes)}
    exec(source, names)
    names["uneven"] = njit(**OPTIONS)(names["uneven"])
    function: Callable[[int, int, int, int], None] = names["loop"]
    return function


class _Expressions(dict[str, Callable[..., None]]):
    """``"dtype operands: expression"`` -> its loop, made when asked for. ``operand?`` is a mask."""

    def __missing__(self, text: str) -> Callable[..., None]:
        head, _, expression = text.partition(":")
        dtype, *operands = head.split()
        cast, scalar = TYPES[dtype]
        width = np.dtype(scalar).itemsize
        names: dict[str, Any] = {}
        tree = ast.fix_missing_locations(_Scalar(names, scalar).visit(ast.parse(expression.strip(), mode="eval")))
        exec(f"def f({', '.join(name.removesuffix('?') for name in operands)}):\n    return {ast.unparse(tree)}", names)
        divisions = sum(isinstance(node, ast.Div) for node in ast.walk(tree))
        operations = sum(isinstance(node, ast.operator | ast.unaryop | ast.IfExp) for node in ast.walk(tree))
        cost = (
            (4 * (len(operands) + 1) + operations + 16 * divisions) * width // 4
        )  # memory, arithmetic, divisions: cycles of 16 elements
        sizes = [1 if name.endswith("?") else width for name in operands]
        return _loop(njit(**OPTIONS)(names["f"]), sizes, cast, width, cost)


COMPARISONS = {"eq": ast.Eq, "ne": ast.NotEq, "lt": ast.Lt, "le": ast.LtE, "gt": ast.Gt, "ge": ast.GtE}


class _Scalar(ast.NodeTransformer):
    """An expression in primitives as one of Python's on single values.

    Numbers become names of values of the operands' dtype (Numba would compute in float64), ``p.where`` a choice.
    """

    def __init__(self, names: dict[str, Any], scalar: Callable[[Any], Any]) -> None:
        self._names, self._scalar = names, scalar

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        name = f"c{len(self._names)}"
        self._names[name] = self._scalar(node.value)
        return ast.Name(name, ast.Load())

    def visit_Call(self, node: ast.Call) -> ast.AST:
        primitive = node.func.attr
        operands = [self.visit(operand) for operand in node.args]
        if primitive == "where":
            return ast.IfExp(*operands)
        left, right = operands
        return ast.Compare(left, [COMPARISONS[primitive]()], [right])


KERNELS = _Expressions()
