"""Training a character language model, stoppable and resumable at any step, bit for bit.

Everything that a step depends on is in the checkpoint: parameters, moments, learning rate, random stream, the carried LSTM
state and the step number, which alone says where in the text the streams stand.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import nn, optim
from ..data.text import Vocabulary, stream_batches, stream_count
from ..functions.creation import as_tensor
from ..functions.generator import default_generator, manual_seed
from ..io import load, save
from ..models.char_lm import CharLM
from ..modes import no_grad, scope
from ..nn.functional import cross_entropy
from ..tape import Tape
from ..tensor import Tensor

__all__ = ["Config", "Trainer"]

State = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Config:
    """What a run is. ``steps`` may grow when a run is resumed; nothing else may change.

    length: time steps per window, which is also how far gradients flow back (truncated backpropagation through time)
    decay: factor on the learning rate after each epoch
    clip: largest joint norm of the gradients
    """

    embed: int = 64
    hidden: int = 128
    layers: int = 1
    dropout: float = 0.1
    batch: int = 32
    length: int = 64
    lr: float = 3e-3
    decay: float = 0.9
    clip: float = 1.0
    seed: int = 0


class Trainer:
    """A run: model, optimizer, schedule and where in the text it stands.

    text     what is learned, and ``held_out`` what it is validated on
    history  rows ``(step, training loss, validation loss)`` in nats per character, one per validation
    """

    def __init__(self, text: str, held_out: str, config: Config) -> None:
        self.config = config
        self.vocabulary = Vocabulary(text + held_out)
        self.numbers, self.held_out = self.vocabulary.encode(text), self.vocabulary.encode(held_out)
        self._digest = hashlib.sha256((text + held_out).encode()).hexdigest()
        self.windows = stream_count(self.numbers, config.batch, config.length)
        stream_count(self.held_out, config.batch, config.length)  # too short a text is refused before any training
        manual_seed(config.seed)
        self.model = CharLM(len(self.vocabulary), config.embed, config.hidden, config.layers, config.dropout)
        self.optimizer = optim.Adam(self.model.parameters(), lr=config.lr)
        self.schedule = optim.lr_scheduler.StepLR(self.optimizer, self.windows, config.decay)
        self.state: State | None = None
        self.step = 0
        self.history: list[list[float]] = []
        self._recent: list[float] = []
        self._stream: Iterator[tuple[Any, Any]] = iter(())

    # ---- steps ----

    def train_step(self) -> float:
        """One window: forward, backward, clip, update. Returns the loss in nats per character."""
        x, y = self._next_window()
        self.optimizer.zero_grad()
        logits, state = self.model(as_tensor(x), self.state)
        loss = cross_entropy(logits.flatten(0, 1), as_tensor(y).flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)
        self.optimizer.step()
        self.schedule.step()
        with scope("carried state"):
            self.state = (state[0].detach(), state[1].detach())
        self.step += 1
        self._recent.append(value := float(loss.item()))
        if not math.isfinite(value):
            raise FloatingPointError(f"the loss became {value} at step {self.step}; lower the learning rate (--lr)")
        return value

    def recorded_step(self) -> tuple[float, Tape]:
        """``train_step`` with everything it did on a tape."""
        with Tape() as tape:
            loss = self.train_step()
        return loss, tape

    def _next_window(self) -> tuple[Any, Any]:
        at = self.step % self.windows
        if at == 0:
            self.state = None  # the streams start again at the beginning of the text
        window = None if at == 0 else next(self._stream, None)
        if window is None:
            self._stream = stream_batches(self.numbers, self.config.batch, self.config.length, at)
            window = next(self._stream)
        return np.ascontiguousarray(window[0]), np.ascontiguousarray(window[1])

    def validate(self) -> float:
        """Mean loss over the held-out text, in nats per character; noted in ``history`` beside the training loss."""
        self.model.eval()
        losses: list[float] = []
        state: State | None = None
        with no_grad():
            for x, y in stream_batches(self.held_out, self.config.batch, self.config.length):
                logits, state = self.model(as_tensor(np.ascontiguousarray(x)), state)
                losses.append(cross_entropy(logits.flatten(0, 1), as_tensor(np.ascontiguousarray(y)).flatten()).item())
        self.model.train()
        value = float(np.mean(losses))
        self.history.append([self.step, float(np.mean(self._recent)) if self._recent else math.nan, value])
        self._recent.clear()
        return value

    def run(self, steps: int, validate_every: int, after: Callable[[float, float], bool]) -> bool:
        """Train up to step ``steps``, validating at every multiple of ``validate_every``.

        after: is told ``(loss, seconds)`` of every step, and stops the run by True. Returns whether the end was reached.
        """
        while self.step < steps:
            start = time.perf_counter()
            loss = self.train_step()
            stop = after(loss, time.perf_counter() - start)
            if self.step % validate_every == 0:
                self.validate()
            if stop and self.step < steps:
                return False
        return True

    # ---- checkpoints ----

    def save(self, path: Path) -> None:
        """Everything that the rest of the run depends on, atomically."""
        state = {
            "config": asdict(self.config),
            "characters": self.vocabulary.characters,
            "text": self._digest,
            "step": self.step,
            "history": self.history,
            "recent": self._recent,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "random": default_generator.get_state(),
            "carried": None if self.state is None else list(self.state),
        }
        save(state, path)

    def resume(self, path: Path) -> None:
        """Continue from a checkpoint. Raises ValueError if it belongs to another text or configuration."""
        saved = load(path)
        if saved["text"] != self._digest:
            raise ValueError(f"{path} was trained on another text; use another --out, or --restart")
        changed = [
            f"{k}: {v} there, {getattr(self.config, k)} now" for k, v in saved["config"].items() if getattr(self.config, k) != v
        ]
        if changed:
            raise ValueError(f"{path} belongs to another run ({'; '.join(changed)}); use another --out, or --restart")
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.schedule.load_state_dict(saved["schedule"])
        default_generator.set_state(saved["random"])
        self.state = None if saved["carried"] is None else (saved["carried"][0], saved["carried"][1])
        self.step, self.history, self._recent = saved["step"], saved["history"], saved["recent"]

    @staticmethod
    def load_model(path: Path) -> tuple[CharLM, Vocabulary, Config]:
        """The model of a checkpoint with its vocabulary, for sampling."""
        saved = load(path)
        config, vocabulary = Config(**saved["config"]), Vocabulary(saved["characters"])
        model = CharLM(len(vocabulary), config.embed, config.hidden, config.layers, config.dropout)
        model.load_state_dict(saved["model"])
        return model, vocabulary, config
