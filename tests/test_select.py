"""Selecting and scattering: errors, in torch's classes; what the last of several values means; in-place forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn

Bad = tuple[Callable[[Any, Any, Any], Any], type[Exception], str]
"""``(m, x, i)``: tn or torch, zeros (2, 3), the positions (0, 1)."""

BAD: dict[str, Bad] = {
    "gather axes": (
        lambda m, x, i: m.gather(x, 0, i),
        RuntimeError,
        r"gather: the index Tensor i64\[2\] must have the axes of .*f32\[2,3\]",
    ),
    "gather range": (
        lambda m, x, i: m.gather(x, 0, i[None] + 1),
        RuntimeError,
        r"gather: index 2 is out of range for axis 0 of Tensor f32\[2,3\]",
    ),
    "gather negative": (lambda m, x, i: m.gather(x, 0, i[None] - 1), RuntimeError, "gather: index -1 is out of range"),
    "gather floats": (
        lambda m, x, i: m.gather(x, 0, x),
        RuntimeError,
        r"gather: the index must be a Tensor of integers, got Tensor f32",
    ),
    "gather dim": (lambda m, x, i: m.gather(x, 2, i[None]), IndexError, "gather: dim=2"),
    "index_select": (
        lambda m, x, i: m.index_select(x, 0, i + 1),
        IndexError,
        r"index_select: index 2 is out of range for axis 0 of Tensor f32\[2,3\]",
    ),
    "index_select negative": (
        lambda m, x, i: m.index_select(x, 0, i - 1),
        IndexError,
        "index_select: index -1 is out of range",
    ),
    "index_select axes": (
        lambda m, x, i: m.index_select(x, 0, i[None]),
        IndexError,
        r"the index must have one axis, got Tensor i64\[1,2\]",
    ),
    "index_select floats": (
        lambda m, x, i: m.index_select(x, 0, x[0]),
        RuntimeError,
        "index_select: the index must be a Tensor of integers",
    ),
    "take": (
        lambda m, x, i: m.take(x, i + 5),
        IndexError,
        r"take: index 6 is out of range for the 6 elements of Tensor f32\[2,3\]",
    ),
    "take floats": (lambda m, x, i: m.take(x, x), RuntimeError, "take: the index must be a Tensor of integers"),
    "take_along_dim axes": (
        lambda m, x, i: m.take_along_dim(x, i, 0),
        RuntimeError,
        "take_along_dim: the indices .* must have the axes",
    ),
    "take_along_dim shape": (lambda m, x, i: m.take_along_dim(x, i[None], 0), RuntimeError, "do not broadcast but along 0"),
    "masked_fill": (
        lambda m, x, i: m.masked_fill(x, i, 0),
        RuntimeError,
        r"the mask must be a bool Tensor, got Tensor i64\[2\]; compare",
    ),
    "masked_fill value": (
        lambda m, x, i: m.masked_fill(x, x > 0, i),
        RuntimeError,
        r"a number or a 0-d Tensor, got Tensor i64\[2\]",
    ),
    "masked_select": (lambda m, x, i: m.masked_select(x, x), RuntimeError, "masked_select: the mask must be a bool Tensor"),
    "masked_scatter few": (
        lambda m, x, i: m.masked_scatter(x, x == 0, x[0]),
        RuntimeError,
        "the mask holds 6 times, but .* has 3 elements",
    ),
    "masked_scatter dtype": (
        lambda m, x, i: m.masked_scatter(x, x > 0, i),
        RuntimeError,
        "masked_scatter: source .* need one dtype",
    ),
    "scatter dtype": (
        lambda m, x, i: m.scatter(x, 0, i[None], i[None]),
        RuntimeError,
        r"scatter_: src Tensor i64\[1,2\] and input .* need one dtype",
    ),
    "scatter src": (
        lambda m, x, i: m.scatter(x, 0, i[None], x[:1, :1]),
        RuntimeError,
        r"the index Tensor i64\[1,2\] is larger than src",
    ),
    "scatter range": (lambda m, x, i: m.scatter(x, 1, i[None] + 2, 1.0), RuntimeError, "index 3 is out of range for axis 1"),
    "scatter reduce": (
        lambda m, x, i: m.scatter(x, 0, i[None], x, reduce="max"),
        RuntimeError,
        'reduce is "add" or "multiply", got \'max\'',
    ),
    "scatter_add": (
        lambda m, x, i: m.scatter_add(x, 0, i[None], x[:, :1]),
        RuntimeError,
        "scatter_add: the index .* is larger than src",
    ),
    "scatter_add dtype": (lambda m, x, i: m.scatter_add(x, 0, i[None], x.double()), RuntimeError, "need one dtype"),
    "scatter_reduce": (
        lambda m, x, i: m.scatter_reduce(x, 0, i[None], x, "median"),
        RuntimeError,
        "reduce='median' is none of sum, mean, prod",
    ),
    "index_add": (
        lambda m, x, i: m.index_add(x, 0, i, x[:1]),
        RuntimeError,
        r"index_add: source .*f32\[1,3\] must have the shape \[2, 3\]",
    ),
    "index_add dtype": (lambda m, x, i: m.index_add(x, 0, i, x.double()), RuntimeError, "index_add: source .* need one dtype"),
    "index_add range": (lambda m, x, i: m.index_add(x, 0, i + 1, x), RuntimeError, "index_add: index 2 is out of range"),
    "index_copy": (
        lambda m, x, i: m.index_copy(x, 0, i, x[:1]),
        IndexError,
        r"index_copy_: source .* must have the shape \[2, 3\]",
    ),
    "index_copy dtype": (
        lambda m, x, i: m.index_copy(x, 0, i, x.double()),
        RuntimeError,
        "index_copy_: source .* need one dtype",
    ),
    "index_copy range": (lambda m, x, i: m.index_copy(x, 0, i + 1, x), IndexError, "index_copy_: index 2 is out of range"),
    "index_fill range": (lambda m, x, i: m.index_fill(x, 0, i + 1, 0.0), IndexError, "index_fill_: index 2 is out of range"),
    "index_fill value": (lambda m, x, i: m.index_fill(x, 0, i, x[0]), RuntimeError, "a number or a 0-d Tensor"),
    "put": (lambda m, x, i: m.put(x, i + 5, x[0, :2]), IndexError, "put_: index 6 is out of range for the 6 elements"),
    "put count": (lambda m, x, i: m.put(x, i, x[0]), IndexError, "put_: source .* and index .* need equally many elements"),
    "put dtype": (lambda m, x, i: m.put(x, i, i), RuntimeError, "put_: source .* need one dtype"),
    "leaf": (
        lambda m, x, i: x.requires_grad_().scatter_(0, i[None], 1.0),
        RuntimeError,
        "scatter_: .* is a leaf that requires grad",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_errors(name: str) -> None:
    act, kind, message = BAD[name]
    with pytest.raises(kind, match=message) as caught:
        act(tn, tn.zeros(2, 3), tn.arange(2))
    assert type(caught.value).__module__.startswith("tinygrad_notes")


@pytest.mark.torch
@pytest.mark.parametrize("name", BAD)
def test_errors_have_torchs_class(name: str) -> None:
    torch = pytest.importorskip("torch")
    act, kind, _ = BAD[name]
    with pytest.raises(kind):
        act(torch, torch.zeros(2, 3), torch.arange(2))


def test_a_value_that_the_tensor_cannot_hold() -> None:
    """torch cuts the fraction off without a word."""
    x, i = tn.arange(2), tn.arange(2)
    for act in (lambda: x.masked_fill(x > 0, 1.5), lambda: x.scatter(0, i, 1.5), lambda: x.index_fill(0, i, tn.tensor(1.5))):
        with pytest.raises(RuntimeError, match=r"Tensor i64\[2\] cannot hold the value .*1.5.*use \.float\(\)"):
            act()


def test_the_last_of_several_values_counts() -> None:
    index = tn.tensor([1, 1, 0, 1])
    values = tn.tensor([1.0, 2.0, 3.0, 4.0], dtype=tn.float64, requires_grad=True)
    writes: list[Callable[[tn.Tensor], tn.Tensor]] = [
        lambda x: x.scatter(0, index, values),
        lambda x: x.index_copy(0, index, values),
        lambda x: x.put(index, values),
        lambda x: x.index_put((index,), values),
    ]
    for write in writes:
        x = tn.zeros(3, dtype=tn.float64, requires_grad=True)
        y = write(x)
        assert y.tolist() == [3, 4, 0]
        gx, gv = tn.autograd.grad(y.sum(), [x, values])
        assert gx.tolist() == [0, 0, 1]
        assert gv.tolist() == [0, 0, 1, 1]


def test_in_place_forms_return_their_tensor_and_write_its_memory() -> None:
    i, v, mask = tn.tensor([0, 2]), tn.tensor([5.0, 6.0]), tn.tensor([True, False, True])
    for act in (
        lambda x: x.scatter_(0, i, v),
        lambda x: x.scatter_add_(0, i, v),
        lambda x: x.scatter_reduce_(0, i, v, "sum"),
        lambda x: x.index_add_(0, i, v),
        lambda x: x.index_copy_(0, i, v),
        lambda x: x.index_put_((i,), v),
        lambda x: x.put_(i, v),
        lambda x: x.masked_scatter_(mask, v),
    ):
        x = tn.zeros(3)
        seen = x[:]
        assert act(x) is x
        assert seen.tolist() == [5, 0, 6]
    for act in (lambda x: x.index_fill_(0, i, 7), lambda x: x.masked_fill_(mask, 7), lambda x: x.scatter_(0, i, 7)):
        x = tn.zeros(3)
        assert act(x) is x
        assert x.tolist() == [7, 0, 7]


def test_a_replay_follows_indices_and_masks() -> None:
    x, s = tn.tensor(np.arange(6.0).reshape(2, 3) / 4), tn.tensor(np.arange(6.0).reshape(2, 3) + 1)
    i, mask = tn.tensor([[0, 1, 1], [1, 0, 1]]), tn.tensor([[True, False, True], [False, True, False]])

    def program() -> list[tn.Tensor]:
        line = i[0]
        return [
            x.scatter(0, i, s), x.scatter(0, i, 7), x.scatter_add(0, i, s), x.gather(0, i), x.take(i), x.index_select(0, line),
            x.index_add(1, line, s), x.index_copy(1, line, s), x.index_fill(1, line, 2), x.put(i, s), x.masked_scatter(mask, s),
            x.masked_fill(mask, -1), x.take_along_dim(i, 0),
            *(x.scatter_reduce(0, i, s, how, include_self=own) for how in ("mean", "prod", "amax") for own in (True, False)),
        ]  # fmt: skip

    with tn.Tape() as tape:
        results = program()
    i.numpy()[...] = 1 - i.numpy()
    mask.numpy()[...] = ~mask.numpy()
    for value, fresh in zip(tape.replay(*results), program(), strict=True):
        np.testing.assert_array_equal(value, fresh.numpy())
