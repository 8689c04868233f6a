"""``tn.func``'s gradients, Jacobians and Hessians: central differences, composition, closures, errors, modules as functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn
import tinygrad_notes.nn.functional as F
from tinygrad_notes.errors import BatchingError
from tinygrad_notes.func import (
    functional_call,
    grad,
    grad_and_value,
    hessian,
    hvp,
    jacfwd,
    jacobian,
    jacrev,
    jvp,
    linearize,
    stack_module_state,
    vjp,
    vmap,
)
from tinygrad_notes.func.pytree import flatten

f64 = tn.float64


def vector(*values: float, requires_grad: bool = False) -> tn.Tensor:
    return tn.tensor(values, dtype=f64, requires_grad=requires_grad)


def differences(func: Callable[..., Any], args: tuple[tn.Tensor, ...], i: int, eps: float = 1e-6) -> np.ndarray:
    """d func / d args[i], ``(*output, *input)``, by central differences."""
    base = args[i].detach().numpy()
    columns = []
    for j in range(base.size):
        sides = []
        for step in (eps, -eps):
            moved = base.copy()
            moved.reshape(-1)[j] += step
            sides.append(func(*args[:i], tn.tensor(moved), *args[i + 1 :]).detach().numpy())
        columns.append((sides[0] - sides[1]) / (2 * eps))
    return np.stack(columns, -1).reshape((*np.shape(columns[0]), *base.shape))


def close(a: Any, b: Any, tolerance: float = 1e-7) -> None:
    """Equal trees of numbers."""
    (left, one), (right, other) = flatten(a), flatten(b)
    assert one == other
    for x, y in zip(left, right, strict=True):
        x, y = (v.detach().numpy() if isinstance(v, tn.Tensor) else v for v in (x, y))
        assert np.shape(x) == np.shape(y)
        np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance)


x, y = vector(0.3, -1.2, 0.7), vector(1.5, 0.4, -0.6)
matrix = tn.tensor(np.linspace(-1.0, 1.3, 6).reshape(2, 3))
W = tn.tensor(np.linspace(-0.8, 1.1, 12).reshape(3, 4))

SCALARS: dict[str, tuple[Callable[..., Any], tuple[tn.Tensor, ...]]] = {
    "cubic": (lambda a, b: (a**3 * b).sum() + (a * b).sum() ** 2, (x, y)),
    "mlp": (lambda a, w: F.softmax((a @ w).tanh(), -1)[0] * 3, (x, W)),
    "matrix": (lambda a: (a @ a.T).exp().sum(), (matrix,)),
    "max": (lambda a: a.max(1).values.sum() * a.amax(), (matrix,)),
    "written": (lambda a, b: _written(a, b).sum(), (x, y)),
}
VECTORS: dict[str, tuple[Callable[..., Any], tuple[tn.Tensor, ...]]] = {
    "product": (lambda a, b: a * b.sin() + a[0], (x, y)),
    "layer": (lambda a, w: (a @ w).tanh(), (x, W)),
    "matrix": (lambda a, b: a.T * b.unsqueeze(1) @ a, (matrix, x)),
    "scalar": (lambda a, b: (a * b).sum().exp(), (x, y)),
    "scatter": (lambda a, b: tn.cat([a[tn.tensor([0, 0, 2])] * b, b.flatten()[::2]]), (x, y)),
    "written": (lambda a, b: _written(a, b), (x, y)),
}


def _written(a: tn.Tensor, b: tn.Tensor) -> tn.Tensor:
    c = a * b
    c[0] = b[1] * a[2]
    c[1:].mul_(a[0])
    return c.exp()


@pytest.mark.parametrize("name", SCALARS)
def test_first_and_second_derivatives_of_numbers(name: str) -> None:
    f, args = SCALARS[name]
    everything = tuple(range(len(args)))
    for i in everything:
        close(grad(f, i)(*args), differences(f, args, i))
        second = differences(grad(f, i), args, i)
        close(hessian(f, i)(*args), second, 1e-6)
        close(jacrev(jacrev(f, i), i)(*args), second, 1e-6)
        close(jacrev(jacfwd(f, i), i)(*args), second, 1e-6)
        close(jacfwd(jacfwd(f, i), i)(*args), second, 1e-6)
    gradients, value = grad_and_value(f, everything)(*args)
    close(value, f(*args))
    close(gradients, tuple(differences(f, args, i) for i in everything))
    tangents = tuple(a.sin() + 0.3 for a in args)
    value, products = hvp(f, args, tangents)
    close(value, f(*args))
    blocks = hessian(f, everything)(*args)
    for i in everything:
        expected = sum(np.tensordot(blocks[i][j].numpy(), tangents[j].numpy(), args[j].ndim) for j in everything)
        close(products[i], expected)


@pytest.mark.parametrize("name", VECTORS)
def test_jacobians(name: str) -> None:
    f, args = VECTORS[name]
    expected = tuple(differences(f, args, i) for i in range(2))
    for transform in (jacrev, jacfwd):
        close(transform(f, (0, 1))(*args), expected)
        close(transform(f, 1)(*args), expected[1])
        close(transform(f, -1)(*args), expected[1])
    close(jacrev(f, (0, 1), chunk_size=2)(*args), expected)

    value, pull = vjp(f, *args)
    close(value, f(*args))
    g = (value * 0.7).cos()
    for _ in range(2):
        close(pull(g), tuple(np.tensordot(g.numpy(), e, value.ndim) for e in expected))
    tangents = tuple(a.sin() + 0.3 for a in args)
    along = sum(np.tensordot(e, t.numpy(), t.ndim) for e, t in zip(expected, tangents, strict=True))
    close(jvp(f, args, tangents), (value, along))
    value, push = linearize(f, *args)
    close((value, push(*tangents)), (f(*args), along))
    close(push(*(2 * t for t in tangents)), 2 * along)


def test_jacobian_is_reverse_mode() -> None:
    assert jacobian is jacrev


@pytest.mark.parametrize("name", VECTORS)
def test_second_order_of_jvp_and_vjp(name: str) -> None:
    """Derivatives of the transforms themselves, by differences."""
    f, args = VECTORS[name]
    v = tuple(a.cos() for a in args)
    g = f(*args).detach().sin() + 0.2

    def along(a: tn.Tensor) -> tn.Tensor:
        return jvp(f, (a, args[1]), v)[1]

    def back(a: tn.Tensor) -> tn.Tensor:
        return vjp(f, a, args[1])[1](g)[1]

    for h in (along, back):
        expected = differences(h, args[:1], 0)
        close(jacrev(h)(args[0]), expected, 1e-6)
        close(jacfwd(h)(args[0]), expected, 1e-6)


def test_third_derivative() -> None:
    a = tn.tensor(0.7, dtype=f64)
    close(grad(grad(grad(lambda t: (t * t).sin())))(a), differences(grad(grad(lambda t: (t * t).sin())), (a,), 0))


# ---- with vmap ----

batch = tn.tensor(np.linspace(-1.0, 1.4, 12).reshape(4, 3))


@pytest.mark.parametrize("transform", [grad, hessian, lambda f: jacrev(grad(f)), lambda f: lambda a: jvp(f, (a,), (a,))[1]])
def test_vmap_of_transforms(transform: Any) -> None:
    def f(a):
        return (a**3).sum() * a[0].exp()

    close(vmap(transform(f))(batch), tn.stack([transform(f)(row) for row in batch]))


def test_gradients_per_example() -> None:
    """What is not mapped has a gradient for each example all the same."""
    labels = tn.tensor([0, 3, 1, 1])

    def loss(w, a, label):
        return F.cross_entropy(a @ w, label)

    found = vmap(grad(loss), in_dims=(None, 0, 0))(W, batch, labels)
    close(found, tn.stack([grad(loss)(W, a, label) for a, label in zip(batch, labels, strict=True)]))
    close(vmap(jacrev(lambda w, a: a @ w), (None, 0))(W, batch), tn.stack([jacrev(lambda w, a=a: a @ w)(W) for a in batch]))
    close(vmap(jacfwd(lambda w, a: a @ w), (None, 0))(W, batch), tn.stack([jacfwd(lambda w, a=a: a @ w)(W) for a in batch]))


def test_gradient_of_vmap() -> None:
    def f(w):
        return vmap(lambda a: (a @ w).tanh())(batch).sum()

    close(grad(f)(W), differences(f, (W,), 0))
    close(hessian(f)(W), differences(grad(f), (W,), 0), 1e-6)


def test_vjp_function_under_vmap_and_within_one() -> None:
    def f(a):
        return a * a.sum()

    basis = tn.eye(3, dtype=f64)
    close(vmap(vjp(f, x)[1])(basis)[0], jacrev(f)(x))
    inside = vmap(lambda a: vmap(vjp(f, a)[1])(basis)[0])(batch)
    close(inside, tn.stack([jacrev(f)(a) for a in batch]))
    twice = vmap(vmap(jacfwd(f)))(batch.reshape(2, 2, 3))
    close(twice, tn.stack([jacrev(f)(a) for a in batch]).reshape(2, 2, 3, 3))


def test_rows_without_a_batching_rule_are_taken_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from tinygrad_notes.func import batched

    def refuse(op: Any, *rest: Any) -> Any:
        raise BatchingError(f"no rule for {op.name}")

    f, args = VECTORS["layer"]
    expected = jacrev(f, (0, 1))(*args), jacfwd(f, (0, 1))(*args)
    monkeypatch.setattr(batched, "run", refuse)
    with pytest.raises(BatchingError, match="no rule for"):
        vmap(lambda a: a * 2)(batch)
    close((jacrev(f, (0, 1))(*args), jacfwd(f, (0, 1))(*args)), expected, 1e-12)


# ---- trees, aux, keyword arguments ----


def test_trees() -> None:
    def f(p: dict[str, Any], scale: float = 1.0) -> dict[str, tn.Tensor]:
        return {"y": p["w"] * p["rest"][0] * scale, "z": p["w"].sum()}

    p = {"w": x, "rest": (y,)}
    found = jacrev(f)(p, scale=2.0)
    close(found["y"]["w"], np.diag(2 * y.numpy()))
    close(found["y"]["rest"][0], np.diag(2 * x.numpy()))
    close(found["z"], {"w": np.ones(3), "rest": (np.zeros(3),)})
    close(jacfwd(f)(p, scale=2.0), found)
    g = grad(lambda p: f(p)["y"].sum())(p)
    close(g, {"w": y, "rest": (x,)})
    value, pull = vjp(f, p)
    close(pull({"y": x, "z": tn.tensor(1.0, dtype=f64)}), ({"w": x * y + 1, "rest": (x * x,)},))
    close(jvp(f, (p,), ({"w": y, "rest": (x,)},))[1], {"y": x * x + y * y, "z": y.sum()})
    assert list(value) == ["y", "z"]


def test_aux() -> None:
    def f(a):
        return (a.sum(), {"twice": a * 2, "n": 3})

    for found, aux in (grad(f, has_aux=True)(x), jacrev(f, has_aux=True)(x), jacfwd(f, has_aux=True)(x)):
        close(found, np.ones(3))
        close(aux, {"twice": x * 2, "n": 3})
        assert not aux["twice"].requires_grad
    g, (value, aux) = grad_and_value(f, has_aux=True)(x)
    close((g, value, aux["n"]), (np.ones(3), x.sum(), 3))
    assert vjp(f, x, has_aux=True)[2]["n"] == jvp(f, (x,), (x,), has_aux=True)[2]["n"] == 3


def test_what_the_output_does_not_depend_on_has_derivative_0() -> None:
    def one(a, b):
        return tn.ones(2, dtype=f64)

    close(grad(lambda a, b: (b * b).sum(), (0, 1))(x, y), (np.zeros(3), 2 * y))
    close(jacrev(one)(x, y), np.zeros((2, 3)))
    close(jacfwd(one)(x, y), np.zeros((2, 3)))
    close(vjp(one, x, y)[1](tn.ones(2, dtype=f64)), (np.zeros(3), np.zeros(3)))
    close(jvp(one, (x, y), (x, y))[1], np.zeros(2))
    close(hessian(lambda a: a.sum())(x), np.zeros((3, 3)))
    close(hvp(lambda a: a.sum(), (x,), (y,))[1], (np.zeros(3),))
    close(vmap(grad(lambda a: tn.tensor(1.0)))(batch), np.zeros((4, 3)))
    with pytest.raises(RuntimeError, match="does not depend on the primals"):
        jvp(one, (x, y), (x, y), strict=True)


def test_integer_outputs_of_jvp_have_tangent_0() -> None:
    value, tangent = jvp(lambda a: (a, a.argmax(0)), (x,), (y,))
    close(tangent, (y, np.array(0)))
    assert value[1].item() == 2


def test_dtypes_are_kept() -> None:
    a = tn.tensor([1.0, 2.0])
    for found in (grad(lambda t: (t**2).sum())(a), hessian(lambda t: (t**3).sum())(a), jacfwd(lambda t: t * 2)(a)):
        assert found.dtype == tn.float32
    assert jvp(lambda t: t.double(), (a,), (a,))[1].dtype == tn.float64
    assert grad(lambda t: t.double().sum())(a).dtype == tn.float32


# ---- what is around the function ----


def test_arguments_are_not_marked_and_grad_is_not_touched() -> None:
    a, w = vector(1.0, 2.0, 3.0), vector(1.0, 1.0, 2.0, requires_grad=True)
    w.grad = vector(7.0, 7.0, 7.0)
    for found in (grad(lambda t: (t * t).sum())(a), jacrev(lambda t: t * 2)(a), jvp(lambda t: t * 2, (a,), (a,))[1]):
        assert not found.requires_grad
    value, pull = vjp(lambda t: t * 2, a)
    assert not value.requires_grad
    assert not pull(a)[0].requires_grad
    grad(lambda t: (t * w).sum())(a)
    assert not a.requires_grad
    assert a.is_leaf
    assert a.grad is None
    assert w.grad.tolist() == [7, 7, 7]


def test_what_is_closed_over_is_connected_only_if_it_requires_a_gradient() -> None:
    w, c = vector(1.0, 1.0, 2.0, requires_grad=True), vector(2.0, 2.0, 2.0)
    found = grad(lambda t: (t**3 * w * c).sum())(x)
    assert found.requires_grad
    found.sum().backward()
    close(w.grad, 3 * x**2 * c)
    assert not grad(lambda t: (t**3 * w.detach() * c).sum())(x).requires_grad
    value, pull = vjp(lambda t: t * w, x)
    assert value.requires_grad
    assert pull(x)[0].requires_grad
    found = jvp(lambda t: t**2 * w, (x,), (y,))[1]
    close(tn.autograd.grad(found.sum(), w)[0], 2 * x * y)
    with tn.no_grad():
        assert not grad(lambda t: (t**3 * w).sum())(x).requires_grad
        assert not jvp(lambda t: t**2 * w, (x,), (y,))[1].requires_grad


def test_arguments_that_require_a_gradient_are_differentiated_further() -> None:
    a = vector(1.0, 2.0, requires_grad=True)
    grad(lambda t: (t**3).sum())(a).sum().backward()
    close(a.grad, 6 * a)


def test_no_grad_inside_and_outside() -> None:
    def f(t: tn.Tensor) -> tn.Tensor:
        with tn.no_grad():
            shift = t**2
        return (t**3 - shift).sum()

    close(grad(f)(x), 3 * x**2)
    with tn.no_grad():
        close(grad(f)(x), 3 * x**2)
        assert not tn.is_grad_enabled()


def test_writes_to_an_argument_raise_and_leave_it() -> None:
    a = x.clone()
    for f in (lambda t: t.mul_(2).sum(), lambda t: t[0].zero_()):
        with pytest.raises(RuntimeError, match="is a leaf that requires grad"):
            grad(f)(a)
    assert a.tolist() == x.tolist()


def test_an_error_inside_restores_the_modes() -> None:
    with pytest.raises(ZeroDivisionError), tn.no_grad():
        grad(lambda t: 1 / 0)(x)
    assert tn.is_grad_enabled()


@pytest.mark.parametrize("transform", [grad, hessian, lambda f: lambda a: hvp(f, (a,), (a,))[1][0]])
def test_transforms_are_on_the_tape(transform: Any) -> None:
    a, w = x.clone(), y.clone()

    def call():
        return transform(lambda t: (t**3 * w).sum().exp())(a * 0.5)

    with tn.Tape() as tape:
        out = call()
    assert not out.requires_grad
    a.numpy()[...] *= 0.5
    w.numpy()[...] += 0.1
    close(tape.replay(out)[0], call(), 1e-12)


# ---- errors ----


def two(t):
    return t * 2


WRONG: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: grad(two)(x), RuntimeError, r"must return one number, .* it returned Tensor f64\[3\]\. Reduce it"),
    (lambda: grad(lambda t: t[:1])(x), RuntimeError, r"returned Tensor f64\[1\]"),
    (lambda: grad(lambda t: (t.sum(), t))(x), RuntimeError, "it returned several.*has_aux"),
    (lambda: grad(lambda t: 2)(x), RuntimeError, "must return Tensors, got a int"),
    (lambda: grad(lambda t: None)(x), RuntimeError, "must return Tensors, got a NoneType"),
    (lambda: grad(lambda t: t.sum(), has_aux=True)(x), RuntimeError, r"must return \(output, aux\), got Tensor"),
    (lambda: grad(lambda t: t.sum())(tn.tensor([1, 2])), RuntimeError, r"Tensor i64\[2\] has no gradient"),
    (lambda: grad(lambda t: t.sum(), 1)(x), RuntimeError, "argnums=1 but the function was called with 1 positional"),
    (lambda: grad(lambda t: t.sum(), "0")(x), RuntimeError, "argnums is a position or a tuple"),
    (lambda: grad(lambda a, b: a.sum(), (0, -2))(x, x), RuntimeError, "names an argument twice"),
    (lambda: grad(lambda d: d["a"].sum())({"a": x, "b": 3}), ValueError, "by Tensors only, got a int"),
    (lambda: vjp(two, x)[1](y[:2]), RuntimeError, r"one of the cotangents is Tensor f64\[2\], but belongs to Tensor f64\[3\]"),
    (lambda: vjp(two, x)[1](y.float()), RuntimeError, r"is Tensor f32\[3\], but belongs to Tensor f64\[3\]"),
    (lambda: vjp(lambda t: (t, t), x)[1](y), RuntimeError, "cotangents must be nested like"),
    (lambda: jvp(two, x, x), RuntimeError, r"are tuples, one entry per argument: jvp\(f, \(x,\), \(v,\)\)"),
    (lambda: jvp(two, (x,), (x, x)), RuntimeError, "1 primals but 2 tangents"),
    (lambda: jvp(two, (x,), (x[:2],)), RuntimeError, r"one of the tangents is Tensor f64\[2\]"),
    (lambda: hvp(two, (x,), (x,)), RuntimeError, "hvp: the function must return one number"),
    (lambda: jacrev(lambda t: t.argmax(0))(x), RuntimeError, r"an output is Tensor i64\[\]; only floating-point outputs"),
    (lambda: jacfwd(lambda t: t > 0)(x), RuntimeError, r"an output is Tensor bool\[3\]"),
]


@pytest.mark.parametrize("position", range(len(WRONG)))
def test_errors(position: int) -> None:
    call, kind, message = WRONG[position]
    with pytest.raises(kind, match=message):
        call()


# ---- torch.autograd's forms ----


def test_autograd_functional() -> None:
    A = tn.autograd.functional
    f, args = VECTORS["product"]
    g, _ = SCALARS["cubic"]
    expected = tuple(differences(f, args, i) for i in range(2))
    close(A.jacobian(f, args), expected)
    close(A.jacobian(lambda a: f(a, y), x), expected[0])
    close(A.jacobian(lambda a: (f(a, y), a.sum()), (x,)), ((expected[0],), (np.ones(3),)))
    close(A.vjp(f, args, x)[1], tuple(x.numpy() @ e for e in expected))
    close(A.jvp(f, args, (y, x)), (f(*args), expected[0] @ y.numpy() + expected[1] @ x.numpy()))
    second = hessian(g, (0, 1))(*args)
    close(A.hessian(g, args), second, 1e-12)
    close(A.hessian(lambda a: g(a, y).reshape(1, 1), x), second[0][0], 1e-12)
    value, products = A.hvp(g, args, (y, x))
    close(value, g(*args))
    close(products, tuple(second[i][0] @ y + second[i][1] @ x for i in range(2)), 1e-12)
    assert A.vhp is A.hvp
    close(A.vjp(lambda a: a[0], x[:1])[1], np.ones(1))
    close(A.jvp(lambda a: a * a, x[:1])[1], 2 * x[:1])


def test_autograd_functional_is_detached_unless_asked() -> None:
    A = tn.autograd.functional
    w = vector(1.0, 2.0, 3.0, requires_grad=True)
    assert not A.jacobian(lambda a: a * w, x).requires_grad
    assert A.jacobian(lambda a: a * w, x, create_graph=True).requires_grad
    value, found = A.vjp(lambda a: a * a * w, w, x)
    assert not value.requires_grad
    assert not found.requires_grad


def test_autograd_functional_errors() -> None:
    A = tn.autograd.functional
    with pytest.raises(RuntimeError, match=r"hessian: the function must return a Tensor with one element, got Tensor f64\[3\]"):
        A.hessian(lambda a: a, x)
    with pytest.raises(RuntimeError, match="vjp: v may be left out only for an output with one element"):
        A.vjp(lambda a: a, x)
    with pytest.raises(RuntimeError, match="jvp: v may be left out only for an input with one element"):
        A.jvp(lambda a: a, x)
    with pytest.raises(AttributeError, match="no attribute 'functionall'"):
        tn.autograd.functionall  # noqa: B018 (reading it is what raises)


def test_many_cotangents_at_once() -> None:
    a, w = x.clone().requires_grad_(), matrix.clone().requires_grad_()
    unused = y.clone().requires_grad_()
    out = (w @ a).exp()
    basis = tn.eye(2, dtype=f64)
    found = tn.autograd.grad(out, [a, unused], basis, retain_graph=True, allow_unused=True, is_grads_batched=True)
    close(found[0], jacrev(lambda t: (w.detach() @ t).exp())(x))
    assert found[1] is None
    zeros = tn.autograd.grad(
        [out, a * 2],
        [a, unused],
        [basis, tn.ones(2, 3, dtype=f64)],
        is_grads_batched=True,
        materialize_grads=True,
        retain_graph=True,
    )
    close(zeros, (found[0] + 2, np.zeros((2, 3))))
    (again,) = tn.autograd.grad(out, a, basis, create_graph=True, is_grads_batched=True)
    close(
        tn.autograd.grad(again.sum(), w)[0], differences(lambda v: jacrev(lambda t: (v @ t).exp())(x).sum(), (matrix,), 0), 1e-6
    )
    with pytest.raises(RuntimeError, match="needs a cotangent for every output"):
        tn.autograd.grad(out, a, is_grads_batched=True)
    with pytest.raises(RuntimeError, match=r"the cotangent Tensor f64\[3\] must have the shape"):
        tn.autograd.grad(out, a, tn.eye(3, dtype=f64), is_grads_batched=True)


def test_what_autograd_refuses() -> None:
    a = x.clone().requires_grad_()
    with pytest.raises(ValueError, match="materialize_grads=True gives zeros"):
        tn.autograd.grad(a.sum(), a, allow_unused=False, materialize_grads=True)
    with pytest.raises(RuntimeError, match="inputs is empty"):
        a.sum().backward(inputs=[])
    with pytest.raises(RuntimeError, match="needs at least one input"):
        tn.autograd.grad(a.sum(), [])


# ---- modules as functions ----


class Tied(tn.nn.Module):
    def __init__(self) -> None:
        self.a = tn.nn.Linear(3, 3, dtype=f64)
        self.b = tn.nn.Linear(3, 3, dtype=f64)
        self.b.weight = self.a.weight
        self.register_buffer("scale", vector(2.0))

    def forward(self, t: tn.Tensor, shift: float = 0.0) -> tn.Tensor:
        return self.b(self.a(t).tanh()) * self.scale + shift


def test_functional_call() -> None:
    net = Tied()
    before = dict(net.named_parameters())
    other = {"a.weight": tn.eye(3, dtype=f64), "scale": vector(3.0)}
    out = functional_call(net, other, (x,), {"shift": 1.0})
    expected = ((x + net.a.bias).tanh() + net.b.bias) * 3 + 1
    close(out, expected)
    close(functional_call(net, [{"a.weight": other["a.weight"]}, {"scale": other["scale"]}], x), expected - 1)
    untied = functional_call(net, other, x, tie_weights=False)
    close(untied, net.b((x + net.a.bias).tanh()) * 3)
    close(functional_call(net, {}, x), net(x))
    assert dict(net.named_parameters()) == before
    with pytest.raises(RuntimeError, match=r"functional_call of Tied: missing: a.bias, b.bias; unexpected: c"):
        functional_call(net, {**other, "c": x}, x, strict=True)
    close(functional_call(net, {**other, "c": x}, x), expected - 1)
    with pytest.raises(ValueError, match="scale stands in several of the dicts"):
        functional_call(net, [other, {"scale": x}], x)
    with pytest.raises(ValueError, match=r"a.weight, b.weight are one parameter, but were given different values"):
        functional_call(net, {"a.weight": tn.eye(3, dtype=f64), "b.weight": tn.eye(3, dtype=f64)}, x)
    with pytest.raises(TypeError, match="is no operand"):
        functional_call(net, other, x, {"shift": "much"})
    assert dict(net.named_parameters()) == before


def test_gradients_by_the_parameters_of_a_module() -> None:
    net = tn.nn.LSTM(3, 4, dtype=f64)
    state = {name: value.detach() for name, value in net.named_parameters()}

    def loss(p):
        return (functional_call(net, p, batch.unsqueeze(1))[0] ** 2).sum()

    found = grad(loss)(state)
    (net(batch.unsqueeze(1))[0] ** 2).sum().backward()
    for name, parameter in net.named_parameters():
        close(found[name], parameter.grad, 1e-10)


def test_an_ensemble() -> None:
    nets = [tn.nn.Linear(3, 2, dtype=f64) for _ in range(5)]
    parameters, buffers = stack_module_state(nets)
    assert buffers == {}
    assert all(value.requires_grad and value.is_leaf for value in parameters.values())
    out = vmap(lambda p, t: functional_call(nets[0], p, t), in_dims=(0, None))(parameters, batch)
    close(out, tn.stack([net(batch) for net in nets]))
    per_example = vmap(grad(lambda p, t: functional_call(nets[0], p, t).sum()), in_dims=(None, 0))
    found = per_example({name: value.detach() for name, value in nets[0].named_parameters()}, batch)
    close(found["weight"], tn.stack([tn.stack([row, row]) for row in batch]))
    with pytest.raises(ValueError, match="at least one module"):
        stack_module_state([])
    with pytest.raises(ValueError, match="of one class"):
        stack_module_state([nets[0], tn.nn.LSTM(2, 2)])
