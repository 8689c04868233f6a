"""Primitives of your own: ``tn.primitive``, the call that ours are declared with, with defaults for what most rows share.

A row declared here is a row like any other: recorded, listed, drawn, replayed, differentiated to any order, mapped by
``vmap``. ``tn.testing.check_primitive(op)`` checks it as ours are checked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import dispatch
from .optable import TABLE, Case, Op

__all__ = ["primitive"]

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]
Domain = tuple[float, float] | tuple[tuple[float, float], ...]
_declared: dict[str, Op] = {}
"""The rows that were declared here: these may be declared again, as by a notebook's cell that runs twice."""
_SHAPES: dict[int, tuple[tuple[Shape, ...], ...]] = {
    1: (((2, 3),), ((),), ((1,),), ((0, 3),), ((4, 1),)),
    2: (((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2, 3)), ((2, 3), ()), ((), ()), ((0, 3), (1, 3))),
    3: (((2, 3), (2, 3), (2, 3)), ((3,), (2, 3), ()), ((2, 1), (1, 3), (2, 3)), ((), (), (2,)), ((0, 1), (3,), ())),
}


def primitive(
    name: str,
    forward: Callable[..., Any],
    *,
    args: str = "x",
    vjp: Callable[..., Any] | str | Sequence[Callable[..., Any] | str | None],
    params: str = "",
    kind: str = "elementwise",
    expr: str = "",
    result: Callable[..., Any] | None = None,
    cases: Sequence[Case] | None = None,
    domain: Domain = (-2.0, 2.0),
    promote: Sequence[int] | None = None,
    floats: bool | None = None,
    **row: Any,
) -> Op:
    """Declare a primitive. The result is called with Tensors: ``square = tn.primitive("sq", np.square, vjp="2 * g * x")``.

    name     as listings write it. A row declared by this call before is replaced; what it has recorded goes on using it
    forward  arrays in, a new array out; static parameters by keyword. It must not write to its arguments
    args     the argument names, separated by spaces
    vjp      a rule per argument: an expression, or a function whose parameter names say what it reads; None where the argument
             has no gradient. ``g`` is the cotangent, ``out`` the result, ``p.<row>`` (``tinygrad_notes.optable.p``) the
             primitives; it is written in those and in operators, so that it can be differentiated again
    params   the names of the static parameters
    kind     "elementwise" (broadcasts; expr, cases and promotion have defaults), "reduce", "move", "index", "view", ...
    expr     elementwise: the scalar expression, for pictures; default: the call itself
    result   (shapes, dtypes, params) -> (shape, dtype); default: what forward gives on arrays of such shapes
    cases    the calls that ``tn.testing.check_primitive`` makes; default for elementwise rows without parameters: broadcast
             patterns with values from ``domain``, one (low, high) or one per argument
    promote  the arguments that are brought to one dtype first; elementwise: those with a rule
    floats   integers become floats first; elementwise: if there is a rule
    The rest is as in ``tinygrad_notes.optable.Op``. Raises ValueError, saying what does not fit together.
    """
    names = args.split()
    rules = (vjp,) if isinstance(vjp, str) or callable(vjp) else tuple(vjp)
    for rule in rules:
        if isinstance(rule, str):
            _check_syntax(name, rule)
    flowing = [i for i, rule in enumerate(rules) if rule is not None]
    if kind == "elementwise":
        expr = expr or f"{name}({', '.join(names)})"
        cases = _broadcasting(name, len(names), domain) if cases is None and not params else cases
        promote = (flowing or range(len(names))) if promote is None else promote
        floats = bool(flowing) if floats is None else floats
    before = TABLE.get(name)
    if before is _declared.get(name):
        TABLE.pop(name, None)
    try:
        op = _declared[name] = dispatch.primitive(
            name, forward, args=args, vjp=rules, params=params, kind=kind, expr=expr, result=result or _by_running(forward),
            cases=tuple(cases or ()), promote=tuple(promote or ()), floats=bool(floats), **row,
        )  # fmt: skip
    except BaseException:
        if before is not None:
            TABLE[name] = before
        raise
    return op


def _check_syntax(name: str, rule: str) -> None:
    """Of a user's rule: ours are compiled when they first run."""
    try:
        compile(rule, "<rule>", "eval")
    except SyntaxError as error:
        raise ValueError(f"primitive {name!r}: the VJP rule {rule!r} is no Python expression ({error.msg})") from None


def _broadcasting(name: str, count: int, domain: Domain) -> tuple[Case, ...]:
    if count not in _SHAPES:
        raise ValueError(f"primitive {name!r}: there are no default cases for {count} arguments; give `cases`")
    bounds: tuple[Any, ...] = (domain,) * count if np.ndim(domain) == 1 else domain
    if len(bounds) != count:
        raise ValueError(f"primitive {name!r}: domain has {len(bounds)} entries for {count} arguments; give one, or one each")
    cases = (tuple((shape, *bound) for shape, bound in zip(shapes, bounds, strict=True)) for shapes in _SHAPES[count])
    return tuple(Case(arrays) for arrays in cases)


def _by_running(forward: Callable[..., Any]) -> Callable[..., tuple[Shape, Any]]:
    def result(shapes: Sequence[Shape], dtypes: Sequence[np.dtype[Any]], params: dict[str, Any]) -> tuple[Shape, Any]:
        made = [(np.ones if d.kind == "f" else np.zeros)(shape, d) for shape, d in zip(shapes, dtypes, strict=True)]
        out = np.asarray(forward(*made, **params))
        return out.shape, out.dtype

    return result
