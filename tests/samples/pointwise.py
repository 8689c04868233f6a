"""Samples of ``tinygrad_notes.functions.pointwise``."""

from __future__ import annotations

from . import Sample, bools, everywhere, floats, ints, samples

_COMPARISONS = ["eq", "ne", "lt", "le", "gt", "ge", "not_equal", "less", "less_equal", "greater", "greater_equal"]
_ABOVE = {"low": 0.3, "high": 3.0}
_ANYWHERE = [
    "abs", "absolute", "neg", "negative", "square", "reciprocal", "exp", "exp2", "expm1", "tanh", "sigmoid", "erf", "erfc",
]  # fmt: skip
_POSITIVE = ["sqrt", "rsqrt", "log", "log2", "log10", "log1p"]
_UNARY: dict[str, dict[str, float]] = (
    {n: {} for n in _ANYWHERE} | dict.fromkeys(_POSITIVE, _ABOVE) | {"logit": {"low": 0.1, "high": 0.9}}
)
_BINARY = ["add", "sub", "subtract", "mul", "multiply", "div", "divide", "true_divide"]
_TIES = "equal infinities share the gradient; torch has NaN"

SAMPLES: list[Sample] = [
    *(s for n, domain in _UNARY.items() for s in everywhere(n, floats(2, 3, **domain))),
    *(s for n, domain in _UNARY.items() for s in everywhere(n, floats(**domain), only="f")),
    *(s for n, domain in _UNARY.items() for s in everywhere(n, floats(0, 2, **domain), only="f")),
    *(s for n in _UNARY for s in everywhere(n, ints(3, low=1), orders=0, only="f")),
    *(s for n in ("square", "exp", "erf", "rsqrt", "reciprocal") for s in everywhere(n, bools(3), orders=0, only="f")),
    *everywhere("erf", floats(1100), orders=1, only="f"),
    *everywhere("erfc", floats(1100, low=-6.0, high=6.0), orders=1, only="f"),
    *(s for n in _BINARY for s in everywhere(n, floats(2, 3), floats(3, **_ABOVE))),
    *(s for n in _BINARY for s in everywhere(n, floats(2, 1), floats(3, **_ABOVE), only="f")),
    *(s for n in _BINARY for s in everywhere(n, ints(2, 3), ints(3, low=1), orders=0, only="fm")),
    *(s for n in ("add", "sub", "subtract") for s in everywhere(n, floats(2, 3), floats(3), alpha=-0.5)),
    *samples("positive", (lambda m, x: m.positive(x) * 1, floats(3)), (lambda m, x: +x * 1, floats(3))),
    *everywhere("pow", floats(2, 3, **_ABOVE), floats(3)),
    *everywhere("pow", ints(3), ints(3), orders=0),
    *samples(
        "pow",
        *((lambda m, x, e=e: m.pow(x, e), floats(2, 3)) for e in (0, 1, 2, 3, 2.0, -1)),
        (lambda m, x: m.pow(x, 0.5), floats(3, **_ABOVE)),
        (lambda m, x: m.pow(2.5, x), floats(3)),
        (lambda m, x: m.pow(x - x, 2), floats(3)),
    ),
    *everywhere("float_power", floats(3, **_ABOVE), floats(3), only="fm"),
    *everywhere("float_power", ints(3), ints(3), orders=0, only="f"),
    *samples(
        "float_power",
        (lambda m, x: m.float_power(x, 2), floats(3)),
        (lambda m, x: m.float_power(2, x), floats(3)),
    ),
    *samples("Tensor.float_power_", (lambda m, x: x.clone().double().float_power_(2), floats(3))),
    *everywhere("lerp", floats(2, 3), floats(3), floats(2, 3)),
    *everywhere("lerp", floats(2, 3), floats(3), weight=0.3),
    *everywhere("lerp", floats(2, 3), floats(3), weight=0.8, only="f"),
    *everywhere("lerp", floats(2, 3), floats(3), floats(), only="f"),
    *everywhere("addcmul", floats(2, 3), floats(3), floats(2, 1)),
    *everywhere("addcmul", floats(2, 3), floats(3), floats(2, 1), value=0.5),
    *everywhere("addcmul", ints(3), ints(3), ints(3), value=2, orders=0),
    *everywhere("addcdiv", floats(2, 3), floats(3), floats(2, 1, **_ABOVE)),
    *everywhere("addcdiv", floats(2, 3), floats(3), floats(2, 1, **_ABOVE), value=-0.5),
    *everywhere("logaddexp", floats(2, 3), floats(3), only="fm", differs=_TIES),
    *everywhere("logaddexp", floats(3), ints(3), only="f"),
    *samples("logaddexp", (lambda m, x: m.logaddexp(x, x * 1), floats(3)), (lambda m, x: m.logaddexp(x, x - 50), floats(3))),
    *everywhere("logit", floats(5, low=0.05, high=0.95), eps=0.2),
    *(s for n in _COMPARISONS for s in everywhere(n, floats(2, 3), floats(3), orders=0)),
    *(s for n in _COMPARISONS for s in everywhere(n, ints(2, 3), floats(3), orders=0, only="f")),
    *(s for n in _COMPARISONS for s in everywhere(n, ints(4), ints(4), orders=0)),
    *(s for n in _COMPARISONS for s in everywhere(n, bools(4), ints(1), orders=0, only="f")),
    *samples(
        "where",
        (lambda m, c, x, y: m.where(c, x, y), bools(2, 3), floats(3), floats(2, 1)),
        (lambda m, c, x: m.where(c, x, 0.5), bools(2, 1), floats(3)),
        (lambda m, c, x: x.where(c, -x), bools(3), floats(2, 3)),
        (lambda m, c, x, y: m.where(c, x, y), bools(3), floats(3), ints(3)),
    ),
    *samples(
        "where", (lambda m, c: m.where(c, 1, 2), bools(3)), (lambda m, c, x: m.where(c, x, 2.5), bools(3), ints(3)), orders=0
    ),
]
