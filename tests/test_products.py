"""Products at their edges, and what bad arguments and equations are told."""

from __future__ import annotations

from collections.abc import Callable
from math import nan
from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn


@pytest.mark.parametrize(
    "equation", ["ij,jk,kl->il", "ab,bc,cd,da", "aab,bc->ca", "...a,b...->...b", "abc,cd,ad,b->", "a...a->...", "ab,ab->ba"]
)
def test_einsum_is_numpys(equation: str) -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.random((2,) * (3 if "..." in term else len(term))) for term in equation.split("->")[0].split(",")]
    arrays = [
        a[0] if term in ("...a", "b...") else a for a, term in zip(arrays, equation.split("->")[0].split(","), strict=True)
    ]
    np.testing.assert_allclose(tn.einsum(equation, *map(tn.tensor, arrays)).numpy(), np.einsum(equation, *arrays), rtol=1e-5)


def test_a_batch_product_is_one_matrix_product() -> None:
    x, y = tn.ones(2, 3, 4, requires_grad=True), tn.ones(2, 4, 5)
    with tn.Tape() as tape:
        tn.einsum("bij,bjk->bik", x, y)
    names = [node.op.name for node in tape.nodes]
    assert names.count("matmul") == 1
    assert "mul" not in names
    assert "sum" not in names


def test_beta_0_leaves_the_input_out() -> None:
    hole = tn.full((2, 2), nan)
    assert not np.isnan(tn.addmm(hole, tn.ones(2, 3), tn.ones(3, 2), beta=0).numpy()).any()


def test_multi_dot_takes_the_cheapest_order() -> None:
    long, short = tn.ones(30, 2, requires_grad=True), tn.ones(2, 30)
    with tn.Tape() as tape:
        tn.linalg.multi_dot([long, short, long])
    assert [node.shape for node in tape.nodes if node.op.name == "matmul"] == [(2, 2), (30, 2)]


def test_numpys_names_are_for_axes_only() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'axes'"):
        tn.tensordot(tn.ones(2), tn.ones(2), axes=1)  # type: ignore[call-arg]


BAD: list[tuple[Callable[[Any, Any, Any], Any], str]] = [
    (lambda m, x, y: m.mm(x, x), r"matmul: f32\[2,3\] @ f32\[2,3\]: the inner lengths 3 and 2 differ"),
    (lambda m, x, y: m.mm(x, y[0]), r"mm: needs Tensors with 2 axes, 2 axes, got f32\[2,3\], f32\[2\]; matmul multiplies any"),
    (lambda m, x, y: m.mm(x, [1]), "mm: needs a Tensor, got list"),
    (lambda m, x, y: m.mm(x, y.double()), r"matmul: Tensor f32\[2,3\] @ Tensor f64\[3,2\]: both need one dtype"),
    (lambda m, x, y: m.bmm(x, y), "bmm: needs Tensors with 3 axes, 3 axes"),
    (lambda m, x, y: m.bmm(m.ones(2, 1, 3), m.ones(3, 3, 1)), "bmm: .* need one batch length"),
    (lambda m, x, y: m.mv(x, y), "mv: needs Tensors with 2 axes, 1 axis"),
    (lambda m, x, y: m.dot(x, y), "dot: needs Tensors with 1 axis, 1 axis"),
    (lambda m, x, y: m.dot(x[0], y[0]), "the inner lengths 3 and 2 differ"),
    (lambda m, x, y: m.outer(x, y), "outer: needs Tensors with 1 axis"),
    (lambda m, x, y: m.inner(x, y), r"tensordot: the axes \[1\] of Tensor f32\[2,3\] and \[1\] of Tensor f32\[3,2\] do not pair"),
    (lambda m, x, y: m.tensordot(x, y, 3), r"tensordot: dims=3, but Tensor f32\[2,3\] and .* have 2 and 2 axes"),
    (lambda m, x, y: m.tensordot(x, y, ([0], [0])), "do not pair with equal lengths"),
    (lambda m, x, y: m.tensordot(x, y, ([5], [0])), "tensordot: dim=5 is out of range"),
    (lambda m, x, y: m.addmm(m.ones(5), x, y), r"addmm|add\(f32\[5\]"),
    (lambda m, x, y: m.trace(x[0]), "trace: needs Tensors with 2 axes"),
    (lambda m, x, y: m.cross(x[:, :2], x[:, :2]), "have no axis of length 3"),
    (lambda m, x, y: m.cross(x, x, 0), "have no axis of length 3 at 0"),
    (lambda m, x, y: m.einsum("ij,jk->ik", x), r"einsum: 'ij,jk->ik' has 2 operands, 1 are given"),
    (lambda m, x, y: m.einsum("ij,jk->ik", x, x), r"einsum: 'ij,jk->ik' of f32\[2,3\], f32\[2,3\]: 'j' is of length 3 and of length 2"),
    (lambda m, x, y: m.einsum("ij->ijk", x), "einsum: the result of 'ij->ijk' has 'k', which no operand has"),
    (lambda m, x, y: m.einsum("ij->ii", x), "has a letter twice"),
    (lambda m, x, y: m.einsum("ijk->i", x), r"einsum: 'ijk' of 'ijk->i' names 3 axes of Tensor f32\[2,3\], which has 2"),
    (lambda m, x, y: m.einsum("i->i", x), "einsum: 'i' of 'i->i' names 1 axes"),
    (lambda m, x, y: m.einsum("i1->i", x), "einsum: 'i1->i' has '1'; axes are letters"),
    (lambda m, x, y: m.einsum("i..->i", x), "has '.'; axes are letters"),
    (lambda m, x, y: m.einsum("ij,jk", x, y.double()), "einsum: .* all need one dtype"),
    (lambda m, x, y: m.einsum(x, [0, 77]), "a list of numbers 0 to 51"),
    (lambda m, x, y: m.linalg.multi_dot([x]), "multi_dot: needs at least two"),
    (lambda m, x, y: m.linalg.multi_dot([x, m.ones(3), y]), "vectors at the ends only; part 1 is"),
    (lambda m, x, y: m.linalg.norm(m.ones(1, 2, 3), 1), "needs a dim"),
    (lambda m, x, y: m.linalg.norm(x, "fro", 0), "dim must name two axes"),
    (lambda m, x, y: m.linalg.matrix_norm(x, 3), "ord=3 is none of"),
    (lambda m, x, y: m.linalg.matrix_norm(x[0]), "dim must name two axes"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), BAD, ids=[message[:30] for _, message in BAD])
def test_what_bad_arguments_are_told(call: Callable[[Any, Any, Any], Any], message: str) -> None:
    with pytest.raises((RuntimeError, IndexError, TypeError, ValueError), match=message):
        call(tn, tn.ones(2, 3), tn.ones(3, 2))


@pytest.mark.torch
@pytest.mark.parametrize("call", [call for call, _ in BAD], ids=[message[:30] for _, message in BAD])
def test_error_classes_are_torchs(call: Callable[[Any, Any, Any], Any]) -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises((RuntimeError, IndexError, TypeError, ValueError)) as theirs:
        call(torch, torch.ones(2, 3), torch.ones(3, 2))
    with pytest.raises(theirs.type):
        call(tn, tn.ones(2, 3), tn.ones(3, 2))
