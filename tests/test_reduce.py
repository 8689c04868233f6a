"""Reductions at their edges: ties, NaN, infinities, zeros, empties, and what bad arguments are told."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan
from typing import Any

import numpy as np
import pytest

import tinygrad_notes as tn


def slope(function: Callable[[tn.Tensor], tn.Tensor], *values: float) -> list[float]:
    x = tn.tensor(list(values), dtype=tn.float64, requires_grad=True)
    (g,) = tn.autograd.grad(function(x).sum(), [x])
    assert g is not None
    found: list[float] = g.tolist()
    return found


# ---- values at the edges ----


def test_nan_is_the_largest_and_the_smallest() -> None:
    x = tn.tensor([1.0, nan, 3.0, nan])
    for function in (tn.max, tn.min, tn.amax, tn.amin):
        assert np.isnan(function(x).item())
    assert tn.max(x, 0).indices.item() == tn.argmax(x).item() == tn.argmin(x).item() == 1
    assert np.isnan(tn.max(x, 0).values.item())
    assert tn.nansum(x).item() == 4
    assert tn.nanmean(x).item() == 2


def test_ties() -> None:
    assert slope(tn.amax, 2, 1, 2) == slope(tn.max, 2, 1, 2) == [0.5, 0, 0.5]
    assert slope(tn.amin, 1, 1, 2) == [0.5, 0.5, 0]
    assert slope(lambda x: tn.max(x, 0).values, 2, 1, 2) == [1, 0, 0]
    assert slope(lambda x: tn.min(x, 0).values, 2, 1, 1) == [0, 1, 0]
    assert tn.argmax(tn.tensor([1, 3, 3])).item() == 1


def test_logsumexp_of_infinities_and_huge_values() -> None:
    x = tn.tensor([[-inf, -inf], [-inf, 0.0], [1e30, 1e30], [inf, 0.0], [-1e30, -1e30]])
    np.testing.assert_allclose(tn.logsumexp(x, 1).numpy(), [-inf, 0, 1e30, inf, -1e30], rtol=1e-6)
    assert slope(lambda x: tn.logsumexp(x, 0), -inf, -inf) == [0, 0]
    assert slope(lambda x: tn.logsumexp(x, 0), -inf, 3) == [0, 1]
    assert slope(lambda x: tn.logsumexp(x, 0), 1e300, 1e300) == [0.5, 0.5]


@pytest.mark.parametrize("zeros", [0, 1, 2, 5])
def test_prod_and_its_derivatives_with_zeros(zeros: int) -> None:
    values = np.array([1.5, -2.0, 3.0, 0.5, -1.0])
    values[:zeros] = 0.0
    x = tn.tensor(values, requires_grad=True)
    (g,) = tn.autograd.grad(tn.prod(x), [x], create_graph=True)
    assert g is not None
    others = [np.prod(np.delete(values, i)) for i in range(5)]
    np.testing.assert_allclose(g.detach().numpy(), others, rtol=1e-12)
    for i in range(5):
        (row,) = tn.autograd.grad(g[i], [x], retain_graph=True)
        assert row is not None
        second = [0.0 if i == j else np.prod(np.delete(values, [i, j])) for j in range(5)]
        np.testing.assert_allclose(row.numpy(), second, rtol=1e-12)


def test_slope_zero_where_roots_are_zero() -> None:
    assert slope(tn.std, 2, 2, 2) == [0, 0, 0]
    for p in (2, "fro", 1, inf, -inf, 3, 1.5, 0.5):
        assert slope(lambda x, p=p: tn.norm(x, p), 0, 0) == [0, 0], p  # type: ignore[misc]
    assert slope(lambda x: tn.norm(x, -1), 0, 2) == [0, 0]
    assert tn.norm(tn.tensor([0.0, 2.0]), -1).item() == 0


def test_variance_keeps_its_digits_far_from_zero() -> None:
    values = np.array([1, 2, 3, 4], np.float32) + 1e4
    assert tn.var(tn.tensor(values)).item() == np.float32(5 / 3)


def test_float32_sums_are_as_good_as_numpys() -> None:
    values = np.random.default_rng(0).random(100_000).astype(np.float32)
    exact = values.astype(np.float64).sum()
    assert abs(tn.sum(tn.tensor(values)).item() - exact) <= abs(float(values.sum()) - exact)


def test_integers_near_their_bounds() -> None:
    lowest = tn.tensor([-128, 5], dtype=tn.int8)
    assert (lowest.min().item(), lowest.argmin().item(), lowest.sum().item()) == (-128, 0, -123)
    assert tn.tensor([255, 0], dtype=tn.uint8).amin().item() == 0
    assert tn.tensor([200, 100], dtype=tn.uint8).sum().dtype == tn.int64


def test_results_have_names() -> None:
    x = tn.tensor([[1.0, 2.0], [4.0, 3.0]])
    assert x.max(1).indices.tolist() == [1, 0]
    assert x.aminmax().min.item() == 1
    assert tn.var_mean(x, 1).mean.tolist() == [1.5, 3.5]
    assert tn.std_mean(x, 1).std.tolist() == pytest.approx([0.5**0.5] * 2)


# ---- bad arguments ----

EMPTY = (0, 3)
BAD: list[tuple[Callable[[Any, Any], Any], tuple[int, ...], str]] = [
    (lambda m, x: m.sum(x, 2), (2, 3), r"sum: dim=2 is out of range for Tensor f32\[2,3\]; use -2 to 1"),
    (lambda m, x: m.sum(x, (0, -2)), (2, 3), r"sum: dim=\(0, -2\) names an axis of Tensor f32\[2,3\] twice"),
    (lambda m, x: m.sum(x, 1.5), (2, 3), "sum: dim must be an integer, got 1.5"),
    (lambda m, x: x.sum(True), (2, 3), "sum: dim must be an integer, got True"),
    (lambda m, x: m.sum([1, 2]), (2, 3), "sum: needs a Tensor, got list; make one with tn.tensor"),
    (lambda m, x: m.prod([1, 2]), (2, 3), "prod: needs a Tensor, got list"),
    (lambda m, x: m.argmax([1, 2]), (2, 3), "argmax: needs a Tensor"),
    (lambda m, x: m.mean(x.long()), (2, 3), r"mean: Tensor i64\[2,3\] is not floating-point; use .float\(\) first"),
    (lambda m, x: m.nanmean(x.long()), (2, 3), "nanmean: Tensor i64"),
    (lambda m, x: m.var(x.long()), (2, 3), "var: Tensor i64"),
    (lambda m, x: m.norm(x.long()), (2, 3), "norm: Tensor i64"),
    (lambda m, x: m.norm(x, "abc"), (2, 3), "norm: of a vector there is no norm 'abc'"),
    (lambda m, x: m.var(x, 0, True, correction=1), (2, 3), "got both unbiased and correction"),
    (lambda m, x: m.amax(x), EMPTY, r"amax: Tensor f32\[0,3\] is empty and has no largest value; name a dim that is not empty"),
    (lambda m, x: m.amax(x, 0), EMPTY, r"amax: axis 0 of Tensor f32\[0,3\] is empty"),
    (lambda m, x: m.amin(x, 0), EMPTY, "amin: axis 0"),
    (lambda m, x: m.max(x), EMPTY, "amax: Tensor"),
    (lambda m, x: m.max(x, 0), EMPTY, "argmax: axis 0"),
    (lambda m, x: m.argmin(x), EMPTY, "argm.*: axis 0"),
    (lambda m, x: m.argmax(x, 3), (), "argmax: dim=3 is out of range"),
    (lambda m, x: m.norm(x, inf), EMPTY, "amax: Tensor"),
    (lambda m, x: m.prod(x, (0, 1)), (2, 3), "prod: dim must be an integer"),
    (lambda m, x: m.logsumexp(x), (2, 3), "missing 1 required positional argument: 'dim'"),
]


@pytest.mark.parametrize(("call", "shape", "message"), BAD, ids=[message[:30] for *_, message in BAD])
def test_what_bad_arguments_are_told(call: Callable[[Any, Any], Any], shape: tuple[int, ...], message: str) -> None:
    with pytest.raises((RuntimeError, IndexError, TypeError), match=message):
        call(tn, tn.ones(shape))


@pytest.mark.torch
@pytest.mark.parametrize(("call", "shape"), [bad[:2] for bad in BAD], ids=[message[:30] for *_, message in BAD])
def test_error_classes_are_torchs(call: Callable[[Any, Any], Any], shape: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises((RuntimeError, IndexError, TypeError)) as theirs:
        call(torch, torch.ones(shape))
    with pytest.raises(theirs.type):
        call(tn, tn.ones(shape))
