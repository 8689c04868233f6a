"""Samples of ``tinygrad_notes.functions.select`` and ``scatter``."""

from __future__ import annotations

from . import Input, Sample, bools, floats, ints, samples


def places(*shape: int) -> Input:
    """Positions 0 or 1."""
    return ints(*shape, high=2)


def one(*shape: int) -> Input:
    """Position 1 everywhere: no place is named twice along an axis of length 1."""
    return ints(*shape, low=1, high=2)


SAMPLES: list[Sample] = [
    *samples(
        "gather",
        (lambda m, x, i: m.gather(x, 0, i), floats(5, 2), ints(3, 2)),
        (lambda m, x, i: x.gather(-1, i), floats(2, 5), ints(1, 4)),
        (lambda m, x, i: m.gather(x, dim=0, index=i), floats(5), ints(0)),
        (lambda m, x, i: x.gather(0, i), floats(), ints(high=1)),
        orders=1,
    ),
    *samples(
        "index_select",
        (lambda m, x, i: m.index_select(x, 0, i), floats(5, 2), ints(3)),
        (lambda m, x, i: x.index_select(dim=-1, index=i), floats(2, 5), ints()),
        (lambda m, x, i: x.index_select(0, i), floats(5), ints(0)),
        (lambda m, x, i: x.index_select(0, i), floats(), ints(1, high=1)),
        orders=1,
    ),
    *samples(
        "take",
        (lambda m, x, i: m.take(x, i), floats(2, 3), ints(2, 2)),
        (lambda m, x, i: x.take(i), floats(2, 3), ints(3, low=-6, high=6)),
        (lambda m, x, i: x.take(i), floats(), ints(high=1)),
        orders=1,
    ),
    *samples(
        "take_along_dim",
        (lambda m, x, i: m.take_along_dim(x, i, 1), floats(2, 5), ints(1, 3)),
        (lambda m, x, i: x.take_along_dim(i, dim=-2), floats(5, 1), ints(2, 3)),
        (lambda m, x, i: x.take_along_dim(i), floats(2, 3), ints(2, 2)),
        orders=1,
    ),
    *samples(
        "masked_fill",
        (lambda m, x, b: m.masked_fill(x, b, -1.5), floats(2, 3), bools(2, 3)),
        (lambda m, x, b: x.masked_fill(b, 2), floats(2, 3), bools(3)),
        (lambda m, x, b: (x * 1).masked_fill_(b, 0), floats(2, 3), bools(2, 1)),
        (lambda m, x, b: x.masked_fill(b, 1), floats(3), bools(2, 1)),
        orders=1,
    ),
    *samples("masked_fill", (lambda m, x, b, v: x.masked_fill(b, v), floats(2, 3), bools(3), floats()), orders=1),
    *samples(
        "masked_fill",
        (lambda m, x, b: x.masked_fill(b, 7), ints(3), bools(3)),
        (lambda m, b: b.masked_fill(b, 0), bools(4)),
        orders=0,
    ),
    *samples(
        "masked_select",
        (lambda m, x, b: m.masked_select(x, b), floats(2, 3), bools(2, 3)),
        (lambda m, x, b: x.masked_select(b), floats(2, 1), bools(4)),
        orders=1,
        replays=False,
    ),
    *samples(
        "masked_scatter",
        (lambda m, x, b, s: m.masked_scatter(x, b, s), floats(2, 3), bools(2, 3), floats(4)),
        (lambda m, x, b, s: x.masked_scatter(b, s), floats(2, 3), bools(3), floats(2, 2)),
        (lambda m, x, b, s: (x * 1).masked_scatter_(b, s), floats(4), bools(4), floats(2)),
        orders=1,
    ),
    *samples(
        "scatter",
        (lambda m, x, i, s: m.scatter(x, 0, i, s), floats(3, 4), one(1, 3), floats(1, 3)),
        (lambda m, x, i, s: (x * 1).scatter_(-1, i, s), floats(2, 3), one(2, 1), floats(2, 1)),
        (lambda m, x, i, s: x.scatter(0, i, s), floats(), ints(high=1), floats()),
        (lambda m, x, i, s: x.scatter(dim=0, index=i, src=s), floats(3), ints(0), floats(0)),
        orders=1,
    ),
    *samples(
        "scatter",
        (lambda m, x, i: m.scatter(x, 1, i, 2.5), floats(2, 3), places(2, 2)),
        (lambda m, x, i: x.scatter(0, i, value=-1), floats(3, 2), places(3, 1)),
        (lambda m, x, i: (x * 1).scatter_(0, i, 7), floats(3), places(2)),
        orders=1,
    ),
    *samples("scatter", (lambda m, x, i: m.zeros(3, 5).scatter(1, i, 1), floats(1), ints(3, 1)), orders=0),
    *samples(
        "scatter",
        (lambda m, x, i, s: m.scatter(x, 0, i, s, reduce="add"), floats(3), places(4), floats(4)),
        (lambda m, x, i, s: x.scatter(0, i, s, reduce="multiply"), floats(3), places(3), floats(3)),
        (lambda m, x, i, s: x.scatter(0, i, s), floats(3), places(4), floats(4)),
        (lambda m, x, i, s: x.scatter(0, i, s), floats(3, 4), one(1, 3), floats(2, 3)),
        orders=1,
        torch=False,
        differs="gradients where PyTorch has none (reduce=, src larger than index) or undefined ones (a place named twice: the last)",
    ),
    *samples(
        "scatter_add",
        (lambda m, x, i, s: m.scatter_add(x, 0, i, s), floats(3, 2), places(4, 2), floats(4, 2)),
        (lambda m, x, i, s: (x * 1).scatter_add_(1, i, s), floats(2, 3), places(1, 2), floats(1, 2)),
        (lambda m, x, i, s: x.scatter_add(0, i, s), floats(), ints(high=1), floats()),
        orders=1,
    ),
    *samples(
        "scatter_add",
        (lambda m, x, i, s: m.scatter_add(x, 0, i, s), floats(3, 2), places(4, 2), floats(4, 3)),
        orders=1,
        torch=False,
        differs="a src larger than the index has a gradient; PyTorch's backward raises",
    ),
    *samples(
        "scatter_reduce",
        (lambda m, x, i, s: m.scatter_reduce(x, 0, i, s, "sum"), floats(3), places(4), floats(4)),
        (lambda m, x, i, s: x.scatter_reduce(0, i, s, reduce="sum", include_self=False), floats(3), places(4), floats(4)),
        (lambda m, x, i, s: x.scatter_reduce(1, i, s, "mean"), floats(2, 3), places(2, 4), floats(2, 4)),
        (lambda m, x, i, s: x.scatter_reduce(0, i, s, "mean", include_self=False), floats(3, 2), places(4, 2), floats(4, 2)),
        (lambda m, x, i, s: (x * 1).scatter_reduce_(0, i, s, "mean"), floats(3), places(4), floats(4)),
        orders=1,
    ),
    *samples(
        "scatter_reduce",
        (lambda m, x, i, s: x.scatter_reduce(0, i, s, "prod"), floats(3), places(4), floats(4)),
        (lambda m, x, i, s: x.scatter_reduce(0, i, s, "prod", include_self=False), floats(3, 2), places(4, 1), floats(4, 1)),
        (lambda m, x, i, s: x.scatter_reduce(1, i, s, "amax"), floats(2, 3), places(2, 4), floats(2, 4)),
        (lambda m, x, i, s: x.scatter_reduce(0, i, s, "amax", include_self=False), floats(3), places(4), floats(4)),
        (lambda m, x, i, s: x.scatter_reduce(-1, i, s, "amin"), floats(2, 3), places(1, 4), floats(1, 4)),
        (lambda m, x, i, s: x.scatter_reduce(0, i, s, "amin", include_self=False), floats(3), places(4), floats(4)),
        (lambda m, x, i, s: x.scatter_reduce(0, i, s, "amax"), floats(3), places(0), floats(0)),
        orders=1,
    ),
    *samples(
        "scatter_reduce",
        (lambda m, x, i, s: x.scatter_reduce(0, i, s, "mean"), ints(3), places(4), ints(4)),
        (lambda m, x, i, s: x.scatter_reduce(0, i, s, "amax", include_self=False), ints(3), places(4), ints(4)),
        (lambda m, x, i, s: x.scatter_reduce(0, i, s, "amin"), ints(3), places(4), ints(4)),
        orders=0,
    ),
    *samples(
        "index_add",
        (lambda m, x, i, s: m.index_add(x, 0, i, s), floats(5, 2), ints(3), floats(3, 2)),
        (lambda m, x, i, s: x.index_add(-1, i, s, alpha=-2), floats(2, 5), ints(3), floats(2, 3)),
        (lambda m, x, i, s: (x * 1).index_add_(0, i, s), floats(5), ints(4), floats(4)),
        orders=1,
    ),
    *samples(
        "index_copy",
        (lambda m, x, i, s: m.index_copy(x, 0, i, s), floats(5, 2), ints(1), floats(1, 2)),
        (lambda m, x, i, s: x.index_copy(-1, m.tensor([3, 1]), s), floats(2, 5), ints(1), floats(2, 2)),
        (lambda m, x, i, s: (x * 1).index_copy_(0, i, s), floats(5), ints(1), floats(1)),
        orders=1,
    ),
    *samples(
        "index_fill",
        (lambda m, x, i: m.index_fill(x, 0, i, 1.5), floats(5, 2), ints(3)),
        (lambda m, x, i: x.index_fill(-1, i, -1), floats(2, 5), ints(3)),
        (lambda m, x, i: (x * 1).index_fill_(0, i, 3), floats(5), ints(2)),
        (lambda m, x, v: (x * 1).index_fill_(0, m.tensor([1, 3]), v), floats(5, 2), floats()),
        orders=1,
    ),
    *samples(
        "put",
        (lambda m, x, i, s: m.put(x, i, s), floats(2, 3), ints(1), floats(1)),
        (lambda m, x, i, s: x.put(m.tensor([[-1, 0]]), s), floats(2, 3), ints(1), floats(2)),
        (lambda m, x, i, s: (x * 1).put_(i, s, accumulate=True), floats(2, 3), ints(4), floats(2, 2)),
        orders=1,
    ),
]
