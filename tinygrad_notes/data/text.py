"""Text as integers: character vocabularies, and batches of parallel streams for truncated backpropagation through time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..tensor import Tensor, from_array

__all__ = ["Streams", "Vocabulary", "load_text", "split_text"]

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


class Streams:
    """A text as ``batch`` parallel streams, cut into windows: batches ``(x, y)`` of int64, both ``(length, batch)``, for ``Fit``.

    y is x one character later. Column b goes on in the next window, so that a carried state stays meaningful. After
    ``load_state_dict`` the next walk goes on where that one was. Raises ValueError for a text that is too short.
    """

    def __init__(self, numbers: Array, batch: int, length: int) -> None:
        self.numbers, self.length = numbers, length
        self._count = (len(numbers) // batch - 1) // length
        if self._count < 1:
            raise ValueError(
                f"the text has {len(numbers):,} characters: too short for {batch} streams of {length} steps; "
                f"it needs {batch * (length + 1):,}. Lower the batch or the length."
            )
        width = len(numbers) // batch
        self._streams = np.ascontiguousarray(numbers[: width * batch].reshape(batch, width).T)
        self._given, self._resumed = 0, False

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        first, self._resumed = self._given if self._resumed else 0, False
        for number in range(first, self._count):
            self._given, at = number + 1, number * self.length
            x, y = (self._streams[at + k : at + k + self.length].copy() for k in (0, 1))
            yield from_array(x), from_array(y)
        self._given = 0

    def state_dict(self) -> dict[str, Any]:
        """How many windows of this walk were given."""
        return {"given": self._given}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Let the next walk begin where that one was."""
        self._given, self._resumed = state["given"], True
