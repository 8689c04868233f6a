"""Eager dispatch: makes the function that runs one row of the table on Tensors and records it.

The function of a row is generated when it is first called, specialised on how many arguments it has and on what its rules
keep; that is what makes recording cheap. Its source is short and readable, once it was called:
``inspect.getsource(TABLE["mul"].bind)``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from inspect import Parameter, Signature
from types import FunctionType
from typing import Any

import numpy as np

from .dtypes import canonical_dtype, category, float32, float64, result_type, scalar_dtype
from .errors import DtypeError, describe
from .explain import rescue
from .kernels.fused import Fused, fused, largest
from .literal import Literal, literal
from .modes import innermost, local
from .optable import Op, TextRule, p, register, residuals, rule_reads
from .rules import compile_backward, compile_source
from .storage import Storage, View, root_of
from .tape import Node, next_seq
from .tensor import Tensor, from_array, leaf_of

__all__ = ["generated", "primitive", "public", "watch"]

_NOTHING: dict[str, Any] = {}
_ERRORS = (ValueError, IndexError, TypeError, OverflowError, RuntimeError)
_NUMBERS = (float, int, bool)
_SILENT = ("view", "move")
"""Kinds of rows that compute nothing, so numpy has nothing to warn of."""


def primitive(
    name: str,
    forward: Callable[..., Any],
    *,
    args: str,
    vjp: tuple[Callable[..., Any] | str | None, ...],
    params: str = "",
    **row: Any,
) -> Op:
    """Declare a primitive: one call, one row. ``args`` and ``params`` are names separated by spaces; see ``Op``.

    Raises ValueError where the row does not fit together.
    """
    rules = tuple(TextRule(rule) if isinstance(rule, str) else rule for rule in vjp)
    op = register(Op(name, forward, rules, tuple(args.split()), tuple(params.split()), **row))
    op.bind = _by_arity(op) if op.variadic else _compile_bind(op, len(op.args))
    op.backward = compile_backward(op)
    vars(p).pop(name, None)  # a row declared anew
    return op


def _duck(op: Op) -> Callable[..., Any]:
    """What rules call: record on Tensors, compute on arrays."""
    if op.variadic:

        def run(*parts: Any, **params: Any) -> Any:
            return (op.bind if any(isinstance(part, Tensor) for part in parts) else op.forward)(*parts, **params)

        return run
    given = ", ".join(op.args) + (", **params" if op.params else "")
    recorded = " or ".join(f"isinstance({x}, Tensor)" for x in op.args)
    source = f"def {op.name}({given}):\n    return bind({given}) if {recorded} else forward({given})"
    return compile_source(f"primitive {op.name}", source, {"Tensor": Tensor, "bind": op.bind, "forward": op.forward}, op.name)


p.make = _duck


def _by_arity(op: Op) -> Callable[..., Tensor]:
    made: dict[int, Callable[..., Tensor]] = {}

    def bind(*operands: Any, **params: Any) -> Tensor:
        function = made.get(len(operands))
        if function is None:
            function = made[len(operands)] = _compile_bind(op, len(operands))
        return function(*operands, **params)

    return bind


# ---- the generated function ----

generated: list[dict[str, Any]] = []
"""What each generated function looks up by name. Anomaly mode exchanges two of them, ``forward`` and ``Node``: so it costs
nothing when it is off."""
watch: Callable[[dict[str, Any]], None] | None = None
"""In anomaly mode: what is done to the names of a function that is generated meanwhile."""


def _compile_bind(op: Op, arity: int) -> Callable[..., Tensor]:
    """The function of a row. It is generated into itself when it is first called: most programs use few rows, and
    compiling them all would be a third of the time that importing takes."""
    scope: dict[str, Any] = {}
    bind = FunctionType(_FIRST_CALL, scope, op.name)

    def ready() -> Callable[..., Tensor]:
        source, names = _bind_source(op, arity)
        scope.update(names)
        generated.append(scope)
        if watch is not None:
            watch(scope)
        bind.__code__ = compile_source(f"forward {op.name}/{arity}", source, scope, op.name).__code__
        vars(bind).pop("__signature__", None)
        return bind

    scope["ready"] = ready
    vars(bind)["__signature__"] = _signature(() if op.variadic else op.args, bool(op.params))
    return bind


def public(op: Op, *names: str) -> Callable[..., Tensor]:
    """The function of a row that has not run yet, its operands under the names that users call it with."""
    op.operands = names
    vars(op.bind)["__signature__"] = _signature(names, bool(op.params))
    op.bind.__doc__ = (
        f"``{re.sub(r'[a-z]+', lambda found: dict(zip(op.args, names, strict=True)).get(found[0], found[0]), op.expr)}``"
    )
    return op.bind


@cache
def _signature(args: tuple[str, ...], params: bool) -> Signature:
    given = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in args]
    return Signature([*given, Parameter("params", Parameter.VAR_KEYWORD)] if params else given)


_FIRST_CALL = (lambda *operands, **params: ready()(*operands, **params)).__code__  # type: ignore[name-defined]  # noqa: F821


def _bind_source(op: Op, arity: int) -> tuple[str, dict[str, Any]]:
    names = [f"x{i}" for i in range(arity)] if op.variadic else list(op.operands or op.args)
    flowing = [names[i] for i in range(arity) if op.rule_for(i) is not None]
    promoted = names if op.variadic and op.promote else [names[i] for i in op.promote]
    given = "params" if op.params else "NOTHING"
    every = "".join(f"{x}, " for x in names)
    nodes = [f"n_{x} = {x}._node if {x}._view is None else {x}._current_node()" for x in names]
    called = f"{', '.join(f'a_{x}' for x in names)}{', **params' if op.params else ''}"
    # numpy's own function of the row's expression: for large arrays the expression's kernel does the same
    kernel = fused(op.expr, op.args, op.forward) if isinstance(op.forward, np.ufunc) and op.kind == "elementwise" else None
    run = "forward(" if op.kind in _SILENT else "quietly(large if wide else forward, " if kernel else "quietly(forward, "
    lines = [
        f"def {op.name}({every}{'**params' if op.params else ''}):",
        f"    fast = {' and '.join(f'(type({x}) is Tensor or isinstance({x}, Tensor) and {x}._plain)' for x in names)}",
        "    if fast:",
        *(f"        {line}" for line in nodes),
        *(f"        {line}" for line in _dtype_check(op, promoted)),
        "    if not fast:",
        f"        {every}= prepare(OP, ({every}))",
        f"        if not ({' and '.join(f'{x}._plain' for x in names)}): return innermost(({every}))._bind(OP, ({every}), {given})",
        *(f"        {line}" for line in nodes),
        "        dtype = None",
        *(f"    a_{x} = {x}._array" for x in names),
        "    mode = local.mode",
        *([] if op.kind in _SILENT else ["    quietly = mode.quietly"]),
        *(f"    {line}" for line in _size_check(names, kernel)),
        "    try:",
        f"        z = {run}{called})",
        "    except ERRORS as error:",
        f"        z = rescue(OP, error, ({every}), {given})",
        "    if type(z) is not ndarray:",
        "        z = asarray(z)",
        f"    rg = {_requires_grad(op, flowing)}",
        "    out = new(Tensor)",
        "    out._array = z",
        "    out._grad = None",
        "    out._view = None",
        "    if rg or mode.tape is not None:",
        "        node = Node()",
        "        node.seq = next_seq()",
        "        node.op = OP",
        *(f"        {line}" for line in _inputs([f"n_{x} or leaf_of({x})" for x in names])),
        f"        node.params = {given}",
        f"        node.saved = {_saved(op, names, arity)}",
        f"        node.shape = {_shape(op, names)}",
        f"        node.dtype = {'z.dtype' if not flowing or 'dtype' in op.params else 'z.dtype if dtype is None else dtype'}",
        "        node.scope = mode.scope",
        "        node.rg = rg",
        "        node.taps = node.line = None",
        "        out._node = node",
        "        if mode.tape is not None:",
        f"            mode.tape.record(node, ({every}))",
        "    else:",
        "        out._node = None",
        *([f"    link_view({names[0]}, out, OP, {given})"] if op.kind == "view" else []),
        "    return out",
    ]
    scope = {
        "OP": op, "Tensor": Tensor, "Node": Node, "new": object.__new__, "prepare": prepare, "forward": op.forward,
        "innermost": innermost, "rescue": rescue, "ERRORS": _ERRORS, "ndarray": np.ndarray, "asarray": np.asarray, "local": local,
        "kernel": kernel and kernel.run, "large": kernel and kernel.run, "largest": largest,
        "next_seq": next_seq, "leaf_of": leaf_of, "link_view": link_view, "NOTHING": _NOTHING, "F32": float32, "F64": float64,
    }  # fmt: skip
    return "\n".join(lines), scope


def _size_check(names: list[str], kernel: Fused | None) -> list[str]:
    """Whether the row's kernel wins over its forward."""
    if kernel is None:
        return []
    sizes = " or ".join(f"a_{x}.size >= {kernel.gate}" for x in names)
    return [f"wide = {sizes} if fast else largest({', '.join(f'a_{x}' for x in names)}) >= {kernel.gate}"]


def _inputs(nodes: list[str]) -> list[str]:
    """What ``Node.inputs = (...)`` does, for a known number of inputs."""
    if len(nodes) > 2:
        return ["node.first = node.second = None", f"node.others = ({', '.join(nodes)})"]
    first, second = (*nodes, "None")[:2]
    return [f"node.first = {first}", f"node.second = {second}", "node.others = None"]


def _dtype_check(op: Op, promoted: list[str]) -> list[str]:
    """Whether the operands already have one dtype (of floats, if need be). Nodes know theirs: cheaper than asking numpy."""
    if not promoted:
        return ["dtype = None"]
    first, *others = (f"({x}._array.dtype if n_{x} is None else n_{x}.dtype)" for x in promoted)
    conditions = [f"dtype is {other}" for other in others] + (["(dtype is F32 or dtype is F64)"] if op.floats else [])
    return [f"dtype = {first}", *([f"fast = {' and '.join(conditions)}"] if conditions else [])]


def _shape(op: Op, names: list[str]) -> str:
    """The output's shape: taken over from equal shapes that nodes know, where the row is elementwise; else numpy says it."""
    if op.kind != "elementwise":
        return "z.shape"
    known = " and ".join(f"n_{x} is not None" for x in names)
    equal = " and ".join(f"(n_{names[0]}.shape is n_{x}.shape or n_{names[0]}.shape == n_{x}.shape)" for x in names[1:])
    return f"n_{names[0]}.shape if {known}{' and ' if equal else ''}{equal} else z.shape"


def _requires_grad(op: Op, flowing: list[str]) -> str:
    if not flowing:
        return "False"
    reached = " or ".join(f"(n_{x} is not None and n_{x}.rg)" for x in flowing)
    return f"mode.grad and ({reached})" + (" and z.dtype.kind == 'f'" if "dtype" in op.params else "")


def _saved(op: Op, names: list[str], arity: int) -> str:
    """The expression for ``Node.saved``: each residual only if some rule that will run reads it."""
    kept = []
    for residual in residuals(op, arity):
        readers = [i for i in range(arity) if (rule := op.rule_for(i)) is not None and residual in rule_reads(rule)]
        value = "z" if residual == "out" else f"a_{names[op.args.index(residual)]}"
        if len(readers) == sum(op.rule_for(i) is not None for i in range(arity)):
            kept.append(f"{value}, ")
        else:
            needs = " or ".join(f"(n_{names[i]} is not None and n_{names[i]}.rg)" for i in readers)
            kept.append(f"{value} if {needs} else None, ")
    return f"({''.join(kept)}) if rg else None" if kept else "None"


def link_view(source: Tensor, out: Tensor, op: Op, params: dict[str, Any]) -> None:
    """Let ``out`` share the storage of ``source``, if numpy gave a view. A detached Tensor leaves the graph behind: linked
    to its source only while a Tape listens, else it would keep the whole graph alive."""
    if op.vjp[0] is None and local.mode.tape is None:
        return
    array, base = source._array, out._array.base
    if base is None or (base is not array and base is not array.base and root_of(out._array) is not root_of(array)):
        return
    view = source._view
    if view is None:
        view = source._view = View(Storage(source._array, source._node), ())
    out._view = View(view.storage, (*view.path, (op, params)))


# ---- operands that are not Tensors of one dtype ----


def prepare(op: Op, operands: tuple[Any, ...]) -> tuple[Tensor | Literal, ...]:
    """Operands as Tensors of one dtype and literals: the slow path of a call, with promotion as recorded casts."""
    if len(op.promote) == 2:  # a Tensor and a Python number that leaves its dtype as it is: nearly every call that comes here
        i, j = op.promote if type(operands[op.promote[1]]) in _NUMBERS else op.promote[::-1]
        if isinstance(x := operands[i], Tensor) and (len(operands) == 2 or isinstance(operands[3 - i - j], Tensor)):
            y, kind = operands[j], x._array.dtype.kind
            if type(y) in _NUMBERS if kind == "f" else type(y) is int and kind == "i" and not op.floats:
                return (*operands[:j], literal(_python_scalar(op, y, x._array.dtype)), *operands[j + 1 :])
    found = [_operand(op, x, operands) for x in operands]
    promoted = range(len(found)) if op.variadic and op.promote else op.promote
    if promoted:
        arrays = [found[i]._array for i in promoted if isinstance(found[i], Tensor)]
        scalars = [x for i in promoted if not isinstance(x := found[i], Tensor)]
        dtype = result_type(arrays, scalars)
        if op.floats and category(dtype) < 2:
            dtype = scalar_dtype(1.0)
        for i in promoted:
            x = found[i]
            if isinstance(x, Tensor):
                found[i] = x if x._array.dtype == dtype else p.cast(x, dtype=dtype)
            elif arrays:
                found[i] = literal(_python_scalar(op, x, dtype))
            else:
                found[i] = from_array(np.asarray(x, dtype))
    return tuple(x if isinstance(x, Tensor | Literal) else from_array(np.asarray(x, scalar_dtype(x))) for x in found)


def _python_scalar(op: Op, x: Any, dtype: np.dtype[Any]) -> bool | int | float:
    try:
        return bool(x) if dtype.kind == "b" else float(x) if dtype.kind == "f" else int(x)
    except OverflowError:
        raise DtypeError(f"{op.name}: the integer {str(x)[:12]}... is too large for {dtype}") from None


def _operand(op: Op, x: Any, operands: tuple[Any, ...]) -> Any:
    if isinstance(x, Tensor | bool | int | float) and not isinstance(x, np.generic):
        return x
    if isinstance(x, np.generic):
        return x.item()
    if isinstance(x, np.ndarray):
        return from_array(np.asarray(x, canonical_dtype(x.dtype)))
    raise TypeError(
        f"{op.name}: a {type(x).__name__} is no operand ({describe(operands)}); make a Tensor of it: tn.tensor(...)"
    )
