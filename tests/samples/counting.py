"""Samples of ``tinygrad_notes.functions.counting``."""

from __future__ import annotations

from . import Sample, bools, floats, ints, samples

GRADIENT = "the gradient of a value flows to its first occurrence, where PyTorch has none"

SAMPLES: list[Sample] = [
    *samples(
        "nonzero",
        (lambda m, x: m.nonzero(x), ints(3, 4, high=2)),
        (lambda m, x: m.nonzero(x, as_tuple=True), bools(2, 3)),
        (lambda m, x: x.nonzero(), floats()),
        (lambda m, x: x.nonzero(as_tuple=True), floats()),
        (lambda m, x: x.nonzero(), floats(0, 3)),
        (lambda m, x: m.where(x), bools(2, 3)),
        (lambda m, x: m.where(x > 0), floats()),
        (lambda m, x: m.where(x), ints(3, high=2)),
        orders=0, replays=False,
    ),
    *samples("argwhere", (lambda m, x: m.argwhere(x), ints(3, 4, high=2)), (lambda m, x: x.argwhere(), bools(5)), orders=0, replays=False),
    *samples(
        "unique",
        (lambda m, x: m.unique(x), ints(3, 4)),
        (lambda m, x: x.unique(return_inverse=True), ints(3, 4)),
        (lambda m, x: m.unique(x, True, True, True), ints(9)),
        (lambda m, x: m.unique(x, return_counts=True), bools(5)),
        (lambda m, x: m.unique(x, dim=0, return_inverse=True, return_counts=True), ints(8, 2, high=2)),
        (lambda m, x: m.unique(x, dim=-1), ints(2, 8, high=2)),
        (lambda m, x: m.unique(x), floats(0)),
        (lambda m, x: m.unique(x, dim=0), floats(0, 3)),
        (lambda m, x: m.unique(x), floats()),
        orders=0, replays=False, differs=GRADIENT,
    ),
    *samples("unique", (lambda m, x: m.unique(x), floats(2, 3)), replays=False, torch=False, differs=GRADIENT),
    *samples(
        "unique_consecutive",
        (lambda m, x: m.unique_consecutive(x), ints(9, high=2)),
        (lambda m, x: x.unique_consecutive(True, True), ints(3, 4, high=2)),
        (lambda m, x: m.unique_consecutive(x, dim=0, return_inverse=True, return_counts=True), ints(8, 2, high=1)),
        orders=0, replays=False, differs=GRADIENT,
    ),
    *samples(
        "bincount",
        (lambda m, x: m.bincount(x), ints(9)),
        (lambda m, x: x.bincount(minlength=8), ints(9)),
        (lambda m, x, w: m.bincount(x, w), ints(6), floats(6)),
        (lambda m, x, w: m.bincount(x, weights=w), ints(6), ints(6)),
        (lambda m, x: m.bincount(x), ints(0)),
        orders=0, replays=False, differs="the weights have a gradient, which PyTorch's have not",
    ),
    *samples(
        "bincount", (lambda m, x, w: m.bincount(x, w), ints(6), floats(6)), replays=False, torch=False,
        differs="the weights have a gradient, which PyTorch's have not",
    ),
    *samples(
        "histc",
        (lambda m, x: m.histc(x, 4), floats(9)),
        (lambda m, x: x.histc(5, -1, 1), floats(3, 4)),
        (lambda m, x: m.histc(x, bins=3, min=0, max=4), floats(9)),
        orders=0, replays=False,
    ),
]  # fmt: skip
