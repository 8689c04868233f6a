"""What notebooks show of a Tensor, a Tape and a Module: HTML that is small, readable in the dark, and asks nothing of a network."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import typename
from ..listing import listing
from ..tape import Tape
from ..tensor import Tensor
from .blocks import runs
from .statistics import summary

if TYPE_CHECKING:
    from ..nn import Module

__all__ = ["module_html", "tape_html", "tensor_html"]

Array = np.ndarray[Any, Any]

_HEAD, _TAIL = 6, 2
"""Of a long axis: how many entries are shown from its beginning and its end."""
_COUNTED = 4_000_000
"""Elements up to which a Tensor is summed up: more would take more than a blink."""
_LINES = 200
_BOXES = 60
_LOW, _HIGH = "79,155,217", "240,138,53"
_SMALL = "font-size:90%;line-height:1.35;font-family:ui-monospace,monospace"
_CELL = "padding:1px 6px;text-align:right;border:1px solid rgba(128,128,128,.35)"


# ---- Tensor ----


def tensor_html(tensor: Tensor) -> str:
    """Type, statistics, and the values as a table: colour by sign and size, what is not finite in black."""
    array = tensor._array
    said = [typename(tensor.shape, tensor.dtype), f"{array.nbytes:,} bytes"]
    if tensor.requires_grad:
        said.append("requires grad" if tensor.grad_fn is None else f"made by {tensor.grad_fn.op.name}")
    head = f"<b>{html.escape(type(tensor).__name__)}</b> {html.escape(' · '.join(said))}"
    return f'<div style="{_SMALL}"><div>{head}</div>{_statistics(array)}{_values(array)}</div>'


def _statistics(array: Array) -> str:
    if array.dtype.kind not in "fiu" or not 1 < array.size <= _COUNTED:
        return ""
    found = summary(array)
    said = [f"{name} {found[name]:.4g}" for name in ("min", "mean", "max", "std", "norm") if name in found]
    said += [f"{name} {found[name]:,}" for name in ("zeros",) if name in found]
    bad = ", ".join(f"{found[key]:,} {name}" for key, name in (("nan", "NaN"), ("inf", "inf")) if key in found)
    if bad:
        said.append(f'<b style="background:#000;color:#fff;border:2px solid #e0002b;padding:0 4px">{bad}</b>')
    tallest = max(found.get("bars", (0,)))
    bars = "".join(
        f'<span style="display:inline-block;width:3px;height:{max(round(14 * n / tallest), n > 0)}px;'
        'background:currentColor;opacity:.6"></span>'
        for n in found.get("bars", ())
    )
    return f'<div style="opacity:.85">{" · ".join(said)} &nbsp;{bars}</div>'


def _values(array: Array) -> str:
    """The values of a matrix or row; of more axes, the first matrix."""
    if array.size == 0:
        return "<div>no elements</div>"
    note = ""
    if array.ndim > 2:
        index = ", ".join("0" * (array.ndim - 2))
        note, array = (
            f'<div style="opacity:.7">[{index}, :, :] of {html.escape(str(array.shape))}</div>',
            array[(0,) * (array.ndim - 2)],
        )
    matrix = array.reshape(1, -1) if array.ndim < 2 else array
    rows, columns = _cut(matrix.shape[0]), _cut(matrix.shape[1])
    shown = matrix[np.ix_([r for r in rows if r is not None], [c for c in columns if c is not None])]
    scale = _scale(shown)
    lines = "".join(
        "<tr>" + "".join(_gap() if r is None or c is None else _cell(matrix[r, c], scale) for c in columns) + "</tr>"
        for r in rows
    )
    return f'{note}<table style="border-collapse:collapse;margin:2px 0;{_SMALL}">{lines}</table>'


def _cut(n: int) -> list[int | None]:
    """Which entries of an axis are shown; None stands for those left out."""
    if n <= _HEAD + _TAIL + 1:
        return list(range(n))
    return [*range(_HEAD), None, *range(n - _TAIL, n)]


def _scale(values: Array) -> float:
    if values.dtype.kind == "b":
        return 0.0
    sizes = np.abs(values.astype(np.float64))
    return float(sizes[np.isfinite(sizes)].max(initial=0.0))


def _cell(value: Any, scale: float) -> str:
    if value.dtype.kind != "f":
        return f'<td style="{_CELL}">{value}</td>'
    if not np.isfinite(value):
        return f'<td style="{_CELL};background:#000;color:#fff;font-weight:bold">{value}</td>'
    strength = abs(float(value)) / scale if scale else 0.0
    tint = f";background:rgba({_LOW if value < 0 else _HIGH},{0.6 * strength:.2f})" if strength >= 0.01 else ""
    return f'<td style="{_CELL}{tint}">{float(value):.4g}</td>'


def _gap() -> str:
    return f'<td style="{_CELL};opacity:.6">…</td>'


# ---- Tape ----


def tape_html(tape: Tape) -> str:
    """The picture, folded to what fits a page, and the listing."""
    from . import draw

    lines = listing(tape).split("\n")
    more = [f"… and {len(lines) - _LINES:,} more lines: print(tape)"] if len(lines) > _LINES else []
    text = html.escape("\n".join([*lines[:_LINES], *more]))
    picture = ""
    if tape.nodes:
        svg = draw(tape, max_nodes=_BOXES).render("svg").decode()
        drawing = svg[svg.index("<svg") :]
        picture = f'<div style="overflow:auto;max-height:640px;background:#fff;color:#000">{drawing}</div>'
    return (
        f"<div><b>Tape</b> {len(tape.nodes):,} nodes, {len(tape.leaves):,} leaves{picture}"
        f'<details><summary>listing</summary><pre style="max-height:400px;overflow:auto">{text}</pre></details></div>'
    )


# ---- Module ----


def module_html(module: Module) -> str:
    """The tree of modules: type, parameters with their shapes, how many numbers; what repeats is shown once."""
    total = sum(p.numel() for p in module.parameters())
    trained = sum(p.numel() for p in module.parameters() if p.requires_grad)
    note = f"{total:,} parameters" + (f", {trained:,} of them trained" if trained != total else "")
    rows = "".join(
        f'<tr><td style="{_CELL};text-align:left;padding-left:{6 + 16 * depth}px">{html.escape(name)}</td>'
        + "".join(
            f'<td style="{_CELL};text-align:{side}">{html.escape(text)}</td>' for side, text in zip(_ALIGN, cells, strict=True)
        )
        + "</tr>"
        for depth, name, cells in [(0, "", _cells([module], 1)), *_rows(module, 1)]
    )
    titles = "".join(
        f'<th style="{_CELL};text-align:left">{title}</th>' for title in ("name", "module", "parameters", "numbers")
    )
    table = f'<table style="border-collapse:collapse;{_SMALL}"><tr>{titles}</tr>{rows}</table>'
    return f'<div style="max-height:640px;overflow:auto"><b>{html.escape(type(module).__name__)}</b> {note}{table}</div>'


Row = tuple[int, str, list[str]]
_ALIGN = ("left", "left", "right")


def _rows(module: Module, depth: int) -> Iterable[Row]:
    """The rows below ``module``: of modules, or blocks of them, that repeat, those of the first."""
    children = list(module.named_children())
    alike = [(repr(child), "" if name.isdigit() else name) for name, child in children]  # names that say something stay
    for start, period, count in runs(alike):
        block, last = children[start : start + period], children[start + period * count - 1][0]
        if period > 1:
            numbers = _numbers([child for _, child in block], count)
            yield depth, f"{block[0][0]} … {last}", [f"{count} blocks like this:", "", numbers]
            depth, count = depth + 1, 1
        for name, child in block:
            yield depth, name if count == 1 else f"{name} … {last} (×{count})", _cells([child], count)
            yield from _rows(child, depth + 1)
        depth -= period > 1


def _cells(modules: list[Module], count: int) -> list[str]:
    module = modules[0]
    own = ", ".join(
        f"{key} {'×'.join(map(str, p.shape)) or 'scalar'}" + ("" if p.requires_grad else " frozen")
        for key, p in module.named_parameters(recurse=False)
    )
    said = module.extra_repr()
    return [f"{type(module).__name__}({said})" if said else type(module).__name__, own, _numbers(modules, count)]


def _numbers(modules: list[Module], count: int) -> str:
    each = sum(p.numel() for module in modules for p in module.parameters())
    return f"{count} × {each:,} = {count * each:,}" if count > 1 and each else f"{each:,}" if each else ""
