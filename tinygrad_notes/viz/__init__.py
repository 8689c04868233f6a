"""Pictures of tapes and graphs, readable for a whole training step: ``tn.viz.draw(tape, "step.svg")``.

``source`` says what is drawn, ``rollup`` merges what repeats, ``fold`` makes it fit, ``tint`` colours it by norms, ``dot_text``
and ``labels`` write it as DOT, ``picture`` draws that; ``layered`` and ``svg_text`` draw where there is no graphviz.
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any, overload

from .dot_text import to_dot
from .explore import Explorer, explore
from .fold import fold as fold_to_fit
from .picture import Picture, PictureError
from .rollup import Graph, roll_up
from .source import Recording, Source, record
from .svg_text import to_svg
from .tint import Tint

_TINTS = {"value": "value", "grad": "gradient"}

__all__ = ["Explorer", "Picture", "PictureError", "dot", "draw", "explore", "graph"]


def graph(
    source: Source, *, inputs: Any = None, order: int = 0, depth: int | None = None, max_nodes: int = 150, views: bool = False
) -> Graph:
    """The boxes and edges of a picture as plain data.

    source     a recorded Tape; a Tensor: the nodes that its gradient flows through, and their inputs; a module or function:
               it is called once with ``inputs``, as you would, and what it does is drawn
    inputs     of a module or function: the argument, or a tuple of them
    order      of a Tensor, module or function: 1 draws beside it the gradient of the sum of its result with respect to all
               leaves, 2 also the gradient of the sum of that
    depth      scopes nested this deep become single boxes (1: one box per outermost scope); None: as deep as fits
    max_nodes  the most boxes that a picture may have; the deepest scopes are folded until it fits
    views      draw reshape, permute, slice, broadcast and detach as boxes; else they are part of the edges

    Leaves that nothing reads are left out. Raises GraphError for a Tensor without a graph or with a freed one, TypeError for
    what is no source, ValueError for limits below 1.
    """
    return _graph(record(source, inputs, order), depth, max_nodes, views)


def dot(
    source: Source,
    *,
    inputs: Any = None,
    order: int = 0,
    title: str | None = None,
    tint: str | None = None,
    depth: int | None = None,
    max_nodes: int = 150,
    views: bool = False,
) -> str:
    """A picture as DOT text; the same tape gives the same bytes.

    title  stands above the picture
    tint   "value" or "grad": colour boxes by the norm of their value or of their gradient, on a logarithmic scale, NaN and inf
           in black. A tape is run again for it (on copies: nothing is written), with the parameters as they are now; the
           gradient is that of the last backward pass recorded on it, else of the sum of the result.
    The other arguments are those of ``graph``, which also says what is raised; ValueError too where norms are not known.
    """
    return _picture(source, inputs, order, title, tint, depth, max_nodes, views).text


@overload
def draw(
    source: Source, path: None = None, *, inputs: Any = ..., order: int = ..., title: str | None = ..., tint: str | None = ...,
    depth: int | None = ..., max_nodes: int = ..., views: bool = ...,
) -> Picture: ...  # fmt: skip
@overload
def draw(
    source: Source, path: str | PathLike[str], *, inputs: Any = ..., order: int = ..., title: str | None = ...,
    tint: str | None = ..., depth: int | None = ..., max_nodes: int = ..., views: bool = ...,
) -> Path: ...  # fmt: skip
def draw(
    source: Source,
    path: str | PathLike[str] | None = None,
    *,
    inputs: Any = None,
    order: int = 0,
    title: str | None = None,
    tint: str | None = None,
    depth: int | None = None,
    max_nodes: int = 150,
    views: bool = False,
) -> Path | Picture:
    """Draw a Tape, the graph behind a Tensor, or the call of a module: ``draw(model, "model.svg", inputs=x)``.

    path  where to: .svg, .png, .pdf, .dot or .gv, written whole or not at all; None: return a Picture that notebooks show
    The other arguments are those of ``dot``. Raises PictureError where no graphviz can draw a .png or .pdf; an .svg is then saved.
    """
    if path is not None and not isinstance(path, str | PathLike):
        raise TypeError(
            f"draw: path is a file name, not a {type(path).__name__}; inputs are given by name: draw(model, inputs=x)"
        )
    picture = _picture(source, inputs, order, title, tint, depth, max_nodes, views)
    return picture if path is None else picture.save(path)


def _picture(
    source: Source, inputs: Any, order: int, title: str | None, tint: str | None, depth: int | None, max_nodes: int, views: bool
) -> Picture:
    recording = record(source, inputs, order)
    drawn = _graph(recording, depth, max_nodes, views)
    scale = None if tint is None else Tint(recording.norms(tint), f"norm of the {_TINTS.get(tint)}")
    return Picture(to_dot(drawn, title, scale), to_svg(drawn, title, scale))


def _graph(recording: Recording, depth: int | None, max_nodes: int, views: bool) -> Graph:
    if (depth is not None and depth < 1) or max_nodes < 1:
        raise ValueError(f"a picture needs depth >= 1 and max_nodes >= 1, got depth={depth}, max_nodes={max_nodes}")
    rolled = roll_up(recording.nodes, names=recording.names, constants=recording.constants, views=views)
    rolled.notes, rolled.tape = recording.notes, recording.tape
    return fold_to_fit(rolled, depth=depth, max_nodes=max_nodes)
