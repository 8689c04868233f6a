"""Pictures of gradients: flow through layers, over a run and through time; histograms of activations and gradients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .curves import write_figure

__all__ = ["draw_gradient_flow", "draw_layers", "draw_run", "draw_through_time"]

Array = np.ndarray[Any, Any]
_BLUE, _RED, _GREY = "#4c72b0", "#c44e52", "#8c8c8c"


def draw_gradient_flow(flow: Mapping[str, Mapping[str, float]], path: str | Path | None = None, title: str = "") -> Any:
    """What ``gradient_flow`` found: the norms of gradients and of parameters, from the first layer to the last."""
    _refuse_nothing("draw_gradient_flow", flow)
    names = list(flow)
    figure, axes = _figure(7, 1.2 + 0.26 * len(names), title)
    places = np.arange(len(names))
    for shift, key, color, label in ((-0.2, "weight", _GREY, "parameter"), (0.2, "norm", _BLUE, "gradient")):
        values = [flow[name][key] for name in names]
        axes.barh(places + shift, values, 0.38, color=color, label=label)
    _log_if_positive(axes, "x", [flow[name]["norm"] for name in names])
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.set_xlabel("Euclidean norm")
    axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
    return _written(figure, path)


def draw_layers(report: Mapping[str, Mapping[str, Any]], path: str | Path | None = None, title: str = "") -> Any:
    """What ``Watch.report`` found: per module, histograms of its activations and of the gradients there."""
    _refuse_nothing("draw_layers", report)
    figure = _new(8, 1.0 + 1.15 * len(report), title)
    panels = figure.subplots(len(report), 2, squeeze=False)
    for row, (name, entry) in zip(panels, report.items(), strict=True):
        for axes, key, color in zip(row, ("activation", "gradient"), (_BLUE, _RED), strict=True):
            _histogram(axes, entry.get(key), color)
        notes = [f"{entry[key]:.0%} {key}" for key in ("saturated", "dead") if key in entry]
        row[0].set_ylabel(name or "model", rotation=0, ha="right", va="center")
        row[0].set_title(", ".join(notes), fontsize=8, loc="right", color=_GREY, pad=2)
    for axes, what in zip(panels[-1], ("activation", "gradient"), strict=True):
        axes.set_xlabel(what)
    return _written(figure, path)


def draw_through_time(norms: Mapping[str, Array], path: str | Path | None = None, title: str = "") -> Any:
    """What ``gradient_through_time`` found: the norm at every step. A straight line on this scale vanishes or explodes."""
    _refuse_nothing("draw_through_time", norms)
    figure, axes = _figure(7, 3.4, title)
    for name, values in norms.items():
        axes.plot(np.arange(len(values)), np.where(values > 0, values, np.nan), marker="o", markersize=3, label=name)
    _log_if_positive(axes, "y", np.concatenate(list(norms.values())))
    axes.set_xlabel("time step")
    axes.set_ylabel("norm of the gradient at the state")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False)
    return _written(figure, path)


def draw_run(records: Sequence[Mapping[str, Any]], path: str | Path | None = None, title: str = "") -> Any:
    """What ``GradientWatch`` noted: the gradient's norm of every parameter over the run, its color running from first to last."""
    from matplotlib import colormaps

    _refuse_nothing("draw_run", records)
    names = list(dict.fromkeys(name for record in records for name in record["flow"]))
    figure, axes = _figure(8, 4, title)
    for number, name in enumerate(names):
        rows = [(record["step"], record["flow"][name]["norm"]) for record in records if name in record["flow"]]
        steps, values = (np.array(column, float) for column in zip(*rows, strict=True))
        color = colormaps["viridis"](number / max(len(names) - 1, 1))
        axes.plot(steps, np.where(values > 0, values, np.nan), color=color, marker="o", markersize=2, label=name)
    _log_if_positive(axes, "y", [entry["norm"] for record in records for entry in record["flow"].values()])
    axes.set_xlabel("update")
    axes.set_ylabel("norm of the gradient")
    axes.legend(frameon=False, fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    return _written(figure, path)


def _histogram(axes: Any, found: Mapping[str, Any] | None, color: str) -> None:
    axes.set_yticks([])
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right", "left"]].set_visible(False)
    if found is None or "bars" not in found:
        axes.text(0.5, 0.4, "nothing yet", transform=axes.transAxes, ha="center", color=_GREY, fontsize=8)
        return
    bars, low, high = found["bars"], found["min"], found["max"]
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, len(bars) + 1)
    axes.bar(edges[:-1], bars, np.diff(edges), align="edge", color=color)
    axes.set_title(f"σ {found['std']:.2g}", fontsize=8, loc="left", color=_GREY, pad=2)
    axes.xaxis.get_major_locator().set_params(nbins=4)


def _new(width: float, height: float, title: str) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    if title:
        figure.suptitle(title, fontsize=11)
    return figure


def _figure(width: float, height: float, title: str) -> tuple[Any, Any]:
    figure = _new(width, height, title)
    axes = figure.add_subplot()
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _log_if_positive(axes: Any, which: str, values: Any) -> None:
    if np.any(np.asarray(values) > 0):
        getattr(axes, f"set_{which}scale")("log")


def _refuse_nothing(name: str, found: Any) -> None:
    if not len(found):
        raise ValueError(f"{name}: there is nothing to draw; run backward first")


def _written(figure: Any, path: str | Path | None) -> Any:
    if path is not None:
        write_figure(figure, Path(path))
    return figure
