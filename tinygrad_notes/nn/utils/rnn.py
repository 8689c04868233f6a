"""Sequences of unequal lengths under PyTorch's names ``nn.utils.rnn``: padded to one length, or packed, without the gaps.

A packed batch of sequences a, b, c, the longest first, holds ``a0 b0 c0 a1 b1 a2 ...``: all that run at step 0, then at step 1, ...
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from ...errors import RangeError, ShapeError
from ...functions import pointwise
from ...functions.creation import tensor
from ...functions.moving import stack
from ...functions.padding import pad
from ...functions.shape import reshape, transpose
from ...optable import p
from ...tensor import Tensor, from_array

__all__ = ["PackedSequence", "pack_padded_sequence", "pack_sequence", "pad_packed_sequence", "pad_sequence", "unpad_sequence"]

Array = np.ndarray[Any, Any]


class PackedSequence(NamedTuple):
    """Sequences of unequal lengths without gaps; made by ``pack_padded_sequence`` or ``pack_sequence``.

    data              ``(sum of lengths, ...)``, step after step
    batch_sizes       ``(T,)``: how many sequences reach step t
    sorted_indices    which sequence stands at each place, the longest first; None: they came in this order
    unsorted_indices  the way back
    """

    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None = None
    unsorted_indices: Tensor | None = None

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """With ``data.to(...)``."""
        return self._replace(data=self.data.to(*args, **kwargs))


def pack_padded_sequence(
    input: Tensor, lengths: Tensor | Sequence[int], batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """The first ``lengths[n]`` steps of each sequence, packed.

    input           ``(T, N, ...)``, with batch_first ``(N, T, ...)``
    enforce_sorted  the lengths must fall; else the sequences are sorted, and outputs and states come back in the given order
    Raises RuntimeError for lengths that are not in [1, T], or not falling.
    """
    counts = _lengths(lengths)
    x = transpose(input, 0, 1) if batch_first else input
    if x.ndim < 2 or counts.shape != (x.shape[1],):
        raise ShapeError(f"pack_padded_sequence: {input._type()} needs one length for each sequence, got {counts.size} lengths")
    if counts.min(initial=1) < 1 or counts.max(initial=1) > x.shape[0] or counts.size == 0:
        raise RangeError(
            f"pack_padded_sequence: lengths must lie in [1, {x.shape[0]}] for {input._type()}, got {counts.tolist()}"
        )
    order = None
    if enforce_sorted and (counts[1:] > counts[:-1]).any():
        raise RangeError(
            f"pack_padded_sequence: the lengths {counts.tolist()} must fall, from the longest sequence to the shortest; "
            "enforce_sorted=False sorts them"
        )
    if not enforce_sorted:
        order = np.argsort(-counts, kind="stable")
        counts = counts[order]
    sizes = _sizes(counts)
    places = _places(sizes, x.shape[1], order)
    data: Tensor = p.take(reshape(x, x.shape[0] * x.shape[1], *x.shape[2:]), from_array(places), dim=0)
    back = None if order is None else tensor(np.argsort(order))
    return PackedSequence(data, tensor(sizes), None if order is None else tensor(order), back)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """The inverse of ``pack_padded_sequence``: sequences ``(T, N, ...)``, filled up with ``padding_value``; and their lengths.

    total_length: T, at least the longest; default: the longest.
    """
    sizes = sequence.batch_sizes.numpy()
    longest, count = len(sizes), int(sizes[0])
    steps = longest if total_length is None else total_length
    if steps < longest:
        raise ValueError(f"pad_packed_sequence: total_length={total_length} is shorter than the longest sequence, {longest}")
    order = None if sequence.sorted_indices is None else sequence.sorted_indices.numpy()
    places = _places(sizes, count, order)
    rows = p.put_add(sequence.data, from_array(places), dim=0, size=steps * count)
    if padding_value != 0:
        filled = np.zeros((steps * count, *(1,) * (sequence.data.ndim - 1)), bool)
        filled[places] = True
        rows = pointwise.where(from_array(filled), rows, padding_value)
    out = reshape(rows, steps, count, *sequence.data.shape[1:])
    lengths = (sizes[:, None] > np.arange(count)).sum(0)
    back = lengths if order is None else lengths[np.argsort(order)]
    return (transpose(out, 0, 1) if batch_first else out), tensor(back.astype(np.int64))


def pad_sequence(
    sequences: Sequence[Tensor], batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """Sequences ``(L, ...)`` of unequal lengths as one Tensor ``(T, N, ...)``, filled up at one side; batch_first: ``(N, T, ...)``."""
    if padding_side not in ("left", "right"):
        raise RangeError(f"pad_sequence: padding_side must be 'right' or 'left', got {padding_side!r}")
    parts = list(sequences)
    if not parts or any(part.ndim == 0 or part.shape[1:] != parts[0].shape[1:] for part in parts):
        shown = ", ".join(part._type() for part in parts[:4])
        raise ShapeError(f"pad_sequence: needs sequences that differ in their first axis only, got {shown or 'none'}")
    longest = max(part.shape[0] for part in parts)
    padded = []
    for part in parts:
        missing = longest - part.shape[0]
        ends = [0, 0] * (part.ndim - 1) + ([0, missing] if padding_side == "right" else [missing, 0])
        padded.append(pad(part, ends, value=padding_value) if missing else part)
    return stack(padded, 0 if batch_first else 1)


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Sequences ``(L, ...)`` of unequal lengths, packed: ``pack_padded_sequence`` of ``pad_sequence``."""
    lengths = [part.shape[0] for part in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor | Sequence[int], batch_first: bool = False) -> list[Tensor]:
    """The first ``lengths[n]`` steps of each sequence of ``(T, N, ...)``: the inverse of ``pad_sequence``."""
    x = padded_sequences if batch_first else transpose(padded_sequences, 0, 1)
    return [x[n, : int(length)] for n, length in enumerate(_lengths(lengths))]


def _lengths(lengths: Tensor | Sequence[int]) -> Array:
    found = lengths.numpy() if isinstance(lengths, Tensor) else np.asarray([int(n) for n in lengths], np.int64)
    if found.dtype.kind not in "iu" or found.ndim != 1:
        raise ShapeError("the lengths of sequences must be integers along one axis")
    return found.astype(np.int64)


def _sizes(counts: Array) -> Array:
    """How many sequences of falling lengths reach each step."""
    reached: Array = (counts > np.arange(counts.max())[:, None]).sum(1)
    return reached.astype(np.int64)


def _places(sizes: Array, count: int, order: Array | None) -> Array:
    """Where each row of packed data stands in ``(T, N)``, flattened."""
    columns = np.arange(count) if order is None else order
    return np.concatenate([t * count + columns[:size] for t, size in enumerate(sizes)])
