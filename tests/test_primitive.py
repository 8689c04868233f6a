"""Primitives of the user's own: declared by one call, checked by one line, and rows like any other."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import rules
from tinygrad_notes.dispatch import _bind_source
from tinygrad_notes.optable import OF_BACKWARD, OF_FORWARD, TABLE, p
from tinygrad_notes.testing import Case, check_primitive


@pytest.fixture(autouse=True)
def _table() -> Iterator[None]:
    """Rows of a test leave with it."""
    before = dict(TABLE)
    yield
    for name in TABLE.keys() - before.keys():
        del TABLE[name]
        vars(p).pop(name, None)


def softsquare(**row: Any) -> Any:
    """x² / (1 + x²)."""
    given: dict[str, Any] = {"vjp": "g * 2 * x / (1 + x * x) ** 2", **row}
    return tn.primitive("softsquare", lambda x: x * x / (1 + x * x), special=(((0.0,), 0.0, (0.0,)),), **given)


def sum_of_squares(**row: Any) -> Any:
    """A reduction over one axis."""

    def rule(g: Any, x: Any, x_shape: tuple[int, ...], dim: int) -> Any:
        kept = tuple(1 if i == dim else n for i, n in enumerate(x_shape))
        return 2 * x * p.reshape(g, shape=kept)

    given: dict[str, Any] = {
        "vjp": rule,
        "cases": [Case((((2, 3), -2.0, 2.0),), {"dim": d}) for d in (0, 1)] + [Case((((0, 3), -2.0, 2.0),), {"dim": 0})],
        **row,
    }
    return tn.primitive("sum_of_squares", lambda x, *, dim: np.square(x).sum(dim), params="dim", kind="reduce", **given)


# ---- rows that are right ----


def test_an_elementwise_row() -> None:
    op = softsquare()
    check_primitive(op)
    x = tn.tensor([1.0, 2.0], requires_grad=True)
    out = op(x)
    assert out.grad_fn.op is op
    out.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [0.5, 4 / 25])
    assert op(tn.tensor([1, 2])).dtype == tn.float32
    assert repr(op) == "<primitive softsquare>"


def test_a_reduction() -> None:
    op = sum_of_squares()
    check_primitive(op)
    assert op(tn.ones(2, 3), dim=1).tolist() == [3, 3]


def test_several_arguments_and_no_gradient_for_one() -> None:
    op = tn.primitive(
        "blend",
        lambda x, y, t: x + (y - x) * t,
        args="x y t",
        vjp=("g * (1 - t)", "g * t", None),
        domain=((-1, 1), (2, 3), (0.0, 1.0)),
    )
    check_primitive(op)
    assert op.promote == (0, 1)
    x = tn.tensor(1.0, requires_grad=True)
    assert tn.autograd.grad(op(x, tn.tensor(3.0), tn.tensor(0.25)), x)[0].item() == 0.75


def test_it_takes_part_in_listing_replay_pictures_vmap_and_transforms() -> None:
    op = softsquare()
    x = tn.tensor([[0.5, 1.0], [2.0, -1.0]])
    with tn.Tape() as tape:
        out = op(x * 2).sum()
    assert "softsquare(" in str(tape)
    assert "softsquare" in tn.viz.draw(tape).text
    x.numpy()[...] += 1
    np.testing.assert_array_equal(tape.replay(out)[0], op(x * 2).sum().numpy())
    np.testing.assert_array_equal(tn.func.vmap(op, 1, 1)(x).numpy(), op(x).numpy())
    second = tn.func.hessian(lambda t: op(t).sum())(x[0])
    eps = 1e-3
    g = tn.func.grad(lambda t: op(t).sum())
    np.testing.assert_allclose(np.diag(second.numpy()), ((g(x[0] + eps) - g(x[0] - eps)) / (2 * eps)).numpy(), rtol=1e-2)


def test_rules_may_use_rows_of_the_user() -> None:
    op = softsquare()
    twice = tn.primitive("softfourth", lambda x: op.forward(op.forward(x)), vjp=_chain)
    check_primitive(twice)


def _chain(g: Any, x: Any) -> Any:
    inner = p.softsquare(x)
    return g * 2 * inner / (1 + inner * inner) ** 2 * 2 * x / (1 + x * x) ** 2


@pytest.mark.parametrize("name", ["add", "div", "sum", "take", "matmul", "where", "slice", "assign", "concatenate"])
def test_our_own_rows_pass_the_users_check(name: str) -> None:
    check_primitive(TABLE[name])


# ---- rows that are wrong: the one-line check says what ----


def _writes(x: np.ndarray) -> np.ndarray:
    x *= x
    return x / (1 + x)


def _centred(g: Any) -> Any:
    """Linear, symmetric and its own VJP."""
    return g - p.sum(g, dim=tuple(range(g.ndim)), keepdim=True) / max(int(np.prod(g.shape)), 1)


def _detached(g: Any, x: Any) -> Any:
    x = p.detach(x) if isinstance(x, tn.Tensor) else x
    return g * 2 * x / (1 + x * x) ** 2


_count = iter(range(10**9))

BROKEN: dict[str, tuple[Callable[[], Any], str]] = {
    "sign": (
        lambda: softsquare(vjp="-g * 2 * x / (1 + x * x) ** 2"),
        r"check_order_1: The whole Jacobian.*entries are wrong; the worst:.*gradient +differences",
    ),
    "dtype": (
        lambda: softsquare(vjp=lambda g, x: p.cast(g * 2 * x / (1 + x * x) ** 2, dtype=np.dtype(np.float64))),
        r"check_types: A gradient has the shape and dtype of its input\.\n    softsquare: the gradient of Tensor f32.* is Tensor f64",
    ),
    "detached": (lambda: softsquare(vjp=_detached), r"check_order_2: Second derivatives.*entries are wrong"),
    "arrays only": (lambda: softsquare(vjp=lambda g, x: np.multiply(g, 2) * np.asarray(x)), "check_both_ways: "),
    "edge": (
        lambda: tn.primitive("soft", np.abs, vjp=lambda g, x: p.where(p.ge(x, 0), g, -g), special=(((0.0,), 0.0, (0.0,)),)),
        r"check_special: Values and gradients at the edges.*soft\(0\.0,\)",
    ),
    "writes to its argument": (
        lambda: tn.primitive("soft", _writes, vjp="g * 2 * x / (1 + x * x) ** 2", result=lambda s, d, p: (s[0], d[0])),
        r"check_forward: .*\n    soft\(f32\[2,3\]\) in contiguous memory changes its argument 0",
    ),
    "result rule": (
        lambda: sum_of_squares(result=lambda shapes, dtypes, params: (shapes[0], dtypes[0])),
        r"check_forward: .*\n    sum_of_squares\(f32\[2,3\]\) in contiguous memory is f32\[3\], declared f32\[2,3\]",
    ),
    "result dtype": (
        lambda: softsquare(result=lambda shapes, dtypes, params: (shapes[0], tn.float64)),
        r"is f32\[2,3\], declared f64\[2,3\]",
    ),
    "not elementwise": (lambda: tn.primitive("centred", _centred, vjp=_centred), r"check_vmap: .*single calls.*in_dims="),
    "depends on something else": (
        lambda: tn.primitive("shaky", lambda x: x + next(_count), vjp="g"),
        r"check_replay: .*\n    shaky: a replay differs from a fresh call; forward depends on more than its arguments",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_broken_rows_are_reported(name: str) -> None:
    declare, report = BROKEN[name]
    op = declare()
    with pytest.raises(AssertionError, match=rf"(?s)primitive '{op.name}' fails \d of 8 checks:\n.*{report}"):
        check_primitive(op)


# ---- declared again ----


def test_a_row_declared_again_replaces_the_old_one_but_not_in_graphs() -> None:
    x = tn.tensor([1.0, 2.0], requires_grad=True)

    def scaled(by: int) -> Any:
        return tn.primitive("scaled", lambda x: x * by, vjp=f"g * {by}")

    double = scaled(2)
    with tn.Tape() as tape:
        old = double(x)
    assert p.scaled(x).tolist() == [2, 4]
    triple = scaled(3)
    assert TABLE["scaled"] is triple
    assert p.scaled(x).tolist() == triple(x).tolist() == [3, 6]
    assert double(x).tolist() == tape.replay(old)[0].tolist() == [2, 4]
    assert tn.autograd.grad(old.sum(), [x])[0].tolist() == [2, 2]
    assert tn.autograd.grad(triple(x).sum(), [x])[0].tolist() == [3, 3]


def test_a_failed_declaration_leaves_the_table_as_it_was() -> None:
    rows = dict(TABLE)
    for name, error in (("soft", "VJP rule 0 reads y"), ("tanh", "already has a row")):
        with pytest.raises(ValueError, match=error):
            tn.primitive(name, np.abs, vjp="g * y")
        assert rows == TABLE
    op = softsquare()
    with pytest.raises(ValueError, match="VJP rule 0 reads y"):
        softsquare(vjp="g * y")
    assert TABLE["softsquare"] is op


# ---- declarations that do not fit ----

WRONG: list[tuple[Callable[[], Any], str]] = [
    (lambda: tn.primitive("tanh", np.tanh, vjp="g"), "primitive 'tanh': the table already has a row of this name"),
    (lambda: tn.primitive("soft square", np.abs, vjp="g"), "'soft square' is no Python name"),
    (lambda: tn.primitive("soft", np.abs, args="lambda", vjp="g"), "'lambda' is no Python name"),
    (lambda: tn.primitive("soft", np.abs, args="z", vjp="g"), "the name 'z' means something else in the functions generated"),
    (lambda: tn.primitive("forward", np.abs, vjp="g"), "the name 'forward' means something else"),
    (lambda: tn.primitive("soft", np.abs, args="x", params="out", vjp="g"), "the name 'out' means something else"),
    (lambda: tn.primitive("soft", np.add, args="x x", vjp=("g", "g")), "two arguments or parameters have one name"),
    (lambda: tn.primitive("soft", np.add, args="x y", vjp="g"), r"2 arguments \(x, y\) but 1 VJP rules; write None"),
    (lambda: tn.primitive("soft", np.abs, vjp="g * y"), "VJP rule 0 reads y; it may read g, out, x"),
    (lambda: tn.primitive("soft", np.sum, vjp="g", kind="reduce"), "a row without test cases is not accepted"),
    (lambda: tn.primitive("soft", np.abs, vjp="g", params="k"), "a row without test cases is not accepted"),
    (lambda: tn.primitive("soft", np.abs, vjp="g", kind="magic"), "kind 'magic' is none of elementwise, reduce"),
    (lambda: tn.primitive("soft", np.abs, args="a b c d", vjp=("g",) * 4), "no default cases for 4 arguments"),
    (lambda: tn.primitive("soft", np.add, args="x y", vjp=("g", "g"), domain=((0, 1),)), "domain has 1 entries for 2"),
]


@pytest.mark.parametrize("position", range(len(WRONG)))
def test_declarations_that_do_not_fit_are_refused(position: int) -> None:
    declare, message = WRONG[position]
    before = dict(TABLE)
    with pytest.raises(ValueError, match=message):
        declare()
    assert TABLE.keys() - before.keys() <= {"softsquare"}


def test_the_names_that_generated_functions_use_are_reserved() -> None:
    """Else an argument of that name would be taken for what is meant there."""
    for op in TABLE.values():
        if op.kind in ("leaf", "literal"):
            continue
        arity = len(op.cases[0].arrays)
        sources = _bind_source(op, arity)[0], inspect.getsource(rules._generate(op, arity))
        for source, reserved in zip(sources, (OF_FORWARD, OF_BACKWARD), strict=True):
            words = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
            names = {*op.args, *op.operands}
            own = {*names, *op.params, *(f"{k}_{x}" for k in "na" for x in names)}
            used = {w for w in words - own - reserved if not re.fullmatch(r"([xn]|[an]_x|vjp|fused)\d+", w)}
            assert not used, (op.name, used)


def test_a_rule_that_is_no_expression_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match=r"primitive 'half': the VJP rule 'g \*' is no Python expression"):
        tn.primitive("half", lambda x: x / 2, vjp="g *")
    assert "half" not in TABLE
