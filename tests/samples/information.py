"""Samples of ``tinygrad_notes.information``; the inputs are scores, of which ``softmax`` makes distributions."""

from __future__ import annotations

from typing import Any

from . import Sample, floats, samples


def _of(name: str, at: int = -1, **settings: Any) -> Any:
    return lambda m, *scores: getattr(m.information, name)(*(m.softmax(x, at) for x in scores), **settings)


def _samples(name: str, inputs: int) -> list[Sample]:
    return samples(
        f"information.{name}",
        (_of(name), *[floats(2, 3)] * inputs),
        (_of(name, base=2), *[floats(3)] * inputs),
        (_of(name, 0, dim=0, base=10.0), *[floats(3, 2)] * inputs),
        (_of(name, 1, axis=1), *[floats(2, 3, 2)] * inputs),
        (_of(name), *[floats(0, 3)] * inputs),
        torch=False,
        differs="PyTorch has `distributions` instead",
    )


SAMPLES = [*_samples("entropy", 1), *_samples("cross_entropy", 2), *_samples("kl_divergence", 2)]
