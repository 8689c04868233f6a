"""The notes' image task: scikit-learn's handwritten digits, 1,797 images of 8 × 8, a convolutional network; a fifth is held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .. import optim
from ..data.augment import Augmentation, random_shift
from ..functions.generator import Generator, manual_seed
from ..models.digits_net import DigitsNet
from ..modes import no_grad
from ..nn import functional as F
from ..tensor import Tensor, from_array
from ..utils.data import DataLoader, TensorDataset
from .callbacks import Schedule
from .curves import write_figure
from .fit import Fit

__all__ = ["Config", "confusion", "draw_confusion", "make_run"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Config:
    """What a run is. ``shift``: by up to how many pixels training images are moved."""

    dropout: float = 0.3
    shift: int = 1
    batch: int = 32
    epochs: int = 15
    lr: float = 2e-3
    seed: int = 0


class _Moved:
    """Makes batches of (image, label), the images moved by random whole pixels."""

    def __init__(self, pixels: int, seed: int) -> None:
        self.augment = Augmentation(partial(random_shift, pixels=pixels), seed=seed)

    def __call__(self, batch: list[Any]) -> tuple[Tensor, Tensor]:
        images = np.stack([image.numpy() for image, _ in batch])
        return from_array(self.augment(images)), from_array(np.array([label.item() for _, label in batch]))

    def state_dict(self) -> dict[str, Any]:
        return self.augment.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.augment.load_state_dict(state)


def make_run(config: Config) -> tuple[Fit, TensorDataset]:
    """The run, and the held-out fifth, drawn with the seed so that every digit is held out alike."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    for name in ("batch", "epochs"):
        if getattr(config, name) <= 0:
            raise ValueError(f"--{name} must be positive, got {getattr(config, name)}")
    if not 0 <= config.shift < 8:
        raise ValueError(f"--shift must lie in [0, 8), got {config.shift}")
    found = load_digits()
    images = (found.images / 16).astype(np.float32)[:, None]
    parts = train_test_split(images, found.target, test_size=0.2, random_state=config.seed, stratify=found.target)
    x_train, x_held, y_train, y_held = map(from_array, parts)
    held = TensorDataset(x_held, y_held)
    manual_seed(config.seed)
    model = DigitsNet(dropout=config.dropout)
    optimizer = optim.AdamW(model.parameters(), lr=config.lr)
    return Fit(
        model,
        F.cross_entropy,
        optimizer,
        DataLoader(
            TensorDataset(x_train, y_train),
            config.batch,
            shuffle=True,
            collate_fn=_Moved(config.shift, config.seed),
            generator=Generator(config.seed),
        ),
        validation=DataLoader(held, 256),
        metrics={"accuracy": lambda output, target: float((output.argmax(-1) == target).mean())},
        callbacks=[Schedule(optim.lr_scheduler.CosineAnnealingLR(optimizer, config.epochs))],
    ), held


def confusion(run: Fit, held: TensorDataset) -> Array:
    """``(10, 10)``: how many images of each digit (row) were taken for each (column)."""
    from sklearn.metrics import confusion_matrix

    x, y = held.tensors
    run.model.eval()
    with no_grad():
        guessed = run.model(x).argmax(-1)
    counts: Array = confusion_matrix(y.numpy(), guessed.numpy())
    return counts


def draw_confusion(counts: Array, path: Path, title: str, names: Sequence[str] | None = None) -> Any:
    """Write a confusion matrix as a picture: rows what was shown, columns what it was taken for; errors in red."""
    from matplotlib.figure import Figure

    names = [str(i) for i in range(len(counts))] if names is None else list(names)
    figure = Figure(figsize=(5.6, 5.2), layout="constrained")
    axes = figure.add_subplot()
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (i, j), n in np.ndenumerate(counts):
        if n:
            axes.text(
                j,
                i,
                str(n),
                ha="center",
                va="center",
                color="#c44e52" if i != j else "white" if shares[i, j] > 0.5 else "black",
            )
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("taken for")
    axes.set_ylabel("shown")
    axes.set_title(title)
    write_figure(figure, path)
    return figure
