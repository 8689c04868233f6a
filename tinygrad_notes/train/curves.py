"""The picture of a run: training beside validation loss."""

from __future__ import annotations

import math
from pathlib import Path

__all__ = ["draw_losses"]


def draw_losses(history: list[list[float]], path: Path, title: str) -> None:
    """Write a PNG or SVG of rows ``(step, training loss, validation loss)``, in nats per character."""
    from matplotlib.figure import Figure

    steps = [row[0] for row in history]
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(steps, [row[1] for row in history], color="#4c72b0", marker="o", markersize=3, label="training (with dropout)")
    best = min(row[2] for row in history)
    label = f"validation, best {best:.3f} (perplexity {math.exp(best):.2f})"
    axes.plot(steps, [row[2] for row in history], color="#c44e52", marker="o", markersize=3, label=label)
    axes.set_xlabel("step")
    axes.set_ylabel("loss, nats per character")
    axes.set_title(title)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    temporary = path.with_name(f".{path.name}")
    figure.savefig(temporary, format=path.suffix[1:], dpi=150)
    temporary.replace(path)
