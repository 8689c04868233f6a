"""The testers tested: every rule of the table is broken in several ways, and the generated checks must notice each."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from tablecheck import CHECKS, DIFFERENTIABLE

import tinygrad_notes as tn
from tinygrad_notes import rules
from tinygrad_notes.ops.elementwise import FLAT
from tinygrad_notes.optable import Op, Rule, expression_of, p, rule_reads
from tinygrad_notes.tensor import from_array

Mutant = tuple[str, Callable[[], Any]]

# ---- the breakage ----


def _like(rule: Rule, body: Callable[..., Any]) -> Rule:
    """``body(**what the rule reads)`` under the rule's own parameter names."""
    names = rule_reads(rule)

    def mutated(*values: Any) -> Any:
        return body(**dict(zip(names, values, strict=True)))

    mutated.__signature__ = inspect.signature(rule)  # type: ignore[attr-defined]
    return mutated


def _after(change: Callable[[Any], Any]) -> Callable[[Rule], Rule]:
    return lambda rule: _like(rule, lambda **read: change(rule(**read)))


def _raw(value: Any) -> Any:
    return value._array if isinstance(value, tn.Tensor) else value


def _detached(g: Any) -> Any:
    return from_array(np.array(g._array)) if isinstance(g, tn.Tensor) else g


def _other_dtype(g: Any) -> Any:
    wanted = np.dtype(np.float64)
    return p.cast(g, dtype=wanted) if g.dtype != wanted else g


def _one_element(g: Any) -> Any:
    """Only the last element is wrong."""
    mask = np.zeros(g.shape, bool)
    mask.reshape(-1)[-1:] = True
    return p.where(from_array(mask) if isinstance(g, tn.Tensor) else mask, g * 2, g)


def _only_raw(g: Any) -> Any:
    """Right on Tensors, wrong on arrays."""
    return g if isinstance(g, tn.Tensor) else g * 1.1


def _only_recorded(g: Any) -> Any:
    return g * 1.1 if isinstance(g, tn.Tensor) else g


EVERY_RULE: dict[str, Callable[[Rule], Rule]] = {
    "sign": _after(lambda g: -g),
    "factor": _after(lambda g: g * 1.1),
    "shifted": _after(lambda g: g + 1e-3),
    "zero": _after(lambda g: g * 0.0),
    "dtype": _after(_other_dtype),
    "detached": _after(_detached),
    "one element": _after(_one_element),
    "wrong on arrays": _after(_only_raw),
    "wrong on Tensors": _after(_only_recorded),
    "not linear in the cotangent": lambda rule: _like(rule, lambda g, **read: rule(g=g * g, **read)),
}


def _swap(op: Op, rule: Rule) -> Iterator[tuple[str, Rule]]:
    """Residuals taken for one another: x for y, out for x."""
    kept = [name for name in rule_reads(rule) if name in (*op.args, "out")]
    for name in kept:
        for other in (*op.args, "out"):
            if other == name or other in kept:
                continue
            names = [other if n == name else n for n in rule_reads(rule)]
            yield f"{name} read as {other}", _renamed(rule, names)
    if len(kept) == 2:
        a, b = kept
        names = [{a: b, b: a}.get(n, n) for n in rule_reads(rule)]
        yield f"{a} and {b} exchanged", _renamed(rule, names)


def _renamed(rule: Rule, names: list[str]) -> Rule:
    def mutated(*values: Any) -> Any:
        return rule(*values)

    parameters = [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in names]
    mutated.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return mutated


def _amax_mask_only(g: Any, x: Any, out: Any, x_shape: Any, dim: Any, keepdim: bool) -> Any:
    kept = [1 if i in dim else n for i, n in enumerate(x_shape)]
    g, out = (p.reshape(v, shape=tuple(kept)) for v in (g, out))
    return p.where(p.eq(x, out), g, 0.0)


def _abs_slope_one_at_zero(g: Any, x: Any) -> Any:
    return p.where(p.ge(x, 0), g, -g)


HAND_MADE: dict[str, list[tuple[str, dict[int, Rule]]]] = {
    "matmul": [
        ("dX without transpose", {0: lambda g, y: g @ y}),
        ("dY without transpose", {1: lambda g, x: x @ g}),
        ("dY factors exchanged", {1: lambda g, x: g.mT @ x}),
        ("rules exchanged", {0: lambda g, x: x.mT @ g, 1: lambda g, y: g @ y.mT}),
    ],
    "amax": [("ties not divided", {0: _amax_mask_only})],
    "abs": [("slope 1 at 0", {0: _abs_slope_one_at_zero})],
    "pow": [
        ("0 ** 0 not masked", {0: lambda g, x, y: g * y * p.pow(x, y - 1)}),
        ("log 0 not masked", {1: lambda g, x, y, out: g * out * p.log(x)}),
    ],
    "maximum": [("ties to the first", {0: lambda g, x, y: p.where(p.ge(x, y), g, 0.0), 1: lambda g, x, y: p.where(p.gt(y, x), g, 0.0)})],
    "minimum": [("ties to both", {0: lambda g, x, y: p.where(p.le(x, y), g, 0.0), 1: lambda g, x, y: p.where(p.le(y, x), g, 0.0)})],
    "logaddexp": [("equal infinities", {0: lambda g, x, y: g * p.sigmoid(x - y)})],
    "hypot": [("origin not masked", {0: lambda g, x, out: g * (x / out)})],
    "atan2": [
        ("origin not masked", {0: lambda g, x, y: g * (y / p.hypot(x, y) / p.hypot(x, y))}),
        ("overflow", {0: lambda g, x, y: g * y / (x * x + y * y)}),
    ],
    "expm1": [("through the output", {0: lambda g, out: g * (out + 1)})],
    "floor": [("None", {0: None})],
    "logsigmoid": [("through the output", {0: lambda g, x, out: g * (1 - p.exp(out))})],
    "sub": [("as add", {1: lambda g: g})],
    "div": [("as mul", {0: lambda g, y: g * y})],
    "where": [("branches exchanged", {1: lambda g, condition: p.where(condition, 0.0, g)})],
    "take": [("gathered, not added", {0: lambda g, index, x_shape, dim: p.broadcast(p.sum(g), shape=x_shape)})],
    "permute": [("the same order again", {0: lambda g, dims: p.permute(g, dims=dims)})],
    "concatenate": [("always the first part", {0: lambda g, x_shape, dim: p.slice(
        g, index=(*(slice(None),) * dim, slice(0, x_shape[dim], None)))})],
    "assign": [("overwritten values keep influence", {0: lambda g: g})],
}  # fmt: skip


@contextmanager
def broken(op: Op, changes: dict[int, Rule]) -> Iterator[None]:
    """``op`` with other rules; the table is as before afterwards."""
    before = op.vjp, op.bind, op.backward
    from tinygrad_notes.dispatch import _by_arity, _compile_bind
    from tinygrad_notes.optable import residuals

    residuals.cache_clear()
    op.vjp = tuple(changes.get(i, rule) for i, rule in enumerate(op.vjp))
    op.bind = _by_arity(op) if op.variadic else _compile_bind(op, len(op.args))
    op.backward = rules.compile_backward(op)
    try:
        yield
    finally:
        op.vjp, op.bind, op.backward = before
        residuals.cache_clear()


def mutants(op: Op) -> Iterator[tuple[str, dict[int, Rule]]]:
    for i, rule in enumerate(op.vjp):
        if rule is None:
            continue
        where = "" if len(op.vjp) == 1 else f" of argument {i}"
        for name, change in EVERY_RULE.items():
            yield name + where, {i: change(rule)}
        for name, swapped in _swap(op, rule):
            yield name + where, {i: swapped}
    yield from HAND_MADE.get(op.name, [])


def caught(op: Op) -> str | None:
    """The check that notices; None where the row passes them all."""
    for check in CHECKS:
        try:
            check(op)
        except (AssertionError, RuntimeError, ValueError, IndexError, TypeError, AttributeError):
            return check.__name__
    return None


# ---- the tests ----

NOT_OF_ZERO = ("shifted", "dtype", "detached")
EQUIVALENT: dict[tuple[str, str], str] = {
    (op.name, name + ("" if len(op.vjp) == 1 else f" of argument {i}")): "a step: whatever is done to zeros gives zeros"
    for op in DIFFERENTIABLE
    for i, rule in enumerate(op.vjp)
    if rule is not None and expression_of(rule) == FLAT
    for name in EVERY_RULE
    if name not in NOT_OF_ZERO
} | {
    ("clamp", "out and x exchanged"): "only compared with each other",
    ("relu", "out read as x"): "both are positive together",
    ("copysign", "x and out exchanged of argument 0"): "both are 0 together, and what is compared is the same",
}
"""Survivors that compute the same function: (row, mutant) -> why no test can tell."""


@pytest.mark.parametrize("op", DIFFERENTIABLE, ids=lambda op: op.name)
def test_mutants_are_caught(op: Op) -> None:
    assert caught(op) is None, "the row fails its checks unbroken"
    survivors = set()
    count = 0
    for name, changes in mutants(op):
        count += 1
        with broken(op, changes):
            if caught(op) is None:
                survivors.add(name)
    assert count >= len(EVERY_RULE)
    assert survivors == {name for row, name in EQUIVALENT if row == op.name}, f"{op.name}: survivors of {count}"
    assert caught(op) is None, "the table was not restored"


def _sum_everything(g: Any, shape: tuple[int, ...]) -> Any:
    return p.broadcast(p.sum(g, dim=tuple(range(g.ndim)), keepdim=False), shape=shape)


def _slice_first(g: Any, shape: tuple[int, ...]) -> Any:
    lead = g.ndim - len(shape)
    index = (*(0,) * lead, *(slice(0, n, None) for n in shape))
    return p.slice(g, index=index)


UNBROADCAST: dict[str, Callable[[Any, tuple[int, ...]], Any]] = {
    "missing": lambda g, shape: g,
    "the first slice for the sum": _slice_first,
    "the sum of everything": _sum_everything,
    "the mean": lambda g, shape: (
        right_unbroadcast(g, shape) * (int(np.prod(shape)) / max(g.size if hasattr(g, "size") else 1, 1))
    ),
}
right_unbroadcast = rules.unbroadcast
STRETCHED = [
    op for op in DIFFERENTIABLE if op.name in ("add", "sub", "mul", "div", "pow", "where", "broadcast", "matmul", "assign")
]


@pytest.mark.parametrize("name", UNBROADCAST)
@pytest.mark.parametrize("op", STRETCHED, ids=lambda op: op.name)
def test_wrong_unbroadcast_is_caught(op: Op, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "unbroadcast", UNBROADCAST[name])
    with broken(op, {}):
        assert caught(op) is not None


def test_wrong_accumulation_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two contributions to one input: the second replaces the first, or writes into an array that others read."""
    import test_table_gradients as gradients

    from tinygrad_notes.optable import TABLE

    def forgets(node: Any, total: Any, g: Any, cotangents: dict[Any, Any], owned: Any) -> None:
        cotangents[node] = g

    def overwrites(node: Any, total: Any, g: Any, cotangents: dict[Any, Any], owned: Any) -> None:
        if owned is None:
            cotangents[node] = total + g
        else:
            np.add(total, g, total)

    for wrong, test in (
        (forgets, lambda: gradients.test_several_uses_add_up("dense last", tn.float64)),
        (overwrites, gradients.test_accumulation_does_not_write_into_shared_cotangents),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(rules, "accumulate", wrong)
            for row in ("slice", "mul", "permute", "take", "add", "sum", "reshape"):
                patch.setattr(TABLE[row], "backward", rules.compile_backward(TABLE[row]))
            with pytest.raises((AssertionError, ValueError)):
                test()
        test()


def test_a_wrong_into_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    import test_table_gradients as gradients

    from tinygrad_notes.optable import TABLE

    for row, name in (("slice", "slices"), ("take", "takes")):
        op = TABLE[row]
        right = op.into
        assert right is not None
        parameters = inspect.signature(right)

        def doubled(buffer: Any, g: Any, *rest: Any, right: Any = right) -> None:
            right(buffer, g * 2, *rest)

        doubled.__signature__ = parameters  # type: ignore[attr-defined]
        with monkeypatch.context() as patch:
            patch.setattr(op, "into", doubled)
            patch.setattr(op, "backward", rules.compile_backward(op))
            with pytest.raises(AssertionError):
                gradients.test_several_uses_add_up(name, tn.float64)
        gradients.test_several_uses_add_up(name, tn.float64)
