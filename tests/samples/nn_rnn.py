"""Samples of ``tinygrad_notes.nn.utils.rnn``."""

from __future__ import annotations

from typing import Any

from . import Sample, floats, samples


def _packed(lengths: list[int], *more: Any, **settings: Any) -> Any:
    return lambda m, x: tuple(m.nn.utils.rnn.pack_padded_sequence(x, lengths, *more, **settings))[:2]


def _there_and_back(lengths: list[int], **settings: Any) -> Any:
    def call(m: Any, x: Any) -> Any:
        packed = m.nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=False)
        return m.nn.utils.rnn.pad_packed_sequence(packed, **settings)

    return call


SAMPLES: list[Sample] = [
    *samples(
        "nn.utils.rnn.pack_padded_sequence",
        (_packed([3, 2]), floats(3, 2, 2)),
        (_packed([1, 3], True, enforce_sorted=False), floats(2, 3)),
        orders=1,
    ),
    *samples(
        "nn.utils.rnn.pad_packed_sequence",
        (_there_and_back([1, 3]), floats(3, 2, 2)),
        (_there_and_back([1, 2], batch_first=True, padding_value=0.5, total_length=4), floats(3, 2)),
        orders=1,
    ),
    *samples(
        "nn.utils.rnn.pad_sequence",
        (lambda m, x, y: m.nn.utils.rnn.pad_sequence([x, y]), floats(2, 2), floats(3, 2)),
        (lambda m, x, y: m.nn.utils.rnn.pad_sequence([x, y], True, 0.5, "left"), floats(2), floats(1)),
        orders=1,
    ),
    *samples(
        "nn.utils.rnn.pack_sequence",
        (lambda m, x, y: m.nn.utils.rnn.pack_sequence([x, y]).data, floats(3, 2), floats(2, 2)),
        (lambda m, x, y: m.nn.utils.rnn.pack_sequence([x, y], enforce_sorted=False).data, floats(1), floats(2)),
        orders=1,
    ),
    *samples(
        "nn.utils.rnn.unpad_sequence",
        (lambda m, x: m.nn.utils.rnn.unpad_sequence(x * 1, m.tensor([1, 3])), floats(3, 2, 2)),
        (lambda m, x: m.nn.utils.rnn.unpad_sequence(x * 1, m.tensor([2, 1]), batch_first=True), floats(2, 3)),
        orders=1,
    ),
]
