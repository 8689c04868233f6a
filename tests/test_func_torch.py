"""``tn.func`` against torch.func: the same program, run by both; and the classes of errors."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.func.pytree import flatten
from tinygrad_notes.tensor import from_array

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore")]

A = np.linspace(-1.2, 1.5, 12).reshape(4, 3)
V = np.array([0.3, -1.1, 0.8])
W = np.linspace(-0.7, 0.9, 6).reshape(3, 2)


def net(m: Any, a: Any, w: Any) -> Any:
    return m.tanh(a @ w).sum(-1) ** 2 + m.sin(a).sum(-1)


def tree(m: Any, p: Any) -> Any:
    return {"s": (p["w"] * p["rest"][0]).sum(), "v": [m.exp(p["w"]), p["rest"][0] * 2]}


# (m, f, arrays as Tensors of m) -> a tree of results; f is m.func
PROGRAMS: dict[str, Callable[..., Any]] = {
    "grad": lambda m, f, a, v, w: f.grad(lambda x: net(m, x, w))(v),
    "grad argnums": lambda m, f, a, v, w: f.grad(lambda x, y: net(m, x, y), argnums=(1, 0))(v, w),
    "grad has_aux": lambda m, f, a, v, w: f.grad(lambda x: (net(m, x, w), x * 2), has_aux=True)(v),
    "grad_and_value": lambda m, f, a, v, w: f.grad_and_value(lambda x: (net(m, x, w), {"k": x}), has_aux=True)(v),
    "grad of grad": lambda m, f, a, v, w: f.grad(lambda x: (f.grad(lambda y: net(m, y, w))(x) ** 3).sum())(v),
    "grad of trees": lambda m, f, a, v, w: f.grad(lambda p: tree(m, p)["s"])({"w": v, "rest": (v * 2,)}),
    "vjp": lambda m, f, a, v, w: f.vjp(lambda x, y: net(m, x, y), a, w)[1](a[:, 0]),
    "vjp of trees": lambda m, f, a, v, w: f.vjp(lambda p: tree(m, p), {"w": v, "rest": (v * 2,)})[1](
        {"s": v[0], "v": [v, v * v]}
    ),
    "jvp": lambda m, f, a, v, w: f.jvp(lambda x, y: net(m, x, y), (a, w), (a * 2, w + 1)),
    "jvp of grad": lambda m, f, a, v, w: f.jvp(f.grad(lambda x: net(m, x, w)), (v,), (v * v,)),
    "linearize": lambda m, f, a, v, w: f.linearize(lambda x: net(m, x, w), a)[1](a * a),
    "jacrev": lambda m, f, a, v, w: f.jacrev(lambda x, y: net(m, x, y), argnums=(0, 1))(a, w),
    "jacrev chunked": lambda m, f, a, v, w: f.jacrev(lambda x: net(m, x, w), chunk_size=3)(a),
    "jacrev of trees": lambda m, f, a, v, w: f.jacrev(lambda p: tree(m, p))({"w": v, "rest": (v * 2,)}),
    "jacfwd": lambda m, f, a, v, w: f.jacfwd(lambda x: (net(m, x, w), x), has_aux=True)(a),
    "jacfwd of trees": lambda m, f, a, v, w: f.jacfwd(lambda p: tree(m, p))({"w": v, "rest": (v * 2,)}),
    "hessian": lambda m, f, a, v, w: f.hessian(lambda x, y: net(m, x, y), argnums=(0, 1))(v, w),
    "hessian of a vector": lambda m, f, a, v, w: f.hessian(lambda x: net(m, x, w) * x)(v),
    "vmap": lambda m, f, a, v, w: f.vmap(lambda x: net(m, x, w))(a),
    "vmap dims": lambda m, f, a, v, w: f.vmap(lambda x, y: (x * y, x.sum()), (1, None), (-1, 0))(a, a[:, 0]),
    "vmap trees": lambda m, f, a, v, w: f.vmap(lambda p: tree(m, p), in_dims=({"w": 0, "rest": (None,)},))(
        {"w": a, "rest": (v,)}
    ),
    "vmap nested": lambda m, f, a, v, w: f.vmap(f.vmap(lambda x, y: x * y, (None, 0)), (0, None), 1)(v, w),
    "vmap chunked": lambda m, f, a, v, w: f.vmap(lambda x: net(m, x, w), chunk_size=3)(a),
    "vmap of grad": lambda m, f, a, v, w: f.vmap(f.grad(lambda y, x: net(m, x, y)), (None, 0))(w, a),
    "vmap of hessian": lambda m, f, a, v, w: f.vmap(f.hessian(lambda x: net(m, x, w)))(a),
    "vmap of jvp": lambda m, f, a, v, w: f.vmap(lambda t: f.jvp(lambda x: net(m, x, w), (v,), (t,))[1])(a),
    "grad of vmap": lambda m, f, a, v, w: f.grad(lambda y: f.vmap(lambda x: net(m, x, y))(a).sum())(w),
    "jacrev of vmap": lambda m, f, a, v, w: f.jacrev(lambda y: f.vmap(lambda x: net(m, x, y))(a))(w),
}


CONSTANT = {"linearize": "torch traces it, and takes what is closed over and the point itself as constants"}
"""Programs whose results cannot be differentiated further in torch."""


AUTOGRAD: dict[str, Callable[..., Any]] = {
    "jacobian": lambda m, f, a, v, w: f.jacobian(lambda x, y: (net(m, x, y), x * 2), (a, w)),
    "jacobian of one": lambda m, f, a, v, w: f.jacobian(lambda x: net(m, x, w), a),
    "hessian": lambda m, f, a, v, w: f.hessian(lambda x, y: net(m, x, y), (v, w)),
    "hessian of one": lambda m, f, a, v, w: f.hessian(lambda x: net(m, x, w), v),
    "vjp": lambda m, f, a, v, w: f.vjp(lambda x, y: (net(m, x, y), x), (a, w), (a[:, 0], a)),
    "vjp without v": lambda m, f, a, v, w: f.vjp(lambda x: net(m, x, w), v),
    "jvp": lambda m, f, a, v, w: f.jvp(lambda x, y: (net(m, x, y), x), (a, w), (a * a, w)),
    "hvp": lambda m, f, a, v, w: f.hvp(lambda x, y: net(m, x, y), (v, w), (v * v, w)),
    "vhp": lambda m, f, a, v, w: f.vhp(lambda x: net(m, x, w), v, v),
}


@pytest.mark.parametrize("name", AUTOGRAD)
@pytest.mark.parametrize("create_graph", [False, True])
def test_autograd_functional(name: str, create_graph: bool) -> None:
    program = AUTOGRAD[name]
    results = []
    for m in (tn, torch):
        made = {k: partial(getattr(m.autograd.functional, k), create_graph=create_graph) for k in program.__code__.co_names}
        given = [t.requires_grad_(create_graph) for t in tensors(m, np.float64)]
        results.append(program(m, SimpleNamespace(**made), *given))
    same(*results, 1e-10)


def tensors(module: Any, dtype: Any) -> list[Any]:
    make = from_array if module is tn else torch.from_numpy
    return [make(a.astype(dtype)) for a in (A, V, W)]


def same(ours: Any, theirs: Any, tolerance: float) -> None:
    mine, structure = flatten(ours)
    others, shape = flatten(theirs)
    assert structure == shape
    for a, b in zip(mine, others, strict=True):
        assert b.requires_grad or not a.requires_grad  # torch also marks constants that it reached through a graph
        a, b = a.detach().numpy(), b.detach().numpy()
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * max(1.0, float(np.abs(b).max(initial=0))))


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["f64", "f32"])
def test_programs(name: str, dtype: Any) -> None:
    program = PROGRAMS[name]
    tolerance = {np.float64: 1e-10, np.float32: 3e-5}[dtype]
    same(program(tn, tn.func, *tensors(tn, dtype)), program(torch, torch.func, *tensors(torch, dtype)), tolerance)
    if dtype is np.float64 and name not in CONSTANT:  # what is closed over, or given, requires a gradient: the results do
        given = [[t.requires_grad_() for t in tensors(m, dtype)] for m in (tn, torch)]
        results = [program(m, m.func, *g) for m, g in zip((tn, torch), given, strict=True)]
        same(*results, tolerance)
        for result in results:
            sum((leaf * leaf).sum() for leaf in flatten(result)[0] if leaf.requires_grad).backward()
        for a, b in zip(*given, strict=True):
            found = [np.zeros(A.shape) if t.grad is None else t.grad.numpy() for t in (a, b)]
            np.testing.assert_allclose(*found, rtol=1e-9, atol=1e-9 * max(1.0, float(np.abs(found[1]).max())))


WRONG: dict[str, Callable[..., Any]] = {
    "not a number": lambda m, f, x: f.grad(lambda t: t * 2)(x),
    "one element": lambda m, f, x: f.grad(lambda t: t[:1])(x),
    "no Tensor": lambda m, f, x: f.grad(lambda t: 2)(x),
    "aux": lambda m, f, x: f.grad(lambda t: t.sum(), has_aux=True)(x),
    "argnums": lambda m, f, x: f.grad(lambda t: t.sum(), argnums=1)(x),
    "integers": lambda m, f, x: f.grad(lambda t: t.sum())(m.tensor([1, 2])),
    "leaf of no Tensor": lambda m, f, x: f.grad(lambda d: d["a"].sum())({"a": x, "b": 3}),
    "write to an argument": lambda m, f, x: f.grad(lambda t: t.mul_(2).sum())(x),
    "cotangent shape": lambda m, f, x: f.vjp(lambda t: t * 2, x)[1](m.ones(5)),
    "cotangent tree": lambda m, f, x: f.vjp(lambda t: (t, t), x)[1](x),
    "primals": lambda m, f, x: f.jvp(lambda t: t, x, x),
    "tangents": lambda m, f, x: f.jvp(lambda t: t, (x,), (x, x)),
    "tangent shape": lambda m, f, x: f.jvp(lambda t: t, (x,), (m.ones(5),)),
    "in_dims": lambda m, f, x: f.vmap(lambda t: t, in_dims=None)(x),
    "in_dims out of range": lambda m, f, x: f.vmap(lambda t: t, in_dims=2)(x),
    "in_dims too few": lambda m, f, x: f.vmap(lambda t, u: t, in_dims=(0,))(x, x),
    "sizes": lambda m, f, x: f.vmap(lambda t, u: t)(x, m.ones(7)),
    "not mapped": lambda m, f, x: f.vmap(lambda t, u: t)(x, 3),
    "nothing": lambda m, f, x: f.vmap(lambda: 1)(),
    "number out": lambda m, f, x: f.vmap(lambda t: 3)(x),
    "out_dims": lambda m, f, x: f.vmap(lambda t: (t, t), out_dims=(0, 1, 2))(x),
    "out_dims None": lambda m, f, x: f.vmap(lambda t: t, out_dims=None)(x),
    "out_dims out of range": lambda m, f, x: f.vmap(lambda t: t, out_dims=3)(x),
    "chunk_size": lambda m, f, x: f.vmap(lambda t: t, chunk_size=0)(x),
    "item": lambda m, f, x: f.vmap(lambda t: t.item())(x),
    "bool": lambda m, f, x: f.vmap(lambda t: t if t > 0 else -t)(x),
    "random": lambda m, f, x: f.vmap(lambda t: t + m.rand(2))(x),
    "requires_grad_": lambda m, f, x: f.vmap(lambda t: t.requires_grad_())(x),
    "backward": lambda m, f, x: f.vmap(lambda t: (t * 2).backward())(x.clone().requires_grad_()),
    "write to what is shared": lambda m, f, x: f.vmap(lambda t: m.zeros(()).add_(t))(x),
    "names twice": lambda m, f, x: f.functional_call(m.nn.Linear(3, 2), [{"bias": x}, {"bias": x}], x),
    "strict": lambda m, f, x: f.functional_call(m.nn.Linear(3, 2), {"q": x}, x, strict=True),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors(name: str) -> None:
    call = WRONG[name]
    with pytest.raises(Exception) as theirs:  # noqa: PT011 (torch chooses the class)
        call(torch, torch.func, torch.from_numpy(V.astype(np.float32)))
    with pytest.raises(theirs.type):
        call(tn, tn.func, tn.tensor(V, dtype=tn.float32))
