"""Samples of ``tinygrad_notes.nn.functional.pooling``."""

from __future__ import annotations

from typing import Any

from . import Sample, floats, samples


def _f(name: str, *more: Any, **settings: Any) -> Any:
    return lambda m, x: getattr(m.nn.functional, name)(x, *more, **settings)


def _tied(name: str, *more: Any) -> Any:
    """All values of a window equal: the gradient goes to the first."""
    return lambda m, x: getattr(m.nn.functional, name)((x > 9).to(x.dtype) + x.sum(), *more)


SAMPLES: list[Sample] = [
    *samples(
        "nn.functional.max_pool1d",
        (_f("max_pool1d", 2), floats(2, 2, 4)),
        (_f("max_pool1d", 3, 2, 1, return_indices=True), floats(2, 5)),
        (_f("max_pool1d", 2, 1, dilation=2, ceil_mode=True), floats(1, 2, 5)),
        (_tied("max_pool1d", 3, 2, 1), floats(1, 2, 4)),
        orders=1,
    ),
    *samples(
        "nn.functional.max_pool2d",
        (_f("max_pool2d", 2), floats(2, 2, 4, 5)),
        (_f("max_pool2d", (2, 3), stride=(1, 2), padding=1, return_indices=True), floats(1, 2, 3, 4)),
        (_f("max_pool2d", 2, 2, 0, 1, True), floats(2, 3, 5)),
        (_tied("max_pool2d", 2, 1), floats(1, 1, 3, 3)),
        orders=1,
    ),
    *samples(
        "nn.functional.max_pool3d",
        (_f("max_pool3d", 2, padding=1, return_indices=True), floats(1, 1, 2, 3, 2)),
        orders=1,
    ),
    *samples(
        "nn.functional.avg_pool1d",
        (_f("avg_pool1d", 2), floats(2, 2, 5)),
        (_f("avg_pool1d", 3, 2, 1, True, False), floats(2, 6)),
        (_f("avg_pool1d", (3,), stride=2, padding=1, ceil_mode=True), floats(1, 2, 6)),
        orders=1,
    ),
    *samples(
        "nn.functional.avg_pool2d",
        (_f("avg_pool2d", 2), floats(1, 2, 3, 4)),
        (_f("avg_pool2d", (2, 3), stride=1, padding=1, count_include_pad=False), floats(2, 3, 3)),
        (_f("avg_pool2d", 2, 2, 1, True, divisor_override=3), floats(1, 1, 4, 4)),
        orders=1,
    ),
    *samples("nn.functional.avg_pool3d", (_f("avg_pool3d", 2, 1, padding=1), floats(1, 1, 2, 2, 2)), orders=1),
    *samples(
        "nn.functional.adaptive_avg_pool1d",
        (_f("adaptive_avg_pool1d", 3), floats(2, 2, 5)),
        (_f("adaptive_avg_pool1d", 1), floats(2, 5)),
        (_f("adaptive_avg_pool1d", 5), floats(1, 2, 3)),
        orders=1,
    ),
    *samples(
        "nn.functional.adaptive_avg_pool2d",
        (_f("adaptive_avg_pool2d", (2, 3)), floats(1, 2, 5, 4)),
        (_f("adaptive_avg_pool2d", (None, 2)), floats(2, 2, 4)),
        (_f("adaptive_avg_pool2d", 1), floats(2, 2, 3, 3)),
        orders=1,
    ),
    *samples("nn.functional.adaptive_avg_pool3d", (_f("adaptive_avg_pool3d", (1, 2, 2)), floats(1, 2, 2, 3, 2)), orders=1),
    *samples(
        "nn.functional.adaptive_max_pool1d",
        (_f("adaptive_max_pool1d", 3), floats(2, 2, 5)),
        (_f("adaptive_max_pool1d", 2, True), floats(2, 4)),
        orders=1,
    ),
    *samples(
        "nn.functional.adaptive_max_pool2d",
        (_f("adaptive_max_pool2d", (2, 3), return_indices=True), floats(1, 2, 5, 4)),
        (_f("adaptive_max_pool2d", (None, 1)), floats(2, 2, 4)),
        orders=1,
    ),
    *samples("nn.functional.adaptive_max_pool3d", (_f("adaptive_max_pool3d", (1, 2, 2)), floats(1, 2, 2, 3, 2)), orders=1),
]
