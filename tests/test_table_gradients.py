"""Every gradient rule: against central differences in both orders, on arrays and on Tensors, at ties and edges."""

from __future__ import annotations

import numpy as np
import pytest
from tablecheck import (
    DIFFERENTIABLE,
    REFUSED,
    ROWS,
    caller,
    check_order_1,
    check_order_2,
    check_same_bits,
    check_special,
    check_ties,
    check_types,
    inputs_for,
    pair_ids,
    pairs,
)

import tinygrad_notes as tn
from tinygrad_notes.optable import TABLE, Case, Op, p
from tinygrad_notes.tensor import from_array

by_name = {"ids": lambda op: op.name}
each_case = pytest.mark.parametrize(("op", "case"), pairs(DIFFERENTIABLE), ids=pair_ids(DIFFERENTIABLE))


@pytest.mark.parametrize("op", DIFFERENTIABLE, **by_name)
def test_order_1(op: Op) -> None:
    check_order_1(op)


@pytest.mark.parametrize("op", DIFFERENTIABLE, **by_name)
def test_order_2(op: Op) -> None:
    check_order_2(op)


@pytest.mark.parametrize("op", DIFFERENTIABLE, **by_name)
def test_gradient_types(op: Op) -> None:
    check_types(op)


@pytest.mark.parametrize("op", DIFFERENTIABLE, **by_name)
def test_rules_run_both_ways(op: Op) -> None:
    check_same_bits(op)


@pytest.mark.parametrize("op", [op for op in ROWS if op.special], **by_name)
def test_special_values(op: Op) -> None:
    assert op.special
    check_special(op)


def test_amax_ties() -> None:
    check_ties(TABLE["amax"])


@each_case
def test_only_what_needs_a_gradient_gets_one(op: Op, case: Case) -> None:
    """One argument at a time requires grad: the others get nothing, and their residuals are not missed."""
    together = dict(enumerate(inputs_for(op, case, np.float64)))
    g = None
    for i, x in together.items():
        if not x.requires_grad:
            continue
        others = [x if j == i else t.detach() for j, t in together.items()]
        out = caller(op, case.params)(*others)
        g = from_array(np.linspace(0.5, 1.5, out.numel()).reshape(out.shape))
        (alone,) = tn.autograd.grad(out, [x], g)
        whole = tn.autograd.grad(caller(op, case.params)(*together.values()), [x], g)[0]
        np.testing.assert_array_equal(alone.numpy(), whole.numpy())
    assert g is not None


@pytest.mark.parametrize("op", ROWS, **by_name)
def test_where_there_is_no_rule_there_is_no_gradient(op: Op) -> None:
    for case in op.cases:
        for i in range(len(case.arrays)):
            if op.rule_for(i) is not None:
                continue
            inputs = [t.detach() for t in inputs_for(op, case, np.float64)]
            if inputs[i].dtype.kind != "f":
                inputs[i] = inputs[i] if op.kind != "elementwise" or op.name == "where" else inputs[i].double()
            if (op.name, "float64") in REFUSED:
                with pytest.raises(RuntimeError, match="Cast an operand"):
                    op.bind(*inputs)
                continue
            if inputs[i].dtype.kind != "f":
                with pytest.raises(RuntimeError, match="cannot require grad"):
                    inputs[i].requires_grad_()
                continue
            inputs[i].requires_grad_()
            out = op.bind(*inputs, **case.params)
            assert not out.requires_grad
            assert out.is_leaf


# ---- ties and edges of composites ----


def test_max_along_an_axis_follows_its_index() -> None:
    x = tn.tensor([[3.0, 1.0, 3.0], [2.0, 2.0, 0.0]], requires_grad=True)
    values, indices = tn.max(x, 1)
    assert indices.tolist() == [0, 0]
    (g,) = tn.autograd.grad(values, [x], tn.tensor([5.0, 7.0]))
    assert g.tolist() == [[5, 0, 0], [7, 0, 0]]
    values, indices = tn.min(x, 0, keepdim=True)
    assert indices.tolist() == [[1, 0, 1]]
    (g,) = tn.autograd.grad(values.sum(), [x])
    assert g.tolist() == [[0, 1, 0], [1, 0, 1]]


def test_amin_ties() -> None:
    x = tn.tensor([1.0, 0.0, 0.0, 2.0], requires_grad=True)
    assert tn.autograd.grad(x.amin(), [x])[0].tolist() == [0, 0.5, 0.5, 0]


@pytest.mark.parametrize("kind", [tn.float32, tn.float64, tn.int64, tn.int8, tn.uint8, tn.uint64, tn.bool_])
def test_smallest_values_of_every_dtype(kind: np.dtype) -> None:
    data = np.array([[3, 0, 7], [1, 2, 0]]).astype(kind)
    x = tn.tensor(data)
    assert (x.min().item(), x.amin().dtype) == (data.min(), kind)
    assert (x.max().item(), x.amax().dtype) == (data.max(), kind)
    assert x.argmin(1).tolist() == data.argmin(1).tolist()
    assert x.min(0).values.tolist() == data.min(0).tolist()
    if kind.kind == "i":
        lowest = np.iinfo(kind).min
        assert tn.tensor(np.array([0, lowest], kind)).min().item() == lowest


def test_abs_and_clamped_slopes_at_zero() -> None:
    x = tn.tensor([-1.0, 0.0, -0.0, 2.0], requires_grad=True)
    assert tn.autograd.grad(x.abs().sum(), [x])[0].tolist() == [-1, 0, 0, 1]


# ---- ``into``: accumulation in place equals the dense sum ----


def _dense(func: object, x: tn.Tensor) -> np.ndarray:
    """The gradient of a sum of terms, each on its own, added up."""
    total = np.zeros(x.shape, x.dtype)
    for term in func(x):  # type: ignore[operator]
        total += tn.autograd.grad(term.sum(), [x])[0].numpy()
    return total


index = tn.tensor([[0, 2], [2, 2]])
USES = {
    "slices": lambda x: (x[0] * 2, x[1] * 3, x[0] * 5),
    "overlapping": lambda x: (x[0:2] * 2, x[1:3] * 3, x[::-1] * 5, x[..., 1] * 7),
    "indexing": lambda x: (x[index] * 2, x[index] * 3, x[:, tn.tensor([1, 1, 0])] * 5),
    "takes": lambda x: (p.take(x, index, dim=0) * 2, p.take(x, index, dim=1) * 3, p.take(x, index[1], dim=0) * 5),
    "dense first": lambda x: (x * 2, x[0] * 3, x[index] * 5),
    "dense last": lambda x: (x[0] * 3, x[index] * 5, x * 2, x.T * 4),
    "views of views": lambda x: (x[1:][0] * 2, x.T[1:][:, 0] * 3, x.reshape(-1)[2:5] * 5),
    "broadcast": lambda x: (x[0] * 2, x.sum(0), x[0].expand(3, 4) * 3, x.reshape(1, 3, 4) + tn.ones(2, 3, 4)),
}


@pytest.mark.parametrize("dtype", [tn.float32, tn.float64])
@pytest.mark.parametrize("name", USES)
def test_several_uses_add_up(name: str, dtype: np.dtype) -> None:
    x = tn.tensor(np.arange(12.0).reshape(3, 4) / 7, dtype=dtype, requires_grad=True)
    expected = _dense(USES[name], x)
    total = sum(term.sum() for term in USES[name](x))
    cotangent = tn.tensor(1.0, dtype=dtype)
    (raw,) = tn.autograd.grad(total, [x], cotangent, retain_graph=True)
    (recorded,) = tn.autograd.grad(total, [x], cotangent, create_graph=True)
    total.backward(cotangent)
    for g in (raw, recorded.detach(), x.grad):
        assert g.dtype == dtype
        np.testing.assert_allclose(g.numpy(), expected, rtol=1e-6)
    assert not np.shares_memory(raw.numpy(), x.grad.numpy())


def test_accumulation_does_not_write_into_shared_cotangents() -> None:
    """x + y hands one array to both: adding to one of them must not change the other."""
    x, y = (tn.tensor([1.0, 2.0, 3.0], requires_grad=True) for _ in range(2))
    z = x * 1
    (z[0:1].sum() + (z + y).sum() + z[1] + (z + y).sum() + z[1]).backward()
    assert x.grad.tolist() == [3, 4, 2]
    assert y.grad.tolist() == [2, 2, 2]
