"""Samples of ``tinygrad_notes.functions.sort``."""

from __future__ import annotations

from . import Sample, bools, floats, ints, samples

X, LINE, NONE, POINT = floats(3, 4), floats(7), floats(0, 3), floats()

SAMPLES: list[Sample] = [
    *samples(
        "sort",
        (lambda m, x: m.sort(x), X),
        (lambda m, x: tuple(x.sort(0, descending=True)), X),
        (lambda m, x: m.sort(x, -2, True), floats(2, 3, 2)),
        (lambda m, x: m.sort(x, dim=1).values, X),
        (lambda m, x: m.sort(x), POINT),
        (lambda m, x: m.sort(x, 0), NONE),
    ),
    *samples(
        "sort", (lambda m, x: m.sort(x, dim=0, stable=True), ints(9)), (lambda m, x: m.sort(x, stable=True, descending=True), ints(9)),
        (lambda m, x: m.sort(x, stable=True), bools(5)), orders=0,
    ),
    *samples(
        "argsort", (lambda m, x: m.argsort(x), X), (lambda m, x: x.argsort(0, True), X), (lambda m, x: m.argsort(x), POINT),
        (lambda m, x: m.argsort(x, stable=True), ints(9)), (lambda m, x: x.argsort(dim=0, descending=True, stable=True), ints(9)),
        orders=0,
    ),
    *samples("msort", (lambda m, x: m.msort(x), X), (lambda m, x: x.msort(), LINE)),
    *samples(
        "topk",
        (lambda m, x: m.topk(x, 2), X),
        (lambda m, x: tuple(x.topk(2, 0, largest=False)), X),
        (lambda m, x: m.topk(x, 3, dim=-1, sorted=True).values, X),
        (lambda m, x: m.topk(x, 0), X),
        (lambda m, x: m.topk(x, 1), POINT),
        (lambda m, x: m.topk(x, 2), floats(2, 20)),
        (lambda m, x: m.topk(x, 3, 0, False), floats(20)),
    ),
    *samples("topk", (lambda m, x: m.topk(x, 2).values, ints(7)), orders=0),
    *samples(
        "kthvalue",
        (lambda m, x: m.kthvalue(x, 2), X),
        (lambda m, x: tuple(x.kthvalue(3, 0, True)), X),
        (lambda m, x: m.kthvalue(x, 1), POINT),
    ),
    *samples("kthvalue", (lambda m, x: m.kthvalue(x, 2).values, ints(7)), orders=0),
    *samples(
        "median",
        (lambda m, x: m.median(x), X),
        (lambda m, x: m.median(x), LINE),
        (lambda m, x: x.median(1), X),
        (lambda m, x: m.median(x, -2, True), X),
        (lambda m, x: m.median(x, 0), POINT),
        (lambda m, x: m.median(x), POINT),
    ),
    *samples(
        "median", (lambda m, x: m.median(x), ints(6)), (lambda m, x: m.median(x, 0).values, ints(5, 2)),
        (lambda m, x: m.median(x), NONE), orders=0,
    ),
    *samples(
        "quantile",
        (lambda m, x: m.quantile(x, 0.3), X),
        (lambda m, x: x.quantile(0.75, 1), X),
        (lambda m, x: m.quantile(x, 0.5, 0, True), X),
        (lambda m, x: m.quantile(x, 0.1, keepdim=True), X),
        (lambda m, x, q: m.quantile(x, q), X, floats(3, low=0.0, high=1.0)),
        (lambda m, x, q: m.quantile(x, q, -1, True), X, floats(3, low=0.0, high=1.0)),
        (lambda m, x, q: m.quantile(x, q, 0), X, floats(low=0.0, high=1.0)),
        *((lambda m, x, how=how: m.quantile(x, 0.3, 1, interpolation=how), X)
          for how in ("linear", "lower", "higher", "midpoint", "nearest")),
        (lambda m, x: m.quantile(x, 1.0, 0), X),
        (lambda m, x: m.quantile(x, 0.4), POINT),
    ),
    *samples(
        "searchsorted",
        (lambda m, x: m.searchsorted(m.sort(x).values, x), LINE),
        (lambda m, x: m.searchsorted(m.sort(x).values, x, right=True), X),
        (lambda m, x: m.searchsorted(m.sort(x).values, x, side="right", out_int32=True), ints(6)),
        (lambda m, x: m.searchsorted(m.sort(x).values, 1), ints(6)),
        (lambda m, x, y: m.searchsorted(m.sort(x).values, y), ints(6), floats(2, 3)),
        orders=0,
    ),
    *samples(
        "bucketize",
        (lambda m, x: m.bucketize(x, m.tensor([-1.0, 0.0, 1.0], dtype=x.dtype)), X),
        (lambda m, x: m.bucketize(x, m.tensor([1, 3]), right=True), ints(6)),
        orders=0,
    ),
]  # fmt: skip
