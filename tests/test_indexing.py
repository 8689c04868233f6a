"""Square brackets: every form of index against numpy, for values, writes and gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.autograd import gradcheck

Array = np.ndarray[Any, Any]
MASK = np.array([[True, False, True, False], [False, False, True, True], [True, True, False, False]])
i, j = np.array([2, 0, 2]), np.array([1, -1, 3])
FORMS: dict[str, Any] = {
    "int": 1, "negative int": -2, "ints": (1, 2, -1), "slice": slice(1, 3), "slice from the end": slice(-2, None),
    "empty slice": slice(2, 1), "slice past the end": slice(1, 99), "step": slice(None, None, 2),
    "backward": slice(None, None, -1), "backward step": (slice(None), slice(-1, 0, -2)), "backward empty": slice(0, 2, -1),
    "ellipsis": ..., "ellipsis in front": (..., 1), "ellipsis in the middle": (0, ..., slice(1)), "ellipsis of nothing":
    (0, 1, ..., 1), "new axes": (None, slice(None), None, 1), "nothing": (),
    "array": i, "array of two axes": np.array([[0, 1], [2, -1]]), "list": [2, 0], "empty list": [], "array behind": (slice(None), j),
    "array at the end": (..., np.array([1, 1, 0])), "pair": (i, j), "pair behind": (slice(None), j, np.array([1, 0, 1])),
    "pair apart": (i, slice(None), np.array([1, 0, 1])), "pair that broadcasts": (i[:, None], j), "triple": (i, j, np.array([0, 1, 1])),
    "array and new axis": (None, i), "pair apart by a new axis": (i, None, j), "array and slices": (slice(None, None, -1), j, slice(1)),
    "mask": MASK, "mask of one axis": np.array([True, False, True]), "mask behind": (slice(None), MASK[0]),
    "mask of nothing": np.zeros((3, 4), bool), "mask and slice": (MASK, slice(1)), "mask and array": (MASK[:, 0], np.array([1, 2])),
    "small integers": i.astype(np.int8), "unsigned integers": np.array([2, 1], np.uint64), "empty array": np.zeros((0, 2), np.int64),
}  # fmt: skip
names = pytest.mark.parametrize("name", FORMS)


def base() -> Array:
    return np.arange(24.0).reshape(3, 4, 2) / 8 + 0.1


def of_tensors(index: Any) -> Any:
    """The same index with our Tensors for arrays."""
    if isinstance(index, tuple):
        return tuple(of_tensors(part) for part in index)
    return tn.tensor(index) if isinstance(index, np.ndarray) else index


@names
def test_getitem(name: str) -> None:
    index = FORMS[name]
    expected = base()[index]
    for x in (tn.tensor(base()), tn.tensor(base().T.copy()).T, tn.tensor(base()[::-1].copy())[::-1]):
        for form in (index, of_tensors(index)):
            np.testing.assert_array_equal(x[form].numpy(), expected)
            assert x[form].shape == expected.shape


@names
def test_basic_indices_are_views_and_arrays_copy(name: str) -> None:
    index = FORMS[name]
    x, plain = tn.tensor(base()), base()
    taken = plain[index]
    expected = np.shares_memory(plain, taken) if isinstance(taken, np.ndarray) else True  # numpy's scalars are copies
    assert np.shares_memory(x[index].numpy(), x.numpy()) == expected


@names
def test_setitem(name: str) -> None:
    index = FORMS[name]
    shape = base()[index].shape
    values = np.arange(1.0, np.prod(shape) + 1).reshape(shape)
    for value in (values, 7.0, values[..., :1] if shape else 2, tn.tensor(values)):
        expected, x = base(), tn.tensor(base())
        expected[index] = value.numpy() if isinstance(value, tn.Tensor) else value
        x[of_tensors(index)] = value
        np.testing.assert_array_equal(x.numpy(), expected)
        behind = tn.tensor(base().T.copy()).T
        behind[index] = value
        np.testing.assert_array_equal(behind.numpy(), expected)


@names
def test_gradients(name: str) -> None:
    index = of_tensors(FORMS[name])
    x = tn.tensor(base(), requires_grad=True)
    if x[index].numel() == 0:
        assert tn.autograd.grad(x[index].sum(), [x])[0].tolist() == np.zeros((3, 4, 2)).tolist()
        return
    assert gradcheck(lambda x: x[index] * x[index], x, atol=1e-6, rtol=1e-6)
    shape = x[index].shape
    y = tn.tensor(np.linspace(1, 2, int(np.prod(shape))).reshape(shape), requires_grad=True)
    distinct = np.unique(np.arange(24).reshape(3, 4, 2)[FORMS[name]]).size == np.prod(shape)

    def written(x: tn.Tensor, y: tn.Tensor) -> tn.Tensor:
        out = x * 2
        out[index] = y * y
        return out * x

    assert gradcheck(written, [x, y], atol=1e-6, rtol=1e-6)
    assert gradcheck(lambda x: written(x, x[index]), x, atol=1e-6, rtol=1e-6)
    if distinct:
        out = x * 2
        out[index] = y
        (g,) = tn.autograd.grad(out.sum(), [y])
        assert (g.numpy() == 1).all()


@pytest.mark.torch
def test_ints_beside_arrays_select_first_as_in_torch() -> None:
    """numpy counts an int as an array of one; torch (and we) take it away before."""
    torch = pytest.importorskip("torch")
    x = base()
    for index in (
        (0, slice(None), [0, 1]),
        (slice(None), 1, [0, 1]),
        ([0, 1], 2),
        (1, [0, 3, 3], [1, 0, 1]),
        ([2, 0], slice(None), 1),
    ):
        np.testing.assert_array_equal(tn.tensor(x)[index].numpy(), torch.tensor(x)[index].numpy())


def test_small_index_dtypes_do_not_overflow() -> None:
    x = tn.arange(400).reshape(20, 20)
    for dtype in (tn.uint8, tn.int8, tn.int16):
        last = tn.tensor([19], dtype=dtype)
        assert x[last, last].tolist() == [399]
    assert tn.arange(200)[tn.tensor([-1, -128], dtype=tn.int8)].tolist() == [199, 72]


def test_duplicates_in_a_write_the_last_one_counts() -> None:
    x, y = tn.zeros(3), tn.tensor([1.0, 2.0, 3.0], requires_grad=True)
    x[tn.tensor([1, 1, 0])] = y
    assert x.tolist() == [3, 2, 0]
    x.sum().backward()
    assert y.grad.tolist() == [0, 1, 1]


def test_named_forms() -> None:
    x = tn.tensor(base()[:, :, 0], requires_grad=True)
    index = tn.tensor([[0, 2, 1, 0], [2, 2, 0, 1]])
    np.testing.assert_array_equal(
        tn.gather(x, 0, index).detach().numpy(), np.take_along_axis(base()[:, :, 0], index.numpy(), 0)
    )
    np.testing.assert_array_equal(tn.index_select(x, 1, tn.tensor([3, 3])).detach().numpy(), base()[:, [3, 3], 0])
    src = tn.tensor(np.arange(1.0, 9).reshape(2, 4), requires_grad=True)
    expected = base()[:, :, 0].copy()
    for at in np.ndindex(2, 4):
        expected[index.numpy()[at], at[1]] += src.detach().numpy()[at]
    np.testing.assert_allclose(tn.scatter_add(x, 0, index, src).detach().numpy(), expected)
    mask = x > 1.5
    assert (tn.masked_fill(x, mask, -1.0).detach().numpy() == np.where(mask.numpy(), -1, base()[:, :, 0])).all()
    for func, inputs in (
        (lambda x: tn.gather(x, 0, index), [x]),
        (lambda x, s: tn.scatter_add(x, 0, index, s) * x, [x, src]),
        (lambda x: tn.masked_fill(x, mask, -1.0), [x]),
    ):
        assert gradcheck(func, inputs, atol=1e-6, rtol=1e-6)


def test_a_value_may_have_leading_axes_of_length_1() -> None:
    y = tn.zeros(3)
    y[:] = tn.ones(1, 3)
    y[tn.tensor([0, 1])] = tn.full((1, 2), 2.0)
    assert y.tolist() == [2, 2, 1]
