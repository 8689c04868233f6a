"""Samples of ``tinygrad_notes.functions.reduce``."""

from __future__ import annotations

from . import Sample, bools, floats, ints, samples

SAMPLES: list[Sample] = [
    *samples(
        "sum",
        (lambda m, x: m.sum(x), floats(2, 3)),
        (lambda m, x: m.sum(x, 1), floats(2, 3)),
        (lambda m, x: x.sum((0, -1), keepdim=True), floats(2, 3, 2)),
        (lambda m, x: m.sum(x, -1), floats(2, 0)),
        (lambda m, x: m.sum(x), floats()),
    ),
    *samples("sum", (lambda m, x: m.sum(x, 0), ints(2, 3)), (lambda m, x: x.sum(), bools(2, 3)), orders=0),
    *samples("mean", (lambda m, x: m.mean(x), floats(2, 3)), (lambda m, x: x.mean((0, 1), True), floats(2, 3))),
    *samples("amax", (lambda m, x: m.amax(x, 1), floats(2, 3)), (lambda m, x: x.amax((0, 1)), floats(2, 3))),
    *samples("amin", (lambda m, x: m.amin(x, 1), floats(2, 3)), (lambda m, x: x.amin((0, 1)), floats(2, 3))),
    *samples("max", (lambda m, x: m.max(x), floats(2, 3)), (lambda m, x: x.max(1), floats(2, 3))),
    *samples("min", (lambda m, x: m.min(x), floats(2, 3)), (lambda m, x: x.min(1, keepdim=True), floats(2, 3))),
    *samples("argmax", (lambda m, x: m.argmax(x), floats(2, 3)), (lambda m, x: x.argmax(1, True), floats(2, 3)), orders=0),
    *samples("argmin", (lambda m, x: m.argmin(x), floats(2, 3)), (lambda m, x: x.argmin(1), floats(2, 3)), orders=0),
    *samples("all", (lambda m, x: m.all(x), bools(2, 3)), (lambda m, x: x.all(1), floats(2, 3)), orders=0),
    *samples("any", (lambda m, x: m.any(x), bools(2, 3)), (lambda m, x: x.any(1, keepdim=True), ints(2, 3)), orders=0),
]
