"""Samples of ``tinygrad_notes.functions.reduce``."""

from __future__ import annotations

from math import inf, nan

from . import Sample, bools, floats, ints, samples

X, NONE, POINT = floats(2, 3), floats(0, 3), floats()

SAMPLES: list[Sample] = [
    *samples(
        "sum",
        (lambda m, x: m.sum(x), X),
        (lambda m, x: m.sum(x, 1), X),
        (lambda m, x: x.sum((0, -1), keepdim=True), floats(2, 3, 2)),
        (lambda m, x: x.sum(()), X),
        (lambda m, x: x.sum(axis=0, keepdims=True), X),
        (lambda m, x: m.sum(x, -1), floats(2, 0)),
        (lambda m, x: m.sum(x), POINT),
        (lambda m, x: m.sum(x, 0, dtype=m.float64), X),
    ),
    *samples("sum", (lambda m, x: m.sum(x, 0), ints(2, 3)), (lambda m, x: x.sum(), bools(2, 3)), orders=0),
    *samples("sum", (lambda m, x: x.sum(1, dtype=m.int32), ints(2, 3)), (lambda m, x: x.sum(), floats(0)), orders=0),
    *samples(
        "mean",
        (lambda m, x: m.mean(x), X),
        (lambda m, x: x.mean((0, 1), True), X),
        (lambda m, x: x.mean(-1, dtype=m.float64), X),
        (lambda m, x: m.mean(x), POINT),
    ),
    *samples("mean", (lambda m, x: m.mean(x, 0), NONE), (lambda m, x: x.mean(0, dtype=m.float32), ints(2, 3)), orders=0),
    *samples(
        "nansum", (lambda m, x: m.nansum(x), X), (lambda m, x: m.where(x > 1, nan, x).nansum(1, True), X),
    ),
    *samples("nansum", (lambda m, x: m.nansum(x, 0), ints(2, 3)), (lambda m, x: m.nansum(x, 0), NONE), orders=0),
    *samples(
        "nanmean", (lambda m, x: x.nanmean(), X), (lambda m, x: m.nanmean(m.where(x > 1, nan, x), 1, True), X),
    ),
    *samples("nanmean", (lambda m, x: m.nanmean(x, 0), NONE), orders=0),
    *samples(
        "prod",
        (lambda m, x: m.prod(x), X),
        (lambda m, x: m.prod(x, 1), floats(2, 5)),
        (lambda m, x: x.prod(-2, keepdim=True), floats(2, 4, 2)),
        (lambda m, x: m.prod(x), POINT),
        (lambda m, x: m.prod(x, 0), POINT),
        (lambda m, x: m.prod(m.where(x > 1.2, 0.0, x)), floats(5)),
        (lambda m, x: m.prod(m.where(x > 0.5, 0.0, x), 0), floats(5, 2)),
        (lambda m, x: m.prod(m.where(x > -0.5, 0.0, x), -1), floats(2, 4)),
    ),
    *samples(
        "prod", (lambda m, x: x.prod(), ints(2, 3)), (lambda m, x: x.prod(0), bools(3)), (lambda m, x: x.prod(0), NONE),
        (lambda m, x: x.prod(1, dtype=m.float32), ints(2, 3)), orders=0,
    ),
    *samples(
        "logsumexp",
        (lambda m, x: m.logsumexp(x, 1), X),
        (lambda m, x: x.logsumexp((0, -1), keepdim=True), X),
        (lambda m, x: m.logsumexp(x * 1000, 0), X),
        (lambda m, x: m.logsumexp(m.where(x > 1, -inf, x), 1), X),
        (lambda m, x: m.logsumexp(x, 0), POINT),
    ),
    *samples("logsumexp", (lambda m, x: m.logsumexp(x, 0), NONE), (lambda m, x: m.logsumexp(x, 1), ints(2, 3)), orders=0),
    *samples("amax", (lambda m, x: m.amax(x, 1), X), (lambda m, x: x.amax((0, 1)), X), (lambda m, x: x.amax(), POINT)),
    *samples("amax", (lambda m, x: m.amax(x, (0, 1), True), ints(2, 3)), (lambda m, x: x.amax(0), bools(2, 3)), orders=0),
    *samples("amin", (lambda m, x: m.amin(x, 1), X), (lambda m, x: x.amin((0, 1)), X), (lambda m, x: x.amin(0), POINT)),
    *samples("amin", (lambda m, x: m.amin(x, 1), ints(2, 3, low=-5)), (lambda m, x: x.amin(0), bools(2, 3)), orders=0),
    *samples(
        "aminmax", (lambda m, x: m.aminmax(x), X), (lambda m, x: tuple(x.aminmax(dim=-1, keepdim=True)), X),
    ),
    *samples(
        "max", (lambda m, x: m.max(x), X), (lambda m, x: x.max(1), X), (lambda m, x: x.max(-2, True), X),
        (lambda m, x: m.max(x, 0), POINT), (lambda m, x: m.max(x, dim=0).values, X),
    ),
    *samples(
        "max", (lambda m, x, y: m.max(x, y), X, X), (lambda m, x, y: x.max(other=y), X, POINT), (lambda m, x, y: x.max(y), X, X),
    ),
    *samples("min", (lambda m, x, y: m.min(x, y), X, floats(3)), (lambda m, x, y: x.min(other=y), X, X)),
    *samples("max", (lambda m, x: m.max(x, 0), ints(3, 4)), (lambda m, x: m.max(x, 1), NONE), orders=0),
    *samples(
        "min", (lambda m, x: m.min(x), X), (lambda m, x: x.min(1, keepdim=True), X), (lambda m, x: m.min(x, 0), POINT),
    ),
    *samples("min", (lambda m, x: m.min(x, 0), ints(3, 4)), (lambda m, x: m.min(x, 1).indices, bools(2, 2)), orders=0),
    *samples(
        "argmax", (lambda m, x: m.argmax(x), X), (lambda m, x: x.argmax(1, True), X), (lambda m, x: m.argmax(x, None, True), X),
        (lambda m, x: m.argmax(x, 0), ints(4, 3)), (lambda m, x: m.argmax(x, 0), POINT), orders=0,
    ),
    *samples("argmin", (lambda m, x: m.argmin(x), X), (lambda m, x: x.argmin(1), ints(2, 3)), orders=0),
    *samples(
        "all", (lambda m, x: m.all(x), bools(2, 3)), (lambda m, x: x.all(1), X), (lambda m, x: x.all((0, 1), True), ints(2, 3)),
        (lambda m, x: x.to(m.uint8).all(0), ints(2, 3)), (lambda m, x: m.all(x, 0), NONE), (lambda m, x: m.all(x, ()), X),
        orders=0,
    ),
    *samples(
        "any", (lambda m, x: m.any(x), bools(2, 3)), (lambda m, x: x.any(1, keepdim=True), ints(2, 3)),
        (lambda m, x: x.to(m.uint8).any(), ints(2, 3)), (lambda m, x: m.any(x, 0), NONE), (lambda m, x: m.any(x, ()), X),
        orders=0,
    ),
    *samples(
        "count_nonzero", (lambda m, x: m.count_nonzero(x), ints(3, 4, high=2)),
        (lambda m, x: x.count_nonzero(dim=(0, 1)), bools(2, 3)), (lambda m, x: m.count_nonzero(x, -1), X), orders=0,
    ),
]  # fmt: skip
