"""Samples of ``tinygrad_notes.nn.functional.convolution``."""

from __future__ import annotations

from typing import Any

from . import Sample, floats, samples


def _f(name: str, *more: Any, **settings: Any) -> Any:
    return lambda m, *args: getattr(m.nn.functional, name)(*args, *more, **settings)


SAMPLES: list[Sample] = [
    *samples(
        "nn.functional.conv1d",
        (_f("conv1d"), floats(2, 2, 4), floats(3, 2, 3), floats(3)),
        (_f("conv1d", stride=2, padding=1, dilation=2, groups=2), floats(2, 2, 5), floats(2, 1, 2), floats(2)),
        (_f("conv1d", None, 2, (1,)), floats(2, 4), floats(3, 2, 3)),
        (_f("conv1d"), floats(2, 2, 2), floats(3, 2, 2)),  # more outputs than windows
        (_f("conv1d", padding="same"), floats(1, 1, 4), floats(1, 1, 3)),
        (_f("conv1d"), floats(0, 2, 4), floats(3, 2, 3)),
        (_f("conv1d"), floats(1, 2, 3), floats(2, 2, 1)),
    ),
    *samples(
        "nn.functional.conv2d",
        (_f("conv2d"), floats(2, 2, 3, 3), floats(2, 2, 2, 2), floats(2)),
        (_f("conv2d", stride=(2, 1), padding=(1, 0), dilation=(1, 2)), floats(1, 2, 3, 4), floats(1, 2, 2, 2)),
        (_f("conv2d", groups=2), floats(1, 4, 3, 2), floats(2, 2, 2, 2)),
        (_f("conv2d", groups=2), floats(1, 2, 3, 2), floats(6, 1, 2, 2)),  # depthwise, more outputs than windows
        (_f("conv2d", None, (1, 1), "valid"), floats(2, 3, 3), floats(1, 2, 3, 3)),
        (_f("conv2d", padding="same", dilation=2), floats(1, 1, 3, 3), floats(1, 1, 2, 3)),
    ),
    *samples(
        "nn.functional.conv3d",
        (_f("conv3d", padding=(0, 1, 0)), floats(1, 2, 2, 2, 3), floats(2, 2, 1, 2, 2), floats(2)),
        (_f("conv3d"), floats(1, 2, 2, 2), floats(1, 1, 2, 2, 2)),
    ),
    *samples(
        "nn.functional.conv_transpose1d",
        (_f("conv_transpose1d"), floats(2, 2, 3), floats(2, 3, 2), floats(3)),
        (_f("conv_transpose1d", stride=2, padding=1, output_padding=1, groups=2), floats(2, 2, 3), floats(2, 2, 3)),
        (_f("conv_transpose1d", None, 1, 0, 1, 1, 2), floats(2, 3), floats(2, 1, 2)),
        (_f("conv_transpose1d"), floats(2, 3, 2), floats(3, 2, 2)),  # more channels than windows
    ),
    *samples(
        "nn.functional.conv_transpose2d",
        (_f("conv_transpose2d", stride=(2, 1), padding=(0, 1)), floats(1, 2, 2, 3), floats(2, 1, 2, 2), floats(1)),
        (_f("conv_transpose2d", output_padding=(1, 0), stride=2, dilation=(1, 2)), floats(1, 1, 2, 2), floats(1, 2, 2, 2)),
    ),
    *samples(
        "nn.functional.conv_transpose3d",
        (_f("conv_transpose3d", stride=(2, 1, 1)), floats(1, 1, 2, 2, 1), floats(1, 2, 2, 1, 2), floats(2)),
    ),
    *samples(
        "nn.functional.unfold",
        (_f("unfold", 2), floats(2, 2, 3, 3)),
        (_f("unfold", (2, 1), dilation=2, padding=1, stride=2), floats(2, 3, 4)),
    ),
    *samples(
        "nn.functional.fold",
        (_f("fold", (3, 3), 2), floats(2, 8, 4)),
        (_f("fold", (2, 3), (2, 1), dilation=2, padding=1, stride=2), floats(4, 3)),
    ),
]
