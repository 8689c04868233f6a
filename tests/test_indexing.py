"""Square brackets: every form of index against numpy, for values, writes and gradients."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
    for dtype in (tn.int8, tn.int16):
        last = tn.tensor([19], dtype=dtype)
        assert x[last, last].tolist() == [399]
    assert tn.arange(200)[tn.tensor([-1, -128], dtype=tn.int8)].tolist() == [199, 72]


def test_uint8_is_neither_mask_nor_positions() -> None:
    x = tn.tensor([1.0, 2.0, 3.0])
    index = tn.tensor([0, 1, 1], dtype=tn.uint8)
    with pytest.raises(IndexError, match=r"u8\[3\] could be a mask, as in PyTorch, or positions.*\.bool\(\) or \.long\(\)"):
        x[index]
    assert x[index.bool()].tolist() == [2, 3]
    assert x[index.long()].tolist() == [1, 2, 2]
    assert f"{x[1]}|{x[1]:.2f}|{x[:1]}" == "2.0|2.00|tensor([1.])"


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


# ---- random expressions ----


KINDS = ["slice", "slice", "backward", "int", "array", "array", "list", "mask", "none", "bool", "ellipsis", "end"]


@st.composite
def expressions(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[Any, ...]]:
    """A shape and an index for it: ints, slices of any step, None, `...`, bools, arrays, lists and masks, in any order."""
    shape = draw(st.sampled_from([(), (3,), (2, 4), (1, 3), (0, 2), (4, 2, 3), (3, 1, 2), (2, 3, 2, 2)]))
    common = draw(st.sampled_from([(), (1,), (2,), (3,), (2, 1), (1, 3), (2, 3), (0,)]))
    kinds = draw(st.lists(st.sampled_from(KINDS), max_size=len(shape) + 2))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    index: list[Any] = []
    axis = 0
    for kind in kinds:
        left = len(shape) - axis
        if kind == "none":
            index.append(None)
        elif kind == "bool" and "bool" not in kinds[: len(index)]:
            index.append(bool(rng.integers(2)))
        elif left == 0 or kind == "end":
            break
        elif kind == "ellipsis":  # of all axes that are left: what follows adds none
            index.append(...)
            axis = len(shape)
        elif kind in ("slice", "backward"):
            start, stop = (None if rng.integers(3) == 0 else int(rng.integers(-5, 6)) for _ in range(2))
            step = [None, 1, 2, 3][rng.integers(4)] if kind == "slice" else -int(rng.integers(1, 4))
            index.append(slice(start, stop, step))
            axis += 1
        elif kind == "mask":
            covered = shape[axis : axis + int(rng.integers(1, min(2, left) + 1))]
            index.append(rng.integers(0, 2, covered).astype(bool))
            axis += len(covered)
        elif shape[axis]:
            wanted = () if kind == "int" else tuple(1 if rng.integers(6) == 0 else n for n in common)
            array = rng.integers(-shape[axis], shape[axis], wanted)
            index.append(
                int(array) if kind == "int" else array.tolist() if kind == "list" and array.ndim and array.size else array
            )
            axis += 1
    return shape, tuple(index)


SEARCH = settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def ints_first(plain: Array, index: tuple[Any, ...]) -> tuple[Array, tuple[Any, ...]]:
    """Ints taken away before the arrays select, as in torch: a view of ``plain`` and the index that is left."""
    basic: list[Any] = []
    rest: list[Any] = []
    ellipsis = any(part is ... for part in index)
    for part in index:
        covered = part.ndim if isinstance(part, np.ndarray) and part.dtype == bool else part is not None and part is not ...
        covered = 0 if isinstance(part, bool) else covered
        if type(part) is int or (isinstance(part, np.ndarray) and part.ndim == 0):
            basic.append(int(part))
        elif part is ...:
            basic.append(...)
            rest.append(...)
        else:
            basic += [slice(None)] * covered
            rest.append(part)
    return plain[tuple(basic) if ellipsis else (*basic, ...)], tuple(rest)


@SEARCH
@given(expressions())
def test_random_expressions_as_in_numpy(case: tuple[tuple[int, ...], tuple[Any, ...]]) -> None:
    """Values, sharing of memory, writes; and the gradients of both: where an element was read, and what was written last."""
    shape, index = case
    plain = np.arange(1.0, prod(shape) + 1).reshape(shape)
    region, rest = ints_first(plain, index)
    try:
        expected = np.asarray(region[rest])
    except IndexError:
        with pytest.raises(IndexError):
            tn.tensor(plain)[index]
        return
    x = tn.tensor(plain, requires_grad=True)
    read = x[index]
    np.testing.assert_array_equal(read.detach().numpy(), expected, strict=True)
    (g,) = tn.autograd.grad((read * read).sum(), [x])
    counts = np.bincount(expected.astype(int).reshape(-1), minlength=plain.size + 1)[1:].reshape(shape)
    np.testing.assert_array_equal(g.numpy(), 2 * plain * counts)

    values = -np.arange(1.0, expected.size + 1).reshape(expected.shape)
    written, y, v = plain.copy(), tn.tensor(plain, requires_grad=True), tn.tensor(values, requires_grad=True)
    place, rest = ints_first(written, index)
    place[rest] = values
    z = y * 1
    z[index] = v
    np.testing.assert_array_equal(z.detach().numpy(), written)
    gy, gv = tn.autograd.grad((z * z).sum(), [y, v])
    np.testing.assert_array_equal(gy.numpy(), np.where(written > 0, 2 * plain, 0))
    np.testing.assert_array_equal(gv.numpy(), np.where(np.isin(values, written), 2 * values, 0))


@pytest.mark.torch
@SEARCH
@given(expressions())
def test_random_expressions_as_in_torch(case: tuple[tuple[int, ...], tuple[Any, ...]]) -> None:
    torch = pytest.importorskip("torch")
    shape, index = case
    if any(isinstance(part, slice) and (part.step or 1) < 0 for part in index):
        return
    plain = np.arange(1.0, prod(shape) + 1).reshape(shape)
    ours, theirs = tn.tensor(plain), torch.from_numpy(plain)
    as_torch = tuple(torch.from_numpy(part) if isinstance(part, np.ndarray) else part for part in index)
    try:
        expected = theirs[as_torch]
    except IndexError:
        with pytest.raises(IndexError):
            ours[index]
        return
    np.testing.assert_array_equal(ours[index].numpy(), expected.numpy(), strict=True)
    np.testing.assert_array_equal(ours[of_tensors(index)].numpy(), expected.numpy(), strict=True)
    x, y = tn.tensor(plain), torch.from_numpy(plain.copy())
    x[of_tensors(index)] = -1.0
    y[as_torch] = -1.0
    np.testing.assert_array_equal(x.numpy(), y.numpy())


# ---- on a tape ----


def test_a_replay_follows_new_indices() -> None:
    """Reading and writing, negative positions and duplicates included; masks where one value goes to all of their places."""
    x, i, j = tn.tensor(base()), tn.tensor([2, 0, 2]), tn.tensor([1, 0, 3])
    mask = tn.tensor([[True, False, True, False]] * 3)
    v = tn.arange(1.0, 7.0).reshape(3, 2).double()

    def program() -> tuple[tn.Tensor, ...]:
        y = x * 1
        y[i, j] = v
        y[:, j, 0] += 1
        y[mask] = -2.0
        y[..., 0][mask] = 5.0
        z = y.index_put((i,), v[:, None, :].expand(3, 4, 2), accumulate=True)
        return y * 1, z * 1, x[i, :, i * 0]

    with tn.Tape() as tape:
        results = program()
    for new_i, new_j in (([0, 1, 1], [2, 2, 0]), ([-1, -1, -3], [-4, 3, -4])):
        i.numpy()[...], j.numpy()[...] = new_i, new_j
        mask.numpy()[...] = ~mask.numpy()
        for value, fresh in zip(tape.replay(*results), program(), strict=True):
            np.testing.assert_array_equal(value, fresh.numpy())
    i.numpy()[0] = 3
    with pytest.raises(IndexError, match="out of range"):
        tape.replay(*results)


def test_a_write_by_indices_costs_what_it_writes() -> None:
    """Nothing of the size of the whole is made on the way: a node, but no copy."""
    x = tn.zeros(1000, 1000)
    with tn.Tape() as tape:
        x[tn.tensor([1, 2]), tn.tensor([3, 4])] = 1.0
    assert max((node for node in tape.nodes if node.op.kind not in ("view", "state")), key=lambda n: prod(n.shape)).shape == (
        2,
    )


def test_values_may_lie_in_the_memory_that_is_written() -> None:
    x = tn.arange(5)
    x[[0, 1, 2, 3]] = x[1:]
    assert x.tolist() == [1, 2, 3, 4, 4]
    x[[3, 2, 1]] = x[:3]
    assert x.tolist() == [1, 3, 2, 1, 4]
    y = tn.arange(4)
    y[y > 0] = y[:1]
    assert y.tolist() == [0, 0, 0, 0]


def test_index_put_needs_values_of_the_dtype() -> None:
    with pytest.raises(RuntimeError, match=r"index_put_: .* dtype of Tensor f32\[3\], got Tensor i64\[1\]"):
        tn.zeros(3).index_put_((tn.tensor([0]),), tn.tensor([1]))
    with pytest.raises(RuntimeError, match=r"index_put_: .*got float"):
        tn.zeros(3).index_put_((tn.tensor([0]),), 1.0)
    x = tn.zeros(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf that requires grad"):
        x[[0]] = 1.0
    with pytest.raises(RuntimeError, match="leaf that requires grad"):
        x.index_put_((tn.tensor([0]),), tn.ones(1), accumulate=True)


def test_bad_lists() -> None:
    with pytest.raises(IndexError, match=r"lists of different lengths are no index for Tensor f32\[3\]"):
        tn.zeros(3)[[[0, 1], [2]]]
    with pytest.raises(IndexError, match="dtype float64 selects nothing"):
        tn.zeros(3)[[0.5]]
