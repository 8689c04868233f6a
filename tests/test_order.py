"""Scans, sorting and counting at their edges: ties, NaN, zeros, long axes, and what bad arguments are told."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan
from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn

# ---- scans ----


def test_running_products_and_their_derivatives_with_zeros() -> None:
    for values in ([0.0, 2.0, 3.0], [2.0, 0.0, 3.0, -1.0, 0.0, 2.0, 4.0], [0.0, 0.0]):
        x = tn.tensor(values, dtype=tn.float64, requires_grad=True)
        np.testing.assert_array_equal(tn.cumprod(x, 0).detach().numpy(), np.cumprod(values))
        assert tn.autograd.gradcheck(lambda x: tn.cumprod(x, 0), [x])
        assert tn.autograd.gradgradcheck(lambda x: tn.cumprod(x, 0), [x])


def test_running_extremes_take_the_last_of_equal_ones_and_keep_nan() -> None:
    x = tn.tensor([1.0, 3.0, 3.0, 2.0, nan, 5.0, nan])
    assert tn.cummax(x, 0).indices.tolist() == [0, 1, 2, 2, 4, 4, 6]
    assert tn.cummin(x, 0).indices.tolist() == [0, 0, 0, 0, 4, 4, 6]
    assert np.isnan(tn.cummax(x, 0).values.numpy()[4:]).all()
    x = tn.tensor([1.0, 3.0, 3.0], requires_grad=True)
    tn.cummax(x, 0).values.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1, 1, 1]


def test_running_sums_of_float32_are_added_up_in_float64() -> None:
    values = np.full(1_000_000, 0.1, np.float32)
    total = tn.cumsum(tn.tensor(values), 0)[-1].item()
    assert total == np.float32(values.astype(np.float64).sum())


# ---- order ----


def test_sorting_is_stable_and_nan_is_the_largest() -> None:
    x = tn.tensor([2.0, nan, 1.0, 2.0, inf, nan, -inf])
    assert tn.argsort(x).tolist() == [6, 2, 0, 3, 4, 1, 5]
    assert tn.argsort(x, descending=True).tolist() == [1, 5, 4, 0, 3, 2, 6]
    long = tn.cat([x, tn.zeros(40)])  # few of many are found without sorting all
    assert tn.topk(long, 3).values[1:].isnan().tolist() == [True, False]
    assert tn.topk(long, 1, largest=False).indices.tolist() == [6]
    assert tn.topk(x, 3).indices.tolist() == [1, 5, 4]
    assert tn.topk(x, 2, largest=False).indices.tolist() == [6, 2]
    assert tn.kthvalue(x, 3).indices.item() == 0


@pytest.mark.parametrize("dim", [0, 1])
def test_few_of_many_are_those_that_sorting_finds(dim: int) -> None:
    x = tn.tensor(np.random.default_rng(0).permutation(1200).reshape(30, 40).astype(np.float64))
    for largest in (True, False):
        found, order = tn.topk(x, 3, dim, largest), tn.argsort(x, dim, largest)
        assert found.indices.tolist() == tn.narrow(order, dim, 0, 3).tolist()
        assert found.values.tolist() == tn.gather(x, dim, found.indices).tolist()


def test_median_is_the_lower_of_two_and_nan_where_one_is() -> None:
    assert tn.median(tn.tensor([4.0, 1.0, 3.0, 2.0])).item() == 2
    found = tn.median(tn.tensor([[4.0, 1.0, 3.0], [nan, 1.0, nan]]), 1)
    assert found.values[0].item() == 3
    assert np.isnan(found.values[1].item())
    assert found.indices.tolist() == [2, 0]
    x = tn.tensor([2.0, 1.0, 2.0], requires_grad=True)
    tn.median(x).backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0.5, 0, 0.5]


def test_quantile_of_nan() -> None:
    x = tn.tensor([[1.0, nan], [2.0, 4.0]])
    np.testing.assert_array_equal(tn.quantile(x, 0.5, 1).numpy(), [nan, 3])


# ---- counting ----


def test_unique_tells_nans_apart_and_passes_gradients_to_first_occurrences() -> None:
    assert tn.unique(tn.tensor([nan, 1.0, nan])).numel() == 3
    x = tn.tensor([3.0, 1.0, 3.0], requires_grad=True)
    values, inverse, counts = tn.unique(x, return_inverse=True, return_counts=True)
    values[1].backward()
    assert x.grad is not None
    assert (x.grad.tolist(), inverse.tolist(), counts.tolist()) == ([1, 0, 0], [1, 0, 1], [1, 2])


def test_nonzero_indexes() -> None:
    x = tn.tensor([[0.0, 2.0], [3.0, 0.0]])
    assert x[tn.nonzero(x, as_tuple=True)].tolist() == [2, 3]


def test_histc_counts_the_upper_edge_and_leaves_out_what_lies_outside() -> None:
    assert tn.histc(tn.tensor([0.0, 1.0, 2.0, 3.0, 9.0, nan]), 3, 0, 3).tolist() == [1, 1, 2]
    assert tn.histc(tn.tensor([5.0, 5.0]), 2).tolist() == [0, 2]


# ---- results own their memory ----

OWN: list[Callable[[tn.Tensor], Any]] = [
    tn.sum, tn.mean, tn.prod, tn.amax, tn.max, tn.norm, tn.var_mean, tn.median, tn.msort, tn.nansum, tn.sort, tn.unique,
    lambda x: tn.prod(x, -1), lambda x: tn.max(x, -1), lambda x: tn.cumsum(x, -1), lambda x: tn.cumprod(x, -1),
    lambda x: tn.cummax(x, -1), lambda x: tn.logsumexp(x, -1), lambda x: tn.var_mean(x, -1), lambda x: tn.sort(x, -1),
    lambda x: tn.topk(x, 1), lambda x: tn.median(x, -1), lambda x: tn.quantile(x, 0.5), lambda x: tn.kthvalue(x, 1),
]  # fmt: skip


@pytest.mark.parametrize("function", OWN)
@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_results_share_no_memory_with_the_argument(function: Callable[[tn.Tensor], Any], shape: tuple[int, ...]) -> None:
    x = tn.ones(shape)
    found = function(x)
    for part in found if isinstance(found, tuple) else (found,):
        assert not np.shares_memory(part.numpy(), x.numpy())


# ---- bad arguments ----

BAD: list[tuple[Callable[[Any, Any], Any], str]] = [
    (lambda m, x: m.cumsum(x, 2), r"cumsum: dim=2 is out of range for Tensor f32\[2,3\]; use -2 to 1"),
    (lambda m, x: m.cumsum(x, 0.5), "cumsum: dim must be an integer"),
    (lambda m, x: m.cumprod([1], 0), "cumprod: needs a Tensor, got list"),
    (lambda m, x: m.sort(x, 5), "sort: dim=5"),
    (lambda m, x: m.topk(x, 4), r"topk: k=4 is out of range for axis 1 of Tensor f32\[2,3\], which has 3 values"),
    (lambda m, x: m.topk(x, -1), "topk: k=-1"),
    (lambda m, x: m.kthvalue(x, 0), r"kthvalue: k=0 is out of range for axis 1 of Tensor f32\[2,3\]; use 1 to 3"),
    (lambda m, x: m.median(x[:0], 0), "median: axis 0 .* is empty"),
    (lambda m, x: m.quantile(x, 1.5), "quantile: q must lie between 0 and 1, got 1.5"),
    (lambda m, x: m.quantile(x.long(), 0.5), "quantile: Tensor i64"),
    (lambda m, x: m.quantile(x[:0], 0.5), "quantile: Tensor .* is empty"),
    (lambda m, x: m.quantile(x, m.ones(2, 2)), "at most one axis"),
    (lambda m, x: m.quantile(x, 0.5, interpolation="cubic"), "interpolation='cubic' is none of linear, lower"),
    (lambda m, x: m.diff(x, -1), "diff: the order n must not be negative"),
    (lambda m, x: m.diff(x.sum()), "diff: Tensor f32"),
    (lambda m, x: m.bincount(x.long()), "bincount: needs one axis of integers"),
    (lambda m, x: m.bincount(m.tensor([-1])), "none negative"),
    (lambda m, x: m.bincount(m.tensor([1]), x), r"weights Tensor f32\[2,3\] must have the shape of"),
    (lambda m, x: m.bincount(m.tensor([1]), minlength=-1), "minlength must not be negative"),
    (lambda m, x: m.histc(x, 0), "bins must be positive"),
    (lambda m, x: m.histc(x, 3, 2, 1), "max=1 must be larger than min=2"),
    (lambda m, x: m.histc(x / 0, 3), "is not finite"),
    (lambda m, x: m.unique(x[:, :0], dim=0), "axis of length 0 besides dim=0"),
    (lambda m, x: m.searchsorted(x, x[0]), "must have equal axes but for the last"),
    (lambda m, x: m.searchsorted(x[0], x, side="middle"), "side='middle'"),
    (lambda m, x: m.bucketize(x, x), "the boundaries must have one axis"),
]


@pytest.mark.parametrize(("call", "message"), BAD, ids=[message[:30] for _, message in BAD])
def test_what_bad_arguments_are_told(call: Callable[[Any, Any], Any], message: str) -> None:
    with pytest.raises((RuntimeError, IndexError, TypeError), match=message):
        call(tn, tn.ones(2, 3))


@pytest.mark.torch
@pytest.mark.parametrize("call", [call for call, _ in BAD], ids=[message[:30] for _, message in BAD])
def test_error_classes_are_torchs(call: Callable[[Any, Any], Any]) -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises((RuntimeError, IndexError, TypeError)) as theirs:
        call(torch, torch.ones(2, 3))
    with pytest.raises(theirs.type):
        call(tn, tn.ones(2, 3))
