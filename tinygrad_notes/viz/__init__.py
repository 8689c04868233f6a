"""Pictures of tapes and graphs, readable for a whole training step: ``tn.viz.draw(tape, "step.svg")``.

``rollup`` merges what repeats, ``fold`` makes it fit, ``dot_text`` and ``labels`` write it as DOT, ``picture`` draws that.
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import overload

from ..errors import GraphError
from ..tape import Node, Tape
from ..tensor import Tensor
from .dot_text import to_dot
from .fold import fold as fold_to_fit
from .picture import Picture, PictureError
from .rollup import Graph, roll_up

__all__ = ["Picture", "PictureError", "dot", "draw", "graph"]


def graph(source: Tape | Tensor, *, depth: int | None = None, max_nodes: int = 150, views: bool = False) -> Graph:
    """The boxes and edges of a picture as plain data.

    source     a recorded Tape, or a Tensor: then the nodes that its gradient flows through, and their inputs
    depth      scopes nested this deep become single boxes (1: one box per outermost scope); None: as deep as fits
    max_nodes  the most boxes that a picture may have; the deepest scopes are folded until it fits
    views      draw reshape, permute, slice, broadcast and detach as boxes; else they are part of the edges

    Leaves that nothing reads are left out. Raises GraphError for a Tensor without a graph, ValueError for limits below 1.
    """
    if (depth is not None and depth < 1) or max_nodes < 1:
        raise ValueError(f"a picture needs depth >= 1 and max_nodes >= 1, got depth={depth}, max_nodes={max_nodes}")
    if isinstance(source, Tensor):
        rolled = roll_up(_behind(source), views=views)
    else:
        rolled = roll_up(source.nodes, names=source.names, constants=source.constants, views=views)
    return fold_to_fit(rolled, depth=depth, max_nodes=max_nodes)


def dot(
    source: Tape | Tensor,
    *,
    title: str | None = None,
    depth: int | None = None,
    max_nodes: int = 150,
    views: bool = False,
) -> str:
    """The picture of a Tape or of the graph behind a Tensor as DOT text; the same tape gives the same bytes.

    title  stands above the picture; the other arguments are those of ``graph``, which also says what is raised
    """
    return to_dot(graph(source, depth=depth, max_nodes=max_nodes, views=views), title)


@overload
def draw(
    source: Tape | Tensor, path: None = None, *, title: str | None = ..., depth: int | None = ..., max_nodes: int = ...,
    views: bool = ...,
) -> Picture: ...  # fmt: skip
@overload
def draw(
    source: Tape | Tensor, path: str | PathLike[str], *, title: str | None = ..., depth: int | None = ...,
    max_nodes: int = ..., views: bool = ...,
) -> Path: ...  # fmt: skip
def draw(
    source: Tape | Tensor,
    path: str | PathLike[str] | None = None,
    *,
    title: str | None = None,
    depth: int | None = None,
    max_nodes: int = 150,
    views: bool = False,
) -> Path | Picture:
    """Draw a Tape or the graph behind a Tensor.

    path  where to: .svg, .png, .pdf, .dot or .gv, written whole or not at all; None: return a Picture that notebooks show
    The other arguments are those of ``dot``. Raises PictureError where nothing can draw, with the DOT text saved beside.
    """
    picture = Picture(dot(source, title=title, depth=depth, max_nodes=max_nodes, views=views))
    return picture if path is None else picture.save(path)


def _behind(tensor: Tensor) -> list[Node]:
    """The nodes that ``tensor`` was computed by, in order."""
    root = tensor.grad_fn
    if root is None:
        raise GraphError(
            "viz: this Tensor is a leaf or needs no gradient: there is no graph behind it. Draw a Tape, or a result"
        )
    seen, stack = {root}, [root]
    while stack:
        for source in stack.pop().inputs:
            if source.op.kind not in ("leaf", "literal") and source not in seen:
                seen.add(source)
                stack.append(source)
    return sorted(seen, key=lambda node: node.seq)
