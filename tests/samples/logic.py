"""Samples of ``tinygrad_notes.functions.logic``."""

from __future__ import annotations

from . import Input, Sample, bools, everywhere, floats, ints, samples

_BITS = ["bitwise_and", "bitwise_or", "bitwise_xor"]
_SHIFTS = ["bitwise_left_shift", "bitwise_right_shift"]
_LOGIC = ["logical_and", "logical_or", "logical_xor"]
_WHAT = ["isnan", "isinf", "isfinite", "isposinf", "isneginf"]
_INTS: tuple[Input, Input] = ints(2, 3, low=-9, high=9), ints(3)
_NO_FLOATS = "floats are refused; torch multiplies them by a power of two"

SAMPLES: list[Sample] = [
    *(s for n in (*_BITS, *_SHIFTS) for s in everywhere(n, *_INTS, orders=0)),
    *(s for n in _BITS for s in everywhere(n, bools(2, 3), bools(3), orders=0)),
    *(s for n in _BITS for s in everywhere(n, bools(2, 1), ints(3), orders=0, only="f")),
    *everywhere("bitwise_not", ints(4, low=-3), orders=0),
    *everywhere("bitwise_not", bools(4), orders=0),
    *samples("bitwise_not", (lambda m, x: ~x, ints(4, low=-3)), (lambda m, x: ~(x > 0).to(m.uint8), ints(4, low=-3)), orders=0),
    *samples("bitwise_and", (lambda m, x: x & 6, ints(4)), (lambda m, x: 5 & x, ints(4)), (lambda m, x: x & True, bools(4)), orders=0),
    *samples("bitwise_or", (lambda m, x: x | 6, ints(4)), (lambda m, x: 5 | x, ints(4)), orders=0),
    *samples("bitwise_xor", (lambda m, x: x ^ 6, ints(4)), (lambda m, x: 5 ^ x, ints(4)), orders=0),
    *samples("bitwise_left_shift", (lambda m, x: x << 2, ints(4)), (lambda m, x: 5 << x, ints(4)), orders=0, differs=_NO_FLOATS),
    *samples("bitwise_right_shift", (lambda m, x: x >> 1, ints(4)), (lambda m, x: 50 >> x, ints(4)), orders=0, differs=_NO_FLOATS),
    *samples("bitwise_left_shift", (lambda m, x: x << 64, ints(4)), (lambda m, x: (x - 2) >> 70, ints(4)), orders=0),
    *(s for n in _LOGIC for s in everywhere(n, ints(2, 3, high=2), floats(3), orders=0)),
    *(s for n in _LOGIC for s in everywhere(n, bools(2, 3), bools(3), orders=0)),
    *(s for n in _LOGIC for s in everywhere(n, floats(2, 3), bools(2, 1), orders=0)),
    *everywhere("logical_not", ints(4, high=2), orders=0),
    *everywhere("logical_not", floats(4), orders=0),
    *everywhere("logical_not", bools(), orders=0, only="f"),
    *(s for n in _WHAT for s in everywhere(n, ints(3), orders=0, only="fm")),
    *(s for n in _WHAT for s in everywhere(n, bools(3), orders=0, only="f")),
    *(
        sample
        for n in _WHAT
        for sample in samples(
            n, (lambda m, x, n=n: getattr(m, n)(m.cat([m.log(x - x), -m.log(x - x), m.log(x), x])), floats(2, 3)), orders=0
        )
    ),
    *samples(
        "isclose",
        (lambda m, x: m.isclose(x, x * (1 + 1e-6)), floats(2, 3)),
        (lambda m, x: x.isclose(x + 0.01, 0.0, 0.02), floats(2, 3)),
        (lambda m, x: m.isclose(x, x + m.where(x > 0, 1e-3, 1e-12), rtol=1e-4, atol=0.0), floats(2, 3)),
        (lambda m, x: m.isclose(x, x * 2, rtol=0.6, atol=0.0), floats(2, 3)),  # relative to the second
        (lambda m, x: m.isclose(m.log(x), m.log(x), equal_nan=True), floats(2, 3)),
        (lambda m, x: m.isclose(m.log(x - x), m.log(x - x)), floats(3)),
        (lambda m, x: m.isclose(m.log(x), m.log(x)), floats(2, 3)),
        (lambda m, x, y: m.isclose(x, y, rtol=0.5), ints(4), ints(4)),
        (lambda m, x, y: m.isclose(x, y, rtol=0, atol=0), ints(4), ints(4)),
        (lambda m, x, y: m.isclose(x, y), bools(4), bools(1)),
        orders=0,
    ),
    *samples(
        "allclose",
        (lambda m, x: m.tensor(m.allclose(x, x * (1 + 1e-7))), floats(2, 3)),
        (lambda m, x: m.tensor(x.allclose(x + 1)), floats(2, 3)),
        orders=0, replays=False,
    ),
    *samples(
        "equal",
        (lambda m, x: m.tensor([m.equal(x, x), x.equal(x + 1), m.equal(x, x[0]), m.equal(m.log(x), m.log(x))]), floats(2, 3)),
        orders=0, replays=False,
    ),
]  # fmt: skip
