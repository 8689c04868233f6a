"""Samples of ``tinygrad_notes.nn.functional.bags``."""

from __future__ import annotations

from typing import Any

from . import Sample, floats, ints, samples

ROWS = ints(2, 3, high=4)
LINE = ints(5, high=4)


def _bag(*offsets: int, weighted: bool = False, **settings: Any) -> Any:
    """Of a 2-d input, or with offsets of a 1-d one."""

    def call(m: Any, i: Any, w: Any, *factors: Any) -> Any:
        given = {"per_sample_weights": factors[0]} if weighted else {}
        starts = m.tensor(offsets, dtype=m.int64) if offsets else None
        return m.nn.functional.embedding_bag(i, w, starts, **settings, **given)

    return call


SAMPLES: list[Sample] = [
    *samples(
        "nn.functional.embedding_bag",
        (_bag(), ROWS, floats(4, 2)),
        (_bag(mode="sum"), ROWS, floats(4, 2)),
        (_bag(mode="max"), ROWS, floats(4, 2)),
        (_bag(0, 2, 2, 4), LINE, floats(4, 2)),
        (_bag(0, 3, mode="max"), LINE, floats(4, 2)),
        (_bag(0, 1, 5, mode="sum", include_last_offset=True), LINE, floats(4, 2)),
        (_bag(padding_idx=1), ROWS, floats(4, 2)),
        (_bag(0, 2, mode="max", padding_idx=-1), LINE, floats(4, 2)),
        orders=1,
    ),
    *samples(
        "nn.functional.embedding_bag",
        (_bag(mode="sum", weighted=True), ROWS, floats(4, 2), floats(2, 3)),
        (_bag(0, 2, 2, mode="sum", weighted=True, padding_idx=2), LINE, floats(4, 2), floats(5)),
        orders=1,
    ),
]
