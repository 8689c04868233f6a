"""The table: one row per primitive, and the checks that a row passes before it is accepted.

A row says everything that any part of the project needs to know of a primitive; eager dispatch, the engine, the generated
tests, the reference executor, listings and pictures only read it. There is no second registry.
"""

from __future__ import annotations

import inspect
import keyword
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

__all__ = [
    "LEAF",
    "LITERAL",
    "TABLE",
    "Case",
    "Op",
    "Rule",
    "TextRule",
    "expression_of",
    "p",
    "register",
    "residuals",
    "rule_reads",
]

Array = np.ndarray[Any, Any]
Rule = Callable[..., Any]
"""A VJP rule: cotangent in, cotangent of one argument out, written in primitives. What it reads is told by its parameter
names: ``g`` the cotangent; an argument's name or ``out``: that array, kept from forward; ``x_shape``, ``x_dtype``: the shape
or dtype of argument ``x``, ``x_op``, ``x_params``: the row that made it and its parameters, which keep nothing; any other name:
the static parameter of that name. A rule that is one
expression may be declared as its text, ``"g * y"``: generated code then computes it in place, without a call."""

KINDS = ("elementwise", "reduce", "view", "move", "index", "matmul", "random", "state", "leaf", "literal")


@dataclass(frozen=True)
class Case:
    """One call that the generated tests make: shapes with their domains, static parameters.

    arrays  per argument ``(shape, low, high)``: floats drawn from [low, high); integers where the bounds are ints; booleans
            where they are None
    params  the primitive's static parameters
    """

    arrays: tuple[tuple[tuple[int, ...], Any, Any], ...]
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Op:
    """A row of the table.

    name      as listings write it
    forward   arrays (or Python scalars) in, array out; static parameters by keyword
    vjp       a rule per argument, or None: not differentiable there
    args      the argument names; one name ending in ``...`` for a primitive of any number of arguments
    params    the names of the static parameters
    kind      elementwise | reduce | view | move | index | matmul | random | state
    result    (shapes, dtypes, params) -> (shape, dtype) of the output
    expr      elementwise: the scalar expression, in the argument names; what a compiler fuses and a picture shows
    promote   the arguments that are brought to one dtype first
    floats    integers are brought to the default float dtype first
    special   at the edges: (arguments, value, gradients), as plain numbers; None: no gradient there to state
    into      adds the cotangent of the first argument into a buffer of its shape, for rules that touch only a part of it
    writes    the first argument is written in place and returned
    operands  what users call the arguments, where not by ``args``; set before the first call
    """

    name: str
    forward: Callable[..., Any]
    vjp: tuple[Rule | None, ...]
    args: tuple[str, ...]
    params: tuple[str, ...]
    kind: str
    result: Callable[[Sequence[tuple[int, ...]], Sequence[np.dtype[Any]], dict[str, Any]], tuple[tuple[int, ...], Any]]
    expr: str = ""
    cases: tuple[Case, ...] = ()
    special: tuple[tuple[tuple[float, ...], float, tuple[float, ...] | None], ...] = ()
    promote: tuple[int, ...] = ()
    floats: bool = False
    into: Callable[..., None] | None = None
    writes: bool = False
    operands: tuple[str, ...] = field(default=(), init=False)
    bind: Callable[..., Any] = field(init=False, repr=False)
    backward: Callable[..., None] = field(init=False, repr=False)

    @property
    def variadic(self) -> bool:
        return self.args[0].endswith("...")

    def rule_for(self, position: int) -> Rule | None:
        """The VJP rule of argument ``position``."""
        return self.vjp[0] if self.variadic else self.vjp[position]

    def __call__(self, *operands: Any, **params: Any) -> Any:
        """The row on Tensors (arrays and scalars become operands), recorded."""
        return self.bind(*operands, **params)

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def __reduce__(self) -> str | tuple[Any, ...]:
        return _row, (self.name,)


TABLE: dict[str, Op] = {}


def _row(name: str) -> Op:
    return TABLE[name]


class _Primitives:
    """``p.<name>``: runs a row on arrays, or records it where an argument is a Tensor. What VJP rules are written in."""

    make: Callable[[Op], Callable[..., Any]]
    """Makes the function of a row, when its name is first used; the layer that knows Tensors sets it."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in TABLE:
            raise AttributeError(f"there is no primitive {name!r}; the table has {', '.join(sorted(TABLE))}")
        function = self.make(TABLE[name])
        setattr(self, name, function)
        return function


p = _Primitives()


def register(op: Op) -> Op:
    """Accept a row into the table. Raises ValueError, saying what does not fit, before anything is entered."""
    _check(op)
    TABLE[op.name] = op
    return op


OF_RULES = frozenset({"g", "out", "p", "position"})
OF_FORWARD = OF_RULES | {
    "ERRORS", "F32", "F64", "NOTHING", "Node", "OP", "Tensor", "asarray", "dtype", "error", "fast", "forward", "innermost",
    "isinstance", "large", "largest", "leaf_of", "link_view", "local", "mode", "ndarray", "new", "next_seq", "node", "params",
    "prepare", "quietly", "rescue", "rg", "type", "wide", "z",
}  # fmt: skip
OF_BACKWARD = OF_FORWARD | {
    "accumulate", "add", "backward", "cotangents", "heappush", "into", "needed", "owned", "r", "saved", "total", "unbroadcast",
    "waiting",
}  # fmt: skip
"""Names that rules, and the functions generated for a row, use themselves."""


def _check(op: Op) -> None:
    def refuse(why: str) -> None:
        raise ValueError(f"primitive {op.name!r}: {why}")

    if op.name in TABLE:
        refuse("the table already has a row of this name")
    for word in (op.name, *(arg.removesuffix("...") for arg in op.args), *op.params):
        if not word.isidentifier() or keyword.iskeyword(word):
            refuse(f"{word!r} is no Python name")
    for word in (*(OF_FORWARD & {op.name}), *(OF_BACKWARD & {*op.args}), *(OF_RULES & {*op.params})):
        refuse(f"the name {word!r} means something else in the functions generated for a row; choose another")
    if len({*op.args, *op.params}) != len(op.args) + len(op.params):
        refuse("two arguments or parameters have one name")
    if op.kind not in KINDS:
        refuse(f"kind {op.kind!r} is none of {', '.join(KINDS)}")
    if len(op.vjp) != len(op.args):
        refuse(f"{len(op.args)} arguments ({', '.join(op.args)}) but {len(op.vjp)} VJP rules; write None where there is none")
    if op.variadic and len(op.args) != 1:
        refuse("a variadic primitive has one argument name only")
    if op.kind == "elementwise" and not op.expr:
        refuse("an elementwise row needs the scalar expression `expr`")
    if not op.cases:
        refuse("a row without test cases is not accepted")
    if any(not 0 <= i < len(op.args) for i in op.promote):
        refuse(f"promote={op.promote} names an argument that does not exist")
    if not op.variadic:
        for case in op.cases:
            if len(case.arrays) != len(op.args):
                refuse(f"a case has {len(case.arrays)} arrays for {len(op.args)} arguments")
    for case in op.cases:
        if tuple(sorted(case.params)) != tuple(sorted(op.params)):
            refuse(f"a case has the parameters {sorted(case.params)}, the row declares {sorted(op.params)}")
    known = set(readable_names(op))
    for position, rule in enumerate(op.vjp):
        unknown = [] if rule is None else [name for name in rule_reads(rule) if name not in known]
        if unknown:
            refuse(f"VJP rule {position} reads {', '.join(unknown)}; it may read {', '.join(sorted(known))}")


_NAME = re.compile(r"(?<![\w.])([A-Za-z_]\w*)(?!\w|\s*=[^=])")
"""A name that an expression reads: no attribute, no keyword of a call."""


class TextRule:
    """A rule that was declared as its text: ``"g * y"`` is the function of the names in it; ``p`` is the primitives.

    Generated code takes the text. The function itself is compiled when it is first called, which keeps importing cheap.
    """

    def __init__(self, expression: str) -> None:
        self.expression = expression
        names = set(_NAME.findall(expression)) - {"p"}
        self.reads = tuple(sorted(name for name in names if not keyword.iskeyword(name)))
        self._function: Rule | None = None

    @property
    def __signature__(self) -> inspect.Signature:
        return inspect.Signature([inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in self.reads])

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        if self._function is None:
            source = f"lambda {', '.join(self.reads)}: {self.expression}"
            self._function = eval(compile(source, "<tinygrad_notes rule>", "eval"), {"p": p})
        return self._function(*arguments, **named)


def expression_of(rule: Rule) -> str | None:
    """The text that a rule was declared as, if it was."""
    return rule.expression if isinstance(rule, TextRule) else None


@cache
def rule_reads(rule: Rule) -> tuple[str, ...]:
    """The names that a rule reads, in its order."""
    if isinstance(rule, TextRule):
        return rule.reads
    code = getattr(rule, "__code__", None)
    if code is not None and not code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS):
        return tuple(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
    return tuple(inspect.signature(rule).parameters)


def readable_names(op: Op) -> Iterable[str]:
    """Every name that a rule of this row may read."""
    yield "g"
    yield "out"
    yield from op.params
    if op.variadic:
        yield from ("position", "x_shape")
        return
    for name in op.args:
        yield from (name, *(f"{name}_{what}" for what in ("shape", "dtype", "op", "params")))


@cache
def residuals(op: Op, arity: int) -> tuple[str, ...]:
    """The arrays that the rules of ``op`` read, in the order in which ``Node.saved`` keeps them."""
    if op.variadic:
        return ("out",) if op.vjp[0] is not None and "out" in rule_reads(op.vjp[0]) else ()
    wanted = {name for rule in op.vjp if rule is not None for name in rule_reads(rule)}
    return tuple(name for name in (*op.args[:arity], "out") if name in wanted)


def _no_forward(*_: Any, **__: Any) -> Any:
    raise AssertionError("a leaf or literal is not computed")


def _no_result(*_: Any) -> Any:
    raise AssertionError("a leaf or literal has no result rule")


LEAF = Op("leaf", _no_forward, (), (), (), "leaf", _no_result)
"""The row of every value that the tape starts from."""

LITERAL = Op("literal", _no_forward, (), (), (), "literal", _no_result)
"""The row of a Python scalar in a call: ``params["value"]``, of weak dtype."""
TABLE.update(leaf=LEAF, literal=LITERAL)
