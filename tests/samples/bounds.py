"""Samples of ``tinygrad_notes.functions.bounds``."""

from __future__ import annotations

from . import Sample, bools, everywhere, floats, ints, samples

_EQUAL_BOUNDS = "where min equals max, the gradient goes to min or max; torch loses it"
_NUMBERS = "numbers are taken as well as Tensors"

SAMPLES: list[Sample] = [
    *everywhere("clamp", floats(2, 3), min=-0.5, max=0.7, differs=_EQUAL_BOUNDS),
    *everywhere("clamp", floats(2, 3), min=0.1),
    *everywhere("clamp", floats(2, 3), max=0.1, only="f"),
    *everywhere("clamp", floats(2, 3), min=0.5, max=-0.5, only="f"),
    *everywhere("clamp", ints(5), min=1, max=3, orders=0),
    *everywhere("clamp", ints(5), min=1.5, orders=0, only="f"),
    *everywhere("clamp", bools(4), min=0, max=3, orders=0, only="f"),
    *everywhere("clip", floats(2, 3), min=-0.5, max=0.7),
    *samples(
        "clamp",
        (lambda m, x: m.clamp(x, -1.0, 1.0), floats()),
        (lambda m, x: x.clamp(0.0), floats(0, 2)),
        (lambda m, x, lo, hi: m.clamp(x, lo, hi), floats(2, 3), floats(3, low=-1.5, high=0.5), floats(2, 1, low=0.0, high=1.5)),
        (lambda m, x, lo: m.clamp(x, min=lo), floats(3), floats(2, 1)),
        (lambda m, x, hi: x.clamp(max=hi), floats(2, 3), floats()),
    ),
    *samples(
        "clamp",
        (lambda m, x, lo: m.clamp(x, lo), ints(4), floats(4)),
        (lambda m, x: m.clamp(x, float("nan")), floats(3)),
        (lambda m, x: m.clamp(x, m.tensor(float("nan")), m.tensor(1.0)), floats(3)),
        (lambda m, x: m.clamp(m.log(x), -1.0, 0.1), floats(2, 3)),
        orders=0,
    ),
    *everywhere("clamp_min", floats(2, 3), min=0.1),
    *everywhere("clamp_max", floats(2, 3), max=0.1),
    *everywhere("clamp_max", floats(2, 3), floats(3), only="f"),
    *(s for n in ("maximum", "minimum") for s in everywhere(n, floats(2, 3), floats(3), only="fm", differs=_NUMBERS)),
    *(s for n in ("fmax", "fmin") for s in everywhere(n, floats(2, 3), floats(3), only="fm", differs=_NUMBERS)),
    *(s for n in ("maximum", "minimum", "fmax", "fmin") for s in everywhere(n, floats(2, 1), floats(), only="f")),
    *(s for n in ("maximum", "minimum", "fmax", "fmin") for s in everywhere(n, ints(4), ints(4), orders=0, only="f")),
    *(s for n in ("maximum", "minimum", "fmax", "fmin") for s in everywhere(n, bools(4), ints(4), orders=0, only="f")),
    *everywhere("nan_to_num", floats(2, 3)),
    *everywhere("nan_to_num", ints(3), orders=0),
    *samples(
        "nan_to_num",
        (lambda m, x: m.nan_to_num(m.where(x > 1, float("inf"), m.where(x < -1, float("nan"), x))), floats(2, 3)),
        (lambda m, x: m.nan_to_num(m.log(m.clamp(x, min=0.0)), 1.0, 2.0, -3.0), floats(2, 3)),
        orders=1,
    ),
]  # fmt: skip
