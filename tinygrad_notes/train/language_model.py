"""A character language model: its run, stoppable and resumable at any step, bit for bit, and the model that a run has left."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from pathlib import Path

from .. import optim
from ..data.text import Streams, Vocabulary
from ..functions.generator import manual_seed
from ..io import load
from ..models.char_lm import CharLM
from ..nn.functional import cross_entropy
from ..tensor import Tensor
from .callbacks import Clip, Schedule, Validate
from .fit import Fit
from .objectives import TruncatedBPTT

__all__ = ["Config", "digest", "load_model", "make_run"]


@dataclass(frozen=True)
class Config:
    """What a run is: nothing of it may change when the run is resumed.

    length: time steps per window, which is also how far gradients flow back (truncated backpropagation through time)
    decay: factor on the learning rate after each epoch
    clip: largest joint norm of the gradients
    data: the digest of the text
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
    data: str = ""


def digest(text: str) -> str:
    """What tells one text from another."""
    return hashlib.sha256(text.encode()).hexdigest()


def make_run(config: Config, text: str, held_out: str, every: int = 100) -> tuple[Fit, Vocabulary, Validate]:
    """The run over a text, an update per window; its characters; and what validates it, after ``every`` updates.

    Losses are in nats per character.
    """
    vocabulary = Vocabulary(text + held_out)
    windows, held = (Streams(vocabulary.encode(part), config.batch, config.length) for part in (text, held_out))
    manual_seed(config.seed)
    model = CharLM(len(vocabulary), config.embed, config.hidden, config.layers, config.dropout)
    optimizer = optim.Adam(model.parameters(), lr=config.lr)
    schedule = optim.lr_scheduler.StepLR(optimizer, len(windows), config.decay)
    watch = Validate(held, every)
    callbacks = [Clip(norm=config.clip), Schedule(schedule, every="update"), watch]
    return Fit(model, TruncatedBPTT(_loss, carry=True), optimizer, windows, callbacks=callbacks), vocabulary, watch


def _loss(logits: Tensor, target: Tensor) -> Tensor:
    return cross_entropy(logits.flatten(0, 1), target.flatten())


def load_model(path: Path) -> tuple[CharLM, Vocabulary]:
    """The model of a checkpoint with its vocabulary, for sampling. Raises ValueError for a checkpoint of something else."""
    saved = load(path)
    if not isinstance(saved, dict) or set(saved.get("config", ())) != {f.name for f in fields(Config)} or "run" not in saved:
        raise ValueError(f"{path} belongs to another task or version; train anew: tinygrad-notes lm train --restart")
    config, vocabulary = Config(**saved["config"]), Vocabulary(saved["characters"])
    model = CharLM(len(vocabulary), config.embed, config.hidden, config.layers, config.dropout)
    model.load_state_dict(saved["run"]["model"])
    return model, vocabulary
