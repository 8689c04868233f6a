"""Samples of ``tinygrad_notes.functions.trigonometry``."""

from __future__ import annotations

from . import Sample, everywhere, floats, ints, samples

_DOMAINS = {"asin": 0.9, "acos": 0.9, "atanh": 0.9, "arcsin": 0.9, "arccos": 0.9, "arctanh": 0.9, "tan": 1.2}
_UNARY = [
    "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "asinh", "atanh", "arcsin", "arccos", "arctan", "arcsinh",
    "arctanh", "deg2rad", "rad2deg",
]  # fmt: skip
_NO_DERIVATIVE_IN_PLACE = ["asinh", "atanh", "arcsinh", "arctanh", "acosh", "arccosh"]
"""In torch: there the forms that write in place have none."""
_ORIGIN = "the slope of hypot at the origin is 0, as that of a norm; torch has NaN"

SAMPLES: list[Sample] = [
    *(s for n in _UNARY for s in everywhere(n, floats(2, 3, low=-_DOMAINS.get(n, 2.0), high=_DOMAINS.get(n, 2.0)), only="fm")),
    *(s for n in _UNARY if n not in _NO_DERIVATIVE_IN_PLACE for s in everywhere(n, floats(2, 3, low=-0.9, high=0.9), only="i")),
    *(s for n in _NO_DERIVATIVE_IN_PLACE for s in everywhere(n, floats(2, 3, low=1.2, high=3.0), orders=0, only="i")),
    *(s for n in _UNARY for s in everywhere(n, floats(low=0.1, high=0.8), only="f")),
    *(s for n in _UNARY for s in everywhere(n, floats(0, 2), only="f")),
    *(s for n in _UNARY for s in everywhere(n, ints(3, low=0, high=2), orders=0, only="f")),
    *(s for n in ("acosh", "arccosh") for s in everywhere(n, floats(2, 3, low=1.2, high=3.0), only="fm")),
    *everywhere("acosh", ints(3, low=1), orders=0, only="f"),
    *everywhere("atan2", floats(2, 3), floats(2, 3)),
    *everywhere("atan2", floats(2, 1), floats(3), only="f"),
    *everywhere("atan2", ints(3), ints(3), orders=0, only="f"),
    *everywhere("arctan2", floats(2, 3), floats(3)),
    *everywhere("hypot", floats(2, 3), floats(3), differs=_ORIGIN),
    *everywhere("hypot", floats(3), ints(3, low=1), only="f"),
    *samples("hypot", (lambda m, x: m.hypot(x, x * 0 + 1e30), floats(3)), orders=1),
]
