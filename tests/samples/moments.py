"""Samples of ``tinygrad_notes.functions.moments``."""

from __future__ import annotations

from math import inf
from typing import Any

from . import Sample, floats, samples

X, POINT = floats(3, 4), floats()


def _moments(name: str) -> list[Sample]:
    def f(m: Any) -> Any:
        return getattr(m, name)

    return [
        *samples(
            name,
            (lambda m, x: f(m)(x), X),
            (lambda m, x: f(m)(x, 1), X),
            (lambda m, x: f(m)(x, False), X),
            (lambda m, x: f(m)(x, 0, False), X),
            (lambda m, x: f(m)(x, 0, True, True), X),
            (lambda m, x: f(m)(x, (0, -1), keepdim=True, correction=0), X),
            (lambda m, x: f(m)(x, axis=1, correction=2, keepdims=True), X),
            (lambda m, x: f(m)(x, unbiased=False), X),
        ),
        *samples(name, (lambda m, x: f(m)(x, 0), floats(0, 3)), (lambda m, x: f(m)(x), floats(1)), orders=0),
        *samples(name, (lambda m, x: f(m)(x), POINT), (lambda m, x: f(m)(x, 0, correction=3), floats(2, 3)), orders=0),
    ]


def _norms(*orders: Any) -> list[Sample]:
    found = []
    for p in orders:
        found += samples(
            "norm",
            (lambda m, x, p=p: m.norm(x, p), X),
            (lambda m, x, p=p: m.norm(x, p, 1), X),
            (lambda m, x, p=p: m.norm(x, p, (0, 1), True), X),
            orders=0 if p == 0 else 2,
        )
    return found


SAMPLES: list[Sample] = [
    *(sample for name in ("var", "std", "var_mean", "std_mean") for sample in _moments(name)),
    *samples("Tensor.var", (lambda m, x: x.var(1, keepdim=True), X), (lambda m, x: x.var(False), X)),
    *samples("Tensor.std", (lambda m, x: x.std(1, False), X), (lambda m, x: x.std(correction=0), X)),
    *_norms(2, 1, 0, inf, -inf, 3, 1.5, 0.5, -1, 2.5),
    *samples(
        "norm",
        (lambda m, x: m.norm(x), X),
        (lambda m, x: x.norm(), X),
        (lambda m, x: x.norm("fro", (0, 1)), X),
        (lambda m, x: x.norm(dim=-1, keepdim=True), X),
        (lambda m, x: m.norm(x, 2, -1, dtype=m.float64), X),
        (lambda m, x: m.norm(x), POINT),
    ),
    *samples("norm", (lambda m, x: m.norm(x), floats(0)), (lambda m, x: m.norm(x, 3, 1), floats(2, 0)), orders=0),
    *samples("dist", (lambda m, x, y: m.dist(x, y), X, X), (lambda m, x, y: x.dist(y, 3), X, floats(4))),
]
