"""Samples of ``tinygrad_notes.functions.activation`` and ``tinygrad_notes.nn.functional.activation``."""

from __future__ import annotations

from typing import Any

from . import Sample, floats, ints, samples

WIDE = floats(3, 4, low=-7.0, high=7.0)


def _f(name: str) -> Any:
    return lambda m, *args: getattr(m.nn.functional, name)(*args)


def _plain(name: str, *settings: tuple[Any, ...], orders: int = 2) -> list[Sample]:
    """One argument and settings: alone, 0-d, of size 0, and with each of the settings."""
    calls = [(_f(name), WIDE), (_f(name), floats()), (_f(name), floats(0, 3))]
    calls += [(lambda m, x, given=given: _f(name)(m, x, *given), WIDE) for given in settings]
    return samples(f"nn.functional.{name}", *calls, orders=orders)


SAMPLES: list[Sample] = [
    *_plain("relu"),
    *samples("relu", (lambda m, x: m.relu(x), floats(2, 3)), (lambda m, x: x.relu(), floats(2, 3))),
    *samples("relu", (lambda m, x: m.relu(x), ints(2, 3, low=-3)), orders=0),
    *samples(
        "Tensor.relu_",
        (lambda m, x: x.clone().relu_(), floats(2, 3)),
        (lambda m, x: m.nn.functional.relu(x * 2, inplace=True), floats(2, 3)),
        (lambda m, x: m.nn.functional.relu(x * 2, True), floats(2, 3)),
    ),
    *_plain("relu6"),
    *_plain("leaky_relu", (0.3,), (0.0,)),
    *samples("nn.functional.leaky_relu", (lambda m, x: m.nn.functional.leaky_relu(x * 2, 0.1, True), floats(2, 3))),
    *_plain("rrelu"),
    *samples(
        "nn.functional.rrelu",
        (lambda m, x: m.nn.functional.rrelu(x, 0.2, 0.4), WIDE),
        (lambda m, x: m.nn.functional.rrelu(x, 0.3, 0.3, True), WIDE),
        (lambda m, x: m.nn.functional.rrelu(x * 2, lower=0.1, upper=0.5, inplace=True), WIDE),
    ),
    *samples(
        "nn.functional.step",
        (_f("step"), WIDE),
        (_f("step"), floats()),
        (lambda m, x: m.nn.functional.step(x, at_zero=0.5), ints(3, 4, low=-2)),
        orders=0,
        torch=False,
        differs="PyTorch has `heaviside`, of two Tensors",
    ),
    *_plain("hardtanh", (-0.5, 2.0)),
    *_plain("elu", (0.5,), (2.0,)),
    *samples("nn.functional.elu", (lambda m, x: m.nn.functional.elu(x * 2, inplace=True), WIDE)),
    *_plain("celu", (0.5,), (2.0,)),
    *_plain("selu"),
    *samples("celu", (lambda m, x: m.celu(x, alpha=1.5), WIDE)),
    *samples("selu", (lambda m, x: m.selu(x), WIDE)),
    *_plain("gelu"),
    *samples(
        "nn.functional.gelu",
        (lambda m, x: m.nn.functional.gelu(x, approximate="tanh"), WIDE),
        (lambda m, x: m.nn.functional.gelu(x, approximate="none"), floats(2, 3)),
    ),
    *_plain("silu"),
    *_plain("mish"),
    *_plain("softsign"),
    *_plain("hardswish"),
    *_plain("threshold", (0.1, 20.0))[3:],
    *samples("threshold", (lambda m, x: m.threshold(x, -1, 5), floats(2, 3))),
    *samples("threshold", (lambda m, x: m.threshold(x, 1, 5), ints(2, 3)), orders=0),
    *samples(
        "nn.functional.hardsigmoid",
        (_f("hardsigmoid"), WIDE),
        (_f("hardsigmoid"), floats()),
        torch=False,
        differs="its slope is 1/6 in float64 too (PyTorch rounds it to float32), and it has a second derivative",
    ),
    *_plain("hardshrink", (1.5,)),
    *samples("hardshrink", (lambda m, x: m.hardshrink(x), floats(2, 3)), (lambda m, x: x.hardshrink(0.2), floats(2, 3))),
    *_plain("softshrink", (1.5,)),
    *_plain("softplus", (3.0,), (1.0, 4.0)),
    *_plain("tanhshrink"),
    *_plain("logsigmoid"),
    *_plain("sigmoid"),
    *_plain("tanh"),
    *samples(
        "softmax",
        (lambda m, x: m.softmax(x, 1), floats(2, 3)),
        (lambda m, x: x.softmax(-2), floats(2, 3)),
        (lambda m, x: m.nn.functional.softmax(x, dim=0), floats(2, 3, 2)),
        (lambda m, x: m.softmax(x, 0), floats()),
        (lambda m, x: m.softmax(x, 1), floats(2, 0)),
        (lambda m, x: m.softmax(x, 1), floats(0, 2)),
        (lambda m, x: m.softmax(x, dim=1, dtype=m.float64), floats(2, 3)),
    ),
    *samples("softmax", (lambda m, x: m.softmax(x, 1, dtype=m.float64), ints(2, 3)), orders=0),
    *samples(
        "log_softmax",
        (lambda m, x: m.log_softmax(x, 1), floats(2, 3, low=-30, high=30)),
        (lambda m, x: x.log_softmax(-2), floats(2, 3)),
        (lambda m, x: m.nn.functional.log_softmax(x, dim=0), floats(2, 3, 2)),
        (lambda m, x: m.log_softmax(x, -1), floats()),
        (lambda m, x: m.log_softmax(x, 1), floats(2, 0)),
        (lambda m, x: m.nn.functional.log_softmax(x, dim=1, dtype=m.float64), floats(2, 3)),
    ),
    *samples("nn.functional.softmin", (lambda m, x: m.nn.functional.softmin(x, 1), floats(2, 3))),
    *samples(
        "prelu",
        (lambda m, x, w: m.prelu(x, w), floats(2, 3), floats(1)),
        (lambda m, x, w: m.prelu(x, w), floats(2, 3), floats(3)),
        (lambda m, x, w: x.prelu(w), floats(2, 3, 2), floats(3)),
        (lambda m, x, w: m.nn.functional.prelu(x, w), floats(3), floats(1)),
        (lambda m, x, w: m.nn.functional.prelu(x, w), floats(), floats(1)),
        (lambda m, x, w: m.nn.functional.prelu(x, w), floats(2, 3), floats()),
    ),
    *samples(
        "nn.functional.maxout",
        (lambda m, x: m.nn.functional.maxout(x, 2), floats(2, 4)),
        (lambda m, x: m.nn.functional.maxout(x, 3, 0), floats(6, 2)),
        (lambda m, x: m.nn.functional.maxout(x, pieces=1, dim=-2), floats(2, 2, 3)),
        (lambda m, x: m.nn.functional.maxout(x, 2), floats(0, 4)),
        torch=False,
        differs="PyTorch has none",
    ),
    *samples(
        "nn.functional.glu",
        (lambda m, x: m.nn.functional.glu(x), floats(2, 4)),
        (lambda m, x: m.nn.functional.glu(x, 0), floats(2, 3)),
        (lambda m, x: m.nn.functional.glu(x, dim=-2), floats(2, 2, 3)),
    ),
]
