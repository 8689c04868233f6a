"""Samples of ``tinygrad_notes.nn.regularization``."""

from __future__ import annotations

from typing import Any

from . import Sample, floats, samples


def _of(name: str, *more: Any) -> Any:
    return lambda m, *weights: getattr(m.nn.regularization, name)(weights, *more)


def _samples(name: str, *powers: float) -> list[Sample]:
    return samples(
        f"nn.regularization.{name}",
        (_of(name), floats(2, 3), floats(3), floats()),
        (lambda m, x: getattr(m.nn.regularization, name)(x), floats(2, 3)),
        *((_of(name, p), floats(2, 3), floats(3)) for p in powers),
        torch=False,
        differs="PyTorch has none",
    )


SAMPLES = [*_samples("lq_penalty", 0.5, 1, 1.5, 3.0), *_samples("joint_norm", 1.0, 3.0, float("inf"))]
