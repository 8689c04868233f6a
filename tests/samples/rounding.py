"""Samples of ``tinygrad_notes.functions.rounding``."""

from __future__ import annotations

from . import Sample, bools, everywhere, floats, ints, samples

_STEPS = ["floor", "ceil", "trunc", "fix", "round", "sign", "sgn"]
_QUOTIENTS = ["floor_divide", "remainder", "fmod"]
_FLAT = "the slope is 0, as that of div(rounding_mode=...); torch has no derivative"
_OF_A_NUMBER = "a number % Tensor has a gradient; torch has no derivative"
_ABOVE = {"low": 0.7, "high": 2.0}

SAMPLES: list[Sample] = [
    *(s for n in _STEPS for s in everywhere(n, floats(2, 3))),
    *(s for n in _STEPS for s in everywhere(n, floats(), only="f")),
    *(s for n in _STEPS for s in everywhere(n, ints(4, low=-3), orders=0)),
    *(s for n in ("sign", "sgn") for s in everywhere(n, bools(3), orders=0, only="fm")),
    *everywhere("round", floats(2, 3), decimals=1),
    *everywhere("round", floats(2, 3, low=-40, high=40), decimals=-1, only="f"),
    *everywhere("frac", floats(2, 3)),
    *everywhere("signbit", floats(2, 3), orders=0, only="fm"),
    *everywhere("signbit", ints(3, low=-2), orders=0, only="f"),
    *everywhere("copysign", floats(2, 3), floats(3)),
    *everywhere("copysign", ints(3, low=-3), ints(3, low=-3), orders=0, only="f"),
    *samples("copysign", (lambda m, x: m.copysign(x, -2.0), floats(3)), (lambda m, x: x.copysign(-0.0), floats(2))),
    *everywhere("heaviside", floats(2, 3), floats(3), orders=0, differs="values gets a gradient; torch has no derivative"),
    *everywhere("heaviside", ints(3, low=-1, high=2), ints(3), orders=0),
    *everywhere("floor_divide", floats(2, 3), floats(3, **_ABOVE), orders=0, differs=_FLAT),
    *(s for n in ("remainder", "fmod") for s in everywhere(n, floats(2, 3), floats(3, **_ABOVE))),
    *(s for n in ("remainder", "fmod") for s in everywhere(n, floats(2, 1), floats(3, low=-2.0, high=-0.7), only="f")),
    *(s for n in _QUOTIENTS for s in everywhere(n, ints(2, 3, low=-9, high=9), ints(3, low=1), orders=0)),
    *(s for n in _QUOTIENTS for s in everywhere(n, ints(2, 3, low=-9, high=9), ints(3, low=-4, high=0), orders=0, only="f")),
    *samples("remainder", (lambda m, x: x % 0.7, floats(3))),
    *samples("remainder", (lambda m, x: 5.0 % x, floats(3, **_ABOVE)), torch=False, differs=_OF_A_NUMBER),
    *samples("remainder", (lambda m, x: x % 3, ints(5, low=-9)), (lambda m, x: 7 % x, ints(5, low=1)), orders=0),
    *samples("fmod", (lambda m, x: m.fmod(x, -0.7), floats(3))),
    *samples("fmod", (lambda m, x: m.fmod(x, 2.5), ints(5, low=-9, high=9)), orders=0),
    *samples(
        "floor_divide",
        (lambda m, x: x // 2, floats(3)),
        (lambda m, x: -7 // x, ints(3, low=1)),
        (lambda m, x, y: x // y, ints(2, 3, low=-9), ints(2, 1, low=1)),
        orders=0,
    ),
    *samples(
        "div",
        *((lambda m, x, y, r=r: m.div(x, y, rounding_mode=r), floats(2, 3), floats(3, **_ABOVE)) for r in ("floor", "trunc", None)),
        *((lambda m, x, r=r: x.div(0.3, rounding_mode=r), floats(2, 3)) for r in ("floor", "trunc")),
        *((lambda m, x, r=r: x.clone().div_(0.3, rounding_mode=r), floats(2, 3)) for r in ("floor", "trunc", None)),
    ),
    *samples(
        "div",
        *((lambda m, x, y, r=r: m.div(x, y, rounding_mode=r), ints(2, 3, low=-9), ints(3, low=-4, high=0)) for r in ("floor", "trunc")),
        orders=0,
    ),
    *samples(
        "Tensor.divmod",
        (lambda m, x, y: divmod(x, y), floats(2, 3), floats(3, **_ABOVE)),
        (lambda m, x: divmod(5.0, x), floats(3, **_ABOVE)),
        torch=False,
        differs="torch has no divmod",
    ),
]  # fmt: skip
