"""The notes' tabular task: rare positives among rows of 29 features, an LSTM that reads a row feature by feature.

The split is not shuffled: the last part of the table is held out, as with data that is ordered in time. Metrics are
scikit-learn's, on that part, after every epoch: with few positives, accuracy says little.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import optim
from ..functions.generator import Generator, manual_seed
from ..models.tabular_lstm import TabularLSTM
from ..nn import functional as F
from ..tensor import from_array
from ..utils.data import DataLoader, TensorDataset
from .fit import Fit

__all__ = ["Config", "digest", "generated", "make_run", "read_csv"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Config:
    """What a run is. ``epochs`` may grow when a run is resumed; nothing else may change.

    data: the digest of the table
    """

    examples: int = 4000
    features: int = 29
    positives: float = 0.05
    held_out: float = 0.2
    hidden: int = 200
    batch: int = 35
    epochs: int = 8
    lr: float = 1e-3
    seed: int = 0
    data: str = ""


def generated(config: Config) -> tuple[Array, Array]:
    """An imbalanced table of scikit-learn's ``make_classification``: x ``(N, features)``, y ``(N,)`` of 0 and 1."""
    from sklearn.datasets import make_classification

    if config.features < 2 or config.examples < 10 or not 0 < config.positives < 1:
        raise ValueError(
            "a generated table needs --features of 2 or more, --examples of 10 or more and --positives in (0, 1), got "
            f"{config.features}, {config.examples} and {config.positives}"
        )
    informative = max(2, config.features // 2)
    x, y = make_classification(
        config.examples, config.features, n_informative=informative, n_redundant=config.features // 6, n_clusters_per_class=1,
        weights=[1 - config.positives], flip_y=0.001, class_sep=2.5, random_state=config.seed,
    )  # fmt: skip
    return x, y


def read_csv(path: Path, target: str | None = None, dropped: tuple[str, ...] = ()) -> tuple[Array, Array]:
    """A table with a header: x, all numeric columns but ``target`` (default: the last) and ``dropped``; y of 0 and 1.

    Raises FileNotFoundError, or ValueError naming the line for what is no number, no such column or no class 0 or 1.
    """
    import csv

    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file)
        header = [name.strip() for name in next(reader, [])]
        target = target or (header[-1] if header else "")
        if missing := [name for name in (target, *dropped) if name not in header]:
            raise ValueError(f"{path} has no column {', '.join(missing)}; it has {', '.join(header) or 'nothing'}")
        kept = [i for i, name in enumerate(header) if name != target and name not in dropped]
        aim, rows, labels = header.index(target), [], []
        for number, cells in enumerate(reader, 2):
            if not cells:
                continue
            if len(cells) != len(header):
                raise ValueError(f"{path}, line {number}: {len(cells)} cells, but the header has {len(header)}")
            try:
                rows.append([float(cells[i]) for i in kept])
                labels.append(float(cells[aim]))
            except ValueError as error:
                raise ValueError(f"{path}, line {number}: {error}") from None
    x, y = np.array(rows).reshape(len(rows), len(kept)), np.array(labels)
    if not np.isin(y, (0, 1)).all():
        raise ValueError(f"{path}: the column {target} must hold 0 and 1 only, it holds {y[~np.isin(y, (0, 1))][0]}")
    if not len(kept) or not np.isfinite(x).all():
        raise ValueError(f"{path}: needs at least one column of features, all finite")
    return x, y.astype(np.int64)


def digest(x: Array, y: Array) -> str:
    """What tells one table from another."""
    return hashlib.sha256(np.ascontiguousarray(x).tobytes() + np.ascontiguousarray(y).tobytes()).hexdigest()


def make_run(config: Config, x: Array, y: Array) -> tuple[Fit, TensorDataset]:
    """The run over a table, and the held-out rows. Features are standardised by what the training rows show."""
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler

    for name in ("hidden", "batch", "epochs"):
        if getattr(config, name) <= 0:
            raise ValueError(f"--{name} must be positive, got {getattr(config, name)}")
    if not 0 < config.held_out < 1:
        raise ValueError(f"--held_out must lie in (0, 1), got {config.held_out}")
    x_train, x_held, y_train, y_held = train_test_split(x, y, test_size=config.held_out, shuffle=False)
    for name, labels in (("training", y_train), ("held-out", y_held)):
        if len(np.unique(labels)) < 2:
            raise ValueError(f"the {len(labels)} {name} rows hold one class only; give more rows, or another --held_out")
    scaler = StandardScaler().fit(x_train)
    train, held = (
        TensorDataset(from_array(scaler.transform(part).astype(np.float32)), from_array(labels.astype(np.float32)))
        for part, labels in ((x_train, y_train), (x_held, y_held))
    )
    manual_seed(config.seed)
    model = TabularLSTM(config.hidden)
    return Fit(
        model,
        F.binary_cross_entropy_with_logits,
        optim.Adam(model.parameters(), lr=config.lr),
        DataLoader(train, config.batch, shuffle=True, generator=Generator(config.seed)),
        validation=DataLoader(held, 256),
        metrics={"F1 macro": _f1, "accuracy": _accuracy, "recall": _recall, "precision": _precision},
    ), held


def _f1(output: Array, target: Array) -> float:
    from sklearn.metrics import f1_score

    return float(f1_score(target > 0.5, output > 0, average="macro", zero_division=0))


def _accuracy(output: Array, target: Array) -> float:
    from sklearn.metrics import accuracy_score

    return float(accuracy_score(target > 0.5, output > 0))


def _recall(output: Array, target: Array) -> float:
    from sklearn.metrics import recall_score

    return float(recall_score(target > 0.5, output > 0, zero_division=0))


def _precision(output: Array, target: Array) -> float:
    from sklearn.metrics import precision_score

    return float(precision_score(target > 0.5, output > 0, zero_division=0))
