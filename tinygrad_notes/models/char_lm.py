"""A character language model: embedding, LSTM, linear head; and sampling from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import nn
from ..functions.creation import as_tensor
from ..functions.generator import Generator
from ..functions.random import rand
from ..modes import no_grad
from ..nn.functional import softmax
from ..tensor import Tensor

__all__ = ["CharLM", "sample"]

State = tuple[Tensor, Tensor]


class CharLM(nn.Module):
    """Scores for the next character.

    vocab    number of characters V
    embed    length of a character's vector
    hidden   LSTM units H
    layers   LSTM layers L
    dropout  probability between layers and before the head, in training
    """

    def __init__(self, vocab: int, embed: int = 64, hidden: int = 128, layers: int = 1, dropout: float = 0.1) -> None:
        self.embed = nn.Embedding(vocab, embed)
        self.lstm = nn.LSTM(embed, hidden, layers, dropout=dropout)
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(hidden, vocab)

    def forward(self, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """x ``(T, N)`` characters; state ``(L, N, H)`` twice; result: logits ``(T, N, V)`` and the state after."""
        out, state = self.lstm(self.embed(x), state)
        return self.head(self.drop(out)), state


def sample(
    model: CharLM, prompt: Any, length: int, temperature: float = 1.0, generator: Generator | None = None
) -> Iterator[int]:
    """Characters that follow ``prompt`` (integers), drawn from softmax(logits / temperature); 0 takes the likeliest.

    Raises ValueError for an empty prompt or a negative temperature.
    """
    if temperature < 0:
        raise ValueError(f"sample: the temperature must be 0 or more, got {temperature}")
    characters = np.asarray(prompt, np.int64)
    if characters.size == 0:
        raise ValueError("sample: the prompt must hold at least one character")
    was_training = model.training
    model.eval()
    try:
        state: State | None = None
        for _ in range(length):
            with no_grad():
                logits, state = model(as_tensor(characters[:, None]), state)
            characters = np.array([_draw(logits[-1, 0], temperature, generator)])
            yield int(characters[0])
    finally:
        model.train(was_training)


def _draw(logits: Tensor, temperature: float, generator: Generator | None) -> int:
    if temperature == 0:
        return int(logits.argmax().item())
    with no_grad():
        shares = softmax(logits.double() / temperature, 0).numpy()
        u = rand(dtype="float64", generator=generator).item()
    return min(int(np.searchsorted(np.cumsum(shares), u, side="right")), len(shares) - 1)
