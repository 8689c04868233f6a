"""Samples of ``tinygrad_notes.functions.linalg``, ``functions.einsum`` and ``tinygrad_notes.linalg``."""

from __future__ import annotations

from math import inf
from typing import Any

from . import Sample, floats, ints, samples

A, B, V, W, POINT = floats(2, 3), floats(3, 2), floats(3), floats(2), floats()


def _einsum(equation: str, *shapes: tuple[int, ...]) -> tuple[Any, ...]:
    return (lambda m, *xs: m.einsum(equation, *xs), *(floats(*shape) for shape in shapes))


SAMPLES: list[Sample] = [
    *samples(
        "matmul",
        (lambda m, x, y: m.matmul(x, y), A, B),
        (lambda m, x, y: x @ y, V, B),
        (lambda m, x, y: x @ y, A, V),
        (lambda m, x, y: x.matmul(y), V, V),
        (lambda m, x, y: m.matmul(x, y), floats(2, 1, 2, 3), floats(2, 3, 1)),
        (lambda m, x, y: m.matmul(x, y), floats(2, 0), floats(0, 3)),
    ),
    *samples("matmul", (lambda m, x, y: x @ y, ints(2, 3), ints(3, 2)), orders=0),
    *samples("mm", (lambda m, x, y: m.mm(x, y), A, B), (lambda m, x, y: x.mm(mat2=y), A, B)),
    *samples("bmm", (lambda m, x, y: m.bmm(x, y), floats(2, 2, 3), floats(2, 3, 1)),
             (lambda m, x, y: x.bmm(y), floats(0, 2, 3), floats(0, 3, 1))),
    *samples("mv", (lambda m, x, y: m.mv(x, y), A, V), (lambda m, x, y: x.mv(y), A, V)),
    *samples("dot", (lambda m, x, y: m.dot(x, y), V, V), (lambda m, x, y: x.dot(tensor=y), V, V)),
    *samples("dot", (lambda m, x, y: m.dot(x, y), ints(3), ints(3)), (lambda m, x: m.dot(x, x), floats(0)), orders=0),
    *samples("vdot", (lambda m, x, y: m.vdot(x, y), V, V), (lambda m, x, y: x.vdot(y), V, V)),
    *samples("inner", (lambda m, x, y: m.inner(x, y), V, V), (lambda m, x, y: x.inner(y), A, floats(4, 2, 3)),
             (lambda m, x, y: m.inner(x, y), A, POINT)),
    *samples("outer", (lambda m, x, y: m.outer(x, y), V, W), (lambda m, x, y: x.outer(vec2=y), V, W)),
    *samples("outer", (lambda m, x, y: m.outer(x, y), ints(3), floats(2)), orders=0),
    *samples("ger", (lambda m, x, y: m.ger(x, y), V, W), (lambda m, x, y: x.ger(y), V, W)),
    *samples(
        "tensordot",
        (lambda m, x, y: m.tensordot(x, y), floats(2, 3, 2), floats(3, 2, 2)),
        (lambda m, x, y: m.tensordot(x, y, 1), A, B),
        (lambda m, x, y: m.tensordot(x, y, dims=0), V, W),
        (lambda m, x, y: m.tensordot(x, y, dims=([0, -1], [1, 0])), floats(2, 1, 3), floats(3, 2, 2)),
    ),
    *samples(
        "einsum",
        _einsum("ij,jk->ik", (2, 3), (3, 2)),
        _einsum("ij,jk", (2, 3), (3, 2)),
        _einsum("bij,bjk->bik", (2, 2, 3), (2, 3, 1)),
        _einsum("bhqd,bhkd->bhqk", (2, 1, 2, 3), (2, 1, 2, 3)),
        _einsum("i,j->ij", (3,), (2,)),
        _einsum("i,i", (3,), (3,)),
        _einsum("i,i->i", (3,), (3,)),
        _einsum("ij->ji", (2, 3)),
        _einsum("ij->", (2, 3)),
        _einsum("ba", (2, 3)),
        _einsum("ii", (3, 3)),
        _einsum("ii->i", (3, 3)),
        _einsum("iij->ij", (2, 2, 3)),
        _einsum("iji,jj->ij", (2, 3, 2), (3, 3)),
        _einsum("iii->i", (2, 2, 2)),
        _einsum("...ij,...jk->...ik", (2, 2, 3), (3, 2)),
        _einsum("...ij,jk", (2, 2, 3), (3, 2)),
        _einsum("i...,...j->j...i", (2, 3), (3, 2)),
        _einsum("i...->i", (2, 3, 2)),
        _einsum("...,...", (2, 3), (3,)),
        _einsum("...i,...i->...", (2, 1, 3), (4, 3)),
        _einsum("ij,ij,ij->i", (2, 3), (2, 3), (2, 3)),
        _einsum("ij,jk,kl->il", (2, 3), (3, 2), (2, 2)),
        _einsum("a,b,c->cab", (2,), (1,), (3,)),
        _einsum("ij,j->i", (2, 1), (3,)),
        _einsum("ij,kj->ik", (2, 3), (4, 1)),
        _einsum(" i j , j k -> i k ", (2, 3), (3, 2)),
        _einsum("Ab,bC", (2, 3), (3, 2)),
        _einsum("ij,jk->ik", (2, 0), (0, 2)),
        _einsum("->", ()),
        _einsum(",i->i", (), (3,)),
        (lambda m, x, y: m.einsum("ij,jk->ik", [x, y]), A, B),
        (lambda m, x, y: m.einsum(x, [0, 1], y, [1, 2], [0, 2]), A, B),
        (lambda m, x, y: m.einsum(x, [..., 1], y, [1, 2]), A, B),
    ),
    *samples("einsum", (lambda m, x, y: m.einsum("ij,jk->k", x, y), ints(2, 3), ints(3, 2)), orders=0),
    *samples(
        "addmm",
        (lambda m, c, x, y: m.addmm(c, x, y), floats(2, 2), A, B),
        (lambda m, c, x, y: c.addmm(x, y, beta=0.5, alpha=-2), W, A, B),
        (lambda m, c, x, y: m.addmm(c, x, y, beta=0), POINT, A, B),
    ),
    *samples("addmv", (lambda m, c, x, y: m.addmv(c, x, y, alpha=2), W, A, V), (lambda m, c, x, y: c.addmv(x, y), W, A, V)),
    *samples("addr", (lambda m, c, x, y: m.addr(c, x, y, beta=2), floats(3, 2), V, W), (lambda m, c, x, y: c.addr(x, y), W, V, W)),
    *samples(
        "baddbmm",
        (lambda m, c, x, y: m.baddbmm(c, x, y, beta=2), floats(2, 1), floats(2, 2, 3), floats(2, 3, 1)),
        (lambda m, c, x, y: c.baddbmm(x, y, alpha=3), floats(2, 2, 1), floats(2, 2, 3), floats(2, 3, 1)),
    ),
    *samples(
        "addbmm",
        (lambda m, c, x, y: m.addbmm(c, x, y, alpha=2), floats(2, 1), floats(2, 2, 3), floats(2, 3, 1)),
        (lambda m, c, x, y: c.addbmm(x, y, beta=0.5), floats(1), floats(2, 2, 3), floats(2, 3, 1)),
    ),
    *samples("Tensor.addmm_", (lambda m, c, x, y: c.clone().addmm_(x, y), floats(2, 2), A, B)),
    *samples("Tensor.addmv_", (lambda m, c, x, y: c.clone().addmv_(x, y, beta=2), W, A, V)),
    *samples("Tensor.addr_", (lambda m, c, x, y: c.clone().addr_(x, y), floats(3, 2), V, W)),
    *samples("Tensor.baddbmm_", (lambda m, c, x, y: c.clone().baddbmm_(x, y), floats(2, 2, 1), floats(2, 2, 3), floats(2, 3, 1))),
    *samples("Tensor.addbmm_", (lambda m, c, x, y: c.clone().addbmm_(x, y), floats(2, 1), floats(2, 2, 3), floats(2, 3, 1))),
    *samples(
        "kron", (lambda m, x, y: m.kron(x, y), A, B), (lambda m, x, y: x.kron(y), floats(2, 1, 3), W),
        (lambda m, x, y: m.kron(x, y), POINT, V),
    ),
    *samples("trace", (lambda m, x: m.trace(x), A), (lambda m, x: x.trace(), floats(3, 3))),
    *samples("trace", (lambda m, x: m.trace(x), ints(3, 3)), orders=0),
    *samples(
        "cross", (lambda m, x, y: m.cross(x, y, 1), A, A), (lambda m, x, y: x.cross(y, dim=-1), V, V),
        (lambda m, x, y: m.cross(x, y, dim=0), floats(3, 2), floats(3, 1)),
    ),
    *samples("linalg.cross", (lambda m, x, y: m.linalg.cross(x, y), A, floats(1, 3)), (lambda m, x, y: m.linalg.cross(x, y, dim=0), B, B)),
    *samples("linalg.matmul", (lambda m, x, y: m.linalg.matmul(x, y), A, B)),
    *samples("linalg.diagonal", (lambda m, x: m.linalg.diagonal(x), floats(2, 3, 3))),
    *samples("linalg.vecdot", (lambda m, x, y: m.linalg.vecdot(x, y), A, V), (lambda m, x, y: m.linalg.vecdot(x, y, dim=0), A, A)),
    *samples(
        "linalg.multi_dot",
        (lambda m, x, y: m.linalg.multi_dot([x, y]), A, B),
        (lambda m, x, y, z: m.linalg.multi_dot([x, y, z]), floats(2, 4), floats(4, 1), floats(1, 3)),
        (lambda m, v, x, y, w: m.linalg.multi_dot((v, x, y, w)), W, A, B, W),
        (lambda m, v, w: m.linalg.multi_dot([v, w]), V, V),
    ),
    *samples(
        "linalg.norm",
        (lambda m, x: m.linalg.norm(x), floats(2, 3, 2)),
        (lambda m, x: m.linalg.norm(x, dim=1, keepdim=True), A),
        (lambda m, x: m.linalg.norm(x, 1), A),
        (lambda m, x: m.linalg.norm(x, "fro"), A),
        (lambda m, x: m.linalg.norm(x, inf, (0, -1)), floats(2, 3, 2)),
        (lambda m, x: m.linalg.norm(x, -1, (2, 0), True), floats(2, 3, 2)),
        (lambda m, x: m.linalg.norm(x, -inf, dim=0), A),
        (lambda m, x: m.linalg.norm(x, 3), V),
    ),
    *(s for p in ("fro", 1, -1, inf, -inf)
      for s in samples("linalg.matrix_norm", (lambda m, x, p=p: m.linalg.matrix_norm(x, p), floats(2, 3, 2)))),
    *samples(
        "linalg.vector_norm",
        (lambda m, x: m.linalg.vector_norm(x), A),
        (lambda m, x: m.linalg.vector_norm(x, 3, dim=(0, 1), keepdim=True), A),
        (lambda m, x: m.linalg.vector_norm(x, ord=inf, dim=-1, dtype=m.float64), A),
    ),
]  # fmt: skip
