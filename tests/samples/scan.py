"""Samples of ``tinygrad_notes.functions.scan``."""

from __future__ import annotations

from . import Sample, bools, floats, ints, samples

X, LINE, NONE, POINT = floats(3, 4), floats(7), floats(0, 3), floats()

SAMPLES: list[Sample] = [
    *samples(
        "cumsum",
        (lambda m, x: m.cumsum(x, 0), X),
        (lambda m, x: x.cumsum(-1), X),
        (lambda m, x: x.cumsum(1), floats(2, 5, 2)),
        (lambda m, x: m.cumsum(x, dim=1, dtype=m.float64), X),
        (lambda m, x: m.cumsum(x, axis=1), X),
        (lambda m, x: m.cumsum(x, 0), POINT),
        (lambda m, x: m.cumsum(x, 0), NONE),
    ),
    *samples(
        "cumsum", (lambda m, x: m.cumsum(x, 0), ints(3, 2)), (lambda m, x: m.cumsum(x, 0), bools(4)),
        (lambda m, x: m.cumsum(x, 0, dtype=m.int32), ints(3, 2)), orders=0,
    ),
    *samples(
        "cumprod",
        (lambda m, x: m.cumprod(x, 0), LINE),
        (lambda m, x: x.cumprod(-1), X),
        (lambda m, x: m.cumprod(x, 1, dtype=m.float64), X),
        (lambda m, x: m.cumprod(m.where(x > 1.0, 0.0, x), 0), LINE),
        (lambda m, x: m.cumprod(m.where(x > 0.0, 0.0, x), 0), X),
        (lambda m, x: m.cumprod(x, 0), POINT),
        (lambda m, x: m.cumprod(x, 0), NONE),
    ),
    *samples("cumprod", (lambda m, x: m.cumprod(x, 0), ints(3, 2)), (lambda m, x: m.cumprod(x, 0), bools(4)), orders=0),
    *samples("Tensor.cumsum_", (lambda m, x: x.clone().cumsum_(1), X)),
    *samples("Tensor.cumprod_", (lambda m, x: x.clone().cumprod_(dim=0), X)),
    *samples(
        "cummax", (lambda m, x: m.cummax(x, 0), LINE), (lambda m, x: tuple(x.cummax(-1)), X), (lambda m, x: m.cummax(x, 0), POINT),
    ),
    *samples("cummax", (lambda m, x: m.cummax(x, 0), ints(6)), (lambda m, x: m.cummax(x, 0), NONE), orders=0),
    *samples(
        "cummin", (lambda m, x: m.cummin(x, 0), LINE), (lambda m, x: tuple(x.cummin(-1)), X), (lambda m, x: m.cummin(x, -1), POINT),
    ),
    *samples("cummin", (lambda m, x: m.cummin(x, 0), ints(6)), (lambda m, x: m.cummin(x, 0), bools(4)), orders=0),
    *samples(
        "logcumsumexp",
        (lambda m, x: m.logcumsumexp(x, 0), LINE),
        (lambda m, x: x.logcumsumexp(-1), X),
        (lambda m, x: m.logcumsumexp(x, 0), POINT),
        (lambda m, x: m.logcumsumexp(x, 0), NONE),
    ),
    *samples(
        "logcumsumexp", (lambda m, x: m.logcumsumexp(x * 1000, 0), LINE), torch=False,
        differs="derivatives keep their digits where values are large; PyTorch's second ones of float32 do not",
    ),
    *samples(
        "diff",
        (lambda m, x: m.diff(x), X),
        (lambda m, x: x.diff(2, 0), X),
        (lambda m, x: m.diff(x, dim=0, prepend=x[:1], append=x[1:]), X),
        (lambda m, x: m.diff(x, n=0), X),
    ),
    *samples("diff", (lambda m, x: m.diff(x, 9), X), (lambda m, x: m.diff(x), bools(5)), (lambda m, x: x.diff(), ints(4)), orders=0),
]  # fmt: skip
