"""``vmap``: every row of the table against single calls, for every way its arguments can be mapped; nesting, trees, errors."""

from __future__ import annotations

import itertools
from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tablecheck import ROWS, arrays_for, caller, check_vmap

import tinygrad_notes as tn
import tinygrad_notes.nn.functional as F
from tinygrad_notes.errors import BatchingError
from tinygrad_notes.func.batching import reason_without
from tinygrad_notes.optable import TABLE, Case, Op, p
from tinygrad_notes.tensor import from_array

vmap = tn.func.vmap

WITHOUT: dict[str, str] = {"random_bits": "what a draw means for the examples is said by `randomness`, where it is drawn"}
"""Rows without a batching rule, and why."""
COVERED = [op for op in ROWS if op.name not in WITHOUT]
B = 3


# ---- the table ----


def test_every_row_has_a_rule_or_a_reason() -> None:
    assert {op.name for op in ROWS if reason_without(op)} == set(WITHOUT)


@pytest.mark.parametrize("op", COVERED, ids=lambda op: op.name)
def test_rows(op: Op) -> None:
    """Values and gradients of ``vmap(row)`` are those of single calls."""
    check_vmap(op)


@pytest.mark.parametrize("op", COVERED, ids=lambda op: op.name)
def test_rows_nested(op: Op) -> None:
    """A ``vmap`` in a ``vmap``: the first argument is mapped by the outer, all others by the inner, and all by both."""
    for case in op.cases[:4]:
        check_nested(op, case)


def check_nested(op: Op, case: Case) -> None:
    call = caller(op, case.params)
    each = [arrays_for(op, case, seed=seed) for seed in range(B)]
    count = len(case.arrays)
    both = [np.stack([np.stack([e[i] for e in each])] * 2) for i in range(count)]
    out = vmap(vmap(call))(*map(from_array, both))
    expected = np.stack([np.stack([call(*map(from_array, e)).numpy() for e in each])] * 2)
    np.testing.assert_allclose(out.numpy(), expected, rtol=1e-14)
    if count > 1 and not op.writes:
        firsts = from_array(np.stack([e[0] for e in each]))
        others = [from_array(np.stack([e[i] for e in each])) for i in range(1, count)]
        inner = vmap(call, in_dims=(None, *(0,) * (count - 1)))
        out = vmap(inner, in_dims=(0, *(None,) * (count - 1)))(firsts, *others)
        for a, b in itertools.product(range(B), range(B)):
            single = call(firsts[a], *(o[b] for o in others))
            np.testing.assert_allclose(out[a, b].numpy(), single.numpy(), rtol=1e-14)


@pytest.mark.parametrize("name", sorted(WITHOUT))
def test_rows_without_a_rule_raise_and_are_named(name: str) -> None:
    op = TABLE[name]
    case = op.cases[0]
    arrays = [from_array(np.stack([a] * 2)) for a in arrays_for(op, case)]
    with pytest.raises(BatchingError, match=rf"the primitive '{name}' has no batching rule"):
        vmap(caller(op, case.params))(*arrays)


# ---- dims, trees, chunks ----

x = tn.tensor(np.arange(24.0).reshape(2, 3, 4) / 7)


def check(func: Callable[..., Any], *args: tn.Tensor, in_dims: Any = 0, out_dims: int = 0) -> None:
    """``vmap(func)`` against a Python loop."""
    dims = in_dims if isinstance(in_dims, tuple) else (in_dims,) * len(args)
    size = next(a.shape[d] for a, d in zip(args, dims, strict=True) if d is not None)
    each = [
        func(*(a if d is None else tn.tensor(np.take(a.numpy(), i, d)) for a, d in zip(args, dims, strict=True)))
        for i in range(size)
    ]
    out = vmap(func, in_dims, out_dims)(*args)
    np.testing.assert_allclose(out.numpy(), np.stack([e.numpy() for e in each], out_dims), rtol=1e-6)


@pytest.mark.parametrize("in_dims", [0, 1, 2, -1, -2])
@pytest.mark.parametrize("out_dims", [0, 1, -1])
def test_in_and_out_dims(in_dims: int, out_dims: int) -> None:
    check(lambda a: (a * a).T, x, in_dims=in_dims, out_dims=out_dims)
    check(lambda a, b: a @ b.T, x, x, in_dims=(in_dims, in_dims), out_dims=out_dims)


def test_trees_go_in_and_out() -> None:
    Pair = namedtuple("Pair", "a b")
    given = {"a": x, "rest": [x[0], (tn.tensor(2.0),)]}
    dims = {"a": 0, "rest": [None, (None,)]}
    out = vmap(lambda d: Pair(d["a"] * d["rest"][1][0], {"s": d["rest"][0].sum()}), in_dims=(dims,), out_dims=(1, None))(given)
    assert type(out) is Pair
    np.testing.assert_array_equal(out.a.numpy(), np.moveaxis(x.numpy() * 2, 0, 1))
    assert out.b["s"].shape == ()


def test_outputs_that_do_not_depend_on_the_example_are_repeated() -> None:
    out = vmap(lambda a: tn.ones(3))(x)
    assert out.shape == (2, 3)
    assert vmap(lambda a: x[0], out_dims=1)(x).shape == (3, 2, 4)


def test_keyword_arguments_are_not_mapped() -> None:
    assert vmap(lambda a, *, k: a.sum() * k)(x, k=tn.ones(5)).shape == (2, 5)


@pytest.mark.parametrize("chunk_size", [1, 2, 3, 7])
def test_chunks(chunk_size: int) -> None:
    def f(a, b):
        return (a.sum(0) @ b, a)

    whole = vmap(f, (1, None), (0, -1))(x, x[0, 0])
    parts = vmap(f, (1, None), (0, -1), chunk_size=chunk_size)(x, x[0, 0])
    for a, b in zip(whole, parts, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6)


def test_no_examples() -> None:
    assert vmap(lambda a: (a * 2).sum())(tn.zeros(0, 3)).shape == (0,)


def test_python_scalars_and_zero_dimensional_examples_promote_as_one_example_would() -> None:
    ints, zeros = tn.tensor([1, 2, 3]), tn.tensor([1.0, 2.0, 3.0], dtype=tn.float64)
    for f in (lambda a: a * 1.5, lambda a: a / 2, lambda a: a + tn.tensor([1.0]), lambda a: a**2, lambda a: 2 - a):
        for given in (ints, zeros):
            out = vmap(f)(given)
            single = f(given[0])
            assert (out.dtype, out.shape) == (single.dtype, (3, *single.shape))


# ---- composites ----

matrix = tn.tensor(np.linspace(-1.0, 1.0, 12).reshape(4, 3))
COMPOSITES: list[tuple[str, Callable[..., Any], tuple[Any, ...], Any]] = [
    ("softmax", lambda a: F.softmax(a, -1), (x,), 1),
    ("mlp", lambda a, w: F.linear(a, w).tanh().sum(), (x, matrix.T), (0, None)),
    ("weights", lambda w, a: F.linear(a, w), (tn.tensor(np.linspace(-1.0, 1.0, 24).reshape(2, 3, 4)), x), (0, None)),
    ("cross entropy", F.cross_entropy, (x, tn.tensor([[0, 1, 3], [2, 2, 1]])), 0),
    ("cross entropy of one", F.cross_entropy, (x[0], tn.tensor([0, 3, 1])), 0),
    ("embedding", lambda i, t: F.embedding(i, t), (tn.tensor([[0, 1], [3, 3]]), matrix), (0, None)),
    ("indexing", lambda a, i: a[i, :2] + a[-1, 1:3], (x, tn.tensor([0, -1])), 0),
    ("two indices", lambda a, i, j: a[i, j], (x, tn.tensor([[0, 1], [2, 2]]), tn.tensor([[3, 1], [0, -2]])), 0),
    ("max", lambda a: a.max(1).values - a.min(0).values.sum(), (x,), 0),
    ("argmax", lambda a: a.argmax(0), (x,), 0),
    ("var", lambda a: (a - a.mean(0)).pow(2).mean(), (x,), 2),
    ("cat", lambda a, b: tn.cat([a, b.unsqueeze(0), a * 2]), (x, x[0, 0]), (0, None)),
    ("stack", lambda a, b: tn.stack([a, b], 1), (x, x[0]), (0, None)),
    ("masked_fill", lambda a, m: a.masked_fill(m, 7.0), (x, x > 1), 0),
    ("where", lambda a: tn.where(a > 1, a, -a), (x,), 1),
    ("view", lambda a: a.view(-1)[3:].reshape(3, -1).contiguous(), (x,), 0),
    ("expand", lambda a: a.unsqueeze(0).expand(2, -1, -1).flatten(), (x,), 1),
    ("iterate", lambda a: sum(row for row in a) * len(a), (x,), 0),
    ("vector matrix", lambda v, m: v @ m, (x[0], matrix), (0, None)),
    ("vector vector", lambda v, u: v @ u, (x[0], x[1]), 0),
    ("gather", lambda a, i: a.gather(1, i), (x, tn.tensor([[0, 1], [3, 2], [1, 1]])), (0, None)),
]


@pytest.mark.parametrize(("func", "args", "in_dims"), [c[1:] for c in COMPOSITES], ids=[c[0] for c in COMPOSITES])
def test_composites(func: Callable[..., Any], args: tuple[tn.Tensor, ...], in_dims: Any) -> None:
    check(func, *args, in_dims=in_dims)


def test_a_module_inside() -> None:
    lstm = tn.nn.LSTM(4, 5, dtype=tn.float64)
    out = vmap(lambda a: lstm(a)[0])(x)
    np.testing.assert_allclose(out.detach().numpy(), lstm(x.transpose(0, 1))[0].transpose(0, 1).detach().numpy(), rtol=1e-5)
    out.sum().backward()
    assert all(w.grad is not None for w in lstm.parameters())


# ---- writes ----


def test_writes_inside() -> None:
    def f(a: tn.Tensor, b: tn.Tensor) -> tn.Tensor:
        c = a.clone()
        c[0] = b
        c[1:, 2] += 1
        c.mul_(2).exp_()
        c[-1].zero_()
        return c

    check(f, x, x[0, 0], in_dims=(0, None))
    check(f, x, x[:, 0], in_dims=(0, 0))
    a, b = (t.clone().requires_grad_() for t in (x, x[:, 0]))
    vmap(f)(a, b).sum().backward()
    for i in range(2):
        single = [t.detach()[i].clone().requires_grad_() for t in (a, b)]
        f(*single).sum().backward()
        for t, s in zip((a, b), single, strict=True):
            np.testing.assert_allclose(t.grad.numpy()[i], s.grad.numpy(), rtol=1e-6)


def test_written_values_broadcast_as_those_of_one_example() -> None:
    """With as many examples as there are rows, a value that is not aligned would fit all the same."""

    def f(a: tn.Tensor, b: tn.Tensor) -> tn.Tensor:
        c = a.clone()
        c.copy_(b)
        c[1:] += b
        return c.add_(a.mul(b))

    rows = tn.tensor(np.arange(12.0).reshape(3, 4))
    check(f, tn.tensor(np.arange(36.0).reshape(3, 3, 4)), rows, in_dims=(0, 0))
    check(f, tn.tensor(np.arange(27.0).reshape(3, 3, 3)), tn.tensor(np.arange(9.0).reshape(3, 3)), in_dims=(0, 1))


def test_a_write_to_a_mapped_argument_reaches_the_callers_memory() -> None:
    a = x.clone()
    vmap(lambda v: v.mul_(2), in_dims=1)(a)
    np.testing.assert_array_equal(a.numpy(), x.numpy() * 2)


def test_a_write_of_examples_into_what_is_shared_raises() -> None:
    with pytest.raises(BatchingError, match=r"add_: Tensor f32\[4\] is one for all examples of vmap, .* one for each"):
        vmap(lambda a: tn.zeros(4).add_(a))(x[0])


def test_residuals_that_were_written_are_stale() -> None:
    def f(a: tn.Tensor) -> tn.Tensor:
        b = a * 1
        c = b * b
        b.zero_()
        return c

    with pytest.raises(RuntimeError, match="wrote to that memory since"):
        vmap(f)(x.clone().requires_grad_()).sum().backward()


# ---- randomness ----


def test_randomness() -> None:
    def draw(a):
        return tn.rand(5) + 0 * a.sum()

    with pytest.raises(BatchingError, match='a random operation is ambiguous here; say randomness="same"'):
        vmap(draw)(x)
    same, different = vmap(draw, randomness="same")(x), vmap(draw, randomness="different")(x)
    assert same[0].tolist() == same[1].tolist()
    assert len(set(different.reshape(-1).tolist())) == 10
    out = vmap(vmap(draw, randomness="same"), randomness="different")(x.reshape(2, 3, 4, 1)).numpy()
    assert (out[:, 0] == out[:, 1]).all()
    assert (out[0] != out[1]).all()
    dropped = vmap(lambda a: F.dropout(a, 0.5), randomness="different")(tn.ones(2, 64)).numpy()
    assert (dropped[0] != dropped[1]).any()


def test_draws_replay() -> None:
    with tn.Tape() as tape:
        out = vmap(lambda a: (tn.randn(3) * a).sum(), randomness="different")(x[0, 0])
    tn.manual_seed(0)
    (again,) = tape.replay(out)
    tn.manual_seed(0)
    np.testing.assert_array_equal(again, vmap(lambda a: (tn.randn(3) * a).sum(), randomness="different")(x[0, 0]).numpy())


# ---- on the tape ----


def test_replay() -> None:
    a, w = x.clone(), matrix.clone()

    def f(v):
        return tn.tanh(v @ w).sum(0)[tn.tensor([0, 2])]

    with tn.Tape() as tape:
        out = vmap(f)(a)
    a.numpy()[...] *= 0.5
    np.testing.assert_array_equal(tape.replay(out)[0], vmap(f)(a).numpy())


def test_gradients_agree_with_differences() -> None:
    a = tn.tensor(x.numpy(), dtype=tn.float64, requires_grad=True)
    w = tn.tensor(matrix.numpy(), dtype=tn.float64, requires_grad=True)
    f = vmap(lambda v, m: F.softmax(tn.tanh(v @ m), 0)[1], in_dims=(0, None), out_dims=1)
    assert tn.autograd.gradcheck(f, [a, w], atol=1e-6, rtol=1e-6)
    assert tn.autograd.gradgradcheck(f, [a, w], atol=1e-5, rtol=1e-5)


# ---- what raises ----

READS: dict[str, Callable[[Any], Any]] = {
    "bool": lambda a: a if a.sum() > 0 else -a,
    "item": lambda a: a.sum().item(),
    "float": lambda a: float(a.sum()),
    "int": lambda a: [1, 2][int(a.sum())],
    "numpy": lambda a: a.numpy(),
    "asarray": lambda a: np.asarray(a),
    "tolist": lambda a: a.tolist(),
    "tensor": lambda a: tn.tensor(a),
    "in": lambda a: a if 1.0 in a else -a,
    "mask": lambda a: a[a > 0],
    "range": lambda a: range((a.sum() * 0).long()),
    "deepcopy": lambda a: __import__("copy").deepcopy(a),
    "numpy function": lambda a: np.median(a),
    "format": lambda a: f"{a.sum():.2f}",
}


@pytest.mark.parametrize("name", READS)
def test_reading_a_value_raises(name: str) -> None:
    with pytest.raises(BatchingError, match=r"vmap: the values of Tensor .* are read here .*tn\.where instead of `if`"):
        vmap(READS[name])(x)


def test_gradients_by_hand_inside_raise() -> None:
    for f in (lambda a: a.requires_grad_(), lambda a: a.register_hook(print), lambda a: a.retain_grad()):
        with pytest.raises(BatchingError, match=r"is inside a vmap; use tn\.func\.grad, vjp or jvp there"):
            vmap(f)(x)
    a = x.clone().requires_grad_()
    for f in (lambda v: v.sum().backward(), lambda v: tn.autograd.grad(v.sum(), v)):
        with pytest.raises(RuntimeError, match=r"is inside a vmap; use tn\.func\.grad"):
            vmap(f)(a)
    assert a.grad is None


def test_what_leaves_a_vmap_is_of_no_use_outside() -> None:
    kept = []
    vmap(lambda a: kept.append(a) or a)(x)
    assert "2 examples" in repr(kept[0])
    with pytest.raises(BatchingError, match="belongs to a vmap that has ended"):
        kept[0] + 1


def test_an_error_inside_leaves_no_level_behind() -> None:
    with pytest.raises(ZeroDivisionError):
        vmap(lambda a: 1 / 0)(x)
    assert tn.rand(2).shape == (2,)


WRONG: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: vmap(lambda a: a, in_dims=None)(x), ValueError, "in_dims must be an int or a tuple"),
    (lambda: vmap(lambda a: a, in_dims=(None,))(x), ValueError, "at least one argument must be mapped"),
    (lambda: vmap(lambda a, b: a)(x, x[0]), ValueError, r"different lengths \[2, 3\]"),
    (lambda: vmap(lambda a, b: a, in_dims=(0,))(x, x), ValueError, r"in_dims=\(0,\) does not fit the arguments"),
    (lambda: vmap(lambda a: a, in_dims=3)(x), ValueError, r"in_dims=3 is out of range for Tensor f64\[2,3,4\]"),
    (lambda: vmap(lambda a: a)(tn.tensor(1.0)), ValueError, r"in_dims=0 is out of range for Tensor f32\[\]"),
    (lambda: vmap(lambda a, b: a)(x, 3), ValueError, "only Tensors are mapped, give None there"),
    (lambda: vmap(lambda: 1)(), ValueError, "nothing to map over"),
    (lambda: vmap(lambda a: 3)(x), ValueError, "returned a int"),
    (lambda: vmap(lambda a: None)(x), ValueError, "returned a NoneType"),
    (lambda: vmap(lambda a: (a, a), out_dims=(0, 1, 2))(x), ValueError, r"out_dims=\(0, 1, 2\) does not fit the outputs"),
    (lambda: vmap(lambda a: a, out_dims=None)(x), ValueError, "differs from example to example"),
    (lambda: vmap(lambda a: a, out_dims=5)(x), IndexError, r"out_dims=5 is out of range for an output Tensor f64\[3,4\]"),
    (lambda: vmap(lambda a: a, chunk_size=0), ValueError, "chunk_size must be positive"),
    (lambda: vmap(lambda a: a, randomness="maybe"), ValueError, "randomness is one of 'error', 'different', 'same'"),
    (lambda: vmap(lambda a, i: a[i])(x, tn.tensor([0, 3])), IndexError, "index 3 is out of range for axis 0"),
    (lambda: vmap(lambda a, i: p.take(a, i, dim=0))(x, tn.tensor([0, -1])), IndexError, "index -1 is out of range"),
    (lambda: vmap(lambda a: a @ a)(x), RuntimeError, r"matmul: f64\[3,4\] @ f64\[3,4\]"),
    (lambda: vmap(lambda a: a.reshape(5))(x), RuntimeError, r"reshape: Tensor f64\[3,4\] with 12 elements"),
]  # fmt: skip


@pytest.mark.parametrize("position", range(len(WRONG)))
def test_errors(position: int) -> None:
    call, kind, message = WRONG[position]
    with pytest.raises(kind, match=message):
        call()
