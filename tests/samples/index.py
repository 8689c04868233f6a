"""Samples of square brackets and ``index_put``; every form of index is compared in tests/test_indexing.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Sample, bools, floats, ints, samples


def put(x: Any, index: Any, value: Any) -> Any:
    """``x`` with ``value`` at ``index``."""
    y = x * 2
    y[index] = value
    return y * x


SAMPLES: list[Sample] = [
    *samples(
        "Tensor.__getitem__",
        (lambda m, x: x[1], floats(2, 3)),
        (lambda m, x: x[:, ::2], floats(2, 3)),
        (lambda m, x: x[..., None, -1], floats(2, 3)),
        (lambda m, x, i: x[i], floats(5, 2), ints(3)),
        (lambda m, x, i, j: x[i, :, j], floats(5, 2, 5), ints(3), ints(2, 1)),
        (lambda m, x, i, j: x[:, i, j], floats(2, 5, 5), ints(3), ints(3)),
        (lambda m, x: x[[0, 1, 1], [0, 2, 2]], floats(2, 3)),
        (lambda m, x: x[True, None, np.array([1, 0])], floats(2, 3)),
        (lambda m, x: x[range(1)], floats(2, 3)),
        orders=1,
    ),
    *samples(
        "Tensor.__getitem__",
        (lambda m, x: x[::-1, ::-2], floats(2, 3)),
        orders=1,
        torch=False,
        differs="slices may step backward, as in numpy; PyTorch refuses them",
    ),
    *samples("Tensor.__getitem__", (lambda m, x, b: x[b, 0], floats(4, 3), bools(4)), orders=1, replays=False),
    *samples(
        "Tensor.__setitem__",
        (lambda m, x, v: put(x, (slice(None), 1), v), floats(2, 3), floats(2)),
        (lambda m, x, v: put(x, [3, -5, 1], v), floats(5, 2), floats(2)),
        (lambda m, x, v: put(x, ([0, 2], slice(None), [1, 1]), v), floats(3, 2, 3), floats(2, 2)),
        (lambda m, x, v: put(x, (slice(None), [[0], [2]], [[1, 0]]), v), floats(2, 3, 2), floats(2, 2, 2)),
        (lambda m, x, v, b: put(x, b, v), floats(4, 3), floats(3), bools(4)),
        (lambda m, x, v, b: put(x, (slice(None), b), v), floats(2, 4), floats(), bools(4)),
    ),
    *samples(
        "Tensor.__setitem__",
        (lambda m, x, v, i: put(x, i, v), floats(5, 2), floats(3, 2), ints(3, low=1, high=2)),
        (lambda m, x, v, i, j: put(x, (i, slice(None), j), v), floats(3, 2, 3), floats(2), ints(4, high=3), ints(4, high=3)),
        torch=False,
        differs="where places are named twice the last value counts, and gradients reach it alone; PyTorch's reach all of them",
    ),
    *samples(
        "index_put",
        (lambda m, x, v, i: m.index_put(x, (i,), v), floats(5, 2), floats(2), ints(1)),
        (lambda m, x, v, i: m.index_put(x, (i, i), v, accumulate=True), floats(5, 5), floats(3), ints(3)),
        (lambda m, x, v, i: (x * 1).index_put_((m.arange(2)[:, None], i), v, True), floats(2, 5), floats(2, 4), ints(4)),
        (lambda m, x, v, b: x.index_put((b,), v), floats(4, 2), floats(1), bools(4)),
    ),
]
