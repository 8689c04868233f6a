"""Pictures of a run: losses and metrics over its steps or epochs."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from ..io import write_atomically

__all__ = ["draw_history", "write_figure"]


def draw_history(history: Sequence[dict[str, Any]], path: str | Path | None = None, title: str = "") -> Any:
    """The history of a ``Fit`` or rows of ``Validate``: losses in one panel, metrics in another below; returns matplotlib's figure.

    path  also write it there, as PNG, SVG or PDF
    Raises ValueError for a history without rows.
    """
    from matplotlib.figure import Figure

    if not history:
        raise ValueError("draw_history: the history has no rows; train for an epoch first")
    losses = {name: label for name, label in (("loss", "training"), ("validation loss", "validation")) if name in history[0]}
    metrics = [name for name in history[0] if name not in ("epoch", "step", *losses)]
    figure = Figure(figsize=(7, 3.4 if not metrics else 5.6), layout="constrained")
    panels = figure.subplots(2 if metrics else 1, 1, sharex=True, squeeze=False)[:, 0]
    along = "epoch" if "epoch" in history[0] else "step"
    places = [row[along] for row in history]
    colors = ("#4c72b0", "#c44e52", "#55a868", "#8172b3", "#ccb974", "#64b5cd")
    for axes, names in zip(panels, (list(losses), metrics), strict=False):
        for name, color in zip(names, colors * len(names), strict=False):
            values = [row[name] for row in history]
            axes.plot(places, values, color=color, marker="o", markersize=3, label=losses.get(name, name))
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    panels[0].set_ylabel("loss")
    panels[0].set_title(title)
    if metrics:
        panels[1].set_ylabel("on the validation set")
    panels[-1].set_xlabel(along)
    panels[-1].xaxis.get_major_locator().set_params(integer=True)
    if path is not None:
        write_figure(figure, Path(path))
    return figure


def write_figure(figure: Any, path: Path) -> None:
    """Write a figure of matplotlib in the format of the path's suffix, whole or not at all."""
    buffer = BytesIO()
    figure.savefig(buffer, format=path.suffix[1:] or "png", dpi=150)
    write_atomically(path, buffer.getvalue())
