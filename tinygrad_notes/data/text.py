"""Text as integers: character vocabularies, and batches of parallel streams for truncated backpropagation through time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["Vocabulary", "load_text", "split_text", "stream_batches", "stream_count"]

Array = np.ndarray[Any, Any]


def load_text(path: str | Path | None = None) -> str:
    """The text of a UTF-8 file; without a path, CPython's own language reference, which every installation carries.

    Raises FileNotFoundError, or ValueError for a file that is no UTF-8 text.
    """
    if path is None:
        from pydoc_data.topics import topics

        return "\n\n\n".join(topics[name] for name in sorted(topics))
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text (byte {error.start}); convert it first, e.g. with iconv") from None


class Vocabulary:
    """The distinct characters of a text, in code-point order, and their numbers."""

    def __init__(self, characters: str) -> None:
        self.characters = "".join(sorted(set(characters)))
        self._numbers = {c: i for i, c in enumerate(self.characters)}

    def __len__(self) -> int:
        return len(self.characters)

    def encode(self, text: str) -> Array:
        """``(len(text),)`` int64. Raises ValueError for characters that the vocabulary lacks."""
        unknown = sorted(set(text) - self._numbers.keys())
        if unknown:
            raise ValueError(f"characters that this vocabulary does not have: {' '.join(map(repr, unknown[:10]))}")
        return np.fromiter((self._numbers[c] for c in text), np.int64, len(text))

    def decode(self, numbers: Any) -> str:
        """The text of numbers."""
        return "".join(self.characters[int(n)] for n in numbers)


def split_text(text: str, held_out: float = 0.1) -> tuple[str, str]:
    """The first part for training, the last ``held_out`` of it for validation."""
    at = round(len(text) * (1 - held_out))
    return text[:at], text[at:]


def stream_count(numbers: Array, batch: int, length: int) -> int:
    """How many windows of ``length`` each of ``batch`` parallel streams has. Raises ValueError if there is none."""
    count = (len(numbers) // batch - 1) // length
    if count < 1:
        raise ValueError(
            f"the text has {len(numbers):,} characters: too short for {batch} streams of {length} steps; "
            f"it needs {batch * (length + 1):,}. Lower the batch or the length."
        )
    return count


def stream_batches(numbers: Array, batch: int, length: int, start: int = 0) -> Iterator[tuple[Array, Array]]:
    """Windows ``(x, y)``, each ``(length, batch)``: y is x one character later. Column b continues in the next window,
    so a carried state stays meaningful. ``start``: the first window to give.
    """
    count = stream_count(numbers, batch, length)
    width = len(numbers) // batch
    streams = numbers[: width * batch].reshape(batch, width).T
    for k in range(start, count):
        at = k * length
        yield streams[at : at + length], streams[at + 1 : at + length + 1]
