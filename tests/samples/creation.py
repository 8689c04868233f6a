"""Samples of ``tinygrad_notes.functions.creation``. A call that takes no Tensor is one all the same: its ``m`` says whose."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Sample, floats, ints, samples

A = np.arange(6.0).reshape(2, 3)


def new(x: Any) -> Any:
    """A leaf's copy, for calls that return what they were given."""
    return x * 1


SAMPLES: list[Sample] = [
    *samples(
        "tensor",
        (lambda m: m.tensor([[1.0, 2.0], [3, 4]]),),
        (lambda m: m.tensor([1, 2], dtype=m.float64),),
        (lambda m: m.tensor(True),),
        (lambda m: m.tensor(A, requires_grad=True).detach(),),
        orders=0,
    ),
    *samples(
        "as_tensor",
        (lambda m: m.as_tensor([1, 2]),),
        (lambda m: new(m.as_tensor(A)),),
        (lambda m: m.as_tensor(A, dtype=m.int64),),
        orders=0,
    ),
    *samples("as_tensor", (lambda m, x: new(m.as_tensor(x)), floats(2, 3))),
    *samples(
        "asarray",
        (lambda m: m.asarray([1.5]),),
        (lambda m: m.asarray(A, dtype=m.float32),),
        (lambda m: m.asarray(A, copy=True),),
        (lambda m, x: new(m.asarray(x)), floats(2)),
        orders=0,
    ),
    *samples("asarray", (lambda m, x: new(m.asarray(x, requires_grad=True, copy=True)), floats(2)), replays=False),
    *samples("from_numpy", (lambda m: new(m.from_numpy(A)),), orders=0),
    *samples(
        "zeros",
        (lambda m: m.zeros(2, 3),),
        (lambda m: m.zeros((2, 0), dtype=m.int64),),
        (lambda m: m.zeros([2]),),
        (lambda m: m.zeros(()),),
        orders=0,
    ),
    *samples("ones", (lambda m: m.ones(2, 3),), (lambda m: m.ones((2,), dtype=m.bool),), orders=0),
    *samples("empty", (lambda m: m.empty(2, 3).zero_(),), (lambda m: m.empty((0,), dtype=m.int32),), orders=0),
    *samples(
        "full",
        (lambda m: m.full((2, 3), 1.5),),
        (lambda m: m.full((2,), 3),),
        (lambda m: m.full((), True),),
        (lambda m: m.full([2], 3, dtype=m.float64),),
        orders=0,
    ),
    *samples(
        "full",
        (lambda m, x: m.full((2, 3), x), floats()),
        torch=False,
        differs="a 0-d Tensor as the value stays in the graph; torch takes its number and drops the gradient",
    ),
    *samples(
        "zeros_like",
        (lambda m, x: m.zeros_like(x), floats(2, 3)),
        (lambda m, x: m.zeros_like(x, dtype=m.int64), floats(2)),
        orders=0,
    ),
    *samples(
        "ones_like",
        (lambda m, x: m.ones_like(x), ints(2, 3)),
        (lambda m, x: m.ones_like(x, dtype=m.float64), ints(2)),
        orders=0,
    ),
    *samples(
        "empty_like",
        (lambda m, x: m.empty_like(x).zero_(), floats(2, 3)),
        (lambda m, x: m.empty_like(x, dtype=m.int32).zero_(), floats(2)),
        orders=0,
    ),
    *samples(
        "full_like",
        (lambda m, x: m.full_like(x, 2), floats(2, 3)),
        (lambda m, x: m.full_like(x, 2, dtype=m.int64), floats(2)),
        orders=0,
    ),
    *samples(
        "Tensor.new_zeros",
        (lambda m, x: x.new_zeros(2, 3), floats(1)),
        (lambda m, x: x.new_zeros((2,), dtype=m.float64), ints(1)),
        orders=0,
    ),
    *samples("Tensor.new_ones", (lambda m, x: x.new_ones(2, 3), ints(1)), (lambda m, x: x.new_ones([2]), floats(1)), orders=0),
    *samples("Tensor.new_empty", (lambda m, x: x.new_empty(2, 3).zero_(), ints(1)), orders=0),
    *samples(
        "Tensor.new_full",
        (lambda m, x: x.new_full((2, 3), 7), floats(1)),
        (lambda m, x: x.new_full((), 2, dtype=m.int32), ints(1)),
        orders=0,
    ),
    *samples(
        "Tensor.new_tensor",
        (lambda m, x: x.new_tensor([1, 2]), floats(1)),
        (lambda m, x: x.new_tensor([1.5], dtype=m.float64), ints(1)),
        orders=0,
    ),
    *samples("eye", (lambda m: m.eye(3),), (lambda m: m.eye(2, 3, dtype=m.int64),), (lambda m: m.eye(0),), orders=0),
    *samples(
        "arange",
        (lambda m: m.arange(5),),
        (lambda m: m.arange(1, 7, 2),),
        (lambda m: m.arange(3, -2, -2),),
        (lambda m: m.arange(0.0),),
        (lambda m: m.arange(1, 2.5, 0.5),),
        (lambda m: m.arange(3.0, dtype=m.int64),),
        (lambda m: m.arange(0, 1, 0.1, dtype=m.float64),),
        (lambda m: m.arange(2, 2),),
        (lambda m: m.arange(m.tensor(4)),),
        (lambda m: m.arange(5, dtype=m.float64),),
        orders=0,
    ),
    *samples(
        "linspace",
        (lambda m: m.linspace(0, 1, 5),),
        (lambda m: m.linspace(1, -1, 4, dtype=m.float64),),
        (lambda m: m.linspace(2, 3, 1),),
        (lambda m: m.linspace(0, 1, 0),),
        (lambda m: m.linspace(0, 10, 5, dtype=m.int64),),
        (lambda m: m.linspace(0, 1, steps=3),),
        orders=0,
    ),
    *samples(
        "logspace",
        (lambda m: m.logspace(0, 2, 3),),
        (lambda m: m.logspace(-1, 1, 4, 2.0),),
        (lambda m: m.logspace(0, 1, 3, base=2, dtype=m.float64),),
        orders=0,
    ),
    *samples(
        "tril_indices",
        (lambda m: m.tril_indices(3, 4),),
        (lambda m: m.tril_indices(3, 3, -1),),
        (lambda m: m.tril_indices(2, 4, 2),),
        orders=0,
    ),
    *samples(
        "triu_indices",
        (lambda m: m.triu_indices(3, 4),),
        (lambda m: m.triu_indices(3, 3, -1),),
        (lambda m: m.triu_indices(2, 4, 2, dtype=m.int32),),
        orders=0,
    ),
    *samples(
        "meshgrid",
        (lambda m, x, y: m.meshgrid(x, y, indexing="ij"), floats(2), floats(3)),
        (lambda m, x, y: m.meshgrid([x, y], indexing="xy"), floats(2), floats()),
        (lambda m, x, y, z: m.meshgrid(x, y, z, indexing="xy"), floats(2), floats(1), floats(3)),
        (lambda m, x: m.meshgrid(x, indexing="xy"), floats(2)),
        orders=1,
    ),
    *samples(
        "nn.functional.one_hot",
        (lambda m, x: m.nn.functional.one_hot(x, 6), ints(2, 3)),
        (lambda m, x: m.nn.functional.one_hot(x), ints(4)),
        (lambda m, x: m.nn.functional.one_hot(x, num_classes=5), ints()),
        (lambda m, x: m.nn.functional.one_hot(x, 3), ints(0)),
        orders=0,
    ),
]
